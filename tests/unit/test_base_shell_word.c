/* Words of commands are pasted into a shell as they were meant. */
#include "base/shell_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_word(const char *value, const char *expected)
{
    struct buffer text = {0};
    shell_word_append(&text, value);
    assert_string_equal(buffer_string(&text), expected);
    buffer_release(&text);
}

static void what_is_one_word_stays_as_it_is(void **state)
{
    (void)state;
    assert_word("contoso", "contoso");
    assert_word("ann.b+c@contoso-2.com", "ann.b+c@contoso-2.com");
}

static void blanks_are_quoted_and_what_quotes_leave_open_too(void **state)
{
    (void)state;
    assert_word("", "\"\"");
    assert_word("Contoso Ltd", "\"Contoso Ltd\"");
    assert_word("it's", "\"it's\"");
    assert_word("a $HOME", "'a $HOME'");
    assert_word("Yahoo!", "'Yahoo!'");
    assert_word("it's \"b\"", "'it'\\''s \"b\"'");
    assert_word("a\nb", "\"a b\"");
}

/* What a shell makes of it is what was meant. */
static void a_shell_takes_each_for_one_word(void **state)
{
    static const char *const values[] = {"a b", "a'b", "a\"b", "$x `y` \\z", "*", "~", "a;b", "#"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buffer command = {0};
        char said[64] = "";
        buffer_append_string(&command, "printf '[%s]' ");
        shell_word_append(&command, values[i]);
        FILE *shell = popen(command.data, "r");
        assert_non_null(shell);
        assert_non_null(fgets(said, sizeof said, shell));
        assert_int_equal(pclose(shell), 0);
        assert_int_equal(strlen(said), strlen(values[i]) + 2);
        assert_memory_equal(said + 1, values[i], strlen(values[i]));
        buffer_release(&command);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_one_word_stays_as_it_is),
        cmocka_unit_test(blanks_are_quoted_and_what_quotes_leave_open_too),
        cmocka_unit_test(a_shell_takes_each_for_one_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Lines, as they come and as they are written. */
#include "control/control_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 40 };

static struct control_lines lines;
static char wrong[100];

static int begin(void **state)
{
    (void)state;
    lines = (struct control_lines){.limit = LIMIT};
    wrong[0] = '\0';
    return 0;
}

static int end(void **state)
{
    (void)state;
    control_lines_release(&lines);
    return 0;
}

static void add(const char *text)
{
    control_lines_add(&lines, text, strlen(text));
}

static enum control_line_result take(json_int_t *number)
{
    json_t *line;
    enum control_line_result result = control_lines_take(&lines, &line, wrong, sizeof wrong);
    if (number != NULL)
        *number = json_integer_value(json_object_get(line, "n"));
    json_decref(line);
    return result;
}

static void lines_are_taken_however_they_come_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "{\"n\":1}\n\r\n{\"n\": 2}\r\n  \n{\"n\":3}\n";
    for (size_t size = 1; size < sizeof text; size++) {
        json_int_t found[3], count = 0, number;
        for (size_t at = 0; at < sizeof text - 1; at += size) {
            size_t left = sizeof text - 1 - at;
            control_lines_add(&lines, text + at, left < size ? left : size);
            for (enum control_line_result result; (result = take(&number)) != CONTROL_LINE_NONE;) {
                assert_true(result == CONTROL_LINE_TAKEN || result == CONTROL_LINE_BLANK);
                if (result == CONTROL_LINE_TAKEN)
                    found[count++] = number;
            }
        }
        assert_int_equal(count, 3);
        assert_true(found[0] == 1 && found[1] == 2 && found[2] == 3);
        assert_int_equal(control_lines_waiting(&lines), 0);
    }
}

static void a_line_has_its_limit_with_or_without_its_end(void **state)
{
    (void)state;
    char text[LIMIT + 3];
    memset(text, ' ', sizeof text);
    memcpy(text, "{\"n\":4}", 7);
    text[LIMIT] = '\n';
    json_int_t number;
    control_lines_add(&lines, text, LIMIT + 1);
    assert_int_equal(take(&number), CONTROL_LINE_TAKEN);
    assert_int_equal(number, 4);
    text[LIMIT] = ' ';
    control_lines_add(&lines, text, LIMIT);
    assert_int_equal(take(NULL), CONTROL_LINE_NONE);
    add(" ");
    assert_int_equal(take(NULL), CONTROL_LINE_TOO_LONG);
    add("\n{\"n\":1}\n");
    assert_int_equal(take(NULL), CONTROL_LINE_TOO_LONG);
}

static void what_is_no_object_is_wrong_and_the_next_line_is_not(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[1]\n", "7\n", "x\n", "{\"n\":1}{\n", "{\"n\":1,\"n\":2}\n", "{\"n\":\"\xff\"}\n", "{\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wrong[0] = '\0';
        add(texts[i]);
        add("{\"n\":5}\n");
        assert_int_equal(take(NULL), CONTROL_LINE_WRONG);
        assert_true(wrong[0] != '\0');
        json_int_t number;
        assert_int_equal(take(&number), CONTROL_LINE_TAKEN);
        assert_int_equal(number, 5);
    }
    control_lines_add(&lines, "{\"n\":1}\0\n", 9);
    assert_int_equal(take(NULL), CONTROL_LINE_WRONG);
}

static void an_object_becomes_one_line_or_nothing(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    json_t *object = json_pack("{s:s}", "a", "two\nlines");
    assert_true(control_line_append(&bytes, object, 18));
    assert_string_equal(buffer_string(&bytes), "{\"a\":\"two\\nlines\"}\n");
    assert_false(control_line_append(&bytes, object, 17));
    assert_string_equal(buffer_string(&bytes), "{\"a\":\"two\\nlines\"}\n");
    json_decref(object);
    buffer_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_taken_however_they_come_in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(a_line_has_its_limit_with_or_without_its_end, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_object_is_wrong_and_the_next_line_is_not, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_object_becomes_one_line_or_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/failure.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_cleaned(const char *raw, size_t length, const char *expected)
{
    struct failure failure = {0};
    char *exact = malloc(length > 0 ? length : 1); /* no NUL behind it */
    assert_non_null(exact);
    memcpy(exact, raw, length);
    failure_set_text(&failure, exact, length);
    free(exact);
    assert_string_equal(failure.text, expected);
}

#define CLEANED(raw, expected) assert_cleaned(raw, sizeof(raw) - 1, expected)

static void control_characters_become_spaces(void **state)
{
    (void)state;
    CLEANED("one\r\ntwo\tthree", "one  two three");
    CLEANED("\x1b[31mred\x7f", " [31mred ");
    CLEANED("a\0b", "a b");
    CLEANED("next\xc2\x85line", "next line");
    CLEANED("line\xe2\x80\xa8paragraph\xe2\x80\xa9.", "line paragraph .");
}

static void characters_of_every_length_are_kept(void **state)
{
    (void)state;
    CLEANED("", "");
    CLEANED("Zugriff verweigert für André", "Zugriff verweigert für André");
    CLEANED("\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
            "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    (void)state;
    CLEANED("gr\xfc\xdf", "gr??");                /* Latin-1 */
    CLEANED("\x80\xbf", "??");                    /* continuations of nothing */
    CLEANED("\xc0\xaf", "??");                    /* overlong */
    CLEANED("\xe0\x80\xaf", "???");               /* overlong */
    CLEANED("\xed\xa0\x80", "???");               /* a surrogate */
    CLEANED("\xf4\x90\x80\x80", "????");          /* beyond U+10FFFF */
    CLEANED("\xf8\x88\x80\x80\x80", "?????");     /* five bytes */
    CLEANED("\xe2\x82", "?");                     /* cut off */
    CLEANED("\xe2\x82x", "?x");                   /* cut off within */
    CLEANED("\xf0\x9f\x98\xc3\xa4", "?\xc3\xa4"); /* cut off before another */
    CLEANED("\xc3", "?");
}

static void what_is_too_long_is_cut_at_a_character(void **state)
{
    (void)state;
    struct failure failure = {0};
    char raw[2 * FAILURE_TEXT_SIZE];
    memset(raw, 'x', sizeof raw);
    memcpy(raw + FAILURE_TEXT_SIZE - 3, "\xe2\x82\xac", 3); /* one byte too long for the field */
    failure_set_text(&failure, raw, sizeof raw);
    assert_int_equal(strlen(failure.text), FAILURE_TEXT_SIZE - 3);
    memcpy(raw + FAILURE_TEXT_SIZE - 4, "\xe2\x82\xac", 3); /* just fits */
    failure_set_text(&failure, raw, sizeof raw);
    assert_int_equal(strlen(failure.text), FAILURE_TEXT_SIZE - 1);
    assert_string_equal(failure.text + FAILURE_TEXT_SIZE - 4, "\xe2\x82\xac");
}

static void a_line_of_one_byte_has_room_for_nothing(void **state)
{
    (void)state;
    char line[1] = {'x'};
    assert_int_equal(text_copy_line(line, sizeof line, "abc", 3), 0);
    assert_int_equal(line[0], '\0');
}

static void formatted_words_are_cleaned_as_well(void **state)
{
    (void)state;
    struct failure failure = {0};
    failure_format_text(&failure, "item %d: %s", 7, "bad\nnews");
    assert_string_equal(failure.text, "item 7: bad news");
    char raw[5 * FAILURE_TEXT_SIZE];
    memset(raw, 'y', sizeof raw);
    raw[sizeof raw - 1] = '\0';
    failure_format_text(&failure, "%s", raw);
    assert_int_equal(strlen(failure.text), FAILURE_TEXT_SIZE - 1);
}

static void codes_and_steps_are_cut_to_their_size(void **state)
{
    (void)state;
    struct failure failure = {0};
    char raw[200];
    memset(raw, 'z', sizeof raw);
    raw[sizeof raw - 1] = '\0';
    failure_set_code(&failure, raw);
    failure_set_step(&failure, raw);
    assert_int_equal(strlen(failure.code), FAILURE_CODE_SIZE - 1);
    assert_int_equal(strlen(failure.step), FAILURE_STEP_SIZE - 1);
    failure_set_code(&failure, "ErrorServerBusy");
    failure_set_step(&failure, "FindItem");
    assert_string_equal(failure.code, "ErrorServerBusy");
    assert_string_equal(failure.step, "FindItem");
}

static void a_full_disk_is_told_in_words_for_people(void **state)
{
    (void)state;
    struct failure failure =
        failure_from_errno(FAILURE_SCOPE_MAILBOX, "deliver", ENOSPC, "write /srv/mail/x");
    assert_true(failure_is_set(&failure));
    assert_int_equal(failure.category, FAILURE_STORAGE);
    assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_false(failure.permanent);
    assert_false(failure.divisible);
    assert_string_equal(failure.code, "ENOSPC");
    assert_string_equal(failure.step, "deliver");
    assert_string_equal(failure.text, "write /srv/mail/x: No space left on device");
    assert_string_equal(failure.sentence, "The disk is full.");
    assert_string_not_equal(failure.remedy, "");
}

static void every_errno_has_a_code_a_sentence_and_a_remedy_that_may_be_empty(void **state)
{
    (void)state;
    for (int error = -1; error < 300; error++) {
        struct failure failure = failure_from_errno(FAILURE_SCOPE_SERVER, "sync", error, "x");
        assert_string_not_equal(failure.code, "");
        assert_non_null(failure.sentence);
        assert_string_not_equal(failure.sentence, "");
        assert_non_null(failure.remedy);
        assert_false(failure.permanent);
    }
    assert_string_equal(failure_from_errno(FAILURE_SCOPE_SERVER, "s", 299, "x").code, "errno 299");
}

static void a_failure_of_zeroes_is_no_failure(void **state)
{
    (void)state;
    struct failure failure = {0};
    assert_false(failure_is_set(&failure));
}

static void cancelled_work_is_a_failure_that_reaches_nobody(void **state)
{
    (void)state;
    struct failure failure = failure_cancelled();
    assert_true(failure_is_set(&failure));
    assert_int_equal(failure.category, FAILURE_CANCELLED);
    assert_int_equal(failure.scope, FAILURE_SCOPE_NONE);
    assert_non_null(failure.sentence);
    assert_string_equal(failure.remedy, "");
}

static void every_category_and_scope_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = FAILURE_NONE; a <= FAILURE_CANCELLED; a++) {
        const char *name = failure_category_name((enum failure_category)a);
        assert_string_not_equal(name, "unknown");
        for (int b = FAILURE_NONE; b < a; b++)
            assert_string_not_equal(name, failure_category_name((enum failure_category)b));
    }
    for (int a = FAILURE_SCOPE_NONE; a <= FAILURE_SCOPE_SERVER; a++) {
        const char *name = failure_scope_name((enum failure_scope)a);
        assert_string_not_equal(name, "unknown");
        for (int b = FAILURE_SCOPE_NONE; b < a; b++)
            assert_string_not_equal(name, failure_scope_name((enum failure_scope)b));
    }
}

static void one_thing_is_not_called_many(void **state)
{
    (void)state;
    assert_string_equal(text_plural(0, "mailbox", "mailboxes"), "mailboxes");
    assert_string_equal(text_plural(1, "mailbox", "mailboxes"), "mailbox");
    assert_string_equal(text_plural(2, "mailbox", "mailboxes"), "mailboxes");
    assert_string_equal(text_plural(UINT64_MAX, "mailbox", "mailboxes"), "mailboxes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_spaces),
        cmocka_unit_test(characters_of_every_length_are_kept),
        cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
        cmocka_unit_test(what_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(a_line_of_one_byte_has_room_for_nothing),
        cmocka_unit_test(formatted_words_are_cleaned_as_well),
        cmocka_unit_test(codes_and_steps_are_cut_to_their_size),
        cmocka_unit_test(a_full_disk_is_told_in_words_for_people),
        cmocka_unit_test(every_errno_has_a_code_a_sentence_and_a_remedy_that_may_be_empty),
        cmocka_unit_test(a_failure_of_zeroes_is_no_failure),
        cmocka_unit_test(cancelled_work_is_a_failure_that_reaches_nobody),
        cmocka_unit_test(every_category_and_scope_has_a_name_of_its_own),
        cmocka_unit_test(one_thing_is_not_called_many),
    };
    return cmocka_run_group_tests_name("base/failure", tests, NULL, NULL);
}

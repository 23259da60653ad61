/* The header as it goes into the outbox. */
#include "tools/exsync_submit_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct submit_problem problem;

/* Writes the header of `message` for the recipients given (NULL: -t) and wants `wanted`. */
static void check_header(const char *message, const char *recipients, const char *sender,
                         bool rewrite, const char *wanted)
{
    const struct submit_options options = {
        .recipients_from_header = recipients == NULL,
        .sender = sender,
    };
    const struct submit_policy policy = {.recipients_rewrite = rewrite};
    struct address_list given = {0};
    struct submit_extent extent;
    struct buffer written = {0};
    problem = (struct submit_problem){0};
    if (recipients != NULL)
        address_list_parse(&given, recipients, strlen(recipients));
    assert_true(submit_header_find(message, strlen(message), true, &extent));
    int status =
        submit_header_write(message, extent.fields, &options, &given, &policy, &written, &problem);
    if (wanted == NULL) {
        assert_int_not_equal(status, EX_OK);
    } else {
        buffer_append_string(&written, message + extent.body);
        assert_string_equal(buffer_string(&written), wanted);
    }
    buffer_release(&written);
    address_list_release(&given);
}

static void the_end_of_a_header_is_found_wherever_the_bytes_are_cut(void **state)
{
    static const char message[] = "To: a@b\r\nSubject: a\r\n\tb\r\n\r\nbody\r\n";
    const size_t fields = strlen("To: a@b\r\nSubject: a\r\n\tb\r\n");
    (void)state;
    for (size_t length = 0; length < sizeof message; length++) {
        struct submit_extent extent;
        bool found = submit_header_find(message, length, false, &extent);
        assert_int_equal(found, length >= fields + 2);
        if (found)
            assert_int_equal(extent.fields, fields);
        if (found)
            assert_int_equal(extent.body, fields + 2);
    }
}

static void a_line_that_is_no_field_begins_the_body(void **state)
{
    struct submit_extent extent;
    (void)state;
    assert_false(submit_header_find("hel", 3, false, &extent));
    assert_true(submit_header_find("hello\nyou", 9, false, &extent));
    assert_int_equal(extent.body, 0);
    check_header("hello\n", "a@b", "me@c", false,
                 "From: me@c\nTo: undisclosed-recipients:;\nBcc: a@b\n\nhello\n");
    check_header("From: x@y\nTo: a@b\nhello\n\nyou", "a@b", NULL, false,
                 "From: x@y\nTo: a@b\n\nhello\n\nyou");
    check_header("", "a@b", "me@c", false,
                 "From: me@c\nTo: undisclosed-recipients:;\nBcc: a@b\n\n");
}

static void who_is_given_and_not_in_the_header_goes_to_bcc(void **state)
{
    (void)state;
    check_header("From: x@y\r\nTo: A@b\r\n\r\n", "a@B, c@d, e@f, c@d", NULL, false,
                 "From: x@y\r\nTo: A@b\r\nBcc: c@d,\r\n e@f\r\n\r\n");
    check_header("From: x@y\nBcc: a@b", "a@b", NULL, false,
                 "From: x@y\nBcc: a@b\nTo: undisclosed-recipients:;\n\n");
}

static void the_most_recent_resending_says_who_gets_it(void **state)
{
    (void)state;
    check_header("From: x@y\nTo: q@r\nResent-To: a@b\n\n", "a@b, c@d", NULL, false,
                 "From: x@y\nTo: q@r\nResent-To: a@b\nResent-Bcc: c@d\n\n");
    check_header("Resent-From: x@y\nResent-To: a@b\nResent-Bcc: e@f\nResent-To: old@b\n"
                 "From: x@y\nTo: q@r\n\n",
                 "a@b, c@d, e@f", NULL, false,
                 "Resent-From: x@y\nResent-To: a@b\nResent-Bcc: e@f,\n c@d\nResent-To: old@b\n"
                 "From: x@y\nTo: q@r\n\n");
    check_header("Resent-To: a@b\nResent-Cc: c@d\nResent-To: old@b\nResent-Bcc: older@b\n"
                 "From: x@y\n\n",
                 "c@d", NULL, true,
                 "Resent-To: undisclosed-recipients:;\nResent-Cc: c@d\nResent-To: old@b\n"
                 "Resent-Bcc: older@b\nFrom: x@y\n\n");
    check_header("Resent-To: a@b\nResent-Bcc: c@d\nResent-Bcc: old@b\nResent-Cc: old@b\n"
                 "From: x@y\n\n",
                 "a@b", NULL, true,
                 "Resent-To: a@b\nResent-Bcc: undisclosed-recipients:;\nResent-Bcc: old@b\n"
                 "Resent-Cc: old@b\nFrom: x@y\n\n");
    check_header("Resent-From: x@y\nFrom: x@y\nTo: q@r\n\n", "a@b", NULL, false, NULL);
    assert_non_null(strstr(problem.text, "q@r"));
}

static void who_is_in_the_header_and_not_given_is_refused_or_taken_out(void **state)
{
    static const char message[] = "From: x@y\nTo: \"A, B\" <a@b>, c@d\nCc: e@f, g@h, i@j\n\n";
    (void)state;
    check_header(message, "a@b", NULL, false, NULL);
    assert_int_equal(problem.status, EX_UNAVAILABLE);
    assert_non_null(strstr(problem.text, "c@d, e@f, g@h and 1 more"));
    check_header(message, "a@b, k@l", NULL, true, "From: x@y\nTo: \"A, B\" <a@b>\nBcc: k@l\n\n");
    check_header(message, "k@l", NULL, true,
                 "From: x@y\nTo: undisclosed-recipients:;\nBcc: k@l\n\n");
    check_header(message, NULL, NULL, false, message);
}

static void a_sender_is_written_only_when_there_is_none(void **state)
{
    (void)state;
    check_header("From: x@y\nTo: a@b\n\n", NULL, "me@c", false, "From: x@y\nTo: a@b\n\n");
    check_header("To: a@b\n\n", NULL, "Me <me@c>", false, "From: Me <me@c>\nTo: a@b\n\n");
    check_header("Return-Path: <>\nFrom: x@y\nTo: a@b\n\n", NULL, "me@c", false,
                 "From: x@y\nTo: a@b\n\n");
    check_header("From: x@y\nTo: a@b\n\n", NULL, "", false,
                 "Return-Path: <>\nFrom: x@y\nTo: a@b\n\n");
    check_header("To: a@b\n\n", NULL, "me@c\nBcc: all@c", false, NULL);
    assert_int_equal(problem.status, EX_USAGE);
}

static void a_message_for_nobody_is_refused(void **state)
{
    (void)state;
    check_header("From: x@y\nTo: undisclosed-recipients:;\n\n", NULL, NULL, false, NULL);
    assert_int_equal(problem.status, EX_DATAERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_header_is_found_wherever_the_bytes_are_cut),
        cmocka_unit_test(a_line_that_is_no_field_begins_the_body),
        cmocka_unit_test(who_is_given_and_not_in_the_header_goes_to_bcc),
        cmocka_unit_test(the_most_recent_resending_says_who_gets_it),
        cmocka_unit_test(who_is_in_the_header_and_not_given_is_refused_or_taken_out),
        cmocka_unit_test(a_sender_is_written_only_when_there_is_none),
        cmocka_unit_test(a_message_for_nobody_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The notification that a message was not sent: what programs read of it, and what people do. */
#include "daemon/given_up.h"
#include "daemon/nondelivery_text.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "/state/outbox/failed/018f0000-0000-7000-8000-000000000001.eml"

struct fixture {
    struct backend_recipient recipients[3];
    struct submission submission;
    struct failure failure;
    struct buffer text;
};

static int setup(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    fixture->recipients[0] = (struct backend_recipient){BACKEND_TO, "bob@example.org", "Bob"};
    fixture->recipients[1] = (struct backend_recipient){BACKEND_CC, "carol@example.org", NULL};
    fixture->recipients[2] = (struct backend_recipient){BACKEND_BCC, "eve@example.org", NULL};
    fixture->submission.recipients = fixture->recipients;
    fixture->submission.recipient_count = 1;
    fixture->submission.row = (struct store_submission){
        .id = "018f0000-0000-7000-8000-000000000001",
        .queued_ms = INT64_C(1700000000000),
        .message_id = "<one@example.com>",
        .subject = "Report",
    };
    fixture->failure = (struct failure){
        .category = FAILURE_ITEM,
        .scope = FAILURE_SCOPE_ITEM,
        .permanent = true,
        .http_status = 200,
        .sentence = "A recipient is not valid.",
        .remedy = "Correct the recipients.",
    };
    failure_set_code(&fixture->failure, "ErrorInvalidRecipients");
    failure_set_text(&fixture->failure, "At least one recipient isn't valid.", 35);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    buffer_release(&fixture->text);
    memory_free(fixture);
    return 0;
}

/* --- reading it --- */

static void write_it(struct fixture *fixture)
{
    const struct nondelivery_text what = {
        .mailbox = "ann@example.com",
        .host = "mail.example.com",
        .file = FILE_NAME,
        .submission = &fixture->submission,
        .failure = &fixture->failure,
        .now_ms = INT64_C(1700000600000),
    };
    buffer_clear(&fixture->text);
    nondelivery_write(&fixture->text, &what);
}

static const char *text_of(struct fixture *fixture)
{
    return buffer_string(&fixture->text);
}

static void assert_has(struct fixture *fixture, const char *words)
{
    if (strstr(text_of(fixture), words) == NULL)
        fail_msg("\"%s\" is not in:\n%s", words, text_of(fixture));
}

static void assert_has_not(struct fixture *fixture, const char *words)
{
    if (strstr(text_of(fixture), words) != NULL)
        fail_msg("\"%s\" is in:\n%s", words, text_of(fixture));
}

static size_t count_of(struct fixture *fixture, const char *words)
{
    size_t count = 0;
    for (const char *at = text_of(fixture); (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

/* Each line ends in CRLF and has at most 998 bytes (RFC 5322, 2.1.1); one with an encoded word has
 * at most 76 (RFC 2047, 2). */
static void assert_lines(struct fixture *fixture)
{
    const char *line = text_of(fixture);
    while (*line != '\0') {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        size_t length = (size_t)(end - line);
        assert_null(memchr(line, '\n', length));
        assert_null(memchr(line, '\r', length));
        assert_true(length <= 998);
        const char *word = strstr(line, "=?UTF-8?");
        if (word != NULL && word < end)
            assert_in_range(length, 0, 76);
        line = end + 2;
    }
}

/* The boundary that the header names. */
static void boundary_of(struct fixture *fixture, char boundary[80])
{
    const char *at = strstr(text_of(fixture), "\r\n boundary=\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\r\n boundary=\"%70[^\"]\"", boundary), 1);
}

/* A copy of a part, from its header on: 0, 1, 2. */
static char *part(struct fixture *fixture, int number)
{
    char boundary[80], delimiter[90];
    boundary_of(fixture, boundary);
    snprintf(delimiter, sizeof delimiter, "\r\n--%s\r\n", boundary);
    const char *at = text_of(fixture);
    for (int i = 0; i <= number; i++) {
        at = strstr(at, delimiter);
        assert_non_null(at);
        at += strlen(delimiter) - (i < number ? 2 : 0);
    }
    snprintf(delimiter, sizeof delimiter, "\r\n--%s", boundary);
    const char *end = strstr(at, delimiter);
    assert_non_null(end);
    return strndup(at, (size_t)(end + 2 - at));
}

/* The value of "Subject: ", or of another field, decoded as RFC 2047 says: caller frees. */
static char *decoded_field(struct fixture *fixture, const char *name)
{
    const char *at = strstr(text_of(fixture), name);
    assert_non_null(at);
    at += strlen(name);
    char *value = calloc(1, strlen(at) + 1), *to = value;
    while (strncmp(at, "\r\n", 2) != 0 || at[2] == ' ') {
        if (strncmp(at, "\r\n ", 3) == 0) { /* between two encoded words: nothing */
            at += 3;
        } else if (strncmp(at, "=?UTF-8?Q?", 10) == 0) {
            at += 10;
            assert_false(at[0] == '=' && strchr("89AB", at[1]) != NULL); /* within a character */
            while (strncmp(at, "?=", 2) != 0) {
                unsigned byte;
                if (*at == '=') {
                    assert_int_equal(sscanf(at, "=%2X", &byte), 1);
                    *to++ = (char)byte;
                    at += 3;
                } else {
                    *to++ = *at == '_' ? ' ' : *at;
                    at++;
                }
            }
            at += 2;
        } else {
            *to++ = *at++;
        }
    }
    return value;
}

/* --- structure --- */

static void it_is_a_report_of_three_parts(void **state)
{
    struct fixture *fixture = *state;
    write_it(fixture);
    assert_lines(fixture);
    assert_has(fixture, "\r\nMIME-Version: 1.0\r\n");
    assert_has(fixture, "\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n");
    char boundary[80], closing[90];
    boundary_of(fixture, boundary);
    snprintf(closing, sizeof closing, "\r\n--%s--\r\n", boundary);
    assert_string_equal(text_of(fixture) + fixture->text.length - strlen(closing), closing);
    assert_int_equal(count_of(fixture, boundary), 5); /* in the header, three times, at the end */
    static const char *const types[] = {"Content-Type: text/plain; charset=utf-8\r\n",
                                        "Content-Type: message/delivery-status\r\n",
                                        "Content-Type: text/rfc822-headers\r\n"};
    for (int i = 0; i < 3; i++) {
        char *content = part(fixture, i);
        assert_memory_equal(content, types[i], strlen(types[i]));
        assert_non_null(strstr(content, "\r\n\r\n"));
        free(content);
    }
}

static void its_header_makes_nobody_answer_it(void **state)
{
    struct fixture *fixture = *state;
    write_it(fixture);
    assert_has(fixture, "Return-Path: <>\r\n");
    assert_has(fixture, "\r\nAuto-Submitted: auto-replied\r\n");
    assert_has(fixture, "\r\nFrom: Mail Delivery System <MAILER-DAEMON@mail.example.com>\r\n");
    assert_has(fixture, "\r\nTo: <ann@example.com>\r\n");
    assert_has(fixture, "\r\nDate: Tue, 14 Nov 2023 22:23:20 +0000\r\n");
    assert_has(fixture, "\r\nSubject: Undelivered: Report\r\n");
    assert_has(fixture, "\r\nIn-Reply-To: <one@example.com>\r\nReferences: <one@example.com>\r\n");
}

static void each_has_a_message_id_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    char ids[2][120];
    for (int i = 0; i < 2; i++) {
        write_it(fixture);
        const char *at = strstr(text_of(fixture), "\r\nMessage-ID: <");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "\r\nMessage-ID: %100s", ids[i]), 1);
        assert_non_null(strstr(ids[i], "@mail.example.com>"));
    }
    assert_string_not_equal(ids[0], ids[1]);
}

/* --- the status, for programs --- */

static void each_recipient_has_a_status_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->submission.recipient_count = 3;
    write_it(fixture);
    char *status = part(fixture, 1);
    assert_string_equal(
        status, "Content-Type: message/delivery-status\r\n\r\n"
                "Reporting-MTA: dns; mail.example.com\r\n"
                "X-Exsyncd-Submission: 018f0000-0000-7000-8000-000000000001\r\n"
                "Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                "\r\n"
                "Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                "Diagnostic-Code: x-exchange; ErrorInvalidRecipients\r\n"
                "\r\n"
                "Final-Recipient: rfc822; carol@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                "Diagnostic-Code: x-exchange; ErrorInvalidRecipients\r\n"
                "\r\n"
                "Final-Recipient: rfc822; eve@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                "Diagnostic-Code: x-exchange; ErrorInvalidRecipients\r\n"
                "\r\n");
    free(status);
}

static void the_status_tells_what_kind_of_failure_it_was(void **state)
{
    struct fixture *fixture = *state;
    fixture->failure.category = FAILURE_AUTHORIZATION;
    write_it(fixture);
    assert_has(fixture, "\r\nStatus: 5.7.1\r\n");
    fixture->failure.permanent = false; /* given up after a while */
    write_it(fixture);
    assert_has(fixture, "\r\nStatus: 4.4.7\r\n");
}

/* --- the explanation, for people --- */

static void a_doubt_is_told_as_one(void **state)
{
    struct fixture *fixture = *state;
    fixture->failure.in_doubt = true;
    fixture->failure.http_status = 0;
    write_it(fixture);
    char *content = part(fixture, 0);
    assert_non_null(strstr(content, "This message may or may not have been sent:"));
    assert_null(strstr(content, "Exchange said"));
    free(content);
}

/* What is known, and not more. */
static void what_was_given_up_is_told_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    const struct failure last = fixture->failure;
    static const char sent_not[] = "This message was not sent:";
    static const char sent_perhaps[] = "This message may or may not have been sent:";
    static const char words[] = "\"the last reason: A recipient is not valid. At least one "
                                "recipient isn't valid.\" (ErrorInvalidRecipients)\r\n";
    const struct {
        struct failure failure;
        const char *words[3];
    } cases[] = {
        {given_up_trying(&last),
         {sent_not, "\r\nIt was tried for 5 days and could not be sent.\r\n", words}},
        {given_up_trying(NULL), {sent_not, "It was tried for 5 days", "Submit the message again"}},
        {given_up_finding_out(&last, true), {sent_perhaps, "It is not known whether", words}},
        {given_up_finding_out(&last, false), {sent_not, "\r\nIt was not sent:", words}},
        {given_up_waiting(), {sent_perhaps, "Exchange has accepted the message", "NotTaken"}},
        {given_up_searching(), {sent_perhaps, "no copy has turned up", "InDoubt"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->failure = cases[i].failure;
        write_it(fixture);
        char *content = part(fixture, 0);
        for (size_t j = 0; j < 3; j++) {
            if (strstr(content, cases[i].words[j]) == NULL)
                fail_msg("\"%s\" is not in:\n%s", cases[i].words[j], content);
        }
        assert_null(strstr(content, "Exchange said"));
        if (i < 5) /* given up after a while */
            assert_has(fixture, "Status: 4.4.7\r\n");
        free(content);
    }
}

static void people_are_told_what_happened_and_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    fixture->submission.recipient_count = 2;
    write_it(fixture);
    char *content = part(fixture, 0);
    static const char *const words[] = {
        "Subject: Report\r\n",
        "To: bob@example.org\r\n",
        "    Cc: carol@example.org\r\n",
        "A recipient is not valid.\r\n",
        "Exchange said: \"At least one recipient isn't valid.\" (ErrorInvalidRecipients)\r\n",
        "Correct the recipients.\r\n",
        "018f0000-0000-7000-8000-000000000001.eml",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(content, words[i]) == NULL)
            fail_msg("\"%s\" is not in:\n%s", words[i], content);
    }
    free(content);
}

static void where_the_message_is_kept_is_told_unless_it_is_nowhere(void **state)
{
    struct fixture *fixture = *state;
    write_it(fixture);
    assert_has(fixture, "The message is kept on mail.example.com as " FILE_NAME ".\r\n");
    fixture->submission.lost = true;
    write_it(fixture);
    assert_lines(fixture);
    assert_has_not(fixture, "is kept on");
    assert_has(fixture, "The message itself is not there any more: there is no file " FILE_NAME
                        " on mail.example.com.\r\n");
}

static void what_is_not_known_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    fixture->submission.row.message_id = NULL;
    fixture->submission.row.subject = "";
    fixture->failure.text[0] = '\0';
    fixture->failure.sentence = NULL;
    fixture->failure.remedy = NULL;
    write_it(fixture);
    assert_lines(fixture);
    assert_has_not(fixture, "(null)");
    assert_has_not(fixture, "In-Reply-To");
    assert_has_not(fixture, "References");
    assert_has_not(fixture, "Exchange said");
    assert_int_equal(count_of(fixture, "Message-ID: "), 1); /* its own */
}

/* --- subjects --- */

static void assert_subject_survives(struct fixture *fixture, const char *subject)
{
    fixture->submission.row.subject = subject;
    write_it(fixture);
    assert_lines(fixture);
    char *decoded = decoded_field(fixture, "\r\nSubject: Undelivered: ");
    assert_string_equal(decoded, subject);
    free(decoded);
    const char *at = strstr(text_of(fixture), "Content-Type: text/rfc822-headers");
    assert_non_null(at);
    for (; *at != '\0'; at++)
        assert_true((unsigned char)*at < 0x80);
    for (at = text_of(fixture); strncmp(at, "\r\n\r\n", 4) != 0; at++)
        assert_true((unsigned char)*at < 0x80); /* the header */
}

static void a_subject_that_is_not_ascii_is_encoded(void **state)
{
    struct fixture *fixture = *state;
    assert_subject_survives(fixture, "Gr\xc3\xbc\xc3\x9f"
                                     "e");
    assert_subject_survives(fixture, "\xe2\x82\xac?=_ =?x \xf0\x9f\x98\x80");
    assert_subject_survives(
        fixture, "\xd0\x94\xd0\xbe\xd1\x81\xd1\x82\xd0\xb0\xd0\xb2\xd0\xba\xd0\xb0 "
                 "\xd1\x81\xd0\xbe\xd0\xbe\xd0\xb1\xd1\x89\xd0\xb5\xd0\xbd\xd0\xb8\xd1\x8f "
                 "\xd0\xbd\xd0\xb5 \xd1\x83\xd0\xb4\xd0\xb0\xd0\xbb\xd0\xb0\xd1\x81\xd1\x8c");
}

/* It would be decoded by whoever reads the notification. */
static void a_subject_that_looks_encoded_stays_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    assert_subject_survives(fixture, "what =?UTF-8?Q?=41?= means");
}

static void a_long_subject_keeps_the_lines_short(void **state)
{
    struct fixture *fixture = *state;
    char subject[3001];
    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 1] = '\0';
    assert_subject_survives(fixture, subject);
    for (size_t i = 0; i + 2 < sizeof subject; i += 2)
        memcpy(subject + i, "\xc3\xbc", 2);
    assert_subject_survives(fixture, subject);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_a_report_of_three_parts),
        TEST(its_header_makes_nobody_answer_it),
        TEST(each_has_a_message_id_of_its_own),
        TEST(each_recipient_has_a_status_of_its_own),
        TEST(the_status_tells_what_kind_of_failure_it_was),
        TEST(a_doubt_is_told_as_one),
        TEST(what_was_given_up_is_told_as_it_is),
        TEST(people_are_told_what_happened_and_what_to_do),
        TEST(where_the_message_is_kept_is_told_unless_it_is_nowhere),
        TEST(what_is_not_known_is_not_written),
        TEST(a_subject_that_is_not_ascii_is_encoded),
        TEST(a_subject_that_looks_encoded_stays_as_it_is),
        TEST(a_long_subject_keeps_the_lines_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

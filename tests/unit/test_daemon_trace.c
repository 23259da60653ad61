/* The lines that tell where in a cycle something went wrong. */
#include "daemon/mailbox.h"
#include "daemon/profile.h"
#include "daemon/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct config_profile profile_config = {
    .name = "contoso",
    .url = "https://mail.contoso.com/EWS/Exchange.asmx",
    .username = "CONTOSO\\svc-sync",
};
static const struct config_mailbox mailbox_config = {.address = "carla@contoso.com"};
static struct profile profile = {.config = &profile_config};
static struct mailbox mailbox = {.config = &mailbox_config, .profile = &profile};

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 500,
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
};

static struct cycle cycle_of(enum cycle_direction direction)
{
    return (struct cycle){
        .direction = direction,
        .mailbox = &mailbox,
        .profile = &profile,
        .started_wall_ms = 1795705200123, /* 2026-11-26T15:00:00.123Z */
    };
}

static void assert_trace(const struct cycle *cycle, const struct failure *failure,
                         const char *expected)
{
    struct buffer text = {0};
    trace_write(&text, cycle, failure);
    assert_string_equal(buffer_string(&text), expected);
    buffer_release(&text);
}

#define PROFILE_LINE \
    "at profile contoso: https://mail.contoso.com/EWS/Exchange.asmx as CONTOSO\\svc-sync\n"

static void the_trace_has_a_line_for_each_step_innermost_first(void **state)
{
    (void)state;
    struct cycle cycle = cycle_of(CYCLE_INCOMING);
    cycle_at(&cycle, "finding new mail in folder", "Inbox");
    assert_trace(
        &cycle, &denied,
        "at FindItem: ErrorImpersonateUserDenied, HTTP 500\n"
        "at finding new mail in folder Inbox\n"
        "at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z\n" PROFILE_LINE);
}

static void a_message_that_is_sent_is_named_by_its_subject(void **state)
{
    (void)state;
    struct cycle cycle = cycle_of(CYCLE_OUTGOING);
    cycle_at_message(&cycle, "Offer 4711");
    assert_string_equal(cycle.subject, "Offer 4711");
    assert_trace(
        &cycle, &denied,
        "at FindItem: ErrorImpersonateUserDenied, HTTP 500\n"
        "at sending the message \"Offer 4711\"\n"
        "at sending email of carla@contoso.com, since 2026-11-26T15:00:00Z\n" PROFILE_LINE);
}

static void what_is_not_known_has_no_line(void **state)
{
    (void)state;
    const struct cycle cycle = cycle_of(CYCLE_INCOMING);
    const struct failure nothing_known = {.category = FAILURE_SERVER};
    assert_trace(
        &cycle, &nothing_known,
        "at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z\n" PROFILE_LINE);
}

static void a_status_that_is_the_code_is_named_once(void **state)
{
    (void)state;
    const struct cycle cycle = cycle_of(CYCLE_INCOMING);
    const struct failure unavailable = {.http_status = 503, .code = "HTTP 503", .step = "GetItem"};
    assert_trace(
        &cycle, &unavailable,
        "at GetItem: HTTP 503\n"
        "at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z\n" PROFILE_LINE);
    const struct failure no_code = {.http_status = 200, .step = "GetItem"};
    assert_trace(
        &cycle, &no_code,
        "at GetItem: HTTP 200\n"
        "at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z\n" PROFILE_LINE);
}

static void an_account_without_a_name_is_the_ticket_s(void **state)
{
    (void)state;
    const struct cycle cycle = cycle_of(CYCLE_INCOMING);
    const char *name = profile_config.username;
    profile_config.username = NULL;
    assert_trace(&cycle, &denied,
                 "at FindItem: ErrorImpersonateUserDenied, HTTP 500\n"
                 "at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z\n"
                 "at profile contoso: https://mail.contoso.com/EWS/Exchange.asmx as the owner of "
                 "the Kerberos ticket\n");
    profile_config.username = name;
}

static void words_from_outside_stay_on_their_line(void **state)
{
    (void)state;
    char subject[1000];
    memset(subject, 'x', sizeof subject - 1);
    subject[sizeof subject - 1] = '\0';
    memcpy(subject, "a\nb\x1b", 4);
    struct cycle cycle = cycle_of(CYCLE_OUTGOING);
    cycle_at_message(&cycle, subject);
    assert_null(strpbrk(cycle.at_detail, "\n\x1b"));
    assert_true(strlen(cycle.at_detail) < CYCLE_DETAIL_SIZE);
    assert_int_equal(cycle.at_detail[strlen(cycle.at_detail) - 1], '"');
    cycle_at(&cycle, "settling", NULL);
    assert_string_equal(cycle.at_detail, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_has_a_line_for_each_step_innermost_first),
        cmocka_unit_test(a_message_that_is_sent_is_named_by_its_subject),
        cmocka_unit_test(what_is_not_known_has_no_line),
        cmocka_unit_test(a_status_that_is_the_code_is_named_once),
        cmocka_unit_test(an_account_without_a_name_is_the_ticket_s),
        cmocka_unit_test(words_from_outside_stay_on_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What becomes of failures: which alert is recorded with them, and what is said of it, once. */
#include "daemon_alerts_world.h"

#define RECEIVING                                                               \
    "An impersonation error occurred in accessing the mailbox while receiving " \
    "email. carla@contoso.com didn't synchronize."
#define OWNER " The owner of the associated email server profile contoso "

/* --- which alert --- */

static void a_failure_that_stays_is_an_error_that_the_owner_is_told_of(void **state)
{
    struct fixture *fixture = *state;
    const struct store_alert *alert = record(fixture, &denied);
    assert_int_equal(alert->level, STORE_ALERT_ERROR);
    assert_true(alert->tell);
    assert_null(alert->untellable);
    assert_null(alert->subject);
    assert_false(alert->absorbs);
    assert_string_equal(alert->opening, RECEIVING);
    assert_non_null(strstr(kept.records[0].trace,
                           "at FindItem: ErrorImpersonateUserDenied, HTTP 500\n"
                           "at receiving email of carla@contoso.com, since 2023-11-14T22:13:20Z\n"
                           "at profile contoso: "));
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(fixture->done, 1);
}

static void one_that_may_pass_is_a_warning_that_nobody_is_told_of(void **state)
{
    struct fixture *fixture = *state;
    const struct store_alert *alert = record(fixture, &busy);
    assert_int_equal(alert->level, STORE_ALERT_WARNING);
    assert_false(alert->tell);
    assert_null(alert->untellable);
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(owners_woken, 0);
}

static struct store_failure item_row(struct fixture *fixture, const struct cycle *cycle,
                                     bool permanent, uint32_t attempts)
{
    struct failure failure = busy;
    failure.category = FAILURE_ITEM;
    failure.scope = FAILURE_SCOPE_ITEM;
    failure.permanent = permanent;
    struct store_failure row = row_of(fixture, cycle, &failure);
    row.attempts = attempts;
    return row;
}

static void a_message_is_a_matter_for_people_once_its_tries_are_used_up(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    assert_null(record_row(fixture, &cycle, item_row(fixture, &cycle, false, 2)));
    const struct store_alert *used_up =
        record_row(fixture, &cycle, item_row(fixture, &cycle, false, 3));
    assert_int_equal(used_up->level, STORE_ALERT_ERROR);
    assert_non_null(record_row(fixture, &cycle, item_row(fixture, &cycle, true, 1)));
    for (int i = 0; i < 3; i++)
        store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(fixture->done, 3);
}

static void of_a_single_message_the_owner_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    cycle.direction = CYCLE_OUTGOING;
    cycle.subject = "Offer 4711";
    const struct store_alert *alert =
        record_row(fixture, &cycle, item_row(fixture, &cycle, true, 1));
    assert_int_equal(alert->level, STORE_ALERT_ERROR);
    assert_false(alert->tell);
    assert_string_equal(alert->subject, "Offer 4711");
    assert_string_equal(alert->opening,
                        "An item error occurred while sending the email message \"Offer 4711\". "
                        "Mailbox carla@contoso.com synchronizes its other mail.");
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(owners_woken, 0);
}

static void trouble_of_this_machine_is_not_an_alert_in_its_own_database(void **state)
{
    struct fixture *fixture = *state;
    struct failure full = denied;
    full.category = FAILURE_STORAGE;
    full.scope = FAILURE_SCOPE_SERVER;
    assert_null(record(fixture, &full));
    store_answers(0, STORE_ALERT_UNCHANGED);
    assert_int_equal(fixture->done, 1);
}

/* --- what is said --- */

static void what_has_opened_is_said_once_with_all_that_is_known(void **state)
{
    struct fixture *fixture = *state;
    record(fixture, &denied);
    assert_int_equal(logged_lines, 0); /* it is not on disk yet */
    assert_int_equal(owners_woken, 0);
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(logged_lines, 1);
    const struct logged_line *line = logged_as(MESSAGE_ALERT_IMPERSONATION);
    assert_string_equal(line->text, RECEIVING OWNER "is being notified.");
    assert_int_equal(line->priority, LOG_PRIORITY_ERROR);
    assert_string_equal(line->fields.profile, "contoso");
    assert_string_equal(line->fields.mailbox, "carla@contoso.com");
    assert_string_equal(line->fields.direction, "incoming");
    assert_string_equal(line->fields.step, "FindItem");
    assert_string_equal(line->fields.activity, "6f0c2c1e-0000-4000-8000-000000000000");
    assert_string_equal(line->fields.code, "ErrorImpersonateUserDenied");
    assert_string_equal(line->fields.account, "CONTOSO\\svc-sync");
    assert_string_equal(line->fields.alert, "11");
    assert_null(line->fields.subject);
    assert_string_equal(line->fields.cause, "The account may not impersonate the mailbox.");
    assert_non_null(strstr(line->fields.remedy, "CONTOSO\\svc-sync"));
    assert_non_null(strstr(line->fields.remedy, "carla@contoso.com"));
    assert_non_null(
        strstr(line->fields.details,
               "ActivityId: 6f0c2c1e-0000-4000-8000-000000000000\n>Error : The account does "
               "not have permission to impersonate the requested user.\nat FindItem: "));
    assert_int_equal(owners_woken, 1);
}

static void a_refusal_to_send_names_the_message(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    char subject[] = "Offer 4711";
    cycle.direction = CYCLE_OUTGOING;
    cycle.subject = subject;
    record_row(fixture, &cycle, row_of(fixture, &cycle, &denied));
    memset(subject, '?', sizeof subject - 1); /* the cycle has gone */
    store_answers(12, STORE_ALERT_OPENED);
    const struct logged_line *line = logged_as(MESSAGE_ALERT_IMPERSONATION);
    assert_string_equal(line->text,
                        "An impersonation error occurred in accessing the mailbox while sending "
                        "the email message \"Offer 4711\". Mailbox carla@contoso.com didn't "
                        "synchronize." OWNER "is being notified.");
    assert_string_equal(line->fields.subject, "Offer 4711");
    assert_string_equal(line->fields.direction, "outgoing");
}

static void an_alert_of_the_profile_names_no_mailbox(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.username = NULL;
    record(fixture, &refused);
    store_answers(13, STORE_ALERT_OPENED);
    const struct logged_line *line = logged_as(MESSAGE_ALERT_AUTHENTICATION);
    assert_string_equal(line->text, "An authentication error occurred in accessing the server of "
                                    "the email server profile contoso. Its 8 mailboxes didn't "
                                    "synchronize." OWNER "is being notified.");
    assert_null(line->fields.mailbox);
    assert_null(line->fields.direction);
    assert_string_equal(line->fields.account, "the owner of the Kerberos ticket");
    assert_non_null(strstr(line->fields.details, ">Error : The server did not accept the "));
}

static void what_repeats_is_not_said_again_but_its_owner_may_be_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    record(fixture, &denied);
    store_answers(11, STORE_ALERT_REPEATED);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(owners_woken, 1);
}

static void a_warning_that_has_become_an_error_is_said_like_one_that_opens(void **state)
{
    struct fixture *fixture = *state;
    record(fixture, &denied);
    store_answers(11, STORE_ALERT_RAISED);
    assert_int_equal(logged_count(RECEIVING OWNER "is being notified."), 1);
    assert_int_equal(owners_woken, 1);
}

static void without_an_owner_or_a_way_to_them_that_is_said_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_channels = 0;
    assert_non_null(record(fixture, &denied)->untellable);
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(
        logged_count(RECEIVING OWNER
                     "could not be notified: the profile has no way to its owner (key notify)."),
        1);
    fixture->profile_config.owner = NULL;
    record(fixture, &denied);
    store_answers(11, STORE_ALERT_OPENED);
    assert_int_equal(logged_count(RECEIVING OWNER "could not be notified: the profile has no owner "
                                                  "(key owner)."),
                     1);
    assert_int_equal(owners_woken, 0);
}

static void what_could_not_be_written_is_not_said(void **state)
{
    struct fixture *fixture = *state;
    record(fixture, &denied);
    kept.failure = busy;
    store_answers(0, STORE_ALERT_OPENED);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(owners_woken, 0);
    assert_int_equal(fixture->failed, 1);
}

/* --- what is over --- */

static void an_alert_of_a_mailbox_that_is_over_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    kept.resolves = (struct store_resolved){.failures = 1, .alerts = 1, .told = 1};
    alerts_resolve_mailbox(&cycle);
    assert_string_equal(kept.resolved, "7 incoming");
    const struct logged_line *line = logged_as(MESSAGE_ALERT_RESOLVED);
    assert_string_equal(line->text,
                        "carla@contoso.com: incoming synchronizes again; 1 alert is resolved");
    assert_int_equal(line->priority, LOG_PRIORITY_NOTICE);
    assert_string_equal(line->fields.mailbox, "carla@contoso.com");
    assert_int_equal(owners_woken, 1);
}

static void alerts_of_a_profile_that_are_over_are_said(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    kept.resolves = (struct store_resolved){.failures = 2, .alerts = 2};
    alerts_resolve_profile(&cycle);
    assert_string_equal(kept.resolved, "0 both");
    assert_string_equal(logged_as(MESSAGE_ALERT_RESOLVED)->text,
                        "profile contoso: 2 alerts are resolved");
    assert_int_equal(owners_woken, 0); /* nobody was told of them */
}

static void of_nothing_that_is_over_nothing_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycle = cycle_of(fixture);
    alerts_resolve_mailbox(&cycle);
    kept.resolves = (struct store_resolved){.failures = 1, .alerts = 1, .told = 1};
    kept.failure = busy;
    alerts_resolve_mailbox(&cycle);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(owners_woken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_profile(a_failure_that_stays_is_an_error_that_the_owner_is_told_of),
        with_profile(one_that_may_pass_is_a_warning_that_nobody_is_told_of),
        with_profile(a_message_is_a_matter_for_people_once_its_tries_are_used_up),
        with_profile(of_a_single_message_the_owner_is_not_told),
        with_profile(trouble_of_this_machine_is_not_an_alert_in_its_own_database),
        with_profile(what_has_opened_is_said_once_with_all_that_is_known),
        with_profile(a_refusal_to_send_names_the_message),
        with_profile(an_alert_of_the_profile_names_no_mailbox),
        with_profile(what_repeats_is_not_said_again_but_its_owner_may_be_a_new_one),
        with_profile(a_warning_that_has_become_an_error_is_said_like_one_that_opens),
        with_profile(without_an_owner_or_a_way_to_them_that_is_said_at_once),
        with_profile(what_could_not_be_written_is_not_said),
        with_profile(an_alert_of_a_mailbox_that_is_over_is_said),
        with_profile(alerts_of_a_profile_that_are_over_are_said),
        with_profile(of_nothing_that_is_over_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

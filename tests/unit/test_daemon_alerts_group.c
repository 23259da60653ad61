/* When most mailboxes of a profile are stopped, one alert of the profile stands for all of theirs.
 */
#include "daemon_alerts_world.h"

#define MOST                                                                          \
    "An impersonation error occurred in accessing more than half of the 8 mailboxes " \
    "of the email server profile contoso. They didn't synchronize."
#define OWNER " The owner of the associated email server profile contoso "

/* A failure of a mailbox, with so many mailboxes stopped. Returns how many rows were recorded: two
 * when the profile gets one, too. */
static size_t rows_with(struct fixture *fixture, uint32_t mailboxes, uint32_t stopped,
                        const struct failure *failure)
{
    size_t before = kept.count;
    fixture->profile.mailbox_count = mailboxes;
    fixture->profile.stopped = stopped;
    record(fixture, failure);
    return kept.count - before;
}

static void more_than_half_of_five_mailboxes_or_more_are_told_of_as_one(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(rows_with(fixture, MAILBOXES, 4, &denied), 1);
    assert_int_equal(rows_with(fixture, 4, 4, &denied), 1);
    assert_int_equal(rows_with(fixture, 5, 3, &denied), 2);
    for (int i = 0; i < 4; i++)
        store_answers(20 + i, STORE_ALERT_OPENED);
    assert_int_equal(fixture->done, 3); /* of each mailbox's own row, once */
}

static void the_mailbox_keeps_its_failure_and_the_profile_gets_the_alert(void **state)
{
    struct fixture *fixture = *state;
    rows_with(fixture, MAILBOXES, 5, &denied);
    const struct recorded *own = &kept.records[0], *common = &kept.records[1];
    assert_int_equal(own->row.mailbox.number, 7);
    assert_false(own->has_alert);
    assert_int_equal(common->row.mailbox.number, 0);
    assert_null(common->row.direction);
    assert_int_equal(common->row.failure.scope, FAILURE_SCOPE_PROFILE);
    assert_true(common->alert->absorbs);
    assert_int_equal(common->alert->level, STORE_ALERT_ERROR);
    assert_string_equal(common->alert->opening, MOST);
    store_answers(0, STORE_ALERT_UNCHANGED);
    assert_int_equal(fixture->done, 1);
    store_answers(21, STORE_ALERT_OPENED);
    assert_int_equal(fixture->done, 1);
    const struct logged_line *line = logged_as(MESSAGE_ALERT_GROUPED);
    assert_string_equal(line->text, MOST OWNER "is being notified.");
    assert_null(line->fields.mailbox);
    assert_string_equal(line->fields.alert, "21");
    assert_int_equal(owners_woken, 1);
}

static void while_it_is_open_others_add_nothing_to_it(void **state)
{
    struct fixture *fixture = *state;
    rows_with(fixture, MAILBOXES, 5, &denied);
    store_answers(0, STORE_ALERT_UNCHANGED);
    store_answers(21, STORE_ALERT_OPENED);
    assert_int_equal(rows_with(fixture, MAILBOXES, 6, &denied), 1);
    store_answers(0, STORE_ALERT_UNCHANGED);
    assert_int_equal(logged_lines, 1);
    assert_int_equal(owners_woken, 1);
}

static void what_may_pass_and_a_profile_that_was_replaced_make_no_group(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(rows_with(fixture, MAILBOXES, 5, &busy), 1);
    fixture->profile.current = false;
    assert_int_equal(rows_with(fixture, MAILBOXES, 5, &denied), 1);
    store_answers(20, STORE_ALERT_OPENED);
    store_answers(21, STORE_ALERT_OPENED);
}

/* An earlier process has left one open that stands for the mailbox. */
static void a_mailbox_that_is_stood_for_is_not_told_of(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(rows_with(fixture, MAILBOXES, 1, &denied), 1);
    store_answers(21, STORE_ALERT_UNCHANGED);
    assert_int_equal(logged_lines, 0);
    assert_int_equal(fixture->profile.group, PROFILE_GROUP_OPEN);
}

static void a_group_that_could_not_be_written_is_begun_again(void **state)
{
    struct fixture *fixture = *state;
    rows_with(fixture, MAILBOXES, 5, &denied);
    kept.failure = busy;
    store_answers(0, STORE_ALERT_UNCHANGED);
    store_answers(0, STORE_ALERT_UNCHANGED);
    assert_int_equal(rows_with(fixture, MAILBOXES, 6, &denied), 2);
    kept.failure = (struct failure){0};
    store_answers(0, STORE_ALERT_UNCHANGED);
    store_answers(21, STORE_ALERT_OPENED);
    assert_int_equal(logged_lines, 1);
}

/* --- when it is over --- */

static unsigned looked_with(struct fixture *fixture, enum profile_group group, uint32_t untried,
                            uint32_t stopped)
{
    kept.resolved_grouped = 0;
    fixture->profile.group = group;
    fixture->profile.untried = untried;
    fixture->profile.stopped = stopped;
    alerts_look_at_group(&fixture->profile);
    return kept.resolved_grouped;
}

static void it_is_over_when_no_more_than_a_quarter_is_stopped(void **state)
{
    struct fixture *fixture = *state;
    kept.resolves = (struct store_resolved){.failures = 1, .alerts = 1, .told = 1};
    fixture->profile.mailbox_count = 9;
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_OPEN, 0, 3), 0);
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_OPEN, 0, 2), 1);
    assert_int_equal(fixture->profile.group, PROFILE_GROUP_NONE);
    assert_string_equal(logged_as(MESSAGE_ALERT_RESOLVED)->text,
                        "profile contoso: 1 alert is resolved");
    assert_int_equal(owners_woken, 1);
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_NONE, 0, 2), 0);
}

static void after_a_start_every_mailbox_is_tried_before_it_is_over(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_UNKNOWN, 1, 0), 0);
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_UNKNOWN, 0, 0), 1);
    assert_int_equal(logged_lines, 0); /* there was none */
}

static void a_profile_that_was_replaced_ends_no_group(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile.current = false;
    assert_int_equal(looked_with(fixture, PROFILE_GROUP_OPEN, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_profile(more_than_half_of_five_mailboxes_or_more_are_told_of_as_one),
        with_profile(the_mailbox_keeps_its_failure_and_the_profile_gets_the_alert),
        with_profile(while_it_is_open_others_add_nothing_to_it),
        with_profile(what_may_pass_and_a_profile_that_was_replaced_make_no_group),
        with_profile(a_mailbox_that_is_stood_for_is_not_told_of),
        with_profile(a_group_that_could_not_be_written_is_begun_again),
        with_profile(it_is_over_when_no_more_than_a_quarter_is_stopped),
        with_profile(after_a_start_every_mailbox_is_tried_before_it_is_over),
        with_profile(a_profile_that_was_replaced_ends_no_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

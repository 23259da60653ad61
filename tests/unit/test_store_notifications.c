/* Notifications: what is to be told, the messages that tell it, and what becomes of them on each
 * channel. */
#include "store_alerting.h"

/* --- looking --- */

static void what_is_untold_is_found_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct look before = look(fixture);
    assert_int_equal(before.untold.total, 0);
    assert_int_equal(before.state.open_told, 0);
    assert_false(before.state.pending);
    assert_int_equal(before.state.recent, 0);
    assert_int_equal(before.state.recent_first_ms, 0);

    int64_t first = open_alert(fixture, two[0], "X");
    int64_t second = open_alert(fixture, two[1], "X");
    struct trouble of_other = trouble_of(two[1], FAILURE_NETWORK, "O");
    of_other.failure.profile = "q";
    of_other.failure.direction = "outgoing";
    record(fixture, &of_other);
    struct look now = look(fixture);
    assert_int_equal(now.untold.count, 2);
    assert_int_equal(now.untold.rows[0].row.id, first);
    assert_int_equal(now.untold.rows[1].row.id, second);
    now = look_at(fixture, "p", "owner@x", 0, 1);
    assert_int_equal(now.untold.count, 1);
    assert_int_equal(now.untold.total, 2);
    assert_int_equal(look_at(fixture, "q", "owner@x", 0, 5).untold.total, 1);
}

static void an_alert_that_was_raised_after_the_look_is_not_told_by_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble warning = trouble_of(two[0], FAILURE_NETWORK, "W");
    warning.alert.level = STORE_ALERT_WARNING;
    warning.alert.tell = false;
    record(fixture, &warning);
    open_alert(fixture, two[1], "X");
    struct store_notification notification =
        notification_of(1, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
    warning.alert.level = STORE_ALERT_ERROR;
    warning.alert.tell = true;
    record(fixture, &warning); /* an older id, and a later turn */
    assert_true(add(fixture, &notification, NOW));
    struct look now = look(fixture);
    assert_int_equal(now.untold.total, 1);
    assert_int_equal(now.untold.rows[0].row.id, warning.alert.id);
}

static void recent_ones_are_counted_by_owner(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble of_other = trouble_of(two[1], FAILURE_NETWORK, "O");
    of_other.failure.profile = "q";
    for (unsigned i = 0; i < 3; i++) {
        char code[8];
        snprintf(code, sizeof code, "E%u", i);
        open_alert(fixture, two[0], code);
        struct store_notification one =
            notification_of(i, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
        assert_true(add(fixture, &one, NOW + i));
    }
    record(fixture, &of_other);
    struct store_notification other = notification_of(
        3, STORE_NOTIFICATION_TROUBLE, look_at(fixture, "q", "owner@x", 0, 5).state.untold_last);
    other.profile = "q";
    assert_true(add(fixture, &other, NOW + 5));
    struct look now = look_at(fixture, "p", "owner@x", NOW + 1, 5);
    assert_int_equal(now.state.recent, 3);
    assert_int_equal(now.state.recent_first_ms, NOW + 1);
    assert_int_equal(look_at(fixture, "p", "somebody@x", 0, 5).state.recent, 0);

    /* Made while the clock was ahead: it is not counted for ever. */
    open_alert(fixture, two[0], "late");
    struct store_notification ahead =
        notification_of(4, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
    assert_true(add(fixture, &ahead, INT64_MAX / 2));
    assert_int_equal(look_at(fixture, "p", "owner@x", NOW + 1, 5).state.recent, 3);
}

/* --- adding --- */

static void nothing_is_written_when_everything_was_resolved_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "X");
    struct store_notification notification =
        notification_of(1, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
    struct store_resolved resolved = resolve(fixture, mailbox, "incoming");
    assert_int_equal(resolved.told, 1); /* was being told */
    assert_false(add(fixture, &notification, NOW));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM notification"), 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM notice"), 0);
    assert_int_equal(told(fixture, id), STORE_TOLD_NOBODY);
    assert_int_equal(look(fixture).state.over.total, 0);
}

static void it_tells_of_what_is_still_open(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    open_alert(fixture, two[0], "X");
    int64_t second = open_alert(fixture, two[1], "X");
    struct store_notification notification =
        notification_of(1, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
    resolve(fixture, two[0], "incoming");
    assert_true(add(fixture, &notification, NOW));
    struct look now = look(fixture);
    assert_int_equal(now.untold.total, 0);
    assert_int_equal(now.state.open_told, 1);
    assert_true(now.state.pending);
    struct rows changed = result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL);
    assert_int_equal(changed.total, 1);
    assert_int_equal(changed.rows[0].row.id, second);
    assert_false(look(fixture).state.pending);
}

static void all_is_well_is_told_once_and_only_while_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_false(tell_well(fixture, 9));
    int64_t first = told_alert(fixture, two[0], "X", 1);
    assert_false(tell_well(fixture, 9));
    resolve(fixture, two[0], "incoming");
    struct look now = look(fixture);
    assert_int_equal(now.over.total, 1);
    assert_int_equal(now.over.rows[0].row.id, first);

    /* Another one that is to be told: not all is well. */
    open_alert(fixture, two[1], "X");
    assert_false(tell_well(fixture, 9));
    assert_true(tell(fixture, 2, 1));
    assert_false(tell_well(fixture, 9));
    result(fixture, 2, 0, STORE_NOTICE_HANDED, NULL);
    assert_false(tell_well(fixture, 9));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM notification"), 2);
    resolve(fixture, two[1], "incoming");

    /* What is over only after the look is told by the next one. */
    struct store_notification well =
        notification_of(3, STORE_NOTIFICATION_WELL, look(fixture).state.over_last);
    assert_int_equal(look(fixture).over.total, 2);
    assert_true(add(fixture, &well, NOW));
    assert_int_equal(look(fixture).over.total, 0);
    assert_int_equal(result(fixture, 3, 0, STORE_NOTICE_HANDED, NULL).total, 0);
    assert_false(tell_well(fixture, 4));
}

static void one_for_nobody_does_not_keep_all_from_being_well(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    told_alert(fixture, two[0], "X", 1);
    struct trouble silent = trouble_of(two[1], FAILURE_NETWORK, "X");
    silent.alert.tell = false;
    record(fixture, &silent);
    resolve(fixture, two[0], "incoming");
    assert_true(tell_well(fixture, 2));
}

/* --- notices --- */

struct notices {
    struct outcome outcome;
    struct store_notice notices[STORE_CHANNELS];
    size_t count;
};

static void waiting_done(void *argument, const struct failure *failure,
                         const struct store_notice *notices, size_t count)
{
    struct notices *waiting = argument;
    assert_null(failure);
    assert_true(count <= STORE_CHANNELS);
    waiting->count = count;
    for (size_t i = 0; i < count; i++) {
        waiting->notices[i] = notices[i];
        assert_string_equal(notices[i].message, "Subject: s\r\n\r\nbody\r\n");
        assert_string_equal(notices[i].json, "{}");
        assert_string_equal(notices[i].owner, "owner@x");
    }
    support_done(&waiting->outcome, failure);
}

static struct notices waiting(struct fixture *fixture, const char *profile)
{
    struct notices notices = {.outcome.fixture = fixture};
    store_notices_waiting(fixture->store, profile, waiting_done, &notices);
    support_wait(&notices.outcome);
    return notices;
}

static unsigned number_of(const struct store_notice *notice)
{
    return (unsigned)strtoul(notice->id + 24, NULL, 10);
}

static void the_oldest_of_each_channel_is_handed_out(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    open_alert(fixture, two[0], "X");
    assert_true(tell(fixture, 2, 1u << 0 | 1u << 2));
    open_alert(fixture, two[1], "X");
    assert_true(tell(fixture, 1, 1u << 0 | 1u << 1));
    struct notices now = waiting(fixture, "p");
    assert_int_equal(now.count, 3);
    static const unsigned numbers[] = {2, 1, 2};
    for (unsigned channel = 0; channel < 3; channel++) {
        const struct store_notice *notice = &now.notices[channel];
        assert_int_equal(notice->channel, channel);
        assert_int_equal(number_of(notice), numbers[channel]);
        assert_int_equal(notice->kind, STORE_NOTIFICATION_TROUBLE);
        assert_int_equal(notice->attempts, 0);
        assert_int_equal(notice->created_ms, NOW);
        assert_int_equal(notice->next_try_ms, 0);
    }
    result(fixture, 2, 0, STORE_NOTICE_FAILED, "busy");
    now = waiting(fixture, "p");
    assert_int_equal(number_of(&now.notices[0]), 2);
    assert_int_equal(now.notices[0].attempts, 1);
    assert_int_equal(now.notices[0].next_try_ms, NOW + 60000);
    result(fixture, 2, 0, STORE_NOTICE_HANDED, NULL);
    assert_int_equal(number_of(&waiting(fixture, "p").notices[0]), 1);
    result(fixture, 1, 0, STORE_NOTICE_DROPPED, "no");
    assert_int_equal(waiting(fixture, "p").notices[0].channel, 1);
    assert_int_equal(waiting(fixture, "q").count, 0);
}

static void a_message_is_kept_until_no_channel_waits(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    static const char kept[] = "SELECT count(*) FROM notification WHERE message <> ''"
                               " AND json <> ''";
    open_alert(fixture, mailbox, "X");
    assert_true(tell(fixture, 1, 1u << 0 | 1u << 1));
    result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL);
    assert_int_equal(support_number(fixture, kept), 1);
    result(fixture, 1, 1, STORE_NOTICE_DROPPED, "no");
    assert_int_equal(support_number(fixture, kept), 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM notification"), 1);
}

/* --- told, or not --- */

static void an_owner_is_told_after_all(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    int64_t first = open_alert(fixture, two[0], "X");
    int64_t second = open_alert(fixture, two[1], "X");
    assert_true(tell(fixture, 1, 1));
    assert_int_equal(told(fixture, first), STORE_TOLD_BEING);

    struct rows changed = result(fixture, 1, 0, STORE_NOTICE_FAILED, "the server is down");
    assert_int_equal(changed.total, 2);
    assert_int_equal(changed.rows[0].row.id, first);
    assert_int_equal(changed.rows[1].row.id, second);
    assert_int_equal(changed.rows[0].row.told, STORE_TOLD_NOT);
    assert_string_equal(changed.rows[0].reason, "the server is down");
    /* Only another reason is nothing new to be logged. */
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, "it is busy").total, 0);
    assert_string_equal(alert_of(fixture, first).reason, "it is busy");
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, NULL).total, 0);
    assert_string_equal(alert_of(fixture, first).reason, "it is busy");
    assert_true(look(fixture).state.pending);

    changed = result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL);
    assert_int_equal(changed.count, 2);
    assert_int_equal(changed.rows[1].row.told, STORE_TOLD_DONE);
    assert_string_equal(changed.rows[1].reason, "");
    assert_int_equal(told(fixture, first), STORE_TOLD_DONE);
    assert_false(look(fixture).state.pending);
    assert_int_equal(support_number(fixture, "SELECT handed_at FROM notification"), NOW + 3);
    /* It does not wait any more. */
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, "late").total, 0);
    assert_int_equal(told(fixture, first), STORE_TOLD_DONE);
    assert_int_equal(result(fixture, 7, 0, STORE_NOTICE_HANDED, NULL).total, 0);
    assert_int_equal(result(fixture, 1, 2, STORE_NOTICE_HANDED, NULL).total, 0);
}

static void what_waits_behind_one_that_fails_is_untold_for_its_reason(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    open_alert(fixture, two[0], "X");
    assert_true(tell(fixture, 1, 1));
    struct trouble behind = trouble_of(two[1], FAILURE_IMPERSONATION, "X");
    record(fixture, &behind);
    assert_int_equal(told(fixture, behind.alert.id), STORE_TOLD_BEING);
    /* It is no news of this notification. */
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, "down").total, 1);
    struct row row = alert_of(fixture, behind.alert.id);
    assert_int_equal(row.row.told, STORE_TOLD_NOT);
    assert_string_equal(row.reason, "down");
    record(fixture, &behind);
    assert_int_equal(told(fixture, behind.alert.id), STORE_TOLD_NOT);
    result(fixture, 1, 0, STORE_NOTICE_FAILED, "busy");
    assert_string_equal(alert_of(fixture, behind.alert.id).reason, "busy");

    /* It may have to wait for its turn; nothing stands in its way any more. */
    result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL);
    row = alert_of(fixture, behind.alert.id);
    assert_int_equal(row.row.told, STORE_TOLD_BEING);
    assert_string_equal(row.reason, "");
    assert_int_equal(look(fixture).untold.count, 1);
    assert_true(tell(fixture, 2, 1));
    assert_int_equal(result(fixture, 2, 0, STORE_NOTICE_HANDED, NULL).total, 1);
    assert_int_equal(told(fixture, behind.alert.id), STORE_TOLD_DONE);
}

static void the_first_channel_that_hands_it_over_decides(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "X");
    assert_true(tell(fixture, 1, 1u << 0 | 1u << 1 | 1u << 2));
    /* Others have not tried yet. */
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, "down").total, 0);
    assert_int_equal(told(fixture, id), STORE_TOLD_BEING);
    assert_int_equal(result(fixture, 1, 1, STORE_NOTICE_DROPPED, "no").total, 0);
    assert_int_equal(told(fixture, id), STORE_TOLD_BEING);
    assert_int_equal(result(fixture, 1, 2, STORE_NOTICE_HANDED, NULL).total, 1);
    assert_int_equal(told(fixture, id), STORE_TOLD_DONE);
    /* One that comes later changes nothing, whatever comes of it. */
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_FAILED, "still down").total, 0);
    assert_int_equal(told(fixture, id), STORE_TOLD_DONE);
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL).total, 0);
    assert_int_equal(told(fixture, id), STORE_TOLD_DONE);
    assert_int_equal(waiting(fixture, "p").count, 0);
}

static void all_have_failed_when_the_last_has(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "X");
    assert_true(tell(fixture, 1, 1u << 0 | 1u << 1));
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_DROPPED, "no").total, 0);
    assert_int_equal(result(fixture, 1, 1, STORE_NOTICE_FAILED, "down").total, 1);
    struct row row = alert_of(fixture, id);
    assert_int_equal(row.row.told, STORE_TOLD_NOT);
    assert_string_equal(row.reason, "down");
    assert_int_equal(result(fixture, 1, 1, STORE_NOTICE_HANDED, NULL).total, 1);
    assert_int_equal(told(fixture, id), STORE_TOLD_DONE);
}

static void one_that_was_given_up_is_told_anew_when_it_repeats(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    record(fixture, &trouble);
    assert_true(tell(fixture, 1, 1));
    struct rows changed = result(fixture, 1, 0, STORE_NOTICE_DROPPED, "nobody there");
    assert_int_equal(changed.total, 1);
    assert_int_equal(changed.rows[0].row.told, STORE_TOLD_NOT);
    assert_string_equal(changed.rows[0].reason, "nobody there");
    struct look now = look(fixture);
    assert_false(now.state.pending);
    assert_int_equal(now.untold.total, 0);
    assert_int_equal(now.state.open_told, 0);
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    assert_int_equal(look(fixture).untold.total, 1);
    assert_true(tell(fixture, 2, 1));
    /* Nor is there anything over of which nobody knew. */
    result(fixture, 2, 0, STORE_NOTICE_DROPPED, "nobody there");
    assert_int_equal(resolve(fixture, mailbox, NULL).told, 0);
    assert_int_equal(look(fixture).over.total, 0);
}

/* The message was on its way when its alert was resolved. */
static void what_is_told_after_its_end_is_over_then(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "X");
    assert_true(tell(fixture, 1, 1));
    assert_int_equal(resolve(fixture, mailbox, NULL).told, 1);
    assert_int_equal(told(fixture, id), STORE_TOLD_BEING);
    assert_int_equal(look(fixture).over.total, 0);
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL).total, 1);
    struct look now = look(fixture);
    assert_int_equal(now.over.total, 1);
    assert_int_equal(now.over.rows[0].row.told, STORE_TOLD_DONE);
    assert_true(tell_well(fixture, 2));
}

static void the_rows_that_changed_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    int64_t first = open_alert(fixture, two[0], "X");
    open_alert(fixture, two[1], "X");
    assert_true(tell(fixture, 1, 1));
    struct rows_outcome read = {.outcome.fixture = fixture};
    struct store_notice_result handed = {.id = "10000000-0000-4000-8000-000000000001",
                                         .outcome = STORE_NOTICE_HANDED};
    store_notice_result(fixture->store, &handed, NOW, 1, rows_done, &read);
    support_wait(&read.outcome);
    assert_int_equal(read.rows.count, 1);
    assert_int_equal(read.rows.rows[0].row.id, first);
    assert_int_equal(read.rows.total, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_is_untold_is_found_oldest_first),
        TEST(an_alert_that_was_raised_after_the_look_is_not_told_by_it),
        TEST(recent_ones_are_counted_by_owner),
        TEST(nothing_is_written_when_everything_was_resolved_meanwhile),
        TEST(it_tells_of_what_is_still_open),
        TEST(all_is_well_is_told_once_and_only_while_it_is),
        TEST(one_for_nobody_does_not_keep_all_from_being_well),
        TEST(the_oldest_of_each_channel_is_handed_out),
        TEST(a_message_is_kept_until_no_channel_waits),
        TEST(an_owner_is_told_after_all),
        TEST(what_waits_behind_one_that_fails_is_untold_for_its_reason),
        TEST(the_first_channel_that_hands_it_over_decides),
        TEST(all_have_failed_when_the_last_has),
        TEST(one_that_was_given_up_is_told_anew_when_it_repeats),
        TEST(what_is_told_after_its_end_is_over_then),
        TEST(the_rows_that_changed_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a message in the store to its owner: by which channel, when it is tried again, and what the
 * alerts say of it. */
#include "daemon_notify_world.h"

#define TRANSIENT "connect: The SMTP server cannot be reached (CURLE_COULDNT_CONNECT)."

/* An alert has opened, and the message about it is with the channels. */
static void begin_delivery(struct fixture *fixture)
{
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 1);
}

static void end_delivery(enum delivery_channel channel, const struct failure *failure)
{
    delivery_ends(channel, failure);
    answer_all();
}

static size_t said(const char *ending)
{
    char line[LOG_LINE_SIZE];
    snprintf(line, sizeof line, "%s" OWNER "%s", OPENING, ending);
    return logged_count(line);
}

/* --- what came of it --- */

static void what_was_handed_over_is_told_once_and_said_once(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    assert_int_equal(said("has been notified."), 0);
    delivery_ends(DELIVERY_SMTP, NULL);
    assert_int_equal(said("has been notified."), 0); /* it is not on disk yet */
    answer_all();
    assert_int_equal(kept.results, 1);
    assert_int_equal(kept.result.outcome, STORE_NOTICE_HANDED);
    const struct logged_line *line = logged_as(MESSAGE_ALERT_NOTIFIED);
    assert_int_equal(said("has been notified."), 1);
    assert_string_equal(line->fields.alert, "11");
    assert_string_equal(line->fields.account, "CONTOSO\\svc-sync");
    assert_string_equal(logged_as(MESSAGE_OWNER_TOLD)->fields.profile, "contoso");
    pass(10 * HOUR_MS);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 1);
    assert_int_equal(kept.made, 1);
}

static void what_failed_is_said_once_with_its_reason_until_it_has_been_told(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    for (int i = 0; i < 3; i++) {
        end_delivery(DELIVERY_SMTP, &down);
        assert_int_equal(kept.result.outcome, STORE_NOTICE_FAILED);
        assert_string_equal(kept.reason, TRANSIENT);
        assert_int_equal(said("could not be notified: " TRANSIENT), 1);
        pass(HOUR_MS);
    }
    const struct logged_line *line = logged_as(MESSAGE_ALERT_NOT_NOTIFIED);
    assert_string_equal(line->fields.alert, "11");
    end_delivery(DELIVERY_SMTP, NULL);
    assert_int_equal(said("has been notified."), 1);
    assert_int_equal(said("is being notified."), 0);
}

static void
the_first_failure_of_a_message_is_a_warning_and_says_when_it_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    const struct logged_line *line = logged_as(MESSAGE_OWNER_NOT_TOLD);
    assert_int_equal(line->priority, LOG_PRIORITY_WARNING);
    assert_non_null(strstr(line->text, kept.id));
    assert_non_null(strstr(line->text, " could not be sent to its owner (smtp): RCPT: The SMTP "
                                       "server does not take mail for the recipient (SMTP 550): "
                                       "\"550 no such user here\". Look at the owner. Next try "));
    assert_string_equal(line->fields.code, "SMTP 550");
    logged_forget();
    pass(HOUR_MS);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    assert_int_equal(logged_as(MESSAGE_OWNER_NOT_TOLD)->priority, LOG_PRIORITY_INFO);
}

/* --- when it is tried again --- */

static void assert_tried_after(int64_t wait_ms)
{
    assert_int_equal(kept.result.next_try_ms, wall_ms + wait_ms);
    pass(wait_ms - 1);
    assert_false(is_delivering(DELIVERY_SMTP));
    pass(1);
    assert_true(is_delivering(DELIVERY_SMTP));
}

static void what_may_pass_is_tried_again_with_growing_waits(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t waits_s[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
    begin_delivery(fixture);
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        end_delivery(DELIVERY_SMTP, &down);
        assert_tried_after(waits_s[i] * SECOND_MS);
    }
}

static void what_stays_waits_the_longest_and_what_the_server_asks_for_is_the_least(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    assert_tried_after(HOUR_MS);
    struct failure patient = down;
    patient.retry_after_ms = 2 * HOUR_MS;
    end_delivery(DELIVERY_SMTP, &patient);
    assert_tried_after(2 * HOUR_MS);
}

static void a_reload_tries_at_once_and_then_by_the_waits_again(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    pass(MINUTE_MS);
    assert_false(is_delivering(DELIVERY_SMTP));
    notifier_configure(fixture->notifier);
    answer_all();
    assert_true(is_delivering(DELIVERY_SMTP));
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    assert_tried_after(HOUR_MS);
}

static void what_an_earlier_process_left_is_delivered_at_once(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    notifier_stop(fixture->notifier);
    assert_true(notifier_free(fixture->notifier, 0));
    fixture->notifier =
        notifier_create(&fixture->context, &fixture->profiles, list_stopped, fixture);
    notifier_configure(fixture->notifier);
    answer_all();
    assert_true(is_delivering(DELIVERY_SMTP));
    assert_string_equal(delivered.id, kept.id);
    assert_int_equal(kept.made, 1);
}

static void when_the_store_cannot_say_what_waits_it_is_asked_again(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    kept.fails = LOADING_FAILS;
    opens(fixture, 1);
    pass(MINUTE_MS);
    kept.fails = 0;
    pass(30 * SECOND_MS - 1);
    assert_false(is_delivering(DELIVERY_SMTP));
    pass(1);
    assert_true(is_delivering(DELIVERY_SMTP));
}

/* What the store has read by then may not be all. */
static void what_comes_while_the_store_says_what_waits_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    unsigned before = kept.loads;
    notifier_configure(fixture->notifier);
    notifier_configure(fixture->notifier);
    answer_all();
    assert_int_equal(kept.loads, before + 2);
    assert_true(is_delivering(DELIVERY_SMTP));
}

/* --- several ways --- */

static void each_way_gets_the_message_and_the_first_that_takes_it_tells(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_channels = CONFIG_NOTIFY_SMTP | CONFIG_NOTIFY_COMMAND;
    begin_delivery(fixture);
    assert_true(is_delivering(DELIVERY_SMTP) && is_delivering(DELIVERY_COMMAND));
    assert_false(is_delivering(DELIVERY_EXCHANGE));
    end_delivery(DELIVERY_COMMAND, NULL);
    assert_int_equal(said("has been notified."), 1);
    end_delivery(DELIVERY_SMTP, &down);
    assert_int_equal(logged_with("could not be notified"), 0);
    pass(30 * SECOND_MS);
    assert_true(is_delivering(DELIVERY_SMTP));
    assert_false(is_delivering(DELIVERY_COMMAND));
    end_delivery(DELIVERY_SMTP, NULL);
    assert_int_equal(said("has been notified."), 1);
    pass(HOUR_MS);
    assert_int_equal(delivered.started[DELIVERY_COMMAND], 1);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 2);
}

/* --- what nobody is to get any more --- */

static void assert_dropped(void)
{
    assert_int_equal(kept.result.outcome, STORE_NOTICE_DROPPED);
    assert_int_equal(kept.results, 2);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 1);
}

static void fail_and_reload(struct fixture *fixture)
{
    end_delivery(DELIVERY_SMTP, &unknown_owner);
    notifier_configure(fixture->notifier);
    answer_all();
}

static void another_owner_does_not_get_what_was_written_to_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    fixture->profile_config.owner = "new@contoso.com";
    fail_and_reload(fixture);
    assert_dropped();
    opens(fixture, 1); /* it is met again, untold as it is */
    pass(MINUTE_MS);
    assert_string_equal(delivered.owner, "new@contoso.com");
}

static void without_an_owner_a_message_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    fixture->profile_config.owner = NULL;
    fail_and_reload(fixture);
    assert_dropped();
}

static void a_way_that_is_not_configured_any_more_is_not_taken(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    fixture->profile_config.notify_channels = 0;
    fail_and_reload(fixture);
    assert_dropped();
}

static void another_way_that_is_given_while_nobody_knows_takes_a_new_message(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    fixture->profile_config.notify_channels = CONFIG_NOTIFY_SMTP | CONFIG_NOTIFY_COMMAND;
    fail_and_reload(fixture);
    assert_dropped();
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_true(is_delivering(DELIVERY_SMTP) && is_delivering(DELIVERY_COMMAND));
}

static void another_way_that_is_given_when_the_owner_knows_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_channels = CONFIG_NOTIFY_SMTP | CONFIG_NOTIFY_COMMAND;
    begin_delivery(fixture);
    end_delivery(DELIVERY_COMMAND, NULL);
    fixture->profile_config.notify_channels |= CONFIG_NOTIFY_EXCHANGE;
    fail_and_reload(fixture);
    assert_true(is_delivering(DELIVERY_SMTP));
    assert_false(is_delivering(DELIVERY_EXCHANGE));
}

static void what_could_not_be_delivered_for_three_days_is_out_of_date(void **state)
{
    struct fixture *fixture = *state;
    int64_t begun = wall_ms;
    begin_delivery(fixture);
    while (is_delivering(DELIVERY_SMTP)) {
        end_delivery(DELIVERY_SMTP, &unknown_owner);
        logged_forget();
        pass(HOUR_MS);
    }
    assert_int_equal(kept.result.outcome, STORE_NOTICE_DROPPED);
    assert_in_range(wall_ms - begun, 72 * HOUR_MS, 74 * HOUR_MS);
}

/* --- the end --- */

static void a_stop_lets_a_delivery_end_and_begins_no_other(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    notifier_stop(fixture->notifier);
    assert_true(notifier_is_busy(fixture->notifier));
    delivery_ends(DELIVERY_SMTP, NULL);
    assert_true(notifier_is_busy(fixture->notifier)); /* what came of it is being written */
    answer_all();
    assert_false(notifier_is_busy(fixture->notifier));
    assert_int_equal(said("has been notified."), 1);
    assert_int_equal(timers_running(), 0);
}

static void a_stop_before_the_next_try_leaves_it_to_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    end_delivery(DELIVERY_SMTP, &down);
    notifier_stop(fixture->notifier);
    pass(HOUR_MS);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 1);
    assert_true(kept.waits[DELIVERY_SMTP]);
}

static void what_is_cancelled_is_left_to_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    begin_delivery(fixture);
    notifier_stop(fixture->notifier);
    notifier_cancel(fixture->notifier);
    assert_int_equal(delivered.cancelled, 1);
    assert_false(notifier_is_busy(fixture->notifier));
    assert_int_equal(kept.results, 0);
    assert_true(kept.waits[DELIVERY_SMTP]);
}

static void a_stop_while_the_store_says_what_waits_delivers_nothing(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    answer_next(); /* looked */
    answer_next(); /* added */
    notifier_stop(fixture->notifier);
    answer_all();
    assert_int_equal(delivered.started[DELIVERY_SMTP], 0);
    assert_false(notifier_is_busy(fixture->notifier));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_owner(what_was_handed_over_is_told_once_and_said_once),
        with_owner(what_failed_is_said_once_with_its_reason_until_it_has_been_told),
        with_owner(the_first_failure_of_a_message_is_a_warning_and_says_when_it_is_tried_again),
        with_owner(what_may_pass_is_tried_again_with_growing_waits),
        with_owner(what_stays_waits_the_longest_and_what_the_server_asks_for_is_the_least),
        with_owner(a_reload_tries_at_once_and_then_by_the_waits_again),
        with_owner(what_an_earlier_process_left_is_delivered_at_once),
        with_owner(when_the_store_cannot_say_what_waits_it_is_asked_again),
        with_owner(what_comes_while_the_store_says_what_waits_is_asked_for_again),
        with_owner(each_way_gets_the_message_and_the_first_that_takes_it_tells),
        with_owner(another_owner_does_not_get_what_was_written_to_the_one_before),
        with_owner(without_an_owner_a_message_is_given_up),
        with_owner(a_way_that_is_not_configured_any_more_is_not_taken),
        with_owner(another_way_that_is_given_while_nobody_knows_takes_a_new_message),
        with_owner(another_way_that_is_given_when_the_owner_knows_changes_nothing),
        with_owner(what_could_not_be_delivered_for_three_days_is_out_of_date),
        with_owner(a_stop_lets_a_delivery_end_and_begins_no_other),
        with_owner(a_stop_before_the_next_try_leaves_it_to_the_next_start),
        with_owner(what_is_cancelled_is_left_to_the_next_start),
        with_owner(a_stop_while_the_store_says_what_waits_delivers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

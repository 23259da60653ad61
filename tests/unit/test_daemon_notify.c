/* From open alerts to one message to their owner: when it is made, and what holds it back. */
#include "daemon_notify_world.h"

static bool json_has(const char *words)
{
    return kept.json != NULL && strstr(kept.json, words) != NULL;
}

/* --- what is told --- */

static void what_opens_within_the_delay_is_one_message(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS - 1);
    opens(fixture, 1);
    answer_all();
    assert_int_equal(kept.adds, 0);
    pass(1);
    assert_int_equal(kept.adds, 1);
    assert_int_equal(kept.kind, STORE_NOTIFICATION_TROUBLE);
    assert_int_equal(kept.tells, 2);
    assert_int_equal(kept.channels, CONFIG_NOTIFY_SMTP);
    assert_string_equal(kept.owner, "admins@contoso.com");
    pass(10 * MINUTE_MS);
    assert_int_equal(kept.adds, 1);
}

static void the_message_has_the_exact_sentence_and_its_number_for_good(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s" OWNER "has been notified.", OPENING);
    assert_true(json_has(sentence));
    assert_true(json_has("\"kind\":\"trouble\""));
    assert_true(json_has("\"mailboxes\":[]"));
    assert_true(json_has(kept.id));
    assert_non_null(strstr(kept.message, kept.id)); /* in its Message-ID */
    assert_non_null(strstr(kept.message, "<exsyncd@contoso.com>\r\n"));
    assert_non_null(strstr(kept.message, "To: <admins@contoso.com>\r\n"));
    assert_true(is_delivering(DELIVERY_SMTP));
    assert_string_equal(delivered.id, kept.id);
    assert_string_equal(delivered.message, kept.message);
}

static void without_an_smtp_server_the_owner_is_the_sender(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.smtp = NULL;
    fixture->profile_config.notify_channels = CONFIG_NOTIFY_EXCHANGE;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_non_null(strstr(kept.message, "<admins@contoso.com>\r\n"));
}

static void an_alert_for_most_mailboxes_comes_with_those_that_are_stopped(void **state)
{
    struct fixture *fixture = *state;
    kept.alert.absorbs = true;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_true(json_has("\"mailboxes\":[\"ann@contoso.com\",\"ben@contoso.com\"]"));
}

static void what_is_over_before_it_was_told_is_never_told(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS / 2);
    kept.untold = 0;
    pass(HOUR_MS);
    assert_int_equal(kept.adds, 0);

    opens(fixture, 1);
    kept.vanish = true;
    pass(HOUR_MS);
    assert_int_equal(kept.adds, 1);
    assert_int_equal(kept.made, 0);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 0);
    kept.vanish = false;
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 1);
}

static void one_message_says_that_all_is_well_when_nothing_told_is_open(void **state)
{
    struct fixture *fixture = *state;
    told_of_one(fixture);
    kept.over = 1;
    kept.told = 1; /* of two that were told, one is over */
    notifier_wake(fixture->notifier, "contoso");
    pass(HOUR_MS);
    assert_int_equal(kept.made, 1);
    all_ends(fixture);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 2);
    assert_int_equal(kept.kind, STORE_NOTIFICATION_WELL);
    assert_int_equal(kept.tells, 2);
    assert_true(json_has("\"kind\":\"well\""));
}

static void new_trouble_is_told_before_old_trouble_is_well(void **state)
{
    struct fixture *fixture = *state;
    told_of_one(fixture);
    all_ends(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 2);
    assert_int_equal(kept.kind, STORE_NOTIFICATION_TROUBLE);
    assert_int_equal(kept.over, 1);
}

/* --- what holds it back --- */

static void a_message_on_its_way_holds_back_the_next(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    opens(fixture, 1);
    pass(2 * HOUR_MS);
    opens(fixture, 1);
    pass(2 * HOUR_MS);
    assert_int_equal(kept.made, 1);
    delivery_ends(DELIVERY_SMTP, NULL);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 2);
    assert_int_equal(kept.tells, 2);
}

static void no_more_than_the_limit_is_told_within_an_hour(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_limit = 2;
    begin(fixture);
    for (int i = 0; i < 2; i++) {
        opens(fixture, 1);
        pass(10 * MINUTE_MS);
        delivery_ends(DELIVERY_SMTP, NULL);
    }
    opens(fixture, 1);
    pass(HOUR_MS - 19 * MINUTE_MS - 1); /* an hour since the first, but for a moment */
    assert_int_equal(kept.made, 2);
    opens(fixture, 1);
    pass(1);
    assert_int_equal(kept.made, 3);
    assert_int_equal(kept.tells, 2);
}

static void the_limit_holds_back_that_all_is_well_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_limit = 1;
    told_of_one(fixture);
    all_ends(fixture);
    pass(HOUR_MS - 1);
    assert_int_equal(kept.made, 1);
    pass(1);
    assert_int_equal(kept.kind, STORE_NOTIFICATION_WELL);
}

static void what_comes_while_the_store_is_at_work_is_not_lost(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    unsigned before = kept.looks;
    kept.told = 1;
    notifier_wake(fixture->notifier, "contoso"); /* nothing to tell yet */
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    assert_int_equal(kept.looks, before + 1);
    answer_next(); /* and it has found nothing, */
    opens(fixture, 1);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 1);

    delivery_ends(DELIVERY_SMTP, NULL);
    answer_all();
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    opens(fixture, 1); /* while it looks */
    kept.untold = 0;
    answer_all();
    kept.untold = 1;
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 2);
}

static void when_the_store_cannot_be_asked_it_is_asked_again_after_half_a_minute(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned steps[] = {LOOKING_FAILS, ADDING_FAILS};
    begin(fixture);
    for (size_t i = 0; i < 2; i++) {
        kept.fails = steps[i];
        opens(fixture, 1);
        pass(MINUTE_MS);
        kept.fails = 0;
        pass(30 * SECOND_MS - 1);
        assert_int_equal(kept.made, i);
        pass(1);
        assert_int_equal(kept.made, i + 1);
        delivery_ends(DELIVERY_SMTP, NULL);
        pass(MINUTE_MS);
    }
}

/* --- who is told --- */

static void without_an_owner_or_a_way_to_them_nothing_is_made(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile_config.notify_channels = 0;
    begin(fixture);
    opens(fixture, 1);
    pass(HOUR_MS);
    fixture->profile_config.notify_channels = CONFIG_NOTIFY_COMMAND;
    fixture->profile_config.owner = NULL;
    begin(fixture);
    opens(fixture, 1);
    pass(HOUR_MS);
    assert_int_equal(kept.looks, 0);
    fixture->profile_config.owner = "new@contoso.com";
    notifier_configure(fixture->notifier);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 1);
    assert_string_equal(kept.owner, "new@contoso.com");
    assert_string_equal(kept.looked_for, "new@contoso.com");
    assert_int_equal(kept.channels, CONFIG_NOTIFY_COMMAND);
}

static void what_an_earlier_process_left_untold_is_told(void **state)
{
    struct fixture *fixture = *state;
    kept.untold = 1;
    notifier_configure(fixture->notifier);
    pass(MINUTE_MS);
    assert_int_equal(kept.made, 1);
}

static void a_profile_that_is_gone_or_was_never_there_is_not_told_of(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    notifier_wake(fixture->notifier, "fabrikam");
    notifier_wake(NULL, "contoso");
    assert_int_equal(timers_running(), 0);
    opens(fixture, 1);
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    fixture->profile.current = false; /* while the store looks */
    answer_all();
    assert_int_equal(kept.adds, 0);
    fixture->profile.current = true;
    opens(fixture, 1);
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    answer_next();
    fixture->profile.current = false; /* while the store takes the message */
    answer_all();
    pass(HOUR_MS);
    assert_int_equal(kept.made, 1);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 0);
}

/* --- the end --- */

static void after_a_stop_nothing_is_begun_at_any_step(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    notifier_stop(fixture->notifier);
    assert_int_equal(timers_running(), 0);
    opens(fixture, 1);
    notifier_configure(fixture->notifier);
    pass(HOUR_MS);
    assert_int_equal(kept.adds, 0);
    assert_false(notifier_is_busy(fixture->notifier));
}

static void a_stop_while_the_store_looks_makes_no_message(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    notifier_stop(fixture->notifier);
    pass(HOUR_MS);
    assert_int_equal(kept.adds, 0);
}

static void a_stop_while_the_store_takes_the_message_leaves_it_to_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    opens(fixture, 1);
    clock_pass_to_timer(wall_ms + MINUTE_MS);
    answer_next();
    assert_int_equal(kept.adds, 1);
    notifier_stop(fixture->notifier);
    pass(HOUR_MS);
    assert_int_equal(delivered.started[DELIVERY_SMTP], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_owner(what_opens_within_the_delay_is_one_message),
        with_owner(the_message_has_the_exact_sentence_and_its_number_for_good),
        with_owner(without_an_smtp_server_the_owner_is_the_sender),
        with_owner(an_alert_for_most_mailboxes_comes_with_those_that_are_stopped),
        with_owner(what_is_over_before_it_was_told_is_never_told),
        with_owner(one_message_says_that_all_is_well_when_nothing_told_is_open),
        with_owner(new_trouble_is_told_before_old_trouble_is_well),
        with_owner(a_message_on_its_way_holds_back_the_next),
        with_owner(no_more_than_the_limit_is_told_within_an_hour),
        with_owner(the_limit_holds_back_that_all_is_well_too),
        with_owner(what_comes_while_the_store_is_at_work_is_not_lost),
        with_owner(when_the_store_cannot_be_asked_it_is_asked_again_after_half_a_minute),
        with_owner(without_an_owner_or_a_way_to_them_nothing_is_made),
        with_owner(what_an_earlier_process_left_untold_is_told),
        with_owner(a_profile_that_is_gone_or_was_never_there_is_not_told_of),
        with_owner(after_a_stop_nothing_is_begun_at_any_step),
        with_owner(a_stop_while_the_store_looks_makes_no_message),
        with_owner(a_stop_while_the_store_takes_the_message_leaves_it_to_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

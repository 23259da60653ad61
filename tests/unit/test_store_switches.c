/* What administrators switch off stays off, over restarts and renamings, and says no more. */
#include "store/store_actions.h"
#include "store_alerting.h"

static const uint32_t USER = 4000000000;

static struct store_resolved switch_to(struct fixture *fixture, struct store_mailbox mailbox,
                                       unsigned directions, bool on)
{
    struct store_resolved resolved = {99, 99, 99};
    MUST_SUCCEED(fixture, store_mailbox_switch(fixture->store, mailbox, directions, on, USER,
                                               NOW + 3, &resolved, support_done, &outcome));
    return resolved;
}

/* Since when and by whom is told with it. */
static void check_switch(const struct store_registration *registration, unsigned bit,
                         struct store_switch told)
{
    if ((registration->switched_off & bit) == 0)
        return;
    assert_int_equal(told.since_ms, NOW + 3);
    assert_int_equal(told.user, USER);
}

static unsigned registered(struct fixture *fixture, const char *address, const char *renamed_from)
{
    struct store_registration registration = {
        .address = address, .renamed_from = renamed_from, .profile = "p", .switched_off = 99};
    register_all(fixture, &registration, 1);
    check_switch(&registration, STORE_INCOMING, registration.incoming_switch);
    check_switch(&registration, STORE_OUTGOING, registration.outgoing_switch);
    return registration.switched_off;
}

static void what_is_switched_off_stays_so_until_it_is_switched_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_int_equal(registered(fixture, "a@x", NULL), 0);
    switch_to(fixture, mailbox, STORE_OUTGOING, false);
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(registered(fixture, "a@x", NULL), STORE_OUTGOING);
    switch_to(fixture, mailbox, STORE_INCOMING | STORE_OUTGOING, false);
    assert_int_equal(registered(fixture, "a@x", NULL), STORE_INCOMING | STORE_OUTGOING);
    switch_to(fixture, mailbox, STORE_OUTGOING, true);
    switch_to(fixture, mailbox, STORE_OUTGOING, true);
    assert_int_equal(registered(fixture, "a@x", NULL), STORE_INCOMING);
    assert_int_equal(support_number(fixture, "SELECT user FROM switched_off"), USER);
    assert_int_equal(support_number(fixture, "SELECT since FROM switched_off"), NOW + 3);
}

static void what_went_wrong_with_it_is_over_and_with_the_other_direction_is_not(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    open_alert(fixture, two[0], "X");
    open_alert(fixture, two[1], "X");
    struct trouble sending = trouble_of(two[0], FAILURE_IMPERSONATION, "X");
    sending.failure.direction = "outgoing";
    record(fixture, &sending);
    struct store_resolved resolved = switch_to(fixture, two[0], STORE_INCOMING, false);
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(resolved.alerts, 1);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM alert WHERE resolved_at IS NULL"), 2);
    resolved = switch_to(fixture, two[0], STORE_INCOMING, true);
    assert_int_equal(resolved.failures + resolved.alerts, 0);
}

static void last_words_of_a_cycle_that_was_killed_are_over_at_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    switch_to(fixture, mailbox, STORE_INCOMING, false);
    open_alert(fixture, mailbox, "X");
    registered(fixture, "a@x", NULL);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM alert WHERE resolved_at IS NULL"), 0);
}

static void a_renamed_mailbox_keeps_what_was_switched_off_under_either_address(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    switch_to(fixture, two[0], STORE_INCOMING, false);
    assert_int_equal(registered(fixture, "c@x", "a@x"), STORE_INCOMING);
    switch_to(fixture, two[1], STORE_INCOMING | STORE_OUTGOING, false);
    assert_int_equal(registered(fixture, "b@x", "c@x"), STORE_INCOMING | STORE_OUTGOING);
}

static void one_that_comes_back_is_as_before_until_it_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    switch_to(fixture, mailbox, STORE_INCOMING, false);
    registered(fixture, "b@x", NULL);
    assert_int_equal(registered(fixture, "a@x", NULL), STORE_INCOMING);
    registered(fixture, "b@x", NULL);
    prune(fixture, NOW + DAY, 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM switched_off"), 0);
    assert_int_equal(registered(fixture, "a@x", NULL), 0);
}

static void a_mailbox_that_is_another_now_is_not_switched(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    registered(fixture, "b@x", "a@x");
    MUST_FAIL(fixture, "LEASE",
              store_mailbox_switch(fixture->store, two[1], STORE_INCOMING, false, 0, NOW, NULL,
                                   support_done, &outcome));
}

/* --- pauses --- */

struct loaded {
    struct outcome outcome;
    char text[64];
};

static void each(void *argument, const struct store_pause *pause)
{
    struct loaded *loaded = argument;
    size_t length = strlen(loaded->text);
    assert_int_equal(pause->user, USER);
    snprintf(loaded->text + length, sizeof loaded->text - length, "%s:%d ", pause->profile,
             (int)(pause->since_ms - NOW));
}

static void loaded_done(void *argument, const struct failure *failure)
{
    support_done(&((struct loaded *)argument)->outcome, failure);
}

static void check_paused(struct fixture *fixture, const char *wanted)
{
    struct loaded loaded = {.outcome.fixture = fixture};
    store_pauses_load(fixture->store, each, loaded_done, &loaded);
    support_wait(&loaded.outcome);
    assert_false(loaded.outcome.failed);
    assert_string_equal(loaded.text, wanted);
}

static void pause_profile(struct fixture *fixture, const char *name, int64_t since_ms)
{
    char profile[8];
    snprintf(profile, sizeof profile, "%s", name);
    const struct store_pause pause = {.profile = profile, .since_ms = since_ms, .user = USER};
    struct outcome outcome = {.fixture = fixture};
    store_profile_pause(fixture->store, &pause, support_done, &outcome);
    profile[0] = '?';
    support_wait(&outcome);
    assert_false(outcome.failed);
}

static void a_profile_stays_paused_until_it_is_resumed(void **state)
{
    struct fixture *fixture = *state;
    check_paused(fixture, "");
    pause_profile(fixture, "q", NOW + 1);
    pause_profile(fixture, "p", NOW + 2);
    pause_profile(fixture, "q", NOW + 3);
    support_close(fixture);
    support_open(fixture);
    check_paused(fixture, "p:2 q:1 ");
    MUST_SUCCEED(fixture, store_profile_resume(fixture->store, "q", support_done, &outcome));
    MUST_SUCCEED(fixture, store_profile_resume(fixture->store, "r", support_done, &outcome));
    check_paused(fixture, "p:2 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_is_switched_off_stays_so_until_it_is_switched_on),
        TEST(what_went_wrong_with_it_is_over_and_with_the_other_direction_is_not),
        TEST(last_words_of_a_cycle_that_was_killed_are_over_at_the_next_start),
        TEST(a_renamed_mailbox_keeps_what_was_switched_off_under_either_address),
        TEST(one_that_comes_back_is_as_before_until_it_is_forgotten),
        TEST(a_mailbox_that_is_another_now_is_not_switched),
        TEST(a_profile_stays_paused_until_it_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What follows from the end of a cycle for its mailbox, and when mailboxes fail alike. */
#include "daemon_outcome_world.h"

/* --- mailboxes that fail alike --- */

static void mailboxes_that_fail_alike_close_the_gate_of_their_profile_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MAILBOXES; i++)
        begin(fixture, i);
    for (int i = 0; i < PROFILE_ALIKE_MAX - 1; i++) {
        end(fixture, i, &unavailable);
        assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    }
    for (int i = PROFILE_ALIKE_MAX - 1; i < MAILBOXES; i++) {
        end(fixture, i, &unavailable);
        assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    }
    assert_int_equal(fixture->profile.gate.failures, 1);
    assert_int_equal(store_world.profile_rows, 1);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 1);
}

/* As when the daemon is restarted while the server is in trouble. */
static void mailboxes_that_failed_before_the_start_and_fail_alike_are_the_server(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < PROFILE_ALIKE_MAX; i++) {
        mailbox_recall_trouble(&fixture->mailboxes[i].incoming, 3, 0);
        assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
        run(fixture, i, &unavailable);
        assert_int_equal(fixture->mailboxes[i].incoming.trouble->failures, 4);
    }
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
}

static void one_mailbox_that_fails_again_and_again_is_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5 * PROFILE_ALIKE_MAX; i++)
        run(fixture, i % 2, &unavailable);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.profile_rows, 0);
}

static void a_success_between_shows_that_the_server_is_well(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < PROFILE_ALIKE_MAX - 1; i++)
        run(fixture, i, &unavailable);
    run(fixture, MAILBOXES - 1, NULL);
    run(fixture, PROFILE_ALIKE_MAX - 1, &unavailable);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void mailboxes_that_fail_in_different_ways_are_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure = unavailable;
    for (int i = 0; i < MAILBOXES; i++) {
        failure_set_code(&failure, i % 2 == 0 ? "HTTP 503" : "HTTP 502");
        run(fixture, i, &failure);
    }
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void what_is_refused_to_mailboxes_for_good_is_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MAILBOXES; i++)
        run(fixture, i, &denied);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.mailbox_rows, MAILBOXES);
}

/* --- the mailbox --- */

static void trouble_of_a_mailbox_is_told_once_and_its_end_once(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, NULL);
    for (int i = 0; i < 4; i++)
        run(fixture, 0, &unavailable);
    assert_int_equal(fixture->mailboxes[0].incoming.trouble->failures, 4);
    unsigned resolved = store_world.mailbox_resolved;
    run(fixture, 0, NULL);
    run(fixture, 0, NULL);
    assert_null(fixture->mailboxes[0].incoming.trouble);
    assert_int_equal(store_world.mailbox_resolved, resolved + 1);
    assert_int_equal(logged_count(MESSAGE_MAILBOX_RESUMED), 1);
}

static void after_a_long_outage_every_folder_is_looked_through_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        fixture->folders[i].state.pass_done_ms = 1;
        run(fixture, i, NULL);
        assert_int_equal(fixture->folders[i].state.pass_started_ms, 0);
    }
    fixture->profile.outages++; /* one of half an hour and more is over */
    for (int i = 0; i < 2; i++) {
        run(fixture, i, NULL);
        assert_int_not_equal(fixture->folders[i].state.pass_started_ms, 0);
        fixture->folders[i].state.pass_started_ms = 0;
        run(fixture, i, NULL);
        assert_int_equal(fixture->folders[i].state.pass_started_ms, 0);
    }
}

/* --- an administrator's own try --- */

static void an_own_try_of_what_has_stopped_does_not_move_its_probes_on(void **state)
{
    static const uint64_t probes[] = {5 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS};
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    fixture->profile_config.probe_intervals_ms = probes;
    fixture->profile_config.probe_interval_count = 3;
    assert_in_range(run(fixture, 0, &denied), 4 * MINUTE_MS, 5 * MINUTE_MS);
    uint64_t due = executor_now(fixture->executor) + 3 * MINUTE_MS;
    for (int i = 0; i < 5; i++) {
        mailbox_note_own_try(direction, due);
        uint64_t wait = run(fixture, 0, &denied);
        assert_in_range(wait, 3 * MINUTE_MS - 5000, 3 * MINUTE_MS);
    }
    assert_in_range(run(fixture, 0, &denied), 50 * MINUTE_MS, 60 * MINUTE_MS);
}

static void an_own_try_that_fails_in_another_way_counts(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run(fixture, 0, &denied);
    mailbox_note_own_try(direction, executor_now(fixture->executor) + 60 * MINUTE_MS);
    assert_in_range(run(fixture, 0, &unavailable), 1, 2000);
    assert_int_equal(direction->trouble->probe_ms, 0);
}

static const struct failure hanging = {
    .category = FAILURE_STORAGE,
    .scope = FAILURE_SCOPE_MAILBOX,
    .code = "DiskHangs",
    .step = "deliver",
};

/* Its end resolves what was recorded before; what comes between would open an alert. */
static void a_cycle_that_hangs_is_not_counted_when_its_direction_was_switched_off(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    begin(fixture, 0);
    struct cycle cycle = cycle_of(fixture, 0);
    assert_true(outcome_hangs(&cycle, &hanging) != OUTCOME_NEVER);
    assert_int_equal(direction->trouble->failures, 1);
    direction->switched_off = true;
    assert_true(outcome_hangs(&cycle, &hanging) == OUTCOME_NEVER);
    assert_int_equal(direction->trouble->failures, 1);
    direction->switched_off = false;
    end(fixture, 0, NULL);
    assert_null(direction->trouble);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(mailboxes_that_fail_alike_close_the_gate_of_their_profile_once),
        with_mailboxes(mailboxes_that_failed_before_the_start_and_fail_alike_are_the_server),
        with_mailboxes(one_mailbox_that_fails_again_and_again_is_not_the_server),
        with_mailboxes(a_success_between_shows_that_the_server_is_well),
        with_mailboxes(mailboxes_that_fail_in_different_ways_are_not_the_server),
        with_mailboxes(what_is_refused_to_mailboxes_for_good_is_not_the_server),
        with_mailboxes(trouble_of_a_mailbox_is_told_once_and_its_end_once),
        with_mailboxes(an_own_try_of_what_has_stopped_does_not_move_its_probes_on),
        with_mailboxes(an_own_try_that_fails_in_another_way_counts),
        with_mailboxes(a_cycle_that_hangs_is_not_counted_when_its_direction_was_switched_off),
        with_mailboxes(after_a_long_outage_every_folder_is_looked_through_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

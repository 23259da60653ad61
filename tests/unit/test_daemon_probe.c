/* Directions that have stopped: when they are probed, what a probe shows, and when what may pass is
 * taken for what stays. */
#include "daemon_stop_world.h"

static const struct failure unknown_code = {
    .category = FAILURE_SERVER,
    .scope = FAILURE_SCOPE_MAILBOX,
    .http_status = 200,
    .code = "ErrorNobodyHasHeardOf",
    .step = "FindItem",
};

static const struct failure missing_folder = {
    .category = FAILURE_MAILBOX,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 200,
    .code = "FolderMissing",
    .step = "FindFolder",
};

static const struct failure no_route = {
    .category = FAILURE_NETWORK,
    .scope = FAILURE_SCOPE_PROFILE,
    .code = "ECONNREFUSED",
    .step = "FindItem",
};

static void assert_probe_wait(uint64_t wait_ms, uint64_t interval_ms)
{
    assert_in_range(wait_ms, interval_ms - interval_ms / 10, interval_ms);
}

/* --- running a probe --- */

static unsigned ends;
static struct fixture *ending;
static uint64_t wait_after;

static void note_end(struct cycle *cycle)
{
    struct direction *direction =
        cycle->direction == CYCLE_INCOMING ? &cycle->mailbox->incoming : &cycle->mailbox->outgoing;
    ends++;
    wait_after = outcome_settle(&ending->scheduler, direction, cycle);
    cycle->operations->free(cycle);
    direction->cycle = NULL;
    executor_stop(ending->executor);
}

static void answer_what_was_asked(void *argument)
{
    (void)argument;
    answer_all();
}

static void stop(void *executor)
{
    executor_stop(executor);
}

/* From its start to its end. Returns how long the direction waits then. */
static uint64_t run_probe(struct fixture *fixture, struct direction *direction)
{
    struct executor_timer timer = {0};
    ending = fixture;
    ends = 0;
    assert_true(probe_wanted(direction));
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    probe_start(&fixture->context, direction, note_end);
    assert_true(direction->cycle->probe);
    executor_after(fixture->executor, &timer, 1, answer_what_was_asked, NULL);
    executor_run(fixture->executor);
    assert_int_equal(ends, 1);
    return wait_after;
}

/* --- what is probed --- */

static void what_stays_is_probed_and_what_may_pass_is_not(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    assert_false(probe_wanted(direction));
    run_cycle(fixture, direction, &unknown_code);
    assert_false(probe_wanted(direction));
    run_cycle(fixture, direction, &denied);
    assert_true(probe_wanted(direction));
    run_cycle(fixture, direction, NULL);
    assert_false(probe_wanted(direction));
}

/* The server cannot tell whether a disk is writable again. */
static void trouble_of_this_machine_s_storage_is_not_probed(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    const struct failure denies = {.category = FAILURE_STORAGE,
                                   .scope = FAILURE_SCOPE_MAILBOX,
                                   .permanent = true,
                                   .code = "EACCES",
                                   .step = "deliver"};
    assert_probe_wait(run_cycle(fixture, direction, &denies), 5 * MINUTE_MS);
    assert_false(probe_wanted(direction));
}

/* --- what a probe shows --- */

static void a_probe_that_fails_counts_like_a_cycle(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t intervals[] = {15 * MINUTE_MS, HOUR_MS, HOUR_MS};
    struct direction *directions[] = {&fixture->mailboxes[0].incoming,
                                      &fixture->mailboxes[1].outgoing};
    for (size_t d = 0; d < 2; d++) {
        logged_forget();
        server.failure = denied;
        failure_set_step(&server.failure, "GetFolder");
        assert_probe_wait(run_cycle(fixture, directions[d], &denied), 5 * MINUTE_MS);
        for (uint32_t i = 0; i < 3; i++) {
            unsigned recorded = kept.recorded;
            assert_probe_wait(run_probe(fixture, directions[d]), intervals[i]);
            assert_int_equal(directions[d]->trouble->failures, i + 2);
            assert_int_equal(kept.recorded, recorded + 1);
            /* The same failure, though another request met it: one row, one line. */
            assert_string_equal(kept.last.step, "FindItem");
        }
        assert_int_equal(server.probes, 3 * (d + 1));
        assert_int_equal(kept.mailbox_resolved, 0);
    }
}

static void a_probe_that_passes_lets_the_missed_cycle_run_and_resolves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run_cycle(fixture, direction, &denied);
    assert_int_equal(run_probe(fixture, direction), 0);
    assert_non_null(direction->trouble);
    assert_int_equal(kept.mailbox_resolved, 0);
    assert_int_equal(logged_count(MESSAGE_MAILBOX_RESUMED), 0);
    assert_false(probe_wanted(direction));
    run_cycle(fixture, direction, NULL);
    assert_null(direction->trouble);
    assert_int_equal(kept.mailbox_resolved, 1);
    assert_int_equal(logged_count(MESSAGE_MAILBOX_RESUMED), 1);
}

static void what_the_store_could_not_write_is_resolved_by_the_next_success(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    struct direction *other = &fixture->mailboxes[1].incoming;
    kept.resolve_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    run_cycle(fixture, direction, NULL);
    answer_all();
    assert_int_equal(kept.mailbox_resolved, 1);
    assert_int_equal(kept.profile_resolved, 1);
    kept.resolve_failure = (struct failure){0};
    for (int i = 0; i < 2; i++) {
        run_cycle(fixture, direction, NULL);
        answer_all();
        assert_int_equal(kept.mailbox_resolved, 2);
        assert_int_equal(kept.profile_resolved, 2);
    }
    /* A lease that is lost stays lost: trying again would never end. */
    kept.resolve_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_MAILBOX, .code = "LEASE"};
    for (int i = 0; i < 2; i++) {
        run_cycle(fixture, other, NULL);
        answer_all();
        assert_int_equal(kept.mailbox_resolved, 3);
    }
}

static void a_probe_that_passes_is_enough_when_nothing_is_left_to_send(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].outgoing;
    run_cycle(fixture, direction, &denied);
    assert_int_equal(run_probe(fixture, direction), 0);
    run_cycle_with_nothing(fixture, direction);
    assert_null(direction->trouble);
    assert_int_equal(kept.mailbox_resolved, 1);
    run_cycle(fixture, direction, &denied);
    run_cycle_with_nothing(fixture, direction);
    assert_non_null(direction->trouble); /* nothing was asked */
}

/* A probe cannot see that a folder is missing: the cycle can, once an interval. */
static void a_cycle_that_fails_after_a_probe_that_passed_waits_for_the_next_probe(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    const uint64_t intervals[] = {5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS};
    for (size_t i = 0; i < 4; i++) {
        assert_probe_wait(run_cycle(fixture, direction, &missing_folder), intervals[i]);
        assert_int_equal(run_probe(fixture, direction), 0);
    }
    assert_int_equal(direction->trouble->failures, 4);
    assert_int_equal(server.probes, 4);
}

static void a_cycle_that_is_cut_short_after_a_probe_is_probed_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    const struct failure cancelled = failure_cancelled();
    run_cycle(fixture, direction, &denied);
    run_probe(fixture, direction);
    assert_int_equal(run_cycle(fixture, direction, &cancelled), 0);
    assert_true(probe_wanted(direction));
}

static void a_probe_that_meets_something_else_tells_of_that(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run_cycle(fixture, direction, &missing_folder);
    server.failure = denied;
    failure_set_step(&server.failure, "GetFolder");
    run_probe(fixture, direction);
    assert_string_equal(kept.last.code, "ErrorImpersonateUserDenied");
    assert_string_equal(kept.last.step, "GetFolder");
    assert_non_null(strstr(kept.trace, "at testing whether the mailbox can be used again\n"));
    assert_int_equal(logged_count(MESSAGE_MAILBOX_FAILED), 2);
    server.failure = unknown_code;
    assert_in_range(run_probe(fixture, direction), 1, 2000);
    assert_false(probe_wanted(direction)); /* a cycle is next */
}

static void a_probe_shows_that_the_server_is_back(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run_cycle(fixture, direction, &denied);
    run_cycle(fixture, &fixture->mailboxes[1].incoming, &no_route);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    gate_try_now(&fixture->profile.gate);
    run_probe(fixture, direction);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

/* --- its end --- */

static void a_probe_that_is_cancelled_at_any_moment_ends_once(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run_cycle(fixture, direction, &denied);
    for (int moment = 0; moment < 3; moment++) {
        struct executor_timer timer = {0};
        ending = fixture;
        ends = 0;
        direction->gate_generation = gate_enter(&fixture->profile.gate);
        probe_start(&fixture->context, direction, note_end);
        if (moment > 0) { /* until it has asked */
            executor_after(fixture->executor, &timer, 0, stop, fixture->executor);
            executor_run(fixture->executor);
        }
        if (moment > 1)
            answer_all();
        direction->cycle->operations->cancel(direction->cycle);
        direction->cycle->operations->cancel(direction->cycle);
        executor_run(fixture->executor); /* until it has ended */
        assert_int_equal(ends, 1);
        assert_null(direction->cycle);
        assert_int_equal(direction->trouble->failures, 1);
    }
}

static void a_probe_that_is_to_end_before_it_began_asks_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    run_cycle(fixture, direction, &denied);
    ending = fixture;
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    probe_start(&fixture->context, direction, note_end);
    direction->cycle->operations->end_soon(direction->cycle);
    executor_run(fixture->executor);
    assert_int_equal(server.probes, 0);
    assert_true(probe_wanted(direction));
}

/* --- what may pass, and does not --- */

static void what_may_pass_and_comes_too_often_is_taken_for_what_stays(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    for (int i = 1; i <= 7; i++) {
        run_cycle(fixture, direction, &unknown_code);
        assert_false(kept.last.permanent);
        assert_false(probe_wanted(direction));
    }
    assert_int_equal(logged_count(MESSAGE_MAILBOX_FAILED), 7); /* the first, and debugging */
    assert_probe_wait(run_cycle(fixture, direction, &unknown_code), 5 * MINUTE_MS);
    assert_true(kept.last.permanent);
    assert_string_equal(kept.last.code, "ErrorNobodyHasHeardOf");
    server.failure = unknown_code;
    failure_set_step(&server.failure, "GetFolder");
    assert_probe_wait(run_probe(fixture, direction), 15 * MINUTE_MS);
    assert_true(kept.last.permanent);
    memset(&server.failure, 0, sizeof server.failure);
    run_probe(fixture, direction);
    assert_probe_wait(run_cycle(fixture, direction, &unknown_code), HOUR_MS);
    run_probe(fixture, direction);
    run_cycle(fixture, direction, NULL);
    run_cycle(fixture, direction, &unknown_code);
    assert_false(kept.last.permanent); /* it is counted anew */
}

static void what_stays_between_what_may_pass_begins_the_count_anew(void **state)
{
    struct fixture *fixture = *state;
    struct direction *direction = &fixture->mailboxes[0].incoming;
    for (int i = 0; i < 7; i++)
        run_cycle(fixture, direction, &unknown_code);
    run_cycle(fixture, direction, &denied);
    for (int i = 0; i < 7; i++) {
        run_cycle(fixture, direction, &unknown_code);
        assert_false(kept.last.permanent);
    }
}

static void a_server_that_is_away_for_too_long_is_taken_for_gone(void **state)
{
    struct fixture *fixture = *state;
    struct gate *gate = &fixture->profile.gate;
    for (int i = 1; i <= 10; i++) {
        run_cycle(fixture, &fixture->mailboxes[0].incoming, &no_route);
        assert_int_equal(gate->state, GATE_CLOSED);
        assert_int_equal(gate->failure.permanent, i >= 8);
        assert_int_equal(kept.last.permanent, i >= 8);
        uint64_t wait = gate->timer.entry.key - executor_now(fixture->executor);
        if (i >= 8)
            assert_probe_wait(wait, probe_intervals[i - 8]);
        gate_try_now(gate);
    }
    run_cycle(fixture, &fixture->mailboxes[0].incoming, NULL);
    assert_int_equal(gate->state, GATE_OPEN);
    run_cycle(fixture, &fixture->mailboxes[0].incoming, &no_route);
    assert_false(gate->failure.permanent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(what_stays_is_probed_and_what_may_pass_is_not),
        with_mailboxes(trouble_of_this_machine_s_storage_is_not_probed),
        with_mailboxes(a_probe_that_fails_counts_like_a_cycle),
        with_mailboxes(a_probe_that_passes_lets_the_missed_cycle_run_and_resolves_nothing),
        with_mailboxes(what_the_store_could_not_write_is_resolved_by_the_next_success),
        with_mailboxes(a_probe_that_passes_is_enough_when_nothing_is_left_to_send),
        with_mailboxes(a_cycle_that_fails_after_a_probe_that_passed_waits_for_the_next_probe),
        with_mailboxes(a_cycle_that_is_cut_short_after_a_probe_is_probed_for_again),
        with_mailboxes(a_probe_that_meets_something_else_tells_of_that),
        with_mailboxes(a_probe_shows_that_the_server_is_back),
        with_mailboxes(a_probe_that_is_cancelled_at_any_moment_ends_once),
        with_mailboxes(a_probe_that_is_to_end_before_it_began_asks_nothing),
        with_mailboxes(what_may_pass_and_comes_too_often_is_taken_for_what_stays),
        with_mailboxes(what_stays_between_what_may_pass_begins_the_count_anew),
        with_mailboxes(a_server_that_is_away_for_too_long_is_taken_for_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What follows from the end of a cycle for its profile: when the gate closes, what opens it, and
 * how long it stays closed. */
#include "daemon_outcome_world.h"

static const struct failure refused_sign_in = {
    .category = FAILURE_AUTHENTICATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .http_status = 401,
    .code = "HTTP 401",
    .step = "FindItem",
};

static void cycles_from_before_the_gate_closed_do_not_open_it(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 4; i++)
        begin(fixture, i);
    end(fixture, 0, &no_route);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    end(fixture, 1, NULL);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    gate_try_now(&fixture->profile.gate);
    begin(fixture, 4); /* the trial */
    end(fixture, 2, NULL);
    end(fixture, 3, &no_route);
    assert_int_equal(fixture->profile.gate.state, GATE_TRYING);
    assert_false(gate_admits(&fixture->profile.gate)); /* the trial is still under way */
    end(fixture, 4, NULL);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 1);
    assert_int_equal(logged_count(MESSAGE_PROFILE_RESUMED), 1);
}

/* The failure was recorded by others; that row stays open as long as the gate is closed. */
static void cycles_from_before_the_gate_closed_do_not_resolve_its_failure(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 0);
    begin(fixture, 1);
    end(fixture, 0, &no_route);
    assert_int_equal(store_world.profile_rows, 1);
    end(fixture, 1, NULL);
    assert_int_equal(store_world.profile_resolved, 0);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 2, NULL);
    assert_int_equal(store_world.profile_resolved, 1);
    run(fixture, 3, NULL);
    assert_int_equal(store_world.profile_resolved, 1);
}

static void the_first_sign_in_of_a_profile_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &refused_sign_in);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 0);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 1, &denied); /* the mailbox is refused, the account is not */
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 1);
    run(fixture, 2, NULL);
    run(fixture, 0, &refused_sign_in);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 0, NULL);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 1);
}

/* The profile that took its place has resolved what there was: a row from now on would stay. */
static void cycles_of_a_replaced_profile_tell_nothing_about_the_one_in_use(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        begin(fixture, i);
    fixture->profile.current = false;
    end(fixture, 0, NULL);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 0);
    assert_int_equal(store_world.profile_resolved, 0);
    assert_int_equal(end(fixture, 1, &refused_sign_in), 0);
    assert_int_equal(end(fixture, 2, &refused_sign_in), 0);
    assert_int_equal(fixture->profile.gate.state,
                     GATE_CLOSED); /* its password is not tried again */
    assert_int_equal(store_world.profile_rows, 0);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 0);
}

static void a_trial_that_was_cut_short_or_cancelled_makes_room_for_another(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    const struct failure cancelled = failure_cancelled();
    run(fixture, 1, &cancelled);
    assert_true(gate_admits(&fixture->profile.gate));
    begin(fixture, 2);
    assert_false(gate_admits(&fixture->profile.gate));
    struct cycle cycle = cycle_of(fixture, 2);
    cycle.cut_short = true;
    outcome_settle(&fixture->scheduler, &fixture->mailboxes[2].incoming, &cycle);
    assert_int_equal(fixture->profile.gate.state, GATE_TRYING);
    assert_true(gate_admits(&fixture->profile.gate));
    assert_int_equal(store_world.mailbox_rows, 0);
}

/* A mailbox with trouble of its own shows as well as any other that the server is back. */
static void a_trial_that_meets_trouble_of_its_mailbox_opens_the_gate(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 1, &denied);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void a_trial_that_is_unavailable_does_not_open_the_gate(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 1, &unavailable);
    assert_int_not_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_true(fixture->profile.gate.state == GATE_CLOSED || gate_admits(&fixture->profile.gate));
}

static void a_refused_sign_in_waits_a_minute_and_then_an_hour_whatever_is_configured(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t configured[][2] = {{1000, 2000}, {100, 100}, {24 * 3600000, 48 * 3600000}};
    for (size_t i = 0; i < 3; i++) {
        fixture->profile_config.retry_min_ms = configured[i][0];
        fixture->profile_config.retry_max_ms = configured[i][1];
        run(fixture, 0, &refused_sign_in);
        assert_int_equal(gate_wait(fixture, &fixture->profile.gate), MINUTE_MS);
        for (int again = 0; again < 3; again++) {
            gate_try_now(&fixture->profile.gate);
            run(fixture, 1, &refused_sign_in);
            assert_int_equal(gate_wait(fixture, &fixture->profile.gate), 60 * MINUTE_MS);
        }
        gate_try_now(&fixture->profile.gate);
        run(fixture, 2, NULL);
        assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(cycles_from_before_the_gate_closed_do_not_open_it),
        with_mailboxes(cycles_from_before_the_gate_closed_do_not_resolve_its_failure),
        with_mailboxes(the_first_sign_in_of_a_profile_is_told_once),
        with_mailboxes(cycles_of_a_replaced_profile_tell_nothing_about_the_one_in_use),
        with_mailboxes(a_trial_that_was_cut_short_or_cancelled_makes_room_for_another),
        with_mailboxes(a_trial_that_meets_trouble_of_its_mailbox_opens_the_gate),
        with_mailboxes(a_trial_that_is_unavailable_does_not_open_the_gate),
        with_mailboxes(a_refused_sign_in_waits_a_minute_and_then_an_hour_whatever_is_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

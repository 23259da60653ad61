/* Waiting after failures: the pauses, and the gate before work with one common cause of trouble. */
#include "daemon/backoff.h"
#include "daemon/gate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };

static const uint64_t probes_ms[] = {5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS};
static const struct backoff usual = {
    .min_ms = 30000, .max_ms = 60 * MINUTE_MS, .probes_ms = probes_ms, .probe_count = 3};

static void assert_about(uint64_t wait_ms, uint64_t expected_ms)
{
    assert_in_range(wait_ms, expected_ms - expected_ms / 8, expected_ms + expected_ms / 8 + 1);
}

static void transient_failures_wait_twice_as_long_each_time_up_to_the_limit(void **state)
{
    (void)state;
    const struct failure failure = {.category = FAILURE_NETWORK};
    assert_about(backoff_wait(&usual, &failure, 1), 30000);
    assert_about(backoff_wait(&usual, &failure, 2), 60000);
    assert_about(backoff_wait(&usual, &failure, 5), 480000);
    assert_about(backoff_wait(&usual, &failure, 8), 60 * MINUTE_MS);
    assert_about(backoff_wait(&usual, &failure, UINT32_MAX), 60 * MINUTE_MS);
}

static void assert_at_most_a_tenth_before(uint64_t wait_ms, uint64_t interval_ms)
{
    assert_in_range(wait_ms, interval_ms - interval_ms / 10, interval_ms);
}

static void what_stays_is_probed_after_the_intervals_of_which_the_last_repeats(void **state)
{
    (void)state;
    const struct failure failure = {.category = FAILURE_IMPERSONATION, .permanent = true};
    const uint32_t later[] = {3, 4, 1000, UINT32_MAX};
    assert_at_most_a_tenth_before(backoff_wait(&usual, &failure, 1), 5 * MINUTE_MS);
    assert_at_most_a_tenth_before(backoff_wait(&usual, &failure, 2), 15 * MINUTE_MS);
    for (size_t i = 0; i < 4; i++)
        assert_at_most_a_tenth_before(backoff_wait(&usual, &failure, later[i]), 60 * MINUTE_MS);
    const struct backoff slow = {.min_ms = 1000, .max_ms = 2000, .probes_ms = probes_ms + 2, 1};
    assert_at_most_a_tenth_before(backoff_wait(&slow, &failure, 1), 60 * MINUTE_MS);
}

static void a_thousand_mailboxes_are_not_probed_at_the_same_moment(void **state)
{
    (void)state;
    const struct failure failure = {.category = FAILURE_IMPERSONATION, .permanent = true};
    enum { TENTHS = 10, TENTH_MS = 5 * MINUTE_MS / 10 / 10 };
    unsigned in_tenth[TENTHS + 1] = {0};
    for (int i = 0; i < 1000; i++) {
        uint64_t early = 5 * MINUTE_MS - backoff_wait(&usual, &failure, 1);
        in_tenth[early / TENTH_MS]++;
    }
    for (int i = 0; i < TENTHS; i++)
        assert_in_range(in_tenth[i], 30, 200);
}

static void what_the_server_asks_for_is_the_least(void **state)
{
    (void)state;
    const struct failure failure = {.category = FAILURE_THROTTLING,
                                    .retry_after_ms = 2 * 60 * MINUTE_MS};
    assert_true(backoff_wait(&usual, &failure, 1) >= 2 * 60 * MINUTE_MS);
}

static void an_item_out_of_tries_is_still_tried_once_a_day(void **state)
{
    (void)state;
    const struct failure failure = {.category = FAILURE_ITEM};
    assert_about(backoff_item_wait(&usual, &failure, 1, 5), 30000);
    assert_about(backoff_item_wait(&usual, &failure, 5, 5), 24 * 60 * MINUTE_MS);
}

static void note_trying(void *argument)
{
    struct executor **executor = argument;
    executor_stop(*executor);
}

static const struct failure trouble = {.category = FAILURE_NETWORK};

static void a_gate_admits_one_try_after_the_wait_and_opens_with_its_success(void **state)
{
    (void)state;
    struct executor *executor = executor_create();
    struct gate gate;
    gate_init(&gate, executor, note_trying, &executor);
    assert_true(gate_admits(&gate));
    uint32_t work = gate_enter(&gate);

    assert_true(gate_close(&gate, work, &trouble, 1));
    assert_false(gate_close(&gate, work, &trouble, 1)); /* work that was under way when it closed */
    assert_false(gate_admits(&gate));
    executor_run(executor); /* until note_trying */
    assert_true(gate_admits(&gate));
    uint32_t trial = gate_enter(&gate);
    assert_false(gate_admits(&gate));

    assert_true(gate_close(&gate, trial, &trouble, 1));
    assert_int_equal(gate.failures, 2);
    gate_try_now(&gate);
    trial = gate_enter(&gate);
    assert_true(gate_succeed(&gate, trial));
    assert_true(gate_admits(&gate));
    assert_int_equal(gate.failures, 0);
    gate_release(&gate);
    executor_free(executor);
}

static void work_from_before_a_gate_closed_neither_opens_nor_closes_it(void **state)
{
    (void)state;
    struct executor *executor = executor_create();
    struct gate gate;
    gate_init(&gate, executor, note_trying, &executor);
    uint32_t early = gate_enter(&gate);
    assert_true(gate_close(&gate, early, &trouble, 1000));
    assert_false(gate_succeed(&gate, early));
    gate_try_now(&gate);
    assert_false(gate_succeed(&gate, early));
    assert_false(gate_close(&gate, early, &trouble, 1000));
    assert_true(gate_admits(&gate));
    gate_release(&gate);
    executor_free(executor);
}

static void a_trial_that_shows_nothing_makes_room_for_another(void **state)
{
    (void)state;
    struct executor *executor = executor_create();
    struct gate gate;
    gate_init(&gate, executor, note_trying, &executor);
    assert_true(gate_close(&gate, gate_enter(&gate), &trouble, 1000));
    gate_try_now(&gate);
    uint32_t trial = gate_enter(&gate);
    assert_false(gate_admits(&gate));
    gate_leave(&gate, trial);
    assert_true(gate_admits(&gate));
    gate_release(&gate);
    executor_free(executor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transient_failures_wait_twice_as_long_each_time_up_to_the_limit),
        cmocka_unit_test(what_stays_is_probed_after_the_intervals_of_which_the_last_repeats),
        cmocka_unit_test(a_thousand_mailboxes_are_not_probed_at_the_same_moment),
        cmocka_unit_test(what_the_server_asks_for_is_the_least),
        cmocka_unit_test(an_item_out_of_tries_is_still_tried_once_a_day),
        cmocka_unit_test(a_gate_admits_one_try_after_the_wait_and_opens_with_its_success),
        cmocka_unit_test(work_from_before_a_gate_closed_neither_opens_nor_closes_it),
        cmocka_unit_test(a_trial_that_shows_nothing_makes_room_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

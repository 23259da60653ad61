/* What administrators ask of a mailbox first. */
#include "base/clock.h"
#include "base/executor.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { STARTED_MS = 1000, MINUTE_MS = 60000 };

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION, .scope = FAILURE_SCOPE_MAILBOX, .permanent = true};

static struct cycle cycle_that_moved(uint32_t moved, uint32_t failed)
{
    return (struct cycle){.started_wall_ms = STARTED_MS, .moved = moved, .failed = failed};
}

static void a_direction_that_has_told_nothing_is_not_run(void **state)
{
    (void)state;
    struct status status = {0};
    assert_string_equal(status_result_name(status.result), "not run");
    struct cycle cycle = cycle_that_moved(0, 0);
    cycle.cut_short = true;
    status_cycle_ended(&status, &cycle);
    assert_int_equal(status.result, STATUS_NOT_RUN);
    assert_int_equal(status.started_ms, STARTED_MS);
    cycle.cut_short = false;
    cycle.proves_nothing = true;
    status_cycle_ended(&status, &cycle);
    cycle.proves_nothing = false;
    cycle.failure = failure_cancelled();
    status_cycle_ended(&status, &cycle);
    assert_int_equal(status.result, STATUS_NOT_RUN);
    assert_int_equal(status.succeeded_ms, 0);
}

static void a_success_tells_when_and_how_much(void **state)
{
    (void)state;
    struct status status = {0};
    const struct cycle cycle = cycle_that_moved(7, 2);
    int64_t before = clock_wall_ms();
    status_cycle_ended(&status, &cycle);
    assert_string_equal(status_result_name(status.result), "success");
    assert_int_equal(status.started_ms, STARTED_MS);
    assert_true(status.succeeded_ms >= before);
    assert_int_equal(status.processed, 7);
    assert_int_equal(status.failed, 2);
}

static void a_failure_keeps_the_time_of_the_last_success(void **state)
{
    (void)state;
    struct status status = {0};
    struct cycle cycle = cycle_that_moved(7, 0);
    status_cycle_ended(&status, &cycle);
    int64_t succeeded_ms = status.succeeded_ms;
    cycle = cycle_that_moved(1, 0);
    cycle.started_wall_ms = STARTED_MS + MINUTE_MS;
    cycle.failure = denied;
    status_cycle_ended(&status, &cycle);
    assert_string_equal(status_result_name(status.result), "failure");
    assert_int_equal(status.started_ms, STARTED_MS + MINUTE_MS);
    assert_int_equal(status.succeeded_ms, succeeded_ms);
    assert_int_equal(status.processed, 1);
}

static void a_probe_shows_failure_but_never_success(void **state)
{
    (void)state;
    struct status status = {0};
    struct cycle cycle = cycle_that_moved(7, 1);
    cycle.failure = denied;
    status_cycle_ended(&status, &cycle);

    struct cycle probe = {.probe = true, .started_wall_ms = STARTED_MS + MINUTE_MS};
    status_cycle_ended(&status, &probe);
    assert_int_equal(status.result, STATUS_FAILURE);
    assert_int_equal(status.started_ms, STARTED_MS);
    probe.failure = denied;
    status_cycle_ended(&status, &probe);
    assert_int_equal(status.result, STATUS_FAILURE);
    assert_int_equal(status.started_ms, STARTED_MS + MINUTE_MS);
    assert_int_equal(status.processed, 7);
    assert_int_equal(status.failed, 1);
    assert_int_equal(status.succeeded_ms, 0);
}

static void counts_beyond_what_is_kept_do_not_spoil_the_result(void **state)
{
    (void)state;
    struct status status = {0};
    const struct cycle cycle = cycle_that_moved(UINT32_MAX, UINT32_MAX);
    status_cycle_ended(&status, &cycle);
    assert_int_equal(status.result, STATUS_SUCCESS);
    assert_int_equal(status.processed, UINT32_MAX);
    assert_int_equal(status.failed, STATUS_FAILED_MAX);
    assert_true(sizeof status <= 24); /* tens of thousands of them */
}

/* --- next due --- */

static void note_trying(void *argument)
{
    (void)argument;
}

static void assert_due_in(const struct direction *direction, int64_t wait_ms)
{
    int64_t now = clock_wall_ms(); /* some of the wait may be over by now */
    assert_in_range(status_next_due(direction) - now + 1000, wait_ms + 500, wait_ms + 1500);
}

static void the_next_run_is_due_when_the_schedule_and_the_gate_say_so(void **state)
{
    (void)state;
    struct context context = {.executor = executor_create()};
    struct profile profile = {.context = &context};
    struct mailbox mailbox = {.profile = &profile};
    struct direction *direction = &mailbox.incoming;
    direction->mailbox = &mailbox;
    gate_init(&profile.gate, context.executor, note_trying, NULL);
    uint64_t now = executor_now(context.executor);

    assert_true(status_next_due(direction) == INT64_MAX);
    direction->state = DIRECTION_WAITING;
    direction->due.key = now + 5 * MINUTE_MS;
    assert_due_in(direction, 5 * MINUTE_MS);
    direction->state = DIRECTION_READY;
    assert_due_in(direction, 0);
    direction->state = DIRECTION_RUNNING;
    assert_due_in(direction, 0);

    gate_close(&profile.gate, gate_enter(&profile.gate), &denied, 60 * MINUTE_MS);
    assert_due_in(direction, 0); /* it runs all the same */
    direction->state = DIRECTION_READY;
    assert_due_in(direction, 60 * MINUTE_MS);
    direction->state = DIRECTION_WAITING;
    assert_due_in(direction, 60 * MINUTE_MS);
    direction->due.key = now + 90 * MINUTE_MS;
    assert_due_in(direction, 90 * MINUTE_MS);
    gate_release(&profile.gate);
    executor_free(context.executor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direction_that_has_told_nothing_is_not_run),
        cmocka_unit_test(a_success_tells_when_and_how_much),
        cmocka_unit_test(a_failure_keeps_the_time_of_the_last_success),
        cmocka_unit_test(a_probe_shows_failure_but_never_success),
        cmocka_unit_test(counts_beyond_what_is_kept_do_not_spoil_the_result),
        cmocka_unit_test(the_next_run_is_due_when_the_schedule_and_the_gate_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What holds the loop is told in builds with EXSYNC_MEASURE_LOOP, and in no other. */
#include "base/clock.h"
#include "base/executor.h"
#include "base/executor_uv.h"
#include "base/memory.h"
#include "tests/unit/base_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#ifdef EXSYNC_MEASURE_LOOP
static const int measured = 1;
#else
static const int measured = 0;
#endif

static const long HELD_NS = 3L * EXECUTOR_CALLBACK_LIMIT_MS * 1000000 / 2;

static void stop(void *argument)
{
    executor_stop(argument);
}

static void sleep_and_stop(void *argument)
{
    struct timespec time = {.tv_nsec = HELD_NS};
    nanosleep(&time, NULL);
    executor_stop(argument);
}

static void compute_and_stop(void *argument)
{
    struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < HELD_NS);
    executor_stop(argument);
}

static void work_nothing(void *argument)
{
    (void)argument;
}

static void assert_told(const char *text, const char *kind)
{
    if (!measured) {
        assert_string_equal(text, "");
        return;
    }
    char begin[64];
    snprintf(begin, sizeof begin, "loop blocked: %s", kind);
    assert_memory_equal(text, begin, strlen(begin));
    assert_non_null(strstr(text, " held the loop "));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_timer_that_waits_in_the_kernel_is_told(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct executor *executor = executor_create();
    struct executor_timer timer = {0};
    executor_after(executor, &timer, 1, sleep_and_stop, executor);
    executor_run(executor);
    executor_free(executor);
    char *text = capture_end(&capture);
    assert_told(text, "timer");
    memory_free(text);
}

static void a_deferred_call_that_computes_too_long_is_told(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct executor *executor = executor_create();
    struct executor_call call = {0};
    executor_defer(executor, &call, compute_and_stop, executor);
    executor_run(executor);
    executor_free(executor);
    char *text = capture_end(&capture);
    assert_told(text, "deferred call");
    memory_free(text);
}

static void the_completion_of_a_job_is_measured_too(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct executor *executor = executor_create();
    struct executor_pool *pool = executor_pool_create(executor, "test", 1);
    struct executor_job job = {0};
    executor_pool_submit(pool, NULL, &job, work_nothing, sleep_and_stop, executor);
    executor_run(executor);
    executor_pool_free(pool, 1000);
    executor_free(executor);
    char *text = capture_end(&capture);
    assert_told(text, "posted call");
    memory_free(text);
}

static void a_bracket_of_others_is_told_by_their_name(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct executor *executor = executor_create();
    struct executor_measure measure;
    executor_measure_begin(&measure);
    sleep_and_stop(executor);
    executor_measure_end(&measure, "socket");
    executor_free(executor);
    char *text = capture_end(&capture);
    assert_told(text, "socket held the loop ");
    memory_free(text);
}

static void a_loop_that_waits_for_its_next_timer_is_not_blocked(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    struct executor *executor = executor_create();
    struct executor_timer timer = {0};
    executor_after(executor, &timer, 2 * EXECUTOR_CALLBACK_LIMIT_MS, stop, executor);
    executor_run(executor);
    executor_free(executor);
    char *text = capture_end(&capture);
    assert_string_equal(text, "");
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_that_waits_in_the_kernel_is_told),
        cmocka_unit_test(a_deferred_call_that_computes_too_long_is_told),
        cmocka_unit_test(the_completion_of_a_job_is_measured_too),
        cmocka_unit_test(a_bracket_of_others_is_told_by_their_name),
        cmocka_unit_test(a_loop_that_waits_for_its_next_timer_is_not_blocked),
    };
    return cmocka_run_group_tests_name("base/measure", tests, NULL, NULL);
}

/* For the daemon's tests: time that passes only when the test says so, and timers that keep to it.
 * To be included by one file of a test that needs no other part of the executor. */
#ifndef EXSYNC_TESTS_DAEMON_CLOCK_H
#define EXSYNC_TESTS_DAEMON_CLOCK_H

#include "base/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, TIMERS_MAX = 8 };

static const int64_t NOON_MS = INT64_C(1700000000000);

static int64_t wall_ms;

/* What base/clock.c asks. */
int clock_gettime(clockid_t which, struct timespec *now)
{
    (void)which;
    now->tv_sec = (time_t)(wall_ms / SECOND_MS);
    now->tv_nsec = (long)(wall_ms % SECOND_MS) * 1000000;
    return 0;
}

static struct {
    struct executor_timer *timer; /* NULL: the place is free */
    int64_t due_ms;
} timers[TIMERS_MAX];

void executor_cancel_timer(struct executor *executor, struct executor_timer *timer)
{
    (void)executor;
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        if (timers[i].timer == timer)
            timers[i].timer = NULL;
    }
}

void executor_after(struct executor *executor, struct executor_timer *timer, uint64_t delay_ms,
                    void (*callback)(void *argument), void *argument)
{
    size_t place = 0;
    executor_cancel_timer(executor, timer);
    while (place < TIMERS_MAX && timers[place].timer != NULL)
        place++;
    assert_true(place < TIMERS_MAX);
    timer->callback = callback;
    timer->argument = argument;
    timers[place].timer = timer;
    timers[place].due_ms = wall_ms + (int64_t)delay_ms;
}

uint64_t executor_now(const struct executor *executor)
{
    (void)executor;
    return (uint64_t)wall_ms;
}

bool executor_timer_pending(const struct executor_timer *timer)
{
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        if (timers[i].timer == timer)
            return true;
    }
    return false;
}

static inline unsigned timers_running(void)
{
    unsigned running = 0;
    for (size_t i = 0; i < TIMERS_MAX; i++)
        running += timers[i].timer != NULL;
    return running;
}

/* Time goes on to the next timer that is due until then, which runs. False: there is none, and it
 * is then. */
static inline bool clock_pass_to_timer(int64_t until_ms)
{
    size_t first = TIMERS_MAX;
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        bool earlier = first == TIMERS_MAX || timers[i].due_ms < timers[first].due_ms;
        if (timers[i].timer != NULL && timers[i].due_ms <= until_ms && earlier)
            first = i;
    }
    if (first == TIMERS_MAX) {
        wall_ms = until_ms;
        return false;
    }
    struct executor_timer *timer = timers[first].timer;
    if (timers[first].due_ms > wall_ms)
        wall_ms = timers[first].due_ms;
    timers[first].timer = NULL;
    timer->callback(timer->argument);
    return true;
}

#endif

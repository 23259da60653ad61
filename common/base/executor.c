#include "base/executor.h"

#include "base/executor_private.h"
#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { FREE_PATIENCE_MS = 2000 };

/* libuv refuses these only when the process has no file descriptors or memory left before it has
 * begun its work. */
static void executor_require(int result, const char *what)
{
    if (result == 0)
        return;
    fprintf(stderr, "exsyncd: cannot start the loop: %s: %s\n", what, uv_strerror(result));
    abort();
}

static void executor_call_back(struct executor *executor, const char *kind,
                               void (*callback)(void *argument), void *argument)
{
    struct executor_measure measure;
    executor_measure_begin(&measure);
    executor->current = callback;
    callback(argument);
    executor_measure_end_callback(&measure, kind, executor->current);
}

/* --- timers --- */

static void executor_fire_timers(uv_timer_t *clock);

static void executor_arm(struct executor *executor)
{
    if (executor->firing)
        return;
    struct heap_entry *first = heap_top(&executor->timers);
    if (first == NULL) {
        uv_timer_stop(&executor->clock);
        executor->armed_for = 0;
        return;
    }
    if (first->key == executor->armed_for)
        return;
    uint64_t now = uv_now(&executor->loop);
    uint64_t delay = first->key > now ? first->key - now : 0;
    uv_timer_start(&executor->clock, executor_fire_timers, delay, 0);
    executor->armed_for = first->key;
}

static void executor_fire_timers(uv_timer_t *clock)
{
    struct executor *executor = clock->data;
    uint64_t now = uv_now(&executor->loop);
    executor->armed_for = 0;
    executor->firing = true;
    struct heap_entry *first;
    /* One at a time from the top: a callback may cancel, restart or free any other timer. */
    while ((first = heap_top(&executor->timers)) != NULL && first->key <= now) {
        struct executor_timer *timer = heap_container(first, struct executor_timer, entry);
        heap_remove(&executor->timers, first);
        executor_call_back(executor, "timer", timer->callback, timer->argument);
    }
    executor->firing = false;
    executor_arm(executor);
}

void executor_after(struct executor *executor, struct executor_timer *timer, uint64_t delay_ms,
                    void (*callback)(void *argument), void *argument)
{
    /* Outside the loop its time stands still; a timer started after long preparations would be due
     * at once. */
    if (!executor->running)
        uv_update_time(&executor->loop);
    /* At least 1 while timers fire: one that restarts itself without delay would keep the loop
     * from everything else. */
    if (delay_ms == 0 && executor->firing)
        delay_ms = 1;
    uint64_t now = uv_now(&executor->loop);
    uint64_t due = delay_ms > UINT64_MAX - now ? UINT64_MAX : now + delay_ms;
    timer->callback = callback;
    timer->argument = argument;
    if (heap_contains(&timer->entry))
        heap_update(&executor->timers, &timer->entry, due);
    else
        heap_insert(&executor->timers, &timer->entry, due);
    executor_arm(executor);
}

void executor_cancel_timer(struct executor *executor, struct executor_timer *timer)
{
    if (!heap_contains(&timer->entry))
        return;
    heap_remove(&executor->timers, &timer->entry);
    executor_arm(executor);
}

bool executor_timer_pending(const struct executor_timer *timer)
{
    return heap_contains(&timer->entry);
}

/* --- deferred calls --- */

static void executor_run_deferred(uv_idle_t *idle)
{
    struct executor *executor = idle->data;
    /* What is deferred from here on stands behind the mark and waits for the next turn. */
    struct executor_call mark = {0};
    TAILQ_INSERT_TAIL(&executor->deferred, &mark, entries);
    struct executor_call *call;
    while ((call = TAILQ_FIRST(&executor->deferred)) != &mark) {
        TAILQ_REMOVE(&executor->deferred, call, entries);
        call->pending = false;
        executor_call_back(executor, "deferred call", call->callback, call->argument);
    }
    TAILQ_REMOVE(&executor->deferred, &mark, entries);
    if (TAILQ_EMPTY(&executor->deferred))
        uv_idle_stop(&executor->idle);
}

void executor_defer(struct executor *executor, struct executor_call *call,
                    void (*callback)(void *argument), void *argument)
{
    if (call->pending)
        return;
    call->callback = callback;
    call->argument = argument;
    call->pending = true;
    TAILQ_INSERT_TAIL(&executor->deferred, call, entries);
    uv_idle_start(&executor->idle, executor_run_deferred);
}

void executor_cancel_call(struct executor *executor, struct executor_call *call)
{
    if (!call->pending)
        return;
    TAILQ_REMOVE(&executor->deferred, call, entries);
    call->pending = false;
    if (TAILQ_EMPTY(&executor->deferred))
        uv_idle_stop(&executor->idle);
}

bool executor_has_deferred(const struct executor *executor)
{
    return !TAILQ_EMPTY(&executor->deferred);
}

/* --- posted calls --- */

/* Takes the first posted call out; false when it is the mark, which then is gone. */
static bool executor_take_posted(struct executor *executor, struct executor_call *mark,
                                 struct executor_call *taken)
{
    pthread_mutex_lock(&executor->mutex);
    struct executor_call *call = TAILQ_FIRST(&executor->posted);
    TAILQ_REMOVE(&executor->posted, call, entries);
    call->posted = false;
    *taken = *call; /* its owner may post it again, or free it, as soon as it runs */
    pthread_mutex_unlock(&executor->mutex);
    return call != mark;
}

static void executor_run_posted(uv_async_t *wake)
{
    struct executor *executor = wake->data;
    /* Calls posted while these run stand behind the mark; each has woken the loop again. */
    struct executor_call mark = {0};
    pthread_mutex_lock(&executor->mutex);
    TAILQ_INSERT_TAIL(&executor->posted, &mark, entries);
    pthread_mutex_unlock(&executor->mutex);
    struct executor_call call;
    while (executor_take_posted(executor, &mark, &call))
        executor_call_back(executor, "posted call", call.callback, call.argument);
}

void executor_post(struct executor *executor, struct executor_call *call,
                   void (*callback)(void *argument), void *argument)
{
    pthread_mutex_lock(&executor->mutex);
    assert(!call->posted);
    call->callback = callback;
    call->argument = argument;
    call->posted = true;
    TAILQ_INSERT_TAIL(&executor->posted, call, entries);
    /* Under the mutex: once the call can run, its callback may lead to executor_free. */
    uv_async_send(&executor->wake);
    pthread_mutex_unlock(&executor->mutex);
}

void executor_unpost(struct executor *executor, struct executor_call *call)
{
    pthread_mutex_lock(&executor->mutex);
    if (call->posted)
        TAILQ_REMOVE(&executor->posted, call, entries);
    call->posted = false;
    pthread_mutex_unlock(&executor->mutex);
}

/* --- signals --- */

static void executor_take_signal(uv_signal_t *handle, int signal_number)
{
    (void)signal_number;
    struct executor_signal *signal = handle->data;
    executor_call_back(signal->executor, "signal", signal->callback, signal->argument);
}

void executor_on_signal(struct executor *executor, int signal_number,
                        void (*callback)(void *argument), void *argument)
{
    struct executor_signal *signal = memory_allocate(sizeof *signal);
    signal->executor = executor;
    signal->callback = callback;
    signal->argument = argument;
    executor_require(uv_signal_init(&executor->loop, &signal->handle), "signal handler");
    signal->handle.data = signal;
    executor_require(uv_signal_start(&signal->handle, executor_take_signal, signal_number),
                     "signal handler");
    SLIST_INSERT_HEAD(&executor->signals, signal, entries);
}

/* --- the loop --- */

struct executor *executor_create(void)
{
    struct executor *executor = memory_allocate(sizeof *executor);
    TAILQ_INIT(&executor->deferred);
    TAILQ_INIT(&executor->posted);
    SLIST_INIT(&executor->signals);
    pthread_mutex_init(&executor->mutex, NULL);
    executor_require(uv_loop_init(&executor->loop), "loop");
    executor_require(uv_timer_init(&executor->loop, &executor->clock), "timer");
    executor_require(uv_idle_init(&executor->loop, &executor->idle), "deferred calls");
    executor_require(uv_async_init(&executor->loop, &executor->wake, executor_run_posted), "wake");
    executor->clock.data = executor;
    executor->idle.data = executor;
    executor->wake.data = executor;
    return executor;
}

void executor_run(struct executor *executor)
{
    executor->running = true;
    uv_run(&executor->loop, UV_RUN_DEFAULT); /* `wake` keeps it going when nothing else is there */
    executor->running = false;
}

void executor_stop(struct executor *executor)
{
    uv_stop(&executor->loop);
}

uint64_t executor_now(const struct executor *executor)
{
    return uv_now(&executor->loop);
}

uv_loop_t *executor_uv_loop(struct executor *executor)
{
    return &executor->loop;
}

static void executor_patience_ends(uv_timer_t *clock)
{
    *(bool *)clock->data = true;
}

/* Lets libuv finish with its handles. False when something on the loop is still busy. */
static bool executor_close_loop(struct executor *executor)
{
    uv_close((uv_handle_t *)&executor->idle, NULL);
    uv_close((uv_handle_t *)&executor->wake, NULL);
    struct executor_signal *signal;
    SLIST_FOREACH(signal, &executor->signals, entries)
    uv_close((uv_handle_t *)&signal->handle, NULL);

    /* The timer limits the wait without being waited for. */
    bool impatient = false;
    executor->clock.data = &impatient;
    uv_update_time(&executor->loop);
    uv_timer_start(&executor->clock, executor_patience_ends, FREE_PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)&executor->clock);
    while (!impatient && uv_loop_alive(&executor->loop))
        uv_run(&executor->loop, UV_RUN_ONCE);

    uv_close((uv_handle_t *)&executor->clock, NULL);
    uv_run(&executor->loop, UV_RUN_NOWAIT);
    return uv_loop_close(&executor->loop) == 0;
}

void executor_free(struct executor *executor)
{
    assert(!executor->running);
    /* The handles stay in the heap's and the signals' memory until libuv has let go of them. */
    if (!executor_close_loop(executor))
        return;
    while (!SLIST_EMPTY(&executor->signals)) {
        struct executor_signal *signal = SLIST_FIRST(&executor->signals);
        SLIST_REMOVE_HEAD(&executor->signals, entries);
        memory_free(signal);
    }
    heap_release(&executor->timers);
    pthread_mutex_destroy(&executor->mutex);
    memory_free(executor);
}

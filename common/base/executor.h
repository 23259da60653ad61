/* One loop, and the way off it.
 *
 *   executor  the thread that runs the loop: timers, deferred calls, signals, completions. Nothing
 *             that can block runs on it.
 *   timer     calls back once, some milliseconds from now, on the loop
 *   job       work for another thread, with a completion on the loop
 *   pool      threads that run jobs
 *   lane      a class of jobs within a pool of which only a few may run at a time: one lane for
 *             each file system, so that a hung one never takes all threads
 *
 * Timers and jobs are embedded in the structs that use them and must stay where they are while they
 * are pending. All functions are called on the loop's thread unless they say otherwise.
 *
 * In a build with EXSYNC_MEASURE_LOOP every callback is measured; one that held the loop longer
 * than EXECUTOR_CALLBACK_LIMIT_MS, by its own computing or by waiting in the kernel (time in which
 * other processes had the processor does not count), is reported on standard error in a line that
 * begins with "loop blocked:", which fails the tests. */
#ifndef EXSYNC_BASE_EXECUTOR_H
#define EXSYNC_BASE_EXECUTOR_H

#include "base/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { EXECUTOR_CALLBACK_LIMIT_MS = 20 };

struct executor;

struct executor *executor_create(void);

/* Runs callbacks until executor_stop was called and the turn in which it was called is over;
 * returns to the caller then. What is still pending stays so and goes on in another executor_run.
 */
void executor_run(struct executor *executor);
void executor_stop(struct executor *executor);

/* Pools must be freed before. Timers, deferred and posted calls that are still pending are
 * forgotten. What http/ put on the loop must have been closed; a name look-up that hangs is given
 * two seconds, after which the loop's memory is left alone, which is only right when the process
 * ends. */
void executor_free(struct executor *executor);

/* The loop's own monotonic time in milliseconds, read once a turn. */
uint64_t executor_now(const struct executor *executor);

/* --- timers --- */

struct executor_timer {
    struct heap_entry entry;
    void (*callback)(void *argument);
    void *argument;
};

/* Starts or restarts a timer. One that a timer's callback starts runs in a later turn, with a delay
 * of 0 too. Timers that are due at the same millisecond run in no particular order. */
void executor_after(struct executor *executor, struct executor_timer *timer, uint64_t delay_ms,
                    void (*callback)(void *argument), void *argument);

/* Stops a timer; one that is not running is fine. */
void executor_cancel_timer(struct executor *executor, struct executor_timer *timer);
bool executor_timer_pending(const struct executor_timer *timer);

/* --- deferred calls: the next turn of the loop, in the order in which they were deferred --- */

struct executor_call {
    TAILQ_ENTRY(executor_call) entries;
    void (*callback)(void *argument);
    void *argument;
    bool pending; /* deferred and not yet begun */
    bool posted;  /* the same of executor_post; guarded by the executor's mutex */
};

/* Deferring a call that is pending already does nothing. */
void executor_defer(struct executor *executor, struct executor_call *call,
                    void (*callback)(void *argument), void *argument);
void executor_cancel_call(struct executor *executor, struct executor_call *call);
/* Whether any is pending; always true within one. */
bool executor_has_deferred(const struct executor *executor);

/* Any thread: runs `callback` on the loop. The call must stay until it ran; it cannot be cancelled.
 */
void executor_post(struct executor *executor, struct executor_call *call,
                   void (*callback)(void *argument), void *argument);

/* --- signals --- */

/* Calls back on the loop for each delivery of the signal, until executor_free. */
void executor_on_signal(struct executor *executor, int signal_number,
                        void (*callback)(void *argument), void *argument);

/* --- folders that are watched --- */

struct executor_watch;

/* Calls back on the loop some time after files were made or removed in the folder, or were renamed
 * into it or out of it, by whomever; several changes may be one call, and changes of content are
 * none. NULL when the folder cannot be watched (it is not there, or the kernel's limit of watches
 * is reached; `*error` is the errno): a net of periodic looks is needed anyway, also when the
 * folder itself is moved away. The folder is opened on the loop: to be on this machine's own disk.
 */
struct executor_watch *executor_watch_create(struct executor *executor, const char *path,
                                             void (*callback)(void *argument), void *argument,
                                             int *error);
/* Before executor_free, and also from within the callback. NULL is allowed. */
void executor_watch_free(struct executor_watch *watch);

/* --- jobs off the loop --- */

struct executor_pool;
struct executor_lane;

struct executor_job {
    void (*work)(void *argument); /* on a thread of the pool */
    void (*done)(
        void *argument); /* on the loop, after work; the job may be freed or reused in it */
    void *argument;
    struct executor_call completion;
    struct executor_lane *lane;
    TAILQ_ENTRY(executor_job) entries;
};

/* Threads start when there is work and end after some idle seconds; at most `threads` of them. */
struct executor_pool *executor_pool_create(struct executor *executor, const char *name,
                                           size_t threads);

/* Waits at most `patience_ms` for running jobs and calls `done` for all that came to their end;
 * those not begun are dropped without `done`, also those that a `done` submits meanwhile. Returns
 * false when jobs still hang (a dead NFS mount): their memory must then be left alone, and so must
 * the pool. */
bool executor_pool_free(struct executor_pool *pool, uint64_t patience_ms);

/* The lane called `name`, made when it is asked for first; at most `limit` of its jobs run at a
 * time (the first caller's limit stays). Lives as long as the pool. */
struct executor_lane *executor_pool_lane(struct executor_pool *pool, const char *name,
                                         size_t limit);

/* Queues the job behind those of its lane. `lane` NULL means no limit but the threads. */
void executor_pool_submit(struct executor_pool *pool, struct executor_lane *lane,
                          struct executor_job *job, void (*work)(void *argument),
                          void (*done)(void *argument), void *argument);

/* Jobs whose `done` was not yet called, for a stop that waits for them. */
size_t executor_pool_pending(const struct executor_pool *pool);

#endif

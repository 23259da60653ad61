/* When which mailbox has its turn.
 *
 * Directions wait in a heap by the time at which they are due; when it comes they queue in their
 * profile, which starts as many cycles as its places and its gate allow, those first that have been
 * due longest. A direction is in exactly one place at a time, so it never has two cycles. The gate
 * for storage stands before all profiles: it closes when this machine's own disk or database fails.
 */
#ifndef EXSYNC_DAEMON_SCHEDULER_H
#define EXSYNC_DAEMON_SCHEDULER_H

#include "daemon/context.h"
#include "daemon/gate.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

struct scheduler {
    const struct context *context;
    struct heap due;
    struct executor_timer timer;
    struct executor_call dispatch;
    struct profile_list profiles; /* all, those too that only wait for their last cycle to end */
    struct gate storage;
    struct direction_queue running_directions;
    uint32_t running;
    bool stopping;
    /* Starts a cycle; the direction's cycle is set before it returns. */
    void (*start)(struct scheduler *scheduler, struct direction *direction);
    void *owner;
};

/* `try_storage` is called when the wait of the storage gate is over: it finds out whether the store
 * can be written and tells the gate. */
void scheduler_init(struct scheduler *scheduler, const struct context *context,
                    void (*start)(struct scheduler *scheduler, struct direction *direction),
                    void (*try_storage)(void *scheduler), void *owner);
void scheduler_release(struct scheduler *scheduler);

/* A direction that is off becomes due after `delay_ms`. */
void scheduler_add(struct scheduler *scheduler, struct direction *direction, uint64_t delay_ms);

/* Takes a direction out, wherever it waits. Not while it runs. */
void scheduler_remove(struct scheduler *scheduler, struct direction *direction);

/* Tells that the direction's cycle has ended. The direction is off then. */
void scheduler_ended(struct scheduler *scheduler, struct direction *direction,
                     struct profile *profile);

/* Looks for work at the next turn of the loop: after a gate opened or a place became free. */
void scheduler_wake(struct scheduler *scheduler);

/* For how long, in milliseconds, the direction that is due first has waited to be taken out of the
 * schedule; 0: none has. Always some milliseconds, unless the loop or its timers hang. */
uint64_t scheduler_overdue_ms(const struct scheduler *scheduler);

/* Starts nothing more. */
void scheduler_stop(struct scheduler *scheduler);

#endif

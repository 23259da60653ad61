/* A claim: a direction of a mailbox is kept still while something is changed that a cycle works on.
 *
 * It is out of the schedule from the start of the claim on, and a cycle that runs is asked to end.
 * When none runs the claim is ready; from then to its end no cycle of the direction starts. When
 * the direction would be due is kept meanwhile, in its key: what a cycle that has just failed is to
 * wait for, too. The other direction goes on.
 *
 * Reloads go on as well: the mailbox changes over as if nothing were claimed, but is not freed. */
#ifndef EXSYNC_DAEMON_CLAIM_H
#define EXSYNC_DAEMON_CLAIM_H

#include "daemon/service_private.h"

#include <stdbool.h>

enum { CLAIM_PATIENCE_MS = 30 * 1000 };

struct claim {
    /* Set by the caller. */
    struct service *service;
    struct direction *direction;
    /* From the loop, never from within the start. Not `still`: the cycle has not ended within
     * CLAIM_PATIENCE_MS (a disk that does not answer); the claim is to be ended then, too. */
    void (*ready)(struct claim *claim, bool still);
    void *argument;

    /* Private. */
    struct service_watcher watcher;
    bool watching;
    struct executor_call call;
    struct executor_timer patience;
};

void claim_start(struct claim *claim);

/* At any time after the start, once. With the last claim's end the direction goes back into the
 * schedule, `now` or when it was due. */
void claim_end(struct claim *claim, bool now);

#endif

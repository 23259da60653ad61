/* Removing from the outbox's folders queue and kept what was sent, or left to a person, when a kill
 * came between the store's commit and the removal of the file. At the start, before anything is
 * taken in.
 *
 * What lies there and the store does not know (unrecorded.h) is warned of, with the command that
 * deals with it. */
#ifndef EXSYNC_DAEMON_SWEEP_H
#define EXSYNC_DAEMON_SWEEP_H

#include "daemon/context.h"
#include "daemon/unrecorded.h"

#include <stddef.h>

struct sweep {
    /* Set by the caller. */
    const struct context *context;
    void (*done)(struct sweep *sweep, const struct failure *failure);
    void *argument;

    size_t unknown; /* messages, to the store; when it is done */

    struct unrecorded unrecorded; /* private */
};

void sweep_start(struct sweep *sweep);

#endif

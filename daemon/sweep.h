/* Removing from the outbox's folders queue and kept what was sent, or left to a person, when a kill
 * came between the store's commit and the removal of the file. At the start, before anything is
 * taken in.
 *
 * What lies in kept was told to the store: when the store does not know it, the database was lost
 * or replaced by an older one, and whether it was sent, nobody knows. A warning names the command
 * that looks for it in Exchange and takes it in anew. */
#ifndef EXSYNC_DAEMON_SWEEP_H
#define EXSYNC_DAEMON_SWEEP_H

#include "daemon/context.h"

#include <stddef.h>
#include <stdint.h>

struct sweep {
    /* Set by the caller. */
    const struct context *context;
    void (*done)(struct sweep *sweep, const struct failure *failure);
    void *argument;

    size_t unknown; /* in kept, to the store; when it is done */

    /* Private. */
    enum outbox_part part; /* the folder that is looked at */
    char (*ids)[OUTBOX_ID_SIZE];
    const char **pointers;
    uint8_t *states;
    size_t count;
};

void sweep_start(struct sweep *sweep);

#endif

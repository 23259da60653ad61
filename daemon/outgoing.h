/* The outgoing cycle: one mailbox's queued mail, from the outbox's queue to the server.
 *
 *   load      the submissions that are due, from the store
 *   settle    those in doubt (settle.h)
 *   dispatch  the queued ones are made drafts and sent (dispatch.h)
 *   refuse    what the server will not send, and what is given up, goes to failed/, for a person to
 *             decide (refuse.h)
 *   tidy      stray drafts of what was sent or given up are removed (tidy.h)
 *
 * Each step is a function of outgoing.c, the last one first. */
#ifndef EXSYNC_DAEMON_OUTGOING_H
#define EXSYNC_DAEMON_OUTGOING_H

#include "daemon/cycle.h"
#include "daemon/mailbox.h"

/* Starts a cycle and makes it direction->cycle. It ends through `on_end`, from the loop, never from
 * within the start; cycle->operations->free is to be called after. */
void outgoing_start(const struct context *context, struct direction *direction,
                    void (*on_end)(struct cycle *cycle));

#endif

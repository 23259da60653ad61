/* The incoming cycle: one mailbox's new mail, from the server to the sink.
 *
 *   prepare   what the store remembers of the folders, and the items with something left to do
 *   recover   the sink is opened; what was committed before a crash is published
 *   folders   one after the other: find what is new, take it, remember how far; part of a complete
 *             pass
 *   retry     items that failed earlier and are due
 *   settle    what was delivered but not yet acknowledged
 *
 * Each step is a function below in incoming.c, in this order. */
#ifndef EXSYNC_DAEMON_INCOMING_H
#define EXSYNC_DAEMON_INCOMING_H

#include "daemon/cycle.h"
#include "daemon/mailbox.h"

/* Starts a cycle and makes it direction->cycle. It ends through `on_end`, from the loop, never from
 * within the start; cycle->operations->free is to be called after. */
void incoming_start(const struct context *context, struct direction *direction,
                    void (*on_end)(struct cycle *cycle));

#endif

/* Redelivery: what a mailbox was sent since some time is delivered again.
 *
 * The ledger, which makes a second delivery impossible, forgets what was received since then and
 * delivered, and a complete pass of the folders finds what is still in them. It is counted first.
 * What was published before stays where it is. What is being delivered, or has failed, is left to
 * the cycles. A mailbox has one redelivery at a time: another is refused. A kill in between leaves
 * a part forgotten and the pass under way: that part is delivered again, and the rest is not. */
#ifndef EXSYNC_DAEMON_REDELIVERY_H
#define EXSYNC_DAEMON_REDELIVERY_H

#include "daemon/claim.h"
#include "store/store_actions.h"

#include <stdbool.h>
#include <stdint.h>

struct redelivery {
    /* Set by the caller. */
    struct service *service;
    int64_t since_ms;
    bool dry_run; /* it is counted, and that is all */
    uint32_t user;
    /* `count` and `since_ms` are known; since_ms is later than was asked for where the mailbox
     * takes no earlier mail. */
    void (*counted)(struct redelivery *redelivery);
    /* From the loop, never from within the start. `count`: forgotten. */
    void (*done)(struct redelivery *redelivery, const struct failure *failure);
    void *argument;

    uint64_t count;

    /* Private. */
    struct store_mailbox mailbox;
    char *address; /* owned, as the next */
    char *profile;
    struct claim claim;
    bool claimed;
    bool waiting; /* for the store */
    bool cancelled;
    struct store_redelivery slice;
};

void redelivery_start(struct redelivery *redelivery, const struct mailbox *mailbox);

/* Forgets nothing more. `done` comes with the failure "cancelled", when the store has answered, or
 * at once. */
void redelivery_cancel(struct redelivery *redelivery);

#endif

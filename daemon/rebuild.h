/* Comparing a Maildir with the ledger.
 *
 * After a backup was put back, the ledger does not know what was delivered since it was made. The
 * files that are still in new/ and cur/ tell it by their names (mail/maildir_name.h): each one
 * whose message the ledger does not have, or has as failed, counts as delivered from then on. Until
 * this is done the mailbox fetches nothing. What consumers have taken away since, and is still in
 * the folders of Exchange, cannot be known: it is delivered once more. */
#ifndef EXSYNC_DAEMON_REBUILD_H
#define EXSYNC_DAEMON_REBUILD_H

#include "daemon/cycle.h"
#include "mail/sink.h"
#include "store/store_restore.h"

#include <stdbool.h>

struct rebuild {
    /* Set by the caller. */
    struct cycle *cycle;
    struct sink *sink; /* opened */
    void (*done)(struct rebuild *rebuild, const struct failure *failure);
    void *argument;
    bool cancelled; /* may be set at any time: it ends when the disk or the store has answered */

    /* Private. */
    struct sink_listing *listing; /* owned, as the next */
    struct store_published *files;
    struct store_comparison comparison;
    uint64_t looked_at;
};

void rebuild_start(struct rebuild *rebuild);

/* What a page of a Maildir tells the store; `files` holds SINK_LIST_MAX. */
void rebuild_fill(struct store_published *files, const struct sink_listing *listing);

#endif

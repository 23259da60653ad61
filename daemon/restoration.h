/* The first start with a backup that was put back, before anything is fetched or sent.
 *
 * A copy that `exsyncctl backup` has made says so of itself. What has happened since it was made is
 * not in it, and so:
 *
 *   open       whatever it has open may have been sent: it is searched for in Exchange before it is
 *              sent. What lies in failed/ has failed; what has no file any more, and of which
 *              Exchange has nothing, is left to a person (settle.h)
 *   submitted  what was submitted since and is not sent lies in the outbox's kept/ and intake/, and
 *              the store has no row of it: it is taken in anew, under its id, and searched for as
 *              well
 *   delivered  what was delivered since is not in the ledger: each mailbox compares its Maildir
 *              before it fetches anything (rebuild.h)
 *
 * A kill at any time makes the next start begin anew, until the store has changed over in one
 * transaction; from then on the states of the rows carry it. */
#ifndef EXSYNC_DAEMON_RESTORATION_H
#define EXSYNC_DAEMON_RESTORATION_H

#include "daemon/context.h"
#include "daemon/unrecorded.h"
#include "mail/outbox.h"
#include "store/store_restore.h"

struct restoration {
    /* Set by the caller. */
    const struct context *context;
    /* Within the start when the database is no copy. */
    void (*done)(struct restoration *restoration, const struct failure *failure);
    void *argument;

    /* Private. */
    struct unrecorded unrecorded;
    char last_id[OUTBOX_ID_SIZE];
    struct store_restoration store;
};

void restoration_start(struct restoration *restoration);

#endif

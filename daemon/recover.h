/* Opening a mailbox's sink, and settling what was committed to the ledger but perhaps not published
 * when the last process ended.
 *
 * What was committed lies in the spool of the Maildir that was configured then. When the
 * configuration names another one now, that spool is settled first. After a backup was put back the
 * Maildir is compared with the ledger then (rebuild.h). */
#ifndef EXSYNC_DAEMON_RECOVER_H
#define EXSYNC_DAEMON_RECOVER_H

#include "daemon/cycle.h"
#include "daemon/rebuild.h"
#include "mail/sink.h"

#include <stdbool.h>
#include <stddef.h>

struct recovery {
    /* Set by the caller; pointers stay valid until done. */
    struct cycle *cycle;
    const char *maildir;        /* as configured now */
    const char *former_maildir; /* where the sink was set up before; NULL: nowhere yet */
    char **names;               /* committed, perhaps not published */
    const struct digest *keys;  /* of the same items */
    size_t count;
    void (*done)(struct recovery *recovery, const struct failure *failure);
    void *argument;

    /* The result: an opened sink, the caller's. NULL after a failure. */
    struct sink *sink;

    /* Private. */
    struct sink_opening opening;
    struct rebuild rebuild;
    bool at_former;
    bool waiting;
    bool cancelled;
};

void recovery_start(struct recovery *recovery);

/* Completes with the failure "cancelled" when the disk or the store has answered. */
void recovery_cancel(struct recovery *recovery);

/* A sink for the cycle's mailbox that is not opened: it checks its marker when it first writes. */
struct sink *recovery_create_sink(const struct cycle *cycle, const char *maildir);

/* A sink of the cycle's mailbox for what this program itself has to say, to be opened before use.
 * It has spool files of its own, so that neither direction sweeps the other's away. */
struct sink *recovery_create_notice_sink(const struct cycle *cycle);

#endif

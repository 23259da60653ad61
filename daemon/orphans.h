/* Queued messages of mailboxes that do not send (any more): they have left the configuration, have
 * been given outgoing = no, or were disabled by an administrator, and no cycle works on them.
 *
 * At the start, at each reload, and every hour while there are any, the store is asked which
 * mailboxes have something to send. Those that send are put into the schedule; for each of the
 * others a failure is recorded and a warning logged, at the start and at each reload. What has been
 * queued for too long is put aside (lapse.h). When such a mailbox sends again, or has nothing left
 * to send, its failure is resolved.
 *
 * While messages of a mailbox are put aside it begins no cycle, whatever a reload says meanwhile:
 * one might have read a message before it is marked. Another look follows, which puts it into the
 * schedule. */
#ifndef EXSYNC_DAEMON_ORPHANS_H
#define EXSYNC_DAEMON_ORPHANS_H

#include "daemon/context.h"

#include <stdbool.h>
#include <stdint.h>

struct orphans;

enum orphans_cause {
    ORPHANS_NONE, /* it sends */
    ORPHANS_OUTGOING_OFF,
    ORPHANS_NOT_CONFIGURED,
    ORPHANS_DISABLED,
};

struct orphans_owner {
    /* Why the mailbox of that number does not send, by the configuration in use. */
    enum orphans_cause (*cause)(void *argument, int64_t mailbox);
    /* Whether a cycle, or an administrator's word, still works on what it has to send. */
    bool (*is_busy)(void *argument, int64_t mailbox);
    /* It has something to send, and may. */
    void (*queued)(void *argument, struct store_mailbox mailbox);
    void *argument;
};

struct orphans *orphans_create(const struct context *context, const struct orphans_owner *owner);

/* A configuration has come into use. */
void orphans_look(struct orphans *orphans);

/* Some mailbox may send now, or may not, or something was queued for one that does not: what is
 * known of the others is not told again. */
void orphans_look_again(struct orphans *orphans);

/* Whether messages of that mailbox are being put aside. */
bool orphans_holds(const struct orphans *orphans, int64_t mailbox);

/* Begins nothing more. */
void orphans_stop(struct orphans *orphans);

/* NULL is allowed. */
void orphans_free(struct orphans *orphans);

#endif

/* Leaving messages to a person: what the server will not send, and what is given up.
 *
 * While a cycle settles and dispatches they are noted; afterwards they are dealt with one after the
 * other: the file is moved to failed/ with the reason beside it, the failure is recorded, and the
 * sender is told (nondelivery.h); then the store learns of all. Where failed/ cannot be written the
 * message waits, and nobody is told yet; a sender who cannot be told holds up nothing. A kill in
 * between makes the server refuse it once more. */
#ifndef EXSYNC_DAEMON_REFUSE_H
#define EXSYNC_DAEMON_REFUSE_H

#include "base/buffer.h"
#include "daemon/cycle.h"
#include "daemon/nondelivery.h"
#include "daemon/submission.h"

#include <stdbool.h>
#include <stddef.h>

struct refusal;

struct refuser {
    /* Set by the caller, before anything is noted; all else is zero. The list does not change its
     * length until the release. */
    struct cycle *cycle;
    struct submission_list *list;
    /* The list is saved, or `failure` says why not. Perhaps from within the start. */
    void (*done)(struct refuser *refuser, const struct failure *failure);
    void *argument;

    bool failed; /* set before the start: the cycle has, and stays where it did (cycle_at) */

    /* Private. */
    struct refusal *refusals;
    size_t count;
    size_t next; /* the one under way */
    struct nondelivery nondelivery;
    struct buffer reason;
    bool cancelled;
};

/* To be refused, for this reason, which is copied. Each submission of the list at most once. */
void refuser_note(struct refuser *refuser, struct submission *submission,
                  const struct failure *failure);

/* Deals with those that were noted, and saves the list, also when there are none. */
void refuser_start(struct refuser *refuser);

/* Completes with the failure "cancelled" when the disk or the store answers. */
void refuser_cancel(struct refuser *refuser);

/* Also in the middle of it, when the disk does not answer. */
void refuser_release(struct refuser *refuser);

#endif

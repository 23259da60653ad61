/* Taking a queued message out of the queue on an administrator's word: to failed/, with a reason
 * that says so, and that says whether it may have been sent.
 *
 *   mark    the store is told the reason: from then on no cycle touches the message
 *           (queue_change.h)
 *   move    its file goes to failed/
 *   settle  the store is told that it is there; a draft that may exist is looked for by the cycles
 *
 * The last two are done again, as often as it takes, for whatever is marked: after a kill, or when
 * the disk has failed; also for what has waited too long (lapse.h), which is marked by itself. */
#ifndef EXSYNC_DAEMON_REMOVAL_H
#define EXSYNC_DAEMON_REMOVAL_H

#include "base/buffer.h"
#include "daemon/context.h"
#include "store/store_actions.h"

#include <stdbool.h>

/* The last two steps for one message. */
struct removal {
    /* Set by the caller. */
    const struct context *context;
    /* A failure: it stays marked. */
    void (*done)(struct removal *removal, const struct failure *failure);
    void *argument;

    bool lost; /* its file was nowhere, and nobody else has put it aside; when it is done */

    /* Private. */
    char id[STORE_SUBMISSION_ID_SIZE];
    struct store_mailbox mailbox;
    bool stray;
    bool changed;
    char *address; /* owned, as the next three */
    char *profile;
    char *subject;
    char *reason;
};

/* Appends the reason for which `user` takes this message out. */
void removal_explain(struct buffer *reason, const struct store_queued *message, uint32_t user);

/* `message` is marked. */
void removal_start(struct removal *removal, const struct store_queued *message);

struct service;

/* All that is marked; now and again, in case a kill or the disk came in between. */
void removals_finish(struct service *service);

#endif

/* Putting aside what one mailbox that does not send has had in the queue for longer than
 * SUBMISSION_LIFETIME_MS: each such message goes to failed/ with the reason, is recorded and told
 * in the log.
 *
 * It goes the way of a message that an administrator removes (removal.h): the store is told the
 * reason first, and from then on no cycle touches the message, whatever a kill or a reload makes of
 * the mailbox; then its file is put aside; then the store learns that. What a kill interrupts
 * removals_finish carries through.
 *
 * No notification is written to the sender: a mailbox that left the configuration has no Maildir
 * any more, and whoever gave one outgoing = no hears of its queue at once and in the log. A draft
 * that may exist is left as a stray one, for when the mailbox sends again. */
#ifndef EXSYNC_DAEMON_LAPSE_H
#define EXSYNC_DAEMON_LAPSE_H

#include "base/buffer.h"
#include "daemon/context.h"
#include "daemon/submission.h"

#include <stdbool.h>
#include <stddef.h>

struct lapse {
    /* Set by the caller; pointers stay valid until done. */
    const struct context *context;
    struct store_mailbox mailbox;
    const char *address;
    const char *profile;
    const char *because; /* "the mailbox is not in the configuration" */
    /* Asked before each message: whether the mailbox still does not send, and nothing stops. */
    bool (*goes_on)(struct lapse *lapse);
    void (*done)(struct lapse *lapse, const struct failure *failure);
    void *argument;

    size_t total; /* put aside; to be read when it is done */

    /* Private. */
    struct submission_list list;
    size_t next;      /* of the list */
    size_t put_aside; /* of the list */
    bool more;
    struct failure failure; /* of the submission under way: why it is put aside */
    bool changed;           /* by the store */
    struct buffer reason;
};

/* Cannot be cancelled: it ends soon when goes_on says no. */
void lapse_start(struct lapse *lapse);

/* Frees what a lapse holds that will not come to its end. */
void lapse_release(struct lapse *lapse);

#endif

/* Telling a sender that a message was not sent: a delivery status notification (RFC 3464) in the
 * mailbox's own Maildir, where its incoming mail goes.
 *
 * None is made about a message that had nobody to be told (null sender: a notification itself, or
 * an automatic answer), and none when the profile says delivery_notifications = no. A kill between
 * the notification and the next commit makes a second one: better than none. */
#ifndef EXSYNC_DAEMON_NONDELIVERY_H
#define EXSYNC_DAEMON_NONDELIVERY_H

#include "base/buffer.h"
#include "daemon/cycle.h"
#include "daemon/submission.h"
#include "mail/sink.h"

struct nondelivery {
    /* Set by the caller; pointers stay valid until done. */
    struct cycle *cycle;
    const struct submission *submission;
    const struct failure *failure; /* why it was not sent */
    void (*done)(struct nondelivery *nondelivery, const struct failure *failure);
    void *argument;

    /* Private. */
    struct sink *sink;
    struct sink_opening opening;
    struct sink_message *message;
    struct sink_message *messages[1];
    struct failure failures[1];
    struct sink_batch batch;
    struct buffer text;
    size_t written;
};

bool nondelivery_wanted(const struct cycle *cycle, const struct submission *submission);

/* Cannot be cancelled: it ends when the disk has answered. */
void nondelivery_start(struct nondelivery *nondelivery);

/* Frees what a nondelivery holds whose disk does not answer. */
void nondelivery_release(struct nondelivery *nondelivery);

#endif

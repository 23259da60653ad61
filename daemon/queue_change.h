/* What an administrator does to one queued message.
 *
 *   hold     it is not tried until it is released, and holds up no other
 *   release  it is due at once
 *   retry    the same for one that waits for its next try
 *   remove   it goes to failed/ (removal.h)
 *   discard  what lies there, because it has failed, was refused or was removed, is thrown away,
 *            and what went wrong with it is over; nothing else can be thrown away. What the
 *            database does not know may be, too. One whose file is gone and of which nothing is
 *            open was thrown away already
 *
 * To hold or remove one its mailbox is claimed, so that no cycle has it in its hands. */
#ifndef EXSYNC_DAEMON_QUEUE_CHANGE_H
#define EXSYNC_DAEMON_QUEUE_CHANGE_H

#include "base/executor.h"
#include "daemon/claim.h"
#include "daemon/failed_file.h"
#include "daemon/removal.h"

#include <stdbool.h>
#include <stdint.h>

enum queue_action { QUEUE_HOLD, QUEUE_RELEASE, QUEUE_RETRY, QUEUE_REMOVE, QUEUE_DISCARD };

struct queue_change {
    /* Set by the caller. */
    struct service *service;
    enum queue_action action;
    char id[STORE_SUBMISSION_ID_SIZE];
    uint32_t user;
    /* From the loop, never from within the start. A failure with the scope item tells why it cannot
     * be done to this message; one with another, what is in the way. */
    void (*done)(struct queue_change *change, const struct failure *failure);
    void *argument;

    /* Results, valid during done: of which mailbox, about what; NULL when the message is not known.
     */
    char *address;
    char *subject;
    /* Of a removal. */
    bool may_have_been_sent;
    bool lost;    /* its file was nowhere */
    bool marked;  /* with a failure: it is held, and removed as soon as that is possible */
    bool already; /* nothing was left to be thrown away */

    /* Private. */
    struct store_mailbox mailbox;
    char *profile; /* owned */
    struct claim claim;
    bool claimed;
    bool waiting; /* for the store or the disk */
    bool cancelled;
    bool changed;
    struct removal removal;
    struct executor_job job; /* looks at `file` */
    struct failed_file file;
    char *outbox; /* owned */
    bool known;   /* of what is thrown away: to the store */
    bool open;    /* something went wrong with it that is not over */
};

void queue_change_start(struct queue_change *change);

/* What is not written yet is not done. `done` comes with the failure "cancelled", or with the
 * outcome, when the store and the disk have answered, or at once. */
void queue_change_cancel(struct queue_change *change);

#endif

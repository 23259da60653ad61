/* Sending what is queued, in two steps that can be repeated: create drafts, send them.
 *
 * Submissions go in the order in which they came, several in a request; one that has failed before
 * goes alone, so that it cannot spoil others again. Before each step the store learns what is about
 * to be asked for ("creating", "sending"), so that after a kill nothing is asked for twice without
 * looking; and what came of it before anything is removed: a draft that is gone would count as
 * sent. A request that failed and promises that nothing was done puts everything back; one in
 * doubt leaves it to the settler. A message that failed for days is given up (given_up.h).
 *
 * Servers that cannot send drafts are sent to in one step (profile->sends_directly, found out by
 * the first refusal). */
#ifndef EXSYNC_DAEMON_DISPATCH_H
#define EXSYNC_DAEMON_DISPATCH_H

#include "daemon/cycle.h"
#include "daemon/submission.h"
#include "mail/outbox.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    DISPATCH_BATCH_MAX = 20,
    /* So many in a row that fail alone, with an error that may as well be the server's, end the
     * cycle: it is not the messages. */
    DISPATCH_BAD_MAX = 3,
};

enum dispatch_state {
    DISPATCH_IDLE,
    DISPATCH_MARKING_CREATING, /* the store is told */
    DISPATCH_CREATING,
    DISPATCH_MARKING_SENDING,
    DISPATCH_SENDING,
    DISPATCH_SAVING,   /* what came of it */
    DISPATCH_REMOVING, /* drafts of submissions that the server refused to send */
};

struct dispatcher {
    /* Set by the caller. */
    struct cycle *cycle;
    struct outbox *outbox;
    struct submission_list *list;
    /* The server will not send it: to be recorded and left to a person. The dispatcher goes on at
     * once; until it is done it may still note whether a draft is left. */
    void (*refuse)(struct dispatcher *dispatcher, struct submission *submission,
                   const struct failure *failure);
    void (*done)(struct dispatcher *dispatcher, const struct failure *failure);
    void *argument;

    /* Private. */
    enum dispatch_state state;
    struct backend_operation *operation;
    struct submission *batch[DISPATCH_BATCH_MAX];
    size_t batch_count;
    struct submission *asked[DISPATCH_BATCH_MAX]; /* those of the batch that the request is for */
    size_t asked_count;
    struct backend_submission submissions[DISPATCH_BATCH_MAX];
    struct outbox_reader *readers[DISPATCH_BATCH_MAX];
    struct submission *removed[DISPATCH_BATCH_MAX]; /* NULL: it may have other stray drafts */
    char *removed_drafts[DISPATCH_BATCH_MAX];
    size_t removed_count;
    unsigned bad;           /* in a row that the server may not be able to send at all */
    struct failure failure; /* why it ends after this batch */
    bool cancelled;
};

void dispatcher_start(struct dispatcher *dispatcher);

/* Completes with the failure "cancelled", now or when the store answers. */
void dispatcher_cancel(struct dispatcher *dispatcher);

void dispatcher_release(struct dispatcher *dispatcher);

#endif

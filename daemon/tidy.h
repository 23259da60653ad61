/* House-keeping: stray drafts of submissions that were sent or given up are looked for and removed.
 *
 * A stray draft is one that a request made which nobody believed in any more, or one that could not
 * be removed when it should have been. It is harmless, and so is a failure to remove it: it stops
 * no mail, the draft stays a stray one in the store, and is looked for again after a wait that
 * grows. It is over when a search finds none. One that cannot be removed for as long as a message
 * is tried (given_up.h) is left to its owner, who sees it in Drafts.
 */
#ifndef EXSYNC_DAEMON_TIDY_H
#define EXSYNC_DAEMON_TIDY_H

#include "daemon/cycle.h"
#include "daemon/submission.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a failure of house-keeping is the cycle's all the same: what the server asks for by time,
 * and what concerns more than the mailbox. */
bool tidy_failure_counts(const struct failure *failure);

struct tidier {
    /* Set by the caller. */
    struct cycle *cycle;
    struct submission_list *list;
    void (*done)(struct tidier *tidier, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    struct submission *asked[BACKEND_SEARCH_MAX];
    size_t asked_count;
    size_t next;    /* of the list */
    char **drafts;  /* to be removed: those of the first that was asked for, then the next */
    size_t *owners; /* which of those asked for each belongs to */
    size_t draft_count;
    struct failure failure; /* why it ends after this request */
    bool over;              /* it ends after this request, without one */
    bool waiting;           /* for the store */
    bool cancelled;
};

void tidier_start(struct tidier *tidier);

/* Completes with the failure "cancelled", now or when the store answers. */
void tidier_cancel(struct tidier *tidier);

#endif

/* Settling doubts: what became of submissions whose last step was not answered.
 *
 *   creating    is there a draft? One is kept, others are removed; none: it is asked for again, and
 *               since the first request may still be under way, a stray draft may turn up
 *   created     is the draft still there? Gone, without having been sent: as with creating
 *   sending     is the draft still there? Not submitted: it is sent again; submitted: Transport has
 *               it; gone: it was sent
 *   doubtful    (sent in one step) is there a copy? When none turns up within the doubt window, a
 *               person has to decide: nothing is sent twice
 *   sent or failed, and a stray draft may exist: it is looked for and removed;
 *               one that cannot be removed within the doubt window is left to its owner
 *
 * Nothing is sent here. Afterwards each submission is settled for this cycle, queued, or a draft
 * that is to be sent. */
#ifndef EXSYNC_DAEMON_SETTLE_H
#define EXSYNC_DAEMON_SETTLE_H

#include "daemon/cycle.h"
#include "daemon/submission.h"

#include <stdbool.h>
#include <stddef.h>

enum { SETTLE_LOOK_MAX = 50 };

struct settler {
    /* Set by the caller. */
    struct cycle *cycle;
    struct submission_list *list;
    /* A submission that stays in doubt beyond the window: to be recorded and left to a person. The
     * settler goes on at once. */
    void (*give_up)(struct settler *settler, struct submission *submission);
    void (*done)(struct settler *settler, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    struct submission *asked[SETTLE_LOOK_MAX];
    size_t asked_count;
    size_t next; /* of the list */
    char **strays;
    size_t stray_count;
    bool looking; /* at drafts; searching for ids before */
    bool waiting; /* for the store */
    bool cancelled;
};

void settler_start(struct settler *settler);

/* Completes with the failure "cancelled", now or when the store answers. */
void settler_cancel(struct settler *settler);

#endif

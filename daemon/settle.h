/* Settling doubts: what became of submissions whose last step was not answered.
 *
 *   creating    is there a draft? One is kept; none: it is asked for again, or, when its file was
 *               gone as a backup was put back, a person has to decide: it was sent and its copy
 *               removed since, or the file was lost. Further drafts, and one that a request still
 *               under way may make, are stray ones (tidy.h)
 *   created     is the draft still there? Gone, and nobody was asked to send it: as with creating
 *   sending     is the draft still there? Not submitted: it is sent again; submitted: Transport has
 *               it; gone: it was sent
 *   doubtful    (sent in one step) is there a copy? When none turns up within the doubt window,
 *               which begins with the first search that finds none, a person has to decide: nothing
 *               is sent twice
 *
 * Nothing is sent here. Afterwards each submission is settled for this cycle, queued, or a draft
 * that is to be sent.
 *
 * Why sending again sends no second copy: the request names the draft by the reference of the
 * newest look, which saw it not submitted, and that reference holds its ChangeKey. A request in
 * doubt that arrives after that look submits the draft: which takes it away, or changes it as long
 * as it waits for Transport. The second request is then refused: the draft is gone (it counts as
 * sent) or is not what was named (in doubt: looked at again). Exchange demands the ChangeKey of
 * SendItem and compares it: ErrorChangeKeyRequired, ErrorStaleObject, ErrorIrresolvableConflict.
 *
 * A request that fails as a whole in a way that one of its submissions may have caused is asked for
 * again in halves, until the one is found: it waits by itself, longer and longer, and the others go
 * on. So does one of which the server says that it cannot be looked at. SETTLE_BAD_MAX in a row
 * that fail so alone are no fault of theirs: then it is the mailbox, and the cycle ends. Whoever
 * has waited for days is given up (given_up.h). */
#ifndef EXSYNC_DAEMON_SETTLE_H
#define EXSYNC_DAEMON_SETTLE_H

#include "daemon/cycle.h"
#include "daemon/submission.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SETTLE_LOOK_MAX = 50,
    SETTLE_BAD_MAX = 3,
};

struct settler {
    /* Set by the caller. */
    struct cycle *cycle;
    struct submission_list *list;
    /* To be recorded and left to a person. The settler goes on at once. */
    void (*give_up)(struct settler *settler, struct submission *submission,
                    const struct failure *failure);
    void (*done)(struct settler *settler, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    struct submission *asked[SETTLE_LOOK_MAX];
    size_t asked_count;
    size_t next;            /* of the list */
    size_t limit;           /* so many in the next request */
    unsigned bad;           /* failed alone, one after the other */
    struct failure failure; /* why it ends after this request */
    bool looking;           /* at drafts; searching for ids before */
    bool waiting;           /* for the store */
    bool cancelled;
};

void settler_start(struct settler *settler);

/* Completes with the failure "cancelled", now or when the store answers. */
void settler_cancel(struct settler *settler);

#endif

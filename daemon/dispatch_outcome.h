/* What an answer, or none, means for the submissions that a request of the dispatcher was for
 * (dispatch.h, whose second half this is): each is sent, put back, left in doubt, told to wait,
 * refused, or given up; and dispatcher->failure is set when the cycle is to end. Nothing is asked
 * of the server here, and the list is not saved. */
#ifndef EXSYNC_DAEMON_DISPATCH_OUTCOME_H
#define EXSYNC_DAEMON_DISPATCH_OUTCOME_H

#include "daemon/dispatch.h"

/* The request failed as a whole. */
void dispatch_request_failed(struct dispatcher *dispatcher, const struct failure *failure);

/* One submission's own answer is a failure. */
void dispatch_answered_with(struct dispatcher *dispatcher, struct submission *submission,
                            const struct failure *failure);

void dispatch_note_sent(struct dispatcher *dispatcher, struct submission *submission);

/* What was asked for was not done: as it was before. */
void dispatch_put_back(struct submission *submission);

/* Notes that its draft, if it has one, is to be removed at the end of the batch. Until that is
 * known to be done the draft is a stray one. */
void dispatch_remove_draft(struct dispatcher *dispatcher, struct submission *submission);

#endif

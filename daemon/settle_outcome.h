/* What an answer, or none, means for the submissions that a request of the settler was for
 * (settle.h, whose second half this is): each is sent, a draft that is to be sent, queued again,
 * told to wait, or given up; and settler->failure is set when the cycle is to end. Nothing is asked
 * of the server here, and the list is not saved. */
#ifndef EXSYNC_DAEMON_SETTLE_OUTCOME_H
#define EXSYNC_DAEMON_SETTLE_OUTCOME_H

#include "daemon/finding.h"
#include "daemon/settle.h"

#include <stdbool.h>

/* Whether the cause may be a single submission. What concerns more, and what the server asks to be
 * left alone for, ends the cycle. */
bool settle_may_be_one(const struct failure *failure);

/* A failure is the answer for one submission, or for a request that was for it alone. */
void settle_failed_alone(struct settler *settler, struct submission *submission,
                         const struct failure *failure);

/* The id of one that is creating or doubtful was searched for. */
void settle_searched(struct settler *settler, struct submission *submission,
                     const struct finding *finding);

/* The draft of one that is created or sending was looked at; perhaps in vain. */
void settle_looked(struct settler *settler, struct submission *submission,
                   const struct backend_looked *looked);

#endif

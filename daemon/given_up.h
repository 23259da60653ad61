/* Submissions that are given up after days: when, and in which words a person is told.
 *
 * What is said must be what is known: `in_doubt` is set when the message may have been sent, and
 * not when it is known that nobody was asked to send it. Those that were waited for long enough are
 * not permanent in themselves; those with nothing left to wait for (NoFile, InDoubt) are. */
#ifndef EXSYNC_DAEMON_GIVEN_UP_H
#define EXSYNC_DAEMON_GIVEN_UP_H

#include "base/failure.h"
#include "daemon/submission.h"

#include <stdbool.h>

/* Whether SUBMISSION_LIFETIME_MS have gone since the submission was queued; or since it was first
 * not known what became of it, if that is not known (row.doubt_since_ms). */
bool given_up_is_due(const struct submission *submission);

/* It was tried again and again; `last`: why not the last time. NULL: no try was answered in a way
 * that said why, but it is known that none of them has sent it. */
struct failure given_up_trying(const struct failure *last);

/* What became of it could not be found out; `last`: why not the last time. `may_be_sent`: Exchange
 * was asked to send it. */
struct failure given_up_finding_out(const struct failure *last, bool may_be_sent);

/* Exchange has it, and Transport does not take it. */
struct failure given_up_waiting(void);

/* Its file was gone when a backup was put back, and Exchange has nothing of it. */
struct failure given_up_without_file(void);

/* Sent in one step, and within the doubt window no copy of it has turned up. */
struct failure given_up_searching(void);

#endif

/* What is recorded and said of single submissions. */
#ifndef EXSYNC_DAEMON_SUBMISSION_REPORT_H
#define EXSYNC_DAEMON_SUBMISSION_REPORT_H

#include "daemon/cycle.h"
#include "daemon/submission.h"

#include <stdint.h>

/* It will not be sent. */
void submission_report_failed(struct cycle *cycle, const struct submission *submission,
                              const struct failure *failure);

/* Its sender could not be told of that. */
void submission_report_sender_not_told(struct cycle *cycle, const struct submission *submission,
                                       const struct failure *failure);

/* It was not sent, or may have been; it goes on after `wait_ms`. */
void submission_report_waits(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms);

/* A stray draft of it could not be removed: looked for again after `wait_ms`, or left to its owner
 * when it is not a stray one any more. Only logged: the message itself is not concerned. */
void submission_report_stray(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms);

#endif

/* The words in which the daemon tells what went wrong: one sentence, its cause, what to do, and
 * when it is tried again. */
#ifndef EXSYNC_DAEMON_REPORT_H
#define EXSYNC_DAEMON_REPORT_H

#include "base/buffer.h"
#include "base/log.h"
#include "daemon/cycle.h"
#include "store/store.h"

#include <stdint.h>

enum { REPORT_NEXT_TRY_SIZE = 64, REPORT_REASON_SIZE = 1024 };

/* Appends `STEP: What happened (CODE): "the other side's words". What to do.` */
void report_explain(struct buffer *text, const struct failure *failure);

/* The same, cut where it does not fit. */
void report_reason(char text[REPORT_REASON_SIZE], const struct failure *failure);

/* "Next try at 14:05:03.", in local time, with the date when it is not today's. */
void report_next_try(char text[REPORT_NEXT_TRY_SIZE], uint64_t wait_ms);

/* The fields of a message about a cycle; `failure` may be NULL. Points into both. */
struct log_fields report_fields(const struct cycle *cycle, const char *message_id,
                                const struct failure *failure);

/* The row about one message (item or submission) that a cycle of a mailbox met. */
struct store_failure report_row(const struct cycle *cycle, const struct failure *failure,
                                int64_t next_retry_ms);

#endif

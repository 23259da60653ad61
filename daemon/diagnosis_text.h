/* What a diagnosis has found, in words, and what is to be done. */
#ifndef EXSYNC_DAEMON_DIAGNOSIS_TEXT_H
#define EXSYNC_DAEMON_DIAGNOSIS_TEXT_H

#include "base/buffer.h"
#include "daemon/diagnosis.h"

/* Appends the finding: one paragraph, one line. */
void diagnosis_write_finding(struct buffer *text, const struct diagnosis_result *result);

/* Appends the commands that mend it in Exchange, for this account and these mailboxes, and at the
 * end the one that shows whether it is mended: a line each, "#" before remarks. */
void diagnosis_write_commands(struct buffer *text, const struct diagnosis_result *result);

#endif

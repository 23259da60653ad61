/* What sync now --wait tells of a direction (control_sync.c has the members). Results are static.
 */
#ifndef EXSYNC_DAEMON_SYNC_ANSWER_H
#define EXSYNC_DAEMON_SYNC_ANSWER_H

#include "daemon/mailbox.h"

#include <jansson.h>

/* Of a cycle that has ended: "success", "failure", "cut short", "off", "waiting". */
const char *sync_result(const struct cycle *cycle);

/* What is told with that result: of "waiting" what the last try met. May be NULL, or not set. Valid
 * as long as both. */
const struct failure *sync_error(const struct direction *direction, const struct cycle *cycle,
                                 const char *result);

/* The answer. `cycle`: NULL when none has run; `failure`: NULL or not set: none. Caller's. */
json_t *sync_answer(const struct direction *direction, const char *result,
                    const struct cycle *cycle, const struct failure *failure);

#endif

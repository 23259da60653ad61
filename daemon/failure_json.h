/* What went wrong, as JSON for exsyncctl. Times are xs:dateTime in UTC.
 *
 * In both shapes:
 *   category, code, step, http_status (0: there was no HTTP answer)
 *   permanent     true: it stays until a person acts
 *   sentence      what it means
 *   remedy        what to do; null: nothing needs to be done
 *   error         the server's own words; null
 *
 * A trouble that stands now, of a direction of a mailbox, of a profile, or of this machine:
 *   failures      how often in a row
 *   since         when the first of these was
 *
 * A failure that is recorded ("kind": "failure"):
 *   scope         "item", "mailbox", "profile"
 *   profile
 *   mailbox       its address; null: of a profile, or of none
 *   direction     "incoming", "outgoing"; null: both
 *   submission    the outgoing message's id in the queue; null: it is of none
 *   activity      of the cycle that saw it last
 *   count         how often it was met
 *   first_seen, last_seen
 *   next_retry    null: it is not tried again by itself
 *   resolved      null: it is open */
#ifndef EXSYNC_DAEMON_FAILURE_JSON_H
#define EXSYNC_DAEMON_FAILURE_JSON_H

#include "base/failure.h"
#include "store/store_failures.h"

#include <jansson.h>
#include <stdint.h>

/* `since_ms` is monotonic. The caller owns the object. */
json_t *trouble_json(const struct failure *failure, uint32_t failures, uint64_t since_ms);

/* Shorter, of something that was asked for and failed: {"code", "sentence", "text", "remedy"}; null
 * for NULL, and for one that is not set. */
json_t *error_json(const struct failure *failure);

json_t *failure_json(const struct store_failure_row *row);

#endif

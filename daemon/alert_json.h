/* An alert as JSON: for the command that tells an owner, and for exsyncctl. Times are xs:dateTime
 * in UTC.
 *
 *   id            a number; never used again
 *   level         "error", "warning", "information"
 *   scope         "item", "mailbox", "profile"
 *   mailbox       its address; null for a profile's
 *   direction     "incoming", "outgoing"; null: both
 *   category, code, step   what failed, and in which step of the cycle
 *   http_status   0: there was no HTTP answer
 *   subject       of the message that was being sent; null: none
 *   sentence      what happened, and whether the owner knows
 *   cause         what the failure means
 *   remedy        commands to be pasted, a line each, an empty line, and words
 *   error         the server's own words
 *   activity      of the cycle that saw it last
 *   trace         an array of lines: where in the cycle it happened, innermost first
 *   details       activity, error and trace as one text
 *   opened, last_seen
 *   resolved      null: it is open
 *   count         how often it was met
 *   absorbs       true: it stands for the alerts of most mailboxes of its profile
 *
 * An answer to exsyncctl ("kind": "alert") has the request's id: the alert's is called "alert". It
 * has besides:
 *   profile
 *   message       the id of the message that was being sent; null: none
 *   told          "nobody" is to be told; "being"; "done"; "not": could not be
 *   told_reason   why not; null otherwise */
#ifndef EXSYNC_DAEMON_ALERT_JSON_H
#define EXSYNC_DAEMON_ALERT_JSON_H

#include "config/config.h"
#include "daemon/remedy.h"
#include "store/store_alerts.h"

#include <jansson.h>

/* `place`: where the remedy is to be applied; NULL when the profile is not known any more, and with
 * it the account: the remedy is words alone then. Without the id, which is the caller's to add. The
 * caller owns the object. */
json_t *alert_json(const struct store_alert_row *alert, const struct remedy_place *place);

/* As an answer to exsyncctl. `config` knows the profile; NULL: there is
 * none. `mailbox`: the example in the commands; that of the alert unless it stands for others. */
json_t *alert_json_answer(const struct store_alert_row *alert, const struct config *config,
                          const char *mailbox);

/* {"kind": "refused", "messages": COUNT}, behind the alerts: messages that were refused when they
 * were submitted belong to no profile, and have no alert. */
json_t *alert_json_refused(uint64_t count);

#endif

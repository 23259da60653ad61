/* A mailbox as JSON for exsyncctl ("kind": "mailbox"). Times are xs:dateTime in UTC; null: never,
 * none, or not by itself.
 *
 *   address, profile
 *   state        how it is (health.h): "off", "ok", "not run", "failing", "stopped", "held",
 *                "disabled", "partly disabled", "paused"
 *   incoming, outgoing   objects with
 *     on               whether the configuration wants it, and it is not disabled
 *     disabled         an administrator has disabled it, whatever the configuration says
 *     state            "off"
 *                      "idle": there is nothing to send
 *                      "waiting": until it is due
 *                      "queued": due, and waiting for a place in its profile
 *                      "running"
 *     result           of the last cycle that told anything (status.h): "not run", "success",
 *                      "failure"
 *     last_started     the last cycle
 *     last_succeeded   the end of the last one that went through
 *     processed        messages that the last cycle delivered or sent
 *     failed           messages that it recorded as failed
 *     next_due
 *     trouble          what stands in the way now (failure_json.h); null: nothing
 *     hindrance        why it does not go on (hindrance.h); null: it does, or is not configured
 *     backlog          incoming: true while older mail is still being worked off
 *     queued, held     outgoing: messages that wait to be sent, and those that are held; null: the
 *                      store cannot be read
 *
 * One that is asked for alone has besides:
 *   account, url   of its profile; account null: the owner of a Kerberos ticket
 *   identity       under which it is impersonated when that is not its address; null
 *   maildir        where its mail goes
 *   after_processing   "leave", "mark_read", "move", "delete", "purge"
 *   move_folder    null unless it is "move"
 *   process_email_from
 *   folders        an array of objects; only their names are known before the first cycle
 *     name
 *     items        in Exchange, after the last look; null: not known yet
 *     read_up_to
 *     backlog */
#ifndef EXSYNC_DAEMON_MAILBOX_JSON_H
#define EXSYNC_DAEMON_MAILBOX_JSON_H

#include "daemon/mailbox.h"
#include "daemon/scheduler.h"

#include <jansson.h>

/* Without "queued" and "held", which are the caller's to add. The caller owns the object. */
json_t *mailbox_json(const struct mailbox *mailbox, const struct scheduler *scheduler);

/* Adds what one has besides that is asked for alone. */
void mailbox_json_whole(json_t *object, const struct mailbox *mailbox);

#endif

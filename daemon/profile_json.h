/* A profile as JSON for exsyncctl ("kind": "profile"). Times are xs:dateTime in UTC.
 *
 *   name, url
 *   account      that signs in; null: the owner of a Kerberos ticket
 *   auth         "negotiate", "ntlm", "basic"
 *   owner        the address that is told about failures; null: nobody is
 *   notify       an array of the ways to the owner: "exchange", "smtp", "command"
 *   notify_command   the path of the program, without its arguments; null: none
 *   smtp         the server that takes notifications; null unless "smtp" is one of the ways
 *   paused       an administrator has paused it: no cycle starts
 *   paused_since null: it is not
 *   pause        the same for people, with what to do; null
 *   gate         "open"; "closed": its mailboxes wait; "trying": one of them tries
 *   trouble      why the gate is not open (failure_json.h); null: it is
 *   next_try     when a closed gate is tried; null
 *   sign_ins_refused   {"count", "last"} of the account and password in use; null: none
 *   refused_otherwise  {"code", "sentence", "text", "remedy"}: the server has refused the account
 *                to a test, say, while the gate is open. Nothing goes out until the next cycle has
 *                met that, which counts it and closes the gate, or a test is told to sign in all the
 *                same; null: it has not
 *   connections  {"budget": requests at a time now, "most": that are configured, "busy", "waiting"}
 *   cycles       {"running", "queued", "most": at a time}
 *   mailboxes    how many are on it
 *   stopped      of these, those that a failure has stopped that stays
 *   alerts       {"errors", "warnings"} that are open, its mailboxes' too; each null: the store
 *                cannot be read */
#ifndef EXSYNC_DAEMON_PROFILE_JSON_H
#define EXSYNC_DAEMON_PROFILE_JSON_H

#include "daemon/profile.h"

#include <jansson.h>

/* Without "alerts", which is the caller's to add. `config`: the one in use. The caller owns the
 * object. */
json_t *profile_json(const struct profile *profile, const struct config *config);

#endif

/* Where in a cycle something went wrong, for the people who have to find out why: one line a step,
 * innermost first.
 *
 *   at FindItem: ErrorImpersonateUserDenied, HTTP 500
 *   at finding new mail in folder Inbox
 *   at receiving email of carla@contoso.com, since 2026-11-26T15:00:00Z
 *   at profile contoso: https://mail.contoso.com/EWS/Exchange.asmx as CONTOSO\svc-sync
 *
 * The request and its answer; the part of the cycle; the cycle; the server and the account. */
#ifndef EXSYNC_DAEMON_TRACE_H
#define EXSYNC_DAEMON_TRACE_H

#include "base/buffer.h"
#include "daemon/cycle.h"

/* Appends the lines, each with a line feed behind it. What is not known has no line. */
void trace_write(struct buffer *text, const struct cycle *cycle, const struct failure *failure);

#endif

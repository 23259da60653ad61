/* What people are told of a mailbox that does not send but has something queued: the failure that
 * stands in the database, and the line in the log. */
#ifndef EXSYNC_DAEMON_ORPHAN_REPORT_H
#define EXSYNC_DAEMON_ORPHAN_REPORT_H

#include "daemon/context.h"
#include "daemon/orphan_list.h"

#include <stdbool.h>

/* Its messages wait, for this cause: a failure until it is resolved. Also for one that is recorded
 * already. */
void orphan_report_record(const struct context *context, const struct orphan *orphan);

/* The failure is over. `sends`: the mailbox sends again, which the log tells; otherwise nothing is
 * left of its queue, or the cause is another one. */
void orphan_report_resolve(const struct context *context, const struct orphan *orphan, bool sends);

/* "the mailbox has outgoing = no": a clause; static. Not of ORPHANS_NONE. */
const char *orphan_report_cause(enum orphans_cause cause);

#endif

/* How a mailbox is, in one word: what people look for among thousands.
 *
 *   off      not configured for either direction
 *   disabled an administrator has disabled the directions that it is configured for
 *   partly disabled   the same of one of its two directions, and the other is well
 *   paused   an administrator has paused its profile
 *   ok       the last cycles went through
 *   not run  no cycle has told anything since the start
 *   failing  a direction has failed and is tried again soon
 *   stopped  a failure that stays has stopped a direction; it is probed at long intervals
 *   held     it waits for its profile's server or account, or for this machine's storage
 *
 * The worst of both directions counts: stopped, failing, disabled, paused, held, partly disabled,
 * not run, ok. */
#ifndef EXSYNC_DAEMON_HEALTH_H
#define EXSYNC_DAEMON_HEALTH_H

#include "daemon/mailbox.h"
#include "daemon/scheduler.h"

enum health {
    HEALTH_OFF,
    HEALTH_OK,
    HEALTH_NOT_RUN,
    HEALTH_FAILING,
    HEALTH_STOPPED,
    HEALTH_HELD,
    HEALTH_PAUSED,
    HEALTH_DISABLED,
    HEALTH_PARTLY_DISABLED,
    HEALTH_COUNT,
};

enum health health_of(const struct mailbox *mailbox, const struct scheduler *scheduler);

/* Whether it is the mailbox itself that is in trouble: failing or stopped. */
bool health_is_trouble(enum health health);

/* "off", "ok", "not run", ... Static. */
const char *health_name(enum health health);

#endif

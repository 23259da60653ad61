/* Why a direction of a mailbox does not go on by itself now, as people are told it: by the views,
 * by trace, and by what an administrator wants to be done at once. The first that holds counts:
 *
 *   not configured  the mailbox has left the configuration
 *   off             the configuration does not want the direction
 *   disabled        an administrator has disabled it
 *   paused          an administrator has paused the profile
 *   storage         this machine's disk or database fails
 *   profile         the profile waits for its server or its account
 *   stopped         a failure that stays has stopped it, and it is probed at long intervals
 *
 * As JSON: {"cause": one of these names, "since": when it began or null, "text": a clause that
 * names who, why and what to do, without a full stop at its end}. */
#ifndef EXSYNC_DAEMON_HINDRANCE_H
#define EXSYNC_DAEMON_HINDRANCE_H

#include "base/buffer.h"
#include "daemon/mailbox.h"
#include "daemon/scheduler.h"

#include <jansson.h>

enum hindrance {
    HINDRANCE_NONE,
    HINDRANCE_NOT_CONFIGURED,
    HINDRANCE_OFF,
    HINDRANCE_DISABLED,
    HINDRANCE_PAUSED,
    HINDRANCE_STORAGE,
    HINDRANCE_PROFILE,
    HINDRANCE_STOPPED,
    HINDRANCE_COUNT,
};

/* `mailbox` NULL: it is not configured (any more). */
enum hindrance hindrance_of(const struct mailbox *mailbox, enum cycle_direction kind,
                            const struct scheduler *scheduler);

/* Appends the clause; nothing for HINDRANCE_NONE. */
void hindrance_write(struct buffer *text, const struct mailbox *mailbox, enum cycle_direction kind,
                     const struct scheduler *scheduler);

/* Null when there is none. The caller owns it. */
json_t *hindrance_json(const struct mailbox *mailbox, enum cycle_direction kind,
                       const struct scheduler *scheduler);

/* The clause about a direction that is disabled. */
void hindrance_write_disabled(struct buffer *text, const struct mailbox *mailbox,
                              enum cycle_direction kind);

/* The clauses about a profile: that it is paused; that its gate is not open. */
void hindrance_write_paused(struct buffer *text, const struct profile *profile);
void hindrance_write_gate(struct buffer *text, const struct profile *profile);

#endif

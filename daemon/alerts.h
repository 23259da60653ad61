/* Alerts: what people are told about failures.
 *
 *   a failure of a mailbox or a profile that stays    an error; its owner is told (notify.h)
 *   one that may pass                                 a warning; nobody is told yet
 *   a message that cannot be taken or sent            an error; its sender is told otherwise, other
 *                                                     mail goes on, the owner is not told
 *
 * An alert opens with the failure that is its cause, is repeated by others of the same cause, and
 * is resolved when a cycle goes through. When most mailboxes of a profile are stopped, one alert of
 * the profile stands for all of theirs. A failure and its alert are written in one transaction;
 * what has been written is logged, once, in the product's own sentences (alert_text.h). */
#ifndef EXSYNC_DAEMON_ALERTS_H
#define EXSYNC_DAEMON_ALERTS_H

#include "daemon/cycle.h"
#include "store/store_alerts.h"

/* One alert for the profile instead of one for each mailbox: from so many mailboxes on, when more
 * than half of them are stopped; until no more than a quarter is. */
enum { ALERTS_GROUP_MAILBOXES = 5 };

/* Records what a cycle met, with its alert. `row` says of what it is by its failure's scope (item,
 * mailbox, profile); its trace and alert are filled in here. `done` may be NULL. */
void alerts_record(const struct cycle *cycle, const struct store_failure *row, store_done *done,
                   void *argument);

/* The cycle's direction of its mailbox works, or the server and the account of its profile do. */
void alerts_resolve_mailbox(const struct cycle *cycle);
void alerts_resolve_profile(const struct cycle *cycle);

/* The cycle's direction was switched off while it ran: what it has still recorded is over. */
void alerts_resolve_switched_off(const struct cycle *cycle);

/* A mailbox's direction works, or is switched off: looks whether the alert that stands for most of
 * the profile's mailboxes is over, and whether the owner can be told that all is well. */
void alerts_look_at_group(struct profile *profile);

#endif

/* Telling owners: from open alerts to one message, and from the message to its delivery.
 *
 * Each profile has a watch of its own:
 *
 *   waiting      something has opened or is over; what else does within notify_delay goes into the
 *                same message
 *   composing    what the owner does not know yet is read from the store, and one message about it
 *                is written there, with its Message-ID for good
 *   delivering   each channel of the profile (delivery.h) gets it, with growing waits until it has
 *
 * A message that no channel has handed over yet holds back the next one, which then tells of
 * everything that has come meanwhile; so does notify_limit. What is over before its message
 * is written is never told. When nothing that was told is open any more, and no mailbox is stopped,
 * one message says so. All of this stands in the store: a restart goes on where it was. */
#ifndef EXSYNC_DAEMON_NOTIFY_H
#define EXSYNC_DAEMON_NOTIFY_H

#include "daemon/context.h"
#include "daemon/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notifier;

/* The mailboxes of a profile that are stopped: `room` addresses at most, whose strings stay valid
 * until the configuration changes. Returns how many there are. */
typedef size_t notifier_list_stopped(void *argument, const struct profile *profile,
                                     const char **addresses, size_t room);

struct notifier *notifier_create(const struct context *context, struct profile_list *profiles,
                                 notifier_list_stopped *list_stopped, void *argument);

/* Another configuration is in use: what is left to tell is looked for, and what could not be
 * delivered before is tried at once. */
void notifier_configure(struct notifier *notifier);

/* Something of this profile has opened or is over. `notifier` may be NULL: nobody is told. */
void notifier_wake(struct notifier *notifier, const char *profile);

/* The same, for a profile that is well now (profile_is_well): if the owner was not told so because
 * it was not. */
void notifier_wake_if_well(struct notifier *notifier, const char *profile);

/* Begins nothing more; what is under way goes on. */
void notifier_stop(struct notifier *notifier);

/* Gives up what is under way: it is done again after the next start. */
void notifier_cancel(struct notifier *notifier);

/* Whether a delivery is under way. */
bool notifier_is_busy(const struct notifier *notifier);

/* After the store is closed and before the profiles go. False: a thread still hangs after
 * `patience_ms`; its memory is left alone. NULL is allowed. */
bool notifier_free(struct notifier *notifier, uint64_t patience_ms);

#endif

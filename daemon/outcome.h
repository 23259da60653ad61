/* What follows from the end of a cycle: what is recorded, what is said, and when the next one is
 * due.
 *
 * A cause is told once when it begins and once when it is over; in between it is counted. What
 * concerns a whole profile closes the profile's gate, what concerns this machine's storage closes
 * the scheduler's: it is said once then, not once for each mailbox. */
#ifndef EXSYNC_DAEMON_OUTCOME_H
#define EXSYNC_DAEMON_OUTCOME_H

#include "daemon/cycle.h"
#include "daemon/item_list.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"
#include "daemon/scheduler.h"

#include <stdint.h>

/* The direction is not due again by itself: nothing waits to be sent. */
#define OUTCOME_NEVER UINT64_MAX

/* Records, reports, opens and closes gates. Returns the milliseconds until the direction is due
 * again, or OUTCOME_NEVER. To be called once, when the cycle has ended and its direction is off. */
uint64_t outcome_settle(struct scheduler *scheduler, struct direction *direction,
                        const struct cycle *cycle);

/* A cycle that runs waits for something that hangs: counts as a try that failed, so that it is seen
 * while it lasts and opens an alert like others. Returns the milliseconds until it is to be called
 * again if the wait is not over then; OUTCOME_NEVER: the mailbox leaves, or the direction is switched
 * off, and nothing is counted. The end of the cycle tells what came of it. */
uint64_t outcome_hangs(const struct cycle *cycle, const struct failure *cause);

/* A profile begins, at the start or because its configuration has changed: when its account was
 * refused before, with the same password, its gate is closed until the next sign-in is due. */
void outcome_profile_begins(struct profile *profile);

/* The storage gate's try: probes the store and opens or closes the gate. */
void outcome_try_storage(void *scheduler);

/* Records and reports an item that failed, at once. `item` is the one; it is tried again by itself,
 * or moved out of the way when the mailbox wants that (undeliverable.h). */
void outcome_item_failed(struct cycle *cycle, const struct item *item,
                         const struct failure *failure, store_done *done, void *argument);

#endif

/* Shared by the files of the outcome: outcome.c (the cycle), outcome_profile.c (the profile and its
 * gate), outcome_storage.c (this machine's storage and its gate), outcome_mailbox.c (one direction
 * of a mailbox), outcome_item.c (one item). */
#ifndef EXSYNC_DAEMON_OUTCOME_PRIVATE_H
#define EXSYNC_DAEMON_OUTCOME_PRIVATE_H

#include "daemon/outcome.h"
#include "daemon/profile.h"

#include <stdbool.h>
#include <stdint.h>

enum { OUTCOME_OUTAGE_MS = 30 * 60 * 1000 }; /* trouble for so long is an outage */

/* The wall time of the next try. */
int64_t outcome_next_retry(uint64_t wait_ms);

/* Records what the cycle met: as its mailbox's, in its direction, or as its profile's. */
void outcome_record(const struct cycle *cycle, const struct failure *failure, bool of_mailbox,
                    uint64_t wait_ms);

/* What is said behind the reason when a failure that might have passed was taken for one that
 * stays; "" otherwise. Static. */
const char *outcome_taken_note(const struct failure *met, const struct failure *taken);

/* Whether one is the other again, so that it need not be told again. */
bool outcome_same_failure(const struct failure *a, const struct failure *b);

/* The server has answered the cycle: opens the profile's gate. */
void outcome_profile_succeeded(struct scheduler *scheduler, const struct direction *direction,
                               const struct cycle *cycle);

/* What the cycle met concerns its whole profile: closes the gate. */
void outcome_profile_failed(const struct direction *direction, const struct cycle *cycle);

/* `cycle` (of `direction`) is the one that met the failure; NULL: the probe of the store did. */
void outcome_storage_failed(struct scheduler *scheduler, struct direction *direction,
                            const struct cycle *cycle, const struct failure *cause);

void outcome_mailbox_succeeded(struct direction *direction, const struct cycle *cycle);

/* Returns the milliseconds until the next try. */
uint64_t outcome_mailbox_failed(struct direction *direction, const struct cycle *cycle);

#endif

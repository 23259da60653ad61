/* How long to wait before something that failed is tried again. */
#ifndef EXSYNC_DAEMON_BACKOFF_H
#define EXSYNC_DAEMON_BACKOFF_H

#include "base/failure.h"

#include <stdint.h>

struct backoff {
    uint64_t min_ms;
    uint64_t max_ms;
};

/* The wait before the next try after `failures` failures in a row (1 or more), in milliseconds,
 * with jitter of a quarter. Transient failures wait min, 2 min, 4 min ... up to max. Permanent ones
 * are probed: after 10, 30 and then 120 times min (5 min, 15 min, an hour by default), up to max.
 * What the server asked for is the least in any case. */
uint64_t backoff_wait(const struct backoff *backoff, const struct failure *failure,
                      uint32_t failures);

/* The wait before an item that failed is tried again: like a mailbox's as long as it is transient
 * and has tries left, 24 times max (a day by default) after that: nothing is given up for good. */
uint64_t backoff_item_wait(const struct backoff *backoff, const struct failure *failure,
                           uint32_t attempts, uint32_t attempts_limit);

#endif

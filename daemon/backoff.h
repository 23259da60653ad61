/* How long to wait before something that failed is tried again. */
#ifndef EXSYNC_DAEMON_BACKOFF_H
#define EXSYNC_DAEMON_BACKOFF_H

#include "base/failure.h"

#include <stddef.h>
#include <stdint.h>

struct backoff {
    uint64_t min_ms;
    uint64_t max_ms;
    const uint64_t *probes_ms; /* waits before what has stopped is probed; the last repeats */
    size_t probe_count;        /* 0: it waits for max_ms each time */
};

/* Tries in a row that failed, up to the last one. */
struct backoff_tries {
    uint32_t passing; /* with failures that may pass, since the last one that stays */
    uint32_t staying; /* with those that stay, or were taken for such */
};

/* Counts one more. A failure that may pass and has come `transient_attempts` times in a row (0: no
 * matter how often) is taken for one that stays: it becomes permanent. Returns how many there were
 * of its kind, for backoff_wait. */
uint32_t backoff_count(struct backoff_tries *tries, struct failure *failure,
                       uint32_t transient_attempts);

/* The wait before the next try, in milliseconds, after so many failures in a row (1 or more) of
 * this kind: those that may pass wait min, 2 min, 4 min ... up to max, with a jitter of a quarter;
 * those that stay, the probes' intervals in turn. A probe comes earlier than its interval by up to
 * a tenth, never later, so that mailboxes that were refused at the same moment drift apart. What
 * the server asked for is the least in any case. */
uint64_t backoff_wait(const struct backoff *backoff, const struct failure *failure,
                      uint32_t failures);

/* The wait before an item that failed is tried again: like a mailbox's as long as it is transient
 * and has tries left, 24 times max (a day by default) after that: nothing is given up for good. */
uint64_t backoff_item_wait(const struct backoff *backoff, const struct failure *failure,
                           uint32_t attempts, uint32_t attempts_limit);

#endif

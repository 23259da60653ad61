#include "daemon/backoff.h"

#include "base/random.h"

enum { PROBE_FIRST = 10, PROBE_SECOND = 30, PROBE_LATER = 120, ITEM_LATER = 24 };

static uint64_t jittered(uint64_t wait_ms)
{
    return wait_ms - wait_ms / 8 + random_below(wait_ms / 4 + 1);
}

static uint64_t permanent_wait(const struct backoff *backoff, uint32_t failures)
{
    uint64_t factor = failures <= 1 ? PROBE_FIRST : failures == 2 ? PROBE_SECOND : PROBE_LATER;
    return backoff->min_ms * factor;
}

static uint64_t transient_wait(const struct backoff *backoff, uint32_t failures)
{
    uint32_t doublings = failures <= 1 ? 0 : failures - 1;
    if (doublings > 20)
        doublings = 20;
    return backoff->min_ms << doublings;
}

uint64_t backoff_wait(const struct backoff *backoff, const struct failure *failure,
                      uint32_t failures)
{
    uint64_t wait =
        failure->permanent ? permanent_wait(backoff, failures) : transient_wait(backoff, failures);
    if (wait > backoff->max_ms)
        wait = backoff->max_ms;
    wait = jittered(wait);
    return wait < failure->retry_after_ms ? failure->retry_after_ms : wait;
}

uint64_t backoff_item_wait(const struct backoff *backoff, const struct failure *failure,
                           uint32_t attempts, uint32_t attempts_limit)
{
    if (failure->permanent || attempts >= attempts_limit)
        return jittered(backoff->max_ms * ITEM_LATER);
    return backoff_wait(backoff, failure, attempts);
}

#include "daemon/backoff.h"

#include "base/random.h"

enum { ITEM_LATER = 24 };

uint32_t backoff_count(struct backoff_tries *tries, struct failure *failure,
                       uint32_t transient_attempts)
{
    if (failure->permanent)
        tries->passing = 0;
    else if (tries->passing < UINT32_MAX)
        tries->passing++;
    if (transient_attempts > 0 && tries->passing >= transient_attempts)
        failure->permanent = true;
    if (!failure->permanent)
        return tries->passing;
    if (tries->staying < UINT32_MAX)
        tries->staying++;
    return tries->staying;
}

static uint64_t jittered(uint64_t wait_ms)
{
    return wait_ms - wait_ms / 8 + random_below(wait_ms / 4 + 1);
}

static uint64_t probe_wait(const struct backoff *backoff, uint32_t failures)
{
    uint64_t wait = backoff->max_ms;
    if (backoff->probe_count > 0) {
        size_t index = failures <= 1 ? 0 : failures - 1;
        wait = backoff->probes_ms[index < backoff->probe_count ? index : backoff->probe_count - 1];
    }
    return wait - random_below(wait / 10 + 1);
}

static uint64_t transient_wait(const struct backoff *backoff, uint32_t failures)
{
    uint32_t doublings = failures <= 1 ? 0 : failures - 1;
    if (doublings > 20)
        doublings = 20;
    uint64_t wait = backoff->min_ms << doublings;
    return jittered(wait > backoff->max_ms ? backoff->max_ms : wait);
}

uint64_t backoff_wait(const struct backoff *backoff, const struct failure *failure,
                      uint32_t failures)
{
    uint64_t wait =
        failure->permanent ? probe_wait(backoff, failures) : transient_wait(backoff, failures);
    return wait < failure->retry_after_ms ? failure->retry_after_ms : wait;
}

uint64_t backoff_item_wait(const struct backoff *backoff, const struct failure *failure,
                           uint32_t attempts, uint32_t attempts_limit)
{
    if (failure->permanent || attempts >= attempts_limit)
        return jittered(backoff->max_ms * ITEM_LATER);
    return backoff_wait(backoff, failure, attempts);
}

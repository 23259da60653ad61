#include "daemon/status.h"

#include "base/clock.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

const char *status_result_name(enum status_result result)
{
    static const char *const names[] = {
        [STATUS_NOT_RUN] = "not run",
        [STATUS_SUCCESS] = "success",
        [STATUS_FAILURE] = "failure",
    };
    return names[result];
}

/* What the cycle tells of the direction; STATUS_NOT_RUN: nothing. */
static enum status_result result_of(const struct cycle *cycle)
{
    if (cycle->failure.category == FAILURE_CANCELLED)
        return STATUS_NOT_RUN;
    if (failure_is_set(&cycle->failure))
        return STATUS_FAILURE;
    bool shows_nothing = cycle->cut_short || cycle->proves_nothing || cycle->probe;
    return shows_nothing ? STATUS_NOT_RUN : STATUS_SUCCESS;
}

void status_cycle_ended(struct status *status, const struct cycle *cycle)
{
    enum status_result result = result_of(cycle);
    if (!cycle->probe || result == STATUS_FAILURE)
        status->started_ms = cycle->started_wall_ms;
    if (!cycle->probe) {
        uint32_t failed = cycle->failed < STATUS_FAILED_MAX ? cycle->failed : STATUS_FAILED_MAX;
        status->processed = cycle->moved;
        status->failed = failed & STATUS_FAILED_MAX;
    }
    if (result != STATUS_NOT_RUN)
        status->result = result & 3u;
    if (result == STATUS_SUCCESS)
        status->succeeded_ms = clock_wall_ms();
}

int64_t status_next_due(const struct direction *direction)
{
    const struct profile *profile = direction->mailbox->profile;
    uint64_t now = executor_now(profile->context->executor), due = now;
    if (direction->state == DIRECTION_OFF ||
        (profile->paused && direction->state != DIRECTION_RUNNING))
        return INT64_MAX;
    if (direction->state == DIRECTION_WAITING && direction->due.key > due)
        due = direction->due.key;
    if (direction->state != DIRECTION_RUNNING && profile->gate.state == GATE_CLOSED &&
        profile->gate.timer.entry.key > due)
        due = profile->gate.timer.entry.key;
    return clock_wall_ms() + (int64_t)(due - now);
}

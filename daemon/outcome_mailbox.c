/* Outcome: the mailbox, one direction of it. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/alerts.h"
#include "daemon/backoff.h"
#include "daemon/folder_progress.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"

#include <inttypes.h>
#include <string.h>

/* Mail that waited behind the same outage as we did may come with old received times. */
static void look_deeper_after_outage(struct direction *direction, const struct cycle *cycle)
{
    const struct direction_trouble *trouble = direction->trouble;
    bool outage = direction->outages_seen != cycle->profile->outages;
    direction->outages_seen = cycle->profile->outages;
    if (trouble != NULL &&
        executor_now(cycle->context->executor) - trouble->since_ms > OUTCOME_OUTAGE_MS)
        outage = true;
    if (cycle->direction == CYCLE_OUTGOING)
        return;
    for (size_t i = 0; outage && i < cycle->mailbox->folder_count; i++)
        folder_want_pass(&cycle->mailbox->folders[i], clock_wall_ms());
}

void outcome_mailbox_succeeded(struct direction *direction, const struct cycle *cycle)
{
    if (direction->past != NULL)
        mailbox_begin_trouble(direction, executor_now(cycle->context->executor));
    look_deeper_after_outage(direction, cycle);
    if (direction->trouble != NULL) {
        const struct log_fields fields = report_fields(cycle, MESSAGE_MAILBOX_RESUMED, NULL);
        uint64_t now = executor_now(cycle->context->executor);
        log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "%s: %s works again after %" PRIu32 " failed %s in %" PRIu64 " s",
                  mailbox_address(cycle->mailbox), cycle_direction_name(cycle->direction),
                  direction->trouble->failures,
                  text_plural(direction->trouble->failures, "try", "tries"),
                  (now - direction->trouble->since_ms) / 1000);
        memory_free(direction->trouble);
        direction->trouble = NULL;
        direction->resolved = false;
    }
    if (!direction->resolved || direction->resolves_lost_seen != cycle->profile->resolves_lost) {
        direction->resolved = true;
        direction->resolves_lost_seen = cycle->profile->resolves_lost;
        alerts_resolve_mailbox(cycle);
    }
    mailbox_note_end(cycle->mailbox);
    alerts_look_at_group(cycle->profile);
}

static void report_mailbox_failure(const struct cycle *cycle, const struct failure *failure,
                                   uint64_t wait, bool repeated)
{
    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    report_reason(reason, failure);
    report_next_try(next_try, wait);
    /* One that stays has an alert besides. */
    enum log_priority priority = failure->permanent ? LOG_PRIORITY_NOTICE : LOG_PRIORITY_WARNING;
    const struct log_fields fields = report_fields(cycle, MESSAGE_MAILBOX_FAILED, failure);
    log_write(cycle->context->log, repeated ? LOG_PRIORITY_DEBUG : priority, &fields,
              "%s: %s failed: %s%s %s", mailbox_address(cycle->mailbox),
              cycle_direction_name(cycle->direction), reason,
              outcome_taken_note(&cycle->failure, failure), next_try);
}

/* A probe that meets what stopped the direction meets the same failure, though in another request.
 */
static struct failure failure_of(const struct cycle *cycle, const struct failure *before)
{
    struct failure failure = cycle->failure;
    if (cycle->probe && before != NULL && failure.category == before->category &&
        failure.scope == before->scope && strcmp(failure.code, before->code) == 0)
        failure_set_step(&failure, before->step);
    return failure;
}

/* Counts the try and returns the wait before the next one. An administrator's own try of what has
 * stopped does not count, and the next probe comes when it was due. */
static uint64_t count_try(struct direction_trouble *trouble, const struct cycle *cycle,
                          struct failure *failure)
{
    const struct backoff backoff = profile_backoff(cycle->profile);
    const struct backoff_tries before = trouble->tries;
    uint64_t now = executor_now(cycle->context->executor), probe_ms = trouble->probe_ms;
    uint32_t times =
        backoff_count(&trouble->tries, failure, cycle->profile->config->transient_attempts);
    trouble->probe_ms = 0;
    if (probe_ms == 0 || !failure->permanent)
        return backoff_wait(&backoff, failure, times);
    trouble->tries = before;
    uint64_t wait = probe_ms > now ? probe_ms - now : 0;
    return wait < failure->retry_after_ms ? failure->retry_after_ms : wait;
}

/* Counts and records what the direction met, as its trouble. `*repeated`: it met the same before.
 * Returns the milliseconds until the next try. */
static uint64_t note_trouble(struct direction *direction, const struct cycle *cycle,
                             struct failure *failure, bool *repeated)
{
    struct direction_trouble *trouble = direction->trouble;
    struct failure before = {0};
    if (trouble == NULL) {
        mailbox_begin_trouble(direction, executor_now(cycle->context->executor));
        trouble = direction->trouble;
    } else {
        before = trouble->failure;
    }
    uint64_t wait = count_try(trouble, cycle, failure);
    *repeated = outcome_same_failure(&before, failure);
    trouble->failure = *failure;
    trouble->failures += trouble->failures < UINT32_MAX;
    mailbox_note_end(cycle->mailbox);
    outcome_record(cycle, failure, true, wait);
    return wait;
}

uint64_t outcome_hangs(const struct cycle *cycle, const struct failure *cause)
{
    struct failure failure = *cause;
    struct direction *direction = mailbox_direction(cycle->mailbox, cycle->direction);
    bool repeated;
    if (direction->switched_off || mailbox_leaves(cycle->mailbox, cycle->direction))
        return OUTCOME_NEVER;
    return note_trouble(direction, cycle, &failure, &repeated);
}

uint64_t outcome_mailbox_failed(struct direction *direction, const struct cycle *cycle)
{
    const struct direction_trouble *trouble = direction->trouble;
    struct failure failure = failure_of(cycle, trouble == NULL ? NULL : &trouble->failure);
    bool repeated;
    uint64_t wait = note_trouble(direction, cycle, &failure, &repeated);
    report_mailbox_failure(cycle, &failure, wait, repeated);

    if (cycle->failure.category == FAILURE_THROTTLING && profile_note_busy(cycle->profile)) {
        const struct log_fields fields = {.message_id = MESSAGE_PROFILE_BUSY,
                                          .profile = cycle->profile->config->name};
        uint32_t budget = http_pool_budget(cycle->profile->pool);
        log_write(cycle->context->log, LOG_PRIORITY_WARNING, &fields,
                  "profile %s: the server is busy; at most %" PRIu32
                  " %s at a time until it recovers",
                  cycle->profile->config->name, budget, text_plural(budget, "request", "requests"));
    }
    return wait;
}

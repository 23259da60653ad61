#include "daemon/outcome.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "daemon/alerts.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t outcome_next_retry(uint64_t wait_ms)
{
    return clock_wall_ms() + (int64_t)wait_ms;
}

void outcome_record(const struct cycle *cycle, const struct failure *failure, bool of_mailbox,
                    uint64_t wait_ms)
{
    const struct store_failure row = {
        .failure = *failure,
        .profile = cycle->profile->config->name,
        .mailbox = of_mailbox ? cycle->mailbox->id : (struct store_mailbox){0},
        .direction = of_mailbox ? cycle_direction_name(cycle->direction) : NULL,
        .activity = cycle->activity,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = outcome_next_retry(wait_ms),
    };
    /* One that cannot be recorded is not lost: it was logged, and the next cycle meets it again. */
    alerts_record(cycle, &row, NULL, NULL);
}

bool outcome_same_failure(const struct failure *a, const struct failure *b)
{
    return a->category == b->category && a->scope == b->scope && a->permanent == b->permanent &&
           strcmp(a->code, b->code) == 0 && strcmp(a->step, b->step) == 0;
}

const char *outcome_taken_note(const struct failure *met, const struct failure *taken)
{
    return taken->permanent && !met->permanent
               ? " It has come so often in a row that it is treated like one that stays."
               : "";
}

static void report_moved_mail(const struct cycle *cycle)
{
    if (cycle->moved == 0 && cycle->failed == 0)
        return;
    const struct log_fields fields = report_fields(cycle, MESSAGE_CYCLE, NULL);
    uint64_t elapsed = executor_now(cycle->context->executor) - cycle->started_ms;
    char size[48] = ""; /* not known of what was found sent and has no file */
    if (cycle->moved_bytes > 0)
        snprintf(size, sizeof size, " (%" PRIu64 " %s)", cycle->moved_bytes,
                 text_plural(cycle->moved_bytes, "byte", "bytes"));
    log_write(cycle->context->log, LOG_PRIORITY_INFO, &fields,
              "%s: %" PRIu32 " %s%s, %" PRIu32 " failed, in %" PRIu64 " ms%s",
              mailbox_address(cycle->mailbox), cycle->moved,
              cycle->direction == CYCLE_INCOMING ? "delivered" : "sent", size, cycle->failed,
              elapsed, cycle->more ? "; more to come" : "");
}

/* When the first submission that waits is due; none waits: whoever queues one says so. */
static uint64_t next_submission(const struct cycle *cycle)
{
    if (cycle->next_ms == INT64_MAX)
        return OUTCOME_NEVER;
    int64_t now = clock_wall_ms();
    return cycle->next_ms > now ? (uint64_t)(cycle->next_ms - now) : 0;
}

/* The interval is counted from start to start; the jitter only ever shortens it, so that a mailbox
 * is never later than it was promised. */
static uint64_t next_poll(const struct cycle *cycle)
{
    if (cycle->more)
        return 0;
    if (cycle->direction == CYCLE_OUTGOING)
        return next_submission(cycle);
    uint64_t interval = cycle->profile->config->poll_interval_ms;
    uint64_t due = cycle->started_ms + interval - random_below(interval / 10 + 1);
    uint64_t now = executor_now(cycle->context->executor);
    return due > now ? due - now : 0;
}

/* An answer from behind the server's front door: the sign-in was accepted. */
static bool server_was_reached(const struct failure *failure)
{
    return failure->http_status == 200 || failure->http_status == 500;
}

/* Trouble of the server that each mailbox meets for itself. */
static bool may_be_the_server(const struct failure *failure)
{
    return !failure->permanent &&
           (failure->category == FAILURE_SERVER || failure->category == FAILURE_NETWORK);
}

static uint64_t settle_failure(struct scheduler *scheduler, struct direction *direction,
                               const struct cycle *cycle)
{
    const struct failure *failure = &cycle->failure;
    if (failure->category == FAILURE_CANCELLED)
        return 0;
    if (failure->category == FAILURE_STORAGE && failure->scope == FAILURE_SCOPE_SERVER) {
        outcome_storage_failed(scheduler, direction, cycle, failure);
        return 0;
    }
    if (failure->scope == FAILURE_SCOPE_PROFILE || failure->scope == FAILURE_SCOPE_SERVER) {
        outcome_profile_failed(direction, cycle);
        return 0;
    }
    if (server_was_reached(failure))
        outcome_profile_succeeded(scheduler, direction, cycle);
    /* It will not be tried again: what is recorded now would never be over. */
    if (mailbox_leaves(cycle->mailbox, cycle->direction))
        return 0;
    /* What an earlier process has met makes none of them less a first one. */
    bool first = direction->trouble == NULL;
    uint64_t wait = outcome_mailbox_failed(direction, cycle);
    if (may_be_the_server(failure) && first && profile_note_alike(cycle->profile, failure))
        outcome_profile_failed(direction, cycle);
    return wait;
}

uint64_t outcome_settle(struct scheduler *scheduler, struct direction *direction,
                        const struct cycle *cycle)
{
    uint64_t wait = 0;
    bool probed = direction->probed;
    report_moved_mail(cycle);
    direction->probed = false;
    if (failure_is_set(&cycle->failure)) {
        wait = settle_failure(scheduler, direction, cycle);
    } else if (cycle->probe && !cycle->cut_short) {
        /* The cycle that was missed comes at once; it alone can tell that the trouble is over. */
        outcome_profile_succeeded(scheduler, direction, cycle);
        direction->probed = true;
    } else if (!cycle->cut_short) {
        if (!cycle->proves_nothing) {
            outcome_profile_succeeded(scheduler, direction, cycle);
            outcome_mailbox_succeeded(direction, cycle);
        } else if (probed && cycle->next_ms == INT64_MAX) {
            /* The mailbox can be used, and the message that was refused is there no more. */
            outcome_mailbox_succeeded(direction, cycle);
        }
        wait = next_poll(cycle);
    }
    gate_leave(&cycle->profile->gate, direction->gate_generation);
    return wait;
}

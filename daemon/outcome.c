#include "daemon/outcome.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "daemon/backoff.h"
#include "daemon/folder_progress.h"
#include "daemon/messages.h"
#include "daemon/report.h"
#include "daemon/undeliverable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    OUTAGE_MS = 30 * 60 * 1000, /* trouble for so long is an outage */
    SIGN_IN_SECOND_MS = 60 * 1000,
    SIGN_IN_LATER_MS = 60 * 60 * 1000,
    STORAGE_RETRY_MIN_MS = 5000,
    STORAGE_RETRY_MAX_MS = 30000,
};

static int64_t next_retry_wall(uint64_t wait_ms)
{
    return clock_wall_ms() + (int64_t)wait_ms;
}

static void record(const struct cycle *cycle, const struct failure *failure, bool of_mailbox,
                   uint64_t wait_ms)
{
    const struct store_failure row = {
        .failure = *failure,
        .profile = cycle->profile->config->name,
        .mailbox = of_mailbox ? cycle->mailbox->id : (struct store_mailbox){0},
        .direction = of_mailbox ? cycle_direction_name(cycle->direction) : NULL,
        .activity = cycle->activity,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = next_retry_wall(wait_ms),
    };
    /* One that cannot be recorded is not lost: it was logged, and the next cycle meets it again. */
    store_failure_record(cycle->context->store, &row, NULL, NULL);
}

static bool same_failure(const struct failure *a, const struct failure *b)
{
    return a->category == b->category && a->scope == b->scope && strcmp(a->code, b->code) == 0 &&
           strcmp(a->step, b->step) == 0;
}

/* --- the profile's gate --- */

/* The first time since the start, or since a reload that changed how the server is reached. */
static void report_sign_in(const struct cycle *cycle)
{
    const struct config_profile *config = cycle->profile->config;
    struct log_fields fields = report_fields(cycle, MESSAGE_SIGNED_IN, NULL);
    fields.mailbox = NULL;
    log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
              "profile %s: signed in to %s as %s", config->name, config->url,
              config->username == NULL ? "the owner of the Kerberos ticket" : config->username);
}

static void profile_succeeded(struct scheduler *scheduler, const struct direction *direction,
                              const struct cycle *cycle)
{
    struct profile *profile = cycle->profile;
    uint64_t closed_ms = profile->gate.closed_ms;
    profile->alike = 0;
    if (!profile->signed_in && profile->current) {
        profile->signed_in = true;
        report_sign_in(cycle);
    }
    if (gate_succeed(&profile->gate, direction->gate_generation)) {
        const struct log_fields fields = {.message_id = MESSAGE_PROFILE_RESUMED,
                                          .profile = profile->config->name};
        log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: the server answers again, its mailboxes go on",
                  profile->config->name);
        if (executor_now(cycle->context->executor) - closed_ms > OUTAGE_MS)
            profile->outages++;
        profile->resolved = false;
        scheduler_wake(scheduler);
    }
    /* What began before the gate closed says nothing about the failure that closed it, nor does a
     * profile that was replaced about the one in use. */
    if (!profile->resolved && profile->current && profile->gate.state == GATE_OPEN) {
        profile->resolved = true;
        store_failure_resolve(cycle->context->store, profile->config->name,
                              (struct store_mailbox){0}, NULL, clock_wall_ms(), NULL, NULL, NULL);
    }
}

/* A refused sign-in is tried once more soon, in case a domain controller was in trouble, and then
 * once an hour, whatever is configured, so that the account is never locked out by us. */
static uint64_t profile_wait(const struct profile *profile, const struct failure *failure)
{
    struct backoff backoff = profile_backoff(profile);
    uint32_t failures = profile->gate.failures + 1;
    if (failure->category == FAILURE_AUTHENTICATION)
        return failures == 1 ? SIGN_IN_SECOND_MS : SIGN_IN_LATER_MS;
    return backoff_wait(&backoff, failure, failures);
}

static void profile_failed(const struct direction *direction, const struct cycle *cycle)
{
    struct profile *profile = cycle->profile;
    const struct failure *failure = &cycle->failure;
    const struct failure before = profile->gate.failure;
    uint64_t wait = profile_wait(profile, failure);
    if (!gate_close(&profile->gate, direction->gate_generation, failure, wait))
        return;
    if (!profile->current)
        return; /* replaced, perhaps for that reason: nobody would resolve the failure any more */
    record(cycle, failure, false, wait);

    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    report_reason(reason, failure);
    report_next_try(next_try, wait);
    struct log_fields fields = report_fields(cycle, MESSAGE_PROFILE_FAILED, failure);
    fields.mailbox = NULL;
    log_write(cycle->context->log,
              same_failure(&before, failure) ? LOG_PRIORITY_INFO : LOG_PRIORITY_ERROR, &fields,
              "profile %s: all its mailboxes wait: %s Seen with %s. %s", profile->config->name,
              reason, mailbox_address(cycle->mailbox), next_try);
}

/* --- this machine's storage --- */

/* `cycle` (of `direction`) is the one that met the failure; NULL: the probe did. */
static void storage_failed(struct scheduler *scheduler, struct direction *direction,
                           const struct cycle *cycle, const struct failure *cause)
{
    const struct backoff backoff = {.min_ms = STORAGE_RETRY_MIN_MS, .max_ms = STORAGE_RETRY_MAX_MS};
    struct failure failure = *cause;
    failure.permanent = false;
    uint64_t wait = backoff_wait(&backoff, &failure, scheduler->storage.failures + 1);
    bool first = scheduler->storage.failures == 0;
    if (!gate_close(&scheduler->storage, scheduler->storage.generation, &failure, wait))
        return;
    if (cycle != NULL) {
        record(cycle, &failure, true, wait);
        direction->resolved = false;
    }

    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    report_reason(reason, &failure);
    report_next_try(next_try, wait);
    const struct log_fields fields = {
        .message_id = MESSAGE_STORAGE_FAILED, .step = failure.step, .code = failure.code};
    log_write(scheduler->context->log, first ? LOG_PRIORITY_CRITICAL : LOG_PRIORITY_INFO, &fields,
              "all mailboxes wait: %s%s%s%s Nothing is lost. %s", reason,
              cycle == NULL ? "" : " Seen with ",
              cycle == NULL ? "" : mailbox_address(cycle->mailbox), cycle == NULL ? "" : ".",
              next_try);
}

static void storage_probed(void *argument, const struct failure *failure)
{
    struct scheduler *scheduler = argument;
    if (failure != NULL) {
        storage_failed(scheduler, NULL, NULL, failure);
        return;
    }
    if (!gate_succeed(&scheduler->storage, scheduler->storage.generation))
        return;
    const struct log_fields fields = {.message_id = MESSAGE_STORAGE_RESUMED};
    log_write(scheduler->context->log, LOG_PRIORITY_NOTICE, &fields,
              "the database can be written again, all mailboxes go on");
    scheduler_wake(scheduler);
}

void outcome_try_storage(void *argument)
{
    struct scheduler *scheduler = argument;
    store_probe(scheduler->context->store, storage_probed, scheduler);
}

/* --- the mailbox --- */

/* Mail that waited behind the same outage as we did may come with old received times. */
static void look_deeper_after_outage(struct direction *direction, const struct cycle *cycle)
{
    const struct direction_trouble *trouble = direction->trouble;
    bool outage = direction->outages_seen != cycle->profile->outages;
    direction->outages_seen = cycle->profile->outages;
    if (trouble != NULL && executor_now(cycle->context->executor) - trouble->since_ms > OUTAGE_MS)
        outage = true;
    if (cycle->direction == CYCLE_OUTGOING)
        return;
    for (size_t i = 0; outage && i < cycle->mailbox->folder_count; i++)
        folder_want_pass(&cycle->mailbox->folders[i], clock_wall_ms());
}

static void mailbox_succeeded(struct direction *direction, const struct cycle *cycle)
{
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
    if (!direction->resolved) {
        direction->resolved = true;
        store_failure_resolve(cycle->context->store, cycle->profile->config->name,
                              cycle->mailbox->id, cycle_direction_name(cycle->direction),
                              clock_wall_ms(), NULL, NULL, NULL);
    }
}

static void report_mailbox_failure(const struct cycle *cycle, uint64_t wait, bool repeated)
{
    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    report_reason(reason, &cycle->failure);
    report_next_try(next_try, wait);
    enum log_priority priority =
        cycle->failure.permanent ? LOG_PRIORITY_ERROR : LOG_PRIORITY_WARNING;
    const struct log_fields fields = report_fields(cycle, MESSAGE_MAILBOX_FAILED, &cycle->failure);
    log_write(cycle->context->log, repeated ? LOG_PRIORITY_DEBUG : priority, &fields,
              "%s: %s stopped: %s %s", mailbox_address(cycle->mailbox),
              cycle_direction_name(cycle->direction), reason, next_try);
}

static uint64_t mailbox_failed(struct direction *direction, const struct cycle *cycle)
{
    struct direction_trouble *trouble = direction->trouble;
    bool repeated = trouble != NULL && same_failure(&trouble->failure, &cycle->failure);
    if (trouble == NULL) {
        trouble = memory_allocate(sizeof *trouble);
        trouble->since_ms = executor_now(cycle->context->executor);
        direction->trouble = trouble;
    }
    trouble->failure = cycle->failure;
    trouble->failures++;
    struct backoff backoff = profile_backoff(cycle->profile);
    uint64_t wait = backoff_wait(&backoff, &cycle->failure, trouble->failures);
    record(cycle, &cycle->failure, true, wait);
    report_mailbox_failure(cycle, wait, repeated);

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

/* --- the cycle --- */

static void report_moved_mail(const struct cycle *cycle)
{
    if (cycle->moved == 0 && cycle->failed == 0)
        return;
    const struct log_fields fields = report_fields(cycle, MESSAGE_CYCLE, NULL);
    uint64_t elapsed = executor_now(cycle->context->executor) - cycle->started_ms;
    log_write(cycle->context->log, LOG_PRIORITY_INFO, &fields,
              "%s: %" PRIu32 " %s (%" PRIu64 " %s), %" PRIu32 " failed, in %" PRIu64 " ms%s",
              mailbox_address(cycle->mailbox), cycle->moved,
              cycle->direction == CYCLE_INCOMING ? "delivered" : "sent", cycle->moved_bytes,
              text_plural(cycle->moved_bytes, "byte", "bytes"), cycle->failed, elapsed,
              cycle->more ? "; more to come" : "");
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
        storage_failed(scheduler, direction, cycle, failure);
        return 0;
    }
    if (failure->scope == FAILURE_SCOPE_PROFILE || failure->scope == FAILURE_SCOPE_SERVER) {
        profile_failed(direction, cycle);
        return 0;
    }
    if (server_was_reached(failure))
        profile_succeeded(scheduler, direction, cycle);
    uint64_t wait = mailbox_failed(direction, cycle);
    if (may_be_the_server(failure) && direction->trouble->failures == 1 &&
        profile_note_alike(cycle->profile, failure))
        profile_failed(direction, cycle);
    return wait;
}

uint64_t outcome_settle(struct scheduler *scheduler, struct direction *direction,
                        const struct cycle *cycle)
{
    uint64_t wait = 0;
    report_moved_mail(cycle);
    if (failure_is_set(&cycle->failure)) {
        wait = settle_failure(scheduler, direction, cycle);
    } else if (!cycle->cut_short) {
        if (!cycle->proves_nothing) {
            profile_succeeded(scheduler, direction, cycle);
            mailbox_succeeded(direction, cycle);
        }
        wait = next_poll(cycle);
    }
    gate_leave(&cycle->profile->gate, direction->gate_generation);
    return wait;
}

/* Whether the item is moved out of the way instead of being tried again. Trouble of this machine's
 * storage is no reason: the item has no part in it. Nor is what was said of more than the item,
 * however permanent, before all attempts are used. */
static bool is_undeliverable(const struct cycle *cycle, const struct failure *failure,
                             uint32_t attempts)
{
    if (!mailbox_settings(cycle->mailbox)->undeliverable_folder ||
        failure->category == FAILURE_STORAGE)
        return false;
    return attempts >= cycle->profile->config->item_attempts ||
           (failure->permanent && failure->scope == FAILURE_SCOPE_ITEM);
}

void outcome_item_failed(struct cycle *cycle, const struct item *item,
                         const struct failure *failure, store_done *done, void *argument)
{
    struct backoff backoff = profile_backoff(cycle->profile);
    uint32_t attempts = item->attempts + 1;
    uint64_t wait =
        backoff_item_wait(&backoff, failure, attempts, cycle->profile->config->item_attempts);
    bool set_aside = is_undeliverable(cycle, failure, attempts);
    const struct store_delivery delivery = {
        .key = item->key,
        .received_ms = item->received_ms,
        .reference = item->reference,
    };
    struct store_failure row = report_row(cycle, failure, next_retry_wall(wait));
    row.item = &delivery;
    row.attempts = attempts;
    row.set_aside = set_aside;
    store_failure_record(cycle->context->store, &row, done, argument);

    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE], received[CLOCK_TEXT_SIZE];
    report_reason(reason, failure);
    if (set_aside)
        snprintf(next_try, sizeof next_try, "It will be moved to " UNDELIVERABLE_FOLDER ".");
    else
        report_next_try(next_try, wait);
    clock_format_utc(item->received_ms, received);
    const struct log_fields fields = report_fields(cycle, MESSAGE_ITEM_FAILED, failure);
    log_write(cycle->context->log, attempts == 1 ? LOG_PRIORITY_WARNING : LOG_PRIORITY_INFO,
              &fields, "%s: a message received %s was not delivered: %s The others go on. %s",
              mailbox_address(cycle->mailbox), received, reason, next_try);
}

/* Outcome: this machine's storage, and the gate before all profiles. */
#include "daemon/backoff.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"

enum {
    STORAGE_RETRY_MIN_MS = 5000,
    STORAGE_RETRY_MAX_MS = 30000,
};

void outcome_storage_failed(struct scheduler *scheduler, struct direction *direction,
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
        outcome_record(cycle, &failure, true, wait);
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
        outcome_storage_failed(scheduler, NULL, NULL, failure);
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

/* Outcome: one item. */
#include "base/clock.h"
#include "daemon/alerts.h"
#include "daemon/backoff.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"
#include "daemon/undeliverable.h"

#include <stdio.h>

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
        .message = item->message,
    };
    struct store_failure row = report_row(cycle, failure, outcome_next_retry(wait));
    row.item = &delivery;
    row.attempts = attempts;
    row.set_aside = set_aside;
    alerts_record(cycle, &row, done, argument);

    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE], received[CLOCK_LOCAL_SIZE];
    report_reason(reason, failure);
    if (set_aside)
        snprintf(next_try, sizeof next_try, "It will be moved to " UNDELIVERABLE_FOLDER ".");
    else
        report_next_try(next_try, wait);
    clock_format_local(item->received_ms, received);
    const struct log_fields fields = report_fields(cycle, MESSAGE_ITEM_FAILED, failure);
    log_write(cycle->context->log, attempts == 1 ? LOG_PRIORITY_WARNING : LOG_PRIORITY_INFO,
              &fields, "%s: a message received %s was not delivered: %s The others go on. %s",
              mailbox_address(cycle->mailbox), received, reason, next_try);
}

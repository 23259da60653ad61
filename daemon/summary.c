#include "daemon/summary.h"

#include "daemon/messages.h"

#include <inttypes.h>

void summary_count(struct summary *summary, const struct cycle *cycle)
{
    summary->cycles++;
    if (failure_is_set(&cycle->failure) && cycle->failure.category != FAILURE_CANCELLED)
        summary->cycles_failed++;
    summary->delivered += cycle->moved;
    summary->delivered_bytes += cycle->moved_bytes;
    summary->items_failed += cycle->failed;
}

void summary_report(struct summary *summary, struct log *log, uint64_t interval_ms,
                    uint32_t mailboxes, uint32_t failing)
{
    const struct log_fields fields = {.message_id = MESSAGE_SUMMARY};
    log_write(log, LOG_PRIORITY_INFO, &fields,
              "in the last %" PRIu64 " minutes: %" PRIu64 " messages delivered (%" PRIu64
              " bytes), %" PRIu64 " messages failed, %" PRIu64 " cycles, %" PRIu64
              " of them failed; %" PRIu32 " mailboxes, %" PRIu32 " of them failing now",
              interval_ms / 60000, summary->delivered, summary->delivered_bytes,
              summary->items_failed, summary->cycles, summary->cycles_failed, mailboxes, failing);
    *summary = (struct summary){0};
}

#include "daemon/summary.h"

#include "base/text.h"
#include "daemon/messages.h"

#include <inttypes.h>

void summary_count(struct summary *summary, const struct cycle *cycle)
{
    summary->cycles++;
    if (failure_is_set(&cycle->failure) && cycle->failure.category != FAILURE_CANCELLED)
        summary->cycles_failed++;
    bool is_incoming = cycle->direction == CYCLE_INCOMING;
    *(is_incoming ? &summary->delivered : &summary->sent) += cycle->moved;
    *(is_incoming ? &summary->delivered_bytes : &summary->sent_bytes) += cycle->moved_bytes;
    summary->items_failed += cycle->failed;
}

void summary_report(struct summary *summary, struct log *log, uint64_t interval_ms,
                    uint32_t mailboxes, uint32_t failing)
{
    const struct log_fields fields = {.message_id = MESSAGE_SUMMARY};
    uint64_t minutes = interval_ms / 60000;
    log_write(log, LOG_PRIORITY_INFO, &fields,
              "in the last %" PRIu64 " %s: %" PRIu64 " %s delivered (%" PRIu64 " %s), %" PRIu64
              " sent (%" PRIu64 " %s), %" PRIu64 " %s failed, %" PRIu64 " %s, %" PRIu64
              " of them failed; %" PRIu32 " %s, %" PRIu32 " of them failing now",
              minutes, text_plural(minutes, "minute", "minutes"), summary->delivered,
              text_plural(summary->delivered, "message", "messages"), summary->delivered_bytes,
              text_plural(summary->delivered_bytes, "byte", "bytes"), summary->sent,
              summary->sent_bytes, text_plural(summary->sent_bytes, "byte", "bytes"),
              summary->items_failed, text_plural(summary->items_failed, "message", "messages"),
              summary->cycles, text_plural(summary->cycles, "cycle", "cycles"),
              summary->cycles_failed, mailboxes, text_plural(mailboxes, "mailbox", "mailboxes"),
              failing);
    *summary = (struct summary){0};
}

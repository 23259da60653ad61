/* What happened since the last summary, said once an hour (summary_interval). */
#ifndef EXSYNC_DAEMON_SUMMARY_H
#define EXSYNC_DAEMON_SUMMARY_H

#include "base/log.h"
#include "daemon/cycle.h"

#include <stdint.h>

struct summary {
    uint64_t cycles;
    uint64_t cycles_failed;
    uint64_t delivered;
    uint64_t delivered_bytes;
    uint64_t sent;
    uint64_t sent_bytes;
    uint64_t items_failed;
};

void summary_count(struct summary *summary, const struct cycle *cycle);

/* Says it and begins anew. `mailboxes` are configured, `failing` of them fail now. */
void summary_report(struct summary *summary, struct log *log, uint64_t interval_ms,
                    uint32_t mailboxes, uint32_t failing);

#endif

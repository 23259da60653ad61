#include "daemon/cycle.h"

#include "base/clock.h"
#include "base/text.h"
#include "daemon/mailbox.h"

#include <stdio.h>
#include <string.h>

const char *cycle_direction_name(enum cycle_direction direction)
{
    return direction == CYCLE_INCOMING ? "incoming" : "outgoing";
}

void cycle_init(struct cycle *cycle, const struct context *context, struct mailbox *mailbox,
                enum cycle_direction direction, const struct cycle_operations *operations,
                void (*on_end)(struct cycle *cycle))
{
    *cycle = (struct cycle){
        .context = context,
        .operations = operations,
        .direction = direction,
        .mailbox = mailbox,
        .profile = mailbox->profile,
        .started_ms = executor_now(context->executor),
        .started_wall_ms = clock_wall_ms(),
        .on_end = on_end,
    };
    uuid_generate(cycle->activity);
    const struct config_mailbox_rare *rare = mailbox->config->rare;
    cycle->target = (struct backend_mailbox){
        .address = mailbox_address(mailbox),
        .identity = rare == NULL ? NULL : rare->identity,
        .cookies = &mailbox->cookies,
        .activity = cycle->activity,
    };
}

void cycle_at(struct cycle *cycle, const char *at, const char *detail)
{
    cycle->at = at;
    if (detail == NULL)
        detail = "";
    text_copy_line(cycle->at_detail, sizeof cycle->at_detail, detail, strlen(detail));
}

void cycle_at_message(struct cycle *cycle, const char *subject)
{
    char quoted[CYCLE_DETAIL_SIZE];
    snprintf(quoted, sizeof quoted, "\"%.*s\"", CYCLE_DETAIL_SIZE - 3, subject);
    cycle->subject = subject;
    cycle_at(cycle, "sending the message", quoted);
}

void cycle_count_moved(struct cycle *cycle, uint64_t bytes)
{
    cycle->moved++;
    cycle->moved_bytes += bytes;
}

#include "daemon/cycle.h"

#include "base/clock.h"
#include "base/text.h"
#include "daemon/mailbox.h"

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
    char *quoted = cycle->at_detail;
    cycle->subject = subject;
    cycle->at = "sending the message";
    quoted[0] = '"';
    size_t length = text_copy_line(quoted + 1, CYCLE_DETAIL_SIZE - 2, subject, strlen(subject));
    quoted[1 + length] = '"';
    quoted[2 + length] = '\0';
}

void cycle_count_moved(struct cycle *cycle, uint64_t bytes)
{
    cycle->moved++;
    cycle->moved_bytes += bytes;
}

/* What the service does when a backup was put back: before the first cycle, and until all mailboxes
 * were compared. */
#include "daemon/messages.h"
#include "daemon/service_private.h"

/* A stop may have come meanwhile: then nothing begins. */
static void restored(struct restoration *restoration, const struct failure *failure)
{
    struct service *service = restoration->argument;
    struct config *config = service->first_config;
    if (failure != NULL) {
        service_started(service, failure);
        return;
    }
    if (service->stopping)
        return;
    service->first_config = NULL;
    reload_apply(service, config);
}

void service_restore(struct service *service)
{
    service->restoration =
        (struct restoration){.context = &service->context, .done = restored, .argument = service};
    restoration_start(&service->restoration);
}

static bool is_unchecked(const struct service *service, size_t index)
{
    const struct mailbox *mailbox = service->mailboxes[index];
    return mailbox->unchecked && mailbox_wants(mailbox, CYCLE_INCOMING);
}

/* From the one on that was found the last time: one by one they are checked, and there may be tens
 * of thousands. */
static bool is_any_unchecked(struct service *service)
{
    for (size_t i = 0; i < service->mailbox_count; i++) {
        size_t index = (service->unchecked_index + i) % service->mailbox_count;
        if (is_unchecked(service, index)) {
            service->unchecked_index = index;
            return true;
        }
    }
    return false;
}

void service_note_checked(struct service *service, const struct cycle *cycle)
{
    bool perhaps =
        service->unchecked && cycle->direction == CYCLE_INCOMING && !cycle->mailbox->unchecked;
    if (!perhaps || is_any_unchecked(service))
        return;
    service->unchecked = false;
    const struct log_fields fields = {.message_id = MESSAGE_RESTORE_DONE};
    log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "the database that was put back is checked: all Maildirs were compared with the "
              "ledger");
}

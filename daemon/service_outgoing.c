/* What the service does for outgoing mail: brings what was queued to its mailbox's schedule. */
#include "base/memory.h"
#include "base/text.h"
#include "daemon/messages.h"
#include "daemon/service_private.h"
#include "mail/outbox.h"

#include <string.h>

void service_hasten(struct service *service, struct mailbox *mailbox, bool now)
{
    struct direction *direction = &mailbox->outgoing;
    switch (direction->state) {
    case DIRECTION_WAITING:
        if (direction->trouble == NULL || now)
            service_try_direction(service, direction);
        break;
    case DIRECTION_OFF:
        if (mailbox->next_configuration == NULL)
            service_schedule(service, direction, 0);
        break;
    case DIRECTION_RUNNING: /* it may have read the store before */
        direction->cycle->more = true;
        break;
    case DIRECTION_READY:
        break;
    }
}

/* As it will be once its cycle is over, where one still runs. */
static enum orphans_cause why_nothing_is_sent(void *argument, int64_t number)
{
    const struct mailbox *mailbox = service_mailbox_by_number(argument, number);
    if (mailbox == NULL || mailbox->removed)
        return ORPHANS_NOT_CONFIGURED;
    const struct config_mailbox *config =
        mailbox->next_configuration != NULL ? mailbox->next_config : mailbox->config;
    if (!config->settings->outgoing)
        return ORPHANS_OUTGOING_OFF;
    return mailbox->outgoing.switched_off ? ORPHANS_DISABLED : ORPHANS_NONE;
}

/* The configuration may have changed after it was decided who sends the message. */
static void queued(void *argument, struct store_mailbox id)
{
    struct service *service = argument;
    if (why_nothing_is_sent(service, id.number) == ORPHANS_NONE)
        service_hasten(service, service_mailbox_by_number(service, id.number), false);
    else
        orphans_look_again(service->orphans);
}

static bool find(void *argument, const char *address, struct store_mailbox *mailbox,
                 const struct config_mailbox **config)
{
    const struct service *service = argument;
    const struct config *in_use = service->configuration->config;
    const struct config_mailbox *found = config_find_mailbox(in_use, address);
    if (found == NULL || !found->settings->outgoing)
        return false;
    *mailbox = service->by_config[found - in_use->mailboxes]->id;
    *config = found;
    return true;
}

static bool is_busy(void *argument, int64_t number)
{
    const struct mailbox *mailbox = service_mailbox_by_number(argument, number);
    return mailbox != NULL &&
           (mailbox->outgoing.state == DIRECTION_RUNNING || mailbox->outgoing.claims > 0);
}

void service_create_outgoing(struct service *service, const char *state_directory)
{
    struct buffer path = {0};
    const struct intake_owner owner = {.find = find, .queued = queued, .argument = service};
    buffer_append_format(&path, "%s/outbox", state_directory);
    service->context.outbox =
        outbox_create(service->context.executor, service->files, buffer_string(&path));
    service->intake = intake_create(&service->context, &owner);
    const struct orphans_owner orphans_owner = {
        .cause = why_nothing_is_sent, .is_busy = is_busy, .queued = queued, .argument = service};
    service->orphans = orphans_create(&service->context, &orphans_owner);
    buffer_release(&path);
}

char *service_outbox_path(const struct service *service)
{
    if (service->context.outbox == NULL)
        return NULL;
    return memory_copy_string(outbox_directory(service->context.outbox));
}

static bool anybody_sends(const struct config *config)
{
    for (size_t i = 0; i < config->mailbox_count; i++) {
        if (config->mailboxes[i].settings->outgoing)
            return true;
    }
    return false;
}

/* There is an outbox, as systemd-tmpfiles makes it: programs may go on submitting. */
static void nobody_sends(void *argument, const struct failure *failure, size_t count)
{
    const struct service *service = argument;
    if (service->stopping || count == 0 || (failure != NULL && failure->gone))
        return;
    const struct log_fields fields = {.message_id = MESSAGE_NOBODY_SENDS};
    log_write(
        service->context.log, LOG_PRIORITY_WARNING, &fields,
        "no mailbox has outgoing = yes, so nobody takes what is submitted: %zu %s in %s, and "
        "exsync-submit goes on accepting more. Give a mailbox outgoing = yes; what waits is "
        "taken then. Or, if nothing is to be sent from here, see to it that there is no outbox, "
        "and systemd-tmpfiles makes none: ln -s /dev/null /etc/tmpfiles.d/exsyncd.conf, and "
        "move the folder outbox away; exsync-submit refuses without it.",
        count, text_plural(count, "message waits", "messages wait"),
        outbox_watched(service->context.outbox));
}

void service_configure_outgoing(struct service *service)
{
    if (service->stopping)
        return;
    orphans_look(service->orphans);
    if (!service->sends && !anybody_sends(service->configuration->config)) {
        outbox_count_waiting(service->context.outbox, nobody_sends, service);
        return;
    }
    service->sends = true;
    intake_configure(service->intake, service->configuration);
}

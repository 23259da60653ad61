/* The mailboxes in use: which one is meant. */
#include "daemon/service_private.h"

size_t service_mailbox_from(const struct service *service, int64_t number)
{
    size_t low = 0, high = service->mailbox_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (service->mailboxes[middle]->id.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mailbox *service_mailbox_by_number(const struct service *service, int64_t number)
{
    size_t index = service_mailbox_from(service, number);
    bool found = index < service->mailbox_count && service->mailboxes[index]->id.number == number;
    return found ? service->mailboxes[index] : NULL;
}

struct mailbox *service_mailbox(const struct service *service, const char *address)
{
    const struct config *config = service->configuration->config;
    const struct config_mailbox *found = config_find_mailbox(config, address);
    return found == NULL ? NULL : service->by_config[found - config->mailboxes];
}

size_t service_list_stopped(void *argument, const struct profile *profile, const char **addresses,
                            size_t room)
{
    const struct service *service = argument;
    size_t count = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->profile != profile || !mailbox->stopped || mailbox->removed)
            continue;
        if (count < room)
            addresses[count] = mailbox_address(mailbox);
        count++;
    }
    return count;
}

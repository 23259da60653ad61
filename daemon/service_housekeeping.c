/* What the service does from time to time, whatever its mailboxes do: the summary in the log, and
 * removing from the store what need not be remembered any more. */
#include "base/clock.h"
#include "daemon/removal.h"
#include "daemon/service_private.h"

enum {
    HOUSEKEEPING_EVERY_MS = 60 * 60 * 1000,
    HOUSEKEEPING_MORE_MS = 1000,
};

/* One that left the configuration while its cycle ran is still there, but no longer counts. */
static uint32_t configured_mailboxes(const struct service *service, uint32_t *failing)
{
    uint32_t configured = 0;
    *failing = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->removed)
            continue;
        configured++;
        *failing += mailbox->incoming.trouble != NULL || mailbox->outgoing.trouble != NULL ||
                    mailbox->profile->gate.state != GATE_OPEN;
    }
    return configured;
}

static void summarize(void *argument)
{
    struct service *service = argument;
    uint64_t interval = service->configuration->config->summary_interval_ms;
    uint32_t failing, configured = configured_mailboxes(service, &failing);
    summary_report(&service->summary, service->context.log, interval, configured, failing);
    executor_after(service->context.executor, &service->summary_timer, interval, summarize,
                   service);
}

static void keep_house(void *argument);

static void kept_house(void *argument, const struct failure *failure)
{
    struct service *service = argument;
    bool again = failure == NULL && service->more_to_prune;
    if (service->stopping)
        return;
    executor_after(service->context.executor, &service->housekeeping_timer,
                   again ? HOUSEKEEPING_MORE_MS : HOUSEKEEPING_EVERY_MS, keep_house, service);
}

static void keep_house(void *argument)
{
    struct service *service = argument;
    const struct config *config = service->configuration->config;
    int64_t now = clock_wall_ms();
    removals_finish(service);
    store_prune(service->context.store, now - (int64_t)config->forget_after_ms,
                now - (int64_t)config->failure_keep_ms, &service->more_to_prune, kept_house,
                service);
}

void service_begin_housekeeping(struct service *service)
{
    executor_after(service->context.executor, &service->summary_timer,
                   service->configuration->config->summary_interval_ms, summarize, service);
    executor_after(service->context.executor, &service->housekeeping_timer, HOUSEKEEPING_MORE_MS,
                   keep_house, service);
}

/* One mailbox after the other changes over to the configuration that is taken into use. */
#include "base/clock.h"
#include "base/random.h"
#include "daemon/reload_private.h"
#include "daemon/switch.h"

enum {
    START_EVERY_MS = 100, /* a few mailboxes need not wait for a whole interval at the start */
    STARTS_AT_ONCE = 10,
    TROUBLE_RETRY_MS = 3000, /* after a reload, mailboxes in trouble are tried again within this */
};

/* Few mailboxes start soon, many over the interval. */
static uint64_t first_delay(const struct reload *reload, size_t index,
                            const struct config_mailbox *mailbox)
{
    uint64_t interval = mailbox->settings->profile->poll_interval_ms;
    uint64_t count = reload->configuration->config->mailbox_count;
    uint64_t spread = count <= STARTS_AT_ONCE ? 0 : count * START_EVERY_MS;
    if (spread > interval)
        spread = interval;
    uint64_t slot = spread / count;
    return index * slot + random_below(slot + 1);
}

/* Whether it has a place in the schedule, or had one before it was claimed. */
static bool is_scheduled(const struct direction *direction)
{
    return direction->state != DIRECTION_OFF || direction->claims > 0;
}

/* How long such a direction waits in the new schedule. */
static uint64_t delay_kept(const struct reload *reload, const struct direction *direction,
                           uint64_t interval)
{
    uint64_t now = executor_now(reload->service->context.executor);
    uint64_t delay = direction->due.key > now ? direction->due.key - now : 0;
    if (direction->trouble != NULL) /* whoever reloads has mended something, perhaps */
        return delay > TROUBLE_RETRY_MS ? random_below(TROUBLE_RETRY_MS) : delay;
    return delay > interval ? random_below(interval) : delay;
}

static bool tries_first(struct profile *profile, const struct mailbox *mailbox,
                        const struct config_mailbox *config)
{
    return config->settings->incoming && !mailbox->incoming.switched_off &&
           profile_hurry(profile, mailbox->profile);
}

/* One of its cycles runs: it changes over when none does, and its other direction waits for that
 * outside the schedule, where nothing points to the profile that it leaves. */
static void reload_keep_busy(struct reload *reload, struct mailbox *mailbox,
                             const struct config_mailbox *config, struct profile *profile)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    const bool wanted[] = {config->settings->incoming && !mailbox->incoming.switched_off,
                           config->settings->outgoing && !mailbox->outgoing.switched_off};
    for (size_t i = 0; i < 2; i++) {
        if (directions[i]->state != DIRECTION_RUNNING)
            scheduler_remove(&reload->service->scheduler, directions[i]);
        else if (!wanted[i])
            directions[i]->cycle->operations->end_soon(directions[i]->cycle);
    }
    switch_quieten(mailbox);
    mailbox_reconfigure(mailbox, config, reload->configuration, profile);
}

/* What a cycle has met between the registration, which resolves it for directions that are off,
 * and this moment; what it meets from now on is not recorded. */
static void resolve_off(const struct reload *reload, const struct mailbox *mailbox,
                        const struct config_mailbox *config)
{
    const struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    const bool wanted[] = {config->settings->incoming, config->settings->outgoing};
    if (reload->service->stopping) /* the store may be closed; the next start registers anew */
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct direction *direction = directions[i];
        if (!wanted[i] && direction->trouble != NULL)
            store_failure_resolve(reload->service->context.store, config->settings->profile->name,
                                  mailbox->id, cycle_direction_name(direction->kind),
                                  clock_wall_ms(), NULL, NULL, NULL);
    }
}

static void reload_keep(struct reload *reload, struct mailbox *mailbox,
                        const struct config_mailbox *config)
{
    struct service *service = reload->service;
    struct profile *profile = service_profile(service, config->settings->profile->name);
    if (mailbox->removed)
        mailbox_set_removed(mailbox, false);
    resolve_off(reload, mailbox, config);
    if (mailbox_runs(mailbox)) {
        reload_keep_busy(reload, mailbox, config, profile);
        return;
    }
    uint64_t interval = config->settings->profile->poll_interval_ms;
    uint64_t incoming = tries_first(profile, mailbox, config) ? 0
                        : is_scheduled(&mailbox->incoming)
                            ? delay_kept(reload, &mailbox->incoming, interval)
                            : random_below(interval);
    bool sends = is_scheduled(&mailbox->outgoing);
    uint64_t outgoing = delay_kept(reload, &mailbox->outgoing, UINT64_MAX);
    scheduler_remove(&service->scheduler, &mailbox->incoming);
    scheduler_remove(&service->scheduler, &mailbox->outgoing);
    switch_quieten(mailbox);
    mailbox_reconfigure(mailbox, config, reload->configuration, profile);
    service_schedule(service, &mailbox->incoming, incoming);
    if (sends)
        service_schedule(service, &mailbox->outgoing, outgoing);
}

static void reload_add(struct reload *reload, const struct store_registration *registration,
                       size_t index, const struct config_mailbox *config)
{
    struct service *service = reload->service;
    struct profile *profile = service_profile(service, config->settings->profile->name);
    struct mailbox *mailbox = mailbox_create(config, reload->configuration, profile);
    mailbox->id = registration->mailbox;
    mailbox->enabled_ms = registration->enabled_ms;
    mailbox->unchecked = registration->unchecked;
    reload->service->unchecked |= registration->unchecked;
    mailbox->check_from_ms = registration->check_from_ms;
    mailbox->check_above = registration->check_above;
    mailbox_recall_trouble(&mailbox->incoming, registration->incoming_trouble.failures,
                           registration->incoming_trouble.since_ms);
    mailbox_recall_trouble(&mailbox->outgoing, registration->outgoing_trouble.failures,
                           registration->outgoing_trouble.since_ms);
    switch_recall(mailbox, registration);
    switch_quieten(mailbox);
    reload->merged[reload->merged_count++] = mailbox;
    reload->by_config[index] = mailbox;
    service_schedule(service, &mailbox->incoming, first_delay(reload, index, config));
}

static void reload_remove(struct reload *reload, struct mailbox *mailbox)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    for (size_t i = 0; i < 2; i++) {
        if (directions[i]->state == DIRECTION_RUNNING)
            directions[i]->cycle->operations->end_soon(directions[i]->cycle);
        else
            scheduler_remove(&reload->service->scheduler, directions[i]);
    }
    mailbox_set_removed(mailbox, true); /* nothing puts it into the schedule any more */
    if (mailbox_is_busy(mailbox)) {     /* freed by a later reload, or at the end */
        reload->merged[reload->merged_count++] = mailbox;
        return;
    }
    reload->dropped[reload->dropped_count++] = mailbox;
}

bool reload_step(struct reload *reload)
{
    struct service *service = reload->service;
    const struct config *config = reload->configuration->config;
    bool more_new = reload->next_new < config->mailbox_count;
    bool more_old = reload->next_old < service->mailbox_count;
    if (!more_new && !more_old)
        return false;
    size_t index = more_new ? reload->order[reload->next_new] : 0;
    int64_t new_number = more_new ? reload->registrations[index].mailbox.number : INT64_MAX;
    struct mailbox *old = more_old ? service->mailboxes[reload->next_old] : NULL;
    int64_t old_number = more_old ? old->id.number : INT64_MAX;
    if (old_number < new_number) {
        reload->next_old++;
        reload_remove(reload, old);
    } else if (new_number < old_number) {
        reload->next_new++;
        reload_add(reload, &reload->registrations[index], index, &config->mailboxes[index]);
    } else {
        reload->next_new++;
        reload->next_old++;
        reload->merged[reload->merged_count++] = old;
        reload->by_config[index] = old;
        reload_keep(reload, old, &config->mailboxes[index]);
    }
    return true;
}

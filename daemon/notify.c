#include "daemon/notify.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "daemon/notification_text.h"
#include "daemon/notify_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MAX = 200,                   /* alerts that are told of one by one in a message */
    STOPPED_MAX = 200,                /* mailboxes of one alert that are named in it */
    LIMIT_WITHIN_MS = 60 * 60 * 1000, /* notify_limit counts messages within so long */
    STORE_RETRY_MS = 30 * 1000,
    TURN_WAIT_MS = 1000, /* while another profile's message to the same owner is composed */
    HOST_SIZE = 256,
};

/* --- watches --- */

static struct watch *watch_find(const struct notifier *notifier, const char *name)
{
    struct watch *watch;
    TAILQ_FOREACH(watch, &notifier->watches, entries)
    {
        if (strcmp(watch->name, name) == 0)
            return watch;
    }
    return NULL;
}

static struct watch *watch_create(struct notifier *notifier, const char *name)
{
    struct watch *watch = memory_allocate(sizeof *watch);
    watch->notifier = notifier;
    watch->name = memory_copy_string(name);
    for (unsigned i = 0; i < STORE_CHANNELS; i++) {
        watch->channels[i].watch = watch;
        watch->channels[i].number = i;
    }
    TAILQ_INSERT_TAIL(&notifier->watches, watch, entries);
    return watch;
}

struct profile *watch_profile(const struct watch *watch)
{
    struct profile *profile;
    TAILQ_FOREACH(profile, watch->notifier->profiles, entries)
    {
        if (profile->current && strcmp(profile->config->name, watch->name) == 0)
            return profile;
    }
    return NULL;
}

/* Whether there is an owner and a way to them. */
static bool watch_can_tell(const struct watch *watch)
{
    const struct profile *profile = watch_profile(watch);
    return profile != NULL && profile->config->owner != NULL &&
           profile->config->notify_channels != 0 && !watch->notifier->stopping;
}

/* --- composing --- */

static void watch_look(void *argument);

static void watch_wait(struct watch *watch, uint64_t wait_ms)
{
    memory_free(watch->owner);
    watch->owner = NULL;
    watch->part = WATCH_WAITING;
    executor_after(watch->notifier->context->executor, &watch->timer, wait_ms, watch_look, watch);
}

/* What has come meanwhile waits as if it came now. */
static void watch_idle(struct watch *watch)
{
    watch->part = WATCH_IDLE;
    memory_free(watch->json);
    memory_free(watch->owner);
    watch->json = watch->owner = NULL;
    buffer_release(&watch->message);
    if (watch->again)
        watch_wake(watch);
}

void watch_wake(struct watch *watch)
{
    if (!watch_can_tell(watch))
        return;
    watch->again = watch->part == WATCH_LOOKING || watch->part == WATCH_ADDING;
    if (watch->part == WATCH_IDLE)
        watch_wait(watch, watch_profile(watch)->config->notify_delay_ms);
}

static void watch_store_failed(struct watch *watch)
{
    watch_idle(watch);
    if (watch->part == WATCH_IDLE && watch_can_tell(watch))
        watch_wait(watch, STORE_RETRY_MS);
}

static void watch_added(void *argument, const struct failure *failure)
{
    struct watch *watch = argument;
    if (failure != NULL) {
        watch_store_failed(watch);
        return;
    }
    bool added = watch->added;
    watch_idle(watch);
    if (added)
        watch_deliver(watch);
}

static void list_stopped(const struct watch *watch, const struct profile *profile,
                         const struct store_notify_state *state, const char **addresses,
                         struct notification_text *text)
{
    const struct notifier *notifier = watch->notifier;
    for (size_t i = 0; i < state->untold.count && text->mailboxes == NULL; i++) {
        if (!state->untold.rows[i].absorbs)
            continue;
        text->mailboxes = addresses;
        text->mailbox_total =
            notifier->list_stopped(notifier->argument, profile, addresses, STOPPED_MAX);
        text->mailbox_count = text->mailbox_total < STOPPED_MAX ? text->mailbox_total : STOPPED_MAX;
    }
}

/* Where the mail says that it comes from; Exchange puts the account's own mailbox in its place. */
static const char *sender_of(const struct profile *profile)
{
    const struct config_smtp *smtp = profile->configuration->config->smtp;
    return smtp == NULL ? profile->config->owner : smtp->from;
}

static void watch_compose(struct watch *watch, const struct profile *profile,
                          const struct store_notify_state *state, enum store_notification_kind kind)
{
    bool trouble = kind == STORE_NOTIFICATION_TROUBLE;
    /* The configuration may go while the store's thread is at work. */
    memory_free(watch->owner);
    watch->owner = memory_copy_string(profile->config->owner);
    const struct store_alert_rows *alerts = trouble ? &state->untold : &state->over;
    const char *addresses[STOPPED_MAX];
    char host[HOST_SIZE] = "localhost";
    gethostname(host, sizeof host - 1);
    watch->notification = (struct store_notification){
        .profile = watch->name,
        .owner = watch->owner,
        .kind = kind,
        .channels = profile->config->notify_channels,
        .alerts_up_to = trouble ? state->untold_last : state->over_last,
    };
    uuid_generate(watch->notification.id);
    struct notification_text text = {
        .id = watch->notification.id,
        .kind = trouble ? NOTIFICATION_TROUBLE : NOTIFICATION_WELL,
        .from = sender_of(profile),
        .owner = profile->config->owner,
        .host = host,
        .profile = watch->name,
        .account = profile->config->username,
        .url = profile->config->url,
        .date_ms = clock_wall_ms(),
        .alerts = alerts->rows,
        .alert_count = alerts->count,
        .alert_total = alerts->total,
    };
    if (trouble)
        list_stopped(watch, profile, state, addresses, &text);
    notification_write_message(&watch->message, &text);
    watch->json = notification_write_json(&text);
    watch->notification.message = buffer_string(&watch->message);
    watch->notification.json = watch->json;
}

static void watch_add(struct watch *watch, const struct profile *profile,
                      const struct store_notify_state *state, enum store_notification_kind kind)
{
    watch_compose(watch, profile, state, kind);
    watch->part = WATCH_ADDING;
    store_notification_add(watch->notifier->context->store, &watch->notification, clock_wall_ms(),
                           &watch->added, watch_added, watch);
}

static void watch_looked(void *argument, const struct failure *failure,
                         const struct store_notify_state *state)
{
    struct watch *watch = argument;
    const struct profile *profile = watch_profile(watch);
    if (failure != NULL) {
        watch_store_failed(watch);
        return;
    }
    bool trouble = state->untold.total > 0;
    bool well = !trouble && state->over.total > 0 && state->open_told == 0;
    watch->well_waits = well && profile != NULL && !profile_is_well(profile);
    well = well && !watch->well_waits;
    /* One that is on its way: watch_wake follows when it is there. */
    if (!watch_can_tell(watch) || state->pending || (!trouble && !well)) {
        watch_idle(watch);
        return;
    }
    int64_t now = clock_wall_ms();
    int64_t allowed = state->recent_first_ms + LIMIT_WITHIN_MS;
    if (state->recent >= profile->config->notify_limit && allowed > now) {
        watch->again = false;
        watch_wait(watch, (uint64_t)(allowed - now));
        return;
    }
    watch_add(watch, profile, state,
              trouble ? STORE_NOTIFICATION_TROUBLE : STORE_NOTIFICATION_WELL);
}

/* Whether a message to this owner is on its way into the store: until it is there, notify_limit
 * would be counted without it. */
static bool owner_is_busy(const struct notifier *notifier, const char *owner)
{
    const struct watch *watch;
    TAILQ_FOREACH(watch, &notifier->watches, entries)
    {
        if (watch->owner != NULL && strcmp(watch->owner, owner) == 0)
            return true;
    }
    return false;
}

static void watch_look(void *argument)
{
    struct watch *watch = argument;
    watch->again = false;
    if (!watch_can_tell(watch)) {
        watch_idle(watch);
        return;
    }
    const char *owner = watch_profile(watch)->config->owner;
    if (owner_is_busy(watch->notifier, owner)) {
        watch_wait(watch, TURN_WAIT_MS);
        return;
    }
    watch->part = WATCH_LOOKING;
    watch->owner = memory_copy_string(owner);
    store_notify_look(watch->notifier->context->store, watch->name, watch->owner,
                      clock_wall_ms() - LIMIT_WITHIN_MS, LOOK_MAX, watch_looked, watch);
}

/* --- the notifier --- */

struct notifier *notifier_create(const struct context *context, struct profile_list *profiles,
                                 notifier_list_stopped *list, void *argument)
{
    struct notifier *notifier = memory_allocate(sizeof *notifier);
    notifier->context = context;
    notifier->profiles = profiles;
    notifier->list_stopped = list;
    notifier->argument = argument;
    notifier->pool = executor_pool_create(context->executor, "notify", NOTIFIER_THREADS);
    TAILQ_INIT(&notifier->watches);
    return notifier;
}

/* It may wait because of what is configured otherwise now: the limit, the delay, the owner. */
static void watch_wait_less(struct watch *watch, uint64_t delay_ms)
{
    uint64_t now = executor_now(watch->notifier->context->executor);
    if (watch->part == WATCH_WAITING && watch->timer.entry.key > now + delay_ms)
        watch_wait(watch, delay_ms);
}

void notifier_configure(struct notifier *notifier)
{
    struct profile *profile;
    TAILQ_FOREACH(profile, notifier->profiles, entries)
    {
        if (!profile->current)
            continue;
        struct watch *watch = watch_find(notifier, profile->config->name);
        if (watch == NULL)
            watch = watch_create(notifier, profile->config->name);
        for (size_t i = 0; i < STORE_CHANNELS; i++)
            watch->channels[i].at_once = true;
        watch_wait_less(watch, profile->config->notify_delay_ms);
        watch_wake(watch);
        watch_deliver(watch);
    }
}

void notifier_wake(struct notifier *notifier, const char *profile)
{
    struct watch *watch = notifier == NULL ? NULL : watch_find(notifier, profile);
    if (watch != NULL)
        watch_wake(watch);
}

void notifier_wake_if_well(struct notifier *notifier, const char *profile)
{
    struct watch *watch = notifier == NULL ? NULL : watch_find(notifier, profile);
    if (watch != NULL && watch->well_waits)
        watch_wake(watch);
}

void notifier_stop(struct notifier *notifier)
{
    struct watch *watch;
    if (notifier->stopping)
        return;
    notifier->stopping = true;
    TAILQ_FOREACH(watch, &notifier->watches, entries)
    {
        executor_cancel_timer(notifier->context->executor, &watch->timer);
        executor_cancel_timer(notifier->context->executor, &watch->deliver_timer);
        watch_stop_deliveries(watch);
    }
}

void notifier_cancel(struct notifier *notifier)
{
    struct watch *watch;
    TAILQ_FOREACH(watch, &notifier->watches, entries)
    {
        watch_cancel_deliveries(watch);
    }
}

bool notifier_is_busy(const struct notifier *notifier)
{
    const struct watch *watch;
    TAILQ_FOREACH(watch, &notifier->watches, entries)
    {
        if (watch_is_delivering(watch))
            return true;
    }
    return executor_pool_pending(notifier->pool) > 0;
}

bool notifier_free(struct notifier *notifier, uint64_t patience_ms)
{
    struct watch *watch;
    if (notifier == NULL)
        return true;
    notifier_stop(notifier);
    notifier_cancel(notifier);
    if (!executor_pool_free(notifier->pool, patience_ms))
        return false;
    while ((watch = TAILQ_FIRST(&notifier->watches)) != NULL) {
        TAILQ_REMOVE(&notifier->watches, watch, entries);
        buffer_release(&watch->message);
        memory_free(watch->json);
        memory_free(watch->owner);
        memory_free(watch->name);
        memory_free(watch);
    }
    memory_free(notifier);
    return true;
}

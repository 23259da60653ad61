/* From a message in the store to its owner: each channel of a profile delivers one message at a
 * time, the oldest first. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/alert_log.h"
#include "daemon/messages.h"
#include "daemon/notify_private.h"
#include "daemon/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    STORE_RETRY_MS = 30 * 1000,
    DOUBLINGS_MAX = 20,
    LOG_MAX = 1000, /* alerts of one message that are logged one by one */
};

/* What could not be delivered for so long is out of date: what is still open is told of anew. */
#define DELIVERY_LIFETIME_MS (INT64_C(3) * 24 * 60 * 60 * 1000)

static void watch_load(void *argument);

static uint64_t next_wait(const struct config_profile *config, const struct failure *failure,
                          uint32_t attempts)
{
    uint32_t doublings = attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX;
    uint64_t wait = config->retry_min_ms << doublings;
    if (wait > config->retry_max_ms || failure->permanent)
        wait = config->retry_max_ms;
    return wait < failure->retry_after_ms ? failure->retry_after_ms : wait;
}

/* --- what came of it --- */

static void report_channel(const struct watch_channel *channel, const struct failure *failure,
                           uint64_t wait_ms)
{
    struct log *log = channel->watch->notifier->context->log;
    const char *profile = channel->watch->name;
    const char *name = delivery_channel_name(channel->number);
    if (failure == NULL) {
        const struct log_fields fields = {.message_id = MESSAGE_OWNER_TOLD, .profile = profile};
        log_write(log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: its owner was sent notification %s (%s)", profile, channel->id,
                  name);
        return;
    }
    char next_try[REPORT_NEXT_TRY_SIZE];
    report_next_try(next_try, wait_ms);
    const struct log_fields fields = {.message_id = MESSAGE_OWNER_NOT_TOLD,
                                      .profile = profile,
                                      .step = failure->step,
                                      .code = failure->code};
    log_write(log, channel->attempts == 0 ? LOG_PRIORITY_WARNING : LOG_PRIORITY_INFO, &fields,
              "profile %s: notification %s could not be sent to its owner (%s): %s %s", profile,
              channel->id, name, channel->reason, next_try);
}

static void report_alerts(const struct watch *watch, const struct store_alert_rows *alerts,
                          const struct config_profile *profile)
{
    struct log *log = watch->notifier->context->log;
    for (size_t i = 0; i < alerts->count; i++)
        alert_log(log, &alerts->rows[i], false, profile);
    if (alerts->total <= alerts->count)
        return;
    uint64_t more = alerts->total - alerts->count;
    const struct log_fields fields = {.message_id = MESSAGE_OWNER_TOLD, .profile = watch->name};
    log_write(log, LOG_PRIORITY_NOTICE, &fields,
              "profile %s: the same holds for %" PRIu64 " more %s", watch->name, more,
              text_plural(more, "alert", "alerts"));
}

static void channel_free(struct watch_channel *channel)
{
    memory_free(channel->reason);
    channel->reason = NULL;
    channel->reporting = false;
}

static void channel_write(void *argument);

static void channel_reported(void *argument, const struct failure *failure,
                             const struct store_alert_rows *alerts)
{
    struct watch_channel *channel = argument;
    struct watch *watch = channel->watch;
    const struct profile *profile = watch_profile(watch);
    /* The store would give out a message again that is delivered already: the channel stays busy
     * until it is written there that it is. */
    if (failure != NULL && !watch->notifier->stopping) {
        executor_after(watch->notifier->context->executor, &channel->report_timer, STORE_RETRY_MS,
                       channel_write, channel);
        return;
    }
    channel_free(channel);
    if (failure != NULL)
        return;
    report_alerts(watch, alerts, profile == NULL ? NULL : profile->config);
    watch_deliver(watch);
    watch_wake(watch); /* one that is on its way holds back the next */
}

static void channel_write(void *argument)
{
    struct watch_channel *channel = argument;
    const struct store_notice_result result = {
        .id = channel->id,
        .channel = channel->number,
        .outcome = channel->outcome,
        .reason = channel->reason,
        .next_try_ms = channel->next_try_ms,
    };
    store_notice_result(channel->watch->notifier->context->store, &result, clock_wall_ms(), LOG_MAX,
                        channel_reported, channel);
}

static void channel_report(struct watch_channel *channel, enum store_notice_outcome outcome,
                           int64_t next_try_ms)
{
    channel->reporting = true;
    channel->outcome = outcome;
    channel->next_try_ms = next_try_ms;
    channel_write(channel);
}

static void channel_delivered(void *argument, const struct failure *failure)
{
    struct watch_channel *channel = argument;
    const struct profile *profile = watch_profile(channel->watch);
    channel->delivery = NULL;
    if (failure == NULL) {
        report_channel(channel, NULL, 0);
        channel_report(channel, STORE_NOTICE_HANDED, 0);
        return;
    }
    char reason[REPORT_REASON_SIZE];
    report_reason(reason, failure);
    channel->reason = memory_copy_string(reason);
    uint64_t wait =
        profile == NULL ? STORE_RETRY_MS : next_wait(profile->config, failure, channel->attempts);
    report_channel(channel, failure, wait);
    channel_report(channel, STORE_NOTICE_FAILED, clock_wall_ms() + (int64_t)wait);
}

/* --- what waits --- */

/* Nobody is to get it in this way any more, or everybody in another way, too: the configuration has
 * changed, or it is out of date. */
static bool is_void(const struct config_profile *config, const struct store_notice *notice)
{
    bool configured = (config->notify_channels >> notice->channel & 1) != 0;
    bool more_ways = !notice->handed && (config->notify_channels & ~notice->channels) != 0;
    bool moved = config->owner == NULL || strcmp(config->owner, notice->owner) != 0;
    return !configured || more_ways || moved ||
           notice->created_ms < clock_wall_ms() - DELIVERY_LIFETIME_MS;
}

static void channel_take(struct watch_channel *channel, struct profile *profile,
                         const struct store_notice *notice)
{
    struct notifier *notifier = channel->watch->notifier;
    memcpy(channel->id, notice->id, sizeof channel->id);
    channel->attempts = notice->attempts;
    channel->at_once = false;
    if (is_void(profile->config, notice))
        channel_report(channel, STORE_NOTICE_DROPPED, 0);
    else
        channel->delivery = delivery_start(notifier->context, profile, notifier->pool, notice,
                                           channel_delivered, channel);
}

static bool channel_is_busy(const struct watch_channel *channel)
{
    return channel->delivery != NULL || channel->reporting;
}

/* Returns when the first of those that are not due is; INT64_MAX: none. */
static int64_t take_due(struct watch *watch, struct profile *profile,
                        const struct store_notice *notices, size_t count)
{
    int64_t now = clock_wall_ms(), next = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct watch_channel *channel = &watch->channels[notices[i].channel];
        if (channel_is_busy(channel))
            continue;
        /* One that waits for longer than is ever waited was told to while the clock was ahead. */
        bool due =
            notices[i].next_try_ms <= now || notices[i].next_try_ms - now > DELIVERY_LIFETIME_MS;
        if (channel->at_once || due)
            channel_take(channel, profile, &notices[i]);
        else if (notices[i].next_try_ms < next)
            next = notices[i].next_try_ms;
    }
    return next;
}

static void watch_loaded(void *argument, const struct failure *failure,
                         const struct store_notice *notices, size_t count)
{
    struct watch *watch = argument;
    struct executor *executor = watch->notifier->context->executor;
    struct profile *profile = watch_profile(watch);
    bool again = watch->load_again;
    watch->loading = watch->load_again = false;
    if (watch->notifier->stopping || profile == NULL)
        return;
    if (again) {
        watch_load(watch);
        return;
    }
    if (failure != NULL) {
        executor_after(executor, &watch->deliver_timer, STORE_RETRY_MS, watch_load, watch);
        return;
    }
    int64_t next = take_due(watch, profile, notices, count);
    int64_t now = clock_wall_ms();
    if (next != INT64_MAX)
        executor_after(executor, &watch->deliver_timer, next > now ? (uint64_t)(next - now) : 0,
                       watch_load, watch);
}

static void watch_load(void *argument)
{
    struct watch *watch = argument;
    if (watch->notifier->stopping)
        return;
    watch->load_again = watch->loading;
    if (watch->loading)
        return;
    watch->loading = true;
    executor_cancel_timer(watch->notifier->context->executor, &watch->deliver_timer);
    store_notices_waiting(watch->notifier->context->store, watch->name, watch_loaded, watch);
}

void watch_deliver(struct watch *watch)
{
    watch_load(watch);
}

bool watch_is_delivering(const struct watch *watch)
{
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        if (channel_is_busy(&watch->channels[i]))
            return true;
    }
    return false;
}

void watch_stop_deliveries(struct watch *watch)
{
    struct executor *executor = watch->notifier->context->executor;
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        struct watch_channel *channel = &watch->channels[i];
        if (!executor_timer_pending(&channel->report_timer))
            continue;
        executor_cancel_timer(executor, &channel->report_timer);
        channel_write(channel);
    }
}

void watch_cancel_deliveries(struct watch *watch)
{
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        if (watch->channels[i].delivery != NULL)
            delivery_cancel(watch->channels[i].delivery);
        watch->channels[i].delivery = NULL;
    }
}

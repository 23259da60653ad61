#include "daemon/switch.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/shell_word.h"
#include "base/text.h"
#include "daemon/alerts.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum store_direction bit;
    enum cycle_direction kind;
} directions_of[] = {{STORE_INCOMING, CYCLE_INCOMING}, {STORE_OUTGOING, CYCLE_OUTGOING}};

enum { DIRECTIONS = sizeof directions_of / sizeof *directions_of };

static void end_soon(struct switching *switching, struct direction *direction)
{
    if (direction->state != DIRECTION_RUNNING)
        return;
    direction->cycle->operations->end_soon(direction->cycle);
    switching->running = true;
}

static void switching_end(struct switching *switching, const struct failure *failure)
{
    char *name = switching->name, *profile = switching->profile;
    switching->done(switching, failure);
    memory_free(name);
    memory_free(profile);
}

/* --- directions of a mailbox --- */

static void direction_off(struct switching *switching, struct direction *direction)
{
    struct service *service = switching->service;
    if (!direction->switched_off) /* otherwise it stays so, since when and by whom */
        direction->switched =
            (struct store_switch){.since_ms = switching->now_ms, .user = switching->user};
    direction->switched_off = true;
    if (direction->state == DIRECTION_RUNNING) {
        end_soon(switching, direction); /* its trouble goes when it has ended */
        return;
    }
    scheduler_remove(&service->scheduler, direction);
    mailbox_forget_trouble(direction->mailbox, direction->kind);
}

/* While another configuration waits for the mailbox, it is scheduled when that comes into use. */
static void direction_on(struct service *service, struct direction *direction)
{
    direction->switched_off = false;
    direction->resolved = false;
    if (direction->mailbox->next_configuration == NULL)
        service_schedule(service, direction, 0);
}

static void mailbox_apply(struct switching *switching, struct mailbox *mailbox)
{
    for (size_t i = 0; i < DIRECTIONS; i++) {
        struct direction *direction = mailbox_direction(mailbox, directions_of[i].kind);
        if ((switching->directions & directions_of[i].bit) == 0)
            continue;
        if (switching->on)
            direction_on(switching->service, direction);
        else
            direction_off(switching, direction);
    }
    alerts_look_at_group(mailbox->profile);
}

static const char *directions_name(unsigned directions)
{
    static const char *const names[] = {
        [STORE_INCOMING] = "incoming",
        [STORE_OUTGOING] = "outgoing",
        [STORE_INCOMING | STORE_OUTGOING] = "incoming and outgoing",
    };
    return names[directions];
}

static void mailbox_report(const struct switching *switching)
{
    const struct log_fields fields = {
        .message_id = MESSAGE_SWITCHED,
        .profile = switching->profile,
        .mailbox = switching->name,
        .direction = switching->told == (STORE_INCOMING | STORE_OUTGOING)
                         ? NULL
                         : directions_name(switching->told),
    };
    char over[64] = "";
    if (!switching->changed && switching->resolved.alerts == 0)
        return;
    if (switching->resolved.alerts > 0)
        snprintf(over, sizeof over, "; %" PRIu32 " %s over", switching->resolved.alerts,
                 text_plural(switching->resolved.alerts, "alert is", "alerts are"));
    log_write(switching->service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "%s: an administrator (uid %" PRIu32 ") has %s %s%s", switching->name,
              switching->user, switching->on ? "enabled" : "disabled",
              directions_name(switching->told), over);
}

/* Those of `directions` that are not so yet; `told`: as far as they are configured, where that is
 * any, for one that is not does not run when it is enabled. Only now: another one may have switched
 * it since this was asked for. */
static void note_change(struct switching *switching, const struct mailbox *mailbox)
{
    unsigned disabled = (mailbox->incoming.switched_off ? STORE_INCOMING : 0u) |
                        (mailbox->outgoing.switched_off ? STORE_OUTGOING : 0u);
    unsigned changed = switching->directions & (switching->on ? disabled : ~disabled);
    unsigned configured = 0;
    for (size_t i = 0; i < DIRECTIONS; i++) {
        if (mailbox_is_configured(mailbox, directions_of[i].kind))
            configured |= directions_of[i].bit;
    }
    switching->changed = changed != 0;
    switching->told = changed != 0 ? changed : switching->directions;
    if (switching->on && (switching->told & configured) != 0)
        switching->told &= configured;
}

/* The mailbox may have left the configuration meanwhile. */
static void mailbox_switched(void *argument, const struct failure *failure)
{
    struct switching *switching = argument;
    struct service *service = switching->service;
    struct mailbox *mailbox = service_mailbox_by_number(service, switching->mailbox);
    if (failure == NULL) {
        if (mailbox != NULL)
            note_change(switching, mailbox);
        mailbox_report(switching);
        if (mailbox != NULL)
            mailbox_apply(switching, mailbox);
        if (switching->directions & STORE_OUTGOING)
            orphans_look_again(service->orphans);
        if (switching->resolved.told > 0)
            notifier_wake(service->context.notifier, switching->profile);
    }
    switching_end(switching, failure);
}

void switch_mailbox(struct switching *switching, const struct mailbox *mailbox, unsigned directions)
{
    switching->mailbox = mailbox->id.number;
    switching->directions = switching->told = directions;
    switching->changed = true; /* unless it turns out otherwise */
    switching->now_ms = clock_wall_ms();
    switching->name = memory_copy_string(mailbox_address(mailbox));
    switching->profile = memory_copy_string(mailbox->profile->config->name);
    store_mailbox_switch(switching->service->context.store, mailbox->id, directions, switching->on,
                         switching->user, switching->now_ms, &switching->resolved, mailbox_switched,
                         switching);
}

void switch_recall(struct mailbox *mailbox, const struct store_registration *registration)
{
    mailbox->incoming.switched_off = (registration->switched_off & STORE_INCOMING) != 0;
    mailbox->incoming.switched = registration->incoming_switch;
    mailbox->outgoing.switched_off = (registration->switched_off & STORE_OUTGOING) != 0;
    mailbox->outgoing.switched = registration->outgoing_switch;
}

void switch_quieten(struct mailbox *mailbox)
{
    for (size_t i = 0; i < DIRECTIONS; i++) {
        const struct direction *direction = mailbox_direction(mailbox, directions_of[i].kind);
        if (direction->switched_off && direction->state == DIRECTION_OFF)
            mailbox_forget_trouble(mailbox, direction->kind);
    }
}

void switch_settle(struct direction *direction, const struct cycle *cycle)
{
    mailbox_forget_trouble(direction->mailbox, direction->kind);
    alerts_resolve_switched_off(cycle);
    alerts_look_at_group(direction->mailbox->profile);
}

/* --- profiles --- */

/* Also those of the name that only wait for their last cycles. */
static void profile_apply(struct switching *switching)
{
    struct scheduler *scheduler = &switching->service->scheduler;
    const struct store_pause *pause = pauses_find(switching->service->pauses, switching->name);
    struct profile *profile;
    TAILQ_FOREACH(profile, &scheduler->profiles, entries)
    {
        if (strcmp(profile->config->name, switching->name) != 0)
            continue;
        profile->paused = !switching->on;
        profile->paused_since_ms = pause == NULL ? 0 : pause->since_ms;
    }
    struct direction *direction;
    TAILQ_FOREACH(direction, &scheduler->running_directions, ready)
    {
        if (!switching->on && direction->cycle->profile->paused)
            end_soon(switching, direction);
    }
    scheduler_wake(scheduler);
}

static void profile_switched(void *argument, const struct failure *failure)
{
    struct switching *switching = argument;
    const struct log_fields fields = {.message_id = MESSAGE_PAUSED, .profile = switching->name};
    if (failure == NULL && switching->changed)
        log_write(switching->service->context.log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: an administrator (uid %" PRIu32 ") has %s", switching->name,
                  switching->user,
                  switching->on ? "resumed it" : "paused it; no cycle starts until it is resumed");
    if (failure == NULL)
        profile_apply(switching);
    switching_end(switching, failure);
}

void switch_profile(struct switching *switching, const char *profile)
{
    struct pauses *pauses = switching->service->pauses;
    const struct store_pause pause = {
        .profile = profile, .since_ms = clock_wall_ms(), .user = switching->user};
    switching->name = memory_copy_string(profile);
    if (switching->on)
        pauses_remove(pauses, profile, &switching->changed, profile_switched, switching);
    else
        pauses_add(pauses, &pause, &switching->changed, profile_switched, switching);
}

/* --- what is switched off --- */

static void report_pauses(const struct service *service)
{
    const struct profile *profile;
    TAILQ_FOREACH(profile, &service->scheduler.profiles, entries)
    {
        const struct log_fields fields = {.message_id = MESSAGE_PAUSED,
                                          .profile = profile->config->name};
        if (!profile->current || !profile->paused)
            continue;
        struct buffer word = {0};
        shell_word_append(&word, profile->config->name);
        log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s is paused: none of its mailboxes synchronizes until exsyncctl "
                  "resume %s",
                  profile->config->name, word.data);
        buffer_release(&word);
    }
}

void switch_report_all(const struct service *service)
{
    size_t count = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->removed)
            continue;
        count += mailbox->incoming.switched_off && mailbox_settings(mailbox)->incoming;
        count += mailbox->outgoing.switched_off && mailbox_settings(mailbox)->outgoing;
    }
    const struct log_fields fields = {.message_id = MESSAGE_SWITCHED};
    if (count > 0)
        log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
                  "%zu %s of mailboxes %s disabled by an administrator", count,
                  text_plural(count, "direction", "directions"), text_plural(count, "is", "are"));
    report_pauses(service);
}

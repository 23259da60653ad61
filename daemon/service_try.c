/* What the service does on an administrator's word. */
#include "base/text.h"
#include "daemon/messages.h"
#include "daemon/service_private.h"

#include <inttypes.h>
#include <string.h>

static bool is_meant(const struct profile *profile, const char *name)
{
    return profile->current && (name == NULL || strcmp(profile->config->name, name) == 0);
}

/* Returns how many it tries. */
static uint32_t try_gates(struct service *service, const char *name)
{
    uint32_t tried = 0;
    struct profile *profile;
    TAILQ_FOREACH(profile, &service->scheduler.profiles, entries)
    {
        if (!is_meant(profile, name) || profile->gate.state != GATE_CLOSED)
            continue;
        gate_try_now(&profile->gate);
        tried++;
    }
    return tried;
}

void service_try_direction(struct service *service, struct direction *direction)
{
    mailbox_note_own_try(direction, direction->due.key);
    scheduler_remove(&service->scheduler, direction);
    service_schedule(service, direction, 0);
}

/* One that is due already, or runs, is tried anyway. */
static bool try_direction(struct service *service, struct direction *direction)
{
    if (direction->trouble == NULL || direction->state != DIRECTION_WAITING)
        return false;
    service_try_direction(service, direction);
    return true;
}

bool service_make_due(struct service *service, struct direction *direction)
{
    if (direction->state == DIRECTION_WAITING)
        service_try_direction(service, direction);
    if (direction->claims > 0) { /* when the last of them ends */
        mailbox_note_own_try(direction, direction->due.key);
        direction->due.key = 0;
    }
    direction->again = direction->state == DIRECTION_RUNNING;
    return direction->state != DIRECTION_OFF ||
           (direction->claims > 0 && mailbox_wants(direction->mailbox, direction->kind));
}

static uint32_t try_directions(struct service *service, const char *name)
{
    uint32_t tried = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        struct mailbox *mailbox = service->mailboxes[i];
        if (!is_meant(mailbox->profile, name))
            continue;
        tried += try_direction(service, &mailbox->incoming);
        tried += try_direction(service, &mailbox->outgoing);
    }
    return tried;
}

void service_try_now(struct service *service, const char *profile)
{
    if (service->stopping)
        return;
    uint32_t gates = try_gates(service, profile);
    uint32_t directions = try_directions(service, profile);
    if (profile == NULL)
        gate_try_now(&service->scheduler.storage);
    const struct log_fields fields = {.message_id = MESSAGE_TRIED_NOW, .profile = profile};
    log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "what has stopped is tried now, as an administrator wishes: %" PRIu32 " %s, %" PRIu32
              " %s of mailboxes",
              gates, text_plural(gates, "profile", "profiles"), directions,
              text_plural(directions, "direction", "directions"));
}

#include "daemon/health.h"

#include "daemon/profile.h"

const char *health_name(enum health health)
{
    static const char *const names[HEALTH_COUNT] = {
        [HEALTH_OFF] = "off",
        [HEALTH_OK] = "ok",
        [HEALTH_NOT_RUN] = "not run",
        [HEALTH_FAILING] = "failing",
        [HEALTH_STOPPED] = "stopped",
        [HEALTH_HELD] = "held",
        [HEALTH_PAUSED] = "paused",
        [HEALTH_DISABLED] = "disabled",
        [HEALTH_PARTLY_DISABLED] = "partly disabled",
    };
    return names[health];
}

bool health_is_trouble(enum health health)
{
    return health == HEALTH_FAILING || health == HEALTH_STOPPED;
}

static bool has_stopped(const struct direction *direction)
{
    return direction->trouble != NULL && direction->trouble->failure.permanent;
}

/* Outgoing has nothing to tell while there is nothing to send. */
static bool has_told(const struct mailbox *mailbox, const struct direction *direction)
{
    return !mailbox_wants(mailbox, direction->kind) || direction->kind == CYCLE_OUTGOING ||
           direction->status.result != STATUS_NOT_RUN;
}

static bool is_disabled(const struct mailbox *mailbox, const struct direction *direction)
{
    return direction->switched_off && mailbox_is_configured(mailbox, direction->kind);
}

enum health health_of(const struct mailbox *mailbox, const struct scheduler *scheduler)
{
    const struct direction *incoming = &mailbox->incoming, *outgoing = &mailbox->outgoing;
    if (has_stopped(incoming) || has_stopped(outgoing))
        return HEALTH_STOPPED;
    if (incoming->trouble != NULL || outgoing->trouble != NULL)
        return HEALTH_FAILING;
    if (!mailbox_wants(mailbox, CYCLE_INCOMING) && !mailbox_wants(mailbox, CYCLE_OUTGOING))
        return is_disabled(mailbox, incoming) || is_disabled(mailbox, outgoing) ? HEALTH_DISABLED
                                                                                : HEALTH_OFF;
    if (mailbox->profile->paused)
        return HEALTH_PAUSED;
    if (mailbox->profile->gate.state != GATE_OPEN || scheduler->storage.state != GATE_OPEN)
        return HEALTH_HELD;
    if (is_disabled(mailbox, incoming) || is_disabled(mailbox, outgoing))
        return HEALTH_PARTLY_DISABLED;
    return has_told(mailbox, incoming) && has_told(mailbox, outgoing) ? HEALTH_OK : HEALTH_NOT_RUN;
}

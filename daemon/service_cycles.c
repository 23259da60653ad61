/* From the schedule to a cycle and back: which cycle a direction gets, what its end means for the
 * service, and when the next one is due. */
#include "daemon/incoming.h"
#include "daemon/outcome.h"
#include "daemon/outgoing.h"
#include "daemon/probe.h"
#include "daemon/service_private.h"
#include "daemon/switch.h"

static void tell_cycle_ended(struct service *service, const struct direction *direction,
                             const struct cycle *cycle)
{
    struct service_watcher *watcher, *next;
    for (watcher = LIST_FIRST(&service->watchers); watcher != NULL; watcher = next) {
        next = LIST_NEXT(watcher, entries);
        watcher->cycle_ended(watcher, direction, cycle);
    }
}

void service_schedule(struct service *service, struct direction *direction, uint64_t delay_ms)
{
    const struct mailbox *mailbox = direction->mailbox;
    bool held =
        direction->kind == CYCLE_OUTGOING && orphans_holds(service->orphans, mailbox->id.number);
    if (service->stopping || direction->state != DIRECTION_OFF || held ||
        !mailbox_wants(mailbox, direction->kind))
        return;
    if (direction->claims > 0) /* put into the schedule when the last of them ends */
        direction->due.key = executor_now(service->context.executor) + delay_ms;
    else
        scheduler_add(&service->scheduler, direction, delay_ms);
}

static void cycle_ended(struct cycle *cycle)
{
    struct mailbox *mailbox = cycle->mailbox;
    bool is_incoming = cycle->direction == CYCLE_INCOMING;
    struct direction *direction = is_incoming ? &mailbox->incoming : &mailbox->outgoing;
    struct direction *other = is_incoming ? &mailbox->outgoing : &mailbox->incoming;
    struct scheduler *scheduler = cycle->profile->owner;
    struct service *service = scheduler->owner;

    scheduler_ended(scheduler, direction, cycle->profile);
    summary_count(&service->summary, cycle);
    status_cycle_ended(&direction->status, cycle);
    uint64_t delay = outcome_settle(scheduler, direction, cycle);
    if (direction->switched_off)
        switch_settle(direction, cycle);
    if (direction->again && delay != OUTCOME_NEVER) {
        mailbox_note_own_try(direction, executor_now(service->context.executor) + delay);
        delay = 0;
    }
    direction->again = false;
    tell_cycle_ended(service, direction, cycle);
    service_note_checked(service, cycle);
    cycle->operations->free(cycle);
    bool waited = mailbox->next_configuration != NULL;
    const struct profile *before = mailbox->profile;
    mailbox_settle(mailbox);
    if (mailbox->next_configuration == NULL) {
        if (waited && mailbox_wants(mailbox, CYCLE_INCOMING) &&
            profile_hurry(mailbox->profile, before) && is_incoming)
            delay = 0;
        if (delay != OUTCOME_NEVER)
            service_schedule(service, direction, delay);
        /* It was kept out of the schedule until the configuration could change. */
        if (waited)
            service_schedule(service, other, 0);
    }
    service_stop_if_idle(service);
}

void service_start_cycle(struct scheduler *scheduler, struct direction *direction)
{
    if (probe_wanted(direction))
        probe_start(scheduler->context, direction, cycle_ended);
    else if (direction->kind == CYCLE_INCOMING)
        incoming_start(scheduler->context, direction, cycle_ended);
    else
        outgoing_start(scheduler->context, direction, cycle_ended);
}

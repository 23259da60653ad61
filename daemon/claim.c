#include "daemon/claim.h"

#include <assert.h>

static void claim_ready(void *argument)
{
    struct claim *claim = argument;
    claim->ready(claim, true);
}

static void claim_patience_ends(void *argument)
{
    struct claim *claim = argument;
    claim->ready(claim, false);
}

static void claim_stop_waiting(struct claim *claim)
{
    if (claim->watching)
        LIST_REMOVE(&claim->watcher, entries);
    claim->watching = false;
    executor_cancel_timer(claim->service->context.executor, &claim->patience);
}

static void claim_cycle_ended(struct service_watcher *watcher, const struct direction *direction,
                              const struct cycle *cycle)
{
    struct claim *claim = (struct claim *)((char *)watcher - offsetof(struct claim, watcher));
    (void)cycle;
    if (direction != claim->direction)
        return;
    claim_stop_waiting(claim);
    executor_defer(claim->service->context.executor, &claim->call, claim_ready, claim);
}

static void claim_wait(struct claim *claim)
{
    struct executor *executor = claim->service->context.executor;
    claim->watcher.cycle_ended = claim_cycle_ended;
    claim->watching = true;
    LIST_INSERT_HEAD(&claim->service->watchers, &claim->watcher, entries);
    executor_after(executor, &claim->patience, CLAIM_PATIENCE_MS, claim_patience_ends, claim);
    claim->direction->cycle->operations->end_soon(claim->direction->cycle);
}

void claim_start(struct claim *claim)
{
    struct service *service = claim->service;
    struct direction *direction = claim->direction;
    assert(direction->claims < UINT16_MAX);
    if (direction->claims == 0 && direction->state != DIRECTION_WAITING)
        direction->due.key = 0; /* a cycle that runs says otherwise, perhaps, when it ends */
    direction->claims++;
    if (direction->state == DIRECTION_RUNNING) {
        claim_wait(claim);
        return;
    }
    scheduler_remove(&service->scheduler, direction);
    executor_defer(service->context.executor, &claim->call, claim_ready, claim);
}

static uint64_t claim_delay(const struct claim *claim)
{
    uint64_t now = executor_now(claim->service->context.executor);
    uint64_t due = claim->direction->due.key;
    return due > now ? due - now : 0;
}

/* What was off may have been enabled; what is to be off stays off. While another configuration
 * waits for a cycle to end, that end puts the direction into the schedule. */
void claim_end(struct claim *claim, bool now)
{
    struct service *service = claim->service;
    struct direction *direction = claim->direction;
    claim_stop_waiting(claim);
    executor_cancel_call(service->context.executor, &claim->call);
    direction->claims--;
    if (direction->mailbox->next_configuration != NULL)
        return;
    /* Something may have been queued meanwhile. */
    bool at_once = now || (direction->kind == CYCLE_OUTGOING && direction->trouble == NULL);
    service_schedule(service, direction, at_once ? 0 : claim_delay(claim));
}

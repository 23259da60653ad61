#include "daemon/sync_wait.h"

#include "base/memory.h"
#include "daemon/sync_answer.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_EVERY_MS = 250 };

/* A direction whose cycle is waited for, found again by the mailbox's number. */
struct sync_target {
    int64_t number;
    enum cycle_direction kind;
    bool after; /* the end of a cycle that ran before does not count */
    bool told;
};

static void end_if_through(struct sync_wait *wait)
{
    if (wait->left == 0 && wait->complete)
        wait->over(wait);
}

static void tell(struct sync_wait *wait, struct sync_target *target,
                 const struct direction *direction, const char *result, const struct cycle *cycle,
                 const struct failure *failure)
{
    target->told = true;
    wait->left--;
    wait->failed += strcmp(result, "failure") == 0;
    wait->paused += strcmp(result, "paused") == 0;
    wait->not_tried += strcmp(result, "not tried") == 0;
    wait->waiting += strcmp(result, "waiting") == 0;
    control_reply(wait->request, sync_answer(direction, result, cycle, failure));
}

/* --- cycles that end --- */

static int compare_targets(const void *a, const void *b)
{
    const struct sync_target *left = a, *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return (left->kind > right->kind) - (left->kind < right->kind);
}

static struct sync_target *find_target(const struct sync_wait *wait,
                                       const struct direction *direction)
{
    const struct sync_target wanted = {.number = direction->mailbox->id.number,
                                       .kind = direction->kind};
    return wait->count == 0
               ? NULL
               : bsearch(&wanted, wait->targets, wait->count, sizeof wanted, compare_targets);
}

static void cycle_ended(struct service_watcher *watcher, const struct direction *direction,
                        const struct cycle *cycle)
{
    struct sync_wait *wait = (struct sync_wait *)watcher;
    struct sync_target *target = find_target(wait, direction);
    if (target == NULL || target->told)
        return;
    bool passed = cycle->probe && !failure_is_set(&cycle->failure); /* the cycle comes at once */
    if (target->after || passed) {
        target->after = false;
        return;
    }
    const char *result = sync_result(cycle);
    tell(wait, target, direction, result, cycle, sync_error(direction, cycle, result));
    end_if_through(wait);
}

/* --- what ends without a cycle --- */

static const struct gate *closed_gate(const struct sync_wait *wait,
                                      const struct direction *direction)
{
    const struct gate *storage = &wait->service->scheduler.storage;
    const struct gate *gate = &direction->mailbox->profile->gate;
    if (direction->state != DIRECTION_READY)
        return NULL;
    return storage->state == GATE_CLOSED ? storage : gate->state == GATE_CLOSED ? gate : NULL;
}

static void look_at(struct sync_wait *wait, struct sync_target *target,
                    const struct direction *direction)
{
    const struct gate *gate = closed_gate(wait, direction);
    if (target->told)
        return;
    if (gate != NULL && gate->failed_ms < wait->started_ms)
        tell(wait, target, direction, "not tried", NULL, NULL);
    else if (gate != NULL)
        tell(wait, target, direction, "failure", NULL, &gate->failure);
    else if (direction->state == DIRECTION_READY && direction->mailbox->profile->paused)
        tell(wait, target, direction, "paused", NULL, NULL);
    else if (direction->state == DIRECTION_OFF && direction->claims == 0 &&
             direction->mailbox->next_configuration == NULL)
        tell(wait, target, direction, "off", NULL, NULL);
}

static void look(void *argument);

static void look_on(struct control_request *request)
{
    look(control_state(request));
}

/* A gate that closes ends all at once: as much is told as the client has room for. */
static void look(void *argument)
{
    struct sync_wait *wait = argument;
    struct service *service = wait->service;
    size_t mailbox = 0;
    for (size_t i = 0; i < wait->count && control_ready(wait->request); i++) {
        struct sync_target *target = &wait->targets[i];
        while (mailbox < service->mailbox_count &&
               service->mailboxes[mailbox]->id.number < target->number)
            mailbox++;
        const struct mailbox *found =
            mailbox < service->mailbox_count ? service->mailboxes[mailbox] : NULL;
        if (found != NULL && found->id.number == target->number) {
            look_at(wait, target,
                    target->kind == CYCLE_INCOMING ? &found->incoming : &found->outgoing);
        } else if (!target->told) { /* no longer configured */
            target->told = true;
            wait->left--;
        }
    }
    if (control_ready(wait->request))
        executor_after(service->context.executor, &wait->look, LOOK_EVERY_MS, look, wait);
    else
        control_on_ready(wait->request, look_on);
    end_if_through(wait);
}

/* --- what the request does --- */

void sync_wait_begin(struct sync_wait *wait)
{
    wait->started_ms = executor_now(wait->service->context.executor);
    wait->watcher.cycle_ended = cycle_ended;
    LIST_INSERT_HEAD(&wait->service->watchers, &wait->watcher, entries);
    wait->begun = true;
}

void sync_wait_add(struct sync_wait *wait, const struct direction *direction)
{
    if (wait->count == wait->capacity) {
        wait->capacity = wait->capacity == 0 ? 2 : wait->capacity * 2;
        wait->targets = memory_resize(wait->targets, wait->capacity * sizeof *wait->targets);
    }
    wait->targets[wait->count++] =
        (struct sync_target){.number = direction->mailbox->id.number,
                             .kind = direction->kind,
                             .after = direction->state == DIRECTION_RUNNING};
    wait->left++;
}

void sync_wait_complete(struct sync_wait *wait)
{
    wait->complete = true;
    executor_after(wait->service->context.executor, &wait->look, LOOK_EVERY_MS, look, wait);
    end_if_through(wait);
}

void sync_wait_release(struct sync_wait *wait)
{
    if (wait->begun)
        LIST_REMOVE(&wait->watcher, entries);
    executor_cancel_timer(wait->service->context.executor, &wait->look);
    memory_free(wait->targets);
}

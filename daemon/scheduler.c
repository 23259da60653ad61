#include "daemon/scheduler.h"

#include <assert.h>

static void scheduler_set_timer(struct scheduler *scheduler);

static struct direction *direction_of(struct heap_entry *entry)
{
    return heap_container(entry, struct direction, due);
}

/* Lets every profile start what it may. */
static void scheduler_dispatch(void *argument)
{
    struct scheduler *scheduler = argument;
    struct profile *profile;
    TAILQ_FOREACH(profile, &scheduler->profiles, entries)
    {
        struct direction *direction;
        while (!scheduler->stopping && scheduler->storage.state == GATE_OPEN &&
               (direction = profile_next(profile)) != NULL) {
            direction->state = DIRECTION_RUNNING;
            direction->suspect = direction->trouble != NULL;
            profile->running++;
            profile->running_suspect += direction->suspect;
            direction->gate_generation = gate_enter(&profile->gate);
            scheduler->running++;
            TAILQ_INSERT_TAIL(&scheduler->running_directions, direction, ready);
            scheduler->start(scheduler, direction);
        }
    }
}

void scheduler_wake(struct scheduler *scheduler)
{
    executor_defer(scheduler->context->executor, &scheduler->dispatch, scheduler_dispatch,
                   scheduler);
}

static void scheduler_on_due(void *argument)
{
    struct scheduler *scheduler = argument;
    uint64_t now = executor_now(scheduler->context->executor);
    struct heap_entry *entry;
    while ((entry = heap_top(&scheduler->due)) != NULL && entry->key <= now) {
        heap_remove(&scheduler->due, entry);
        struct direction *direction = direction_of(entry);
        profile_enqueue(direction->mailbox->profile, direction);
    }
    scheduler_wake(scheduler);
    scheduler_set_timer(scheduler);
}

static void scheduler_set_timer(struct scheduler *scheduler)
{
    struct heap_entry *entry = heap_top(&scheduler->due);
    if (entry == NULL || scheduler->stopping) {
        executor_cancel_timer(scheduler->context->executor, &scheduler->timer);
        return;
    }
    uint64_t now = executor_now(scheduler->context->executor);
    executor_after(scheduler->context->executor, &scheduler->timer,
                   entry->key > now ? entry->key - now : 0, scheduler_on_due, scheduler);
}

void scheduler_init(struct scheduler *scheduler, const struct context *context,
                    void (*start)(struct scheduler *scheduler, struct direction *direction),
                    void (*try_storage)(void *scheduler), void *owner)
{
    *scheduler = (struct scheduler){.context = context, .start = start, .owner = owner};
    TAILQ_INIT(&scheduler->profiles);
    TAILQ_INIT(&scheduler->running_directions);
    gate_init(&scheduler->storage, context->executor, try_storage, scheduler);
}

void scheduler_release(struct scheduler *scheduler)
{
    assert(scheduler->running == 0);
    executor_cancel_timer(scheduler->context->executor, &scheduler->timer);
    executor_cancel_call(scheduler->context->executor, &scheduler->dispatch);
    gate_release(&scheduler->storage);
    heap_release(&scheduler->due);
}

void scheduler_add(struct scheduler *scheduler, struct direction *direction, uint64_t delay_ms)
{
    assert(direction->state == DIRECTION_OFF);
    direction->state = DIRECTION_WAITING;
    heap_insert(&scheduler->due, &direction->due,
                executor_now(scheduler->context->executor) + delay_ms);
    if (heap_top(&scheduler->due) == &direction->due)
        scheduler_set_timer(scheduler);
}

void scheduler_remove(struct scheduler *scheduler, struct direction *direction)
{
    switch (direction->state) {
    case DIRECTION_WAITING:
        heap_remove(&scheduler->due, &direction->due);
        direction->state = DIRECTION_OFF;
        break;
    case DIRECTION_READY:
        profile_dequeue(direction->mailbox->profile, direction);
        break;
    case DIRECTION_OFF:
        break;
    case DIRECTION_RUNNING:
        assert(!"a running direction cannot be removed");
        break;
    }
}

void scheduler_ended(struct scheduler *scheduler, struct direction *direction,
                     struct profile *profile)
{
    assert(direction->state == DIRECTION_RUNNING);
    TAILQ_REMOVE(&scheduler->running_directions, direction, ready);
    direction->state = DIRECTION_OFF;
    direction->cycle = NULL;
    profile->running--;
    profile->running_suspect -= direction->suspect;
    scheduler->running--;
    scheduler_wake(scheduler);
}

uint64_t scheduler_overdue_ms(const struct scheduler *scheduler)
{
    uint64_t now = executor_now(scheduler->context->executor);
    const struct heap_entry *entry = scheduler->stopping ? NULL : heap_top(&scheduler->due);
    return entry == NULL || entry->key > now ? 0 : now - entry->key;
}

void scheduler_stop(struct scheduler *scheduler)
{
    scheduler->stopping = true;
    executor_cancel_timer(scheduler->context->executor, &scheduler->timer);
}

#include "daemon/refusals.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <string.h>

enum {
    LOOK_EVERY_MS = 60 * 60 * 1000,
    SETTLE_MS = 1000, /* from a change to the look: others may follow */
};

static void look(void *argument);
static void next_slice(struct refusals *refusals);

static void look_in(struct refusals *refusals, uint64_t wait_ms)
{
    if (!refusals->stopping)
        executor_after(refusals->context->executor, &refusals->timer, wait_ms, look, refusals);
}

static void changed(void *argument)
{
    struct refusals *refusals = argument;
    refusals->again = true;
    if (!refusals->looking)
        look_in(refusals, SETTLE_MS);
}

/* --- the end of a look; what failed is tried by the next one --- */

static void look_over(struct refusals *refusals)
{
    refusals->looking = false;
    look_in(refusals, refusals->again ? SETTLE_MS : LOOK_EVERY_MS);
}

static bool goes_on(struct refusals *refusals, const struct failure *failure)
{
    if (failure == NULL && !refusals->stopping)
        return true;
    look_over(refusals);
    return false;
}

/* --- 3: those without a file are over --- */

static void resolved(void *argument, const struct failure *failure)
{
    struct refusals *refusals = argument;
    if (!goes_on(refusals, failure))
        return;
    if (refusals->position == 0)
        look_over(refusals);
    else
        next_slice(refusals);
}

static void resolve(struct refusals *refusals)
{
    if (refusals->count == 0)
        resolved(refusals, NULL);
    else
        store_failures_resolve_messages(refusals->context->store, refusals->asked, refusals->count,
                                        clock_wall_ms(), resolved, refusals);
}

/* --- 2: the folders. A refusal is recorded first, and its file goes from intake, or from queue where
 * nothing else is left of it (unrecorded.h), to failed: looked at in this order none that has one is
 * missed. What has failed since it was queued is there before the store has it as failed --- */

static void look_on(struct refusals *refusals);

static void forget_found(struct refusals *refusals)
{
    size_t left = 0;
    for (size_t i = 0; i < refusals->count; i++) {
        if (!refusals->found[i])
            refusals->asked[left++] = refusals->asked[i];
    }
    refusals->count = left;
}

static void looked(void *argument, const struct failure *failure)
{
    struct refusals *refusals = argument;
    if (!goes_on(refusals, failure))
        return;
    forget_found(refusals);
    refusals->step++;
    look_on(refusals);
}

static void look_on(struct refusals *refusals)
{
    static const enum outbox_part order[] = {OUTBOX_IN_INTAKE, OUTBOX_IN_QUEUE, OUTBOX_IN_FAILED};
    if (refusals->count == 0 || refusals->step == sizeof order / sizeof *order)
        resolve(refusals);
    else
        outbox_look_for(refusals->context->outbox, order[refusals->step], refusals->asked,
                        refusals->count, refusals->found, looked, refusals);
}

/* --- 1: the store --- */

static void left_read(void *argument, const struct failure *failure,
                      const struct store_failure_rows *failures)
{
    struct refusals *refusals = argument;
    if (!goes_on(refusals, failure))
        return;
    refusals->position = failures->position;
    refusals->count = 0;
    for (size_t i = 0; i < failures->count; i++) {
        const char *id = failures->rows[i].submission;
        if (strlen(id) != OUTBOX_ID_SIZE - 1)
            continue;
        memcpy(refusals->ids[refusals->count], id, OUTBOX_ID_SIZE);
        refusals->asked[refusals->count] = refusals->ids[refusals->count];
        refusals->count++;
    }
    refusals->step = 0;
    look_on(refusals);
}

static void next_slice(struct refusals *refusals)
{
    store_failures_left(refusals->context->store, refusals->position, REFUSALS_A_SLICE, left_read,
                        refusals);
}

static void look(void *argument)
{
    struct refusals *refusals = argument;
    refusals->looking = true;
    refusals->again = false;
    refusals->position = 0;
    next_slice(refusals);
}

/* --- the whole --- */

/* Where it cannot be watched it is looked at once an hour: nothing but a number is late. */
static void watch(struct refusals *refusals)
{
    struct buffer path = {0};
    int error = 0;
    executor_watch_free(refusals->watch);
    buffer_append_format(&path, "%s/failed", outbox_directory(refusals->context->outbox));
    refusals->watch = executor_watch_create(refusals->context->executor, buffer_string(&path),
                                            changed, refusals, &error);
    buffer_release(&path);
}

void refusals_open(struct refusals *refusals)
{
    if (refusals->stopping)
        return;
    watch(refusals);
    changed(refusals);
}

void refusals_stop(struct refusals *refusals)
{
    refusals->stopping = true;
    executor_cancel_timer(refusals->context->executor, &refusals->timer);
}

void refusals_release(struct refusals *refusals)
{
    executor_cancel_timer(refusals->context->executor, &refusals->timer);
    executor_watch_free(refusals->watch);
    refusals->watch = NULL;
}

#include "daemon/refusals.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <stdlib.h>
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

/* --- 4: those without a file are over --- */

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
    const char *ids[REFUSALS_A_SLICE];
    for (size_t i = 0; i < refusals->count; i++)
        ids[i] = refusals->ids[i];
    if (refusals->count == 0)
        resolved(refusals, NULL);
    else
        store_failures_resolve_messages(refusals->context->store, ids, refusals->count,
                                        clock_wall_ms(), resolved, refusals);
}

/* --- 2 and 3: the folders. A refusal is recorded first, and its file goes from intake to failed:
 * looked at in this order none that has one is missed. What has failed since it was queued is there
 * before the store has it as failed --- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void forget_found(struct refusals *refusals, const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < refusals->count; i++) {
        const char *id = refusals->ids[i];
        if (count > 0 && bsearch(id, ids, count, sizeof *ids, compare_ids) != NULL)
            continue;
        if (left != i)
            memcpy(refusals->ids[left], id, OUTBOX_ID_SIZE);
        left++;
    }
    refusals->count = left;
}

static void failed_listed(void *argument, const struct failure *failure,
                          const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct refusals *refusals = argument;
    if (!goes_on(refusals, failure))
        return;
    forget_found(refusals, ids, count);
    resolve(refusals);
}

static void intake_listed(void *argument, const struct failure *failure,
                          const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct refusals *refusals = argument;
    if (!goes_on(refusals, failure))
        return;
    forget_found(refusals, ids, count);
    outbox_list(refusals->context->outbox, OUTBOX_IN_FAILED, failed_listed, refusals);
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
        if (strlen(id) == OUTBOX_ID_SIZE - 1)
            memcpy(refusals->ids[refusals->count++], id, OUTBOX_ID_SIZE);
    }
    if (refusals->count == 0)
        resolve(refusals);
    else
        outbox_list(refusals->context->outbox, OUTBOX_IN_INTAKE, intake_listed, refusals);
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

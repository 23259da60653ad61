#include "daemon/take_private.h"

#include "base/memory.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"

/* --- ending --- */

static void taker_finish(struct taker *taker)
{
    disk_watch_end(&taker->cycle->disk);
    for (size_t i = 0; i < taker->slot_count; i++) {
        if (taker->slots[i].message != NULL)
            sink_abandon(taker->slots[i].message);
    }
    taker->slot_count = 0;
    taker->state = TAKE_IDLE;
    memory_free(taker->failures);
    memory_free(taker->deliveries);
    taker->failures = NULL;
    taker->deliveries = NULL;
    const struct failure failure = taker->failure;
    taker->done(taker, failure_is_set(&failure) ? &failure : NULL);
}

void taker_fail(struct taker *taker, const struct failure *failure)
{
    if (!failure_is_set(&taker->failure))
        taker->failure = *failure;
}

bool taker_answered(struct taker *taker)
{
    if (!taker->given_up)
        return true;
    taker_finish(taker);
    return false;
}

void taker_give_up(struct taker *taker, const struct failure *failure)
{
    taker->failure = *failure;
    taker->given_up = true;
    if (taker->state != TAKE_FETCHING)
        return;
    backend_cancel(taker->operation);
    taker->operation = NULL;
    taker->state = TAKE_RECORDING;
    if (taker->outstanding == 0)
        taker_finish(taker);
}

void taker_leave_to_recovery(struct taker *taker)
{
    taker->cycle->mailbox->sink_checked = false;
    taker->cycle->mailbox->may_have_open = true;
}

/* --- batches --- */

static uint64_t buffered_size(const struct item *item)
{
    uint64_t size = item->size == 0 ? 32768 : item->size + item->size / 2;
    return size < SINK_MESSAGE_BUFFER ? size : SINK_MESSAGE_BUFFER;
}

/* The oldest items that are not settled, as many as fit into one request. */
static void taker_choose(struct taker *taker)
{
    const struct config_profile *config = taker->cycle->profile->config;
    uint64_t bytes = 0, buffered = 0;
    while (taker->remaining > 0 && taker->items->items[taker->remaining - 1].settled)
        taker->remaining--;
    for (size_t i = taker->remaining; i > 0 && taker->slot_count < taker->batch_limit; i--) {
        struct item *item = &taker->items->items[i - 1];
        if (item->settled)
            continue;
        bytes += item->size;
        buffered += buffered_size(item);
        if (taker->slot_count > 0 && (bytes > config->batch_bytes || buffered > TAKE_BUFFERED_MAX))
            break;
        taker->slots[taker->slot_count++] = (struct take_slot){.item = item};
    }
}

static void taker_choose_newest(struct taker *taker)
{
    for (size_t i = 0; i < taker->remaining && taker->slot_count == 0; i++) {
        if (!taker->items->items[i].settled)
            taker->slots[taker->slot_count++] = (struct take_slot){.item = &taker->items->items[i]};
    }
}

void taker_raise_limit(struct taker *taker)
{
    uint32_t most = taker->cycle->profile->config->batch_size;
    if (most > TAKE_BATCH_MAX)
        most = TAKE_BATCH_MAX;
    taker->batch_limit = taker->batch_limit < most / 2 ? taker->batch_limit * 2 : most;
}

void taker_next_batch(struct taker *taker)
{
    taker->slot_count = 0;
    if (failure_is_set(&taker->failure) || taker->enough || taker->cycle->ending) {
        taker_finish(taker);
        return;
    }
    if (taker->testing)
        taker_choose_newest(taker);
    else
        taker_choose(taker);
    if (taker->slot_count == 0) {
        taker_finish(taker);
        return;
    }
    taker_fetch(taker);
}

void taker_start(struct taker *taker)
{
    taker->remaining = taker->items->count;
    taker->batch_limit = TAKE_BATCH_MAX;
    taker_raise_limit(taker);
    taker->failures = memory_allocate_array(TAKE_BATCH_MAX, sizeof *taker->failures);
    taker->deliveries = memory_allocate_array(TAKE_BATCH_MAX, sizeof *taker->deliveries);
    taker_next_batch(taker);
}

void taker_cancel(struct taker *taker)
{
    const struct failure cancelled = failure_cancelled();
    if (taker->state == TAKE_ACKNOWLEDGING)
        acknowledger_cancel(&taker->acknowledger);
    else if (taker->state != TAKE_IDLE)
        taker_give_up(taker, &cancelled);
}

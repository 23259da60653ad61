/* The first steps of a batch: it is fetched into the sink's spool, and what cannot be taken is
 * recorded. */
#include "base/clock.h"
#include "daemon/mailbox.h"
#include "daemon/outcome.h"
#include "daemon/profile.h"
#include "daemon/take_private.h"

#include <assert.h>

/* --- what failed and what is gone is recorded --- */

static void taker_recorded(void *argument, const struct failure *failure)
{
    struct taker *taker = argument;
    taker->outstanding--;
    if (failure != NULL)
        taker_fail(taker, failure);
    if (taker->outstanding > 0 || taker->state != TAKE_RECORDING) /* the fetch still runs */
        return;
    if (taker_answered(taker))
        taker_deliver_ready(taker);
}

void taker_record(struct taker *taker)
{
    taker->state = TAKE_RECORDING;
    if (taker->outstanding == 0)
        taker_deliver_ready(taker);
}

static void record_item_failure(struct taker *taker, struct item *item,
                                const struct failure *failure)
{
    item->settled = true;
    taker->cycle->failed++;
    taker->cycle->mailbox->may_have_open = true;
    taker->outstanding++;
    outcome_item_failed(taker->cycle, item, failure, taker_recorded, taker);
}

static void record_gone(struct taker *taker)
{
    if (taker->gone_count == 0)
        return;
    taker->outstanding++;
    store_ledger_gone(taker->cycle->context->store, taker->cycle->mailbox->id, taker->gone,
                      taker->gone_count, clock_wall_ms(), taker_recorded, taker);
}

/* An item that, asked for alone, failed with everything around it. Many in a row may mean that it
 * is not the items: then one from the other end of the list decides. */
void taker_bad_item(struct taker *taker, const struct take_slot *slot,
                    const struct failure *failure)
{
    if (taker->testing) {
        struct failure wider = *failure;
        wider.scope = FAILURE_SCOPE_MAILBOX;
        taker_fail(taker, &wider);
        return;
    }
    record_item_failure(taker, slot->item, failure);
    if (++taker->bad_items < TAKE_BAD_ITEMS_MAX)
        return;
    taker->testing = !taker->retries;
    taker->enough = taker->retries;
}

void taker_good_item(struct taker *taker)
{
    taker->bad_items = 0;
    taker->testing = false;
}

/* --- fetch --- */

static struct take_slot *taker_slot(struct taker *taker, size_t index)
{
    assert(index < taker->slot_count);
    return &taker->slots[index];
}

static void taker_message_ready(void *argument)
{
    struct taker *taker = argument;
    if (taker->state != TAKE_FETCHING)
        return;
    disk_watch_end(&taker->cycle->disk);
    backend_fetch_resume(taker->operation);
}

static void taker_item_begin(void *argument, size_t index)
{
    struct taker *taker = argument;
    struct take_slot *slot = taker_slot(taker, index);
    const struct store_key *key = &slot->item->key;
    const struct maildir_mark mark = {.is_fingerprint = key->has_fingerprint,
                                      .digest =
                                          key->has_fingerprint ? key->fingerprint : key->item};
    slot->message = sink_begin(taker->sink, &mark, taker_message_ready, taker);
}

static void taker_disk_stuck(void *argument)
{
    struct taker *taker = argument;
    struct failure failure;
    disks_explain(taker->sink, &failure);
    disk_watch_give_up(&taker->cycle->disk);
    taker_give_up(taker, &failure);
}

static bool taker_ready(void *argument)
{
    struct taker *taker = argument;
    for (size_t i = 0; i < taker->slot_count; i++) {
        const struct take_slot *slot = &taker->slots[i];
        if (slot->message == NULL || slot->ended || sink_ready(slot->message))
            continue;
        disk_watch_begin(&taker->cycle->disk, taker->cycle, taker->sink, taker_disk_stuck, taker);
        return false;
    }
    return true;
}

static void taker_item_data(void *argument, size_t index, const char *bytes, size_t length)
{
    sink_write(taker_slot(argument, index)->message, bytes, length);
}

static void taker_item_end(void *argument, size_t index, const struct failure *failure)
{
    struct taker *taker = argument;
    struct take_slot *slot = taker_slot(taker, index);
    /* The server's word that more than this item is in trouble is not taken on trust when the item
     * may be the cause: looked into like a request that failed. */
    bool suspect = failure != NULL && failure->scope != FAILURE_SCOPE_ITEM && failure->divisible;
    slot->ended = !suspect;
    if (failure == NULL) {
        sink_end(slot->message);
        slot->complete = true;
        return;
    }
    if (slot->message != NULL)
        sink_abandon(slot->message);
    slot->message = NULL;
    if (failure->gone || failure->scope == FAILURE_SCOPE_ITEM)
        taker_good_item(taker); /* the server knows what it says */
    if (failure->gone) {
        slot->item->settled = true;
        if (slot->item->attempts > 0)
            taker->gone[taker->gone_count++] = slot->item->key.item;
    } else if (failure->scope == FAILURE_SCOPE_ITEM) {
        record_item_failure(taker, slot->item, failure);
    } else if (suspect) {
        taker->request_failure = *failure;
    } else {
        taker_fail(taker, failure);
    }
}

static const struct backend_receiver taker_receiver = {
    .item_begin = taker_item_begin,
    .ready = taker_ready,
    .item_data = taker_item_data,
    .item_end = taker_item_end,
};

/* The request failed as a whole: fewer items next time, or the one item is the cause. */
static void taker_request_failed(struct taker *taker, const struct failure *failure)
{
    struct take_slot *suspect = NULL;
    uint32_t suspects = 0;
    for (size_t i = 0; i < taker->slot_count; i++) {
        struct take_slot *slot = &taker->slots[i];
        if (slot->ended)
            continue;
        if (slot->message != NULL)
            sink_abandon(slot->message);
        slot->message = NULL;
        suspect = slot;
        suspects++;
    }
    if (suspects == 0)
        return;
    if (!failure->divisible || failure->retry_after_ms > 0) {
        taker_fail(taker, failure);
        return;
    }
    taker->batch_limit = suspects / 2 > 0 ? suspects / 2 : 1;
    taker->halved = true;
    if (taker->slot_count == 1)
        taker_bad_item(taker, suspect, failure);
}

static void taker_fetched(void *argument, const struct failure *failure)
{
    struct taker *taker = argument;
    taker->operation = NULL;
    taker->halved = false;
    disk_watch_end(&taker->cycle->disk);
    if (failure == NULL && failure_is_set(&taker->request_failure))
        failure = &taker->request_failure;
    if (failure != NULL)
        taker_request_failed(taker, failure);
    if (!taker->halved)
        taker_raise_limit(taker);
    record_gone(taker);
    taker_record(taker);
}

void taker_fetch(struct taker *taker)
{
    const char *references[TAKE_BATCH_MAX];
    for (size_t i = 0; i < taker->slot_count; i++)
        references[i] = taker->slots[i].item->reference;
    taker->gone_count = 0;
    taker->state = TAKE_FETCHING;
    taker->request_failure = (struct failure){0};
    taker->operation = backend_fetch_start(
        taker->cycle->profile->backend, &taker->cycle->target, references, taker->slot_count,
        taker->cycle->profile->config->max_message_size, &taker_receiver, taker_fetched, taker);
}

#include "daemon/take.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/mailbox.h"
#include "daemon/outcome.h"
#include "daemon/profile.h"
#include "mail/maildir_name.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void taker_next_batch(struct taker *taker);
static void taker_record(struct taker *taker);
static void taker_bad_item(struct taker *taker, const struct take_slot *slot,
                           const struct failure *failure);
static void taker_good_item(struct taker *taker);

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

/* Notes why the taking ends after this batch; the first reason stays. */
static void taker_fail(struct taker *taker, const struct failure *failure)
{
    if (!failure_is_set(&taker->failure))
        taker->failure = *failure;
}

/* The sink or the store has answered: false when the taker was given up meanwhile and is over. What
 * is committed but not published is published by the next cycle. */
static bool taker_answered(struct taker *taker)
{
    if (!taker->given_up)
        return true;
    taker_finish(taker);
    return false;
}

/* Ends a fetch at once, and everything else as soon as it has answered. */
static void taker_give_up(struct taker *taker, const struct failure *failure)
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

/* After a crash or a doubt only recovery knows what is published. */
static void leave_to_recovery(struct taker *taker)
{
    taker->cycle->mailbox->sink_checked = false;
    taker->cycle->mailbox->may_have_open = true;
}

/* --- 5: acknowledge --- */

static void taker_acknowledged(struct acknowledger *acknowledger, const struct failure *failure)
{
    struct taker *taker = acknowledger->argument;
    if (failure != NULL)
        taker_fail(taker, failure);
    taker_next_batch(taker);
}

static void taker_acknowledge(struct taker *taker)
{
    if (!acknowledge_wanted(taker->cycle) || taker->batch_ready == 0) {
        taker_next_batch(taker);
        return;
    }
    struct acknowledger *acknowledger = &taker->acknowledger;
    taker->state = TAKE_ACKNOWLEDGING;
    acknowledger->cycle = taker->cycle;
    acknowledger->done = taker_acknowledged;
    acknowledger->argument = taker;
    acknowledger->count = taker->batch_ready;
    for (size_t i = 0; i < taker->batch_ready; i++) {
        const struct item *item = taker->slots[taker->ready[i]].item;
        acknowledger->references[i] = item->reference;
        acknowledger->keys[i] = item->key.item;
    }
    acknowledger_start(acknowledger);
}

/* --- 4: publish and mark as delivered --- */

static void taker_delivered(void *argument, const struct failure *failure)
{
    struct taker *taker = argument;
    if (failure != NULL) {
        leave_to_recovery(taker);
        taker_fail(taker, failure);
    }
    if (taker_answered(taker))
        taker_acknowledge(taker);
}

/* Keeps in `ready` those slots whose message the sink took well; the failure of another ends the
 * cycle after this batch. */
static void keep_without_failure(struct taker *taker)
{
    size_t kept = 0;
    for (size_t i = 0; i < taker->batch_ready; i++) {
        if (failure_is_set(&taker->failures[i]))
            taker_fail(taker, &taker->failures[i]);
        else
            taker->ready[kept++] = taker->ready[i];
    }
    taker->batch_ready = kept;
}

static void report_delivered(const struct taker *taker, const struct take_slot *slot)
{
    const struct cycle *cycle = taker->cycle;
    if (!log_enabled(cycle->context->log, LOG_PRIORITY_DEBUG))
        return;
    const struct log_fields fields = {
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = "incoming",
        .step = "deliver",
        .activity = cycle->activity,
    };
    char received[CLOCK_TEXT_SIZE];
    clock_format_utc(slot->item->received_ms, received);
    uint64_t size = sink_message_size(slot->message);
    log_write(cycle->context->log, LOG_PRIORITY_DEBUG, &fields,
              "%s: delivered the message received %s as %s (%" PRIu64 " %s)",
              mailbox_address(cycle->mailbox), received, sink_message_name(slot->message), size,
              text_plural(size, "byte", "bytes"));
}

static void settle_published(struct taker *taker)
{
    if (taker->batch_ready > 0)
        taker_good_item(taker);
    for (size_t i = 0; i < taker->batch_ready; i++) {
        struct take_slot *slot = &taker->slots[taker->ready[i]];
        report_delivered(taker, slot);
        taker->cycle->moved_bytes += sink_message_size(slot->message);
        taker->cycle->moved++;
    }
    for (size_t i = 0; i < taker->batch_ready; i++) {
        struct take_slot *slot = &taker->slots[taker->ready[i]];
        slot->item->settled = true;
        sink_release(slot->message);
        slot->message = NULL;
    }
}

static void taker_published(struct sink_batch *batch)
{
    struct taker *taker = batch->argument;
    disk_watch_end(&taker->cycle->disk);
    for (size_t i = 0; i < taker->batch_ready; i++) {
        struct take_slot *slot = &taker->slots[taker->ready[i]];
        if (!failure_is_set(&taker->failures[i]))
            continue;
        /* Committed, so it is the ledger's now: the file stays in the spool for recovery. */
        slot->item->settled = true;
        sink_release(slot->message);
        slot->message = NULL;
        leave_to_recovery(taker);
    }
    keep_without_failure(taker);
    settle_published(taker);
    if (taker->batch_ready == 0) {
        if (taker_answered(taker))
            taker_next_batch(taker);
        return;
    }
    taker->state = TAKE_MARKING;
    for (size_t i = 0; i < taker->batch_ready; i++)
        taker->keys[i] = taker->slots[taker->ready[i]].item->key.item;
    store_ledger_delivered(taker->cycle->context->store, taker->cycle->mailbox->id, taker->keys,
                           taker->batch_ready, clock_wall_ms(), taker_delivered, taker);
}

static void taker_fill_batch(struct taker *taker, void (*done)(struct sink_batch *batch))
{
    for (size_t i = 0; i < taker->batch_ready; i++) {
        taker->messages[i] = taker->slots[taker->ready[i]].message;
        taker->failures[i] = (struct failure){0};
    }
    taker->batch = (struct sink_batch){
        .messages = taker->messages,
        .count = taker->batch_ready,
        .failures = taker->failures,
        .done = done,
        .argument = taker,
    };
}

/* --- 3: commit to the ledger --- */

static void drop_duplicates(struct taker *taker)
{
    size_t kept = 0;
    for (size_t i = 0; i < taker->batch_ready; i++) {
        struct take_slot *slot = &taker->slots[taker->ready[i]];
        if (!taker->deliveries[i].duplicate) {
            taker->ready[kept++] = taker->ready[i];
            continue;
        }
        sink_abandon(slot->message);
        slot->message = NULL;
        slot->item->settled = true;
    }
    taker->batch_ready = kept;
}

static void taker_committed(void *argument, const struct failure *failure)
{
    struct taker *taker = argument;
    if (failure != NULL) {
        /* Whether a failed commit took effect is not known for certain: the files stay, and
         * recovery publishes those that the ledger has and removes the others. */
        for (size_t i = 0; i < taker->batch_ready; i++) {
            sink_release(taker->slots[taker->ready[i]].message);
            taker->slots[taker->ready[i]].message = NULL;
        }
        taker->batch_ready = 0;
        leave_to_recovery(taker);
        taker_fail(taker, failure);
        if (taker_answered(taker))
            taker_next_batch(taker);
        return;
    }
    drop_duplicates(taker);
    if (taker->batch_ready == 0) {
        if (taker_answered(taker))
            taker_next_batch(taker);
        return;
    }
    /* From the commit on the batch is published even if the cycle was cancelled meanwhile. */
    taker->state = TAKE_PUBLISHING;
    taker_fill_batch(taker, taker_published);
    disk_watch_begin(&taker->cycle->disk, taker->cycle, taker->sink, NULL, NULL);
    sink_publish_start(taker->sink, &taker->batch);
}

static void taker_commit(struct taker *taker)
{
    bool acknowledge = acknowledge_wanted(taker->cycle);
    for (size_t i = 0; i < taker->batch_ready; i++) {
        const struct take_slot *slot = &taker->slots[taker->ready[i]];
        taker->deliveries[i] = (struct store_delivery){
            .key = slot->item->key,
            .received_ms = slot->item->received_ms,
            .name = sink_message_name(slot->message),
            .file = maildir_name_number(sink_message_name(slot->message)),
            .message = slot->item->message,
            .activity = taker->cycle->activity,
            .reference = acknowledge ? slot->item->reference : NULL,
        };
    }
    taker->state = TAKE_COMMITTING;
    store_ledger_deliver(taker->cycle->context->store, taker->cycle->mailbox->id, taker->deliveries,
                         taker->batch_ready, clock_wall_ms(), taker_committed, taker);
}

/* --- 2: sync --- */

/* What has no room for one message may have room for others: found out as with a request. */
static void taker_sync_failed(struct taker *taker, struct take_slot *slot,
                              const struct failure *failure)
{
    sink_abandon(slot->message);
    slot->message = NULL;
    slot->complete = false;
    if (!failure->divisible) {
        taker_fail(taker, failure);
    } else if (taker->slot_count == 1) {
        taker_bad_item(taker, slot, failure);
    } else {
        taker->batch_limit = 1;
    }
}

static void taker_synced(struct sink_batch *batch)
{
    struct taker *taker = batch->argument;
    disk_watch_end(&taker->cycle->disk);
    if (!taker_answered(taker))
        return;
    size_t kept = 0;
    for (size_t i = 0; i < taker->batch_ready; i++) {
        if (failure_is_set(&taker->failures[i]))
            taker_sync_failed(taker, &taker->slots[taker->ready[i]], &taker->failures[i]);
        else
            taker->ready[kept++] = taker->ready[i];
    }
    taker->batch_ready = kept;
    if (kept > 0)
        taker_commit(taker);
    else
        taker_record(taker);
}

/* --- between: what failed and what is gone is recorded --- */

static void taker_deliver_ready(struct taker *taker)
{
    taker->batch_ready = 0;
    for (size_t i = 0; i < taker->slot_count; i++) {
        if (taker->slots[i].complete)
            taker->ready[taker->batch_ready++] = i;
    }
    if (taker->batch_ready == 0) {
        taker_next_batch(taker);
        return;
    }
    taker->state = TAKE_SYNCING;
    taker_fill_batch(taker, taker_synced);
    disk_watch_begin(&taker->cycle->disk, taker->cycle, taker->sink, NULL, NULL);
    sink_sync_start(taker->sink, &taker->batch);
}

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

/* Waits until what is to be recorded is, and goes on with what can be delivered. */
static void taker_record(struct taker *taker)
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
static void taker_bad_item(struct taker *taker, const struct take_slot *slot,
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

static void taker_good_item(struct taker *taker)
{
    taker->bad_items = 0;
    taker->testing = false;
}

/* --- 1: fetch --- */

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

static void taker_raise_limit(struct taker *taker)
{
    uint32_t most = taker->cycle->profile->config->batch_size;
    if (most > TAKE_BATCH_MAX)
        most = TAKE_BATCH_MAX;
    taker->batch_limit = taker->batch_limit < most / 2 ? taker->batch_limit * 2 : most;
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

static void taker_next_batch(struct taker *taker)
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

/* The later steps of a batch, from the spool to the reader of the Maildir; the last stands first.
 */
#include "base/clock.h"
#include "base/text.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"
#include "daemon/take_private.h"
#include "mail/maildir_name.h"

#include <inttypes.h>

/* --- 4: acknowledge --- */

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

/* --- 3: publish and mark as delivered --- */

static void taker_delivered(void *argument, const struct failure *failure)
{
    struct taker *taker = argument;
    if (failure != NULL) {
        taker_leave_to_recovery(taker);
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
        taker_leave_to_recovery(taker);
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

/* --- 2: commit to the ledger --- */

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
        taker_leave_to_recovery(taker);
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

/* --- 1: sync --- */

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

void taker_deliver_ready(struct taker *taker)
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

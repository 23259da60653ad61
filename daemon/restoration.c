#include "daemon/restoration.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/uuid.h"
#include "daemon/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LAST_SEQUENCE = 4095 };

static void list_next(struct restoration *restoration);

/* --- ids --- */

void restoration_ids_keep(struct restoration_ids *folder, const char (*ids)[OUTBOX_ID_SIZE],
                          size_t count)
{
    folder->count = count;
    folder->ids = memory_allocate_array(count + 1, sizeof *folder->ids);
    folder->pointers = memory_allocate_array(count + 1, sizeof *folder->pointers);
    if (count > 0)
        memcpy(folder->ids, ids, count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        folder->pointers[i] = folder->ids[i];
}

size_t restoration_ids_unknown(struct restoration_ids *folder, const uint8_t *states)
{
    size_t unknown = 0;
    for (size_t i = 0; i < folder->count; i++) {
        if (states[i] == 0)
            folder->pointers[unknown++] = folder->ids[i];
    }
    return unknown;
}

void restoration_ids_release(struct restoration_ids *folder)
{
    memory_free(folder->ids);
    memory_free(folder->pointers);
    *folder = (struct restoration_ids){0};
}

/* --- the end --- */

static void finish(struct restoration *restoration, const struct failure *failure)
{
    for (size_t i = 0; i <= OUTBOX_IN_FAILED; i++)
        restoration_ids_release(&restoration->folders[i]);
    memory_free(restoration->states);
    restoration->done(restoration, failure);
}

/* --- 4: the store changes over --- */

static void report(const struct restoration *restoration)
{
    char copied[CLOCK_TEXT_SIZE];
    const struct store_restoration *store = &restoration->store;
    size_t submitted = restoration->taken + restoration->folders[OUTBOX_IN_INTAKE].count;
    uint64_t doubtful = store->doubtful + submitted;
    if (store->since_ms == STORE_COPIED_UNKNOWN)
        snprintf(copied, sizeof copied, "%s", "an unknown time");
    else
        clock_format_utc(store->since_ms, copied);
    const struct log_fields fields = {.message_id = MESSAGE_RESTORE_BEGUN};
    log_write(restoration->context->log, LOG_PRIORITY_WARNING, &fields,
              "the database is a backup of %s that was put back: %" PRIu64
              " %s looked for in Exchange before anything of it is sent (%" PRIu64
              " of them without a file, %zu submitted since), %" PRIu64
              " %s in failed/ already; each mailbox compares its Maildir with the ledger before it "
              "fetches mail",
              copied, doubtful, text_plural(doubtful, "message is", "messages are"), store->gone,
              submitted, store->given_up, text_plural(store->given_up, "is", "are"));
}

static void changed_over(void *argument, const struct failure *failure)
{
    struct restoration *restoration = argument;
    if (failure == NULL)
        report(restoration);
    finish(restoration, failure);
}

static void note_last(struct restoration *restoration, const struct restoration_ids *folder)
{
    if (folder->count > 0 && strcmp(folder->ids[folder->count - 1], restoration->last_id) > 0)
        memcpy(restoration->last_id, folder->ids[folder->count - 1], OUTBOX_ID_SIZE);
}

/* Ids sort by the time at which they were given; that clock may have been ahead. */
static void change_over(struct restoration *restoration)
{
    const struct restoration_ids *queue = &restoration->folders[OUTBOX_IN_QUEUE];
    const struct restoration_ids *failed = &restoration->folders[OUTBOX_IN_FAILED];
    uuid_generate_ordered(clock_wall_ms(), LAST_SEQUENCE, restoration->last_id);
    note_last(restoration, &restoration->folders[OUTBOX_IN_KEPT]);
    note_last(restoration, &restoration->folders[OUTBOX_IN_INTAKE]);
    restoration->store = (struct store_restoration){
        .since_ms = store_copied(restoration->context->store),
        .queued = queue->pointers,
        .queued_count = queue->count,
        .failed = failed->pointers,
        .failed_count = failed->count,
        .last_id = restoration->last_id,
        .now_ms = clock_wall_ms(),
    };
    store_restore(restoration->context->store, &restoration->store, changed_over, restoration);
}

/* --- 3: what the store does not know is taken back into intake/ --- */

static void taken_back(void *argument, const struct failure *failure)
{
    struct restoration *restoration = argument;
    if (failure != NULL)
        finish(restoration, failure);
    else
        change_over(restoration);
}

static void kept_known(void *argument, const struct failure *failure)
{
    struct restoration *restoration = argument;
    struct restoration_ids *kept = &restoration->folders[OUTBOX_IN_KEPT];
    if (failure != NULL) {
        finish(restoration, failure);
        return;
    }
    restoration->taken = restoration_ids_unknown(kept, restoration->states);
    if (restoration->taken == 0) {
        change_over(restoration);
        return;
    }
    outbox_take_back(restoration->context->outbox, kept->pointers, restoration->taken, taken_back,
                     restoration);
}

/* --- 2: which of them the store knows --- */

static void ask_for_kept(struct restoration *restoration)
{
    const struct restoration_ids *kept = &restoration->folders[OUTBOX_IN_KEPT];
    restoration->states = memory_allocate_array(kept->count + 1, sizeof *restoration->states);
    store_submissions_states(restoration->context->store, kept->pointers, kept->count,
                             restoration->states, kept_known, restoration);
}

/* --- 1: what is in the outbox --- */

static void listed(void *argument, const struct failure *failure, const char (*ids)[OUTBOX_ID_SIZE],
                   size_t count)
{
    struct restoration *restoration = argument;
    if (failure != NULL && !failure->gone) {
        finish(restoration, failure);
        return;
    }
    restoration_ids_keep(&restoration->folders[restoration->part], ids,
                         failure == NULL ? count : 0);
    if (restoration->part == OUTBOX_IN_FAILED) {
        ask_for_kept(restoration);
        return;
    }
    restoration->part++;
    list_next(restoration);
}

static void list_next(struct restoration *restoration)
{
    outbox_list(restoration->context->outbox, restoration->part, listed, restoration);
}

void restoration_start(struct restoration *restoration)
{
    if (store_copied(restoration->context->store) == 0) {
        restoration->done(restoration, NULL);
        return;
    }
    restoration->part = OUTBOX_IN_INTAKE;
    list_next(restoration);
}

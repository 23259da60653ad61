#include "daemon/restoration.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/uuid.h"
#include "daemon/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LAST_SEQUENCE = 4095 };

/* --- the end --- */

static void finish(struct restoration *restoration, const struct failure *failure)
{
    unrecorded_release(&restoration->unrecorded);
    restoration->done(restoration, failure);
}

/* --- 3: the store changes over --- */

static void report(const struct restoration *restoration)
{
    char copied[CLOCK_TEXT_SIZE];
    const struct store_restoration *store = &restoration->store;
    size_t submitted =
        restoration->unrecorded.kept + restoration->unrecorded.folders[OUTBOX_IN_INTAKE].count;
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

static void note_last(struct restoration *restoration, const struct id_list *folder)
{
    if (folder->count > 0 && strcmp(folder->ids[folder->count - 1], restoration->last_id) > 0)
        memcpy(restoration->last_id, folder->ids[folder->count - 1], OUTBOX_ID_SIZE);
}

/* Ids sort by the time at which they were given; that clock may have been ahead. */
static void change_over(struct restoration *restoration)
{
    const struct id_list *queue = &restoration->unrecorded.folders[OUTBOX_IN_QUEUE];
    const struct id_list *failed = &restoration->unrecorded.folders[OUTBOX_IN_FAILED];
    uuid_generate_ordered(clock_wall_ms(), LAST_SEQUENCE, restoration->last_id);
    note_last(restoration, &restoration->unrecorded.folders[OUTBOX_IN_KEPT]);
    note_last(restoration, &restoration->unrecorded.folders[OUTBOX_IN_INTAKE]);
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

/* --- 2: what the store does not know is taken back into intake/ --- */

static void taken_back(void *argument, const struct failure *failure)
{
    struct restoration *restoration = argument;
    if (failure != NULL)
        finish(restoration, failure);
    else
        change_over(restoration);
}

/* --- 1: what is in the outbox --- */

static void found(struct unrecorded *unrecorded, const struct failure *failure)
{
    struct restoration *restoration = unrecorded->argument;
    if (failure != NULL)
        finish(restoration, failure);
    else if (unrecorded->kept == 0)
        change_over(restoration);
    else
        outbox_take_back(restoration->context->outbox, unrecorded->folders[OUTBOX_IN_KEPT].pointers,
                         unrecorded->kept, taken_back, restoration);
}

void restoration_start(struct restoration *restoration)
{
    if (store_copied(restoration->context->store) == 0) {
        restoration->done(restoration, NULL);
        return;
    }
    restoration->unrecorded = (struct unrecorded){
        .context = restoration->context, .done = found, .argument = restoration};
    unrecorded_find(&restoration->unrecorded);
}

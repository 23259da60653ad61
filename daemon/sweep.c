#include "daemon/sweep.h"

#include "base/memory.h"
#include "base/text.h"
#include "daemon/messages.h"
#include "mail/outbox.h"

#include <string.h>

static void listed(void *argument, const struct failure *failure, const char (*ids)[OUTBOX_ID_SIZE],
                   size_t count);

/* What of it a kill has left lies in both folders, or in one of them. */
static void finish(struct sweep *sweep, const struct failure *failure)
{
    memory_free(sweep->ids);
    memory_free(sweep->pointers);
    memory_free(sweep->states);
    sweep->ids = NULL;
    sweep->pointers = NULL;
    sweep->states = NULL;
    if (failure != NULL || sweep->part == OUTBOX_IN_KEPT) {
        sweep->done(sweep, failure);
        return;
    }
    sweep->part = OUTBOX_IN_KEPT;
    outbox_list(sweep->context->outbox, sweep->part, listed, sweep);
}

static void note_unknown(struct sweep *sweep)
{
    size_t unknown = 0;
    for (size_t i = 0; i < sweep->count; i++)
        unknown += sweep->states[i] == 0;
    sweep->unknown = unknown;
    if (unknown == 0)
        return;
    const struct log_fields fields = {.message_id = MESSAGE_OUTBOX_UNKNOWN};
    log_write(sweep->context->log, LOG_PRIORITY_WARNING, &fields,
              "the database does not know %zu %s in %s/kept: it was lost or replaced by an older "
              "one, and %s not sent; exsyncctl verify --all --repair looks for %s in Exchange and "
              "sends what is not there",
              unknown, text_plural(unknown, "message", "messages"),
              outbox_directory(sweep->context->outbox), text_plural(unknown, "it is", "they are"),
              text_plural(unknown, "it", "them"));
}

static void told(void *argument, const struct failure *failure)
{
    struct sweep *sweep = argument;
    for (size_t i = 0; failure == NULL && i < sweep->count; i++) {
        if (sweep->states[i] == STORE_SUBMISSION_SENT ||
            sweep->states[i] == STORE_SUBMISSION_FAILED)
            outbox_remove(sweep->context->outbox, sweep->ids[i], NULL, NULL);
    }
    if (failure == NULL && sweep->part == OUTBOX_IN_KEPT)
        note_unknown(sweep);
    finish(sweep, failure);
}

static void listed(void *argument, const struct failure *failure, const char (*ids)[OUTBOX_ID_SIZE],
                   size_t count)
{
    struct sweep *sweep = argument;
    if (failure != NULL || count == 0) {
        finish(sweep, failure);
        return;
    }
    sweep->count = count;
    sweep->ids = memory_allocate_array(count, sizeof *sweep->ids);
    sweep->pointers = memory_allocate_array(count, sizeof *sweep->pointers);
    sweep->states = memory_allocate_array(count, sizeof *sweep->states);
    memcpy(sweep->ids, ids, count * sizeof *sweep->ids);
    for (size_t i = 0; i < count; i++)
        sweep->pointers[i] = sweep->ids[i];
    store_submissions_states(sweep->context->store, sweep->pointers, count, sweep->states, told,
                             sweep);
}

void sweep_start(struct sweep *sweep)
{
    sweep->part = OUTBOX_IN_QUEUE;
    outbox_list(sweep->context->outbox, sweep->part, listed, sweep);
}

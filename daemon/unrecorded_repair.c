#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "daemon/cycle.h"
#include "daemon/failed_file.h"
#include "daemon/messages.h"
#include "daemon/unrecorded.h"

#include <string.h>

enum { LAST_SEQUENCE = 4095 };

#define COPY_REMEDY \
    "Look for it in Sent Items; send it again only if it is not there, to all whom it was for."

static void put_aside_next(struct unrecorded *unrecorded);

/* --- 2: copies --- */

/* Once its file lies in failed/: a failure without one counts as dealt with (refusals.h). */
static void report_copy(const struct unrecorded *unrecorded, const char *id)
{
    struct store_failure row = {
        .failure = {.category = FAILURE_ITEM,
                    .scope = FAILURE_SCOPE_ITEM,
                    .permanent = true,
                    .sentence = "A message of the outbox is not in the database.",
                    .remedy = COPY_REMEDY},
        .profile = "",
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .submission = id,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    failure_set_code(&row.failure, "NotRecorded");
    failure_set_step(&row.failure, "submit");
    failure_format_text(&row.failure, "%s", FAILED_FILE_COPY_REASON);
    store_failure_record(unrecorded->context->store, &row, NULL, NULL);
    char *path = failed_file_path(outbox_directory(unrecorded->context->outbox), id);
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_REFUSED,
                                      .direction = row.direction,
                                      .step = row.failure.step,
                                      .code = row.failure.code};
    log_write(unrecorded->context->log, LOG_PRIORITY_WARNING, &fields,
              "a message that the database does not know is kept as %s: %s %s", path,
              FAILED_FILE_COPY_REASON, COPY_REMEDY);
    memory_free(path);
}

static void put_aside(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL && !failure->gone) {
        unrecorded->done(unrecorded, failure);
        return;
    }
    if (failure == NULL)
        report_copy(unrecorded, unrecorded->folders[OUTBOX_IN_QUEUE].pointers[unrecorded->next]);
    unrecorded->next++;
    put_aside_next(unrecorded);
}

static void put_aside_next(struct unrecorded *unrecorded)
{
    const struct id_list *queue = &unrecorded->folders[OUTBOX_IN_QUEUE];
    if (unrecorded->next == unrecorded->copies)
        unrecorded->done(unrecorded, NULL);
    else
        outbox_refuse(unrecorded->context->outbox, queue->pointers[unrecorded->next],
                      FAILED_FILE_COPY_REASON "\n" COPY_REMEDY, put_aside, unrecorded);
}

/* --- 1: what was kept --- */

static void taken_back(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL)
        unrecorded->done(unrecorded, failure);
    else
        put_aside_next(unrecorded);
}

static void take_back(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL)
        unrecorded->done(unrecorded, failure);
    else
        outbox_take_back(unrecorded->context->outbox, unrecorded->folders[OUTBOX_IN_KEPT].pointers,
                         unrecorded->kept, taken_back, unrecorded);
}

/* They may have been sent: the store has to know that before they come. */
void unrecorded_repair(struct unrecorded *unrecorded)
{
    unrecorded->next = 0;
    if (unrecorded->kept == 0) {
        put_aside_next(unrecorded);
        return;
    }
    const struct id_list *kept = &unrecorded->folders[OUTBOX_IN_KEPT];
    const char *last = kept->ids[kept->count - 1];
    uuid_generate_ordered(clock_wall_ms(), LAST_SEQUENCE, unrecorded->last_id);
    if (strcmp(last, unrecorded->last_id) > 0)
        memcpy(unrecorded->last_id, last, OUTBOX_ID_SIZE);
    unrecorded->restoration = (struct store_restoration){
        .mailbox = STORE_RESTORE_NONE, .last_id = unrecorded->last_id, .now_ms = clock_wall_ms()};
    store_restore(unrecorded->context->store, &unrecorded->restoration, take_back, unrecorded);
}

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "daemon/cycle.h"
#include "daemon/failed_file.h"
#include "daemon/messages.h"
#include "daemon/unrecorded.h"

#include <string.h>

enum { LAST_SEQUENCE = 4095 };

static const char copy_code[] = "NotRecorded", copy_step[] = "submit";

#define COPY_REMEDY \
    "Look for it in Sent Items; send it again only if it is not there, to all whom it was for."

static void put_aside_next(struct unrecorded *unrecorded);

/* --- 2: copies. The failure comes first: a file that a crash leaves in failed/ without one is found
 * by nobody, as one that is left in queue/ is by the next look --- */

static const char *this_copy(const struct unrecorded *unrecorded)
{
    return unrecorded->folders[OUTBOX_IN_QUEUE].pointers[unrecorded->next];
}

static void report_copy(const struct unrecorded *unrecorded)
{
    char *path =
        failed_file_path(outbox_directory(unrecorded->context->outbox), this_copy(unrecorded));
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_REFUSED,
                                      .direction = cycle_direction_name(CYCLE_OUTGOING),
                                      .step = copy_step,
                                      .code = copy_code};
    log_write(unrecorded->context->log, LOG_PRIORITY_WARNING, &fields,
              "a message that the database does not know is kept as %s: %s %s", path,
              FAILED_FILE_COPY_REASON, COPY_REMEDY);
    memory_free(path);
}

/* Of one that has gone meanwhile the failure is over (refusals.h). */
static void put_aside(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL && !failure->gone) {
        unrecorded->done(unrecorded, failure);
        return;
    }
    if (failure == NULL)
        report_copy(unrecorded);
    unrecorded->next++;
    put_aside_next(unrecorded);
}

static void recorded(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL)
        unrecorded->done(unrecorded, failure);
    else
        outbox_refuse(unrecorded->context->outbox, this_copy(unrecorded),
                      FAILED_FILE_COPY_REASON "\n" COPY_REMEDY, put_aside, unrecorded);
}

static void record_copy(struct unrecorded *unrecorded)
{
    struct store_failure row = {
        .failure = {.category = FAILURE_ITEM,
                    .scope = FAILURE_SCOPE_ITEM,
                    .permanent = true,
                    .sentence = "A message of the outbox is not in the database.",
                    .remedy = COPY_REMEDY},
        .profile = "",
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .submission = this_copy(unrecorded),
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    failure_set_code(&row.failure, copy_code);
    failure_set_step(&row.failure, copy_step);
    failure_format_text(&row.failure, "%s", FAILED_FILE_COPY_REASON);
    store_failure_record(unrecorded->context->store, &row, recorded, unrecorded);
}

static void put_aside_next(struct unrecorded *unrecorded)
{
    if (unrecorded->next == unrecorded->copies)
        unrecorded->done(unrecorded, NULL);
    else
        record_copy(unrecorded);
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

#include "base/clock.h"
#include "base/uuid.h"
#include "daemon/cycle.h"
#include "daemon/messages.h"
#include "daemon/unrecorded.h"

#include <string.h>

enum { LAST_SEQUENCE = 4095 };

static const char copy_code[] = "NotRecorded", copy_step[] = "submit";
static const char copy_reason[] =
    "The database does not know this message, and of what was submitted only this copy is left: it "
    "names no Bcc recipients, and may have been sent before.";
static const char copy_remedy[] =
    "Look for it in Sent Items; send it again only if it is not there, to all whom it was for.";

static void put_aside_next(struct unrecorded *unrecorded);

/* --- 2: copies. The failure comes first: a file that a crash leaves in failed/ without one is found
 * by nobody, as one that is left in queue/ is by the next look --- */

static const char *this_copy(const struct unrecorded *unrecorded)
{
    return unrecorded->folders[OUTBOX_IN_QUEUE].pointers[unrecorded->next];
}

/* Of one that has gone meanwhile the failure is over (refusals.h). */
static void put_aside(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL && !failure->gone) {
        unrecorded->done(unrecorded, failure);
        return;
    }
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_REFUSED,
                                      .direction = cycle_direction_name(CYCLE_OUTGOING),
                                      .step = copy_step,
                                      .code = copy_code};
    if (failure == NULL)
        log_write(unrecorded->context->log, LOG_PRIORITY_WARNING, &fields,
                  "a message that the database does not know is kept as failed/%s.eml: %s %s",
                  this_copy(unrecorded), copy_reason, copy_remedy);
    unrecorded->next++;
    put_aside_next(unrecorded);
}

static void recorded(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL)
        unrecorded->done(unrecorded, failure);
    else
        outbox_refuse(unrecorded->context->outbox, this_copy(unrecorded), copy_reason, put_aside,
                      unrecorded);
}

static void record_copy(struct unrecorded *unrecorded)
{
    struct store_failure row = {
        .failure = {.category = FAILURE_ITEM,
                    .scope = FAILURE_SCOPE_ITEM,
                    .permanent = true,
                    .sentence = "A message of the outbox is not in the database.",
                    .remedy = copy_remedy},
        .profile = "",
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .submission = this_copy(unrecorded),
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    failure_set_code(&row.failure, copy_code);
    failure_set_step(&row.failure, copy_step);
    failure_format_text(&row.failure, "%s", copy_reason);
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

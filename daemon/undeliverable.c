#include "daemon/undeliverable.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/acknowledge.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/profile.h"
#include "daemon/report.h"

bool undeliverable_add(struct undeliverable *undeliverable, const struct store_open_item *item)
{
    if (undeliverable->count == UNDELIVERABLE_MAX)
        return false;
    size_t index = undeliverable->count++;
    undeliverable->references[index] = memory_copy_string(item->reference);
    undeliverable->keys[index] = item->key.item;
    undeliverable->received_ms[index] = item->received_ms;
    return true;
}

void undeliverable_release(struct undeliverable *undeliverable)
{
    for (size_t i = 0; i < undeliverable->count; i++)
        memory_free(undeliverable->references[i]);
    undeliverable->count = 0;
}

/* --- noting what was moved --- */

static void report_moved(const struct undeliverable *undeliverable, size_t index)
{
    const struct cycle *cycle = undeliverable->cycle;
    const struct log_fields fields = report_fields(cycle, MESSAGE_UNDELIVERABLE, NULL);
    char received[CLOCK_TEXT_SIZE];
    clock_format_utc(undeliverable->received_ms[index], received);
    log_write(cycle->context->log, LOG_PRIORITY_WARNING, &fields,
              "%s: a message received %s, which could not be delivered, was moved "
              "to " UNDELIVERABLE_FOLDER,
              mailbox_address(cycle->mailbox), received);
}

static void undeliverable_noted(void *argument, const struct failure *failure)
{
    struct undeliverable *undeliverable = argument;
    undeliverable->waiting = false;
    for (size_t i = 0; failure == NULL && i < undeliverable->count; i++)
        report_moved(undeliverable, i);
    const struct failure cancelled = failure_cancelled();
    if (undeliverable->cancelled)
        failure = &cancelled;
    else if (failure == NULL && failure_is_set(&undeliverable->failure))
        failure = &undeliverable->failure;
    undeliverable->done(undeliverable, failure);
}

static void undeliverable_note(struct undeliverable *undeliverable)
{
    struct cycle *cycle = undeliverable->cycle;
    if (undeliverable->count == 0) {
        undeliverable->done(undeliverable, failure_is_set(&undeliverable->failure)
                                               ? &undeliverable->failure
                                               : NULL);
        return;
    }
    undeliverable->waiting = true;
    store_ledger_set_aside(cycle->context->store, cycle->mailbox->id, undeliverable->keys,
                           undeliverable->count, undeliverable_noted, undeliverable);
}

/* --- moving --- */

/* Said once; it is tried again with every cycle. */
static void report_not_moved(const struct cycle *cycle, const struct failure *failure)
{
    struct log_fields fields = report_fields(cycle, MESSAGE_NOT_SET_ASIDE, NULL);
    fields.step = failure->step;
    fields.code = failure->code;
    log_write(cycle->context->log,
              cycle->mailbox->move_refused ? LOG_PRIORITY_DEBUG : LOG_PRIORITY_WARNING, &fields,
              "%s: a message that could not be delivered was not moved to " UNDELIVERABLE_FOLDER
              " and will be tried again: %s: %s (%s): \"%s\"",
              mailbox_address(cycle->mailbox), failure->step,
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
}

/* Keeps those that were moved, in front. */
static void keep_moved(struct undeliverable *undeliverable, const struct failure *failures,
                       size_t count)
{
    bool refused = false;
    size_t moved = 0;
    for (size_t i = 0; i < undeliverable->count; i++) {
        char *reference = undeliverable->references[i];
        if (i < count && !failure_is_set(&failures[i])) {
            undeliverable->references[moved] = reference;
            undeliverable->keys[moved] = undeliverable->keys[i];
            undeliverable->received_ms[moved++] = undeliverable->received_ms[i];
            continue;
        }
        memory_free(reference);
        if (i < count && failures[i].scope != FAILURE_SCOPE_ITEM) {
            undeliverable->failure = failures[i];
        } else if (i < count && !refused) {
            report_not_moved(undeliverable->cycle, &failures[i]);
            refused = true;
        }
    }
    undeliverable->count = moved;
    undeliverable->cycle->mailbox->move_refused = refused;
}

static void undeliverable_moved(void *argument, const struct failure *failure,
                                const struct failure *failures, size_t count)
{
    struct undeliverable *undeliverable = argument;
    undeliverable->operation = NULL;
    if (failure != NULL) {
        undeliverable->done(undeliverable, failure);
        return;
    }
    keep_moved(undeliverable, failures, count);
    undeliverable_note(undeliverable);
}

static void undeliverable_found_folder(void *argument, const struct failure *failure,
                                       const char *folder_id, bool created)
{
    struct undeliverable *undeliverable = argument;
    struct cycle *cycle = undeliverable->cycle;
    undeliverable->operation = NULL;
    if (failure != NULL) {
        undeliverable->done(undeliverable, failure);
        return;
    }
    if (created)
        acknowledge_report_created(cycle, UNDELIVERABLE_FOLDER);
    undeliverable->operation =
        backend_acknowledge_start(cycle->profile->backend, &cycle->target, BACKEND_MOVE, folder_id,
                                  (const char *const *)undeliverable->references,
                                  undeliverable->count, undeliverable_moved, undeliverable);
}

void undeliverable_start(struct undeliverable *undeliverable)
{
    struct cycle *cycle = undeliverable->cycle;
    if (undeliverable->count == 0) {
        undeliverable->done(undeliverable, NULL);
        return;
    }
    /* Looked up each time: it happens rarely, and people rename and delete folders. */
    undeliverable->operation =
        backend_folder_start(cycle->profile->backend, &cycle->target, UNDELIVERABLE_FOLDER, true,
                             undeliverable_found_folder, undeliverable);
}

void undeliverable_cancel(struct undeliverable *undeliverable)
{
    if (undeliverable->operation != NULL) {
        backend_cancel(undeliverable->operation);
        undeliverable->operation = NULL;
        const struct failure cancelled = failure_cancelled();
        undeliverable->done(undeliverable, &cancelled);
    } else if (undeliverable->waiting) {
        undeliverable->cancelled = true;
    }
}

#include "daemon/removal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/failed_file.h"
#include "daemon/messages.h"
#include "daemon/service_private.h"
#include "daemon/submission.h"
#include "mail/outbox.h"

#include <inttypes.h>
#include <string.h>

/* --- why --- */

static void append_bcc(struct buffer *reason, const struct store_submission *row)
{
    const struct store_submissions one = {.submissions = row, .count = 1};
    struct submission_list list = {0};
    submission_list_fill(&list, &one);
    submission_append_bcc(&list.items[0], reason);
    submission_list_release(&list);
}

void removal_explain(struct buffer *reason, const struct store_queued *message, uint32_t user)
{
    const struct store_submission *row = &message->submission;
    buffer_append_format(reason,
                         "Removed from the queue by an administrator (uid %" PRIu32
                         ": exsyncctl queue remove %s). ",
                         user, row->id);
    buffer_append_string(reason,
                         submission_may_have_been_sent(row)
                             ? "It is not known whether the message was sent: look for it in Sent "
                               "Items; if it is not there, submit it again."
                             : "It was not sent. Submit it again if it is wanted after all.");
    append_bcc(reason, row);
}

/* --- one --- */

static void report(const struct removal *removal)
{
    char *path = failed_file_path(outbox_directory(removal->context->outbox), removal->id);
    const struct log_fields fields = {.message_id = MESSAGE_MESSAGE_REMOVED,
                                      .profile = removal->profile,
                                      .mailbox = removal->address,
                                      .direction = "outgoing",
                                      .subject = removal->subject,
                                      .cause = removal->reason};
    log_write(removal->context->log, LOG_PRIORITY_WARNING, &fields,
              "%s: the message \"%s\" %s%s: %s", removal->address, removal->subject,
              removal->lost ? "is lost: there is no file " : "is kept as ", path, removal->reason);
    memory_free(path);
}

static void finish(struct removal *removal, const struct failure *failure)
{
    memory_free(removal->address);
    memory_free(removal->profile);
    memory_free(removal->subject);
    memory_free(removal->reason);
    removal->done(removal, failure);
}

/* Two may be at it, this one and removals_finish: whoever tells the store says what came of it. The
 * other one may have found the file nowhere, when a person has taken it out of failed/ since. */
static void settled(void *argument, const struct failure *failure)
{
    struct removal *removal = argument;
    removal->lost = removal->lost && removal->changed;
    if (failure == NULL && removal->changed)
        report(removal);
    finish(removal, failure);
}

static void moved(void *argument, const struct failure *failure)
{
    struct removal *removal = argument;
    if (failure != NULL && !failure->gone) {
        finish(removal, failure);
        return;
    }
    removal->lost = failure != NULL;
    store_queue_removed(removal->context->store, removal->mailbox, removal->id, removal->stray,
                        clock_wall_ms(), &removal->changed, settled, removal);
}

void removal_start(struct removal *removal, const struct store_queued *message)
{
    const struct store_submission *row = &message->submission;
    memcpy(removal->id, row->id, sizeof removal->id);
    removal->mailbox = message->mailbox;
    removal->stray = row->stray || submission_may_have_a_draft(row);
    removal->address = memory_copy_string(message->address);
    removal->profile = memory_copy_string(message->profile);
    removal->subject = memory_copy_string(row->subject);
    removal->reason = memory_copy_string(message->removal);
    outbox_refuse(removal->context->outbox, removal->id, removal->reason, moved, removal);
}

/* --- all that is marked --- */

struct removals {
    struct removal removal; /* the one under way */
    struct service *service;
    struct store_queue_position position;
};

static void next(struct removals *removals);

static void removed(struct removal *removal, const struct failure *failure)
{
    struct removals *removals = removal->argument;
    struct service *service = removals->service;
    if (failure != NULL) {
        const struct log_fields fields = {
            .message_id = MESSAGE_MESSAGE_REMOVED, .step = failure->step, .code = failure->code};
        log_write(service->context.log, LOG_PRIORITY_ERROR, &fields,
                  "the message %s, which is being removed from the queue, is held there until "
                  "it can be put into failed/: %s (%s): %s",
                  removal->id, failure->sentence == NULL ? "" : failure->sentence, failure->code,
                  failure->text);
    } else {
        struct mailbox *mailbox = service_mailbox_by_number(service, removal->mailbox.number);
        if (removal->stray && mailbox != NULL)
            service_hasten(service, mailbox, false);
    }
    next(removals);
}

static void listed(void *argument, const struct failure *failure, const struct store_queued *rows,
                   size_t count)
{
    struct removals *removals = argument;
    if (failure != NULL || count == 0 || removals->service->stopping) {
        memory_free(removals);
        return;
    }
    removals->position =
        (struct store_queue_position){rows[0].mailbox.number, rows[0].submission.order};
    removals->removal = (struct removal){
        .context = &removals->service->context, .done = removed, .argument = removals};
    removal_start(&removals->removal, &rows[0]);
}

static void next(struct removals *removals)
{
    store_queue_list(removals->service->context.store, 0, STORE_QUEUE_REMOVING, removals->position,
                     1, listed, removals);
}

void removals_finish(struct service *service)
{
    struct removals *removals = memory_allocate(sizeof *removals);
    removals->service = service;
    next(removals);
}

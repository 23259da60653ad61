#include "daemon/dispatch.h"

#include "base/memory.h"
#include "daemon/dispatch_outcome.h"
#include "daemon/profile.h"
#include "daemon/tidy.h"

#include <assert.h>

static void dispatch_next(struct dispatcher *dispatcher);
static void dispatch_send(struct dispatcher *dispatcher);

static bool is_direct(const struct dispatcher *dispatcher)
{
    return profile_sends_directly(dispatcher->cycle->profile);
}

static void dispatch_finish(struct dispatcher *dispatcher)
{
    const struct failure cancelled = failure_cancelled();
    dispatcher->state = DISPATCH_IDLE;
    if (dispatcher->cancelled)
        dispatcher->failure = cancelled;
    dispatcher->done(dispatcher,
                     failure_is_set(&dispatcher->failure) ? &dispatcher->failure : NULL);
}

/* Tells the store what has changed, and goes on in `done`. */
static void dispatch_save(struct dispatcher *dispatcher, enum dispatch_state state,
                          store_done *done)
{
    dispatcher->state = state;
    submission_list_save(dispatcher->list, dispatcher->cycle, done, dispatcher);
}

/* The store has answered: false when it is all over. */
static bool dispatch_goes_on(struct dispatcher *dispatcher, const struct failure *failure)
{
    if (failure == NULL && !dispatcher->cancelled)
        return true;
    if (failure != NULL)
        dispatcher->failure = *failure;
    dispatch_finish(dispatcher);
    return false;
}

static void ask(struct dispatcher *dispatcher, struct submission *submission,
                enum store_submission_state state)
{
    if (dispatcher->asked_count == 0)
        cycle_at_message(dispatcher->cycle, submission->row.subject);
    submission_set_state(submission, state);
    dispatcher->asked[dispatcher->asked_count++] = submission;
}

/* --- the end of a batch --- */

static void release_drafts(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < dispatcher->removed_count; i++)
        memory_free(dispatcher->removed_drafts[i]);
    dispatcher->removed_count = 0;
}

/* The store knows it: the files of those that were sent are not needed any more. */
static void remove_files(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < dispatcher->batch_count; i++) {
        if (dispatcher->batch[i]->row.state == STORE_SUBMISSION_SENT)
            outbox_remove(dispatcher->outbox, dispatcher->batch[i]->row.id, NULL, NULL);
    }
}

static void batch_over(struct dispatcher *dispatcher)
{
    release_drafts(dispatcher);
    if (failure_is_set(&dispatcher->failure) || dispatcher->cycle->ending)
        dispatch_finish(dispatcher);
    else
        dispatch_next(dispatcher);
}

/* What could not be removed stays a stray draft, and stops no mail. */
static void note_not_removed(struct dispatcher *dispatcher, const struct failure *failure)
{
    if (tidy_failure_counts(failure))
        dispatcher->failure = *failure;
}

/* Saved with what follows: a draft that is looked for in vain is as good as one that is gone. */
static void drafts_removed(void *argument, const struct failure *failure,
                           const struct failure *failures, size_t count)
{
    struct dispatcher *dispatcher = argument;
    dispatcher->operation = NULL;
    for (size_t i = 0; failure == NULL && i < count && i < dispatcher->removed_count; i++) {
        if (failure_is_set(&failures[i]))
            note_not_removed(dispatcher, &failures[i]);
        if (dispatcher->removed[i] == NULL || failure_is_set(&failures[i]))
            continue;
        dispatcher->removed[i]->row.stray = false;
        dispatcher->removed[i]->changed = true;
    }
    if (failure != NULL)
        note_not_removed(dispatcher, failure);
    batch_over(dispatcher);
}

static void remove_drafts(struct dispatcher *dispatcher)
{
    const struct cycle *cycle = dispatcher->cycle;
    dispatcher->state = DISPATCH_REMOVING;
    dispatcher->operation =
        backend_acknowledge_start(cycle->profile->backend, &cycle->target, BACKEND_PURGE, NULL,
                                  (const char *const *)dispatcher->removed_drafts,
                                  dispatcher->removed_count, drafts_removed, dispatcher);
}

static void batch_saved(void *argument, const struct failure *failure)
{
    struct dispatcher *dispatcher = argument;
    if (failure == NULL)
        remove_files(dispatcher);
    if (!dispatch_goes_on(dispatcher, failure))
        return;
    if (dispatcher->removed_count == 0 || failure_is_set(&dispatcher->failure))
        batch_over(dispatcher);
    else
        remove_drafts(dispatcher);
}

static void batch_end(struct dispatcher *dispatcher)
{
    dispatch_save(dispatcher, DISPATCH_SAVING, batch_saved);
}

/* --- 2: send --- */

/* This server cannot send drafts: it goes again, in one step. */
static void go_direct(struct dispatcher *dispatcher, struct submission *submission)
{
    dispatch_remove_draft(dispatcher, submission);
    submission_set_reference(submission, NULL);
    dispatch_put_back(submission);
}

static bool shows_no_drafts(const struct dispatcher *dispatcher, const struct failure *failure)
{
    return backend_send_is_unsupported(failure) &&
           profile_note_no_drafts(dispatcher->cycle->profile);
}

static void sent_one(struct dispatcher *dispatcher, struct submission *submission,
                     const struct failure *failure)
{
    if (!failure_is_set(failure))
        dispatch_note_sent(dispatcher, submission);
    else if (shows_no_drafts(dispatcher, failure))
        go_direct(dispatcher, submission);
    else
        dispatch_answered_with(dispatcher, submission, failure);
}

static void sent(void *argument, const struct failure *failure, const struct failure *failures,
                 size_t count)
{
    struct dispatcher *dispatcher = argument;
    dispatcher->operation = NULL;
    if (failure != NULL && shows_no_drafts(dispatcher, failure)) {
        for (size_t i = 0; i < dispatcher->asked_count; i++)
            go_direct(dispatcher, dispatcher->asked[i]);
    } else if (failure != NULL) {
        dispatch_request_failed(dispatcher, failure);
    } else {
        dispatcher->cycle->proves_nothing = false;
        for (size_t i = 0; i < dispatcher->asked_count && i < count; i++)
            sent_one(dispatcher, dispatcher->asked[i], &failures[i]);
    }
    batch_end(dispatcher);
}

static void marked_sending(void *argument, const struct failure *failure)
{
    struct dispatcher *dispatcher = argument;
    const struct cycle *cycle = dispatcher->cycle;
    if (!dispatch_goes_on(dispatcher, failure))
        return;
    const char *references[DISPATCH_BATCH_MAX];
    for (size_t i = 0; i < dispatcher->asked_count; i++)
        references[i] = dispatcher->asked[i]->row.reference;
    dispatcher->state = DISPATCH_SENDING;
    dispatcher->operation = backend_send_start(cycle->profile->backend, &cycle->target, references,
                                               dispatcher->asked_count, sent, dispatcher);
}

static void dispatch_send(struct dispatcher *dispatcher)
{
    dispatcher->asked_count = 0;
    bool goes_on = !failure_is_set(&dispatcher->failure);
    for (size_t i = 0; i < dispatcher->batch_count && goes_on; i++) {
        struct submission *submission = dispatcher->batch[i];
        if (!submission->settled && submission->row.reference != NULL)
            ask(dispatcher, submission, STORE_SUBMISSION_SENDING);
    }
    if (dispatcher->asked_count == 0)
        batch_end(dispatcher);
    else
        dispatch_save(dispatcher, DISPATCH_MARKING_SENDING, marked_sending);
}

/* --- 1: create --- */

static void release_readers(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < DISPATCH_BATCH_MAX; i++) {
        outbox_reader_free(dispatcher->readers[i]);
        dispatcher->readers[i] = NULL;
    }
}

static void submission_created(struct dispatcher *dispatcher, struct submission *submission,
                               const struct backend_created *created)
{
    if (failure_is_set(&created->failure)) {
        dispatch_answered_with(dispatcher, submission, &created->failure);
    } else if (submission->row.state == STORE_SUBMISSION_DOUBTFUL) {
        dispatch_note_sent(dispatcher, submission);
    } else {
        submission_set_state(submission, STORE_SUBMISSION_CREATED);
        submission_set_reference(submission, created->reference);
    }
}

static void created(void *argument, const struct failure *failure,
                    const struct backend_created *all, size_t count)
{
    struct dispatcher *dispatcher = argument;
    dispatcher->operation = NULL;
    if (failure != NULL)
        dispatch_request_failed(dispatcher, failure);
    else
        dispatcher->cycle->proves_nothing = false;
    for (size_t i = 0; failure == NULL && i < dispatcher->asked_count && i < count; i++)
        submission_created(dispatcher, dispatcher->asked[i], &all[i]);
    release_readers(dispatcher);
    dispatch_send(dispatcher);
}

static void content_ready(void *argument)
{
    struct dispatcher *dispatcher = argument;
    if (dispatcher->state == DISPATCH_CREATING && dispatcher->operation != NULL)
        backend_create_resume(dispatcher->operation);
}

static size_t content_read(void *argument, char *room, size_t size)
{
    return outbox_read(argument, room, size);
}

static void content_rewind(void *argument)
{
    outbox_rewind(argument);
}

static void content_failure(void *argument, struct failure *failure)
{
    *failure = *outbox_reader_failure(argument);
}

static void marked_creating(void *argument, const struct failure *failure)
{
    struct dispatcher *dispatcher = argument;
    const struct cycle *cycle = dispatcher->cycle;
    if (!dispatch_goes_on(dispatcher, failure))
        return;
    for (size_t i = 0; i < dispatcher->asked_count; i++) {
        const struct submission *submission = dispatcher->asked[i];
        dispatcher->readers[i] =
            outbox_reader_create(dispatcher->outbox, submission->row.id, content_ready, dispatcher);
        dispatcher->submissions[i] = (struct backend_submission){
            .id = submission->row.id,
            .recipients = submission->recipients,
            .recipient_count = submission->recipient_count,
            .content = {.size = submission->row.size,
                        .read = content_read,
                        .rewind = content_rewind,
                        .failure = content_failure,
                        .argument = dispatcher->readers[i]},
        };
    }
    dispatcher->state = DISPATCH_CREATING;
    dispatcher->operation =
        backend_create_start(cycle->profile->backend, &cycle->target,
                             is_direct(dispatcher) ? BACKEND_CREATE_AND_SEND : BACKEND_CREATE_DRAFT,
                             dispatcher->submissions, dispatcher->asked_count, created, dispatcher);
}

static void dispatch_create(struct dispatcher *dispatcher)
{
    bool direct = is_direct(dispatcher);
    dispatcher->asked_count = 0;
    for (size_t i = 0; i < dispatcher->batch_count; i++) {
        struct submission *submission = dispatcher->batch[i];
        if (submission->row.state == STORE_SUBMISSION_QUEUED)
            ask(dispatcher, submission,
                direct ? STORE_SUBMISSION_DOUBTFUL : STORE_SUBMISSION_CREATING);
    }
    if (dispatcher->asked_count == 0)
        dispatch_send(dispatcher);
    else
        dispatch_save(dispatcher, DISPATCH_MARKING_CREATING, marked_creating);
}

/* --- batches --- */

static void choose_batch(struct dispatcher *dispatcher)
{
    const struct config_profile *config = dispatcher->cycle->profile->config;
    size_t most = config->batch_size < DISPATCH_BATCH_MAX ? config->batch_size : DISPATCH_BATCH_MAX;
    uint64_t bytes = 0;
    dispatcher->batch_count = 0;
    for (size_t i = 0; i < dispatcher->list->count && dispatcher->batch_count < most; i++) {
        struct submission *submission = &dispatcher->list->items[i];
        if (submission->settled || submission_has_ended(submission))
            continue;
        bytes += backend_create_size(submission->row.size) +
                 backend_recipients_size(submission->recipients, submission->recipient_count);
        bool alone = submission->row.attempts > 0;
        if (dispatcher->batch_count > 0 && (alone || bytes > config->batch_bytes))
            break;
        dispatcher->batch[dispatcher->batch_count++] = submission;
        if (alone)
            break;
    }
}

static void dispatch_next(struct dispatcher *dispatcher)
{
    choose_batch(dispatcher);
    if (dispatcher->batch_count == 0)
        dispatch_finish(dispatcher);
    else
        dispatch_create(dispatcher);
}

void dispatcher_start(struct dispatcher *dispatcher)
{
    dispatch_next(dispatcher);
}

void dispatcher_cancel(struct dispatcher *dispatcher)
{
    dispatcher->cancelled = true;
    if (dispatcher->operation == NULL) {
        assert(dispatcher->state != DISPATCH_IDLE); /* the store answers */
        return;
    }
    /* What was asked for stays marked in the store: it is looked for by the next process. */
    backend_cancel(dispatcher->operation);
    dispatcher->operation = NULL;
    dispatch_finish(dispatcher);
}

void dispatcher_release(struct dispatcher *dispatcher)
{
    release_readers(dispatcher);
    release_drafts(dispatcher);
}

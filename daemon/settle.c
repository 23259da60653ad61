#include "daemon/settle.h"

#include "daemon/finding.h"
#include "daemon/profile.h"
#include "daemon/settle_outcome.h"
#include "mail/outbox.h"

#include <assert.h>

static void settle_next(struct settler *settler);

static void settle_finish(struct settler *settler)
{
    const struct failure cancelled = failure_cancelled();
    if (settler->cancelled)
        settler->failure = cancelled;
    settler->done(settler, failure_is_set(&settler->failure) ? &settler->failure : NULL);
}

/* --- what becomes of a request --- */

/* The same ones again, fewer at a time. */
static void halve(struct settler *settler)
{
    settler->next = (size_t)(settler->asked[0] - settler->list->items);
    settler->limit = settler->asked_count / 2;
    settler->asked_count = 0;
}

static void request_failed(struct settler *settler, const struct failure *failure)
{
    if (!settle_may_be_one(failure))
        settler->failure = *failure;
    else if (settler->asked_count == 1)
        settle_failed_alone(settler, settler->asked[0], failure);
    else
        halve(settler);
}

static size_t most_asked(const struct settler *settler)
{
    return settler->looking ? SETTLE_LOOK_MAX : BACKEND_SEARCH_MAX;
}

static void request_answered(struct settler *settler)
{
    settler->cycle->proves_nothing = false;
    size_t most = most_asked(settler);
    settler->limit = settler->limit < most / 2 ? settler->limit * 2 : most;
}

/* --- saving --- */

/* The store knows it: the files of those that were sent are not needed any more. */
static void remove_files(struct settler *settler)
{
    for (size_t i = 0; i < settler->asked_count; i++) {
        if (settler->asked[i]->row.state == STORE_SUBMISSION_SENT)
            outbox_remove(settler->cycle->context->outbox, settler->asked[i]->row.id, NULL, NULL);
    }
}

static void settle_saved(void *argument, const struct failure *failure)
{
    struct settler *settler = argument;
    settler->waiting = false;
    if (failure == NULL)
        remove_files(settler);
    else
        settler->failure = *failure;
    if (settler->cancelled || failure_is_set(&settler->failure))
        settle_finish(settler);
    else
        settle_next(settler);
}

static void settle_save(struct settler *settler)
{
    settler->waiting = true;
    submission_list_save(settler->list, settler->cycle, settle_saved, settler);
}

/* --- searching for submission ids --- */

static void searched(void *argument, const struct failure *failure,
                     const struct backend_match *matches, size_t count)
{
    struct settler *settler = argument;
    settler->operation = NULL;
    if (failure != NULL)
        request_failed(settler, failure);
    else
        request_answered(settler);
    for (size_t i = 0; failure == NULL && i < settler->asked_count; i++) {
        struct submission *submission = settler->asked[i];
        const struct finding finding = finding_of(matches, count, i);
        settle_searched(settler, submission, &finding);
    }
    settle_save(settler);
}

static bool needs_search(const struct submission *submission)
{
    return !submission->settled && (submission->row.state == STORE_SUBMISSION_CREATING ||
                                    submission->row.state == STORE_SUBMISSION_DOUBTFUL);
}

static void start_search(struct settler *settler)
{
    const struct cycle *cycle = settler->cycle;
    const char *ids[BACKEND_SEARCH_MAX];
    for (size_t i = 0; i < settler->asked_count; i++)
        ids[i] = settler->asked[i]->row.id;
    settler->operation = backend_search_start(cycle->profile->backend, &cycle->target, ids,
                                              settler->asked_count, searched, settler);
}

/* --- looking at drafts --- */

static void looked(void *argument, const struct failure *failure, const struct backend_looked *all,
                   size_t count)
{
    struct settler *settler = argument;
    settler->operation = NULL;
    if (failure != NULL)
        request_failed(settler, failure);
    else
        request_answered(settler);
    for (size_t i = 0; failure == NULL && i < settler->asked_count && i < count; i++)
        settle_looked(settler, settler->asked[i], &all[i]);
    settle_save(settler);
}

static bool needs_look(const struct submission *submission)
{
    return !submission->settled && (submission->row.state == STORE_SUBMISSION_CREATED ||
                                    submission->row.state == STORE_SUBMISSION_SENDING);
}

static void start_look(struct settler *settler)
{
    const struct cycle *cycle = settler->cycle;
    const char *references[SETTLE_LOOK_MAX];
    for (size_t i = 0; i < settler->asked_count; i++)
        references[i] = settler->asked[i]->row.reference;
    settler->operation = backend_look_start(cycle->profile->backend, &cycle->target, references,
                                            settler->asked_count, looked, settler);
}

/* --- one request after the other --- */

static bool choose(struct settler *settler, bool (*needs)(const struct submission *submission))
{
    settler->asked_count = 0;
    for (; settler->next < settler->list->count && settler->asked_count < settler->limit;
         settler->next++) {
        struct submission *submission = &settler->list->items[settler->next];
        if (needs(submission))
            settler->asked[settler->asked_count++] = submission;
    }
    return settler->asked_count > 0;
}

static void begin_looking(struct settler *settler)
{
    settler->looking = true;
    settler->next = 0;
    settler->limit = most_asked(settler);
}

static void settle_next(struct settler *settler)
{
    if (!settler->looking) {
        if (choose(settler, needs_search)) {
            start_search(settler);
            return;
        }
        begin_looking(settler);
    }
    if (choose(settler, needs_look))
        start_look(settler);
    else
        settle_finish(settler);
}

void settler_start(struct settler *settler)
{
    settler->limit = most_asked(settler);
    settle_next(settler);
}

void settler_cancel(struct settler *settler)
{
    settler->cancelled = true;
    if (settler->operation == NULL) {
        assert(settler->waiting);
        return;
    }
    backend_cancel(settler->operation);
    settler->operation = NULL;
    settle_finish(settler);
}

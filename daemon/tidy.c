#include "daemon/tidy.h"

#include "base/memory.h"
#include "daemon/backoff.h"
#include "daemon/finding.h"
#include "daemon/given_up.h"
#include "daemon/profile.h"
#include "daemon/submission_report.h"

#include <assert.h>

static void tidy_next(struct tidier *tidier);

bool tidy_failure_counts(const struct failure *failure)
{
    return failure->retry_after_ms > 0 || failure->category == FAILURE_THROTTLING ||
           failure->scope >= FAILURE_SCOPE_PROFILE;
}

static void forget_drafts(struct tidier *tidier)
{
    for (size_t i = 0; i < tidier->draft_count; i++)
        memory_free(tidier->drafts[i]);
    memory_free(tidier->drafts);
    memory_free(tidier->owners);
    tidier->drafts = NULL;
    tidier->owners = NULL;
    tidier->draft_count = 0;
}

static void tidy_finish(struct tidier *tidier)
{
    const struct failure cancelled = failure_cancelled();
    forget_drafts(tidier);
    if (tidier->cancelled)
        tidier->failure = cancelled;
    tidier->done(tidier, failure_is_set(&tidier->failure) ? &tidier->failure : NULL);
}

static void tidy_saved(void *argument, const struct failure *failure)
{
    struct tidier *tidier = argument;
    tidier->waiting = false;
    if (failure != NULL)
        tidier->failure = *failure;
    if (tidier->cancelled || tidier->over || failure_is_set(&tidier->failure))
        tidy_finish(tidier);
    else
        tidy_next(tidier);
}

static void tidy_save(struct tidier *tidier)
{
    forget_drafts(tidier);
    tidier->waiting = true;
    submission_list_save(tidier->list, tidier->cycle, tidy_saved, tidier);
}

/* --- what becomes of a stray draft --- */

static void stray_is_over(struct submission *submission)
{
    submission->row.stray = false;
    submission->changed = true;
    submission->settled = true;
}

static void stray_stays(struct tidier *tidier, struct submission *submission,
                        const struct failure *failure)
{
    const struct backoff backoff = profile_backoff(tidier->cycle->profile);
    struct failure passing = *failure;
    passing.permanent = false;
    submission_begin_doubt(submission);
    submission->row.attempts++;
    uint64_t wait = backoff_wait(&backoff, &passing, submission->row.attempts);
    if (given_up_is_due(submission))
        stray_is_over(submission);
    else
        submission_wait(submission, wait);
    submission_report_stray(tidier->cycle, submission, failure, wait);
}

/* The request was not carried out, or nobody knows. */
static void request_failed(struct tidier *tidier, const struct failure *failure)
{
    for (size_t i = 0; i < tidier->asked_count; i++) {
        if (tidier->asked[i]->row.stray)
            stray_stays(tidier, tidier->asked[i], failure);
    }
    if (tidy_failure_counts(failure))
        tidier->failure = *failure;
    tidier->over = !failure->divisible;
}

/* --- removing --- */

static void draft_stays(struct tidier *tidier, struct submission *submission,
                        const struct failure *failure)
{
    if (!submission->settled)
        stray_stays(tidier, submission, failure);
    if (tidy_failure_counts(failure))
        tidier->failure = *failure;
}

/* Those that were removed are looked for once more: another one may have come since. */
static void look_again(struct tidier *tidier)
{
    const struct config_profile *config = tidier->cycle->profile->config;
    for (size_t i = 0; i < tidier->asked_count; i++) {
        struct submission *submission = tidier->asked[i];
        if (submission->settled)
            continue;
        if (given_up_is_due(submission)) /* they come again and again */
            stray_is_over(submission);
        else
            submission_wait(submission, submission_growing_wait(submission, config));
    }
}

static void removed(void *argument, const struct failure *failure, const struct failure *failures,
                    size_t count)
{
    struct tidier *tidier = argument;
    tidier->operation = NULL;
    if (failure != NULL)
        request_failed(tidier, failure);
    for (size_t i = 0; failure == NULL && i < count && i < tidier->draft_count; i++) {
        if (failure_is_set(&failures[i]))
            draft_stays(tidier, tidier->asked[tidier->owners[i]], &failures[i]);
    }
    if (failure == NULL)
        look_again(tidier);
    tidy_save(tidier);
}

static void remove_drafts(struct tidier *tidier)
{
    const struct cycle *cycle = tidier->cycle;
    tidier->operation = backend_acknowledge_start(
        cycle->profile->backend, &cycle->target, BACKEND_PURGE, NULL,
        (const char *const *)tidier->drafts, tidier->draft_count, removed, tidier);
}

/* --- searching --- */

static void note_draft(struct tidier *tidier, const char *reference, size_t owner)
{
    size_t room = tidier->draft_count + 1;
    tidier->drafts = memory_resize(tidier->drafts, room * sizeof *tidier->drafts);
    tidier->owners = memory_resize(tidier->owners, room * sizeof *tidier->owners);
    tidier->drafts[tidier->draft_count] = memory_copy_string(reference);
    tidier->owners[tidier->draft_count++] = owner;
}

static void note_drafts(struct tidier *tidier, const struct backend_match *matches, size_t count,
                        size_t owner)
{
    struct submission *submission = tidier->asked[owner];
    if (finding_of(matches, count, owner).drafts == 0) {
        stray_is_over(submission);
        return;
    }
    submission_begin_doubt(submission);
    for (size_t i = 0; i < count; i++) {
        if (finding_is_draft(&matches[i], owner))
            note_draft(tidier, matches[i].reference, owner);
    }
}

static void searched(void *argument, const struct failure *failure,
                     const struct backend_match *matches, size_t count)
{
    struct tidier *tidier = argument;
    tidier->operation = NULL;
    if (failure != NULL)
        request_failed(tidier, failure);
    else
        tidier->cycle->proves_nothing = false;
    for (size_t i = 0; failure == NULL && i < tidier->asked_count; i++)
        note_drafts(tidier, matches, count, i);
    if (tidier->draft_count == 0)
        tidy_save(tidier);
    else
        remove_drafts(tidier);
}

/* One that has failed before goes alone, so that it spoils no other. */
static bool choose(struct tidier *tidier)
{
    tidier->asked_count = 0;
    for (; tidier->next < tidier->list->count && tidier->asked_count < BACKEND_SEARCH_MAX;
         tidier->next++) {
        struct submission *submission = &tidier->list->items[tidier->next];
        if (submission->settled || !submission->row.stray || !submission_has_ended(submission))
            continue;
        bool alone = submission->row.attempts > 0;
        if (alone && tidier->asked_count > 0)
            break;
        tidier->asked[tidier->asked_count++] = submission;
        if (alone) {
            tidier->next++;
            break;
        }
    }
    return tidier->asked_count > 0;
}

static void tidy_next(struct tidier *tidier)
{
    if (!choose(tidier)) {
        tidy_finish(tidier);
        return;
    }
    const struct cycle *cycle = tidier->cycle;
    const char *ids[BACKEND_SEARCH_MAX];
    for (size_t i = 0; i < tidier->asked_count; i++)
        ids[i] = tidier->asked[i]->row.id;
    tidier->operation = backend_search_start(cycle->profile->backend, &cycle->target, ids,
                                             tidier->asked_count, searched, tidier);
}

void tidier_start(struct tidier *tidier)
{
    tidy_next(tidier);
}

void tidier_cancel(struct tidier *tidier)
{
    tidier->cancelled = true;
    if (tidier->operation == NULL) {
        assert(tidier->waiting);
        return;
    }
    backend_cancel(tidier->operation);
    tidier->operation = NULL;
    tidy_finish(tidier);
}

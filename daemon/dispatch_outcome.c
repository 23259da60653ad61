#include "daemon/dispatch_outcome.h"

#include "base/memory.h"
#include "daemon/backoff.h"
#include "daemon/given_up.h"
#include "daemon/profile.h"
#include "daemon/submission_report.h"

/* --- what becomes of a submission --- */

void dispatch_note_sent(struct dispatcher *dispatcher, struct submission *submission)
{
    dispatcher->bad = 0;
    submission_is_sent(submission, dispatcher->cycle->profile->config);
    cycle_count_moved(dispatcher->cycle, submission->row.size);
}

void dispatch_put_back(struct submission *submission)
{
    bool has_draft = submission->row.reference != NULL;
    if (!has_draft) /* one that may have been sent before stays so */
        submission->row.doubt_since_ms = 0;
    submission_set_state(submission,
                         has_draft ? STORE_SUBMISSION_CREATED : STORE_SUBMISSION_QUEUED);
}

/* The window of one that was sent in one step begins with the first search that is answered. */
static void leave_in_doubt(struct dispatcher *dispatcher, struct submission *submission,
                           const struct failure *failure, uint64_t wait)
{
    if (submission->row.state != STORE_SUBMISSION_DOUBTFUL)
        submission_begin_doubt(submission);
    submission_wait(submission, wait);
    submission_report_waits(dispatcher->cycle, submission, failure, wait);
}

void dispatch_remove_draft(struct dispatcher *dispatcher, struct submission *submission)
{
    if (submission->row.reference == NULL)
        return;
    dispatcher->removed[dispatcher->removed_count] = submission->row.stray ? NULL : submission;
    dispatcher->removed_drafts[dispatcher->removed_count++] =
        memory_copy_string(submission->row.reference);
    submission->row.stray = true;
    submission->changed = true;
}

/* Its draft was there when it was refused, so no request before has sent it: once the draft is
 * removed it must not look as if one had. */
static void submission_refused(struct dispatcher *dispatcher, struct submission *submission,
                               const struct failure *failure)
{
    dispatch_put_back(submission);
    submission->row.doubt_since_ms = 0;
    dispatch_remove_draft(dispatcher, submission);
    submission->settled = true;
    dispatcher->refuse(dispatcher, submission, failure);
}

/* The draft is not there. Searched for, by the next cycle, which comes at once when it is the first
 * time: somebody who removes each draft is not to be kept busy. */
static void draft_gone(struct dispatcher *dispatcher, struct submission *submission,
                       const struct failure *failure)
{
    const struct backoff backoff = profile_backoff(dispatcher->cycle->profile);
    struct failure passing = *failure;
    passing.permanent = false;
    submission->row.attempts++;
    submission_set_state(submission, STORE_SUBMISSION_CREATING);
    submission_set_reference(submission, NULL);
    submission_wait(submission, submission->row.attempts == 1
                                    ? 0
                                    : backoff_wait(&backoff, &passing, submission->row.attempts));
}

/* This submission alone is the cause. */
static void submission_failed(struct dispatcher *dispatcher, struct submission *submission,
                              const struct failure *failure)
{
    const struct backoff backoff = profile_backoff(dispatcher->cycle->profile);
    if (failure->in_doubt) { /* found out by the settler, which gives up one that never succeeds */
        struct failure passing = *failure;
        passing.permanent = false;
        submission->row.attempts++;
        leave_in_doubt(dispatcher, submission, failure,
                       backoff_wait(&backoff, &passing, submission->row.attempts));
        return;
    }
    if (failure->gone && submission->row.reference != NULL && submission->row.doubt_since_ms != 0) {
        dispatch_note_sent(dispatcher,
                           submission); /* by the request that was not answered in time */
        return;
    }
    bool draft_is_gone = failure->gone && submission->row.reference != NULL;
    /* One that waited for days behind an outage, or whose clock jumped, is tried more than once. */
    if ((draft_is_gone || !failure->permanent) && submission->row.attempts > 0 &&
        given_up_is_due(submission)) {
        const struct failure reason = given_up_trying(failure);
        submission_refused(dispatcher, submission, &reason);
        return;
    }
    if (draft_is_gone) {
        draft_gone(dispatcher, submission, failure);
        return;
    }
    if (failure->permanent) {
        submission_refused(dispatcher, submission, failure);
        return;
    }
    dispatch_put_back(submission);
    submission->row.attempts++;
    uint64_t wait = backoff_wait(&backoff, failure, submission->row.attempts);
    submission_wait(submission, wait);
    submission_report_waits(dispatcher->cycle, submission, failure, wait);
}

/* --- what becomes of a request --- */

/* A file that is not there never comes back; put aside before a kill, for one. */
static void file_unreadable(struct dispatcher *dispatcher, struct submission *submission,
                            const struct failure *failure)
{
    if (failure->gone)
        submission_refused(dispatcher, submission, failure);
    else
        submission_failed(dispatcher, submission, failure);
}

/* The file of one of them cannot be read: the others are not to blame. */
static bool find_unreadable(struct dispatcher *dispatcher)
{
    bool found = false;
    for (size_t i = 0; i < dispatcher->asked_count; i++) {
        if (dispatcher->readers[i] == NULL)
            continue;
        const struct failure *failure = outbox_reader_failure(dispatcher->readers[i]);
        if (!failure_is_set(failure))
            continue;
        file_unreadable(dispatcher, dispatcher->asked[i], failure);
        found = true;
    }
    return found;
}

/* Not the submission's fault, or not known to be. */
static void set_aside(struct dispatcher *dispatcher, struct submission *submission,
                      const struct failure *failure)
{
    if (failure->in_doubt)
        leave_in_doubt(dispatcher, submission, failure,
                       dispatcher->cycle->profile->config->retry_min_ms);
    else
        dispatch_put_back(submission);
}

/* One of those asked for may be the cause. */
static bool is_looked_into(const struct failure *failure)
{
    return failure->divisible && failure->retry_after_ms == 0;
}

/* It went alone, and its failure may be its own fault or the server's. */
static void failed_alone(struct dispatcher *dispatcher, struct submission *submission,
                         const struct failure *failure)
{
    submission_failed(dispatcher, submission, failure);
    if (failure->scope == FAILURE_SCOPE_ITEM || failure->permanent)
        dispatcher->bad = 0; /* the server knows what it says */
    else if (++dispatcher->bad == DISPATCH_BAD_MAX)
        dispatcher->failure = *failure;
}

void dispatch_request_failed(struct dispatcher *dispatcher, const struct failure *failure)
{
    bool unreadable = find_unreadable(dispatcher);
    bool looked_into = is_looked_into(failure);
    for (size_t i = 0; i < dispatcher->asked_count; i++) {
        struct submission *submission = dispatcher->asked[i];
        if (submission->settled)
            continue;
        if (looked_into && dispatcher->asked_count == 1) {
            failed_alone(dispatcher, submission, failure);
            continue;
        }
        if (looked_into) /* from now on it goes alone */
            submission->row.attempts++;
        set_aside(dispatcher, submission, failure);
    }
    if (!looked_into && !unreadable)
        dispatcher->failure = *failure;
}

/* Its own answer. One that concerns more than the submission is taken like a request's: ends the
 * cycle, or is looked into when the submission may be the cause all the same. */
void dispatch_answered_with(struct dispatcher *dispatcher, struct submission *submission,
                            const struct failure *failure)
{
    bool looked_into = is_looked_into(failure);
    bool alone = looked_into && dispatcher->asked_count == 1;
    if (alone) {
        failed_alone(dispatcher, submission, failure);
        return;
    }
    if (failure->scope == FAILURE_SCOPE_ITEM || failure->gone) {
        submission_failed(dispatcher, submission, failure);
        return;
    }
    set_aside(dispatcher, submission, failure);
    if (looked_into) { /* from now on it goes alone */
        submission->row.attempts++;
    } else {
        cycle_at_message(dispatcher->cycle, submission->row.subject);
        dispatcher->failure = *failure;
    }
}

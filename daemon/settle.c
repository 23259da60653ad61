#include "daemon/settle.h"

#include "base/clock.h"
#include "daemon/backoff.h"
#include "daemon/finding.h"
#include "daemon/given_up.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"
#include "daemon/submission_report.h"
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

/* --- what becomes of a submission --- */

static uint64_t growing_wait(const struct settler *settler, const struct submission *submission)
{
    return submission_growing_wait(submission, settler->cycle->profile->config);
}

static void is_sent(struct settler *settler, struct submission *submission)
{
    cycle_count_moved(settler->cycle, submission->row.size);
    submission_is_sent(submission, settler->cycle->profile->config);
}

/* `may_be_left`: there may be a draft that was not submitted. It is not to be sent by anybody
 * after a person has been told. */
static void give_up(struct settler *settler, struct submission *submission, bool may_be_left,
                    const struct failure *failure)
{
    submission->row.stray |= may_be_left;
    submission->changed = true;
    submission->settled = true;
    settler->give_up(settler, submission, failure);
}

/* It alone is the cause that it cannot be looked at or searched for. */
static void found_out_nothing(struct settler *settler, struct submission *submission,
                              const struct failure *failure)
{
    const struct backoff backoff = profile_backoff(settler->cycle->profile);
    struct failure passing = *failure;
    passing.permanent = false;
    passing.in_doubt = submission_may_have_been_sent(&submission->row);
    if (submission->row.state == STORE_SUBMISSION_SENDING)
        submission_begin_doubt(submission);
    if (submission->row.attempts > 0 && given_up_is_due(submission)) { /* it was tried */
        const struct failure reason = given_up_finding_out(failure, passing.in_doubt);
        give_up(settler, submission, true, &reason);
        return;
    }
    submission->row.attempts++;
    uint64_t wait = backoff_wait(&backoff, &passing, submission->row.attempts);
    submission_wait(submission, wait);
    submission_report_waits(settler->cycle, submission, &passing, wait);
}

/* --- what becomes of a request --- */

/* Whether the cause may be a single submission. What concerns more, and what the server asks to be
 * left alone for, ends the cycle. */
static bool may_be_one(const struct failure *failure)
{
    return failure->scope == FAILURE_SCOPE_ITEM ||
           (failure->divisible && failure->retry_after_ms == 0);
}

/* The answer for one submission, or for a request that was for it alone. */
static void failed_alone(struct settler *settler, struct submission *submission,
                         const struct failure *failure)
{
    if (!may_be_one(failure)) {
        settler->failure = *failure;
        return;
    }
    found_out_nothing(settler, submission, failure);
    if (failure->scope == FAILURE_SCOPE_ITEM)
        settler->bad = 0; /* the server knows what it says */
    else if (++settler->bad == SETTLE_BAD_MAX)
        settler->failure = *failure;
}

/* The same ones again, fewer at a time. */
static void halve(struct settler *settler)
{
    settler->next = (size_t)(settler->asked[0] - settler->list->items);
    settler->limit = settler->asked_count / 2;
    settler->asked_count = 0;
}

static void request_failed(struct settler *settler, const struct failure *failure)
{
    if (!may_be_one(failure))
        settler->failure = *failure;
    else if (settler->asked_count == 1)
        failed_alone(settler, settler->asked[0], failure);
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

/* It was searched for, and no draft of it is there. */
static void make_again(struct settler *settler, struct submission *submission)
{
    submission->row.doubt_since_ms = 0;
    if (submission->row.size == 0) {
        const struct failure reason = given_up_without_file();
        give_up(settler, submission, true, &reason);
        return;
    }
    if (submission->row.attempts > 1 && given_up_is_due(submission)) {
        const struct failure reason = given_up_trying(NULL);
        give_up(settler, submission, true, &reason);
        return;
    }
    /* The request may still be on its way: what it makes is looked for once this is sent. */
    submission->row.stray = true;
    submission_set_state(submission, STORE_SUBMISSION_QUEUED);
}

static void settle_creating(struct settler *settler, struct submission *submission,
                            const struct finding *finding)
{
    bool keeps_draft = !finding->sent && finding->submitted == NULL && finding->draft != NULL;
    if (finding->drafts > keeps_draft)
        submission->row.stray = true;
    const char *found = finding->submitted != NULL ? finding->submitted : finding->draft;
    if (finding->sent) {
        is_sent(settler, submission);
    } else if (found == NULL) {
        make_again(settler, submission);
    } else {
        submission->row.doubt_since_ms = 0;
        /* Submitted: once it is gone it was sent, even when no copy is left to be found. */
        submission_set_state(submission,
                             keeps_draft ? STORE_SUBMISSION_CREATED : STORE_SUBMISSION_SENDING);
        submission_set_reference(submission, found);
    }
}

static bool is_past_window(const struct settler *settler, const struct submission *submission)
{
    int64_t window = (int64_t)settler->cycle->profile->config->doubt_window_ms;
    return clock_wall_ms() - submission->row.doubt_since_ms >= window;
}

static void settle_doubtful(struct settler *settler, struct submission *submission,
                            const struct finding *finding)
{
    if (finding->drafts > 0)
        submission->row.stray = true;
    if (finding->sent || finding->submitted != NULL) {
        is_sent(settler, submission);
        return;
    }
    submission_begin_doubt(submission);
    if (is_past_window(settler, submission)) {
        const struct failure reason = given_up_searching();
        give_up(settler, submission, false, &reason);
    } else {
        submission_wait(submission, growing_wait(settler, submission));
    }
}

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
        settler->bad = 0;
        if (submission->row.state == STORE_SUBMISSION_CREATING)
            settle_creating(settler, submission, &finding);
        else
            settle_doubtful(settler, submission, &finding);
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

static void draft_is_gone(struct settler *settler, struct submission *submission)
{
    if (submission_may_have_been_sent(&submission->row)) {
        is_sent(settler, submission);
        return;
    }
    /* Somebody has removed or moved it: searched for by the next cycle, which comes at once the
     * first time. */
    submission_set_state(submission, STORE_SUBMISSION_CREATING);
    submission_set_reference(submission, NULL);
    submission_wait(submission,
                    submission->row.attempts++ == 0 ? 0 : growing_wait(settler, submission));
}

static void draft_is_submitted(struct settler *settler, struct submission *submission)
{
    submission_set_state(submission, STORE_SUBMISSION_SENDING);
    submission_begin_doubt(submission);
    if (given_up_is_due(submission)) {
        const struct failure reason = given_up_waiting();
        give_up(settler, submission, false, &reason);
    } else {
        submission_wait(submission, growing_wait(settler, submission));
    }
}

static void draft_waits(struct settler *settler, struct submission *submission,
                        const char *reference)
{
    /* Sending was asked for: should the draft be gone when it is asked again, it was sent. */
    if (submission->row.state == STORE_SUBMISSION_SENDING)
        submission_begin_doubt(submission);
    submission_set_reference(submission, reference);
    if (submission->row.state == STORE_SUBMISSION_SENDING && submission->row.attempts > 1 &&
        given_up_is_due(submission)) {
        const struct failure reason = given_up_trying(NULL);
        give_up(settler, submission, true, &reason);
    }
}

static void settle_created(struct settler *settler, struct submission *submission,
                           const struct backend_looked *looked)
{
    if (looked->state == BACKEND_DRAFT_UNKNOWN) {
        failed_alone(settler, submission, &looked->failure);
        return;
    }
    settler->bad = 0;
    if (looked->state == BACKEND_DRAFT_GONE)
        draft_is_gone(settler, submission);
    else if (looked->state == BACKEND_DRAFT_SUBMITTED)
        draft_is_submitted(settler, submission);
    else
        draft_waits(settler, submission, looked->reference);
}

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
        settle_created(settler, settler->asked[i], &all[i]);
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

#include "daemon/settle_outcome.h"

#include "base/clock.h"
#include "daemon/backoff.h"
#include "daemon/given_up.h"
#include "daemon/profile.h"
#include "daemon/submission_report.h"

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

/* --- it failed --- */

bool settle_may_be_one(const struct failure *failure)
{
    return failure->scope == FAILURE_SCOPE_ITEM ||
           (failure->divisible && failure->retry_after_ms == 0);
}

void settle_failed_alone(struct settler *settler, struct submission *submission,
                         const struct failure *failure)
{
    if (!settle_may_be_one(failure)) {
        settler->failure = *failure;
        return;
    }
    found_out_nothing(settler, submission, failure);
    if (failure->scope == FAILURE_SCOPE_ITEM)
        settler->bad = 0; /* the server knows what it says */
    else if (++settler->bad == SETTLE_BAD_MAX)
        settler->failure = *failure;
}

/* --- its id was searched for --- */

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

void settle_searched(struct settler *settler, struct submission *submission,
                     const struct finding *finding)
{
    settler->bad = 0;
    if (submission->row.state == STORE_SUBMISSION_CREATING)
        settle_creating(settler, submission, finding);
    else
        settle_doubtful(settler, submission, finding);
}

/* --- its draft was looked at --- */

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

void settle_looked(struct settler *settler, struct submission *submission,
                   const struct backend_looked *looked)
{
    if (looked->state == BACKEND_DRAFT_UNKNOWN) {
        settle_failed_alone(settler, submission, &looked->failure);
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

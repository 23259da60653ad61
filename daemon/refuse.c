#include "daemon/refuse.h"

#include "base/memory.h"
#include "daemon/backoff.h"
#include "daemon/profile.h"
#include "daemon/report.h"
#include "daemon/submission_report.h"
#include "mail/outbox.h"

struct refusal {
    struct submission *submission;
    struct failure failure;
};

static void refuse_next(struct refuser *refuser);

/* After the store or the disk has answered: true when it is over, which was told. */
static bool refuser_over(struct refuser *refuser)
{
    const struct failure cancelled = failure_cancelled();
    if (!refuser->cancelled)
        return false;
    refuser->done(refuser, &cancelled);
    return true;
}

/* The next one, when the sender knows or cannot be told. */
static void refusal_over(struct refuser *refuser)
{
    refuser->next++;
    refuse_next(refuser);
}

/* --- the sender --- */

static void notified(struct nondelivery *nondelivery, const struct failure *failure)
{
    struct refuser *refuser = nondelivery->argument;
    if (refuser_over(refuser))
        return;
    if (failure != NULL) /* a Maildir that cannot be written holds up nothing */
        submission_report_sender_not_told(refuser->cycle, nondelivery->submission, failure);
    refusal_over(refuser);
}

static void notify(struct refuser *refuser, const struct refusal *refusal)
{
    if (!nondelivery_wanted(refuser->cycle, refusal->submission)) {
        refusal_over(refuser);
        return;
    }
    refuser->nondelivery = (struct nondelivery){
        .cycle = refuser->cycle,
        .submission = refusal->submission,
        .failure = &refusal->failure,
        .done = notified,
        .argument = refuser,
    };
    nondelivery_start(&refuser->nondelivery);
}

/* --- the file --- */

/* Where failed/ cannot be written the submission alone waits; nobody is told yet. */
static void refused(void *argument, const struct failure *failure)
{
    struct refuser *refuser = argument;
    struct cycle *cycle = refuser->cycle;
    if (refuser_over(refuser))
        return;
    const struct refusal *refusal = &refuser->refusals[refuser->next];
    struct submission *submission = refusal->submission;
    if (failure != NULL && !failure->gone) {
        const struct backoff backoff = profile_backoff(cycle->profile);
        submission->row.attempts++;
        uint64_t wait = backoff_wait(&backoff, failure, submission->row.attempts);
        submission_wait(submission, wait);
        submission_report_waits(cycle, submission, failure, wait);
        refusal_over(refuser);
        return;
    }
    submission->lost = failure != NULL;
    submission_report_failed(cycle, submission, &refusal->failure);
    cycle->failed++;
    submission->row.doubt_since_ms = 0;
    submission_set_state(submission, STORE_SUBMISSION_FAILED);
    submission_set_reference(submission, NULL);
    if (submission->row.stray)
        submission_wait(submission, cycle->profile->config->retry_min_ms);
    notify(refuser, refusal);
}

static void saved(void *argument, const struct failure *failure)
{
    struct refuser *refuser = argument;
    if (!refuser_over(refuser))
        refuser->done(refuser, failure);
}

static void refuse_next(struct refuser *refuser)
{
    if (refuser->next == refuser->count) {
        submission_list_save(refuser->list, refuser->cycle, saved, refuser);
        return;
    }
    const struct refusal *refusal = &refuser->refusals[refuser->next];
    if (!refuser->failed) /* it stays where it failed */
        cycle_at(refuser->cycle, "leaving refused messages to a person", NULL);
    buffer_clear(&refuser->reason);
    report_explain(&refuser->reason, &refusal->failure);
    submission_append_bcc(refusal->submission, &refuser->reason);
    outbox_refuse(refuser->cycle->context->outbox, refusal->submission->row.id,
                  buffer_string(&refuser->reason), refused, refuser);
}

/* --- what the cycle does --- */

void refuser_note(struct refuser *refuser, struct submission *submission,
                  const struct failure *failure)
{
    if (refuser->refusals == NULL)
        refuser->refusals = memory_allocate_array(refuser->list->count, sizeof *refuser->refusals);
    struct refusal *refusal = &refuser->refusals[refuser->count++];
    refusal->submission = submission;
    refusal->failure = *failure;
    refusal->failure.scope = FAILURE_SCOPE_ITEM;
}

void refuser_start(struct refuser *refuser)
{
    refuse_next(refuser);
}

void refuser_cancel(struct refuser *refuser)
{
    refuser->cancelled = true;
}

void refuser_release(struct refuser *refuser)
{
    nondelivery_release(&refuser->nondelivery);
    memory_free(refuser->refusals);
    buffer_release(&refuser->reason);
}

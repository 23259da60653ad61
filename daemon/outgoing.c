#include "daemon/outgoing.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/backoff.h"
#include "daemon/dispatch.h"
#include "daemon/nondelivery.h"
#include "daemon/profile.h"
#include "daemon/report.h"
#include "daemon/settle.h"
#include "daemon/submission_report.h"
#include "daemon/tidy.h"

enum { OUTGOING_LOAD_MAX = 100 };

enum outgoing_part {
    OUTGOING_NOTHING, /* not begun */
    OUTGOING_OVER,    /* only the end is to be told */
    OUTGOING_STORE,   /* the store is asked */
    OUTGOING_SETTLER,
    OUTGOING_DISPATCHER,
    OUTGOING_NOTIFYING, /* a sender is told; the disk works */
    OUTGOING_REFUSING,  /* a file is moved to failed/ */
    OUTGOING_TIDIER,
};

struct refusal {
    struct submission *submission;
    struct failure failure;
};

struct outgoing {
    struct cycle cycle;
    struct executor_call end;
    enum outgoing_part part; /* what is under way, for cancel */
    bool cancelled;

    struct submission_list list;
    struct settler settler;
    struct dispatcher dispatcher;
    struct refusal *refusals;
    size_t refusal_count;
    size_t refusal; /* the one under way */
    struct nondelivery nondelivery;
    struct buffer reason;
    struct tidier tidier;
    struct failure failure; /* why the cycle ends, told after the refusals */
};

static void refuse_next(struct outgoing *outgoing);

static struct outgoing *outgoing_of(struct cycle *cycle)
{
    return (struct outgoing *)cycle; /* the first member */
}

/* --- ending --- */

static void outgoing_ended(void *argument)
{
    struct outgoing *outgoing = argument;
    outgoing->cycle.on_end(&outgoing->cycle);
}

/* The one way out. */
static void outgoing_finish(struct outgoing *outgoing, const struct failure *failure)
{
    outgoing->part = OUTGOING_OVER;
    if (failure != NULL)
        outgoing->cycle.failure = *failure;
    executor_cancel_call(outgoing->cycle.context->executor, &outgoing->end);
    executor_defer(outgoing->cycle.context->executor, &outgoing->end, outgoing_ended, outgoing);
}

/* After the store or the disk has answered: true when the cycle is over. */
static bool outgoing_over(struct outgoing *outgoing, const struct failure *failure)
{
    const struct failure cancelled = failure_cancelled();
    if (outgoing->cancelled)
        failure = &cancelled;
    if (failure == NULL)
        return false;
    outgoing_finish(outgoing, failure);
    return true;
}

static void outgoing_free(struct cycle *cycle)
{
    struct outgoing *outgoing = outgoing_of(cycle);
    executor_cancel_call(cycle->context->executor, &outgoing->end);
    disk_watch_give_up(&cycle->disk);
    dispatcher_release(&outgoing->dispatcher);
    nondelivery_release(&outgoing->nondelivery);
    submission_list_release(&outgoing->list);
    memory_free(outgoing->refusals);
    buffer_release(&outgoing->reason);
    memory_free(outgoing);
}

/* When the next one is due: what the store said, or one of those that this cycle told to wait. */
static void note_next(struct outgoing *outgoing)
{
    struct cycle *cycle = &outgoing->cycle;
    for (size_t i = 0; i < outgoing->list.count; i++) {
        const struct submission *submission = &outgoing->list.items[i];
        bool open = submission->row.stray || (submission->row.state != STORE_SUBMISSION_FAILED &&
                                              submission->row.state != STORE_SUBMISSION_SENT);
        if (open && submission->row.next_try_ms < cycle->next_ms)
            cycle->next_ms = submission->row.next_try_ms;
    }
}

/* --- tidy --- */

static void outgoing_close(struct outgoing *outgoing)
{
    note_next(outgoing);
    if (outgoing->cycle.ending)
        outgoing->cycle.cut_short = true;
    outgoing_finish(outgoing, failure_is_set(&outgoing->failure) ? &outgoing->failure : NULL);
}

static void tidied(struct tidier *tidier, const struct failure *failure)
{
    struct outgoing *outgoing = tidier->argument;
    if (!outgoing_over(outgoing, failure))
        outgoing_close(outgoing);
}

static void outgoing_tidy(struct outgoing *outgoing)
{
    outgoing->part = OUTGOING_TIDIER;
    outgoing->tidier = (struct tidier){
        .cycle = &outgoing->cycle,
        .list = &outgoing->list,
        .done = tidied,
        .argument = outgoing,
    };
    tidier_start(&outgoing->tidier);
}

/* --- refuse --- */

static void refusals_saved(void *argument, const struct failure *failure)
{
    struct outgoing *outgoing = argument;
    if (outgoing_over(outgoing, failure))
        return;
    if (outgoing->cycle.ending || failure_is_set(&outgoing->failure))
        outgoing_close(outgoing);
    else
        outgoing_tidy(outgoing);
}

/* The next one, when the sender knows or cannot be told. */
static void refusal_over(struct outgoing *outgoing)
{
    outgoing->refusal++;
    refuse_next(outgoing);
}

static void notified(struct nondelivery *nondelivery, const struct failure *failure)
{
    struct outgoing *outgoing = nondelivery->argument;
    if (outgoing_over(outgoing, NULL))
        return;
    if (failure != NULL) /* a Maildir that cannot be written holds up nothing */
        submission_report_sender_not_told(&outgoing->cycle, nondelivery->submission, failure);
    refusal_over(outgoing);
}

static void notify(struct outgoing *outgoing, const struct refusal *refusal)
{
    if (!nondelivery_wanted(&outgoing->cycle, refusal->submission)) {
        refusal_over(outgoing);
        return;
    }
    outgoing->part = OUTGOING_NOTIFYING;
    outgoing->nondelivery = (struct nondelivery){
        .cycle = &outgoing->cycle,
        .submission = refusal->submission,
        .failure = &refusal->failure,
        .done = notified,
        .argument = outgoing,
    };
    nondelivery_start(&outgoing->nondelivery);
}

/* Where failed/ cannot be written the submission alone waits; nobody is told yet. */
static void refused(void *argument, const struct failure *failure)
{
    struct outgoing *outgoing = argument;
    struct cycle *cycle = &outgoing->cycle;
    if (outgoing_over(outgoing, NULL))
        return;
    const struct refusal *refusal = &outgoing->refusals[outgoing->refusal];
    struct submission *submission = refusal->submission;
    if (failure != NULL && !failure->gone) {
        const struct backoff backoff = profile_backoff(cycle->profile);
        submission->row.attempts++;
        uint64_t wait = backoff_wait(&backoff, failure, submission->row.attempts);
        submission_wait(submission, wait);
        submission_report_waits(cycle, submission, failure, wait);
        refusal_over(outgoing);
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
    notify(outgoing, refusal);
}

/* One after the other: the file is moved, the sender is told, the store learns it. A kill in
 * between makes the server refuse it once more. */
static void refuse_next(struct outgoing *outgoing)
{
    if (outgoing->refusal == outgoing->refusal_count) {
        outgoing->part = OUTGOING_STORE;
        submission_list_save(&outgoing->list, &outgoing->cycle, refusals_saved, outgoing);
        return;
    }
    const struct refusal *refusal = &outgoing->refusals[outgoing->refusal];
    outgoing->part = OUTGOING_REFUSING;
    if (!failure_is_set(&outgoing->failure)) /* it stays where it failed */
        cycle_at(&outgoing->cycle, "leaving refused messages to a person", NULL);
    buffer_clear(&outgoing->reason);
    report_explain(&outgoing->reason, &refusal->failure);
    submission_append_bcc(refusal->submission, &outgoing->reason);
    outbox_refuse(outgoing->cycle.context->outbox, refusal->submission->row.id,
                  buffer_string(&outgoing->reason), refused, outgoing);
}

static void note_refusal(struct outgoing *outgoing, struct submission *submission,
                         const struct failure *failure)
{
    struct refusal *refusal = &outgoing->refusals[outgoing->refusal_count++];
    refusal->submission = submission;
    refusal->failure = *failure;
    refusal->failure.scope = FAILURE_SCOPE_ITEM;
}

/* After what was asked of the server, which may have failed: `failure` ends the cycle then. */
static void outgoing_refuse(struct outgoing *outgoing, const struct failure *failure)
{
    if (failure != NULL)
        outgoing->failure = *failure;
    if (outgoing->cancelled || (failure != NULL && failure->category == FAILURE_CANCELLED)) {
        outgoing_finish(outgoing, failure);
        return;
    }
    refuse_next(outgoing);
}

/* --- dispatch --- */

static void dispatched(struct dispatcher *dispatcher, const struct failure *failure)
{
    outgoing_refuse(dispatcher->argument, failure);
}

static void dispatch_refuses(struct dispatcher *dispatcher, struct submission *submission,
                             const struct failure *failure)
{
    note_refusal(dispatcher->argument, submission, failure);
}

static void outgoing_dispatch(struct outgoing *outgoing)
{
    outgoing->part = OUTGOING_DISPATCHER;
    outgoing->dispatcher = (struct dispatcher){
        .cycle = &outgoing->cycle,
        .outbox = outgoing->cycle.context->outbox,
        .list = &outgoing->list,
        .refuse = dispatch_refuses,
        .done = dispatched,
        .argument = outgoing,
    };
    dispatcher_start(&outgoing->dispatcher);
}

/* --- settle --- */

static void settled(struct settler *settler, const struct failure *failure)
{
    struct outgoing *outgoing = settler->argument;
    if (failure != NULL || outgoing->cancelled)
        outgoing_refuse(outgoing, failure);
    else
        outgoing_dispatch(outgoing);
}

static void settle_gives_up(struct settler *settler, struct submission *submission,
                            const struct failure *failure)
{
    note_refusal(settler->argument, submission, failure);
}

static void outgoing_settle(struct outgoing *outgoing)
{
    outgoing->part = OUTGOING_SETTLER;
    cycle_at(&outgoing->cycle, "finding out what became of messages in doubt", NULL);
    outgoing->settler = (struct settler){
        .cycle = &outgoing->cycle,
        .list = &outgoing->list,
        .give_up = settle_gives_up,
        .done = settled,
        .argument = outgoing,
    };
    settler_start(&outgoing->settler);
}

/* --- load --- */

static void outgoing_loaded(void *argument, const struct failure *failure,
                            const struct store_submissions *submissions)
{
    struct outgoing *outgoing = argument;
    if (outgoing_over(outgoing, failure))
        return;
    submission_list_fill(&outgoing->list, submissions);
    outgoing->refusals =
        memory_allocate_array(outgoing->list.count + 1, sizeof *outgoing->refusals);
    outgoing->cycle.next_ms = submissions->next_ms;
    /* Set meanwhile when something came that this did not see. */
    outgoing->cycle.more = outgoing->cycle.more || submissions->more;
    if (outgoing->list.count > 0)
        outgoing->cycle.subject = outgoing->list.items[0].row.subject;
    outgoing->cycle.proves_nothing = true; /* until something is answered */
    outgoing_settle(outgoing);
}

static void outgoing_load(void *argument)
{
    struct outgoing *outgoing = argument;
    outgoing->part = OUTGOING_STORE;
    cycle_at(&outgoing->cycle, "reading what is to be sent", NULL);
    store_submissions_due(outgoing->cycle.context->store, outgoing->cycle.mailbox->id,
                          clock_wall_ms(), OUTGOING_LOAD_MAX, outgoing_loaded, outgoing);
}

/* --- cancel and start --- */

static void outgoing_end_soon(struct cycle *cycle)
{
    cycle->ending = true;
}

static void outgoing_cancel(struct cycle *cycle)
{
    struct outgoing *outgoing = outgoing_of(cycle);
    const struct failure cancelled = failure_cancelled();
    switch (outgoing->part) {
    case OUTGOING_NOTHING:
        outgoing_finish(outgoing, &cancelled);
        break;
    case OUTGOING_OVER:
        break;
    case OUTGOING_STORE:
    case OUTGOING_NOTIFYING:
    case OUTGOING_REFUSING:
        outgoing->cancelled = true;
        break;
    case OUTGOING_SETTLER:
        outgoing->cancelled = true;
        settler_cancel(&outgoing->settler);
        break;
    case OUTGOING_DISPATCHER:
        outgoing->cancelled = true;
        dispatcher_cancel(&outgoing->dispatcher);
        break;
    case OUTGOING_TIDIER:
        outgoing->cancelled = true;
        tidier_cancel(&outgoing->tidier);
        break;
    }
}

static const struct cycle_operations outgoing_operations = {
    .end_soon = outgoing_end_soon,
    .cancel = outgoing_cancel,
    .free = outgoing_free,
};

void outgoing_start(const struct context *context, struct direction *direction,
                    void (*on_end)(struct cycle *cycle))
{
    struct outgoing *outgoing = memory_allocate(sizeof *outgoing);
    cycle_init(&outgoing->cycle, context, direction->mailbox, CYCLE_OUTGOING, &outgoing_operations,
               on_end);
    outgoing->cycle.next_ms = INT64_MAX;
    direction->cycle = &outgoing->cycle;
    executor_defer(context->executor, &outgoing->end, outgoing_load, outgoing);
}

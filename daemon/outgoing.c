#include "daemon/outgoing.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/dispatch.h"
#include "daemon/refuse.h"
#include "daemon/settle.h"
#include "daemon/tidy.h"

enum { OUTGOING_LOAD_MAX = 100 };

enum outgoing_part {
    OUTGOING_NOTHING, /* not begun */
    OUTGOING_OVER,    /* only the end is to be told */
    OUTGOING_STORE,   /* the store is asked */
    OUTGOING_SETTLER,
    OUTGOING_DISPATCHER,
    OUTGOING_REFUSER,
    OUTGOING_TIDIER,
};

struct outgoing {
    struct cycle cycle;
    struct executor_call end;
    enum outgoing_part part; /* what is under way, for cancel */
    bool cancelled;

    struct submission_list list;
    struct settler settler;
    struct dispatcher dispatcher;
    struct refuser refuser;
    struct tidier tidier;
    struct failure failure; /* why the cycle ends, told after the refusals */
};

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
    refuser_release(&outgoing->refuser);
    submission_list_release(&outgoing->list);
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

static void refused(struct refuser *refuser, const struct failure *failure)
{
    struct outgoing *outgoing = refuser->argument;
    if (outgoing_over(outgoing, failure))
        return;
    if (outgoing->cycle.ending || failure_is_set(&outgoing->failure))
        outgoing_close(outgoing);
    else
        outgoing_tidy(outgoing);
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
    outgoing->part = OUTGOING_REFUSER;
    outgoing->refuser.failed = failure_is_set(&outgoing->failure);
    refuser_start(&outgoing->refuser);
}

/* --- dispatch --- */

static void dispatched(struct dispatcher *dispatcher, const struct failure *failure)
{
    outgoing_refuse(dispatcher->argument, failure);
}

static void dispatch_refuses(struct dispatcher *dispatcher, struct submission *submission,
                             const struct failure *failure)
{
    struct outgoing *outgoing = dispatcher->argument;
    refuser_note(&outgoing->refuser, submission, failure);
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
    struct outgoing *outgoing = settler->argument;
    refuser_note(&outgoing->refuser, submission, failure);
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
    outgoing->refuser = (struct refuser){
        .cycle = &outgoing->cycle,
        .list = &outgoing->list,
        .done = refused,
        .argument = outgoing,
    };
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
    case OUTGOING_REFUSER:
        outgoing->cancelled = true;
        refuser_cancel(&outgoing->refuser);
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

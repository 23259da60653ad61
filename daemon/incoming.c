#include "daemon/incoming_private.h"

#include "base/memory.h"

static void incoming_set_aside(struct incoming *incoming);
static void incoming_settle_unacknowledged(struct incoming *incoming);

static struct incoming *incoming_of(struct cycle *cycle)
{
    return (struct incoming *)cycle; /* the first member */
}

/* --- ending --- */

static void incoming_ended(void *argument)
{
    struct incoming *incoming = argument;
    incoming->cycle.on_end(&incoming->cycle);
}

/* The one way out; once more while it is over does no harm. What was remembered of the folders may
 * be the cause of a failure (a folder that is gone) or half changed: it is read again next time. */
static void incoming_finish(struct incoming *incoming, const struct failure *failure)
{
    incoming->part = INCOMING_OVER;
    if (failure != NULL) {
        incoming->cycle.failure = *failure;
        mailbox_forget_folders(incoming->cycle.mailbox);
    }
    executor_cancel_call(incoming->cycle.context->executor, &incoming->end);
    executor_defer(incoming->cycle.context->executor, &incoming->end, incoming_ended, incoming);
}

void incoming_cut_short(struct incoming *incoming)
{
    incoming->cycle.cut_short = true;
    incoming_finish(incoming, NULL);
}

bool incoming_over(struct incoming *incoming, const struct failure *failure)
{
    const struct failure cancelled = failure_cancelled();
    if (incoming->cancelled)
        failure = &cancelled;
    if (failure == NULL)
        return false;
    incoming_finish(incoming, failure);
    return true;
}

static void incoming_free(struct cycle *cycle)
{
    struct incoming *incoming = incoming_of(cycle);
    executor_cancel_call(cycle->context->executor, &incoming->end);
    disk_watch_give_up(&cycle->disk);
    finder_release(&incoming->finder);
    item_list_release(&incoming->retries);
    undeliverable_release(&incoming->undeliverable);
    for (size_t i = 0; i < incoming->committed_count; i++)
        memory_free(incoming->committed[i]);
    for (size_t i = 0; i < incoming->unacknowledged_count; i++)
        memory_free(incoming->unacknowledged[i]);
    memory_free(incoming->committed);
    memory_free(incoming->committed_keys);
    memory_free(incoming->loaded);
    memory_free(incoming->maildir);
    memory_free(incoming->former_maildir);
    sink_free(incoming->sink);
    memory_free(incoming);
}

/* --- taking, for what was found and for retries --- */

void incoming_take(struct incoming *incoming, struct item_list *items, bool retries,
                   void (*done)(struct taker *taker, const struct failure *failure))
{
    struct failure failure;
    if (!disks_admit(incoming->cycle.context->disks,
                     executor_now(incoming->cycle.context->executor), incoming->sink, &failure)) {
        incoming_finish(incoming, &failure);
        return;
    }
    incoming->taker = (struct taker){
        .cycle = &incoming->cycle,
        .sink = incoming->sink,
        .items = items,
        .retries = retries,
        .done = done,
        .argument = incoming,
    };
    incoming->part = INCOMING_TAKER;
    taker_start(&incoming->taker);
}

/* --- retry: after the new mail, which it must not hold up --- */

static void incoming_retried(struct taker *taker, const struct failure *failure)
{
    struct incoming *incoming = taker->argument;
    if (!incoming_over(incoming, failure))
        incoming_set_aside(incoming);
}

static void incoming_take_retries(struct incoming *incoming)
{
    cycle_at(&incoming->cycle, "taking over messages that failed before", NULL);
    incoming_take(incoming, &incoming->retries, true, incoming_retried);
}

void incoming_retry(struct incoming *incoming)
{
    if (incoming->retries.count == 0)
        incoming_set_aside(incoming);
    else
        incoming_with_sink(incoming, incoming_take_retries);
}

/* --- set aside: only when all else went well, so that it is not the server that fails --- */

static void incoming_has_set_aside(struct undeliverable *undeliverable,
                                   const struct failure *failure)
{
    struct incoming *incoming = undeliverable->argument;
    if (!incoming_over(incoming, failure))
        incoming_settle_unacknowledged(incoming);
}

static void incoming_set_aside(struct incoming *incoming)
{
    incoming->undeliverable.cycle = &incoming->cycle;
    incoming->undeliverable.done = incoming_has_set_aside;
    incoming->undeliverable.argument = incoming;
    incoming->part = INCOMING_UNDELIVERABLE;
    cycle_at(&incoming->cycle, "moving what cannot be delivered out of the way", NULL);
    undeliverable_start(&incoming->undeliverable);
}

/* --- settle --- */

static void incoming_settled(struct acknowledger *acknowledger, const struct failure *failure)
{
    incoming_finish(acknowledger->argument, failure);
}

static void incoming_settle_unacknowledged(struct incoming *incoming)
{
    if (incoming->unacknowledged_count == 0) {
        incoming_finish(incoming, NULL);
        return;
    }
    incoming->acknowledger.cycle = &incoming->cycle;
    incoming->acknowledger.count = incoming->unacknowledged_count;
    incoming->acknowledger.done = incoming_settled;
    incoming->acknowledger.argument = incoming;
    incoming->part = INCOMING_ACKNOWLEDGER;
    cycle_at(&incoming->cycle, "settling what was delivered before", NULL);
    acknowledger_start(&incoming->acknowledger);
}

/* --- cancel and start --- */

static void incoming_end_soon(struct cycle *cycle)
{
    cycle->ending = true;
}

static void incoming_cancel(struct cycle *cycle)
{
    struct incoming *incoming = incoming_of(cycle);
    const struct failure cancelled = failure_cancelled();
    switch (incoming->part) {
    case INCOMING_NOTHING:
        incoming_finish(incoming, &cancelled);
        break;
    case INCOMING_OVER:
        break;
    case INCOMING_STORE:
        incoming->cancelled = true;
        break;
    case INCOMING_RECOVERY:
        recovery_cancel(&incoming->recovery);
        break;
    case INCOMING_BACKEND:
        backend_cancel(incoming->operation);
        incoming->operation = NULL;
        incoming_finish(incoming, &cancelled);
        break;
    case INCOMING_FINDER:
        finder_cancel(&incoming->finder);
        break;
    case INCOMING_TAKER:
        taker_cancel(&incoming->taker);
        break;
    case INCOMING_UNDELIVERABLE:
        undeliverable_cancel(&incoming->undeliverable);
        break;
    case INCOMING_ACKNOWLEDGER:
        acknowledger_cancel(&incoming->acknowledger);
        break;
    }
}

static const struct cycle_operations incoming_operations = {
    .end_soon = incoming_end_soon,
    .cancel = incoming_cancel,
    .free = incoming_free,
};

void incoming_start(const struct context *context, struct direction *direction,
                    void (*on_end)(struct cycle *cycle))
{
    struct incoming *incoming = memory_allocate(sizeof *incoming);
    cycle_init(&incoming->cycle, context, direction->mailbox, CYCLE_INCOMING, &incoming_operations,
               on_end);
    incoming->maildir = config_maildir_path(direction->mailbox->config);
    direction->cycle = &incoming->cycle;
    executor_defer(context->executor, &incoming->end, incoming_prepare, incoming);
}

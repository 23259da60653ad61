#include "daemon/probe.h"

#include "base/memory.h"
#include "daemon/profile.h"

struct probe {
    struct cycle cycle; /* first */
    struct executor_call end;
    struct backend_operation *operation; /* while the server is asked */
};

bool probe_wanted(const struct direction *direction)
{
    const struct direction_trouble *trouble = direction->trouble;
    return trouble != NULL && trouble->failure.permanent &&
           trouble->failure.category != FAILURE_STORAGE && !direction->probed;
}

static struct probe *probe_of(struct cycle *cycle)
{
    return (struct probe *)cycle;
}

static void probe_ended(void *argument)
{
    struct probe *probe = argument;
    probe->cycle.on_end(&probe->cycle);
}

/* The one way out. */
static void probe_finish(struct probe *probe, const struct failure *failure)
{
    if (failure != NULL)
        probe->cycle.failure = *failure;
    executor_cancel_call(probe->cycle.context->executor, &probe->end);
    executor_defer(probe->cycle.context->executor, &probe->end, probe_ended, probe);
}

static void probe_answered(void *argument, const struct failure *failure)
{
    struct probe *probe = argument;
    probe->operation = NULL;
    probe_finish(probe, failure);
}

static void probe_begin(void *argument)
{
    struct probe *probe = argument;
    struct cycle *cycle = &probe->cycle;
    if (cycle->ending) {
        cycle->cut_short = true;
        probe_finish(probe, NULL);
        return;
    }
    cycle_at(cycle, "testing whether the mailbox can be used again", NULL);
    probe->operation =
        backend_probe_start(cycle->profile->backend, &cycle->target, probe_answered, probe);
}

/* One request is soon over. */
static void probe_end_soon(struct cycle *cycle)
{
    cycle->ending = true;
}

static void probe_cancel(struct cycle *cycle)
{
    struct probe *probe = probe_of(cycle);
    const struct failure cancelled = failure_cancelled();
    bool over = cycle->at != NULL && probe->operation == NULL;
    if (over)
        return;
    if (probe->operation != NULL)
        backend_cancel(probe->operation);
    probe->operation = NULL;
    probe_finish(probe, &cancelled);
}

static void probe_free(struct cycle *cycle)
{
    struct probe *probe = probe_of(cycle);
    executor_cancel_call(cycle->context->executor, &probe->end);
    memory_free(probe);
}

static const struct cycle_operations probe_operations = {
    .end_soon = probe_end_soon,
    .cancel = probe_cancel,
    .free = probe_free,
};

void probe_start(const struct context *context, struct direction *direction,
                 void (*on_end)(struct cycle *cycle))
{
    struct probe *probe = memory_allocate(sizeof *probe);
    cycle_init(&probe->cycle, context, direction->mailbox, direction->kind, &probe_operations,
               on_end);
    probe->cycle.probe = true;
    direction->cycle = &probe->cycle;
    executor_defer(context->executor, &probe->end, probe_begin, probe);
}

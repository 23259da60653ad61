#include "ews/ews_each.h"

#include "base/memory.h"
#include "ews/response_codes.h"

struct each {
    struct backend_operation operation; /* first */
    struct failure *failures;
    size_t count;
    size_t answered;
    void (*settle)(struct failure *failure);
    ews_each_done *done;
    void *argument;
};

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct each *each = argument;
    each->answered = index + 1;
    if (failure == NULL)
        return;
    each->failures[index] = *failure;
    if (each->settle != NULL)
        each->settle(&each->failures[index]);
}

static const struct ews_reader reader = {.message_end = on_message_end};

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct each *each = (struct each *)operation;
    if (failure != NULL) {
        each->done(each->argument, failure, NULL, 0);
        return true;
    }
    for (size_t i = each->answered; i < each->count; i++) {
        each->failures[i] = response_item_failure(operation->response.step, RESPONSE_MISSING);
        each->failures[i].in_doubt = true;
    }
    each->done(each->argument, NULL, each->failures, each->count);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    memory_free(((struct each *)operation)->failures);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct each),
    .answered = on_answered,
    .release = on_release,
};

struct backend_operation *ews_each_create(struct backend *backend,
                                          const struct backend_mailbox *mailbox, size_t count,
                                          void (*settle)(struct failure *failure),
                                          ews_each_done *done, void *argument)
{
    struct each *each = ews_operation_create(backend, &kind, mailbox);
    each->failures = memory_allocate_array(count, sizeof *each->failures);
    each->count = count;
    each->settle = settle;
    each->done = done;
    each->argument = argument;
    return &each->operation;
}

void ews_each_send(struct backend_operation *operation, const char *step)
{
    size_t count = ((struct each *)operation)->count;
    ews_operation_send_for_items(operation, step, &reader, count, true);
}

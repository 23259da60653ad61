#include "ews/ews_operation.h"

#include "base/memory.h"
#include "ews/response_codes.h"

enum { ANSWER_BYTES = 262144, ITEM_BYTES = 16384 };

struct acknowledge {
    struct backend_operation operation; /* first */
    struct failure *failures;
    size_t count;
    size_t answered;
    backend_acknowledge_done *done;
    void *argument;
};

/* Somebody else has removed the item: there is nothing left to do to it. */
static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct acknowledge *acknowledge = argument;
    acknowledge->answered = index + 1;
    if (failure != NULL && !failure->gone)
        acknowledge->failures[index] = *failure;
}

static const struct ews_reader reader = {.message_end = on_message_end};

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct acknowledge *acknowledge = (struct acknowledge *)operation;
    if (failure != NULL) {
        acknowledge->done(acknowledge->argument, failure, NULL, 0);
        return true;
    }
    for (size_t i = acknowledge->answered; i < acknowledge->count; i++)
        acknowledge->failures[i] =
            response_item_failure(operation->response.step, RESPONSE_MISSING);
    acknowledge->done(acknowledge->argument, NULL, acknowledge->failures, acknowledge->count);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    memory_free(((struct acknowledge *)operation)->failures);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct acknowledge),
    .answered = on_answered,
    .release = on_release,
};

/* Writes the request; returns its name. */
static const char *write_request(struct backend_operation *operation, enum backend_action action,
                                 const char *folder_id, const char *const *references, size_t count)
{
    struct buffer *body = &operation->request.body;
    const struct ews_sender sender = ews_operation_sender(operation);
    switch (action) {
    case BACKEND_MARK_READ:
        ews_request_mark_read(body, &sender, references, count);
        return "UpdateItem";
    case BACKEND_MOVE:
        ews_request_move(body, &sender, folder_id, references, count);
        return "MoveItem";
    case BACKEND_DELETE:
    case BACKEND_PURGE:
        break;
    }
    ews_request_delete(body, &sender, action == BACKEND_PURGE, references, count);
    return "DeleteItem";
}

struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument)
{
    struct acknowledge *acknowledge = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &acknowledge->operation;
    acknowledge->failures = memory_allocate_array(count, sizeof *acknowledge->failures);
    acknowledge->count = count;
    acknowledge->done = done;
    acknowledge->argument = argument;
    const char *step = write_request(operation, action, folder_id, references, count);
    const struct ews_expectation expectation = {
        .step = step,
        .reader = &reader,
        .limits = {.total_bytes = ANSWER_BYTES + count * ITEM_BYTES,
                   .text_bytes = ANSWER_BYTES + count * ITEM_BYTES},
        .messages = count,
        .items = true,
        .changes = true,
    };
    ews_operation_send(operation, &expectation);
    return operation;
}

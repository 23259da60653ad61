#include "ews/ews_operation.h"

#include "ews/response_codes.h"

enum { ANSWER_BYTES = 262144 };

struct probe {
    struct backend_operation operation; /* first */
    bool answered;
    struct failure failure;
    backend_probe_done *done;
    void *argument;
};

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    (void)index;
    struct probe *probe = argument;
    probe->answered = true;
    if (failure != NULL)
        probe->failure = *failure;
}

static const struct ews_reader reader = {.message_end = on_message_end};

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct probe *probe = (struct probe *)operation;
    if (failure == NULL && !probe->answered)
        probe->failure = response_protocol_failure(operation->response.step, "NoResponseMessage",
                                                   "the answer has no response message in it",
                                                   RESPONSE_OF_MAILBOX);
    if (failure == NULL && failure_is_set(&probe->failure))
        failure = &probe->failure;
    probe->done(probe->argument, failure);
    return true;
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct probe),
    .answered = on_answered,
};

struct backend_operation *backend_probe_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              backend_probe_done *done, void *argument)
{
    struct probe *probe = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &probe->operation;
    probe->done = done;
    probe->argument = argument;
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_get_folder(&operation->request.body, &sender, ":inbox");
    const struct ews_expectation expectation = {
        .step = "GetFolder",
        .reader = &reader,
        .limits = {.total_bytes = ANSWER_BYTES, .text_bytes = ANSWER_BYTES},
        .messages = 1,
    };
    ews_operation_send(operation, &expectation);
    return operation;
}

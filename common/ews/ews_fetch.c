#include "ews/ews_messages.h"
#include "ews/ews_operation.h"

struct fetch {
    struct backend_operation operation; /* first */
    struct ews_messages messages;
    const struct backend_receiver *receiver;
    backend_fetch_done *done;
    void *argument;
};

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct fetch *fetch = argument;
    ews_messages_start(&fetch->messages, element, attributes);
}

static void on_mime(void *argument, const char *text, size_t length)
{
    struct fetch *fetch = argument;
    ews_messages_mime(&fetch->messages, text, length);
}

static void on_mime_damaged(void *argument)
{
    struct fetch *fetch = argument;
    ews_messages_mime_damaged(&fetch->messages);
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct fetch *fetch = argument;
    ews_messages_message_end(&fetch->messages, index, failure);
}

static const struct ews_reader reader = {
    .start = on_start,
    .mime = on_mime,
    .mime_damaged = on_mime_damaged,
    .message_end = on_message_end,
};

static bool on_ready(struct backend_operation *operation)
{
    const struct fetch *fetch = (const struct fetch *)operation;
    return fetch->receiver->ready(fetch->argument);
}

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct fetch *fetch = (struct fetch *)operation;
    if (failure == NULL)
        ews_messages_finish(&fetch->messages);
    else
        ews_messages_break(&fetch->messages);
    if (!operation->cancelled)
        fetch->done(fetch->argument, failure);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    ews_messages_release(&((struct fetch *)operation)->messages);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct fetch),
    .ready = on_ready,
    .answered = on_answered,
    .release = on_release,
};

struct backend_operation *backend_fetch_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              const char *const *references, size_t count,
                                              uint64_t max_message_size,
                                              const struct backend_receiver *receiver,
                                              backend_fetch_done *done, void *argument)
{
    struct fetch *fetch = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &fetch->operation;
    fetch->receiver = receiver;
    fetch->done = done;
    fetch->argument = argument;
    ews_messages_begin(&fetch->messages, receiver, argument, &operation->cancelled, references,
                       count, max_message_size);
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_get_item(&operation->request.body, &sender, references, count);
    const struct ews_expectation expectation = {
        .step = "GetItem",
        .reader = &reader,
        .limits = ews_messages_limits(count, max_message_size),
        .messages = count,
        .items = true,
    };
    ews_operation_send(operation, &expectation);
    return operation;
}

void backend_fetch_resume(struct backend_operation *operation)
{
    if (http_request_active(&operation->request))
        http_request_resume(&operation->request);
}

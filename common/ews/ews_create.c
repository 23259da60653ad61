#include "ews/ews_body.h"
#include "ews/ews_operation.h"
#include "ews/ews_reference.h"
#include "ews/response_codes.h"

#include "base/memory.h"

static const char STEP[] = "CreateItem";

struct create {
    struct backend_operation operation; /* first */
    struct ews_body body;
    enum backend_create_how how;
    struct backend_created *created;
    size_t *places; /* of the references; NOWHERE */
    size_t count;
    size_t answered;
    struct buffer references;
    backend_create_done *done;
    void *argument;
};

#define NOWHERE SIZE_MAX

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct create *create = argument;
    size_t place = create->references.length;
    if (element == EWS_ELEMENT_ITEM_ID && create->places[create->answered] == NOWHERE &&
        ews_reference_append(&create->references, attributes))
        create->places[create->answered] = place;
}

/* It may be done all the same, but nobody can say what was made. */
static struct failure unanswered(enum response_item_fault fault)
{
    struct failure failure = response_item_failure(STEP, fault);
    failure.in_doubt = true;
    return failure;
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    struct create *create = argument;
    create->answered = index + 1;
    if (failure != NULL) {
        create->created[index].failure = *failure;
        create->places[index] = NOWHERE;
    } else if (create->how == BACKEND_CREATE_AND_SEND) {
        create->places[index] = NOWHERE;
    } else if (create->places[index] == NOWHERE) {
        create->created[index].failure = unanswered(RESPONSE_NO_REFERENCE);
    }
}

static const struct ews_reader reader = {.start = on_start, .message_end = on_message_end};

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct create *create = (struct create *)operation;
    if (failure != NULL) {
        create->done(create->argument, failure, NULL, 0);
        return true;
    }
    for (size_t i = create->answered; i < create->count; i++)
        create->created[i].failure = unanswered(RESPONSE_MISSING);
    for (size_t i = 0; i < create->answered; i++) {
        if (create->places[i] != NOWHERE)
            create->created[i].reference = create->references.data + create->places[i];
    }
    create->done(create->argument, NULL, create->created, create->count);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    struct create *create = (struct create *)operation;
    ews_body_release(&create->body);
    memory_free(create->created);
    memory_free(create->places);
    buffer_release(&create->references);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct create),
    .answered = on_answered,
    .release = on_release,
};

static void prepare(struct create *create, size_t count)
{
    create->count = count;
    create->created = memory_allocate_array(count, sizeof *create->created);
    create->places = memory_allocate_array(count + 1, sizeof *create->places);
    for (size_t i = 0; i <= count; i++)
        create->places[i] = NOWHERE;
}

struct backend_operation *
backend_create_start(struct backend *backend, const struct backend_mailbox *mailbox,
                     enum backend_create_how how, const struct backend_submission *submissions,
                     size_t count, backend_create_done *done, void *argument)
{
    struct create *create = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &create->operation;
    prepare(create, count);
    create->how = how;
    create->done = done;
    create->argument = argument;
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_create_item(&create->body, &sender, how, submissions, count);
    ews_body_seal(&create->body, &operation->request.source_failure);
    operation->request.source = &create->body.source;
    ews_operation_send_for_items(operation, STEP, &reader, count, true);
    return operation;
}

void backend_create_resume(struct backend_operation *operation)
{
    http_request_source_ready(&operation->request);
}

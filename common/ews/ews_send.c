#include "ews/ews_each.h"
#include "ews/response_codes.h"

/* A draft that the server says it has deleted was not sent. */
static void settle(struct failure *failure)
{
    failure->gone = response_is_item_missing(failure);
}

struct backend_operation *backend_send_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_send_done *done, void *argument)
{
    struct backend_operation *operation =
        ews_each_create(backend, mailbox, count, settle, done, argument);
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_send_item(&operation->request.body, &sender, references, count);
    ews_each_send(operation, "SendItem");
    return operation;
}

bool backend_send_is_unsupported(const struct failure *failure)
{
    return response_is_unsupported(failure);
}

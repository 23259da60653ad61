#include "ews/ews_each.h"

/* Somebody else has removed the item: there is nothing left to do to it. */
static void settle(struct failure *failure)
{
    if (failure->gone)
        *failure = (struct failure){0};
}

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
    struct backend_operation *operation =
        ews_each_create(backend, mailbox, count, settle, done, argument);
    ews_each_send(operation, write_request(operation, action, folder_id, references, count));
    return operation;
}

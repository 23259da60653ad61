#include "ews/ews_operation.h"
#include "ews/ews_page.h"

struct list {
    struct backend_operation operation; /* first */
    struct ews_page page;
    struct backend_mark known; /* zero: nothing is */
    backend_list_done *done;
    void *argument;
};

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct list *list = argument;
    ews_page_start(&list->page, element, attributes);
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    struct list *list = argument;
    ews_page_end(&list->page, element, text, length);
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    (void)index;
    struct list *list = argument;
    ews_page_message_end(&list->page, failure);
}

static const struct ews_reader reader = {
    .start = on_start,
    .end = on_end,
    .message_end = on_message_end,
};

static struct failure finish(struct list *list, struct backend_page *page)
{
    const struct backend_operation *operation = &list->operation;
    if (operation->known_again) {
        *page = (struct backend_page){.mark = list->known, .same = true};
        return (struct failure){0};
    }
    struct failure failure = ews_page_finish(&list->page, page);
    if (failure_is_set(&failure))
        return failure;
    page->mark.answer = operation->answer;
    if (digest_equal(&page->mark.page, &list->known.page))
        *page = (struct backend_page){.mark = page->mark, .same = true};
    return failure;
}

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct list *list = (struct list *)operation;
    struct backend_page page = {0};
    struct failure own = {0};
    if (failure == NULL) {
        own = finish(list, &page);
        if (failure_is_set(&own))
            failure = &own;
    }
    list->done(list->argument, failure, failure == NULL ? &page : NULL);
    return true;
}

static void on_release(struct backend_operation *operation)
{
    ews_page_release(&((struct list *)operation)->page);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct list),
    .answered = on_answered,
    .release = on_release,
};

struct backend_operation *backend_list_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *folder_id, int64_t offset, uint32_t limit,
                                             const struct backend_mark *known,
                                             backend_list_done *done, void *argument)
{
    struct list *list = ews_operation_create(backend, &kind, mailbox);
    struct backend_operation *operation = &list->operation;
    if (known != NULL)
        list->known = *known;
    list->done = done;
    list->argument = argument;
    ews_page_begin(&list->page, &operation->response, offset, limit);
    list->page.test_key = backend->settings.test_key;
    const struct ews_sender sender = ews_operation_sender(operation);
    ews_request_find_item(&operation->request.body, &sender, folder_id, offset, limit);
    const struct ews_expectation expectation = {
        .step = "FindItem",
        .reader = &reader,
        .limits = ews_page_limits(limit),
        .messages = 1,
        .known = &list->known.answer,
    };
    ews_operation_send(operation, &expectation);
    return operation;
}

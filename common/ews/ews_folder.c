#include "ews/ews_operation.h"
#include "ews/ews_path.h"

#include "base/memory.h"
#include "ews/response_codes.h"

#include <string.h>

enum { PAGE_FOLDERS = 500, PAGES_MAX = 1000, ANSWER_BYTES = 8388608 };

/* Where the mailbox's visible folders begin. */
static const char TOP[] = ":msgfolderroot";

/* What the operation waits for. */
enum state {
    LOCAL,    /* only the loop's next turn */
    FINDING,  /* a page of the folders within `parent` */
    CREATING, /* the component that is not within `parent` yet */
};

struct folder {
    struct backend_operation operation; /* first */
    enum state state;
    bool create;
    bool created;
    bool created_elsewhere; /* somebody else created it in the moment between: look again, once */
    char *path;
    const char *name; /* the component that is looked for, within `path` */
    size_t name_length;
    const char *rest;
    char *parent; /* folder id */
    /* What is read: */
    struct buffer id; /* of the folder */
    bool is_named;    /* the folder has the name that is looked for */
    char *found;      /* folder id; NULL for none */
    int64_t offset;   /* of the page */
    unsigned pages;   /* of the folders within `parent` */
    int64_t listed;   /* folders on the page */
    bool has_more;    /* folders behind the page */
    struct failure failure;

    backend_folder_done *done;
    void *argument;
};

/* --- reading --- */

static void take_root(struct folder *folder, const struct ews_attributes *attributes)
{
    size_t length = 0;
    const char *last = ews_attribute(attributes, "IncludesLastItemInRange", &length);
    folder->has_more = last != NULL && length == 5 && memcmp(last, "false", 5) == 0;
}

static void take_folder_id(struct folder *folder, const struct ews_attributes *attributes)
{
    size_t length = 0;
    const char *id = ews_attribute(attributes, "Id", &length);
    buffer_clear(&folder->id);
    if (id != NULL)
        buffer_append(&folder->id, id, length);
}

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    struct folder *folder = argument;
    if (element == EWS_ELEMENT_ROOT_FOLDER) {
        take_root(folder, attributes);
    } else if (element == EWS_ELEMENT_FOLDER) {
        buffer_clear(&folder->id);
        folder->is_named = folder->state == CREATING; /* the only one is the one */
        folder->listed++;
    } else if (element == EWS_ELEMENT_FOLDER_ID) {
        take_folder_id(folder, attributes);
    }
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    struct folder *folder = argument;
    if (element == EWS_ELEMENT_DISPLAY_NAME && folder->state == FINDING)
        folder->is_named = ews_path_same_name(text, length, folder->name, folder->name_length);
    else if (element == EWS_ELEMENT_FOLDER && folder->is_named && folder->found == NULL &&
             folder->id.length > 0)
        folder->found = buffer_take(&folder->id);
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    (void)index;
    struct folder *folder = argument;
    if (failure != NULL)
        folder->failure = *failure;
}

static const struct ews_reader reader = {
    .start = on_start,
    .end = on_end,
    .message_end = on_message_end,
};

/* --- requests --- */

static void send(struct folder *folder, enum state state)
{
    struct backend_operation *operation = &folder->operation;
    struct buffer *body = &operation->request.body;
    const struct ews_sender sender = ews_operation_sender(operation);
    const struct ews_expectation expectation = {
        .step = state == FINDING ? "FindFolder" : "CreateFolder",
        .reader = &reader,
        .limits = {.total_bytes = ANSWER_BYTES, .text_bytes = ANSWER_BYTES},
        .messages = 1,
        .changes = state == CREATING,
    };
    folder->state = state;
    folder->listed = 0;
    folder->has_more = false;
    folder->failure = (struct failure){0};
    if (state == FINDING) {
        folder->pages++;
        ews_request_find_folder(body, &sender, folder->parent, folder->offset, PAGE_FOLDERS);
    } else {
        char *name = memory_copy_bytes(folder->name, folder->name_length);
        ews_request_create_folder(body, &sender, folder->parent, name);
        memory_free(name);
    }
    ews_operation_send(operation, &expectation);
}

static bool end(struct folder *folder, const struct failure *failure)
{
    folder->done(folder->argument, failure, failure == NULL ? folder->parent : NULL,
                 failure == NULL && folder->created);
    return true;
}

/* Looks for the next component within folder->parent; ends when there is none. */
static bool descend(struct folder *folder)
{
    folder->name = ews_path_component(folder->rest, &folder->name_length, &folder->rest);
    if (folder->name_length == 0)
        return end(folder, NULL);
    folder->offset = 0;
    folder->pages = 0;
    folder->created_elsewhere = false;
    send(folder, FINDING);
    return false;
}

static bool enter(struct folder *folder)
{
    memory_free(folder->parent);
    folder->parent = folder->found;
    folder->found = NULL;
    return descend(folder);
}

static bool end_with_fault(struct folder *folder, const char *code, const char *text)
{
    const struct failure fault =
        response_protocol_failure(folder->operation.response.step, code, text, RESPONSE_OF_MAILBOX);
    return end(folder, &fault);
}

/* A page without the folder. */
static bool not_on_page(struct folder *folder)
{
    folder->offset += folder->listed;
    if (folder->has_more && folder->listed > 0) {
        if (folder->pages == PAGES_MAX)
            return end_with_fault(folder, "TooManyPages", "the list of folders has no end");
        send(folder, FINDING);
        return false;
    }
    if (folder->create && !folder->created_elsewhere) {
        send(folder, CREATING);
        return false;
    }
    const struct failure missing =
        response_folder_missing(folder->operation.response.step, folder->path);
    return end(folder, &missing);
}

static bool refused(struct folder *folder, const struct failure *failure)
{
    if (folder->state != CREATING || folder->created_elsewhere || !response_folder_exists(failure))
        return end(folder, failure);
    folder->created_elsewhere = true;
    folder->offset = 0;
    folder->pages = 0;
    send(folder, FINDING);
    return false;
}

static bool on_answered(struct backend_operation *operation, const struct failure *failure)
{
    struct folder *folder = (struct folder *)operation;
    if (failure != NULL)
        return refused(folder, failure);
    if (failure_is_set(&folder->failure))
        return refused(folder, &folder->failure);
    if (folder->state == LOCAL)
        return end(folder, NULL);
    if (folder->found != NULL) {
        folder->created = folder->created || folder->state == CREATING;
        return enter(folder);
    }
    if (folder->state == FINDING)
        return not_on_page(folder);
    return end_with_fault(folder, "NoFolderId", "the answer has no folder in it");
}

static void on_release(struct backend_operation *operation)
{
    struct folder *folder = (struct folder *)operation;
    memory_free(folder->path);
    memory_free(folder->parent);
    memory_free(folder->found);
    buffer_release(&folder->id);
}

static const struct ews_operation_kind kind = {
    .size = sizeof(struct folder),
    .answered = on_answered,
    .release = on_release,
};

struct backend_operation *backend_folder_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *path, bool create,
                                               backend_folder_done *done, void *argument)
{
    struct folder *folder = ews_operation_create(backend, &kind, mailbox);
    folder->path = memory_copy_string(path);
    folder->create = create;
    folder->done = done;
    folder->argument = argument;

    size_t length;
    const char *rest;
    const char *first = ews_path_component(folder->path, &length, &rest);
    const char *known = ews_path_well_known(first, length);
    folder->parent = memory_copy_string(known == NULL ? TOP : known);
    folder->rest = known == NULL ? first : rest;
    if (folder->rest[0] == '\0')
        ews_operation_end_locally(&folder->operation); /* an empty path is the top */
    else
        descend(folder);
    return &folder->operation;
}

/* Reading folders: GetFolder, FindFolder, SyncFolderHierarchy. */
#include "folder_fields.h"
#include "operations.h"
#include "simulator.h"

#include <stdlib.h>
#include <string.h>

void operation_get_folder(struct call *call)
{
    struct folder_shape shape = {0};
    const xmlNode *shape_element = xml_child(call->request, "FolderShape");
    const xmlNode *ids = xml_child(call->request, "FolderIds");
    if (shape_element != NULL)
        folder_shape_read(&shape, shape_element);
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        const struct folder *folder = call_folder(call, id);
        if (folder == NULL)
            continue;
        reply_open_message(call->reply, "GetFolder");
        buffer_append_string(&call->reply->text, "<m:Folders>");
        folder_append(folder, shape, &call->reply->text);
        buffer_append_string(&call->reply->text, "</m:Folders>");
        reply_close_message(call->reply, "GetFolder");
        call_succeeded(call);
    }
}

/* The one folder name that a Restriction of FindFolder asks for; NULL when it asks for none. */
static const char *wanted_name(const xmlNode *request)
{
    const xmlNode *restriction = xml_child(request, "Restriction");
    const xmlNode *equal = restriction == NULL ? NULL : xml_child(restriction, "IsEqualTo");
    const xmlNode *holder = equal == NULL ? NULL : xml_child(equal, "FieldURIOrConstant");
    const xmlNode *constant = holder == NULL ? NULL : xml_child(holder, "Constant");
    return constant == NULL ? NULL : xml_attribute(constant, "Value");
}

struct folder_search {
    struct folder_shape shape;
    const char *name; /* NULL: any */
    bool deep;
    size_t offset;
    size_t most;
};

static bool is_found(const struct folder_search *search, const struct folder *folder,
                     const struct folder *parent)
{
    return (search->deep ? folder_is_below(folder, parent) : folder->parent == parent) &&
           (search->name == NULL || strcmp(search->name, folder->name) == 0);
}

static void answer_parent(struct call *call, const struct folder_search *search,
                          const struct folder *parent)
{
    const struct mailbox *mailbox = parent->mailbox;
    struct buffer folders = {0};
    size_t total = 0;
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        if (!is_found(search, mailbox->folders[i], parent))
            continue;
        if (total >= search->offset && total - search->offset < search->most)
            folder_append(mailbox->folders[i], search->shape, &folders);
        total++;
    }
    size_t next = search->offset + search->most < total ? search->offset + search->most : total;
    reply_open_message(call->reply, "FindFolder");
    buffer_append_format(&call->reply->text,
                         "<m:RootFolder IndexedPagingOffset=\"%zu\" TotalItemsInView=\"%zu\" "
                         "IncludesLastItemInRange=\"%s\"><t:Folders>",
                         next, total, next == total ? "true" : "false");
    buffer_append(&call->reply->text, buffer_string(&folders), folders.length);
    buffer_append_string(&call->reply->text, "</t:Folders></m:RootFolder>");
    reply_close_message(call->reply, "FindFolder");
    call_succeeded(call);
    buffer_release(&folders);
}

void operation_find_folder(struct call *call)
{
    const xmlNode *request = call->request;
    const char *traversal = xml_attribute(request, "Traversal");
    struct folder_search search = {.name = wanted_name(request),
                                   .deep = traversal != NULL && strcmp(traversal, "Deep") == 0,
                                   .most = call->simulator->limits.page_size};
    const xmlNode *shape = xml_child(request, "FolderShape");
    const xmlNode *view = xml_child(request, "IndexedPageFolderView");
    const xmlNode *parents = xml_child(request, "ParentFolderIds");
    if (shape != NULL)
        folder_shape_read(&search.shape, shape);
    const char *offset = view == NULL ? NULL : xml_attribute(view, "Offset");
    const char *most = view == NULL ? NULL : xml_attribute(view, "MaxEntriesReturned");
    if (offset != NULL && atoi(offset) > 0)
        search.offset = (size_t)atoi(offset);
    if (most != NULL && atoi(most) >= 0 && (size_t)atoi(most) < search.most)
        search.most = (size_t)atoi(most);
    for (xmlNode *id = parents == NULL ? NULL : xml_first(parents); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        const struct folder *parent = call_folder(call, id);
        if (parent != NULL)
            answer_parent(call, &search, parent);
    }
}

/* Everything is new to a client without a state, nothing to one with a state. */
void operation_sync_folder_hierarchy(struct call *call)
{
    struct folder_shape shape = {0};
    const xmlNode *shape_element = xml_child(call->request, "FolderShape");
    const char *state = xml_child_text(call->request, "SyncState");
    const struct mailbox *mailbox = call->mailbox;
    if (shape_element != NULL)
        folder_shape_read(&shape, shape_element);
    if (!call_begin(call))
        return;
    if (mailbox == NULL) {
        call_error(call, "ErrorMissingEmailAddress");
        return;
    }
    struct buffer *text = &call->reply->text;
    const struct folder *root = mailbox_distinguished(mailbox, "msgfolderroot");
    reply_open_message(call->reply, "SyncFolderHierarchy");
    buffer_append_string(text, "<m:SyncState>H4sIAAA=</m:SyncState>"
                               "<m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>"
                               "<m:Changes>");
    for (size_t i = 0; i < mailbox->folder_count && (state == NULL || *state == '\0'); i++) {
        if (!folder_is_below(mailbox->folders[i], root))
            continue;
        buffer_append_string(text, "<t:Create>");
        folder_append(mailbox->folders[i], shape, text);
        buffer_append_string(text, "</t:Create>");
    }
    buffer_append_string(text, "</m:Changes>");
    reply_close_message(call->reply, "SyncFolderHierarchy");
    call_succeeded(call);
}

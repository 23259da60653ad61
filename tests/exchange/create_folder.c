/* Changing folders: CreateFolder, DeleteFolder. */
#include "folder_fields.h"
#include "operations.h"
#include "simulator.h"

static void create_one(struct call *call, struct folder *parent, const xmlNode *element)
{
    const char *name = xml_child_text(element, "DisplayName");
    if (name == NULL || *name == '\0') {
        call_error(call, "ErrorFolderSavePropertyError");
        return;
    }
    if (folder_child(parent, name) != NULL) {
        call_error(call, "ErrorFolderExists");
        return;
    }
    const struct folder *folder = store_create_folder(call->simulator->store, parent, name);
    struct folder_shape id_only = {1};
    reply_open_message(call->reply, "CreateFolder");
    buffer_append_string(&call->reply->text, "<m:Folders>");
    folder_append(folder, id_only, &call->reply->text);
    buffer_append_string(&call->reply->text, "</m:Folders>");
    reply_close_message(call->reply, "CreateFolder");
    call_succeeded(call);
}

void operation_create_folder(struct call *call)
{
    const xmlNode *parent_id = xml_child(call->request, "ParentFolderId");
    const xmlNode *folders = xml_child(call->request, "Folders");
    const xmlNode *id = parent_id == NULL ? NULL : xml_first(parent_id);
    const char *code = "ErrorParentFolderNotFound";
    struct folder *parent = id == NULL ? NULL : call_find_folder(call, id, &code);
    for (xmlNode *element = folders == NULL ? NULL : xml_first(folders); element != NULL;
         element = xml_next(element)) {
        if (!call_begin(call))
            continue;
        if (parent == NULL)
            call_error(call, code);
        else
            create_one(call, parent, element);
    }
}

static void delete_one(struct call *call, struct folder *folder)
{
    if (folder->distinguished != NULL || folder_child_count(folder) > 0) {
        call_error(call, "ErrorDeleteDistinguishedFolder");
        return;
    }
    store_delete_folder(call->simulator->store, folder);
    reply_open_message(call->reply, "DeleteFolder");
    reply_close_message(call->reply, "DeleteFolder");
    call_succeeded(call);
}

void operation_delete_folder(struct call *call)
{
    const xmlNode *ids = xml_child(call->request, "FolderIds");
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        struct folder *folder = call_folder(call, id);
        if (folder != NULL)
            delete_one(call, folder);
    }
}

/* MoveItem and CopyItem. */
#include "operations.h"
#include "simulator.h"

#include <string.h>

static void answer_moved(struct call *call, const struct item *item, bool with_id)
{
    reply_open_message(call->reply, call->operation);
    if (with_id)
        call_append_item_id(call, item);
    else
        buffer_append_string(&call->reply->text, "<m:Items/>");
    reply_close_message(call->reply, call->operation);
    call_succeeded(call);
}

static void move_or_copy(struct call *call, bool copies)
{
    struct store *store = call->simulator->store;
    const xmlNode *to = xml_child(call->request, "ToFolderId");
    const xmlNode *ids = xml_child(call->request, "ItemIds");
    const char *code = "ErrorFolderNotFound";
    const char *wants_ids = xml_child_text(call->request, "ReturnNewItemIds");
    const xmlNode *to_id = to == NULL ? NULL : xml_first(to);
    struct folder *target = to_id == NULL ? NULL : call_find_folder(call, to_id, &code);
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        if (target == NULL) {
            call_error(call,
                       strcmp(code, "ErrorFolderNotFound") == 0 ? "ErrorToFolderNotFound" : code);
            continue;
        }
        struct item *item = call_item(call, id);
        if (item == NULL)
            continue;
        if (copies)
            item = store_copy_item(store, item, target);
        else
            store_move_item(store, item, target);
        answer_moved(call, item, wants_ids == NULL || xml_text_is_true(wants_ids));
    }
}

void operation_move_item(struct call *call)
{
    move_or_copy(call, false);
}

void operation_copy_item(struct call *call)
{
    move_or_copy(call, true);
}

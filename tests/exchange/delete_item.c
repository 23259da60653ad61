/* DeleteItem: for good, into the recoverable items, or into Deleted Items. */
#include "operations.h"
#include "read_receipts.h"
#include "simulator.h"

#include <string.h>

static void delete_as(struct store *store, struct item *item, const char *type)
{
    const struct mailbox *mailbox = item->folder->mailbox;
    if (strcmp(type, "MoveToDeletedItems") == 0)
        store_move_item(store, item, mailbox_distinguished(mailbox, "deleteditems"));
    else if (strcmp(type, "SoftDelete") == 0)
        store_move_item(store, item, mailbox_distinguished(mailbox, "recoverableitemsdeletions"));
    else
        store_delete_item(store, item);
}

void operation_delete_item(struct call *call)
{
    const xmlNode *ids = xml_child(call->request, "ItemIds");
    const char *type = xml_attribute(call->request, "DeleteType");
    bool suppress = xml_attribute_is_true(call->request, "SuppressReadReceipts");
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        struct item *item = call_item(call, id);
        if (item == NULL)
            continue;
        read_receipt_settle(call->simulator, item, false, suppress);
        delete_as(call->simulator->store, item, type == NULL ? "HardDelete" : type);
        reply_open_message(call->reply, "DeleteItem");
        reply_close_message(call->reply, "DeleteItem");
        call_succeeded(call);
    }
}

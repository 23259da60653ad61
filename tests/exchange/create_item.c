/* CreateItem: drafts, and messages that are sent at once. */
#include "base/memory.h"
#include "created_message.h"
#include "item_fields.h"
#include "operations.h"
#include "simulator.h"
#include "timestamp.h"
#include "transport.h"

#include <string.h>

/* How the request wants its messages kept and sent. */
struct creation {
    bool sends;
    bool keeps_copy;
    struct folder *target; /* where a draft or the copy goes */
};

/* NULL, or the response code that refuses the whole request. */
static const char *read_creation(struct call *call, struct creation *creation)
{
    const char *disposition = xml_attribute(call->request, "MessageDisposition");
    const xmlNode *target = xml_child(call->request, "SavedItemFolderId");
    const xmlNode *target_id = target == NULL ? NULL : xml_first(target);
    const char *code = NULL;
    if (call->mailbox == NULL)
        return "ErrorMissingEmailAddress";
    if (disposition == NULL)
        return "ErrorMessageDispositionRequired";
    creation->sends = strcmp(disposition, "SaveOnly") != 0;
    creation->keeps_copy = strcmp(disposition, "SendOnly") != 0;
    creation->target =
        mailbox_distinguished(call->mailbox, creation->sends ? "sentitems" : "drafts");
    if (target_id == NULL)
        return NULL;
    creation->target = call_find_folder(call, target_id, &code);
    return creation->target == NULL ? code : NULL;
}

static void set_properties(struct item *item, const xmlNode *element)
{
    const char *is_read = xml_child_text(element, "IsRead");
    const char *class = xml_child_text(element, "ItemClass");
    const char *importance = xml_child_text(element, "Importance");
    item_set_read(item, is_read == NULL || xml_text_is_true(is_read));
    if (class != NULL)
        item_details(item)->item_class = memory_copy_string(class);
    if (importance != NULL)
        item_details(item)->importance = memory_copy_string(importance);
    if (xml_child(element, "MimeContent") != NULL && xml_child(element, "Subject") != NULL)
        item_details(item)->subject = memory_copy_string(xml_child_text(element, "Subject"));
    for (xmlNode *child = xml_first(element); child != NULL; child = xml_next(child))
        if (xml_is(child, "ExtendedProperty"))
            property_set(&item_details(item)->properties, property_read(child));
}

/* Makes the item: a draft in its folder, or in the Outbox when it goes out. */
static struct item *make_item(struct call *call, const struct creation *creation,
                              const xmlNode *element)
{
    struct store *store = call->simulator->store;
    struct folder *folder =
        creation->sends ? mailbox_distinguished(call->mailbox, "outbox") : creation->target;
    struct message *message =
        created_message(element, call->mailbox->address, store_next_number(store));
    if (message == NULL)
        return NULL;
    struct item *item = store_add_item(store, folder, message, timestamp_now());
    message_release(message);
    item->is_draft = true;
    item->receipt_due = false;
    set_properties(item, element);
    return item;
}

static void create_one(struct call *call, const struct creation *creation, const xmlNode *element)
{
    struct item *item = make_item(call, creation, element);
    if (item == NULL) {
        call_error(call, "ErrorMimeContentInvalidBase64String");
        return;
    }
    const char *refusal =
        creation->sends ? transport_refuses(call->simulator->transport, item) : NULL;
    if (refusal != NULL) {
        store_delete_item(call->simulator->store, item);
        call_error(call, refusal);
        return;
    }
    reply_open_message(call->reply, "CreateItem");
    if (creation->sends) {
        transport_submit(call->simulator->transport, item,
                         creation->keeps_copy ? creation->target : NULL);
        buffer_append_string(&call->reply->text, "<m:Items/>");
    } else {
        call_append_item_id(call, item);
    }
    reply_close_message(call->reply, "CreateItem");
    call_succeeded(call);
}

void operation_create_item(struct call *call)
{
    struct creation creation = {0};
    const char *refusal = read_creation(call, &creation);
    const xmlNode *items = xml_child(call->request, "Items");
    for (xmlNode *element = items == NULL ? NULL : xml_first(items); element != NULL;
         element = xml_next(element)) {
        if (!call_begin(call))
            continue;
        if (refusal != NULL)
            call_error(call, refusal);
        else
            create_one(call, &creation, element);
    }
}

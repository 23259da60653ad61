/* SendItem: submits drafts. */
#include "operations.h"
#include "simulator.h"
#include "transport.h"

/* NULL, or the response code that refuses. A submission changes the item, so that the ChangeKey of
 * its draft cannot submit it once more. */
static const char *refuses(const struct call *call, const struct item *item, const xmlNode *id)
{
    if (xml_attribute(id, "ChangeKey") == NULL)
        return "ErrorChangeKeyRequired";
    if (!call_names_current(item, id))
        return "ErrorIrresolvableConflict";
    if (item->is_submitted)
        return "ErrorItemNotFound";
    return transport_refuses(call->simulator->transport, item);
}

static void send_one(struct call *call, struct item *item, const xmlNode *id,
                     struct folder *copy_to)
{
    const char *refusal = refuses(call, item, id);
    if (refusal != NULL) {
        call_error(call, refusal);
        return;
    }
    transport_submit(call->simulator->transport, item, copy_to);
    reply_open_message(call->reply, "SendItem");
    reply_close_message(call->reply, "SendItem");
    call_succeeded(call);
}

void operation_send_item(struct call *call)
{
    const xmlNode *ids = xml_child(call->request, "ItemIds");
    const xmlNode *target = xml_child(call->request, "SavedItemFolderId");
    const xmlNode *target_id = target == NULL ? NULL : xml_first(target);
    const char *code = NULL;
    struct folder *copy_to = NULL;
    if (xml_attribute_is_true(call->request, "SaveItemToFolder")) {
        if (target_id != NULL)
            copy_to = call_find_folder(call, target_id, &code);
        else if (call->mailbox != NULL)
            copy_to = mailbox_distinguished(call->mailbox, "sentitems");
    } else if (target_id != NULL) {
        code = "ErrorInvalidSendItemSaveSettings";
    }
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        if (code != NULL) {
            call_error(call, code);
            continue;
        }
        struct item *item = call_item(call, id);
        if (item != NULL)
            send_one(call, item, id, copy_to);
    }
}

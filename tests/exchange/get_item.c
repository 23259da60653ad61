/* GetItem: items by their ids, with MimeContent when asked for. */
#include "counters.h"
#include "item_fields.h"
#include "operations.h"
#include "simulator.h"

static bool has_no_mime(const struct item *item)
{
    return item->details != NULL && item->details->has_no_mime;
}

static void answer_item(struct call *call, const struct item *item, const struct item_shape *shape)
{
    bool with_mime = (shape->fields & FIELD_BIT(FIELD_MIME_CONTENT)) != 0;
    if (with_mime && has_no_mime(item)) {
        call_error(call, "ErrorUnsupportedMimeConversion");
        return;
    }
    reply_open_message(call->reply, "GetItem");
    buffer_append_string(&call->reply->text, "<m:Items>");
    item_append(item, shape, call->reply);
    buffer_append_string(&call->reply->text, "</m:Items>");
    reply_close_message(call->reply, "GetItem");
    call_succeeded(call);
    if (with_mime)
        counters_add(call->simulator->counters, "items_served", "", 1);
}

void operation_get_item(struct call *call)
{
    struct item_shape shape = {0};
    const xmlNode *shape_element = xml_child(call->request, "ItemShape");
    const xmlNode *ids = xml_child(call->request, "ItemIds");
    if (shape_element != NULL)
        item_shape_read(&shape, shape_element, false);
    for (xmlNode *id = ids == NULL ? NULL : xml_first(ids); id != NULL; id = xml_next(id)) {
        if (!call_begin(call))
            continue;
        const struct item *item = call_item(call, id);
        if (item != NULL)
            answer_item(call, item, &shape);
    }
    item_shape_release(&shape);
}

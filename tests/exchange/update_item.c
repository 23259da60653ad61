/* UpdateItem: IsRead, the other simple properties of a message, and extended ones. */
#include "base/memory.h"
#include "item_fields.h"
#include "operations.h"
#include "read_receipts.h"
#include "simulator.h"
#include "transport.h"

#include <string.h>

static void replace_text(char **text, const char *value)
{
    memory_free(*text);
    *text = memory_copy_string(value);
}

static void set_categories(struct item_details *details, const xmlNode *categories)
{
    for (size_t i = 0; i < details->category_count; i++)
        memory_free(details->categories[i]);
    details->category_count = 0;
    for (xmlNode *category = categories == NULL ? NULL : xml_first(categories); category != NULL;
         category = xml_next(category)) {
        details->categories = memory_resize(details->categories, (details->category_count + 1) *
                                                                     sizeof *details->categories);
        details->categories[details->category_count++] = memory_copy_string(xml_text(category));
    }
}

/* Sets (or with `value` NULL deletes) a property; false when it cannot be changed. */
static bool change_field(struct call *call, struct item *item, enum item_field field,
                         const xmlNode *value, bool suppress)
{
    struct item_details *details = item_details(item);
    const char *text = value == NULL ? NULL : xml_text(value);
    switch (field) {
    case FIELD_IS_READ:
        if (xml_text_is_true(text))
            read_receipt_settle(call->simulator, item, true, suppress);
        item_set_read(item, xml_text_is_true(text));
        return true;
    case FIELD_SUBJECT:
        replace_text(&details->subject, text == NULL ? "" : text);
        return true;
    case FIELD_ITEM_CLASS:
        replace_text(&details->item_class, text);
        return true;
    case FIELD_IMPORTANCE:
        replace_text(&details->importance, text);
        return true;
    case FIELD_SENSITIVITY:
        replace_text(&details->sensitivity, text);
        return true;
    case FIELD_FLAG:
        replace_text(&details->flag_status,
                     value == NULL ? NULL : xml_child_text(value, "FlagStatus"));
        return true;
    case FIELD_CATEGORIES:
        set_categories(details, value);
        return true;
    default:
        return false;
    }
}

static bool change_property(struct item *item, xmlNode *field_uri, const xmlNode *holder)
{
    struct extended_property **list = &item_details(item)->properties;
    xmlNode *property = holder == NULL ? NULL : xml_child(holder, "ExtendedProperty");
    if (property != NULL) {
        property_set(list, property_read(property));
        return true;
    }
    struct property_path path;
    property_path_read(&path, field_uri);
    property_delete(list, path.key);
    property_path_release(&path);
    return holder == NULL;
}

/* Carries out one SetItemField, DeleteItemField or AppendToItemField. */
static const char *apply_update(struct call *call, struct item *item, const xmlNode *update,
                                bool suppress)
{
    xmlNode *path = xml_first(update);
    const xmlNode *holder = path == NULL ? NULL : xml_next(path); /* t:Message and the like */
    bool deletes = xml_is(update, "DeleteItemField");
    if (path == NULL || (holder == NULL && !deletes))
        return "ErrorIncorrectUpdatePropertyCount";
    if (xml_is(path, "ExtendedFieldURI"))
        return change_property(item, path, deletes ? NULL : holder)
                   ? NULL
                   : "ErrorIncorrectUpdatePropertyCount";
    const char *uri = xml_attribute(path, "FieldURI");
    enum item_field field = uri == NULL ? FIELD_COUNT : item_field_named(uri);
    const xmlNode *value = deletes ? NULL : xml_first(holder);
    if (!deletes && value == NULL)
        return "ErrorIncorrectUpdatePropertyCount";
    return change_field(call, item, field, value, suppress) ? NULL : "ErrorInvalidPropertySet";
}

/* True when the request was made for another state of the item and must not overwrite it. */
static bool is_conflict(const struct call *call, const struct item *item, const xmlNode *item_id)
{
    const char *resolution = xml_attribute(call->request, "ConflictResolution");
    return resolution != NULL && strcmp(resolution, "NeverOverwrite") == 0 &&
           !call_names_current(item, item_id);
}

static const char *apply_updates(struct call *call, struct item *item, const xmlNode *change,
                                 bool suppress)
{
    const xmlNode *updates = xml_child(change, "Updates");
    const char *code = NULL;
    for (xmlNode *update = updates == NULL ? NULL : xml_first(updates);
         update != NULL && code == NULL; update = xml_next(update))
        code = apply_update(call, item, update, suppress);
    store_change_item(call->simulator->store, item);
    return code;
}

static void answer_change(struct call *call, const xmlNode *change)
{
    const char *disposition = xml_attribute(call->request, "MessageDisposition");
    const xmlNode *item_id = xml_child(change, "ItemId");
    struct item *item = item_id == NULL ? NULL : call_item(call, item_id);
    if (item_id == NULL)
        call_error(call, "ErrorInvalidIdMalformed");
    if (item == NULL)
        return;
    if (disposition == NULL) {
        call_error(call, "ErrorMessageDispositionRequired");
        return;
    }
    if (is_conflict(call, item, item_id)) {
        call_error(call, "ErrorIrresolvableConflict");
        return;
    }
    bool suppress = xml_attribute_is_true(call->request, "SuppressReadReceipts");
    const char *code = apply_updates(call, item, change, suppress);
    if (code != NULL) {
        call_error(call, code);
        return;
    }
    reply_open_message(call->reply, "UpdateItem");
    call_append_item_id(call, item);
    buffer_append_string(&call->reply->text,
                         "<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>");
    reply_close_message(call->reply, "UpdateItem");
    call_succeeded(call);
    if (strcmp(disposition, "SaveOnly") != 0)
        transport_submit(call->simulator->transport, item,
                         strcmp(disposition, "SendAndSaveCopy") == 0
                             ? mailbox_distinguished(call->mailbox, "sentitems")
                             : NULL);
}

void operation_update_item(struct call *call)
{
    const xmlNode *changes = xml_child(call->request, "ItemChanges");
    for (xmlNode *change = changes == NULL ? NULL : xml_first(changes); change != NULL;
         change = xml_next(change))
        if (call_begin(call))
            answer_change(call, change);
}

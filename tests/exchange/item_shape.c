/* Which properties of an item are asked for: the part of item_fields.h that reads requests. */
#include "item_fields.h"

#include "base/memory.h"
#include "soap.h"

#include <string.h>

/* What Exchange puts into a message with BaseShape Default. */
static const uint64_t default_fields =
    FIELD_BIT(FIELD_ITEM_ID) | FIELD_BIT(FIELD_SUBJECT) | FIELD_BIT(FIELD_SENSITIVITY) |
    FIELD_BIT(FIELD_BODY) | FIELD_BIT(FIELD_RECEIVED) | FIELD_BIT(FIELD_SIZE) |
    FIELD_BIT(FIELD_CATEGORIES) | FIELD_BIT(FIELD_IMPORTANCE) | FIELD_BIT(FIELD_IS_SUBMITTED) |
    FIELD_BIT(FIELD_IS_DRAFT) | FIELD_BIT(FIELD_IS_FROM_ME) | FIELD_BIT(FIELD_IS_RESEND) |
    FIELD_BIT(FIELD_IS_UNMODIFIED) | FIELD_BIT(FIELD_SENT) | FIELD_BIT(FIELD_CREATED) |
    FIELD_BIT(FIELD_HAS_ATTACHMENTS) | FIELD_BIT(FIELD_IS_ASSOCIATED) | FIELD_BIT(FIELD_SENDER) |
    FIELD_BIT(FIELD_TO) | FIELD_BIT(FIELD_CC) | FIELD_BIT(FIELD_READ_RECEIPT_REQUESTED) |
    FIELD_BIT(FIELD_DELIVERY_RECEIPT_REQUESTED) | FIELD_BIT(FIELD_FROM) | FIELD_BIT(FIELD_IS_READ) |
    FIELD_BIT(FIELD_INTERNET_ID);

static void add_path(struct item_shape *shape, xmlNode *field_uri)
{
    shape->paths = memory_resize(shape->paths, (shape->path_count + 1) * sizeof *shape->paths);
    property_path_read(&shape->paths[shape->path_count++], field_uri);
    shape->fields |= FIELD_BIT(FIELD_EXTENDED);
}

void item_shape_read(struct item_shape *shape, const xmlNode *element, bool is_list)
{
    *shape = (struct item_shape){.is_list = is_list};
    const char *base = xml_child_text(element, "BaseShape");
    if (base == NULL || strcmp(base, "IdOnly") == 0)
        shape->fields = FIELD_BIT(FIELD_ITEM_ID);
    else if (strcmp(base, "Default") == 0)
        shape->fields = default_fields;
    else
        shape->fields = (FIELD_BIT(FIELD_COUNT) - 1) & ~FIELD_BIT(FIELD_MIME_CONTENT) &
                        ~FIELD_BIT(FIELD_EXTENDED) & ~FIELD_BIT(FIELD_TEXT_BODY);
    if (xml_text_is_true(xml_child_text(element, "IncludeMimeContent")))
        shape->fields |= FIELD_BIT(FIELD_MIME_CONTENT);
    const char *body = xml_child_text(element, "BodyType");
    shape->wants_text_body = body != NULL && strcmp(body, "Text") == 0;
    const xmlNode *additional = xml_child(element, "AdditionalProperties");
    for (xmlNode *path = additional == NULL ? NULL : xml_first(additional); path != NULL;
         path = xml_next(path)) {
        if (xml_is(path, "ExtendedFieldURI")) {
            add_path(shape, path);
        } else if (xml_is(path, "FieldURI")) {
            const char *uri = xml_attribute(path, "FieldURI");
            enum item_field field = uri == NULL ? FIELD_COUNT : item_field_named(uri);
            if (field != FIELD_COUNT)
                shape->fields |= FIELD_BIT(field);
        }
    }
    if (is_list)
        shape->fields &= ~fields_of_get_item_only;
}

void item_shape_release(struct item_shape *shape)
{
    for (size_t i = 0; i < shape->path_count; i++)
        property_path_release(&shape->paths[i]);
    memory_free(shape->paths);
    *shape = (struct item_shape){0};
}

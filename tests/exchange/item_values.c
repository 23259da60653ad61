/* The properties of an item as values to compare: the part of item_fields.h that searches. */
#include "item_fields.h"

#include "base64.h"

#include <stdlib.h>
#include <string.h>

static void set_text(struct field_value *value, const char *text)
{
    if (text == NULL)
        return;
    value->kind = VALUE_TEXT;
    value->text = text;
}

static void set_number(struct field_value *value, int64_t number)
{
    value->kind = VALUE_NUMBER;
    value->number = number;
}

static void set_address(struct field_value *value, const struct mime_addresses *addresses)
{
    if (addresses->count > 0)
        set_text(value, addresses->list[0].address);
}

static const char *or_normal(const char *text)
{
    return text == NULL ? "Normal" : text;
}

bool item_field_is_comparable(enum item_field field)
{
    static const uint64_t comparable =
        FIELD_BIT(FIELD_ITEM_CLASS) | FIELD_BIT(FIELD_SUBJECT) | FIELD_BIT(FIELD_SENSITIVITY) |
        FIELD_BIT(FIELD_RECEIVED) | FIELD_BIT(FIELD_SIZE) | FIELD_BIT(FIELD_IMPORTANCE) |
        FIELD_BIT(FIELD_IN_REPLY_TO) | FIELD_BIT(FIELD_IS_SUBMITTED) | FIELD_BIT(FIELD_IS_DRAFT) |
        FIELD_BIT(FIELD_SENT) | FIELD_BIT(FIELD_CREATED) | FIELD_BIT(FIELD_HAS_ATTACHMENTS) |
        FIELD_BIT(FIELD_MODIFIED) | FIELD_BIT(FIELD_SENDER) | FIELD_BIT(FIELD_FROM) |
        FIELD_BIT(FIELD_INTERNET_ID) | FIELD_BIT(FIELD_IS_READ) | FIELD_BIT(FIELD_REFERENCES);
    return (comparable & FIELD_BIT(field)) != 0;
}

static void message_value(const struct item *item, enum item_field field, struct field_value *value)
{
    const struct message *message = item->message;
    switch (field) {
    case FIELD_SENT:
        set_number(value, message->sent < 0 ? item->received : message->sent);
        break;
    case FIELD_SIZE:
        set_number(value, (int64_t)item_size(item));
        break;
    case FIELD_HAS_ATTACHMENTS:
        set_number(value, message->has_attachments);
        break;
    case FIELD_IN_REPLY_TO:
        set_text(value, message->in_reply_to);
        break;
    case FIELD_INTERNET_ID:
        set_text(value, message->internet_id);
        break;
    case FIELD_REFERENCES:
        set_text(value, message->references_field);
        break;
    case FIELD_FROM:
        set_address(value, &message->from);
        break;
    case FIELD_SENDER:
        set_address(value, message->sender.count > 0 ? &message->sender : &message->from);
        break;
    default:
        break;
    }
}

void item_field_value(const struct item *item, enum item_field field, struct field_value *value)
{
    value->kind = VALUE_NONE;
    switch (field) {
    case FIELD_ITEM_CLASS:
        set_text(value, item_class(item));
        break;
    case FIELD_SUBJECT:
        set_text(value, item_subject(item));
        break;
    case FIELD_SENSITIVITY:
        set_text(value, or_normal(item->details == NULL ? NULL : item->details->sensitivity));
        break;
    case FIELD_IMPORTANCE:
        set_text(value, or_normal(item->details == NULL ? NULL : item->details->importance));
        break;
    case FIELD_RECEIVED:
        set_number(value, item->received);
        break;
    case FIELD_CREATED:
        set_number(value, item->created);
        break;
    case FIELD_MODIFIED:
        set_number(value, item->modified);
        break;
    case FIELD_IS_SUBMITTED:
        set_number(value, item->is_submitted);
        break;
    case FIELD_IS_DRAFT:
        set_number(value, item->is_draft);
        break;
    case FIELD_IS_READ:
        set_number(value, item->is_read);
        break;
    default:
        message_value(item, field, value);
    }
}

/* Properties by tag that are not stored as such: PidTagSearchKey. */
static void computed_value(const struct item *item, const struct property_path *path,
                           struct field_value *value)
{
    if (strcmp(path->key, PROPERTY_KEY_SEARCH_KEY) != 0)
        return;
    struct buffer text = {0};
    base64_append(&text, item->search_key, sizeof item->search_key);
    memcpy(value->room, text.data, text.length + 1);
    buffer_release(&text);
    set_text(value, value->room);
}

void item_property_value(const struct item *item, const struct property_path *path,
                         struct field_value *value)
{
    value->kind = VALUE_NONE;
    const struct extended_property *property =
        item->details == NULL ? NULL : property_find(item->details->properties, path->key);
    if (property == NULL)
        computed_value(item, path, value);
    else if (property->count > 0 && path->type != NULL && strcmp(path->type, "Integer") == 0)
        set_number(value, strtoll(property->values[0], NULL, 10));
    else if (property->count > 0)
        set_text(value, property->values[0]);
}

/* The properties of an item: how they are named in EWS, written, compared. */
#ifndef EXCHANGE_ITEM_FIELDS_H
#define EXCHANGE_ITEM_FIELDS_H

#include "call.h"
#include "mailbox_store.h"
#include "reply.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which the schema wants them. */
enum item_field {
    FIELD_MIME_CONTENT,
    FIELD_ITEM_ID,
    FIELD_PARENT_FOLDER_ID,
    FIELD_ITEM_CLASS,
    FIELD_SUBJECT,
    FIELD_SENSITIVITY,
    FIELD_BODY,
    FIELD_RECEIVED,
    FIELD_SIZE,
    FIELD_CATEGORIES,
    FIELD_IMPORTANCE,
    FIELD_IN_REPLY_TO,
    FIELD_IS_SUBMITTED,
    FIELD_IS_DRAFT,
    FIELD_IS_FROM_ME,
    FIELD_IS_RESEND,
    FIELD_IS_UNMODIFIED,
    FIELD_HEADERS,
    FIELD_SENT,
    FIELD_CREATED,
    FIELD_REMINDER_IS_SET,
    FIELD_DISPLAY_CC,
    FIELD_DISPLAY_TO,
    FIELD_HAS_ATTACHMENTS,
    FIELD_EXTENDED, /* where extended properties stand; has no name of its own */
    FIELD_CULTURE,
    FIELD_EFFECTIVE_RIGHTS,
    FIELD_MODIFIER,
    FIELD_MODIFIED,
    FIELD_IS_ASSOCIATED,
    FIELD_FLAG,
    FIELD_TEXT_BODY,
    FIELD_SENDER,
    FIELD_TO,
    FIELD_CC,
    FIELD_BCC,
    FIELD_READ_RECEIPT_REQUESTED,
    FIELD_DELIVERY_RECEIPT_REQUESTED,
    FIELD_TOPIC,
    FIELD_FROM,
    FIELD_INTERNET_ID,
    FIELD_IS_READ,
    FIELD_IS_RESPONSE_REQUESTED,
    FIELD_REFERENCES,
    FIELD_REPLY_TO,
    FIELD_COUNT
};

#define FIELD_BIT(field) (UINT64_C(1) << (field))

/* The fields that FindItem never answers. */
extern const uint64_t fields_of_get_item_only;

/* The field of a name such as "item:Subject"; FIELD_COUNT when the simulator does not know it. */
enum item_field item_field_named(const char *uri);

/* Which fields and extended properties an answer has. */
struct item_shape {
    uint64_t fields; /* FIELD_BITs */
    bool is_list;    /* FindItem: originators by name only */
    bool wants_text_body;
    struct property_path *paths;
    size_t path_count;
};

/* Reads an ItemShape element. */
void item_shape_read(struct item_shape *shape, const xmlNode *element, bool is_list);
void item_shape_release(struct item_shape *shape);

/* Appends the whole item element: <t:Message>...</t:Message>. */
void item_append(const struct item *item, const struct item_shape *shape, struct reply *reply);

/* The element of the item's class: Message, MeetingRequest ... */
const char *item_element_name(const struct item *item);
void item_append_id_element(const struct item *item, struct buffer *text);

/* A value that can be compared. */
enum { VALUE_ROOM = 32 };
struct field_value {
    enum { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER } kind;
    const char *text;
    int64_t number; /* times, sizes, booleans */
    char room[VALUE_ROOM];
};

/* The value of a field for restrictions and sorting; VALUE_NONE when the item has none. */
void item_field_value(const struct item *item, enum item_field field, struct field_value *value);
/* The same for an extended property. */
void item_property_value(const struct item *item, const struct property_path *path,
                         struct field_value *value);
/* True for the fields that item_field_value knows. */
bool item_field_is_comparable(enum item_field field);

#endif

#include "item_fields.h"

#include "base/memory.h"
#include "base64.h"
#include "mime_body.h"
#include "soap.h"
#include "timestamp.h"
#include "xml_text.h"

#include <stdlib.h>
#include <string.h>

/* How a field is written; nothing when the item has no such property. */
typedef void field_writer(const struct item *item, const struct item_shape *shape,
                          struct reply *reply);

/* Appends <t:NAME>text</t:NAME> of text that needs no escaping. */
static void append_simple(struct reply *reply, const char *name, const char *text)
{
    struct buffer *out = &reply->text;
    buffer_append_string(out, "<t:");
    buffer_append_string(out, name);
    buffer_append_char(out, '>');
    buffer_append_string(out, text);
    buffer_append_string(out, "</t:");
    buffer_append_string(out, name);
    buffer_append_char(out, '>');
}

static void append_boolean(struct reply *reply, const char *name, bool value)
{
    append_simple(reply, name, value ? "true" : "false");
}

static void append_time(struct reply *reply, const char *name, int64_t time)
{
    char text[TIMESTAMP_SIZE];
    timestamp_format(time, text);
    append_simple(reply, name, text);
}

static void append_optional(struct reply *reply, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        xml_append_element(&reply->text, name, text);
}

static void append_fragment(const struct item *item, enum message_fragment fragment,
                            struct reply *reply)
{
    if (item->message->fragments[fragment] != NULL)
        buffer_append_string(&reply->text, item->message->fragments[fragment]);
}

static void append_addresses(struct reply *reply, const char *name,
                             const struct mime_addresses *addresses)
{
    if (addresses->count == 0)
        return;
    buffer_append_format(&reply->text, "<t:%s>", name);
    for (size_t i = 0; i < addresses->count; i++) {
        const struct mime_address *address = &addresses->list[i];
        buffer_append_string(&reply->text, "<t:Mailbox>");
        xml_append_element(&reply->text, "Name",
                           address->name == NULL ? address->address : address->name);
        xml_append_element(&reply->text, "EmailAddress", address->address);
        buffer_append_string(&reply->text, "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox>");
    }
    buffer_append_format(&reply->text, "</t:%s>", name);
}

static void append_display(struct reply *reply, const char *name,
                           const struct mime_addresses *addresses)
{
    struct buffer text = {0};
    for (size_t i = 0; i < addresses->count; i++)
        buffer_append_format(&text, "%s%s", i > 0 ? "; " : "",
                             addresses->list[i].name == NULL ? addresses->list[i].address
                                                             : addresses->list[i].name);
    xml_append_element(&reply->text, name, buffer_string(&text));
    buffer_release(&text);
}

/* -- One writer a field ---------------------------------------------------- */

#define WRITER(name)                                                                  \
    static void write_##name(const struct item *item, const struct item_shape *shape, \
                             struct reply *reply)

WRITER(mime_content)
{
    (void)shape;
    buffer_append_string(&reply->text, "<t:MimeContent CharacterSet=\"UTF-8\">");
    reply_append_content(reply, item->message);
    buffer_append_string(&reply->text, "</t:MimeContent>");
}

WRITER(item_id)
{
    (void)shape;
    item_append_id_element(item, &reply->text);
}

WRITER(parent_folder_id)
{
    (void)shape;
    buffer_append_string(&reply->text, "<t:ParentFolderId Id=\"");
    folder_append_id(item->folder, &reply->text);
    buffer_append_string(&reply->text, "\" ChangeKey=\"AQAAAA==\"/>");
}

WRITER(item_class)
{
    (void)shape;
    xml_append_element(&reply->text, "ItemClass", item_class(item));
}

WRITER(subject)
{
    (void)shape;
    const struct item_details *details = item->details;
    if (details == NULL || (details->subject == NULL && details->illegal_character == 0)) {
        append_fragment(item, MESSAGE_SUBJECT, reply);
        return;
    }
    buffer_append_string(&reply->text, "<t:Subject>");
    xml_append_escaped(&reply->text, item_subject(item), strlen(item_subject(item)));
    if (details->illegal_character > 0) {
        buffer_append_format(&reply->text, "&#x%X;", details->illegal_character - 1);
        reply->is_spoiled = true;
    }
    buffer_append_string(&reply->text, "</t:Subject>");
}

WRITER(sensitivity)
{
    (void)shape;
    const char *value = item->details == NULL ? NULL : item->details->sensitivity;
    xml_append_element(&reply->text, "Sensitivity", value == NULL ? "Normal" : value);
}

static void write_body_element(const struct item *item, const char *name, bool only_text,
                               struct reply *reply)
{
    struct buffer mime = {0};
    struct buffer text = {0};
    bool is_html = false;
    message_append_mime(item->message, &mime);
    mime_append_body(buffer_string(&mime), mime.length, &text, &is_html);
    buffer_append_format(&reply->text, "<t:%s BodyType=\"%s\">", name,
                         is_html && !only_text ? "HTML" : "Text");
    xml_append_escaped(&reply->text, buffer_string(&text), text.length);
    buffer_append_format(&reply->text, "</t:%s>", name);
    buffer_release(&text);
    buffer_release(&mime);
}

WRITER(body)
{
    write_body_element(item, "Body", shape->wants_text_body, reply);
}

WRITER(text_body)
{
    (void)shape;
    write_body_element(item, "TextBody", true, reply);
}

WRITER(received)
{
    (void)shape;
    append_time(reply, "DateTimeReceived", item->received);
}

WRITER(size)
{
    (void)shape;
    buffer_append_format(&reply->text, "<t:Size>%zu</t:Size>", item_size(item));
}

WRITER(categories)
{
    (void)shape;
    if (item->details == NULL || item->details->category_count == 0)
        return;
    buffer_append_string(&reply->text, "<t:Categories>");
    for (size_t i = 0; i < item->details->category_count; i++)
        xml_append_element(&reply->text, "String", item->details->categories[i]);
    buffer_append_string(&reply->text, "</t:Categories>");
}

WRITER(importance)
{
    (void)shape;
    const char *value = item->details == NULL ? NULL : item->details->importance;
    xml_append_element(&reply->text, "Importance", value == NULL ? "Normal" : value);
}

WRITER(in_reply_to)
{
    (void)shape;
    append_optional(reply, "InReplyTo", item->message->in_reply_to);
}

WRITER(is_submitted)
{
    (void)shape;
    append_boolean(reply, "IsSubmitted", item->is_submitted);
}

WRITER(is_draft)
{
    (void)shape;
    append_boolean(reply, "IsDraft", item->is_draft);
}

WRITER(is_from_me)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsFromMe", false);
}

WRITER(is_resend)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsResend", false);
}

WRITER(is_unmodified)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsUnmodified", false);
}

WRITER(headers)
{
    (void)shape;
    struct buffer mime = {0};
    message_append_mime(item->message, &mime);
    struct mime_reader reader = {buffer_string(&mime), buffer_string(&mime) + mime.length};
    struct mime_field field;
    bool any = false;
    while (mime_next_field(&reader, &field)) {
        buffer_append_string(&reply->text, any ? "" : "<t:InternetMessageHeaders>");
        any = true;
        buffer_append_string(&reply->text, "<t:InternetMessageHeader HeaderName=\"");
        xml_append_escaped(&reply->text, field.name, field.name_length);
        buffer_append_string(&reply->text, "\">");
        size_t blank = field.value_length > 0 && field.value[0] == ' ';
        xml_append_escaped(&reply->text, field.value + blank, field.value_length - blank);
        buffer_append_string(&reply->text, "</t:InternetMessageHeader>");
    }
    buffer_append_string(&reply->text, any ? "</t:InternetMessageHeaders>" : "");
    buffer_release(&mime);
}

WRITER(sent)
{
    (void)shape;
    append_time(reply, "DateTimeSent",
                item->message->sent < 0 ? item->received : item->message->sent);
}

WRITER(created)
{
    (void)shape;
    append_time(reply, "DateTimeCreated", item->created);
}

WRITER(reminder_is_set)
{
    (void)item, (void)shape;
    append_boolean(reply, "ReminderIsSet", false);
}

WRITER(display_cc)
{
    (void)shape;
    append_display(reply, "DisplayCc", &item->message->cc);
}

WRITER(display_to)
{
    (void)shape;
    append_display(reply, "DisplayTo", &item->message->to);
}

WRITER(has_attachments)
{
    (void)shape;
    append_boolean(reply, "HasAttachments", item->message->has_attachments);
}

WRITER(extended)
{
    for (size_t i = 0; i < shape->path_count; i++) {
        const struct property_path *path = &shape->paths[i];
        const struct extended_property *property =
            item->details == NULL ? NULL : property_find(item->details->properties, path->key);
        struct field_value value;
        if (property != NULL) {
            property_append_xml(path, property->values, property->count, property->is_array,
                                &reply->text);
            continue;
        }
        item_property_value(item, path, &value);
        if (value.kind == VALUE_TEXT)
            property_append_xml(path, &(char *){value.room}, 1, false, &reply->text);
    }
}

WRITER(culture)
{
    (void)item, (void)shape;
    xml_append_element(&reply->text, "Culture", "en-US");
}

WRITER(effective_rights)
{
    (void)item, (void)shape;
    buffer_append_string(
        &reply->text,
        "<t:EffectiveRights><t:CreateAssociated>false</t:CreateAssociated>"
        "<t:CreateContents>false</t:CreateContents><t:CreateHierarchy>false</t:CreateHierarchy>"
        "<t:Delete>true</t:Delete><t:Modify>true</t:Modify><t:Read>true</t:Read>"
        "</t:EffectiveRights>");
}

WRITER(modifier)
{
    (void)shape;
    xml_append_element(&reply->text, "LastModifiedName", item->folder->mailbox->address);
}

WRITER(modified)
{
    (void)shape;
    append_time(reply, "LastModifiedTime", item->modified);
}

WRITER(is_associated)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsAssociated", false);
}

WRITER(flag)
{
    (void)shape;
    const char *status = item->details == NULL ? NULL : item->details->flag_status;
    buffer_append_string(&reply->text, "<t:Flag>");
    xml_append_element(&reply->text, "FlagStatus", status == NULL ? "NotFlagged" : status);
    buffer_append_string(&reply->text, "</t:Flag>");
}

WRITER(sender)
{
    append_fragment(item, shape->is_list ? MESSAGE_SENDER_NAME : MESSAGE_SENDER, reply);
}

WRITER(to)
{
    (void)shape;
    append_addresses(reply, "ToRecipients", &item->message->to);
}

WRITER(cc)
{
    (void)shape;
    append_addresses(reply, "CcRecipients", &item->message->cc);
}

WRITER(bcc)
{
    (void)shape;
    append_addresses(reply, "BccRecipients", &item->message->bcc);
}

WRITER(read_receipt_requested)
{
    (void)shape;
    append_boolean(reply, "IsReadReceiptRequested", item->message->receipt_to.count > 0);
}

WRITER(delivery_receipt_requested)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsDeliveryReceiptRequested", false);
}

WRITER(topic)
{
    (void)shape;
    append_optional(reply, "ConversationTopic", item->message->subject);
}

WRITER(from)
{
    append_fragment(item, shape->is_list ? MESSAGE_FROM_NAME : MESSAGE_FROM, reply);
}

WRITER(internet_id)
{
    (void)shape;
    append_fragment(item, MESSAGE_INTERNET_ID, reply);
}

WRITER(is_read)
{
    (void)shape;
    append_boolean(reply, "IsRead", item->is_read);
}

WRITER(is_response_requested)
{
    (void)item, (void)shape;
    append_boolean(reply, "IsResponseRequested", false);
}

WRITER(references)
{
    (void)shape;
    append_optional(reply, "References", item->message->references_field);
}

WRITER(reply_to)
{
    (void)shape;
    append_addresses(reply, "ReplyTo", &item->message->reply_to);
}

static const struct {
    const char *uri;
    field_writer *write;
} fields[FIELD_COUNT] = {
    [FIELD_MIME_CONTENT] = {"item:MimeContent", write_mime_content},
    [FIELD_ITEM_ID] = {"item:ItemId", write_item_id},
    [FIELD_PARENT_FOLDER_ID] = {"item:ParentFolderId", write_parent_folder_id},
    [FIELD_ITEM_CLASS] = {"item:ItemClass", write_item_class},
    [FIELD_SUBJECT] = {"item:Subject", write_subject},
    [FIELD_SENSITIVITY] = {"item:Sensitivity", write_sensitivity},
    [FIELD_BODY] = {"item:Body", write_body},
    [FIELD_RECEIVED] = {"item:DateTimeReceived", write_received},
    [FIELD_SIZE] = {"item:Size", write_size},
    [FIELD_CATEGORIES] = {"item:Categories", write_categories},
    [FIELD_IMPORTANCE] = {"item:Importance", write_importance},
    [FIELD_IN_REPLY_TO] = {"item:InReplyTo", write_in_reply_to},
    [FIELD_IS_SUBMITTED] = {"item:IsSubmitted", write_is_submitted},
    [FIELD_IS_DRAFT] = {"item:IsDraft", write_is_draft},
    [FIELD_IS_FROM_ME] = {"item:IsFromMe", write_is_from_me},
    [FIELD_IS_RESEND] = {"item:IsResend", write_is_resend},
    [FIELD_IS_UNMODIFIED] = {"item:IsUnmodified", write_is_unmodified},
    [FIELD_HEADERS] = {"item:InternetMessageHeaders", write_headers},
    [FIELD_SENT] = {"item:DateTimeSent", write_sent},
    [FIELD_CREATED] = {"item:DateTimeCreated", write_created},
    [FIELD_REMINDER_IS_SET] = {"item:ReminderIsSet", write_reminder_is_set},
    [FIELD_DISPLAY_CC] = {"item:DisplayCc", write_display_cc},
    [FIELD_DISPLAY_TO] = {"item:DisplayTo", write_display_to},
    [FIELD_HAS_ATTACHMENTS] = {"item:HasAttachments", write_has_attachments},
    [FIELD_EXTENDED] = {"", write_extended},
    [FIELD_CULTURE] = {"item:Culture", write_culture},
    [FIELD_EFFECTIVE_RIGHTS] = {"item:EffectiveRights", write_effective_rights},
    [FIELD_MODIFIER] = {"item:LastModifiedName", write_modifier},
    [FIELD_MODIFIED] = {"item:LastModifiedTime", write_modified},
    [FIELD_IS_ASSOCIATED] = {"item:IsAssociated", write_is_associated},
    [FIELD_FLAG] = {"item:Flag", write_flag},
    [FIELD_TEXT_BODY] = {"item:TextBody", write_text_body},
    [FIELD_SENDER] = {"message:Sender", write_sender},
    [FIELD_TO] = {"message:ToRecipients", write_to},
    [FIELD_CC] = {"message:CcRecipients", write_cc},
    [FIELD_BCC] = {"message:BccRecipients", write_bcc},
    [FIELD_READ_RECEIPT_REQUESTED] = {"message:IsReadReceiptRequested",
                                      write_read_receipt_requested},
    [FIELD_DELIVERY_RECEIPT_REQUESTED] = {"message:IsDeliveryReceiptRequested",
                                          write_delivery_receipt_requested},
    [FIELD_TOPIC] = {"message:ConversationTopic", write_topic},
    [FIELD_FROM] = {"message:From", write_from},
    [FIELD_INTERNET_ID] = {"message:InternetMessageId", write_internet_id},
    [FIELD_IS_READ] = {"message:IsRead", write_is_read},
    [FIELD_IS_RESPONSE_REQUESTED] = {"message:IsResponseRequested", write_is_response_requested},
    [FIELD_REFERENCES] = {"message:References", write_references},
    [FIELD_REPLY_TO] = {"message:ReplyTo", write_reply_to},
};

const uint64_t fields_of_get_item_only = FIELD_BIT(FIELD_MIME_CONTENT) | FIELD_BIT(FIELD_BODY) |
                                         FIELD_BIT(FIELD_TEXT_BODY) | FIELD_BIT(FIELD_HEADERS) |
                                         FIELD_BIT(FIELD_TO) | FIELD_BIT(FIELD_CC) |
                                         FIELD_BIT(FIELD_BCC) | FIELD_BIT(FIELD_REPLY_TO);

enum item_field item_field_named(const char *uri)
{
    unsigned field = 0;
    while (field < FIELD_COUNT && strcmp(fields[field].uri, uri) != 0)
        field++;
    return (enum item_field)field;
}

const char *item_element_name(const struct item *item)
{
    static const char *const elements[][2] = {
        {"IPM.Schedule.Meeting.Request", "MeetingRequest"},
        {"IPM.Schedule.Meeting.Resp", "MeetingResponse"},
        {"IPM.Schedule.Meeting.Canceled", "MeetingCancellation"}};
    const char *class = item_class(item);
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (strncmp(class, elements[i][0], strlen(elements[i][0])) == 0)
            return elements[i][1];
    return "Message";
}

void item_append_id_element(const struct item *item, struct buffer *text)
{
    buffer_append_string(text, "<t:ItemId Id=\"");
    item_append_id(item, text);
    buffer_append_string(text, "\" ChangeKey=\"");
    item_append_change_key(item, text);
    buffer_append_string(text, "\"/>");
}

void item_append(const struct item *item, const struct item_shape *shape, struct reply *reply)
{
    const char *element = item_element_name(item);
    buffer_append_string(&reply->text, "<t:");
    buffer_append_string(&reply->text, element);
    buffer_append_char(&reply->text, '>');
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        if (shape->fields & FIELD_BIT(field))
            fields[field].write(item, shape, reply);
    buffer_append_string(&reply->text, "</t:");
    buffer_append_string(&reply->text, element);
    buffer_append_char(&reply->text, '>');
}

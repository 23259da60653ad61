#include "created_message.h"

#include "base/memory.h"
#include "base64.h"
#include "soap.h"

#include <string.h>
#include <strings.h>

/* Appends text that stands in a header field: encoded when it is not plain ASCII. */
static void append_encoded(struct buffer *mime, const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80 || (unsigned char)*at < 0x20) {
            buffer_append_string(mime, "=?utf-8?B?");
            base64_append(mime, text, strlen(text));
            buffer_append_string(mime, "?=");
            return;
        }
    buffer_append_string(mime, text);
}

static void append_mailbox(struct buffer *mime, const xmlNode *mailbox)
{
    const char *name = xml_child_text(mailbox, "Name");
    const char *address = xml_child_text(mailbox, "EmailAddress");
    if (name != NULL && *name != '\0') {
        buffer_append_char(mime, '"');
        append_encoded(mime, name);
        buffer_append_string(mime, "\" ");
    }
    buffer_append_format(mime, "<%s>", address == NULL ? "" : address);
}

static void append_recipients(struct buffer *mime, const char *field, const xmlNode *recipients)
{
    const xmlNode *mailbox = recipients == NULL ? NULL : xml_first(recipients);
    if (mailbox == NULL)
        return;
    buffer_append_format(mime, "%s: ", field);
    for (bool is_first = true; mailbox != NULL; mailbox = xml_next(mailbox), is_first = false) {
        buffer_append_string(mime, is_first ? "" : ",\r\n ");
        append_mailbox(mime, mailbox);
    }
    buffer_append_string(mime, "\r\n");
}

static void append_field(struct buffer *mime, const char *field, const char *value)
{
    if (value == NULL)
        return;
    buffer_append_format(mime, "%s: ", field);
    append_encoded(mime, value);
    buffer_append_string(mime, "\r\n");
}

static void append_header(struct buffer *mime, const xmlNode *element, const char *sender,
                          uint64_t number)
{
    const xmlNode *from = xml_child(element, "From");
    if (from != NULL)
        append_recipients(mime, "From", from);
    else
        buffer_append_format(mime, "From: <%s>\r\n", sender);
    append_recipients(mime, "To", xml_child(element, "ToRecipients"));
    append_recipients(mime, "Cc", xml_child(element, "CcRecipients"));
    append_recipients(mime, "Bcc", xml_child(element, "BccRecipients"));
    append_recipients(mime, "Reply-To", xml_child(element, "ReplyTo"));
    append_field(mime, "Subject", xml_child_text(element, "Subject"));
    append_field(mime, "In-Reply-To", xml_child_text(element, "InReplyTo"));
    append_field(mime, "References", xml_child_text(element, "References"));
    const char *id = xml_child_text(element, "InternetMessageId");
    if (id != NULL)
        append_field(mime, "Message-ID", id);
    else
        buffer_append_format(mime, "Message-ID: <created.%llu@simulator.example.com>\r\n",
                             (unsigned long long)number);
    if (xml_text_is_true(xml_child_text(element, "IsReadReceiptRequested")))
        buffer_append_format(mime, "Disposition-Notification-To: <%s>\r\n", sender);
}

static void append_body(struct buffer *mime, const xmlNode *body)
{
    const char *type = body == NULL ? NULL : xml_attribute(body, "BodyType");
    const char *text = body == NULL ? "" : xml_text(body);
    buffer_append_format(mime,
                         "MIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n",
                         type != NULL && strcmp(type, "HTML") == 0 ? "html" : "plain");
    size_t length = strlen(text);
    for (size_t at = 0; at < length; at += 57) {
        base64_append(mime, text + at, length - at < 57 ? length - at : 57);
        buffer_append_string(mime, "\r\n");
    }
}

/* -- MimeContent, and properties beside it --------------------------------- */

/* True when the message's own field names the same recipients. */
static bool names_same(const struct buffer *mime, const char *field, const xmlNode *recipients)
{
    struct mime_addresses addresses = {0};
    char *value = mime_field_raw(buffer_string(mime), mime->length, field);
    if (value != NULL)
        mime_parse_addresses(&addresses, value);
    memory_free(value);
    size_t i = 0;
    bool same = true;
    for (const xmlNode *mailbox = xml_first(recipients); mailbox != NULL;
         mailbox = xml_next(mailbox), i++) {
        const char *address = xml_child_text(mailbox, "EmailAddress");
        same = same && address != NULL && i < addresses.count &&
               strcasecmp(address, addresses.list[i].address) == 0;
    }
    same = same && i == addresses.count;
    mime_addresses_release(&addresses);
    return same;
}

/* Recipients that are given as properties hold, instead of those in the message's header. */
static void override_recipients(struct buffer *mime, const xmlNode *element)
{
    static const char *const fields[][2] = {
        {"BccRecipients", "Bcc"}, {"CcRecipients", "Cc"}, {"ToRecipients", "To"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const xmlNode *recipients = xml_child(element, fields[i][0]);
        if (recipients == NULL || names_same(mime, fields[i][1], recipients))
            continue;
        struct buffer changed = {0};
        append_recipients(&changed, fields[i][1], recipients);
        mime_append_without(&changed, buffer_string(mime), mime->length, fields[i][1]);
        buffer_release(mime);
        *mime = changed;
    }
}

static struct message *message_of_content(const xmlNode *element, const char *content)
{
    struct buffer mime = {0};
    struct message *message = NULL;
    if (base64_decode(&mime, content, strlen(content))) {
        override_recipients(&mime, element);
        message = message_create("created", buffer_string(&mime), mime.length);
    }
    buffer_release(&mime);
    return message;
}

struct message *created_message(const xmlNode *element, const char *sender, uint64_t number)
{
    const char *content = xml_child_text(element, "MimeContent");
    if (content != NULL)
        return message_of_content(element, content);
    struct buffer mime = {0};
    append_header(&mime, element, sender, number);
    append_body(&mime, xml_child(element, "Body"));
    struct message *message = message_create("created", mime.data, mime.length);
    buffer_release(&mime);
    return message;
}

#include "message.h"

#include "base/memory.h"
#include "base64.h"
#include "timestamp.h"
#include "xml_text.h"

#include <string.h>
#include <strings.h>

enum { LINE_SIZE = 76, BLOCK_SIZE = 1 << 20 };

static bool starts_with(const char *text, const char *start)
{
    return text != NULL && strncasecmp(text, start, strlen(start)) == 0;
}

/* The class that Exchange gives an item with this Content-Type. */
static const char *class_of(const char *content_type)
{
    if (content_type == NULL)
        return "IPM.Note";
    if (starts_with(content_type, "multipart/report")) {
        char *report = mime_parameter(content_type, "report-type");
        const char *class = starts_with(report, "disposition-notification")
                                ? "REPORT.IPM.Note.IPNRN"
                            : starts_with(report, "delivery-status") ? "REPORT.IPM.Note.NDR"
                                                                     : "IPM.Note";
        memory_free(report);
        return class;
    }
    if (starts_with(content_type, "multipart/signed"))
        return "IPM.Note.SMIME.MultipartSigned";
    if (starts_with(content_type, "application/pkcs7-mime") ||
        starts_with(content_type, "application/x-pkcs7-mime"))
        return "IPM.Note.SMIME";
    if (starts_with(content_type, "text/calendar"))
        return "IPM.Schedule.Meeting.Request";
    return "IPM.Note";
}

static void read_addresses(struct mime_addresses *addresses, const char *mime, size_t length,
                           const char *name)
{
    char *value = mime_field_raw(mime, length, name);
    if (value != NULL)
        mime_parse_addresses(addresses, value);
    memory_free(value);
}

static void read_header(struct message *message, const char *mime, size_t length)
{
    char *type = mime_field_raw(mime, length, "Content-Type");
    message->item_class = memory_copy_string(class_of(type));
    message->has_attachments = starts_with(type, "multipart/mixed");
    memory_free(type);
    message->subject = mime_field_text(mime, length, "Subject");
    if (message->subject == NULL)
        message->subject = memory_copy_string("");
    message->internet_id = mime_field_text(mime, length, "Message-ID");
    message->in_reply_to = mime_field_text(mime, length, "In-Reply-To");
    message->references_field = mime_field_text(mime, length, "References");
    read_addresses(&message->from, mime, length, "From");
    read_addresses(&message->sender, mime, length, "Sender");
    read_addresses(&message->to, mime, length, "To");
    read_addresses(&message->cc, mime, length, "Cc");
    read_addresses(&message->bcc, mime, length, "Bcc");
    read_addresses(&message->reply_to, mime, length, "Reply-To");
    read_addresses(&message->receipt_to, mime, length, "Disposition-Notification-To");
    char *date = mime_field_raw(mime, length, "Date");
    if (date == NULL || !timestamp_parse_mail_date(date, &message->sent))
        message->sent = -1;
    memory_free(date);
}

static void append_mailbox(struct buffer *xml, const struct mime_address *address, bool name_only)
{
    buffer_append_string(xml, "<t:Mailbox>");
    xml_append_element(xml, "Name", address->name == NULL ? address->address : address->name);
    if (!name_only) {
        xml_append_element(xml, "EmailAddress", address->address);
        xml_append_element(xml, "RoutingType", "SMTP");
        xml_append_element(xml, "MailboxType", "OneOff");
    }
    buffer_append_string(xml, "</t:Mailbox>");
}

static char *originator_xml(const char *element, const struct mime_addresses *addresses,
                            bool name_only)
{
    if (addresses->count == 0)
        return NULL;
    struct buffer xml = {0};
    buffer_append_format(&xml, "<t:%s>", element);
    append_mailbox(&xml, &addresses->list[0], name_only);
    buffer_append_format(&xml, "</t:%s>", element);
    return buffer_take(&xml);
}

static char *text_xml(const char *element, const char *text)
{
    if (text == NULL)
        return NULL;
    struct buffer xml = {0};
    xml_append_element(&xml, element, text);
    return buffer_take(&xml);
}

static void prepare_fragments(struct message *message)
{
    const struct mime_addresses *sender =
        message->sender.count > 0 ? &message->sender : &message->from;
    char **fragments = message->fragments;
    fragments[MESSAGE_SUBJECT] = text_xml("Subject", message->subject);
    fragments[MESSAGE_INTERNET_ID] = text_xml("InternetMessageId", message->internet_id);
    fragments[MESSAGE_FROM] = originator_xml("From", &message->from, false);
    fragments[MESSAGE_FROM_NAME] = originator_xml("From", &message->from, true);
    fragments[MESSAGE_SENDER] = originator_xml("Sender", sender, false);
    fragments[MESSAGE_SENDER_NAME] = originator_xml("Sender", sender, true);
}

static void append_with_crlf(struct buffer *mime, const char *bytes, size_t length)
{
    buffer_reserve(mime, length + length / 32);
    for (size_t at = 0; at < length;) {
        const char *lf = memchr(bytes + at, '\n', length - at);
        size_t stop = lf == NULL ? length : (size_t)(lf - bytes);
        buffer_append(mime, bytes + at, stop - at);
        if (lf != NULL)
            buffer_append_string(mime, stop > at && bytes[stop - 1] == '\r' ? "\n" : "\r\n");
        at = stop + 1;
    }
}

static struct message *message_of_header(const char *source, const char *mime, size_t length)
{
    struct message *message = memory_allocate(sizeof *message);
    atomic_init(&message->references, 1);
    message->source = memory_copy_string(source);
    read_header(message, mime, length);
    prepare_fragments(message);
    return message;
}

static char *encode(const char *bytes, size_t length, size_t *encoded_length)
{
    struct buffer text = {0};
    base64_append(&text, bytes, length);
    *encoded_length = text.length;
    return buffer_take(&text);
}

struct message *message_create(const char *source, const char *bytes, size_t length)
{
    struct buffer mime = {0};
    append_with_crlf(&mime, bytes, length);
    struct message *message = message_of_header(source, buffer_string(&mime), mime.length);
    message->mime_size = mime.length;
    message->content.head =
        encode(buffer_string(&mime), mime.length, &message->content.head_length);
    buffer_release(&mime);
    return message;
}

/* Appends lines of digits until `buffer` has grown by `length` bytes, whole lines or not. */
static void append_filling(struct buffer *buffer, size_t length)
{
    char line[LINE_SIZE + 1];
    for (size_t i = 0; i < LINE_SIZE; i++)
        line[i] = (char)('0' + i % 10);
    memcpy(line + LINE_SIZE - 2, "\r\n", 2);
    for (size_t done = 0; done < length; done += LINE_SIZE)
        buffer_append(buffer, line, length - done < LINE_SIZE ? length - done : LINE_SIZE);
}

/* Every part but the last has a length that 3 divides, so that their base64 can be put together. */
struct message *message_generate(const char *source, size_t megabytes)
{
    struct buffer head = {0};
    buffer_append_format(&head,
                         "From: Generator <generator@example.com>\r\n"
                         "To: everybody@example.com\r\n"
                         "Subject: A message of %zu MB, %s\r\n"
                         "Message-ID: <%s.%zu@generated.example.com>\r\n"
                         "Date: Sat, 31 Jan 2026 09:00:00 +0000\r\n"
                         "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n",
                         megabytes, source, source, megabytes);
    while (head.length % 3 != 0)
        buffer_append_char(&head, '-');
    struct message *message = message_of_header(source, head.data, head.length);
    size_t block_size = BLOCK_SIZE / (LINE_SIZE * 3) * (LINE_SIZE * 3);
    struct buffer block = {0};
    append_filling(&block, block_size);
    struct message_content *content = &message->content;
    content->head = encode(head.data, head.length, &content->head_length);
    content->block = encode(block.data, block.length, &content->block_length);
    content->block_count = megabytes; /* a block is 1 MB, less a few bytes */
    content->tail = encode("end\r\n", 5, &content->tail_length);
    message->mime_size = head.length + block.length * content->block_count + 5;
    buffer_release(&block);
    buffer_release(&head);
    return message;
}

struct message *message_reference(struct message *message)
{
    atomic_fetch_add_explicit(&message->references, 1, memory_order_relaxed);
    return message;
}

void message_release(struct message *message)
{
    if (message == NULL ||
        atomic_fetch_sub_explicit(&message->references, 1, memory_order_acq_rel) != 1)
        return;
    struct mime_addresses *addresses[] = {&message->from,      &message->sender, &message->to,
                                          &message->cc,        &message->bcc,    &message->reply_to,
                                          &message->receipt_to};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        mime_addresses_release(addresses[i]);
    for (size_t i = 0; i < MESSAGE_FRAGMENTS; i++)
        memory_free(message->fragments[i]);
    memory_free(message->source);
    memory_free(message->content.head);
    memory_free(message->content.block);
    memory_free(message->content.tail);
    memory_free(message->item_class);
    memory_free(message->subject);
    memory_free(message->internet_id);
    memory_free(message->in_reply_to);
    memory_free(message->references_field);
    memory_free(message);
}

void message_append_mime(const struct message *message, struct buffer *mime)
{
    const struct message_content *content = &message->content;
    buffer_reserve(mime, message->mime_size);
    base64_decode(mime, content->head, content->head_length);
    for (size_t i = 0; i < content->block_count; i++)
        base64_decode(mime, content->block, content->block_length);
    if (content->tail != NULL)
        base64_decode(mime, content->tail, content->tail_length);
}

size_t message_content_length(const struct message *message)
{
    const struct message_content *content = &message->content;
    return content->head_length + content->block_length * content->block_count +
           content->tail_length;
}

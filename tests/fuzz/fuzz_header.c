/* The header of a message from a hostile program: its fields cover it, its texts are one line of
 * UTF-8, and what goes out has no field that nobody is to see, whatever comes in. */
#include "mail/header.h"
#include "mail/outbox_private.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_USEFUL = 8192 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct header_field *field)
{
    struct buffer text = {0};
    header_field_text(field, &text);
    char *line = memory_allocate(text.length + 1);
    if (text_copy_line(line, text.length + 1, buffer_string(&text), text.length) != text.length ||
        strcmp(line, buffer_string(&text)) != 0)
        abort();
    memory_free(line);
    buffer_release(&text);
}

/* Returns where the fields end. */
static size_t check_fields(const char *bytes, size_t length)
{
    struct header_field field;
    size_t offset = 0;
    size_t before = 0;
    while (header_next(bytes, length, &offset, &field)) {
        if (field.start != bytes + before || field.length == 0 || offset != before + field.length ||
            offset > length || field.body + field.body_length != bytes + offset)
            abort();
        before = offset;
        check_text(&field);
    }
    return offset;
}

static void check_edited(const struct buffer *edited)
{
    struct header_field field;
    size_t offset = 0;
    unsigned from = 0;
    unsigned message_ids = 0;
    if (header_end(edited->data, edited->length, false) != edited->length)
        abort();
    while (header_next(edited->data, edited->length, &offset, &field)) {
        from += header_field_is(&field, "From");
        message_ids += header_field_is(&field, "Message-ID");
        if (field.name_length == 0 || header_field_is(&field, "Bcc") ||
            header_field_is(&field, "Resent-Bcc") || header_field_is(&field, "Return-Path"))
            abort();
    }
    if (from != 1 || message_ids != 1)
        abort();
}

/* As outbox_source_read hands it out: CRLF, with a newline at the end. */
static void check_outgoing(const char *bytes, size_t size)
{
    static const struct outbox_edit edit = {.from = "a@b", .message_id = "<1@b>"};
    struct line_endings_crlf line_endings = {0};
    struct outbox_envelope envelope = {0};
    struct buffer text = {0};
    struct buffer edited = {0};
    buffer_reserve(&text, 2 * size);
    text.length = line_endings_to_crlf(&line_endings, bytes, size, text.data);
    if (text.length > 0 && text.data[text.length - 1] != '\n')
        buffer_append_string(&text, "\r\n");
    size_t length = header_end(buffer_string(&text), text.length, true);
    outbox_envelope_read(&envelope, buffer_string(&text), length);
    outbox_edit_header(buffer_string(&text), length, &edit, 1000, &edited);
    check_edited(&edited);
    outbox_envelope_release(&envelope);
    buffer_release(&edited);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_MAX_USEFUL)
        return 0;
    const char *bytes = (const char *)data;
    size_t end = header_end(bytes, size, true);
    size_t found = header_end(bytes, size, false);
    if (end > size || (found != 0 && found != end))
        abort();
    size_t fields = check_fields(bytes, end);
    if (end - fields > 2)
        abort();
    check_outgoing(bytes, size);
    return 0;
}

#define _GNU_SOURCE /* memmem */

#include "mime_body.h"

#include "base/memory.h"
#include "base64.h"
#include "mime_header.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 20 };

struct part {
    const char *bytes; /* header and body */
    size_t length;
};

static size_t header_length(struct part part)
{
    struct mime_reader reader = {part.bytes, part.bytes + part.length};
    struct mime_field field;
    while (mime_next_field(&reader, &field))
        ;
    return (size_t)(reader.at - part.bytes);
}

static void decode_quoted_printable(struct buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '=') {
            buffer_append_char(out, text[i]);
        } else if (i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
                   isxdigit((unsigned char)text[i + 2])) {
            char hex[3] = {text[i + 1], text[i + 2], '\0'};
            buffer_append_char(out, (char)strtol(hex, NULL, 16));
            i += 2;
        } else { /* a soft line break */
            i += i + 2 < length && text[i + 1] == '\r' ? 2 : 1;
        }
    }
}

static void append_text_part(struct part part, const char *type, struct buffer *text)
{
    size_t header = header_length(part);
    char *encoding = mime_field_raw(part.bytes, part.length, "Content-Transfer-Encoding");
    struct buffer body = {0};
    const char *bytes = part.bytes + header;
    size_t length = part.length - header;
    if (encoding != NULL && strncasecmp(encoding, "base64", 6) == 0)
        base64_decode(&body, bytes, length);
    else if (encoding != NULL && strncasecmp(encoding, "quoted-printable", 16) == 0)
        decode_quoted_printable(&body, bytes, length);
    else
        buffer_append(&body, bytes, length);
    char *charset = mime_parameter(type, "charset");
    char *utf8 = mime_to_utf8(charset, buffer_string(&body), body.length);
    buffer_append_string(text, utf8);
    memory_free(utf8);
    memory_free(charset);
    memory_free(encoding);
    buffer_release(&body);
}

/* Takes the next part between delimiter lines; `at` moves behind it. */
static bool next_part(const char **at, const char *end, const char *delimiter, struct part *part)
{
    size_t size = strlen(delimiter);
    const char *start = memmem(*at, (size_t)(end - *at), delimiter, size);
    if (start == NULL || (start + size + 1 < end && strncmp(start + size, "--", 2) == 0))
        return false;
    start = memchr(start, '\n', (size_t)(end - start));
    if (start == NULL)
        return false;
    start++;
    const char *stop = memmem(start, (size_t)(end - start), delimiter, size);
    *at = stop == NULL ? end : stop;
    *part = (struct part){start, (size_t)(*at - start)};
    return true;
}

static bool append_body_of(struct part part, int depth, struct buffer *text, bool *is_html);

static bool append_multipart(struct part part, const char *type, int depth, struct buffer *text,
                             bool *is_html)
{
    char *boundary = mime_parameter(type, "boundary");
    if (boundary == NULL)
        return false;
    struct buffer delimiter = {0};
    buffer_append_format(&delimiter, "--%s", boundary);
    const char *at = part.bytes + header_length(part);
    const char *end = part.bytes + part.length;
    bool is_alternative = strncasecmp(type, "multipart/alternative", 21) == 0;
    bool found = false;
    struct part child;
    while ((!found || is_alternative) && next_part(&at, end, delimiter.data, &child)) {
        struct buffer candidate = {0};
        if (append_body_of(child, depth + 1, &candidate, is_html)) {
            buffer_clear(text); /* the last alternative is the best */
            buffer_append(text, buffer_string(&candidate), candidate.length);
            found = true;
        }
        buffer_release(&candidate);
    }
    buffer_release(&delimiter);
    memory_free(boundary);
    return found;
}

static bool append_body_of(struct part part, int depth, struct buffer *text, bool *is_html)
{
    char *type = mime_field_raw(part.bytes, part.length, "Content-Type");
    bool found = false;
    if (type != NULL && strncasecmp(type, "multipart/", 10) == 0) {
        found = depth < DEEPEST && append_multipart(part, type, depth, text, is_html);
    } else if (type == NULL || strncasecmp(type, "text/", 5) == 0) {
        *is_html = type != NULL && strncasecmp(type, "text/html", 9) == 0;
        append_text_part(part, type == NULL ? "text/plain" : type, text);
        found = true;
    }
    memory_free(type);
    return found;
}

void mime_append_body(const char *mime, size_t length, struct buffer *text, bool *is_html)
{
    *is_html = false;
    struct buffer body = {0};
    append_body_of((struct part){mime, length}, 0, &body, is_html);
    buffer_append(text, buffer_string(&body), body.length);
    buffer_release(&body);
}

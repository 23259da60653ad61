#include "mime_header.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base64.h"
#include "xml_text.h"

#include <ctype.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The end of the line at `at`: its LF, or `end`. */
static const char *line_end(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    return lf == NULL ? end : lf;
}

bool mime_next_field(struct mime_reader *reader, struct mime_field *field)
{
    while (reader->at < reader->end) {
        const char *start = reader->at;
        const char *stop = line_end(start, reader->end);
        if (stop == start || (stop == start + 1 && *start == '\r')) {
            reader->at = stop < reader->end ? stop + 1 : stop;
            return false;
        }
        const char *next = stop < reader->end ? stop + 1 : stop;
        while (next < reader->end && (*next == ' ' || *next == '\t')) {
            stop = line_end(next, reader->end);
            next = stop < reader->end ? stop + 1 : stop;
        }
        reader->at = next;
        const char *colon = memchr(start, ':', (size_t)(stop - start));
        if (colon == NULL || colon == start || memchr(start, ' ', (size_t)(colon - start)) != NULL)
            continue; /* an mbox From line, say */
        if (stop > colon + 1 && stop[-1] == '\r')
            stop--;
        *field = (struct mime_field){start, (size_t)(colon - start), colon + 1,
                                     (size_t)(stop - colon - 1)};
        return true;
    }
    return false;
}

void mime_append_without(struct buffer *out, const char *message, size_t length, const char *name)
{
    struct mime_reader reader = {message, message + length};
    struct mime_field field;
    const char *copied = message;
    while (mime_next_field(&reader, &field))
        if (field.name_length == strlen(name) &&
            strncasecmp(field.name, name, field.name_length) == 0) {
            buffer_append(out, copied, (size_t)(field.name - copied));
            copied = reader.at;
        }
    buffer_append(out, copied, (size_t)(message + length - copied));
}

char *mime_field_raw(const char *message, size_t length, const char *name)
{
    struct mime_reader reader = {message, message + length};
    struct mime_field field;
    while (mime_next_field(&reader, &field)) {
        if (field.name_length != strlen(name) ||
            strncasecmp(field.name, name, field.name_length) != 0)
            continue;
        struct buffer value = {0};
        for (size_t i = 0; i < field.value_length; i++) {
            char character = field.value[i];
            if (character == '\r' || character == '\n' || character == '\0' ||
                (value.length == 0 && (character == ' ' || character == '\t')))
                continue;
            buffer_append_char(&value, character == '\t' ? ' ' : character);
        }
        while (value.length > 0 && value.data[value.length - 1] == ' ')
            value.data[--value.length] = '\0';
        return buffer_take(&value);
    }
    return NULL;
}

char *mime_to_utf8(const char *charset, const char *bytes, size_t length)
{
    struct buffer out = {0};
    iconv_t converter = iconv_open("UTF-8", charset == NULL ? "UTF-8" : charset);
    if (converter == (iconv_t)-1)
        converter = iconv_open("UTF-8", "ISO-8859-1");
    char *in = (char *)(size_t)bytes;
    size_t left = length;
    while (left > 0) {
        buffer_reserve(&out, left * 4);
        char *to = out.data + out.length;
        size_t room = out.capacity - out.length - 1;
        size_t before = room;
        size_t result = iconv(converter, &in, &left, &to, &room);
        out.length += before - room;
        out.data[out.length] = '\0';
        if (result == (size_t)-1 && left > 0 && before == room) {
            buffer_append_string(&out, "\xEF\xBF\xBD");
            in++;
            left--;
        }
    }
    iconv_close(converter);
    return buffer_take(&out);
}

static void decode_q(struct buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '=' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            char hex[3] = {text[i + 1], text[i + 2], '\0'};
            buffer_append_char(out, (char)strtol(hex, NULL, 16));
            i += 2;
        } else {
            buffer_append_char(out, text[i] == '_' ? ' ' : text[i]);
        }
    }
}

/* Decodes =?charset?B|Q?text?= at `text`; its length, or 0 when there is none. */
static size_t decode_word(struct buffer *out, const char *text, size_t length)
{
    if (length < 8 || text[0] != '=' || text[1] != '?')
        return 0;
    const char *end = text + length;
    const char *encoding = memchr(text + 2, '?', length - 2);
    if (encoding == NULL || encoding + 3 >= end || encoding[2] != '?')
        return 0;
    const char *start = encoding + 3;
    const char *stop = memchr(start, '?', (size_t)(end - start));
    if (stop == NULL || stop + 1 >= end || stop[1] != '=')
        return 0;
    struct buffer bytes = {0};
    char kind = (char)toupper((unsigned char)encoding[1]);
    bool decoded = kind == 'Q';
    if (kind == 'Q')
        decode_q(&bytes, start, (size_t)(stop - start));
    else if (kind == 'B')
        decoded = base64_decode(&bytes, start, (size_t)(stop - start));
    if (decoded) {
        char *charset = memory_copy_bytes(text + 2, (size_t)(encoding - text - 2));
        charset[strcspn(charset, "*")] = '\0'; /* RFC 2231 language */
        char *utf8 = mime_to_utf8(charset, buffer_string(&bytes), bytes.length);
        buffer_append_string(out, utf8);
        memory_free(utf8);
        memory_free(charset);
    }
    buffer_release(&bytes);
    return decoded ? (size_t)(stop + 2 - text) : 0;
}

/* The length of the blanks at `text` when they stand in front of an encoded word: between two such
 * words they do not count. */
static size_t blanks_before_word(const char *text)
{
    size_t blanks = strspn(text, " ");
    return strncmp(text + blanks, "=?", 2) == 0 ? blanks : 0;
}

char *mime_decode_text(const char *value)
{
    size_t length = strlen(value);
    char *converted = NULL;
    if (!text_is_utf8(value, length)) {
        value = converted = mime_to_utf8("ISO-8859-1", value, length);
        length = strlen(value);
    }
    struct buffer out = {0};
    buffer_reserve(&out, length);
    for (size_t at = 0; at < length;) {
        size_t word = value[at] == '=' ? decode_word(&out, value + at, length - at) : 0;
        if (word > 0)
            at += word + blanks_before_word(value + at + word);
        else
            buffer_append_char(&out, value[at++]);
    }
    memory_free(converted);
    return buffer_take(&out);
}

char *mime_field_text(const char *message, size_t length, const char *name)
{
    char *raw = mime_field_raw(message, length, name);
    if (raw == NULL)
        return NULL;
    char *text = mime_decode_text(raw);
    memory_free(raw);
    return text;
}

char *mime_parameter(const char *value, const char *name)
{
    size_t name_length = strlen(name);
    for (const char *at = strchr(value, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, name, name_length) != 0 || at[name_length] != '=')
            continue;
        at += name_length + 1;
        if (*at == '"')
            return memory_copy_bytes(at + 1, strcspn(at + 1, "\""));
        return memory_copy_bytes(at, strcspn(at, "; \t"));
    }
    return NULL;
}

#include "mail/header.h"

#include "base/text.h"
#include "mail/encoded_word.h"

#include <string.h>
#include <strings.h>

/* --- lines and fields --- */

/* Behind the line that begins at `at`. */
static size_t line_end(const char *bytes, size_t length, size_t at)
{
    const char *newline = memchr(bytes + at, '\n', length - at);
    return newline == NULL ? length : (size_t)(newline - bytes) + 1;
}

static bool line_is_empty(const char *line, size_t length)
{
    return (length == 1 && line[0] == '\n') || (length == 2 && line[0] == '\r' && line[1] == '\n');
}

size_t header_end(const char *bytes, size_t length, bool complete)
{
    size_t at = 0;
    while (at < length) {
        size_t end = line_end(bytes, length, at);
        if (line_is_empty(bytes + at, end - at))
            return end;
        at = end;
    }
    return complete ? length : 0;
}

static bool is_white(char character)
{
    return character == ' ' || character == '\t';
}

/* White space between a name and its colon is obsolete and allowed. 0: this is no field. */
static size_t field_name_length(const char *line, size_t length, size_t *colon)
{
    size_t name = 0;
    while (name < length && line[name] > ' ' && line[name] < 0x7f && line[name] != ':')
        name++;
    *colon = name;
    while (*colon < length && is_white(line[*colon]))
        (*colon)++;
    return *colon < length && line[*colon] == ':' ? name : 0;
}

bool header_next(const char *bytes, size_t header_length, size_t *offset,
                 struct header_field *field)
{
    size_t start = *offset;
    if (start >= header_length)
        return false;
    size_t end = line_end(bytes, header_length, start);
    if (line_is_empty(bytes + start, end - start))
        return false;
    size_t colon;
    size_t name = field_name_length(bytes + start, end - start, &colon);
    while (end < header_length && is_white(bytes[end]))
        end = line_end(bytes, header_length, end);

    size_t body = name > 0 ? start + colon + 1 : start;
    *field = (struct header_field){
        .start = bytes + start,
        .length = end - start,
        .name_length = name,
        .body = bytes + body,
        .body_length = end - body,
    };
    *offset = end;
    return true;
}

bool header_field_is(const struct header_field *field, const char *name)
{
    return strlen(name) == field->name_length &&
           strncasecmp(field->start, name, field->name_length) == 0;
}

/* --- bodies --- */

/* From `start` on, in place. */
static void trim(struct buffer *text, size_t start)
{
    while (text->length > start && is_white(text->data[text->length - 1]))
        text->length--;
    size_t white = start;
    while (white < text->length && is_white(text->data[white]))
        white++;
    buffer_reserve(text, 0);
    memmove(text->data + start, text->data + white, text->length - white);
    text->length -= white - start;
    text->data[text->length] = '\0';
}

void header_field_unfold(const struct header_field *field, struct buffer *text)
{
    size_t start = text->length;
    const char *at = field->body;
    const char *end = at + field->body_length;
    while (at < end) {
        const char *run = at;
        while (at < end && *at != '\r' && *at != '\n')
            at++;
        buffer_append(text, run, (size_t)(at - run));
        while (at < end && (*at == '\r' || *at == '\n'))
            at++;
    }
    trim(text, start);
}

void header_text(const char *bytes, size_t length, struct buffer *text)
{
    struct buffer decoded = {0};
    size_t start = text->length;
    encoded_words_decode(bytes, length, &decoded);
    /* A line is never longer than what it is made from. */
    buffer_reserve(text, decoded.length);
    text->length += text_copy_line(text->data + start, decoded.length + 1, buffer_string(&decoded),
                                   decoded.length);
    trim(text, start);
    buffer_release(&decoded);
}

void header_field_text(const struct header_field *field, struct buffer *text)
{
    struct buffer unfolded = {0};
    header_field_unfold(field, &unfolded);
    header_text(buffer_string(&unfolded), unfolded.length, text);
    buffer_release(&unfolded);
}

#include "daemon/recipients_json.h"

#include "control/control.h"
#include "daemon/json_member.h"

#include <string.h>

_Static_assert((int)RECIPIENTS_JSON_BYTES <= (int)CONTROL_ANSWER_LIMIT / 2, "they fit an answer");

enum { RECIPIENT_BYTES = sizeof "{\"kind\":\"bcc\",\"address\":\"\",\"name\":null}," };

/* Bytes of the text as JSON, or more. */
static size_t bytes_of(const char *text, size_t length)
{
    size_t bytes = length;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bytes += byte < ' ' ? 5 : byte == '"' || byte == '\\';
    }
    return bytes;
}

/* The next word of a line, which may be empty. */
static json_t *take_word(const char **line, size_t *left)
{
    const char *blank = memchr(*line, ' ', *left);
    size_t length = blank == NULL ? *left : (size_t)(blank - *line);
    json_t *word = length == 0 ? json_null() : json_text_of(*line, length);
    *line += length + (blank != NULL);
    *left -= length + (blank != NULL);
    return word;
}

static json_t *recipient_json(const char *line, size_t length)
{
    json_t *object = json_object();
    json_object_set_new(object, "kind", take_word(&line, &length));
    json_object_set_new(object, "address", take_word(&line, &length));
    json_object_set_new(object, "name", length == 0 ? json_null() : json_text_of(line, length));
    return object;
}

json_t *recipients_json(const char *lines)
{
    json_t *array = json_array();
    size_t bytes = 0;
    while (*lines != '\0' && json_array_size(array) < RECIPIENTS_JSON_MAX) {
        size_t length = strcspn(lines, "\n");
        bytes += RECIPIENT_BYTES + bytes_of(lines, length);
        if (bytes > RECIPIENTS_JSON_BYTES)
            break;
        if (length > 0)
            json_array_append_new(array, recipient_json(lines, length));
        lines += length + (lines[length] != '\0');
    }
    return array;
}

size_t recipients_count(const char *lines)
{
    size_t count = 0;
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        count += length > 0;
        lines += length + (lines[length] != '\0');
    }
    return count;
}

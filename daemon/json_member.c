#include "daemon/json_member.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

json_t *json_text_of(const char *text, size_t length)
{
    json_t *value = json_stringn(text, length);
    if (value != NULL)
        return value;
    char *clean = memory_allocate(length + 1); /* it was no UTF-8 */
    text_copy_line(clean, length + 1, text, length);
    value = json_string(clean);
    memory_free(clean);
    return value;
}

json_t *json_text(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_text_of(text, strlen(text));
}

void json_set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_text(text));
}

void json_set_buffer(json_t *object, const char *name, struct buffer *text)
{
    json_set_text(object, name, buffer_string(text));
    buffer_release(text);
}

void json_set_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

void json_set_time(json_t *object, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    if (wall_ms == 0 || wall_ms == INT64_MAX) {
        json_set_text(object, name, NULL);
        return;
    }
    clock_format_utc(wall_ms, text);
    json_set_text(object, name, text);
}

void json_set_lines(json_t *object, const char *name, const char *lines)
{
    json_t *array = json_array();
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        json_array_append_new(array, json_text_of(lines, length));
        lines += length + (lines[length] == '\n');
    }
    json_object_set_new(object, name, array);
}

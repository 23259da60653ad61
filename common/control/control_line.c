#include "control/control_line.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void control_lines_add(struct control_lines *lines, const char *bytes, size_t length)
{
    buffer_append(&lines->bytes, bytes, length);
}

size_t control_lines_waiting(const struct control_lines *lines)
{
    return lines->bytes.length - lines->taken;
}

/* Not for each line: the bytes behind them would be moved each time. */
static void forget_taken(struct control_lines *lines)
{
    buffer_consume(&lines->bytes, lines->taken);
    lines->taken = 0;
}

void control_lines_release(struct control_lines *lines)
{
    buffer_release(&lines->bytes);
    lines->taken = lines->searched = 0;
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    }
    return true;
}

static enum control_line_result read_object(const char *text, size_t length, json_t **line,
                                            char *wrong, size_t wrong_size)
{
    json_error_t error;
    if (is_blank(text, length))
        return CONTROL_LINE_BLANK;
    *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (*line == NULL) {
        text_copy_line(wrong, wrong_size, error.text, strlen(error.text));
        return CONTROL_LINE_WRONG;
    }
    if (json_is_object(*line))
        return CONTROL_LINE_TAKEN;
    json_decref(*line);
    *line = NULL;
    snprintf(wrong, wrong_size, "it is no object");
    return CONTROL_LINE_WRONG;
}

enum control_line_result control_lines_take(struct control_lines *lines, json_t **line, char *wrong,
                                            size_t wrong_size)
{
    size_t waiting = control_lines_waiting(lines);
    const char *begin = waiting > 0 ? lines->bytes.data + lines->taken : "";
    const char *end = memchr(begin + lines->searched, '\n', waiting - lines->searched);
    size_t length = end == NULL ? waiting : (size_t)(end - begin);
    *line = NULL;
    if (length > lines->limit)
        return CONTROL_LINE_TOO_LONG;
    if (end == NULL) {
        lines->searched = length;
        forget_taken(lines);
        return CONTROL_LINE_NONE;
    }
    lines->searched = 0;
    lines->taken += length + 1;
    return read_object(begin, length, line, wrong, wrong_size);
}

struct appending {
    struct buffer *bytes;
    size_t end; /* the buffer's length at most */
};

static int append_piece(const char *piece, size_t length, void *argument)
{
    struct appending *appending = argument;
    if (length > appending->end - appending->bytes->length)
        return -1;
    buffer_append(appending->bytes, piece, length);
    return 0;
}

bool control_line_append(struct buffer *bytes, const json_t *object, size_t limit)
{
    size_t before = bytes->length;
    struct appending appending = {bytes, before + limit};
    if (json_dump_callback(object, append_piece, &appending, JSON_COMPACT) == 0) {
        buffer_append_char(bytes, '\n');
        return true;
    }
    bytes->length = before;
    if (bytes->data != NULL)
        bytes->data[before] = '\0';
    return false;
}

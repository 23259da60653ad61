/* Bytes as they come, and lines as they are meant; for both sides. */
#ifndef EXSYNC_CONTROL_CONTROL_LINE_H
#define EXSYNC_CONTROL_CONTROL_LINE_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What has come and was not taken yet. One of zeroes with a limit is empty and ready. */
struct control_lines {
    struct buffer bytes;
    size_t taken;    /* bytes at the front that were lines */
    size_t searched; /* bytes behind them that hold no newline */
    size_t limit;    /* of one line, without its newline */
};

enum control_line_result {
    CONTROL_LINE_NONE,     /* the next line has not come to its end */
    CONTROL_LINE_TAKEN,    /* `*line` is an object that the caller owns */
    CONTROL_LINE_BLANK,    /* white space only: to be passed over */
    CONTROL_LINE_TOO_LONG, /* stays so: the rest cannot be told apart */
    CONTROL_LINE_WRONG,    /* no JSON object; `wrong` says why */
};

/* Bytes that wait to be taken. */
size_t control_lines_waiting(const struct control_lines *lines);

void control_lines_add(struct control_lines *lines, const char *bytes, size_t length);

/* Takes the next line out. `wrong`, of `wrong_size` bytes, gets one line of text. */
enum control_line_result control_lines_take(struct control_lines *lines, json_t **line, char *wrong,
                                            size_t wrong_size);

void control_lines_release(struct control_lines *lines);

/* Appends the object as a line, members in the order in which they were set. False when it is
 * longer than `limit` or no valid UTF-8; nothing is appended then. */
bool control_line_append(struct buffer *bytes, const json_t *object, size_t limit);

#endif

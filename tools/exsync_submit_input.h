/* The message as it comes on standard input, up to its end: that of the file or, unless dots are
 * text, a line with a single dot. A first line "From ..." as mbox files have it is dropped.
 *
 * Bytes are passed on as they come: line ends are exsyncd's to make right. */
#ifndef EXSYNC_SUBMIT_INPUT_H
#define EXSYNC_SUBMIT_INPUT_H

#include "base/buffer.h"
#include "tools/exsync_submit_stop.h"

#include <stdbool.h>
#include <stddef.h>

enum { SUBMIT_INPUT_CHUNK = 64 * 1024 };

enum submit_input_place {
    SUBMIT_INPUT_LINE_START,
    SUBMIT_INPUT_DOT,        /* a dot at the start of a line, held back */
    SUBMIT_INPUT_DOT_RETURN, /* a dot and a carriage return, held back */
    SUBMIT_INPUT_IN_LINE,
};

struct submit_input {
    int descriptor;
    struct submit_stop *stop;
    bool dots_are_text;
    bool ended; /* nothing follows */
    enum submit_input_place place;
};

/* Appends what comes until the buffer holds `length` bytes (and up to two more), the message ends,
 * or a signal asks for the end, which the caller looks for. Returns 0 or an errno. */
int submit_input_fill(struct submit_input *input, struct buffer *buffer, size_t length);

/* The length of the mbox line that the message begins with, or 0. */
size_t submit_input_mbox_line(const struct buffer *buffer);

#endif

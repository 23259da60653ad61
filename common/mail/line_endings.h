/* CRLF becomes LF for those who read mail here, and what ends a line in any way becomes CRLF for
 * those who get it elsewhere; in pieces that may end anywhere. */
#ifndef EXSYNC_MAIL_LINE_ENDINGS_H
#define EXSYNC_MAIL_LINE_ENDINGS_H

#include <stdbool.h>
#include <stddef.h>

/* From CRLF to LF; a lone CR or LF stays as it is. All zero at the start of a message. */
struct line_endings {
    bool held; /* the last byte was a CR; what follows decides whether it stays */
};

/* Writes what becomes of `length` bytes to `output`, which has room for length + 1 and does not
 * overlap them. Returns how many were written: at most `length`, one more when a CR was held. */
size_t line_endings_convert(struct line_endings *state, const char *bytes, size_t length,
                            char *output);

/* Nothing follows: writes the CR that is still held, if any. Returns 0 or 1. */
size_t line_endings_end(struct line_endings *state, char *output);

/* To CRLF, from CRLF and from lone CRs and LFs. */
struct line_endings_crlf {
    bool after_cr; /* the last byte was a CR: an LF belongs to it */
};

/* Writes what becomes of `length` bytes to `output`, which has room for twice as many and does not
 * overlap them. Returns how many were written. */
size_t line_endings_to_crlf(struct line_endings_crlf *state, const char *bytes, size_t length,
                            char *output);

#endif

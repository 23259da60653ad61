/* Lines of a configuration file, counted and checked before the INI library sees them.
 *
 * libinih takes lines of up to its compiled-in INI_MAX_LINE (200 bytes on Debian) and splits longer
 * ones in two, cuts the titles of sections at 49 bytes, does not tell of empty sections, and takes
 * an indented line for more of the value above it. None of that may happen silently here: this
 * reader refuses what is too long, takes white space off the front, reads titles itself, and leaves
 * to the library what it is good at: the lines with a key. */
#ifndef EXSYNC_CONFIG_LINE_H
#define EXSYNC_CONFIG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_line_kind {
    CONFIG_LINE_KEY,      /* anything that is none of the others */
    CONFIG_LINE_TITLE,    /* begins with [ */
    CONFIG_LINE_TOO_LONG, /* passed over; the buffer holds its beginning */
    CONFIG_LINE_GARBLED,  /* a control character, or not UTF-8 */
    CONFIG_LINE_BINARY,   /* a zero byte or UTF-16: not worth reading on */
    CONFIG_LINE_ENDLESS,  /* more than any configuration has; not worth reading on */
    CONFIG_LINE_FAILED,   /* the file cannot be read; errno says why */
    CONFIG_LINE_END,      /* of the file */
};

struct config_lines {
    FILE *stream;
    uint32_t number; /* of the line read last, 1.. */
    size_t bytes;    /* read so far */
};

/* Reads on to the next line that is neither empty nor a comment. The line has no white space around
 * it, spaces for tabs, and a NUL behind it; it is at most size - 2 bytes long. */
enum config_line_kind config_lines_next(struct config_lines *lines, char *line, size_t size);

#endif

/* Words from outside, made fit for a log line, a terminal and an XML or SQL text: valid UTF-8 and
 * one line. And our own words beside a number. */
#ifndef EXSYNC_BASE_TEXT_H
#define EXSYNC_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Copies `text` (`length` bytes, no NUL needed) into `line` with a NUL behind it. Control
 * characters (C0, DEL, C1, the Unicode line and paragraph separators) become spaces, each run of
 * bytes that is no UTF-8 becomes '?', and what does not fit into `size` bytes (at least 1) is cut
 * at a character. Returns the length of the line. Source: The Unicode Standard, table 3-7. */
size_t text_copy_line(char *line, size_t size, const char *text, size_t length);

/* The same for what people look at: marks that turn the direction of writing (U+200E and its like)
 * become spaces, too, as they let words be read that are not there. Where a text goes on its way,
 * they are a part of it. Source: Unicode Standard Annex #9, table 1. */
size_t text_copy_shown(char *line, size_t size, const char *text, size_t length);

/* The word that goes with a number of things: "1 mailbox", "0 mailboxes", "2 mailboxes". */
const char *text_plural(uint64_t count, const char *one, const char *many);

#endif

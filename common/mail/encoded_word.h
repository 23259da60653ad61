/* Encoded words in header fields: =?iso-8859-1?Q?Gr=FC=DFe?=
 *
 * Lenient: longer than allowed, within quotes, not set off by white space, characters that are
 * cut in two by the border of two words. One whose charset is not known stays as it stands, and
 * only charsets of mail are looked up: the C library's converters of others are not let near
 * words from outside. Source: RFC 2047; RFC 2231, section 5 (a language behind the charset). */
#ifndef EXSYNC_MAIL_ENCODED_WORD_H
#define EXSYNC_MAIL_ENCODED_WORD_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends `text` with its encoded words decoded to UTF-8. What is decoded can hold any character,
 * line ends too, and what is not encoded is copied, UTF-8 or not. Reads the converters' files: not
 * for the loop's thread. */
void encoded_words_decode(const char *text, size_t length, struct buffer *decoded);

/* Whether a value cannot stand in a header field as it is: it is long, not ASCII, or has something
 * that a reader would take for an encoded word. Any thread, as the next one. */
bool encoded_words_needed(const char *text);

/* Appends UTF-8 as encoded words (Q), folded between them. */
void encoded_words_append(struct buffer *text, const char *value);

#endif

/* The header of a message: its fields, as they stand and unfolded.
 *
 * Sources: RFC 5322, sections 2.2 and 3.6. Lines may end in CRLF or LF; 8-bit bytes are taken as
 * they are. */
#ifndef EXSYNC_MAIL_HEADER_H
#define EXSYNC_MAIL_HEADER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { HEADER_SIZE_MAX = 256 * 1024 }; /* a longer header is refused */

/* One field, a view into the header's bytes. */
struct header_field {
    const char *start; /* of its name */
    size_t length;     /* the whole field with its line ends */
    size_t name_length;
    const char *body; /* behind the colon, folded as it stands */
    size_t body_length;
};

/* Where the header ends (the offset of the first byte of the body, behind the empty line), or 0
 * when `bytes` do not hold its end yet. A message without a body ends its header with its last
 * byte: `complete` says that nothing follows. */
size_t header_end(const char *bytes, size_t length, bool complete);

/* The field at *offset; moves *offset behind it. False at the end. A line that is no field is told
 * as a field with name_length 0. */
bool header_next(const char *bytes, size_t header_length, size_t *offset,
                 struct header_field *field);

bool header_field_is(const struct header_field *field, const char *name);

/* The body on one line: unfolded, outer white space gone, encoded words decoded (RFC 2047), UTF-8,
 * control characters replaced. Not for the loop's thread: converters are read from their files. */
void header_field_text(const struct header_field *field, struct buffer *text);

/* The same for a piece of an unfolded body, a name in an address field for one. */
void header_text(const char *bytes, size_t length, struct buffer *text);

/* The body unfolded, outer white space gone, and otherwise as it stands: for address_list_parse. */
void header_field_unfold(const struct header_field *field, struct buffer *text);

#endif

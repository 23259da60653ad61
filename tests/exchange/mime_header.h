/* The header of a message: its fields, and the addresses in them.
 *
 * Reads what mail contains rather than what RFC 5322 allows: a field that makes no sense is text.
 */
#ifndef EXCHANGE_MIME_HEADER_H
#define EXCHANGE_MIME_HEADER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* One field, pointing into the message. */
struct mime_field {
    const char *name;
    size_t name_length;
    const char *value; /* behind the colon, folds included, no line end */
    size_t value_length;
};

/* A place in a header block. Start with {text, text + length}. */
struct mime_reader {
    const char *at;
    const char *end;
};

/* Takes the next field; false at the end of the header, `at` is then behind the empty line. */
bool mime_next_field(struct mime_reader *reader, struct mime_field *field);

/* Appends the message without the fields of that name. */
void mime_append_without(struct buffer *out, const char *message, size_t length, const char *name);

/* The value of the first field of that name, unfolded, as in the message; NULL when there is none.
 * The caller frees it with memory_free. */
char *mime_field_raw(const char *message, size_t length, const char *name);

/* Like mime_field_raw, in UTF-8: encoded words (RFC 2047) decoded, other bytes taken as Latin-1. */
char *mime_field_text(const char *message, size_t length, const char *name);

/* The same for a value at hand. */
char *mime_decode_text(const char *value);

/* Converts bytes of a charset to UTF-8, Latin-1 when the charset is unknown. Freed by the caller.*/
char *mime_to_utf8(const char *charset, const char *bytes, size_t length);

/* The parameter of a structured field's value (charset, boundary ...); NULL when absent. */
char *mime_parameter(const char *value, const char *name);

struct mime_address {
    char *name;    /* NULL when there is none; UTF-8 */
    char *address; /* local@domain */
};

struct mime_addresses {
    struct mime_address *list;
    size_t count;
};

/* The mailboxes of an address list (RFC 5322 section 3.4; groups are opened). */
void mime_parse_addresses(struct mime_addresses *addresses, const char *value);
void mime_addresses_add(struct mime_addresses *addresses, const char *name, const char *address);
void mime_addresses_release(struct mime_addresses *addresses);

#endif

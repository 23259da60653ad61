/* Whom a message is resent to.
 *
 * Each time a message is sent again a block of Resent-* fields is put before the others. The first
 * block that has recipients is the most recent one, and they are its recipients: not those of To,
 * Cc and Bcc, and not those of older blocks. A block ends with a field that is none of it, or that
 * it has already. The daemon reads it the same way. Source: RFC 5322, section 3.6.6. */
#ifndef EXSYNC_SUBMIT_RESENT_H
#define EXSYNC_SUBMIT_RESENT_H

#include <stdbool.h>
#include <stddef.h>

struct submit_resent {
    bool found;
    size_t begin, end; /* of the block: offsets of fields */
};

struct submit_resent submit_resent_find(const char *header, size_t length);

#endif

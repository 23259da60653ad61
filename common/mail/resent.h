/* Whom a message goes to: To, Cc and Bcc, or for one that is resent the Resent-* fields.
 *
 * Each time a message is sent again a block of Resent-* fields is put before the others. The first
 * block that has recipients is the most recent one, and they are its recipients: not those of To,
 * Cc and Bcc, and not those of older blocks. A block ends with a field that is none of it, or that
 * it has already. exsync-submit and the daemon both go by this. Source: RFC 5322, section 3.6.6. */
#ifndef EXSYNC_MAIL_RESENT_H
#define EXSYNC_MAIL_RESENT_H

#include "mail/header.h"

#include <stdbool.h>
#include <stddef.h>

struct resent_block {
    const char *header; /* that it was found in */
    bool found;
    size_t begin, end; /* of the block: offsets of fields */
};

struct resent_block resent_find(const char *header, size_t length);

/* Whether a field of that header holds recipients of the kind `name` ("To", "Cc" or "Bcc"): the
 * field of that name, or the block's that stands for it. */
bool resent_is_recipients(const struct resent_block *block, const struct header_field *field,
                          const char *name);

#endif

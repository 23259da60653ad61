/* What the HTTP headers of a request say about its mailbox, counted when it is wrong: cookies and
 * X-AnchorMailbox belong to one mailbox, and so does a client-request-id. */
#ifndef EXCHANGE_HEADER_CHECKS_H
#define EXCHANGE_HEADER_CHECKS_H

#include "base/buffer.h"

#include <stdbool.h>

struct counters;
struct header_checks;
struct mailbox;

/* Headers of a request; NULL where absent. */
struct checked_headers {
    const char *anchor;     /* X-AnchorMailbox */
    const char *request_id; /* client-request-id */
    const char *cookies;    /* Cookie */
};

struct header_checks *header_checks_create(struct counters *counters);
void header_checks_free(struct header_checks *checks);

/* Counts what does not fit. True when the request came without the mailbox's cookie. */
bool header_checks_examine(struct header_checks *checks, const struct checked_headers *headers,
                           const struct mailbox *mailbox);

/* Appends the value of the cookie that ties a client to the mailbox's back end. */
void header_checks_append_cookie(const struct mailbox *mailbox, struct buffer *value);

#endif

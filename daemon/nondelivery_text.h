/* The text of a delivery status notification. Sources: RFC 3464; RFC 6522 (multipart/report);
 * RFC 3463 (status codes); RFC 2047 (encoded words). */
#ifndef EXSYNC_DAEMON_NONDELIVERY_TEXT_H
#define EXSYNC_DAEMON_NONDELIVERY_TEXT_H

#include "base/buffer.h"
#include "base/failure.h"
#include "daemon/submission.h"

struct nondelivery_text {
    const char *mailbox; /* whose message it was, and who is told */
    const char *host;    /* this machine's name */
    const char *file;    /* where it is kept, or was looked for */
    const struct submission *submission;
    const struct failure *failure;
    int64_t now_ms;
};

/* Appends the whole message, lines end in CRLF. */
void nondelivery_write(struct buffer *text, const struct nondelivery_text *what);

#endif

/* The certificates of authorities that a server's certificate must lead to.
 *
 * Reading the system's file takes OpenSSL about 20 ms and a megabyte, so it happens once for each
 * file, off the loop, and all connections share the result. */
#ifndef EXSYNC_HTTP_HTTP_TRUST_H
#define EXSYNC_HTTP_HTTP_TRUST_H

#include "base/executor.h"
#include "base/failure.h"

#include <stdbool.h>
#include <sys/queue.h>

/* Within this time the certificates of a file are not read again. */
enum { HTTP_TRUST_FRESH_MS = 2000 };

struct http_trust;
TAILQ_HEAD(http_trusts, http_trust);

/* Who wants to know when the certificates were read. */
struct http_trust_waiter {
    void (*ready)(void *argument);
    void *argument;
    bool waiting;
    TAILQ_ENTRY(http_trust_waiter) entries;
};

/* Finds or begins to read the certificates of `file` (NULL: the system's). What
 * another profile reads, or read just now, is shared. */
struct http_trust *http_trust_open(struct http_trusts *trusts, struct executor *executor,
                                   const char *file);
void http_trust_close(struct http_trust *trust);

/* True when reading has ended, well or not; otherwise the waiter is called once it has. */
bool http_trust_ready(struct http_trust *trust, struct http_trust_waiter *waiter);
void http_trust_forget(struct http_trust *trust, struct http_trust_waiter *waiter);

/* NULL when the certificates are there. Valid as long as the trust. */
const struct failure *http_trust_failure(const struct http_trust *trust);

/* Reads such a file at once, on any thread but the loop's: an X509_STORE of the caller's, or NULL
 * with OpenSSL's words in `error`. */
void *http_trust_read(const char *file, char *error, size_t size);

/* Puts the certificates into an SSL_CTX; false when OpenSSL refuses. */
bool http_trust_apply(const struct http_trust *trust, void *ssl_context);

#endif

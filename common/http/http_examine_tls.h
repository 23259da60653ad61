/* The certificates of a server that is examined: what it shows, and whether it is trusted. */
#ifndef EXSYNC_HTTP_HTTP_EXAMINE_TLS_H
#define EXSYNC_HTTP_HTTP_EXAMINE_TLS_H

#include "http/http_examine.h"

struct http_examine_trust {
    void *store; /* X509_STORE; NULL: nothing is trusted, and nothing is to be checked */
    struct http_examination *result;
};

/* Reads the authorities' certificates of `file` (NULL: the system's) when `verify` wants them.
 * False with OpenSSL's words in `error`. What the server shows goes into `result`. */
bool http_examine_trust_open(struct http_examine_trust *trust, struct http_examination *result,
                             const char *file, bool verify, char *error, size_t size);
void http_examine_trust_close(struct http_examine_trust *trust);

/* Puts them into an SSL_CTX. The trust must stay until the connection is closed. */
void http_examine_trust_apply(struct http_examine_trust *trust, void *ssl_context);

/* Frees what OpenSSL keeps for the calling thread. */
void http_examine_thread_end(void);

#endif

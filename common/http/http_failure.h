/* From what libcurl says to a classified failure.
 *
 * Scope: what fails before the request goes over a connection (name, connection, TLS) concerns
 * every request to that server, so the profile. What fails later may be this request's own doing
 * (one message on which the server's worker dies), so the mailbox, and divisible. */
#ifndef EXSYNC_HTTP_HTTP_FAILURE_H
#define EXSYNC_HTTP_HTTP_FAILURE_H

#include "base/failure.h"
#include "http/http.h"

#include <curl/curl.h>

struct http_failure_detail {
    const char *error;  /* libcurl's words; "" when it said nothing */
    bool performing;    /* the request went over a connection */
    uint16_t status;    /* of the answer that had begun; 0 for none */
    long verify_result; /* CURLINFO_SSL_VERIFYRESULT */
    long system_error;  /* CURLINFO_OS_ERRNO */
};

struct failure http_failure_of_curl(CURLcode code, const struct http_failure_detail *detail);

/* No byte moved for so long. */
struct failure http_failure_idle(uint64_t idle_ms, const struct http_failure_detail *detail);

/* Bytes moved for so long, but too few to come to an end. */
struct failure http_failure_trickle(uint64_t trickle_ms, const struct http_failure_detail *detail);

/* The head of the answer has no end. */
struct failure http_failure_long_head(const struct http_failure_detail *detail);

/* The answer has a transfer coding that nobody asked for. */
struct failure http_failure_coded(const struct http_failure_detail *detail);

/* HTTP 401 at the end. `offered`: the CURLAUTH_ bits of the ways to sign in that the server names.
 */
struct failure http_failure_refused(enum http_auth auth, long offered,
                                    const struct http_failure_detail *detail);

/* A name look-up failed: `error` is getaddrinfo's or libuv's code, `text` its words. */
struct failure http_failure_resolve(const char *host, bool unknown_name, const char *text);
struct failure http_failure_resolve_timeout(const char *host, uint64_t timeout_ms);

/* The file of authorities' certificates cannot be used. */
struct failure http_failure_trust(const char *file, const char *text);

#endif

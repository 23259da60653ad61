/* The Kerberos ticket of a pool that signs in with Negotiate: got before the first request and
 * renewed in time, on a thread of its own (http_ticket.h), and shown to GSSAPI while libcurl works
 * for the pool.
 *
 * A KDC that does not answer holds only the requests of the pools that need it. */
#ifndef EXSYNC_HTTP_HTTP_KERBEROS_H
#define EXSYNC_HTTP_HTTP_KERBEROS_H

#include "base/executor.h"
#include "base/failure.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_KERBEROS_THREADS = 256, /* KDCs that may hang at the same time */
    HTTP_KERBEROS_LAST_S = 10,   /* a ticket that ends sooner is not used for a new request */
    HTTP_KERBEROS_AGAIN_MS = 60 * 1000, /* after a renewal in advance that failed */
};

struct http_kerberos;

/* `username` and `password` as in struct http_pool_settings. `done` is called from the loop when a
 * ticket came (`failure` is NULL) or none can be had; not for a renewal in advance that may yet
 * succeed while the present ticket is good. */
struct http_kerberos *
http_kerberos_create(struct executor *executor, struct executor_pool *threads, const char *host,
                     const char *username, const struct secret *password,
                     void (*done)(void *argument, const struct failure *failure), void *argument);

/* For those who use the ticket beside the pool. */
void http_kerberos_hold(struct http_kerberos *kerberos);
void http_kerberos_release(struct http_kerberos *kerberos);

/* The pool goes: `done` is not called any more. Releases. */
void http_kerberos_close(struct http_kerberos *kerberos);

/* True when a request can go out; otherwise a ticket is being got and `done` will be called. */
bool http_kerberos_ready(struct http_kerberos *kerberos);

/* The next request waits for a new ticket. */
void http_kerberos_reset(struct http_kerberos *kerberos);

/* Before libcurl is called: GSSAPI on this thread sees this pool's ticket and no other. */
void http_kerberos_select(const struct http_kerberos *kerberos);

/* After how many milliseconds a ticket is renewed that is good for so long: at 80 %, or, of a short
 * one, when 5 minutes remain, but not in its first half. */
uint64_t http_kerberos_renew_after_ms(int64_t remaining_s);

#endif

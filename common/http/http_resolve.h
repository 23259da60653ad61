/* From the host of a URL to its addresses, off the loop.
 *
 * libcurl is handed the addresses (CURLOPT_RESOLVE), because its own look-ups make a cancelled
 * transfer wait for a thread. Addresses are used for HTTP_RESOLVE_FRESH_MS, and when the name
 * service fails after that, for up to HTTP_RESOLVE_STALE_MS: a name service that is down for a
 * while should not stop mail. Address literals and localhost are left to libcurl, which knows them
 * itself. */
#ifndef EXSYNC_HTTP_HTTP_RESOLVE_H
#define EXSYNC_HTTP_HTTP_RESOLVE_H

#include "base/executor.h"
#include "base/failure.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_RESOLVE_FRESH_MS = 60 * 1000,
    HTTP_RESOLVE_STALE_MS = 60 * 60 * 1000,
    HTTP_RESOLVE_ADDRESSES = 16, /* more than these are not used */
};

struct http_lookup;

struct http_resolver {
    struct executor *executor;
    char *host; /* as libcurl writes it; NULL when the URL has none */
    char *port;
    bool needed; /* false: libcurl knows the address without asking anybody */
    char *entry; /* for CURLOPT_RESOLVE: "HOST:PORT:ADDRESS,ADDRESS"; NULL before the first */
    uint64_t generation; /* changes with `entry` */
    uint64_t known_ms;   /* when `entry` was looked up */
    uint64_t fresh_until_ms;
    uint64_t timeout_ms;
    struct http_lookup *lookup; /* under way */
    struct executor_timer timer;
    /* Called from the loop when a look-up ended; `failure` is NULL when there are addresses. */
    void (*done)(void *argument, const struct failure *failure);
    void *argument;
};

void http_resolver_init(struct http_resolver *resolver, struct executor *executor, const char *url,
                        uint64_t timeout_ms,
                        void (*done)(void *argument, const struct failure *failure),
                        void *argument);
void http_resolver_release(struct http_resolver *resolver);

/* True when a transfer can start; otherwise a look-up is under way and `done` will be called. */
bool http_resolver_ready(struct http_resolver *resolver);

#endif

/* HTTP requests on the loop, through libcurl's multi interface.
 *
 *   client   libcurl on the executor's loop
 *   pool     the requests to one server with one account: its budget of connections, credentials,
 *            TLS settings and resolved addresses. One for each profile.
 *   request  one exchange; embedded in the struct that needs it
 *   cookies  the cookies of one mailbox, a small text that the caller owns
 *
 * A pool runs at most its budget of requests at a time; the others wait in the order in which they
 * came. After creation, and after http_pool_reset, one request alone goes first until the server
 * has accepted its credentials; the others wait for it, so that a wrong password costs one sign-in.
 * When the server refuses the credentials (401 at the end), that request fails and the pool closes:
 * all waiting and later requests fail with the same failure without going out, until
 * http_pool_reset.
 *
 * HTTP/1.1 is forced (NTLM and Negotiate authenticate a connection), redirects are not followed,
 * libcurl's cookie engine is off, no Expect header is sent, Content-Length always is. Names are
 * looked up with uv_getaddrinfo and handed to libcurl by CURLOPT_RESOLVE. A request that changes
 * something on the server (`changes`) is never repeated by libcurl on its own.
 *
 * Everything is called on the loop's thread. Callbacks come from the loop, never from within
 * http_request_start. */
#ifndef EXSYNC_HTTP_HTTP_H
#define EXSYNC_HTTP_HTTP_H

#include "base/buffer.h"
#include "base/executor.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct http_client;
struct http_pool;

/* Once, by main() before it starts threads: it changes the environment. Without it GSSAPI on the
 * loop looks the server's name up once more, to ask for the ticket of whatever name its address
 * has: a slow name service would block the loop, and one that lies would choose the server. With it
 * (it puts a file before those of KRB5_CONFIG) the server's name is the one in the url, and its
 * realm is what krb5.conf or the account's KDC says, never the name service. */
void http_prepare_process(void);

/* Initialises libcurl (curl_global_init); http_client_free undoes it. `log` may be NULL. */
struct http_client *http_client_create(struct executor *executor, struct log *log);
/* Pools must be freed before; not from within a callback of a request. The executor must run or be
 * freed afterwards for the last of the memory to go. */
void http_client_free(struct http_client *client);

enum http_auth {
    HTTP_AUTH_BASIC,
    HTTP_AUTH_NTLM,
    HTTP_AUTH_NEGOTIATE,
};

/* Copied by http_pool_create, the secret included. */
struct http_pool_settings {
    const char *url; /* http or https */
    enum http_auth auth;
    const char *username;          /* see http_ticket.h for the forms that Kerberos knows */
    const struct secret *password; /* NULL, and Negotiate: the ticket cache or client key table */
    const char *tls_ca_file;       /* NULL: the system's */
    bool tls_verify;
    const char *user_agent;
    uint32_t max_connections;
    uint64_t connect_timeout_ms;
    uint64_t idle_timeout_ms; /* no byte moved in either direction for so long: given up; and when
                               * next to none did in ten times as long */
};

struct http_pool *http_pool_create(struct http_client *client,
                                   const struct http_pool_settings *settings);

/* Cancels what waits and runs (their done callbacks are not called) and closes the connections.
 * From any callback. */
void http_pool_free(struct http_pool *pool);

/* How many requests may run now, 1..max_connections; those that run already go on. */
void http_pool_set_budget(struct http_pool *pool, uint32_t requests);
uint32_t http_pool_budget(const struct http_pool *pool);

/* Opens a closed pool again; one request proves the credentials first, on a new connection.
 * Requests that run go on over the old ones. The server's address and tls_ca_file are looked at
 * again. */
void http_pool_reset(struct http_pool *pool);

/* Why it is closed; NULL: it is open. Valid until the next call of the pool. */
const struct failure *http_pool_refusal(const struct http_pool *pool);

/* Requests that run and that wait. */
uint32_t http_pool_running(const struct http_pool *pool);
uint32_t http_pool_waiting(const struct http_pool *pool);

/* The cookies of one mailbox: "name=value; name2=value2", at most HTTP_COOKIES_LIMIT bytes. Only
 * names and values are kept (Path, Domain and Secure do not matter for one URL); Max-Age=0, a past
 * Expires or an empty value removes. */
enum { HTTP_COOKIES_LIMIT = 4096 };

struct http_response {
    uint16_t status;         /* 0: no answer; failure says why. Set with a failure as well when the
                              * answer began and did not end. */
    uint32_t retry_after_ms; /* from Retry-After (seconds or date); 0 when absent */
    struct failure failure;  /* set when no complete answer came (network, TLS, time limit, 401).
                              * Other statuses than 200 are not a failure here: the body may say
                              * more, and its reader decides; when the server refuses a body that
                              * was not sent whole, the head alone is an answer. Not set after
                              * HTTP_DATA_ABORT: the reader knows why it ended the exchange. */
    bool in_doubt;           /* no complete answer, and the server may have carried it out: the
                              * whole body was handed out (how much of it has arrived is not
                              * known), or an answer of success began */
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint32_t elapsed_ms;
};

enum http_data_result {
    HTTP_DATA_TAKEN,
    HTTP_DATA_PAUSE, /* nothing was taken; the same bytes come again after http_request_resume */
    HTTP_DATA_ABORT, /* the reader has seen enough: the exchange ends, done is called */
};

/* A body that is not in memory as a whole. Called on the loop; `read` copies at most `size` bytes
 * from where it stands into `room` and returns how many: 0 when none are there at the moment
 * (http_request_source_ready tells of more), HTTP_SOURCE_FAILED when they cannot be had: the
 * request ends with the failure that `source_failure` then holds, and it is not in doubt. At the
 * start it stands at the first byte; `rewind` goes back there: the legs of an authentication send
 * the body again, and so does a new connection. It is never read beyond `length`. Time in which it
 * has nothing is no idle time, so it must come to an end of its own. Neither function may cancel
 * the request or free the pool. */
#define HTTP_SOURCE_FAILED SIZE_MAX
struct http_source {
    uint64_t length; /* of the whole body */
    size_t (*read)(void *argument, char *room, size_t size);
    void (*rewind)(void *argument);
    void *argument;
};

/* Zeroed before its first start. */
struct http_request {
    /* Set by the caller before the start; pointers must stay valid until done. */
    const char *mailbox_anchor;       /* X-AnchorMailbox; NULL for none */
    const char *activity;             /* client-request-id; NULL for none */
    struct buffer body;               /* owned by the request from the start on */
    const struct http_source *source; /* instead of `body`; NULL: `body` is the body */
    struct failure source_failure;    /* set by the source before HTTP_SOURCE_FAILED */
    char **cookies; /* in and out: *cookies is memory_free'd and replaced; NULL: none */
    bool changes;   /* the request changes something on the server */
    bool alone;     /* on a new connection of its own, which is closed afterwards: behind a load
                     * balancer perhaps another server answers */

    /* Called with each piece of the body; `status` is known by then. Not for a 401. */
    enum http_data_result (*on_data)(struct http_request *request, uint16_t status,
                                     const char *bytes, size_t length);
    /* Called once, last; the request may be freed or started again in it. */
    void (*on_done)(struct http_request *request, const struct http_response *response);

    /* Private to http/. */
    TAILQ_ENTRY(http_request) entries;
    struct http_pool *pool;
    struct http_transfer *transfer;
    int state;
    struct executor_call completion;
    struct failure early;
};

/* Queues a POST. The most that is given to on_data at once is HTTP_DATA_CHUNK bytes. */
enum { HTTP_DATA_CHUNK = 16384 };
void http_request_start(struct http_pool *pool, struct http_request *request);

/* After HTTP_DATA_PAUSE. */
void http_request_resume(struct http_request *request);

/* The source has bytes again. */
void http_request_source_ready(struct http_request *request);

/* Gives up; on_done is not called. What was sent may have been carried out. A request that is not
 * under way is left alone. */
void http_request_cancel(struct http_request *request);
bool http_request_active(const struct http_request *request);

#endif

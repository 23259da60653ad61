/* What http/'s own files share.
 *
 *   connections  one libcurl multi handle with its cache of connections, sockets and timer. A pool
 *                has one; http_pool_reset puts a new one in its place, and the old one goes when
 *                its last transfer has ended. So "a new connection" and "closes the connections"
 *                are true without asking libcurl for something that it does not have.
 *   transfer     one easy handle: a place of a pool's budget. Made when it is first needed, then
 *                used again.
 *   attempt      one time that libcurl sends a request within a transfer: it repeats for the legs
 *                of an authentication, and when a connection that it used again was dead
 *
 * A request's way, and where to start reading: http_request.c (started, cancelled, done),
 * http_queue.c (its turn), http_transfer.c (its exchange), http_upload.c and http_download.c (its
 * bytes), http_outcome.c (what its owner is told). A pool's life stands in http_pool.c.
 *
 * All of it runs on the loop's thread. What libcurl calls back (sockets, timer, data, headers) may
 * lead to a caller that cancels a request or frees the pool while libcurl is still on the stack.
 * `depth` counts libcurl's calls; while it is not 0, transfers are only marked as abandoned, and a
 * deferred call takes them away. A callback of libcurl's looks for that mark first, and again
 * after it has called somebody. */
#ifndef EXSYNC_HTTP_HTTP_PRIVATE_H
#define EXSYNC_HTTP_HTTP_PRIVATE_H

#include "http/http.h"
#include "http/http_kerberos.h"
#include "http/http_resolve.h"
#include "http/http_trust.h"

#include <curl/curl.h>

enum http_request_state {
    HTTP_REQUEST_IDLE,
    HTTP_REQUEST_WAITING, /* in the pool's queue */
    HTTP_REQUEST_RUNNING, /* has a transfer that libcurl works on */
    HTTP_REQUEST_ENDING,  /* done is called in the loop's next turn */
};

TAILQ_HEAD(http_requests, http_request);
TAILQ_HEAD(http_transfers, http_transfer);
TAILQ_HEAD(http_connections_list, http_connections);
LIST_HEAD(http_sockets, http_socket);

struct http_client {
    struct executor *executor;
    struct log *log;
    struct http_connections_list connections; /* retired ones as well */
    struct http_trusts trusts;
    struct executor_pool *sign_ins; /* threads that wait for KDCs */
    struct executor_pool *examinations;
};

struct http_connections {
    struct http_client *client;
    CURLM *multi;
    struct http_kerberos *kerberos; /* the pool's; NULL without Negotiate */
    struct executor_timer timer;    /* what libcurl wants to be called for later */
    struct executor_call kick;      /* the same, at once */
    struct executor_call reap;      /* takes abandoned transfers away, and itself when retired */
    struct http_transfers running;  /* their easy handles are in `multi` */
    struct http_sockets sockets;    /* of its connections, idle ones too */
    unsigned depth;                 /* libcurl's functions on the stack */
    bool retired;                   /* no transfer will be added any more */
    TAILQ_ENTRY(http_connections) entries;
};

struct http_pool {
    struct http_client *client;
    struct http_connections *connections; /* NULL until the first request, and after a reset */
    uint64_t generation;                  /* grows with each reset */

    /* The settings, all its own. */
    char *url;
    bool encrypted; /* the url is https */
    char *username;
    struct secret *password;
    enum http_auth auth;
    char *tls_ca_file; /* NULL: the system's */
    bool tls_verify;
    char *user_agent;
    uint64_t connect_timeout_ms;
    uint64_t idle_timeout_ms;
    uint32_t max_connections;

    /* What a connection needs. */
    struct http_resolver resolver;
    struct http_trust *trust; /* NULL when no certificate is checked */
    struct http_trust_waiter trust_waiter;
    struct http_kerberos *kerberos; /* NULL without Negotiate */

    /* The requests, and the places for them. */
    struct http_requests waiting;
    uint32_t waiting_count;
    struct http_requests ending; /* their completions are deferred */
    uint32_t budget;             /* 1..max_connections */
    uint32_t running;            /* transfers that are not idle */
    struct http_transfers idle;
    struct executor_call advance;

    /* The credentials. */
    bool proven;                  /* the server has accepted them */
    struct http_transfer *prover; /* the one that goes alone while they are not proven */
    bool closed;                  /* refused: nothing goes out until http_pool_reset */
    struct failure refusal;
};

struct http_transfer {
    struct http_pool *pool; /* NULL when the pool was freed while libcurl was on the stack */
    struct http_client *client;
    struct http_connections *connections; /* that it was last added to */
    CURL *easy;
    TAILQ_ENTRY(http_transfer) entries; /* in the pool's idle or the connections' running */

    /* What it carries. */
    struct http_request *request; /* NULL when idle or abandoned */
    uint64_t generation;          /* the pool's when it was started */
    struct curl_slist *headers;
    struct curl_slist *addresses;
    uint64_t addresses_generation; /* the resolver's */

    /* Its course. */
    bool abandoned;
    bool performing; /* a connection stands and the request goes over it */
    bool repeated;   /* sent again, by ourselves or by libcurl */
    bool paused;     /* the answer: its reader takes nothing at the moment */
    bool starved;    /* the body: its source has nothing at the moment */
    bool careful;    /* waits for a refusal before the body: see http_upload.c */
    struct executor_call resume;
    struct executor_call supply;
    struct executor_timer patience; /* ends the wait of a careful attempt */

    /* The body on its way out. */
    uint64_t length; /* of the whole body */
    uint64_t offset; /* bytes handed to libcurl in this attempt */
    uint64_t sent;   /* the same in all attempts */
    bool challenged; /* this attempt was answered with 401 */
    bool unanswered; /* a whole body was handed out, and no 401 came back */

    /* The answer on its way in. */
    uint16_t status; /* of this attempt's answer; 0 before its first line */
    uint32_t retry_after_ms;
    uint32_t head_bytes;
    uint64_t received; /* bytes of heads and bodies, in all attempts */

    /* Time, by the executor's clock. */
    struct executor_timer idle_timer;
    uint64_t started_ms;
    uint64_t active_ms; /* when a byte last moved */
    int64_t unsent;     /* bytes in the kernel's queue when the idle timer last looked */
    uint64_t since_ms;  /* since when it is watched for a trickle */
    int64_t moved;      /* bytes that had come and gone by then */

    /* Why it ended, where libcurl does not know. */
    bool enough;         /* the reader said HTTP_DATA_ABORT */
    bool source_failed;  /* request->source_failure says why */
    bool repeat_refused; /* libcurl wanted to send again what may have been carried out */
    bool timed_out;      /* no byte moved for too long */
    uint64_t trickle_ms; /* for how long too few moved; 0: they did not */
    bool too_long;       /* the answer's head exceeds what we take */
    bool coded;          /* the answer is compressed, which nobody asked for */

    struct http_response response;
    char error[CURL_ERROR_SIZE];
};

/* --- http_request.c --- */

/* Ends it in the loop's next turn, with what its transfer left or, without one, with `early`. */
void http_request_end(struct http_pool *pool, struct http_request *request);

/* Ends one that did not go out. */
void http_request_fail(struct http_pool *pool, struct http_request *request,
                       const struct failure *failure);

/* --- http_queue.c --- */

/* At the end, and out of it from anywhere; http_request_start keeps the request's state. */
void http_queue_add(struct http_pool *pool, struct http_request *request);
void http_queue_remove(struct http_pool *pool, struct http_request *request);

/* Something that requests wait for may be there: starts those that can, in the loop's next turn. */
void http_queue_advance(struct http_pool *pool);

/* All that wait fail. */
void http_queue_fail(struct http_pool *pool, const struct failure *failure);

/* The credentials were refused: all that wait fail, and nothing goes out any more. */
void http_queue_close(struct http_pool *pool, const struct failure *failure);

/* The head of an answer with this status has come. */
void http_queue_note_status(struct http_transfer *transfer, uint16_t status);

/* The transfer's request has ended with transfer->response; its completion is deferred. */
void http_queue_request_ended(struct http_transfer *transfer);

/* The transfer is idle again, its place free. */
void http_queue_release(struct http_pool *pool, struct http_transfer *transfer);

/* --- http_connections.c --- */

/* A reference to `kerberos` (NULL: none) is held. NULL when libcurl has no more handles. */
struct http_connections *http_connections_create(struct http_client *client,
                                                 struct http_kerberos *kerberos,
                                                 uint32_t max_connections);

/* No transfer will be added any more: closed and freed when the last one has ended. */
void http_connections_retire(struct http_connections *connections);

/* Adds the transfer's easy handle. False when libcurl cannot. */
bool http_connections_add(struct http_connections *connections, struct http_transfer *transfer);

/* Takes it out again; not while libcurl is on the stack. */
void http_connections_remove(struct http_connections *connections, struct http_transfer *transfer);

/* Takes abandoned transfers away in the next turn. */
void http_connections_reap_later(struct http_connections *connections);

/* Bracket a call of libcurl that can call back. Transfers that libcurl is done with are ended when
 * the outermost one is left. */
void http_connections_enter(struct http_connections *connections);
void http_connections_leave(struct http_connections *connections);

/* Frees it now: when the client goes, nothing runs any more. */
void http_connections_destroy(struct http_connections *connections);

/* --- http_transfer.c --- */

/* NULL when libcurl has no more handles. */
struct http_transfer *http_transfer_create(struct http_pool *pool);
void http_transfer_destroy(struct http_transfer *transfer);

/* An idle one carries the request from now on, until http_queue_request_ended or
 * http_transfer_abandon. */
void http_transfer_start(struct http_transfer *transfer, struct http_request *request);

/* Leaves the request alone from now on and takes itself away, now or as soon as libcurl allows. */
void http_transfer_abandon(struct http_transfer *transfer);

/* False for one that was started before the last reset of its pool. */
bool http_transfer_is_current(const struct http_transfer *transfer);

/* A byte has moved, or our side has just stopped waiting. */
void http_transfer_note_activity(struct http_transfer *transfer);

/* The directions that are to stay paused, as curl_easy_pause wants them: it sets both at once. */
int http_transfer_pauses(const struct http_transfer *transfer);

/* libcurl is done with it. */
void http_transfer_ended(struct http_transfer *transfer, CURLcode result);

/* The deferred half of http_transfer_abandon. */
void http_transfer_reap(struct http_transfer *transfer);

/* --- http_options.c --- */

/* Once for a new easy handle: all that is the same for every request of its pool. */
void http_options_set(struct http_transfer *transfer);

/* --- http_upload.c --- */

void http_upload_set_callbacks(struct http_transfer *transfer);

/* Before the easy handle is given to libcurl, for the first time or once more. */
void http_upload_prepare(struct http_transfer *transfer);

/* Asks a source again that had nothing, in the loop's next turn. */
void http_upload_continue(struct http_transfer *transfer);

/* --- http_download.c --- */

void http_download_set_callbacks(struct http_transfer *transfer);

/* Gives a reader again what it held back, in the loop's next turn. */
void http_download_continue(struct http_transfer *transfer);

/* --- http_outcome.c --- */

/* What the caller is told, from what libcurl and the callbacks left in the transfer. */
void http_outcome_build(struct http_transfer *transfer, CURLcode result,
                        struct http_response *response);

/* The server has answered before the body was sent whole, and not with a challenge to sign in:
 * nobody reads the rest, and a connection that breaks after the answer's head is its way to close.
 * After a 401 it is libcurl that decides. */
bool http_transfer_was_refused(const struct http_transfer *transfer);

/* Whether it is right to send the request once more on a new connection: the one that was used
 * again had been closed by the server, or what the server had said before it closed was lost. */
bool http_outcome_may_repeat(const struct http_transfer *transfer, CURLcode result);

#endif

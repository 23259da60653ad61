#include "http/http_failure.h"
#include "http/http_private.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static void advance_later(struct http_pool *pool);

/* --- the end of requests --- */

static void complete(void *argument)
{
    struct http_request *request = argument;
    struct http_pool *pool = request->pool;
    struct http_transfer *transfer = request->transfer;
    struct http_response response = {.failure = request->early};
    TAILQ_REMOVE(&pool->ending, request, entries);
    if (transfer != NULL) {
        response = transfer->response;
        request->transfer = NULL;
        transfer->request = NULL;
        http_pool_release(pool, transfer);
    }
    request->state = HTTP_REQUEST_IDLE;
    buffer_release(&request->body);
    /* Last: the request, and the pool with it, may be gone afterwards. */
    request->on_done(request, &response);
}

static void end_later(struct http_pool *pool, struct http_request *request)
{
    request->state = HTTP_REQUEST_ENDING;
    TAILQ_INSERT_TAIL(&pool->ending, request, entries);
    executor_defer(pool->client->executor, &request->completion, complete, request);
}

static void leave_queue(struct http_pool *pool, struct http_request *request)
{
    TAILQ_REMOVE(&pool->waiting, request, entries);
    pool->waiting_count--;
}

/* Ends a request that did not go out. */
static void fail_early(struct http_pool *pool, struct http_request *request,
                       const struct failure *failure)
{
    request->early = *failure;
    end_later(pool, request);
}

static void fail_waiting(struct http_pool *pool, const struct failure *failure)
{
    struct http_request *request;
    while ((request = TAILQ_FIRST(&pool->waiting)) != NULL) {
        leave_queue(pool, request);
        fail_early(pool, request, failure);
    }
}

/* The credentials were refused: nothing goes out any more. */
static void close_pool(struct http_pool *pool, const struct failure *failure)
{
    if (pool->closed)
        return;
    pool->closed = true;
    pool->proven = false;
    pool->refusal = *failure;
    fail_waiting(pool, failure);
}

bool http_pool_is_current(const struct http_transfer *transfer)
{
    return transfer->generation == transfer->pool->generation;
}

void http_pool_request_ended(struct http_transfer *transfer)
{
    struct http_pool *pool = transfer->pool;
    const struct failure *failure = &transfer->response.failure;
    if (pool->prover == transfer)
        pool->prover = NULL;
    /* A request from before the reset says nothing about the credentials as they are now. */
    if (failure->category == FAILURE_AUTHENTICATION && http_pool_is_current(transfer))
        close_pool(pool, failure);
    end_later(pool, transfer->request);
}

void http_pool_release(struct http_pool *pool, struct http_transfer *transfer)
{
    assert(pool->running > 0);
    pool->running--;
    if (pool->prover == transfer)
        pool->prover = NULL;
    transfer->abandoned = false;
    /* A handle from before the reset remembers TLS sessions with what was trusted then. */
    if (http_pool_is_current(transfer))
        TAILQ_INSERT_HEAD(&pool->idle, transfer, entries);
    else
        http_transfer_destroy(transfer);
    advance_later(pool);
}

/* --- the start of requests --- */

/* Answers that only somebody who is signed in gets: a front end that is busy, or does not know the
 * path, says so to everybody. */
static bool shows_sign_in(uint16_t status)
{
    return (status >= 200 && status < 300) || status == 500;
}

void http_pool_note_status(struct http_transfer *transfer, uint16_t status)
{
    struct http_pool *pool = transfer->pool;
    if (pool->prover != transfer || !shows_sign_in(status) || !http_pool_is_current(transfer))
        return;
    pool->prover = NULL;
    pool->proven = true;
    advance_later(pool);
}

/* Whether a transfer can be started as far as the server's address, the trusted certificates and
 * the Kerberos ticket are concerned. When they cannot be had, nobody who waits can start. */
static bool is_prepared(struct http_pool *pool)
{
    if (pool->trust != NULL) {
        if (!http_trust_ready(pool->trust, &pool->trust_waiter))
            return false;
        const struct failure *failure = http_trust_failure(pool->trust);
        if (failure != NULL) {
            fail_waiting(pool, failure);
            return false;
        }
    }
    if (!http_resolver_ready(&pool->resolver))
        return false;
    return pool->kerberos == NULL || http_kerberos_ready(pool->kerberos);
}

static struct http_transfer *take_transfer(struct http_pool *pool)
{
    struct http_transfer *transfer = TAILQ_FIRST(&pool->idle);
    if (pool->connections == NULL)
        pool->connections =
            http_connections_create(pool->client, pool->kerberos, pool->max_connections);
    if (pool->connections == NULL)
        return NULL;
    if (transfer == NULL)
        return http_transfer_create(pool);
    TAILQ_REMOVE(&pool->idle, transfer, entries);
    return transfer;
}

static void start_first(struct http_pool *pool)
{
    struct http_request *request = TAILQ_FIRST(&pool->waiting);
    struct http_transfer *transfer = take_transfer(pool);
    leave_queue(pool, request);
    if (transfer == NULL) {
        struct http_failure_detail detail = {.error = ""};
        struct failure failure = http_failure_of_curl(CURLE_FAILED_INIT, &detail);
        fail_early(pool, request, &failure);
        return;
    }
    pool->running++;
    if (!pool->proven)
        pool->prover = transfer;
    http_transfer_start(transfer, request);
}

static void advance(void *argument)
{
    struct http_pool *pool = argument;
    while (!TAILQ_EMPTY(&pool->waiting) && pool->running < pool->budget &&
           (pool->proven || pool->prover == NULL) && is_prepared(pool))
        start_first(pool);
}

static void advance_later(struct http_pool *pool)
{
    if (!TAILQ_EMPTY(&pool->waiting))
        executor_defer(pool->client->executor, &pool->advance, advance, pool);
}

static void resolved(void *argument, const struct failure *failure)
{
    struct http_pool *pool = argument;
    if (failure != NULL)
        fail_waiting(pool, failure);
    advance_later(pool);
}

static void ticket_came(void *argument, const struct failure *failure)
{
    struct http_pool *pool = argument;
    if (failure != NULL && failure->category == FAILURE_AUTHENTICATION && failure->permanent)
        close_pool(pool, failure);
    else if (failure != NULL)
        fail_waiting(pool, failure);
    advance_later(pool);
}

static void trust_read(void *argument)
{
    advance_later(argument);
}

/* --- requests --- */

void http_request_start(struct http_pool *pool, struct http_request *request)
{
    assert(request->state == HTTP_REQUEST_IDLE);
    request->pool = pool;
    request->transfer = NULL;
    if (pool->closed) {
        fail_early(pool, request, &pool->refusal);
        return;
    }
    request->state = HTTP_REQUEST_WAITING;
    TAILQ_INSERT_TAIL(&pool->waiting, request, entries);
    pool->waiting_count++;
    advance_later(pool);
}

void http_request_resume(struct http_request *request)
{
    if (request->state == HTTP_REQUEST_RUNNING)
        http_transfer_resume(request->transfer);
}

void http_request_source_ready(struct http_request *request)
{
    if (request->state == HTTP_REQUEST_RUNNING)
        http_upload_continue(request->transfer);
}

void http_request_cancel(struct http_request *request)
{
    struct http_pool *pool = request->pool;
    switch ((enum http_request_state)request->state) {
    case HTTP_REQUEST_IDLE:
        return;
    case HTTP_REQUEST_WAITING:
        leave_queue(pool, request);
        break;
    case HTTP_REQUEST_RUNNING:
        http_transfer_abandon(request->transfer);
        break;
    case HTTP_REQUEST_ENDING:
        executor_cancel_call(pool->client->executor, &request->completion);
        TAILQ_REMOVE(&pool->ending, request, entries);
        if (request->transfer != NULL) {
            request->transfer->request = NULL;
            http_pool_release(pool, request->transfer);
            request->transfer = NULL;
        }
        break;
    }
    request->state = HTTP_REQUEST_IDLE;
    buffer_release(&request->body);
}

bool http_request_active(const struct http_request *request)
{
    return request->state != HTTP_REQUEST_IDLE;
}

/* --- the pool --- */

static void open_trust(struct http_pool *pool, const char *file)
{
    if (pool->encrypted && pool->tls_verify)
        pool->trust = http_trust_open(&pool->client->trusts, pool->client->executor, file);
}

struct http_pool *http_pool_create(struct http_client *client,
                                   const struct http_pool_settings *settings)
{
    struct http_pool *pool = memory_allocate(sizeof *pool);
    pool->client = client;
    pool->url = memory_copy_string(settings->url);
    pool->auth = settings->auth;
    pool->username = memory_copy_string(settings->username);
    if (settings->password != NULL) {
        const char *password = secret_reveal(settings->password);
        pool->password = secret_create(password, strlen(password));
    }
    pool->tls_ca_file = memory_copy_string(settings->tls_ca_file);
    pool->encrypted = strncasecmp(settings->url, "https:", 6) == 0;
    pool->tls_verify = settings->tls_verify;
    pool->user_agent = memory_copy_string(settings->user_agent);
    pool->max_connections = settings->max_connections > 0 ? settings->max_connections : 1;
    pool->budget = pool->max_connections;
    pool->connect_timeout_ms = settings->connect_timeout_ms;
    pool->idle_timeout_ms = settings->idle_timeout_ms;
    TAILQ_INIT(&pool->waiting);
    TAILQ_INIT(&pool->ending);
    TAILQ_INIT(&pool->idle);
    pool->trust_waiter.ready = trust_read;
    pool->trust_waiter.argument = pool;
    http_resolver_init(&pool->resolver, client->executor, settings->url,
                       settings->connect_timeout_ms, resolved, pool);
    open_trust(pool, pool->tls_ca_file);
    /* A URL without a host is libcurl's to refuse. */
    if (pool->auth == HTTP_AUTH_NEGOTIATE && pool->resolver.host != NULL)
        pool->kerberos =
            http_kerberos_create(client->executor, client->sign_ins, pool->resolver.host,
                                 pool->username, pool->password, ticket_came, pool);
    return pool;
}

static void close_trust(struct http_pool *pool)
{
    if (pool->trust != NULL) {
        http_trust_forget(pool->trust, &pool->trust_waiter);
        http_trust_close(pool->trust);
        pool->trust = NULL;
    }
}

static void destroy_idle(struct http_pool *pool)
{
    struct http_transfer *transfer;
    while ((transfer = TAILQ_FIRST(&pool->idle)) != NULL) {
        TAILQ_REMOVE(&pool->idle, transfer, entries);
        http_transfer_destroy(transfer);
    }
}

static void cancel_transfer(struct http_transfer *transfer)
{
    if (transfer->connections->depth > 0) {
        if (transfer->request != NULL)
            http_request_cancel(transfer->request);
        transfer->pool = NULL; /* its connections take it away and free it */
    } else if (transfer->request != NULL) {
        http_request_cancel(transfer->request);
    } else {
        http_transfer_reap(transfer);
    }
}

/* Cancels what runs, on retired connections too; what libcurl still holds no longer knows the pool.
 */
static void cancel_running(struct http_pool *pool)
{
    struct http_connections *connections;
    TAILQ_FOREACH(connections, &pool->client->connections, entries)
    {
        struct http_transfer *next;
        struct http_transfer *transfer = TAILQ_FIRST(&connections->running);
        for (; transfer != NULL; transfer = next) {
            next = TAILQ_NEXT(transfer, entries);
            if (transfer->pool == pool)
                cancel_transfer(transfer);
        }
    }
}

void http_pool_free(struct http_pool *pool)
{
    struct http_request *request;
    while ((request = TAILQ_FIRST(&pool->waiting)) != NULL)
        http_request_cancel(request);
    while ((request = TAILQ_FIRST(&pool->ending)) != NULL)
        http_request_cancel(request);
    cancel_running(pool);
    destroy_idle(pool);
    if (pool->connections != NULL)
        http_connections_retire(pool->connections);
    executor_cancel_call(pool->client->executor, &pool->advance);
    if (pool->kerberos != NULL)
        http_kerberos_close(pool->kerberos);
    http_resolver_release(&pool->resolver);
    close_trust(pool);
    memory_free(pool->url);
    memory_free(pool->username);
    memory_free(pool->user_agent);
    memory_free(pool->tls_ca_file);
    secret_free(pool->password);
    memory_free(pool);
}

void http_pool_reset(struct http_pool *pool)
{
    pool->closed = false;
    pool->proven = false;
    pool->prover = NULL;
    pool->generation++;
    pool->resolver.fresh_until_ms = 0;
    if (pool->kerberos != NULL)
        http_kerberos_reset(pool->kerberos);
    if (pool->connections != NULL)
        http_connections_retire(pool->connections);
    pool->connections = NULL;
    destroy_idle(pool);
    close_trust(pool);
    open_trust(pool, pool->tls_ca_file);
    advance_later(pool);
}

void http_pool_set_budget(struct http_pool *pool, uint32_t requests)
{
    if (requests < 1)
        requests = 1;
    pool->budget = requests < pool->max_connections ? requests : pool->max_connections;
    advance_later(pool);
}

const struct failure *http_pool_refusal(const struct http_pool *pool)
{
    return pool->closed ? &pool->refusal : NULL;
}

uint32_t http_pool_budget(const struct http_pool *pool)
{
    return pool->budget;
}

uint32_t http_pool_running(const struct http_pool *pool)
{
    return pool->running;
}

uint32_t http_pool_waiting(const struct http_pool *pool)
{
    return pool->waiting_count;
}

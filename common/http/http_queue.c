/* Which of a pool's requests goes next, and when: there is room in the budget, what a connection
 * needs is there, and the credentials are proven or nobody is proving them. */
#include "http/http_failure.h"
#include "http/http_private.h"

#include <assert.h>

/* --- who waits --- */

void http_queue_add(struct http_pool *pool, struct http_request *request)
{
    TAILQ_INSERT_TAIL(&pool->waiting, request, entries);
    pool->waiting_count++;
    http_queue_advance(pool);
}

void http_queue_remove(struct http_pool *pool, struct http_request *request)
{
    TAILQ_REMOVE(&pool->waiting, request, entries);
    pool->waiting_count--;
}

void http_queue_fail(struct http_pool *pool, const struct failure *failure)
{
    struct http_request *request;
    while ((request = TAILQ_FIRST(&pool->waiting)) != NULL) {
        http_queue_remove(pool, request);
        http_request_fail(pool, request, failure);
    }
}

void http_queue_close(struct http_pool *pool, const struct failure *failure)
{
    if (pool->closed)
        return;
    pool->closed = true;
    pool->proven = false;
    pool->refusal = *failure;
    http_queue_fail(pool, failure);
}

/* --- the start --- */

/* Whether a transfer can be started as far as the server's address, the trusted certificates and
 * the Kerberos ticket are concerned. When they cannot be had, nobody who waits can start. */
static bool is_prepared(struct http_pool *pool)
{
    if (pool->trust != NULL) {
        if (!http_trust_ready(pool->trust, &pool->trust_waiter))
            return false;
        const struct failure *failure = http_trust_failure(pool->trust);
        if (failure != NULL) {
            http_queue_fail(pool, failure);
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
    http_queue_remove(pool, request);
    if (transfer == NULL) {
        struct http_failure_detail detail = {.error = ""};
        struct failure failure = http_failure_of_curl(CURLE_FAILED_INIT, &detail);
        http_request_fail(pool, request, &failure);
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

void http_queue_advance(struct http_pool *pool)
{
    if (!TAILQ_EMPTY(&pool->waiting))
        executor_defer(pool->client->executor, &pool->advance, advance, pool);
}

/* --- what transfers tell --- */

/* Answers that only somebody who is signed in gets: a front end that is busy, or does not know the
 * path, says so to everybody. */
static bool shows_sign_in(uint16_t status)
{
    return (status >= 200 && status < 300) || status == 500;
}

void http_queue_note_status(struct http_transfer *transfer, uint16_t status)
{
    struct http_pool *pool = transfer->pool;
    if (pool->prover != transfer || !shows_sign_in(status) || !http_transfer_is_current(transfer))
        return;
    pool->prover = NULL;
    pool->proven = true;
    http_queue_advance(pool);
}

void http_queue_request_ended(struct http_transfer *transfer)
{
    struct http_pool *pool = transfer->pool;
    const struct failure *failure = &transfer->response.failure;
    if (pool->prover == transfer)
        pool->prover = NULL;
    /* A request from before the reset says nothing about the credentials as they are now. */
    if (failure->category == FAILURE_AUTHENTICATION && http_transfer_is_current(transfer))
        http_queue_close(pool, failure);
    http_request_end(pool, transfer->request);
}

void http_queue_release(struct http_pool *pool, struct http_transfer *transfer)
{
    assert(pool->running > 0);
    pool->running--;
    if (pool->prover == transfer)
        pool->prover = NULL;
    transfer->abandoned = false;
    /* A handle from before the reset remembers TLS sessions with what was trusted then. */
    if (http_transfer_is_current(transfer))
        TAILQ_INSERT_HEAD(&pool->idle, transfer, entries);
    else
        http_transfer_destroy(transfer);
    http_queue_advance(pool);
}

#include "http/http_private.h"

#include "base/memory.h"

#include <string.h>
#include <strings.h>

/* --- what a connection needs --- */

static void resolved(void *argument, const struct failure *failure)
{
    struct http_pool *pool = argument;
    if (failure != NULL)
        http_queue_fail(pool, failure);
    http_queue_advance(pool);
}

static void ticket_came(void *argument, const struct failure *failure)
{
    struct http_pool *pool = argument;
    if (failure != NULL && failure->category == FAILURE_AUTHENTICATION && failure->permanent)
        http_queue_close(pool, failure);
    else if (failure != NULL)
        http_queue_fail(pool, failure);
    http_queue_advance(pool);
}

static void trust_read(void *argument)
{
    http_queue_advance(argument);
}

static void open_trust(struct http_pool *pool, const char *file)
{
    if (pool->encrypted && pool->tls_verify)
        pool->trust = http_trust_open(&pool->client->trusts, pool->client->executor, file);
}

static void close_trust(struct http_pool *pool)
{
    if (pool->trust != NULL) {
        http_trust_forget(pool->trust, &pool->trust_waiter);
        http_trust_close(pool->trust);
        pool->trust = NULL;
    }
}

/* --- life --- */

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
    http_queue_advance(pool);
}

/* --- the budget --- */

void http_pool_set_budget(struct http_pool *pool, uint32_t requests)
{
    if (requests < 1)
        requests = 1;
    pool->budget = requests < pool->max_connections ? requests : pool->max_connections;
    http_queue_advance(pool);
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

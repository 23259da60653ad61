/* A request's course: it waits in its pool's queue (http_queue.c), is carried by a transfer, and
 * its end is told in a turn of its own. */
#include "http/http_private.h"

#include <assert.h>

/* --- the end --- */

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
        http_queue_release(pool, transfer);
    }
    request->state = HTTP_REQUEST_IDLE;
    buffer_release(&request->body);
    /* Last: the request, and the pool with it, may be gone afterwards. */
    request->on_done(request, &response);
}

void http_request_end(struct http_pool *pool, struct http_request *request)
{
    request->state = HTTP_REQUEST_ENDING;
    TAILQ_INSERT_TAIL(&pool->ending, request, entries);
    executor_defer(pool->client->executor, &request->completion, complete, request);
}

void http_request_fail(struct http_pool *pool, struct http_request *request,
                       const struct failure *failure)
{
    request->early = *failure;
    http_request_end(pool, request);
}

/* --- what its owner does --- */

void http_request_start(struct http_pool *pool, struct http_request *request)
{
    assert(request->state == HTTP_REQUEST_IDLE);
    request->pool = pool;
    request->transfer = NULL;
    if (pool->closed) {
        http_request_fail(pool, request, &pool->refusal);
        return;
    }
    request->state = HTTP_REQUEST_WAITING;
    http_queue_add(pool, request);
}

void http_request_resume(struct http_request *request)
{
    if (request->state == HTTP_REQUEST_RUNNING)
        http_download_continue(request->transfer);
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
        http_queue_remove(pool, request);
        break;
    case HTTP_REQUEST_RUNNING:
        http_transfer_abandon(request->transfer);
        break;
    case HTTP_REQUEST_ENDING:
        executor_cancel_call(pool->client->executor, &request->completion);
        TAILQ_REMOVE(&pool->ending, request, entries);
        if (request->transfer != NULL) {
            request->transfer->request = NULL;
            http_queue_release(pool, request->transfer);
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

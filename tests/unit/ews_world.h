/* A back end in a world where HTTP does what the test says. */
#ifndef EXSYNC_TESTS_UNIT_EWS_WORLD_H
#define EXSYNC_TESTS_UNIT_EWS_WORLD_H

#include "ews_feed.h"

#include "base/executor.h"
#include "ews/ews.h"

#define SUCCESS(operation, rest)                                                        \
    "<m:" operation "ResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError" \
    "</m:ResponseCode>" rest "</m:" operation "ResponseMessage>"
#define REFUSAL(operation, code)                                                                 \
    "<m:" operation "ResponseMessage ResponseClass=\"Error\"><m:MessageText>No.</m:MessageText>" \
    "<m:ResponseCode>" code "</m:ResponseCode></m:" operation "ResponseMessage>"
#define FAULT(code)                                                                             \
    XML_HEAD SOAP_OPEN "<s:Fault><faultcode>" code "</faultcode><faultstring>No.</faultstring>" \
                       "</s:Fault>" SOAP_CLOSE

/* --- an HTTP that does what the test says: it stands in for http/, which is not linked --- */

struct http_pool {
    struct http_request *request; /* under way; one at a time is enough here */
    bool resumed;
    unsigned started;
    unsigned cancelled;
    unsigned told;      /* that a source has bytes again */
    struct buffer body; /* of the last request */
};

void http_request_start(struct http_pool *pool, struct http_request *request)
{
    assert_null(pool->request);
    pool->request = request;
    request->pool = pool;
    request->state = 1;
    pool->started++;
    buffer_clear(&pool->body);
    if (request->source == NULL)
        buffer_append(&pool->body, request->body.data, request->body.length);
}

void http_request_source_ready(struct http_request *request)
{
    request->pool->told++;
}

void http_request_resume(struct http_request *request)
{
    request->pool->resumed = true;
}

bool http_request_active(const struct http_request *request)
{
    return request->state != 0;
}

void http_request_cancel(struct http_request *request)
{
    if (request->state == 0)
        return;
    request->state = 0;
    buffer_release(&request->body);
    request->pool->request = NULL;
    request->pool->cancelled++;
}

/* Gives an answer to the request that is under way, in pieces. Returns how often it was paused. */
static inline unsigned give(struct http_pool *pool, const char *bytes, size_t piece)
{
    struct http_request *request = pool->request;
    size_t length = strlen(bytes);
    unsigned pauses = 0;
    for (size_t at = 0; at < length && pool->request == request;) {
        size_t now = piece < length - at ? piece : length - at;
        enum http_data_result result = request->on_data(request, 200, bytes + at, now);
        if (result == HTTP_DATA_ABORT)
            break;
        if (result == HTTP_DATA_PAUSE) {
            assert_true(++pauses < 1000);
            continue;
        }
        at += now;
    }
    return pauses;
}

static inline void end_with(struct http_pool *pool, const struct http_response *response)
{
    struct http_request *request = pool->request;
    assert_non_null(request);
    pool->request = NULL;
    request->state = 0;
    buffer_release(&request->body);
    request->on_done(request, response);
}

static inline void answer(struct http_pool *pool, const char *bytes)
{
    const struct http_response ok = {.status = 200};
    give(pool, bytes, 100);
    if (pool->request != NULL)
        end_with(pool, &ok);
}

/* --- the world of a test --- */

struct world {
    struct executor *executor;
    struct http_pool pool;
    struct backend *backend;
    struct backend_mailbox mailbox;
    char *cookies;
    unsigned done;
    struct failure failure;
    struct buffer log;
    struct backend_operation *operation;
    unsigned not_ready;   /* answers to "ready" that are false */
    unsigned cancel_call; /* the call of a receiver that cancels; 0: none */
};

static inline struct world *world_create(void)
{
    struct world *world = memory_allocate(sizeof *world);
    const struct ews_settings settings = {.impersonation = true};
    world->executor = executor_create();
    world->backend = ews_create(world->executor, &settings, &world->pool);
    world->mailbox = (struct backend_mailbox){
        .address = "ann@example.com", .cookies = &world->cookies, .activity = "activity"};
    return world;
}

static inline void world_free(struct world *world)
{
    assert_null(world->pool.request);
    ews_free(world->backend);
    executor_free(world->executor);
    buffer_release(&world->log);
    buffer_release(&world->pool.body);
    memory_free(world);
}

static inline void note_done(struct world *world, const struct failure *failure)
{
    world->done++;
    world->failure = failure == NULL ? (struct failure){0} : *failure;
}

static inline void assert_done(struct world *world, const char *code)
{
    assert_int_equal(world->done, 1);
    assert_string_equal(world->failure.code, code);
    assert_null(world->pool.request);
    world->done = 0;
}

static inline void stop_loop(void *argument)
{
    executor_stop(argument);
}

/* Lets the loop take its turns until nothing waits. */
static inline void turn(struct world *world)
{
    struct executor_timer timer = {0};
    executor_after(world->executor, &timer, 1, stop_loop, world->executor);
    executor_run(world->executor);
}

static inline struct failure lost(const char *code)
{
    struct failure failure = {.category = FAILURE_NETWORK,
                              .scope = FAILURE_SCOPE_MAILBOX,
                              .divisible = true,
                              .sentence = "lost",
                              .remedy = ""};
    failure_set_code(&failure, code);
    return failure;
}

#endif

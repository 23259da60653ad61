#include "fixture_http.h"

#include "base/memory.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    PATIENCE_S = 60, /* a test that hangs is ended by SIGALRM */
    LONG_MS = 50 * 1000,
};

struct http_pool_settings fixture_settings(const char *url)
{
    return (struct http_pool_settings){
        .url = url,
        .auth = HTTP_AUTH_BASIC,
        .username = "CONTOSO\\svc-sync",
        .tls_verify = true,
        .user_agent = "exsyncd-test",
        .max_connections = 4,
        .connect_timeout_ms = LONG_MS,
        .idle_timeout_ms = LONG_MS,
    };
}

void fixture_world_open(struct fixture_world *world, const struct http_pool_settings *settings)
{
    signal(SIGPIPE, SIG_IGN);
    alarm(PATIENCE_S);
    *world = (struct fixture_world){0};
    world->executor = executor_create();
    world->client = http_client_create(world->executor, NULL);
    struct http_pool_settings whole = *settings;
    struct secret *password = secret_create("pa:ss wörd", strlen("pa:ss wörd"));
    whole.password = password;
    world->pool = http_pool_create(world->client, &whole);
    secret_free(password);
}

void fixture_world_close(struct fixture_world *world)
{
    if (world->pool != NULL)
        http_pool_free(world->pool);
    http_client_free(world->client);
    executor_free(world->executor);
    alarm(0);
}

static void resume(void *argument)
{
    struct fixture_exchange *exchange = argument;
    http_request_resume(&exchange->request);
}

static enum http_data_result take_data(struct http_request *request, uint16_t status,
                                       const char *bytes, size_t length)
{
    struct fixture_exchange *exchange = (struct fixture_exchange *)(void *)request;
    exchange->status = status;
    if (exchange->data != NULL)
        return exchange->data(exchange, bytes, length);
    if (exchange->pauses > 0) {
        exchange->pauses--;
        exchange->paused++;
        if (!exchange->resume_by_hand)
            executor_after(exchange->world->executor, &exchange->timer, 1, resume, exchange);
        return HTTP_DATA_PAUSE;
    }
    buffer_append(&exchange->answer, bytes, length);
    return HTTP_DATA_TAKEN;
}

static void take_end(struct http_request *request, const struct http_response *response)
{
    struct fixture_exchange *exchange = (struct fixture_exchange *)(void *)request;
    struct fixture_world *world = exchange->world;
    exchange->response = *response;
    exchange->done = true;
    if (--world->pending == 0)
        executor_stop(world->executor);
    if (exchange->finished != NULL)
        exchange->finished(exchange);
}

void fixture_fill(struct buffer *body, size_t length)
{
    buffer_reserve(body, length);
    for (size_t i = 0; i < length; i++)
        buffer_append_char(body, (char)('a' + (char)(i * 7 % 23)));
}

void fixture_start(struct fixture_world *world, struct fixture_exchange *exchange, size_t length)
{
    exchange->world = world;
    exchange->done = false;
    buffer_clear(&exchange->answer);
    exchange->request.on_data = take_data;
    exchange->request.on_done = take_end;
    fixture_fill(&exchange->request.body, length);
    world->pending++;
    http_request_start(world->pool, &exchange->request);
}

void fixture_run(struct fixture_world *world)
{
    while (world->pending > 0)
        executor_run(world->executor);
}

void fixture_run_until_stopped(struct fixture_world *world)
{
    executor_run(world->executor);
}

void fixture_cancel(struct fixture_exchange *exchange)
{
    struct fixture_world *world = exchange->world;
    executor_cancel_timer(world->executor, &exchange->timer);
    http_request_cancel(&exchange->request);
    if (--world->pending == 0)
        executor_stop(world->executor);
}

void fixture_forget(struct fixture_exchange *exchange)
{
    buffer_release(&exchange->answer);
}

/* A server that is out of reach for a while: what libcurl leaves of a connection that never came
 * about must not keep the next one from coming about. */
#include "base/memory.h"
#include "fixture_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A listener whose queue is full: the kernel drops what asks for a connection. */
struct server {
    int listener;
    int filler; /* the connection in the queue */
    struct sockaddr_in address;
    pthread_t thread;
};

static void server_open(struct server *server)
{
    socklen_t size = sizeof server->address;
    server->address = (struct sockaddr_in){.sin_family = AF_INET};
    server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr *address = (struct sockaddr *)&server->address;
    assert_int_equal(bind(server->listener, address, size), 0);
    assert_int_equal(listen(server->listener, 0), 0);
    assert_int_equal(getsockname(server->listener, address, &size), 0);
    server->filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(server->filler, address, size), 0);
}

/* Its number is free again: the one that the next socket gets. */
static void server_take_filler(const struct server *server)
{
    close(accept(server->listener, NULL, NULL));
}

static void *serve_one(void *argument)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<answer/>";
    const struct server *server = argument;
    char request[4096];
    int descriptor = accept(server->listener, NULL, NULL);
    assert(descriptor >= 0);
    ssize_t got = recv(descriptor, request, sizeof request, 0);
    assert(got > 0);
    ssize_t sent = send(descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL);
    assert(sent == (ssize_t)(sizeof answer - 1));
    while (recv(descriptor, request, sizeof request, 0) > 0)
        continue;
    close(descriptor);
    return NULL;
}

static void server_serve_one(struct server *server)
{
    assert_int_equal(pthread_create(&server->thread, NULL, serve_one, server), 0);
}

static void server_close(const struct server *server)
{
    close(server->listener);
    close(server->filler);
}

static struct http_pool_settings settings_of(const struct server *server, char url[64],
                                             uint32_t connect_timeout_ms)
{
    snprintf(url, 64, "http://127.0.0.1:%u/", (unsigned)ntohs(server->address.sin_port));
    struct http_pool_settings settings = fixture_settings(url);
    settings.connect_timeout_ms = connect_timeout_ms;
    return settings;
}

static void open_world(struct fixture_world *world, const struct server *server,
                       uint32_t connect_timeout_ms)
{
    char url[64];
    const struct http_pool_settings settings = settings_of(server, url, connect_timeout_ms);
    fixture_world_open(world, &settings);
}

static void check_answer(struct fixture_exchange *exchange)
{
    assert_false(failure_is_set(&exchange->response.failure));
    assert_string_equal(buffer_string(&exchange->answer), "<answer/>");
    fixture_forget(exchange);
}

static void a_server_that_was_out_of_reach_is_reached_again(void **state)
{
    (void)state;
    struct server server;
    struct fixture_world world = {0};
    struct fixture_exchange exchange = {0};
    server_open(&server);
    open_world(&world, &server, 2000);
    fixture_start(&world, &exchange, 10);
    fixture_run(&world);
    assert_string_equal(exchange.response.failure.code, "CURLE_OPERATION_TIMEDOUT");
    fixture_forget(&exchange);
    server_take_filler(&server);
    server_serve_one(&server);
    fixture_start(&world, &exchange, 10);
    fixture_run(&world);
    check_answer(&exchange);
    fixture_world_close(&world);
    pthread_join(server.thread, NULL);
    server_close(&server);
}

struct pause {
    struct executor *executor;
    struct executor_timer timer;
    bool over;
};

static void pause_over(void *argument)
{
    struct pause *pause = argument;
    pause->over = true;
    executor_stop(pause->executor);
}

/* It asks for a connection, which does not come about. */
static void begin(struct fixture_world *world, struct fixture_exchange *exchange)
{
    struct pause pause = {.executor = world->executor};
    fixture_start(world, exchange, 10);
    executor_after(world->executor, &pause.timer, 50, pause_over, &pause);
    while (!pause.over)
        fixture_run_until_stopped(world);
    assert_false(exchange->done);
}

static void a_request_can_be_cancelled_while_it_connects(void **state)
{
    (void)state;
    struct server server;
    struct fixture_world world = {0};
    struct fixture_exchange exchange = {0};
    server_open(&server);
    open_world(&world, &server, 20000);
    begin(&world, &exchange);
    fixture_cancel(&exchange);
    fixture_forget(&exchange);
    fixture_world_close(&world);
    server_close(&server);
}

/* Its socket has the number of the one that was given up. */
static void another_pool_can_connect_after_a_request_was_cancelled(void **state)
{
    (void)state;
    struct server server;
    struct fixture_world world = {0};
    struct fixture_exchange exchange = {0};
    server_open(&server);
    open_world(&world, &server, 20000);
    begin(&world, &exchange);
    fixture_cancel(&exchange);
    fixture_forget(&exchange);

    struct http_pool *first = world.pool;
    char url[64];
    const struct http_pool_settings settings = settings_of(&server, url, 20000);
    world.pool = http_pool_create(world.client, &settings);
    server_take_filler(&server);
    server_serve_one(&server);
    fixture_start(&world, &exchange, 10);
    fixture_run(&world);
    check_answer(&exchange);
    http_pool_free(first);
    fixture_world_close(&world);
    pthread_join(server.thread, NULL);
    server_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_was_out_of_reach_is_reached_again),
        cmocka_unit_test(another_pool_can_connect_after_a_request_was_cancelled),
        cmocka_unit_test(a_request_can_be_cancelled_while_it_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

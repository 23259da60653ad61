/* A request can be cancelled, and its pool freed, at every moment and from every callback. What
 * these tests look for is mostly seen by the sanitizers. */
#include "base/memory.h"
#include "fixture_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 6 };

struct scene {
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_exchange *exchanges[COUNT]; /* each in memory of its own */
    struct fixture_gate gate;
    bool certificate;
};

static void answer_long(struct fixture_connection *connection, void *argument)
{
    struct fixture_request request;
    struct buffer body = {0};
    (void)argument;
    fixture_fill(&body, 100000);
    while (fixture_receive(connection, &request) &&
           fixture_answer(connection, "200 OK", "Set-Cookie: a=b\r\n", body.data))
        ;
    buffer_release(&body);
}

static void wait_at_the_gate(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    if (fixture_receive_head(connection, &request))
        fixture_gate_wait(&scene->gate);
}

static void scene_open(struct scene *scene, fixture_handler *handler, uint32_t max_connections)
{
    *scene = (struct scene){0};
    fixture_gate_init(&scene->gate);
    scene->server = fixture_server_start(handler, scene, NULL);
    struct http_pool_settings settings = fixture_settings(fixture_server_url(scene->server));
    settings.max_connections = max_connections;
    fixture_world_open(&scene->world, &settings);
    for (size_t i = 0; i < COUNT; i++)
        scene->exchanges[i] = memory_allocate(sizeof *scene->exchanges[i]);
}

static void drop(struct scene *scene, size_t i)
{
    fixture_forget(scene->exchanges[i]);
    memory_free(scene->exchanges[i]);
    scene->exchanges[i] = NULL;
}

static void scene_close(struct scene *scene)
{
    fixture_gate_open(&scene->gate);
    fixture_world_close(&scene->world);
    fixture_server_stop(scene->server);
    for (size_t i = 0; i < COUNT; i++) {
        if (scene->exchanges[i] != NULL)
            drop(scene, i);
    }
}

static void stop_loop(void *argument)
{
    struct scene *scene = argument;
    executor_stop(scene->world.executor);
}

static void run_for(struct scene *scene, uint64_t time_ms)
{
    struct executor_timer timer = {0};
    executor_after(scene->world.executor, &timer, time_ms, stop_loop, scene);
    fixture_run_until_stopped(&scene->world);
    executor_cancel_timer(scene->world.executor, &timer);
}

/* Turns the loop some times without waiting. */
struct turner {
    struct scene *scene;
    struct executor_call call;
    unsigned left;
};

static void turn(void *argument)
{
    struct turner *turner = argument;
    if (turner->left-- == 0)
        executor_stop(turner->scene->world.executor);
    else
        executor_defer(turner->scene->world.executor, &turner->call, turn, turner);
}

static void run_turns(struct scene *scene, unsigned turns)
{
    struct turner turner = {.scene = scene, .left = turns};
    executor_defer(scene->world.executor, &turner.call, turn, &turner);
    fixture_run_until_stopped(&scene->world);
    executor_cancel_call(scene->world.executor, &turner.call); /* others stop the loop too */
}

static void a_request_can_be_cancelled_after_any_turn_of_the_loop(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long, 2);
    for (unsigned turns = 0; turns < 60; turns++) {
        struct fixture_exchange *exchange = memory_allocate(sizeof *exchange);
        fixture_start(&scene.world, exchange, 50000);
        assert_true(http_request_active(&exchange->request));
        if (turns > 0)
            run_turns(&scene, turns);
        if (!exchange->done)
            fixture_cancel(exchange);
        assert_false(http_request_active(&exchange->request));
        http_request_cancel(&exchange->request); /* once more does nothing */
        fixture_forget(exchange);
        memory_free(exchange);
    }
    /* The pool works as before. */
    fixture_start(&scene.world, scene.exchanges[0], 100);
    fixture_run(&scene.world);
    assert_int_equal(scene.exchanges[0]->response.status, 200);
    assert_int_equal(http_pool_running(scene.world.pool), 0);
    scene_close(&scene);
}

static void a_pool_can_be_freed_after_any_turn_of_the_loop(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 40; turns++) {
        struct scene scene;
        scene_open(&scene, answer_long, 2);
        for (size_t i = 0; i < COUNT; i++)
            fixture_start(&scene.world, scene.exchanges[i], 1000);
        if (turns > 0)
            run_turns(&scene, turns);
        http_pool_free(scene.world.pool);
        scene.world.pool = NULL;
        for (size_t i = 0; i < COUNT; i++) {
            assert_false(http_request_active(&scene.exchanges[i]->request));
            drop(&scene, i);
        }
        if (turns % 2 == 0)
            run_turns(&scene, 3);
        scene_close(&scene);
    }
}

static void one_that_waits_for_the_server_can_be_cancelled_and_the_next_goes(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, wait_at_the_gate, 1);
    fixture_start(&scene.world, scene.exchanges[0], 1000);
    fixture_start(&scene.world, scene.exchanges[1], 1000);
    run_for(&scene, 30);
    assert_int_equal(http_pool_running(scene.world.pool), 1);
    assert_int_equal(http_pool_waiting(scene.world.pool), 1);
    fixture_cancel(scene.exchanges[0]);
    drop(&scene, 0);
    run_for(&scene, 30);
    assert_int_equal(http_pool_running(scene.world.pool), 1);
    assert_int_equal(http_pool_waiting(scene.world.pool), 0);
    fixture_cancel(scene.exchanges[1]);
    drop(&scene, 1);
    assert_int_equal(http_pool_running(scene.world.pool), 0);
    scene_close(&scene);
}

/* --- from within on_data --- */

static enum http_data_result cancel_itself(struct fixture_exchange *exchange, const char *bytes,
                                           size_t length)
{
    (void)bytes, (void)length;
    struct scene *scene = exchange->argument;
    fixture_cancel(exchange);
    assert_false(http_request_active(&exchange->request));
    for (size_t i = 0; i < COUNT; i++) {
        if (scene->exchanges[i] == exchange)
            drop(scene, i);
    }
    return HTTP_DATA_TAKEN;
}

static void a_request_can_be_cancelled_and_freed_in_its_own_data(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long, 2);
    for (size_t i = 0; i < COUNT; i++) {
        scene.exchanges[i]->data = i % 2 == 0 ? cancel_itself : NULL;
        scene.exchanges[i]->argument = &scene;
        fixture_start(&scene.world, scene.exchanges[i], 1000);
    }
    fixture_run(&scene.world);
    for (size_t i = 0; i < COUNT; i++)
        assert_true((i % 2 == 0) == (scene.exchanges[i] == NULL));
    scene_close(&scene);
}

static enum http_data_result pause(struct fixture_exchange *exchange, const char *bytes,
                                   size_t length)
{
    (void)bytes, (void)length;
    exchange->paused++;
    executor_stop(exchange->world->executor);
    return HTTP_DATA_PAUSE;
}

static void a_paused_request_can_be_cancelled(void **state)
{
    (void)state;
    for (int resume = 0; resume < 2; resume++) {
        struct scene scene;
        scene_open(&scene, answer_long, 1);
        scene.exchanges[0]->data = pause;
        fixture_start(&scene.world, scene.exchanges[0], 1000);
        fixture_run_until_stopped(&scene.world);
        assert_int_equal(scene.exchanges[0]->paused, 1);
        if (resume)
            http_request_resume(&scene.exchanges[0]->request);
        fixture_cancel(scene.exchanges[0]);
        drop(&scene, 0);
        fixture_start(&scene.world, scene.exchanges[1], 1000);
        fixture_run(&scene.world);
        assert_int_equal(scene.exchanges[1]->response.status, 200);
        scene_close(&scene);
    }
}

static enum http_data_result cancel_when_resumed(struct fixture_exchange *exchange,
                                                 const char *bytes, size_t length)
{
    if (exchange->paused++ > 0)
        return cancel_itself(exchange, bytes, length);
    http_request_resume(&exchange->request);
    return HTTP_DATA_PAUSE;
}

static void a_request_can_be_cancelled_while_it_is_resumed(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long, 1);
    scene.exchanges[0]->data = cancel_when_resumed;
    scene.exchanges[0]->argument = &scene;
    fixture_start(&scene.world, scene.exchanges[0], 1000);
    fixture_start(&scene.world, scene.exchanges[1], 1000);
    fixture_run(&scene.world);
    assert_null(scene.exchanges[0]);
    assert_int_equal(scene.exchanges[1]->response.status, 200);
    scene_close(&scene);
}

static enum http_data_result cancel_all(struct fixture_exchange *exchange, const char *bytes,
                                        size_t length)
{
    (void)bytes, (void)length;
    struct scene *scene = exchange->argument;
    for (size_t i = 0; i < COUNT; i++) {
        if (!scene->exchanges[i]->done)
            fixture_cancel(scene->exchanges[i]);
    }
    executor_stop(scene->world.executor);
    return HTTP_DATA_PAUSE;
}

static void all_requests_can_be_cancelled_in_the_data_of_one(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long, 4);
    fixture_start(&scene.world, scene.exchanges[0], 1000);
    fixture_run(&scene.world);
    for (size_t i = 0; i < COUNT; i++) {
        scene.exchanges[i]->data = i == 3 ? cancel_all : NULL;
        scene.exchanges[i]->argument = &scene;
        fixture_start(&scene.world, scene.exchanges[i], 1000);
    }
    fixture_run_until_stopped(&scene.world);
    for (size_t i = 0; i < COUNT; i++)
        assert_false(http_request_active(&scene.exchanges[i]->request));
    run_turns(&scene, 3);
    assert_int_equal(http_pool_running(scene.world.pool), 0);
    scene_close(&scene);
}

static void free_pool(struct scene *scene)
{
    http_pool_free(scene->world.pool);
    scene->world.pool = NULL;
    executor_stop(scene->world.executor);
}

static enum http_data_result free_pool_in_data(struct fixture_exchange *exchange, const char *bytes,
                                               size_t length)
{
    (void)bytes, (void)length;
    if (exchange->paused++ == 0 && exchange->pauses > 0) {
        http_request_resume(&exchange->request);
        return HTTP_DATA_PAUSE;
    }
    free_pool(exchange->argument);
    return HTTP_DATA_TAKEN;
}

static void a_pool_can_be_freed_in_data(void **state)
{
    (void)state;
    for (unsigned pauses = 0; pauses < 2; pauses++) {
        struct scene scene;
        scene_open(&scene, answer_long, 4);
        fixture_start(&scene.world, scene.exchanges[0], 1000);
        fixture_run(&scene.world);
        for (size_t i = 0; i < COUNT; i++) {
            scene.exchanges[i]->data = i == 2 ? free_pool_in_data : NULL;
            scene.exchanges[i]->argument = &scene;
            scene.exchanges[i]->pauses = i == 2 ? pauses : 0;
            fixture_start(&scene.world, scene.exchanges[i], 1000);
        }
        fixture_run_until_stopped(&scene.world);
        assert_null(scene.world.pool);
        for (size_t i = 0; i < COUNT; i++)
            assert_false(http_request_active(&scene.exchanges[i]->request));
        if (pauses == 0)
            run_turns(&scene, 3); /* else what is left goes with the client */
        scene_close(&scene);
    }
}

/* --- from within on_done --- */

static void free_pool_in_done(struct fixture_exchange *exchange)
{
    free_pool(exchange->argument);
}

static void a_pool_can_be_freed_in_done(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long, 4);
    for (size_t i = 0; i < COUNT; i++) {
        scene.exchanges[i]->finished = i == 0 ? free_pool_in_done : NULL;
        scene.exchanges[i]->argument = &scene;
        fixture_start(&scene.world, scene.exchanges[i], 1000);
    }
    fixture_run_until_stopped(&scene.world);
    assert_null(scene.world.pool);
    run_turns(&scene, 3);
    scene_close(&scene);
}

static void cancel_the_others(struct fixture_exchange *exchange)
{
    struct scene *scene = exchange->argument;
    for (size_t i = 0; i < COUNT; i++) {
        if (scene->exchanges[i] != exchange && !scene->exchanges[i]->done) {
            fixture_cancel(scene->exchanges[i]);
            drop(scene, i);
            scene->exchanges[i] = memory_allocate(sizeof *exchange);
            scene->exchanges[i]->done = true;
        }
    }
}

static void refuse(struct fixture_connection *connection, void *argument)
{
    struct fixture_request request;
    (void)argument;
    while (fixture_receive(connection, &request) &&
           fixture_answer(connection, "401 Unauthorized", "WWW-Authenticate: Basic\r\n", "no"))
        ;
}

static void those_refused_together_can_be_cancelled_by_the_first(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, refuse, 2);
    for (size_t i = 0; i < COUNT; i++) {
        scene.exchanges[i]->finished = cancel_the_others;
        scene.exchanges[i]->argument = &scene;
        fixture_start(&scene.world, scene.exchanges[i], 1000);
    }
    fixture_run(&scene.world);
    size_t refused = 0;
    for (size_t i = 0; i < COUNT; i++)
        refused += scene.exchanges[i]->response.failure.category == FAILURE_AUTHENTICATION;
    assert_int_equal(refused, 1);
    scene_close(&scene);
}

static void a_pool_can_be_reset_while_everything_runs(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 40; turns++) {
        struct scene scene;
        scene_open(&scene, answer_long, 2);
        for (size_t i = 0; i < COUNT; i++)
            fixture_start(&scene.world, scene.exchanges[i], 1000);
        if (turns > 0)
            run_turns(&scene, turns);
        http_pool_reset(scene.world.pool);
        http_pool_reset(scene.world.pool);
        fixture_run(&scene.world);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(scene.exchanges[i]->response.status, 200);
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_can_be_cancelled_after_any_turn_of_the_loop),
        cmocka_unit_test(a_pool_can_be_freed_after_any_turn_of_the_loop),
        cmocka_unit_test(one_that_waits_for_the_server_can_be_cancelled_and_the_next_goes),
        cmocka_unit_test(a_request_can_be_cancelled_and_freed_in_its_own_data),
        cmocka_unit_test(a_paused_request_can_be_cancelled),
        cmocka_unit_test(a_request_can_be_cancelled_while_it_is_resumed),
        cmocka_unit_test(all_requests_can_be_cancelled_in_the_data_of_one),
        cmocka_unit_test(a_pool_can_be_freed_in_data),
        cmocka_unit_test(a_pool_can_be_freed_in_done),
        cmocka_unit_test(those_refused_together_can_be_cancelled_by_the_first),
        cmocka_unit_test(a_pool_can_be_reset_while_everything_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

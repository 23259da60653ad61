#include "base/memory.h"
#include "fixture_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 12 };

/* What the server of a test counts and waits for. */
struct counters {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned active;
    unsigned most;
    unsigned requests;
    unsigned together; /* once so many were active at a time, nobody waits any more */
    bool met;
    struct fixture_gate gate;
    const char *status;
    char order[64];
};

static void counters_init(struct counters *counters)
{
    *counters = (struct counters){.status = "200 OK"};
    pthread_mutex_init(&counters->mutex, NULL);
    pthread_cond_init(&counters->changed, NULL);
    fixture_gate_init(&counters->gate);
}

static void count_arrival(struct counters *counters, const struct fixture_request *request)
{
    pthread_mutex_lock(&counters->mutex);
    char anchor[32] = "?";
    fixture_field(request, "X-AnchorMailbox", anchor, sizeof anchor);
    if (counters->requests < sizeof counters->order - 1)
        counters->order[counters->requests] = anchor[0];
    counters->requests++;
    counters->active++;
    if (counters->active > counters->most)
        counters->most = counters->active;
    if (counters->active >= counters->together)
        counters->met = true;
    pthread_cond_broadcast(&counters->changed);
    while (!counters->met)
        pthread_cond_wait(&counters->changed, &counters->mutex);
    pthread_mutex_unlock(&counters->mutex);
}

static void count_departure(struct counters *counters)
{
    pthread_mutex_lock(&counters->mutex);
    counters->active--;
    pthread_mutex_unlock(&counters->mutex);
}

static void expect_together(struct counters *counters, unsigned together)
{
    pthread_mutex_lock(&counters->mutex);
    counters->together = together;
    counters->met = together <= 1;
    counters->most = 0;
    pthread_mutex_unlock(&counters->mutex);
}

static void answer_all(struct fixture_connection *connection, void *argument)
{
    struct counters *counters = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        count_arrival(counters, &request);
        count_departure(counters);
        if (!fixture_answer(connection, counters->status, "", "<answer/>"))
            break;
    }
}

/* Each request waits for the gate. */
static void answer_at_the_gate(struct fixture_connection *connection, void *argument)
{
    struct counters *counters = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        count_arrival(counters, &request);
        fixture_gate_wait(&counters->gate);
        count_departure(counters);
        if (!fixture_answer(connection, counters->status, "", "<answer/>"))
            break;
    }
}

/* A server, a world, and requests; what most tests need. */
struct scene {
    struct counters counters;
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_exchange exchanges[MANY];
};

static void scene_open(struct scene *scene, fixture_handler *handler, uint32_t max_connections)
{
    memset(scene, 0, sizeof *scene);
    counters_init(&scene->counters);
    scene->counters.met = true;
    scene->server = fixture_server_start(handler, &scene->counters, NULL);
    struct http_pool_settings settings = fixture_settings(fixture_server_url(scene->server));
    settings.max_connections = max_connections;
    fixture_world_open(&scene->world, &settings);
}

static void scene_close(struct scene *scene)
{
    fixture_gate_open(&scene->counters.gate);
    fixture_world_close(&scene->world);
    fixture_server_stop(scene->server);
    for (size_t i = 0; i < MANY; i++)
        fixture_forget(&scene->exchanges[i]);
}

static void start_many(struct scene *scene, size_t first, size_t count)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    for (size_t i = first; i < first + count; i++) {
        scene->exchanges[i].request.mailbox_anchor = names[i];
        fixture_start(&scene->world, &scene->exchanges[i], 300);
    }
}

static void prove(struct scene *scene)
{
    start_many(scene, 0, 1);
    fixture_run(&scene->world);
    assert_int_equal(scene->exchanges[0].response.status, 200);
}

static void stop_loop(void *argument)
{
    struct fixture_world *world = argument;
    executor_stop(world->executor);
}

/* Lets everything happen that does not wait for the server. */
static void let_happen(struct scene *scene)
{
    struct executor_timer timer = {0};
    executor_after(scene->world.executor, &timer, 30, stop_loop, &scene->world);
    fixture_run_until_stopped(&scene->world);
}

static void the_budget_is_used_and_never_exceeded(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    http_pool_set_budget(scene.world.pool, 3);
    prove(&scene);
    expect_together(&scene.counters, 3);
    start_many(&scene, 0, MANY);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.most, 3);
    assert_true(fixture_server_connections(scene.server) <= 3);

    http_pool_set_budget(scene.world.pool, 1);
    expect_together(&scene.counters, 1);
    start_many(&scene, 0, MANY);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.most, 1);
    scene_close(&scene);
}

static void a_budget_stays_within_its_bounds(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    assert_int_equal(http_pool_budget(scene.world.pool), 4);
    http_pool_set_budget(scene.world.pool, 99);
    assert_int_equal(http_pool_budget(scene.world.pool), 4);
    http_pool_set_budget(scene.world.pool, 0);
    assert_int_equal(http_pool_budget(scene.world.pool), 1);
    scene_close(&scene);
}

static void a_budget_below_what_runs_lets_that_go_on_and_nothing_start(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_at_the_gate, 3);
    fixture_gate_pass(&scene.counters.gate);
    prove(&scene);
    start_many(&scene, 0, 6);
    let_happen(&scene);
    assert_int_equal(http_pool_running(scene.world.pool), 3);
    assert_int_equal(http_pool_waiting(scene.world.pool), 3);
    http_pool_set_budget(scene.world.pool, 1);
    fixture_gate_pass(&scene.counters.gate);
    while (http_pool_running(scene.world.pool) == 3)
        let_happen(&scene);
    let_happen(&scene);
    assert_int_equal(http_pool_running(scene.world.pool), 2);
    assert_int_equal(http_pool_waiting(scene.world.pool), 3);
    fixture_gate_open(&scene.counters.gate);
    fixture_run(&scene.world);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(scene.exchanges[i].response.status, 200);
    scene_close(&scene);
}

static void requests_go_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 1);
    start_many(&scene, 0, MANY);
    fixture_run(&scene.world);
    assert_string_equal(scene.counters.order, "abcdefghijkl");
    assert_int_equal(fixture_server_connections(scene.server), 1);
    scene_close(&scene);
}

static void one_request_proves_the_credentials_before_the_others_go(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_at_the_gate, 4);
    start_many(&scene, 0, 4);
    let_happen(&scene);
    assert_int_equal(http_pool_running(scene.world.pool), 1);
    assert_int_equal(http_pool_waiting(scene.world.pool), 3);
    assert_int_equal(fixture_server_connections(scene.server), 1);
    fixture_gate_pass(&scene.counters.gate);
    expect_together(&scene.counters, 3);
    fixture_gate_open(&scene.counters.gate);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.most, 3);
    scene_close(&scene);
}

static void an_answer_that_everybody_gets_proves_nothing(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    scene.counters.status = "503 Service Unavailable";
    start_many(&scene, 0, 4);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.most, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(scene.exchanges[i].response.status, 503);
        assert_false(failure_is_set(&scene.exchanges[i].response.failure));
    }
    scene_close(&scene);
}

static void a_soap_fault_proves_the_credentials(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    scene.counters.status = "500 Internal Server Error";
    start_many(&scene, 0, 1);
    fixture_run(&scene.world);
    expect_together(&scene.counters, 4);
    start_many(&scene, 0, 8);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.most, 4);
    scene_close(&scene);
}

static void expect_refused(const struct fixture_exchange *exchange)
{
    const struct failure *failure = &exchange->response.failure;
    assert_true(exchange->done);
    assert_int_equal(failure->category, FAILURE_AUTHENTICATION);
    assert_int_equal(failure->scope, FAILURE_SCOPE_PROFILE);
    assert_true(failure->permanent);
    assert_int_equal(failure->http_status, 401);
    assert_string_equal(failure->code, "HTTP 401");
    assert_false(exchange->response.in_doubt);
    assert_int_equal(exchange->answer.length, 0);
}

static void a_refusal_closes_the_pool_after_one_sign_in(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    scene.counters.status = "401 Unauthorized";
    start_many(&scene, 0, 6);
    fixture_run(&scene.world);
    start_many(&scene, 6, 3);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.requests, 1);
    for (size_t i = 0; i < 9; i++)
        expect_refused(&scene.exchanges[i]);
    assert_int_equal(scene.exchanges[0].response.status, 401);
    assert_int_equal(scene.exchanges[8].response.status, 0);
    scene_close(&scene);
}

static void a_reset_opens_the_pool_and_one_proves_again_on_a_new_connection(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 4);
    prove(&scene);
    scene.counters.status = "401 Unauthorized";
    start_many(&scene, 0, 1);
    fixture_run(&scene.world);
    expect_refused(&scene.exchanges[0]);
    size_t before = fixture_server_connections(scene.server);

    scene.counters.status = "200 OK";
    http_pool_reset(scene.world.pool);
    start_many(&scene, 0, 4);
    fixture_run(&scene.world);
    assert_true(fixture_server_connections(scene.server) > before);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(scene.exchanges[i].response.status, 200);
    scene_close(&scene);
}

static void what_runs_goes_on_over_a_reset(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_at_the_gate, 2);
    fixture_gate_pass(&scene.counters.gate);
    prove(&scene);
    start_many(&scene, 0, 1);
    let_happen(&scene);
    http_pool_reset(scene.world.pool);
    start_many(&scene, 1, 2);
    let_happen(&scene);
    /* The old one and the one that proves: budget 2. */
    assert_int_equal(http_pool_running(scene.world.pool), 2);
    assert_int_equal(fixture_server_connections(scene.server), 2);
    fixture_gate_open(&scene.counters.gate);
    fixture_run(&scene.world);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(scene.exchanges[i].response.status, 200);
    scene_close(&scene);
}

/* Holds the first request, and refuses it after all others were accepted. */
static void refuse_the_first_late(struct fixture_connection *connection, void *argument)
{
    struct counters *counters = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        bool first = fixture_number(connection) == 1;
        if (first)
            fixture_gate_wait(&counters->gate);
        if (!fixture_answer(connection, first ? "401 Unauthorized" : "200 OK", "", "<answer/>"))
            break;
    }
}

static void a_refusal_from_before_a_reset_does_not_close_the_pool(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, refuse_the_first_late, 2);
    start_many(&scene, 0, 1);
    let_happen(&scene);
    http_pool_reset(scene.world.pool);
    start_many(&scene, 1, 1);
    while (!scene.exchanges[1].done)
        let_happen(&scene);
    fixture_gate_open(&scene.counters.gate);
    fixture_run(&scene.world);
    expect_refused(&scene.exchanges[0]);
    start_many(&scene, 2, 2);
    fixture_run(&scene.world);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(scene.exchanges[i].response.status, 200);
    scene_close(&scene);
}

/* Gives each mailbox a cookie of its own, and wants it back. */
static void set_cookies(struct fixture_connection *connection, void *argument)
{
    (void)argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        char anchor[64] = "";
        char cookie[256] = "(none)";
        char fields[512];
        fixture_field(&request, "X-AnchorMailbox", anchor, sizeof anchor);
        fixture_field(&request, "Cookie", cookie, sizeof cookie);
        snprintf(fields, sizeof fields,
                 "Set-Cookie: X-BackEndCookie=%s=be1; path=/EWS; secure; HttpOnly\r\n"
                 "Set-Cookie: session=1\r\n",
                 anchor);
        if (!fixture_answer(connection, "200 OK", fields, cookie))
            break;
    }
}

static void cookies_belong_to_the_mailbox(void **state)
{
    (void)state;
    static const char *const mailboxes[] = {"ann@contoso.com", "bob@contoso.com"};
    char *cookies[2] = {NULL, NULL};
    struct scene scene;
    scene_open(&scene, set_cookies, 1);
    for (size_t i = 0; i < 4; i++) {
        struct fixture_exchange *exchange = &scene.exchanges[i];
        exchange->request.mailbox_anchor = mailboxes[i % 2];
        exchange->request.cookies = &cookies[i % 2];
        fixture_start(&scene.world, exchange, 10);
    }
    fixture_run(&scene.world);
    assert_string_equal(buffer_string(&scene.exchanges[0].answer), "(none)");
    assert_string_equal(buffer_string(&scene.exchanges[1].answer), "(none)");
    assert_string_equal(buffer_string(&scene.exchanges[2].answer),
                        "X-BackEndCookie=ann@contoso.com=be1; session=1");
    assert_string_equal(buffer_string(&scene.exchanges[3].answer),
                        "X-BackEndCookie=bob@contoso.com=be1; session=1");
    assert_string_equal(cookies[0], "X-BackEndCookie=ann@contoso.com=be1; session=1");
    memory_free(cookies[0]);
    memory_free(cookies[1]);
    scene_close(&scene);
}

static void show_head(struct fixture_connection *connection, void *argument)
{
    (void)argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request) &&
           fixture_answer(connection, "200 OK", "", request.head))
        ;
}

static void requests_say_what_exchange_wants_to_know(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, show_head, 1);
    struct fixture_exchange *exchange = &scene.exchanges[0];
    exchange->request.mailbox_anchor = "ann@contoso.com";
    exchange->request.activity = "5b1c2f3e-0000-4000-8000-000000000001";
    fixture_start(&scene.world, exchange, 2000000);
    fixture_run(&scene.world);
    struct fixture_request request = {0};
    snprintf(request.head, sizeof request.head, "%s", buffer_string(&exchange->answer));
    static const char *const fields[][2] = {
        {"Content-Type", "text/xml; charset=utf-8"},
        {"Content-Length", "2000000"},
        {"X-AnchorMailbox", "ann@contoso.com"},
        {"client-request-id", "5b1c2f3e-0000-4000-8000-000000000001"},
        {"return-client-request-id", "true"},
        {"User-Agent", "exsyncd-test"},
        {"Authorization", "Basic Q09OVE9TT1xzdmMtc3luYzpwYTpzcyB3w7ZyZA=="},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char value[128] = "(none)";
        fixture_field(&request, fields[i][0], value, sizeof value);
        assert_string_equal(value, fields[i][1]);
    }
    assert_int_equal(strncmp(request.head, "POST /EWS/Exchange.asmx HTTP/1.1\r\n", 34), 0);
    char value[8];
    assert_false(fixture_field(&request, "Expect", value, sizeof value));
    assert_false(fixture_field(&request, "Transfer-Encoding", value, sizeof value));
    assert_false(fixture_field(&request, "Accept-Encoding", value, sizeof value));
    scene_close(&scene);
}

static void a_line_end_in_a_header_is_not_sent(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, show_head, 1);
    struct fixture_exchange *exchange = &scene.exchanges[0];
    exchange->request.mailbox_anchor = "ann@contoso.com\r\nX-Evil: 1";
    fixture_start(&scene.world, exchange, 10);
    fixture_run(&scene.world);
    assert_null(strstr(buffer_string(&exchange->answer), "X-Evil"));
    assert_non_null(strstr(buffer_string(&exchange->answer), "text/xml"));
    scene_close(&scene);
}

static void answer_redirect(struct fixture_connection *connection, void *argument)
{
    struct counters *counters = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        count_arrival(counters, &request);
        count_departure(counters);
        fixture_answer(connection, "302 Found", "Location: /elsewhere\r\n", "moved");
    }
}

static void redirects_are_answers_like_others(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_redirect, 1);
    start_many(&scene, 0, 1);
    fixture_run(&scene.world);
    assert_int_equal(scene.exchanges[0].response.status, 302);
    assert_string_equal(buffer_string(&scene.exchanges[0].answer), "moved");
    assert_int_equal(scene.counters.requests, 1);
    scene_close(&scene);
}

static void a_request_that_is_alone_has_a_connection_of_its_own(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_all, 2);
    prove(&scene);
    for (size_t i = 1; i < 4; i++) {
        scene.exchanges[i].request.alone = true;
        start_many(&scene, i, 1);
        fixture_run(&scene.world);
        assert_int_equal(scene.exchanges[i].response.status, 200);
        assert_int_equal(fixture_server_connections(scene.server), 1 + i);
    }
    start_many(&scene, 4, 1); /* the first connection is still there, and the others are not */
    fixture_run(&scene.world);
    assert_int_equal(scene.exchanges[4].response.status, 200);
    assert_int_equal(fixture_server_connections(scene.server), 4);
    scene_close(&scene);
}

static void start_again(struct fixture_exchange *exchange)
{
    unsigned *left = exchange->argument;
    if (*left > 0) {
        (*left)--;
        fixture_start(exchange->world, exchange, 300);
    }
}

static void a_request_can_be_started_again_in_done(void **state)
{
    (void)state;
    struct scene scene;
    unsigned left = 5;
    scene_open(&scene, answer_all, 1);
    scene.exchanges[0].finished = start_again;
    scene.exchanges[0].argument = &left;
    start_many(&scene, 0, 1);
    fixture_run(&scene.world);
    assert_int_equal(scene.counters.requests, 6);
    assert_int_equal(fixture_server_connections(scene.server), 1);
    assert_false(http_request_active(&scene.exchanges[0].request));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_is_used_and_never_exceeded),
        cmocka_unit_test(a_budget_stays_within_its_bounds),
        cmocka_unit_test(a_budget_below_what_runs_lets_that_go_on_and_nothing_start),
        cmocka_unit_test(requests_go_in_the_order_in_which_they_came),
        cmocka_unit_test(one_request_proves_the_credentials_before_the_others_go),
        cmocka_unit_test(an_answer_that_everybody_gets_proves_nothing),
        cmocka_unit_test(a_soap_fault_proves_the_credentials),
        cmocka_unit_test(a_refusal_closes_the_pool_after_one_sign_in),
        cmocka_unit_test(a_reset_opens_the_pool_and_one_proves_again_on_a_new_connection),
        cmocka_unit_test(what_runs_goes_on_over_a_reset),
        cmocka_unit_test(a_refusal_from_before_a_reset_does_not_close_the_pool),
        cmocka_unit_test(cookies_belong_to_the_mailbox),
        cmocka_unit_test(requests_say_what_exchange_wants_to_know),
        cmocka_unit_test(a_line_end_in_a_header_is_not_sent),
        cmocka_unit_test(redirects_are_answers_like_others),
        cmocka_unit_test(a_request_that_is_alone_has_a_connection_of_its_own),
        cmocka_unit_test(a_request_can_be_started_again_in_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

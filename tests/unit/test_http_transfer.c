#include "fixture_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ANSWER_SIZE = 200000 };

/* --- bodies --- */

static void answer_whole(struct fixture_connection *connection, void *argument)
{
    while (scene_take(connection, argument) &&
           fixture_answer(connection, "200 OK", "", "<answer/>"))
        ;
}

static void a_large_body_arrives_whole(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_whole);
    scene_run(&scene, true, SCENE_BIG);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.exchange.response.sent_bytes, SCENE_BIG);
    assert_true(scene.sums[0] == scene_sum(SCENE_BIG));
    assert_int_equal(scene.exchange.request.body.length, 0);
    scene_run(&scene, true, 0);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_int_equal(fixture_server_connections(scene.server), 1);
    scene_close(&scene);
}

static void send_long_answer(struct fixture_connection *connection, bool chunked)
{
    struct buffer body = {0};
    char head[128];
    fixture_fill(&body, ANSWER_SIZE);
    if (chunked)
        snprintf(head, sizeof head, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body.length);
    else
        snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", body.length);
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\n");
    fixture_send_text(connection, head);
    fixture_send(connection, body.data, body.length);
    if (chunked)
        fixture_send_text(connection, "\r\n0\r\nX-Trailer: 1\r\n\r\n");
    buffer_release(&body);
}

static void answer_long(struct fixture_connection *connection, void *argument)
{
    while (scene_take(connection, argument))
        send_long_answer(connection, false);
}

static void answer_in_chunks(struct fixture_connection *connection, void *argument)
{
    while (scene_take(connection, argument))
        send_long_answer(connection, true);
}

static void expect_long_answer(const struct fixture_exchange *exchange)
{
    assert_int_equal(exchange->response.status, 200);
    assert_false(failure_is_set(&exchange->response.failure));
    assert_int_equal(exchange->answer.length, ANSWER_SIZE);
    assert_true(fixture_sum(exchange->answer.data, ANSWER_SIZE) == scene_sum(ANSWER_SIZE));
}

/* Takes what comes only after it was refused once, and checks that the same bytes came again. */
static enum http_data_result refuse_each_once(struct fixture_exchange *exchange, const char *bytes,
                                              size_t length)
{
    struct buffer *refused = exchange->argument;
    assert_true(length > 0 && length <= HTTP_DATA_CHUNK);
    if (refused->length == 0) {
        buffer_append(refused, bytes, length);
        exchange->paused++;
        http_request_resume(&exchange->request); /* even before the pause begins */
        return HTTP_DATA_PAUSE;
    }
    /* What came in meanwhile may have joined them. */
    size_t same = length < refused->length ? length : refused->length;
    assert_memory_equal(refused->data, bytes, same);
    buffer_clear(refused);
    buffer_append(&exchange->answer, bytes, length);
    return HTTP_DATA_TAKEN;
}

static void paused_bytes_come_again(void **state)
{
    (void)state;
    static fixture_handler *const handlers[] = {answer_long, answer_in_chunks};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        struct buffer refused = {0};
        scene_open(&scene, handlers[i]);
        scene.exchange.data = refuse_each_once;
        scene.exchange.argument = &refused;
        scene_run(&scene, false, 100);
        expect_long_answer(&scene.exchange);
        assert_true(scene.exchange.paused >= ANSWER_SIZE / HTTP_DATA_CHUNK);
        buffer_release(&refused);
        scene_close(&scene);
    }
}

static void pauses_may_follow_each_other(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long);
    scene.exchange.pauses = 40;
    scene_run(&scene, false, 100);
    expect_long_answer(&scene.exchange);
    assert_int_equal(scene.exchange.paused, 40);
    scene_close(&scene);
}

static void resume(void *argument)
{
    struct fixture_exchange *exchange = argument;
    http_request_resume(&exchange->request);
}

static enum http_data_result pause_once_for_long(struct fixture_exchange *exchange,
                                                 const char *bytes, size_t length)
{
    if (exchange->paused++ == 0) {
        executor_after(exchange->world->executor, &exchange->timer, 2500, resume, exchange);
        return HTTP_DATA_PAUSE;
    }
    buffer_append(&exchange->answer, bytes, length);
    return HTTP_DATA_TAKEN;
}

static void a_pause_is_not_taken_for_silence(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, answer_long);
    scene.settings.idle_timeout_ms = 1500;
    scene_raise(&scene);
    scene.exchange.data = pause_once_for_long;
    scene_run(&scene, false, 100);
    expect_long_answer(&scene.exchange);
    scene_close(&scene);
}

static enum http_data_result take_and_abort(struct fixture_exchange *exchange, const char *bytes,
                                            size_t length)
{
    buffer_append(&exchange->answer, bytes, length);
    return exchange->answer.length < 50000 ? HTTP_DATA_TAKEN : HTTP_DATA_ABORT;
}

static enum http_data_result pause_and_abort(struct fixture_exchange *exchange, const char *bytes,
                                             size_t length)
{
    (void)bytes, (void)length;
    if (exchange->paused++ > 0)
        return HTTP_DATA_ABORT;
    http_request_resume(&exchange->request);
    return HTTP_DATA_PAUSE;
}

static void a_reader_that_has_seen_enough_ends_the_exchange(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_long);
    scene.exchange.data = take_and_abort;
    scene_run(&scene, false, 100);
    assert_true(scene.exchange.done);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_true(scene.exchange.answer.length < ANSWER_SIZE);
    scene.exchange.data = pause_and_abort;
    scene.exchange.paused = 0;
    scene_run(&scene, false, 100);
    assert_int_equal(scene.exchange.paused, 2);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    scene_close(&scene);
}

/* --- what else servers answer --- */

static void be_busy(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    while (scene_take(connection, scene)) {
        const char *fields = scene->requests == 1
                                 ? "Retry-After: 17\r\n"
                                 : "retry-after: Fri, 31 Dec 2999 23:59:59 GMT\r\n";
        if (scene->requests > 2)
            fields = "";
        fixture_answer(connection, "503 Service Unavailable", fields, "busy");
    }
}

static void a_busy_server_says_how_long(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, be_busy);
    scene_run(&scene, false, 100);
    assert_int_equal(scene.exchange.response.status, 503);
    assert_int_equal(scene.exchange.response.retry_after_ms, 17000);
    assert_int_equal(scene.exchange.status, 503);
    assert_string_equal(buffer_string(&scene.exchange.answer), "busy");
    scene_run(&scene, false, 100);
    assert_int_equal(scene.exchange.response.retry_after_ms, 24 * 60 * 60 * 1000);
    scene_run(&scene, false, 100);
    assert_int_equal(scene.exchange.response.retry_after_ms, 0);
    scene_close(&scene);
}

/* Says no before it has read the body, and reads it then. */
static void refuse_early(struct fixture_connection *connection, void *argument)
{
    struct fixture_request request;
    (void)argument;
    if (!fixture_receive_head(connection, &request))
        return;
    fixture_answer(connection, "413 Request Entity Too Large", "Connection: close\r\n", "no");
    fixture_receive_body(connection, &request, request.body_length);
}

static void an_answer_in_mid_upload_is_an_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, refuse_early);
    scene_run(&scene, true, 20 * SCENE_BIG);
    assert_int_equal(scene.exchange.response.status, 413);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_string_equal(buffer_string(&scene.exchange.answer), "no");
    scene_close(&scene);
}

static void say_nothing(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (scene_take(connection, scene))
        fixture_gate_wait(&scene->gate);
}

static void say_half(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!scene_take(connection, scene))
        return;
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half");
    fixture_gate_wait(&scene->gate);
}

static void read_nothing(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    if (fixture_receive_head(connection, &request))
        fixture_gate_wait(&scene->gate);
}

static void silence_is_given_up(void **state)
{
    (void)state;
    static const struct {
        fixture_handler *handler;
        const char *text;
        size_t length;
        int status;
        bool in_doubt;
    } cases[] = {
        {say_nothing, "before the answer began", 100, 0, true},
        {say_half, "in the middle of the answer", 100, 200, true},
        /* Handed out whole: it may have arrived. */
        {read_nothing, "before the answer began", 100, 0, true},
        /* More than the sockets' buffers hold: the server cannot have the end of it. */
        {read_nothing, "before the answer began", 20 * SCENE_BIG, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        scene_prepare(&scene, cases[i].handler);
        scene.settings.idle_timeout_ms = 1000;
        scene_raise(&scene);
        scene_run(&scene, true, cases[i].length);
        scene_expect_lost(&scene, "CURLE_OPERATION_TIMEDOUT");
        assert_non_null(strstr(scene.exchange.response.failure.text, cases[i].text));
        assert_int_equal(scene.exchange.response.status, cases[i].status);
        assert_int_equal(scene.exchange.response.in_doubt, cases[i].in_doubt);
        scene_close(&scene);
    }
}

/* Sends bytes one by one, more slowly in all than the time limit. */
static void dribble(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!scene_take(connection, scene))
        return;
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nslow & sound";
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        struct timespec pause = {.tv_nsec = 60000000};
        fixture_send(connection, answer + i, 1);
        nanosleep(&pause, NULL);
    }
}

static void a_slow_answer_is_waited_for(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, dribble);
    scene.settings.idle_timeout_ms = 2000; /* the answer takes longer, each byte far less */
    scene_raise(&scene);
    scene_run(&scene, true, 100);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_string_equal(buffer_string(&scene.exchange.answer), "slow & sound");
    scene_close(&scene);
}

/* A byte now and then, as long as anybody listens. */
static void trickle(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct timespec pause = {.tv_nsec = 150000000};
    if (!scene_take(connection, scene))
        return;
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (fixture_send_text(connection, "x") && nanosleep(&pause, NULL) == 0)
        ;
}

static void a_trickle_is_given_up(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, trickle);
    scene.settings.idle_timeout_ms = 300; /* twice as long as each byte takes */
    scene_raise(&scene);
    scene_run(&scene, true, 100);
    scene_expect_lost(&scene, "CURLE_OPERATION_TIMEDOUT");
    assert_true(scene.exchange.response.in_doubt);
    scene_close(&scene);
}

static void endless_head(struct fixture_connection *connection, void *argument)
{
    if (!scene_take(connection, argument))
        return;
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\n");
    while (fixture_send_text(connection, "X-More: and more and more and more and more\r\n"))
        ;
}

static void endless_continue(struct fixture_connection *connection, void *argument)
{
    if (!scene_take(connection, argument))
        return;
    while (fixture_send_text(connection, "HTTP/1.1 100 Continue\r\n\r\n"))
        ;
}

static void a_head_without_end_is_refused(void **state)
{
    (void)state;
    static fixture_handler *const handlers[] = {endless_head, endless_continue};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        scene_open(&scene, handlers[i]);
        scene_run(&scene, true, 100);
        const struct failure *failure = &scene.exchange.response.failure;
        assert_int_equal(failure->category, FAILURE_PROTOCOL);
        assert_int_equal(failure->scope, FAILURE_SCOPE_MAILBOX);
        assert_int_equal(scene.exchange.response.status, i == 0 ? 200 : 0);
        assert_true(scene.exchange.response.in_doubt);
        scene_close(&scene);
    }
}

static void endless_refusal(struct fixture_connection *connection, void *argument)
{
    if (!scene_take(connection, argument))
        return;
    fixture_send_text(connection, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n");
    while (fixture_send_text(connection, "no and no and no and no and no and no and no"))
        ;
}

static void a_refusal_without_end_is_a_refusal(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, endless_refusal);
    scene_run(&scene, true, 100);
    assert_string_equal(scene.exchange.response.failure.code, "HTTP 401");
    assert_int_equal(scene.exchange.answer.length, 0);
    scene_close(&scene);
}

/* gzip of "<answer/>" */
static const char coded[] =
    "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x09\0\xf6\xff<answer/>\x8c\x6d\x70\xa7\x09\0\0";

static void answer_coded(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!scene_take(connection, scene))
        return;
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\n");
    fixture_send_text(connection, scene->exchange.argument);
    fixture_send_text(connection, "\r\n");
    fixture_send(connection, coded, sizeof coded); /* its last byte is the NUL */
}

/* libcurl would undo it, and a few bytes can hold the loop for minutes. */
static void an_answer_that_is_compressed_unasked_is_not_taken(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "transfer-encoding:deflate,gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct scene scene;
        scene_open(&scene, answer_coded);
        scene.exchange.argument = (void *)(uintptr_t)fields[i];
        scene_run(&scene, true, 100);
        const struct failure *failure = &scene.exchange.response.failure;
        assert_int_equal(failure->category, FAILURE_PROTOCOL);
        assert_string_equal(failure->sentence,
                            "The server's answer is compressed, which it was not asked for.");
        assert_int_equal(scene.exchange.answer.length, 0);
        assert_true(scene.exchange.response.in_doubt);
        scene_close(&scene);
    }
}

static void speak_otherwise(struct fixture_connection *connection, void *argument)
{
    if (scene_take(connection, argument))
        fixture_send_text(connection, "220 mail.contoso.com ESMTP\r\n");
}

static void answer_oddly(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!scene_take(connection, scene))
        return;
    fixture_send_text(connection, scene->exchange.argument);
}

/* For libcurl these are answers; for us nobody has answered. */
static void an_answer_without_a_status_of_one_is_the_servers_fault(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n<answer/>",
        "HTTP/1.1 2000 OK\r\nContent-Length: 9\r\n\r\n<answer/>",
        "HTTP/1.1  200 OK\r\nContent-Length: 9\r\n\r\n<answer/>",
        "HTTP/1.1 000 Nothing\r\nContent-Length: 9\r\n\r\n<answer/>",
        "HTTP/1.1 099 Nothing\r\nContent-Length: 9\r\n\r\n<answer/>",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct scene scene;
        scene_open(&scene, answer_oddly);
        scene.exchange.argument = (void *)(uintptr_t)answers[i];
        scene_run(&scene, true, 100);
        const struct http_response *response = &scene.exchange.response;
        assert_int_equal(response->status, 0);
        assert_int_equal(response->failure.category, FAILURE_PROTOCOL);
        assert_string_equal(response->failure.sentence, "What the server answered is not HTTP.");
        assert_true(response->in_doubt);
        scene_close(&scene);
    }
}

static void what_is_not_http_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, speak_otherwise);
    scene_run(&scene, true, 100);
    const struct failure *failure = &scene.exchange.response.failure;
    assert_int_equal(failure->category, FAILURE_PROTOCOL);
    assert_string_equal(failure->sentence, "What the server answered is not HTTP.");
    assert_true(scene.exchange.response.in_doubt);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(paused_bytes_come_again),
        cmocka_unit_test(pauses_may_follow_each_other),
        cmocka_unit_test(a_pause_is_not_taken_for_silence),
        cmocka_unit_test(a_reader_that_has_seen_enough_ends_the_exchange),
        cmocka_unit_test(a_busy_server_says_how_long),
        cmocka_unit_test(an_answer_in_mid_upload_is_an_answer),
        cmocka_unit_test(silence_is_given_up),
        cmocka_unit_test(a_slow_answer_is_waited_for),
        cmocka_unit_test(a_trickle_is_given_up),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(a_refusal_without_end_is_a_refusal),
        cmocka_unit_test(an_answer_that_is_compressed_unasked_is_not_taken),
        cmocka_unit_test(what_is_not_http_is_named),
        cmocka_unit_test(an_answer_without_a_status_of_one_is_the_servers_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

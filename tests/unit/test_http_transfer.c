#include "base/memory.h"
#include "fixture_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    BIG = 3000000, /* more than sockets hold on the way */
    ANSWER_SIZE = 200000,
};

struct scene {
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_exchange exchange;
    struct fixture_exchange second;
    struct fixture_gate gate;
    unsigned requests;
    uint64_t sums[8]; /* of the bodies that arrived whole */
    size_t bodies;
    struct http_pool_settings settings;
};

static void scene_prepare(struct scene *scene, fixture_handler *handler)
{
    memset(scene, 0, sizeof *scene);
    fixture_gate_init(&scene->gate);
    scene->server = fixture_server_start(handler, scene, NULL);
    scene->settings = fixture_settings(fixture_server_url(scene->server));
}

static void scene_open(struct scene *scene, fixture_handler *handler)
{
    scene_prepare(scene, handler);
    fixture_world_open(&scene->world, &scene->settings);
}

static void scene_close(struct scene *scene)
{
    fixture_gate_open(&scene->gate);
    fixture_world_close(&scene->world);
    fixture_server_stop(scene->server);
    fixture_forget(&scene->exchange);
    fixture_forget(&scene->second);
}

static void run_one(struct scene *scene, bool changes, size_t length)
{
    scene->exchange.request.changes = changes;
    fixture_start(&scene->world, &scene->exchange, length);
    fixture_run(&scene->world);
}

static uint64_t sum_of(size_t length)
{
    struct buffer body = {0};
    fixture_fill(&body, length);
    uint64_t sum = fixture_sum(buffer_string(&body), length);
    buffer_release(&body);
    return sum;
}

/* Takes a request whole, and remembers its body. */
static bool take(struct fixture_connection *connection, struct scene *scene)
{
    struct fixture_request request;
    if (!fixture_receive(connection, &request))
        return false;
    scene->requests++;
    scene->sums[scene->bodies++] = request.body_sum;
    return true;
}

static void expect_lost(const struct fixture_exchange *exchange, const char *code)
{
    const struct failure *failure = &exchange->response.failure;
    assert_string_equal(failure->code, code);
    assert_int_equal(failure->category, FAILURE_NETWORK);
    assert_int_equal(failure->scope, FAILURE_SCOPE_MAILBOX);
    assert_true(failure->divisible);
    assert_false(failure->permanent);
    assert_true(failure->sentence[0] != '\0');
    assert_true(failure->text[0] != '\0');
}

/* --- bodies --- */

static void answer_whole(struct fixture_connection *connection, void *argument)
{
    while (take(connection, argument) && fixture_answer(connection, "200 OK", "", "<answer/>"))
        ;
}

static void a_large_body_arrives_whole(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_whole);
    run_one(&scene, true, BIG);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.exchange.response.sent_bytes, BIG);
    assert_true(scene.sums[0] == sum_of(BIG));
    assert_int_equal(scene.exchange.request.body.length, 0);
    run_one(&scene, true, 0);
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
    while (take(connection, argument))
        send_long_answer(connection, false);
}

static void answer_in_chunks(struct fixture_connection *connection, void *argument)
{
    while (take(connection, argument))
        send_long_answer(connection, true);
}

static void expect_long_answer(const struct fixture_exchange *exchange)
{
    assert_int_equal(exchange->response.status, 200);
    assert_false(failure_is_set(&exchange->response.failure));
    assert_int_equal(exchange->answer.length, ANSWER_SIZE);
    assert_true(fixture_sum(exchange->answer.data, ANSWER_SIZE) == sum_of(ANSWER_SIZE));
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
        run_one(&scene, false, 100);
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
    run_one(&scene, false, 100);
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
        executor_after(exchange->world->executor, &exchange->timer, 700, resume, exchange);
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
    scene.settings.idle_timeout_ms = 300;
    fixture_world_open(&scene.world, &scene.settings);
    scene.exchange.data = pause_once_for_long;
    run_one(&scene, false, 100);
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
    run_one(&scene, false, 100);
    assert_true(scene.exchange.done);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_true(scene.exchange.answer.length < ANSWER_SIZE);
    scene.exchange.data = pause_and_abort;
    scene.exchange.paused = 0;
    run_one(&scene, false, 100);
    assert_int_equal(scene.exchange.paused, 2);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    scene_close(&scene);
}

/* --- doubt and repetition --- */

static void truncate_answer(struct fixture_connection *connection, void *argument)
{
    if (take(connection, argument))
        fixture_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half");
}

static void a_truncated_answer_leaves_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, truncate_answer);
    run_one(&scene, true, 100);
    expect_lost(&scene.exchange, "CURLE_PARTIAL_FILE");
    assert_int_equal(scene.exchange.response.status, 200);
    assert_true(scene.exchange.response.in_doubt);
    assert_string_equal(buffer_string(&scene.exchange.answer), "<half");
    scene_close(&scene);
}

static void reset_in_answer(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (take(connection, scene)) {
        fixture_send_text(connection,
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<half\r\n");
        fixture_gate_wait(&scene->gate); /* an RST would overtake the bytes */
        fixture_reset(connection);
    }
}

static enum http_data_result take_and_pass(struct fixture_exchange *exchange, const char *bytes,
                                           size_t length)
{
    buffer_append(&exchange->answer, bytes, length);
    fixture_gate_pass(exchange->argument);
    return HTTP_DATA_TAKEN;
}

static void a_reset_in_the_answer_leaves_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, reset_in_answer);
    scene.exchange.data = take_and_pass;
    scene.exchange.argument = &scene.gate;
    run_one(&scene, true, 100);
    expect_lost(&scene.exchange, "CURLE_RECV_ERROR");
    assert_true(scene.exchange.response.in_doubt);
    scene_close(&scene);
}

static void hang_up_on_everybody(struct fixture_connection *connection, void *argument)
{
    take(connection, argument);
}

static void a_new_connection_without_an_answer_is_not_tried_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, hang_up_on_everybody);
    for (int changes = 0; changes < 2; changes++) {
        run_one(&scene, changes, 100);
        expect_lost(&scene.exchange, "CURLE_GOT_NOTHING");
        assert_true(scene.exchange.response.in_doubt);
        assert_int_equal(scene.exchange.response.status, 0);
        assert_int_equal(scene.requests, changes + 1);
    }
    scene_close(&scene);
}

/* Answers the first request of the first connection, takes the second whole and closes; other
 * connections are served. */
static void hang_up_on_the_second(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    while (take(connection, scene)) {
        if (scene->requests == 2)
            return;
        if (!fixture_answer(connection, "200 OK", "", "<answer/>"))
            return;
    }
}

static void a_change_is_not_repeated_once_it_has_gone_out(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 100, 50000, BIG};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct scene scene;
        scene_open(&scene, hang_up_on_the_second);
        run_one(&scene, false, 100);
        run_one(&scene, true, lengths[i]);
        expect_lost(&scene.exchange, "CURLE_SEND_FAIL_REWIND");
        assert_true(scene.exchange.response.in_doubt);
        assert_int_equal(scene.exchange.response.status, 0);
        assert_int_equal(scene.requests, 2);
        run_one(&scene, true, 100);
        assert_int_equal(scene.exchange.response.status, 200);
        scene_close(&scene);
    }
}

static void a_read_is_repeated_when_the_connection_was_dead(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, hang_up_on_the_second);
    run_one(&scene, false, 100);
    run_one(&scene, false, 50000);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.requests, 3);
    assert_true(scene.sums[1] == sum_of(50000) && scene.sums[2] == sum_of(50000));
    assert_int_equal(fixture_server_connections(scene.server), 2);
    scene_close(&scene);
}

/* As before, but the second request is cut off in the middle of its body. */
static void cut_off_the_second(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    while (fixture_receive_head(connection, &request)) {
        scene->requests++;
        if (scene->requests == 2) {
            fixture_receive_body(connection, &request, 1000);
            fixture_reset(connection);
            return;
        }
        if (!fixture_receive_body(connection, &request, request.body_length))
            return;
        scene->sums[scene->bodies++] = request.body_sum;
        fixture_answer(connection, "200 OK", "", "<answer/>");
    }
}

static void a_change_that_had_not_gone_out_whole_is_repeated(void **state)
{
    (void)state;
    for (int changes = 0; changes < 2; changes++) {
        struct scene scene;
        scene_open(&scene, cut_off_the_second);
        run_one(&scene, false, 100);
        run_one(&scene, changes, 20 * BIG);
        assert_int_equal(scene.exchange.response.status, 200);
        assert_false(scene.exchange.response.in_doubt);
        assert_int_equal(scene.requests, 3);
        assert_true(scene.sums[1] == sum_of(20 * BIG));
        scene_close(&scene);
    }
}

/* Cuts everybody off, after having answered once. */
static void cut_off_all_but_the_first(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    while (fixture_receive_head(connection, &request)) {
        scene->requests++;
        if (scene->requests > 1) {
            fixture_receive_body(connection, &request, 1000);
            fixture_reset(connection);
            return;
        }
        fixture_receive_body(connection, &request, request.body_length);
        fixture_answer(connection, "200 OK", "", "<answer/>");
    }
}

static void a_request_is_repeated_once_and_no_more(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, cut_off_all_but_the_first);
    run_one(&scene, false, 100);
    run_one(&scene, true, 20 * BIG);
    assert_true(failure_is_set(&scene.exchange.response.failure));
    assert_true(scene.exchange.response.in_doubt); /* bytes of it went out */
    assert_int_equal(scene.requests, 3);
    scene_close(&scene);
}

static void a_refused_connection_leaves_no_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, hang_up_on_everybody);
    char url[64];
    snprintf(url, sizeof url, "%s", fixture_server_url(scene.server));
    fixture_server_stop(scene.server);
    scene.settings.url = url;
    fixture_world_open(&scene.world, &scene.settings);
    run_one(&scene, true, 100);
    const struct failure *failure = &scene.exchange.response.failure;
    assert_string_equal(failure->code, "CURLE_COULDNT_CONNECT");
    assert_int_equal(failure->scope, FAILURE_SCOPE_PROFILE);
    assert_int_equal(failure->category, FAILURE_NETWORK);
    assert_false(failure->divisible);
    assert_non_null(strstr(failure->text, "Connection refused"));
    assert_false(scene.exchange.response.in_doubt);
    fixture_world_close(&scene.world);
}

/* --- signing in with a challenge --- */

/* A challenge message of NTLM, MS-NLMP 2.2.1.2: no target, some flags, eight bytes of challenge. */
static const char challenge[] =
    "401 Unauthorized\0WWW-Authenticate: NTLM "
    "TlRMTVNTUAACAAAAAAAAADgAAAABAoECASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAA\r\n";

/* 0: no NTLM in it, 1 and 3: the message of that number. */
static int ntlm_message(const struct fixture_request *request)
{
    char value[512];
    if (!fixture_field(request, "Authorization", value, sizeof value))
        return 0;
    return strncmp(value, "NTLM TlRMTVNTUAAB", 17) == 0 ? 1 : 3;
}

static void challenge_it(struct fixture_connection *connection)
{
    fixture_answer(connection, challenge, challenge + strlen(challenge) + 1, "");
}

/* Signs each connection in; forgets about it once, with the second body, and wants it again. With
 * the gate open it closes then, after the third body. */
static void sign_in_twice(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        if (ntlm_message(&request) == 1) {
            assert_int_equal(request.body_length, 0);
            challenge_it(connection);
            continue;
        }
        scene->sums[scene->bodies++] = request.body_sum;
        if (scene->bodies == 2)
            fixture_answer(connection, "401 Unauthorized", "WWW-Authenticate: NTLM\r\n", "");
        else if (scene->bodies == 3 && scene->requests == 99)
            return;
        else
            fixture_answer(connection, "200 OK", "", "<answer/>");
    }
}

static void a_challenge_makes_a_change_go_out_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, sign_in_twice);
    scene.settings.auth = HTTP_AUTH_NTLM;
    fixture_world_open(&scene.world, &scene.settings);
    run_one(&scene, true, 100);
    assert_int_equal(scene.exchange.response.status, 200);
    run_one(&scene, true, BIG);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.bodies, 3);
    assert_true(scene.sums[1] == sum_of(BIG) && scene.sums[2] == sum_of(BIG));
    assert_int_equal(fixture_server_connections(scene.server), 1);
    scene_close(&scene);
}

static void a_change_that_is_lost_after_the_challenge_is_in_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, sign_in_twice);
    scene.requests = 99;
    scene.settings.auth = HTTP_AUTH_NTLM;
    fixture_world_open(&scene.world, &scene.settings);
    run_one(&scene, true, 100);
    run_one(&scene, true, BIG);
    assert_true(failure_is_set(&scene.exchange.response.failure));
    assert_true(scene.exchange.response.in_doubt);
    assert_int_equal(scene.exchange.response.status, 0);
    assert_int_equal(scene.bodies, 3);
    scene_close(&scene);
}

static void offer_other_ways(struct fixture_connection *connection, void *argument)
{
    struct fixture_request request;
    (void)argument;
    while (fixture_receive(connection, &request) &&
           fixture_answer(connection, "401 Unauthorized",
                          "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n",
                          "<html>401</html>"))
        ;
}

static void a_way_of_signing_in_that_is_not_offered_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, offer_other_ways);
    run_one(&scene, true, 100);
    const struct failure *failure = &scene.exchange.response.failure;
    assert_string_equal(failure->code, "HTTP 401");
    assert_non_null(strstr(failure->sentence, "does not offer"));
    assert_non_null(strstr(failure->text, "Negotiate NTLM"));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.exchange.answer.length, 0);
    scene_close(&scene);
}

/* --- what else servers answer --- */

static void be_busy(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    while (take(connection, scene)) {
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
    run_one(&scene, false, 100);
    assert_int_equal(scene.exchange.response.status, 503);
    assert_int_equal(scene.exchange.response.retry_after_ms, 17000);
    assert_int_equal(scene.exchange.status, 503);
    assert_string_equal(buffer_string(&scene.exchange.answer), "busy");
    run_one(&scene, false, 100);
    assert_int_equal(scene.exchange.response.retry_after_ms, 24 * 60 * 60 * 1000);
    run_one(&scene, false, 100);
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
    run_one(&scene, true, 20 * BIG);
    assert_int_equal(scene.exchange.response.status, 413);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_string_equal(buffer_string(&scene.exchange.answer), "no");
    scene_close(&scene);
}

static void say_nothing(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (take(connection, scene))
        fixture_gate_wait(&scene->gate);
}

static void say_half(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!take(connection, scene))
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
    } cases[] = {
        {say_nothing, "before the answer began", 100, 0},
        {say_half, "in the middle of the answer", 100, 200},
        {read_nothing, "before the answer began", 20 * BIG, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        scene_prepare(&scene, cases[i].handler);
        scene.settings.idle_timeout_ms = 200;
        fixture_world_open(&scene.world, &scene.settings);
        run_one(&scene, true, cases[i].length);
        expect_lost(&scene.exchange, "CURLE_OPERATION_TIMEDOUT");
        assert_non_null(strstr(scene.exchange.response.failure.text, cases[i].text));
        assert_int_equal(scene.exchange.response.status, cases[i].status);
        assert_true(scene.exchange.response.in_doubt);
        scene_close(&scene);
    }
}

/* Sends bytes one by one, more slowly in all than the time limit. */
static void dribble(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (!take(connection, scene))
        return;
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nslow & sound";
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        struct timespec pause = {.tv_nsec = 20000000};
        fixture_send(connection, answer + i, 1);
        nanosleep(&pause, NULL);
    }
}

static void a_slow_answer_is_waited_for(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, dribble);
    scene.settings.idle_timeout_ms = 800; /* the answer takes longer, each byte far less */
    fixture_world_open(&scene.world, &scene.settings);
    run_one(&scene, true, 100);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_string_equal(buffer_string(&scene.exchange.answer), "slow & sound");
    scene_close(&scene);
}

static void endless_head(struct fixture_connection *connection, void *argument)
{
    if (!take(connection, argument))
        return;
    fixture_send_text(connection, "HTTP/1.1 200 OK\r\n");
    while (fixture_send_text(connection, "X-More: and more and more and more and more\r\n"))
        ;
}

static void endless_continue(struct fixture_connection *connection, void *argument)
{
    if (!take(connection, argument))
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
        run_one(&scene, true, 100);
        const struct failure *failure = &scene.exchange.response.failure;
        assert_int_equal(failure->category, FAILURE_PROTOCOL);
        assert_int_equal(failure->scope, FAILURE_SCOPE_MAILBOX);
        assert_true(scene.exchange.response.in_doubt);
        scene_close(&scene);
    }
}

static void endless_refusal(struct fixture_connection *connection, void *argument)
{
    if (!take(connection, argument))
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
    run_one(&scene, true, 100);
    assert_string_equal(scene.exchange.response.failure.code, "HTTP 401");
    assert_int_equal(scene.exchange.answer.length, 0);
    scene_close(&scene);
}

static void speak_otherwise(struct fixture_connection *connection, void *argument)
{
    if (take(connection, argument))
        fixture_send_text(connection, "220 mail.contoso.com ESMTP\r\n");
}

static void what_is_not_http_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, speak_otherwise);
    run_one(&scene, true, 100);
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
        cmocka_unit_test(a_truncated_answer_leaves_doubt),
        cmocka_unit_test(a_reset_in_the_answer_leaves_doubt),
        cmocka_unit_test(a_new_connection_without_an_answer_is_not_tried_again),
        cmocka_unit_test(a_change_is_not_repeated_once_it_has_gone_out),
        cmocka_unit_test(a_read_is_repeated_when_the_connection_was_dead),
        cmocka_unit_test(a_change_that_had_not_gone_out_whole_is_repeated),
        cmocka_unit_test(a_request_is_repeated_once_and_no_more),
        cmocka_unit_test(a_refused_connection_leaves_no_doubt),
        cmocka_unit_test(a_challenge_makes_a_change_go_out_again),
        cmocka_unit_test(a_change_that_is_lost_after_the_challenge_is_in_doubt),
        cmocka_unit_test(a_way_of_signing_in_that_is_not_offered_is_named),
        cmocka_unit_test(a_busy_server_says_how_long),
        cmocka_unit_test(an_answer_in_mid_upload_is_an_answer),
        cmocka_unit_test(silence_is_given_up),
        cmocka_unit_test(a_slow_answer_is_waited_for),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(a_refusal_without_end_is_a_refusal),
        cmocka_unit_test(what_is_not_http_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When a request may have been carried out without an answer, and when it is sent once more. */
#include "fixture_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void truncate_answer(struct fixture_connection *connection, void *argument)
{
    if (scene_take(connection, argument))
        fixture_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half");
}

static void a_truncated_answer_leaves_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, truncate_answer);
    scene_run(&scene, true, 100);
    scene_expect_lost(&scene, "CURLE_PARTIAL_FILE");
    assert_int_equal(scene.exchange.response.status, 200);
    assert_true(scene.exchange.response.in_doubt);
    assert_string_equal(buffer_string(&scene.exchange.answer), "<half");
    scene_close(&scene);
}

static void reset_in_answer(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    if (scene_take(connection, scene)) {
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
    scene_run(&scene, true, 100);
    scene_expect_lost(&scene, "CURLE_RECV_ERROR");
    assert_true(scene.exchange.response.in_doubt);
    scene_close(&scene);
}

static void hang_up_on_everybody(struct fixture_connection *connection, void *argument)
{
    scene_take(connection, argument);
}

static void a_new_connection_without_an_answer_is_not_tried_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, hang_up_on_everybody);
    for (int changes = 0; changes < 2; changes++) {
        scene_run(&scene, changes, 100);
        scene_expect_lost(&scene, "CURLE_GOT_NOTHING");
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
    while (scene_take(connection, scene)) {
        if (scene->requests == 2)
            return;
        if (!fixture_answer(connection, "200 OK", "", "<answer/>"))
            return;
    }
}

static void a_change_is_not_repeated_once_it_has_gone_out(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 100, 50000, SCENE_BIG};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct scene scene;
        scene_open(&scene, hang_up_on_the_second);
        scene_run(&scene, false, 100);
        scene_run(&scene, true, lengths[i]);
        scene_expect_lost(&scene, "CURLE_SEND_FAIL_REWIND");
        assert_true(scene.exchange.response.in_doubt);
        assert_int_equal(scene.exchange.response.status, 0);
        assert_int_equal(scene.requests, 2);
        scene_run(&scene, true, 100);
        assert_int_equal(scene.exchange.response.status, 200);
        scene_close(&scene);
    }
}

static void a_read_is_repeated_when_the_connection_was_dead(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, hang_up_on_the_second);
    scene_run(&scene, false, 100);
    scene_run(&scene, false, 50000);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.requests, 3);
    assert_true(scene.sums[1] == scene_sum(50000) && scene.sums[2] == scene_sum(50000));
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
        scene_run(&scene, false, 100);
        scene_run(&scene, changes, 20 * SCENE_BIG);
        assert_int_equal(scene.exchange.response.status, 200);
        assert_false(scene.exchange.response.in_doubt);
        assert_int_equal(scene.requests, 3);
        assert_true(scene.sums[1] == scene_sum(20 * SCENE_BIG));
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
    scene_run(&scene, false, 100);
    scene_run(&scene, true, 20 * SCENE_BIG);
    assert_true(failure_is_set(&scene.exchange.response.failure));
    assert_false(scene.exchange.response.in_doubt); /* the end of it never went out */
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
    scene.server = NULL;
    scene.settings.url = url;
    scene_raise(&scene);
    scene_run(&scene, true, 100);
    const struct failure *failure = &scene.exchange.response.failure;
    assert_string_equal(failure->code, "CURLE_COULDNT_CONNECT");
    assert_int_equal(failure->scope, FAILURE_SCOPE_PROFILE);
    assert_int_equal(failure->category, FAILURE_NETWORK);
    assert_false(failure->divisible);
    assert_non_null(strstr(failure->text, "Connection refused"));
    assert_false(scene.exchange.response.in_doubt);
    scene_close(&scene);
}

/* Says that all is well, and goes, before it has the body. */
static void answer_before_the_body(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    if (!fixture_receive_head(connection, &request))
        return;
    fixture_receive_body(connection, &request, 1000);
    fixture_send_text(connection,
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<half\r\n");
    fixture_gate_wait(&scene->gate); /* an RST would overtake the bytes */
    fixture_reset(connection);
}

static void a_success_that_began_before_the_body_was_whole_leaves_doubt(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_before_the_body);
    scene.exchange.data = take_and_pass;
    scene.exchange.argument = &scene.gate;
    scene_run(&scene, true, 20 * SCENE_BIG);
    assert_true(failure_is_set(&scene.exchange.response.failure));
    assert_int_equal(scene.exchange.response.status, 200);
    assert_true(scene.exchange.response.in_doubt);
    scene_close(&scene);
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
    scene_raise(&scene);
    scene_run(&scene, true, 100);
    assert_int_equal(scene.exchange.response.status, 200);
    scene_run(&scene, true, SCENE_BIG);
    assert_int_equal(scene.exchange.response.status, 200);
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.bodies, 3);
    assert_true(scene.sums[1] == scene_sum(SCENE_BIG) && scene.sums[2] == scene_sum(SCENE_BIG));
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
    scene_raise(&scene);
    scene_run(&scene, true, 100);
    scene_run(&scene, true, SCENE_BIG);
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
    scene_run(&scene, true, 100);
    const struct failure *failure = &scene.exchange.response.failure;
    assert_string_equal(failure->code, "HTTP 401");
    assert_non_null(strstr(failure->sentence, "does not offer"));
    assert_non_null(strstr(failure->text, "Negotiate NTLM"));
    assert_false(scene.exchange.response.in_doubt);
    assert_int_equal(scene.exchange.answer.length, 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truncated_answer_leaves_doubt),
        cmocka_unit_test(a_reset_in_the_answer_leaves_doubt),
        cmocka_unit_test(a_new_connection_without_an_answer_is_not_tried_again),
        cmocka_unit_test(a_change_is_not_repeated_once_it_has_gone_out),
        cmocka_unit_test(a_read_is_repeated_when_the_connection_was_dead),
        cmocka_unit_test(a_change_that_had_not_gone_out_whole_is_repeated),
        cmocka_unit_test(a_request_is_repeated_once_and_no_more),
        cmocka_unit_test(a_refused_connection_leaves_no_doubt),
        cmocka_unit_test(a_success_that_began_before_the_body_was_whole_leaves_doubt),
        cmocka_unit_test(a_challenge_makes_a_change_go_out_again),
        cmocka_unit_test(a_change_that_is_lost_after_the_challenge_is_in_doubt),
        cmocka_unit_test(a_way_of_signing_in_that_is_not_offered_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Bodies that are not in memory as a whole. */
#include "fixture_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HUGE_BODY = 20 * 1000 * 1000, NEVER = 0, PIECE_USUAL = 10007 };

/* Gives the bytes that fixture_fill makes. */
struct supply {
    struct http_source source;
    struct scene *scene;
    uint64_t at;
    size_t piece;         /* at most so many bytes at once */
    uint64_t pause_every; /* has nothing after so many bytes; NEVER */
    uint64_t dry_at;      /* has nothing more from there on; NEVER */
    uint64_t fails_at;    /* UINT64_MAX: nowhere */
    uint64_t rested_at;
    unsigned pauses;
    unsigned rewinds;
    unsigned delay_ms;
    bool tells_at_once; /* from within read that there is more */
    struct executor_timer timer;
};

static void tell(void *argument)
{
    struct supply *supply = argument;
    http_request_source_ready(&supply->scene->exchange.request);
}

static bool rests(struct supply *supply)
{
    if (supply->dry_at != NEVER && supply->at == supply->dry_at)
        return true;
    if (supply->pause_every == NEVER || supply->at % supply->pause_every != 0 ||
        supply->rested_at == supply->at + 1)
        return false;
    supply->rested_at = supply->at + 1;
    supply->pauses++;
    if (supply->tells_at_once)
        tell(supply);
    else
        executor_after(supply->scene->world.executor, &supply->timer, supply->delay_ms, tell,
                       supply);
    return true;
}

static size_t smallest(size_t left, uint64_t right)
{
    return right < left ? (size_t)right : left;
}

static size_t supply_read(void *argument, char *room, size_t size)
{
    struct supply *supply = argument;
    assert_true(supply->at < supply->source.length);
    if (supply->at >= supply->fails_at) {
        struct failure *failure = &supply->scene->exchange.request.source_failure;
        *failure = failure_from_errno(FAILURE_SCOPE_MAILBOX, "read", 5, "read the message");
        return HTTP_SOURCE_FAILED;
    }
    if (rests(supply))
        return 0;
    size_t length = smallest(size, supply->piece);
    if (supply->pause_every != NEVER)
        length = smallest(length, supply->pause_every - supply->at % supply->pause_every);
    if (supply->dry_at != NEVER && supply->at < supply->dry_at)
        length = smallest(length, supply->dry_at - supply->at);
    length = smallest(length, supply->fails_at - supply->at);
    assert_true(length <= supply->source.length - supply->at);
    for (size_t i = 0; i < length; i++)
        room[i] = (char)('a' + (char)((supply->at + i) * 7 % 23));
    supply->at += length;
    return length;
}

static void supply_rewind(void *argument)
{
    struct supply *supply = argument;
    supply->at = 0;
    supply->rested_at = 0;
    supply->rewinds++;
}

static void supply_open(struct supply *supply, struct scene *scene, uint64_t length)
{
    *supply = (struct supply){
        .source = {.length = length,
                   .read = supply_read,
                   .rewind = supply_rewind,
                   .argument = supply},
        .scene = scene,
        .piece = PIECE_USUAL,
        .fails_at = UINT64_MAX,
    };
    scene->exchange.request.source = &supply->source;
}

static void expect_success(const struct scene *scene)
{
    assert_string_equal(scene->exchange.response.failure.code, "");
    assert_int_equal(scene->exchange.response.status, 200);
    assert_false(scene->exchange.response.in_doubt);
}

static void answer_all(struct fixture_connection *connection, void *argument)
{
    while (scene_take(connection, argument) &&
           fixture_answer(connection, "200 OK", "", "<answer/>"))
        ;
}

static void a_large_body_with_pauses_arrives_whole(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    scene_open(&scene, answer_all);
    supply_open(&supply, &scene, HUGE_BODY);
    supply.pause_every = 500 * 1000;
    scene_run(&scene, true, 0);
    expect_success(&scene);
    assert_true(scene.sums[0] == scene_sum(HUGE_BODY));
    assert_int_equal(supply.pauses, HUGE_BODY / supply.pause_every);
    assert_int_equal(supply.rewinds, 0);
    assert_int_equal(scene.exchange.response.sent_bytes, HUGE_BODY);
    scene_close(&scene);
}

static void a_source_may_tell_at_once_that_it_has_more(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 16384, 16385, 200000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct scene scene;
        struct supply supply;
        scene_open(&scene, answer_all);
        supply_open(&supply, &scene, lengths[i]);
        supply.pause_every = 1000;
        supply.tells_at_once = true;
        scene_run(&scene, true, 0);
        expect_success(&scene);
        assert_true(scene.sums[0] == scene_sum(lengths[i]));
        scene_close(&scene);
    }
}

/* The handle is used again: nothing of the first body is left in it. */
static void bodies_of_both_kinds_follow_each_other(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    scene_open(&scene, answer_all);
    supply_open(&supply, &scene, 100000);
    scene_run(&scene, true, 0);
    expect_success(&scene);
    supply_open(&supply, &scene, 70000);
    scene_run(&scene, true, 0);
    expect_success(&scene);
    scene.exchange.request.source = NULL;
    scene_run(&scene, true, 50000);
    expect_success(&scene);
    assert_true(scene.sums[0] == scene_sum(100000) && scene.sums[1] == scene_sum(70000) &&
                scene.sums[2] == scene_sum(50000));
    assert_int_equal(supply.rewinds, 0);
    scene_close(&scene);
}

static void waiting_for_the_source_is_not_idle_time(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    scene_prepare(&scene, answer_all);
    scene.settings.idle_timeout_ms = 1000;
    scene_raise(&scene);
    supply_open(&supply, &scene, 1000);
    supply.pause_every = 500;
    supply.delay_ms = 2500;
    scene_run(&scene, true, 0);
    expect_success(&scene);
    assert_int_equal(supply.pauses, 2);
    scene_close(&scene);
}

/* Reads the head, and nothing more until the end. */
static void take_nothing(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    fixture_receive_head(connection, &request);
    fixture_gate_wait(&scene->gate);
}

static void a_server_that_takes_nothing_is_idle(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    scene_prepare(&scene, take_nothing);
    scene.settings.idle_timeout_ms = 300;
    scene_raise(&scene);
    supply_open(&supply, &scene, UINT64_C(1) << 40);
    supply.pause_every = 500 * 1000;
    scene_run(&scene, true, 0);
    assert_int_equal(scene.exchange.response.failure.category, FAILURE_NETWORK);
    scene_close(&scene);
}

/* --- sources that fail --- */

static void expect_source_failure(struct scene *scene)
{
    const struct http_response *response = &scene->exchange.response;
    assert_string_equal(response->failure.code, "EIO");
    assert_int_equal(response->failure.category, FAILURE_STORAGE);
    assert_int_equal(response->status, 0);
    assert_false(response->in_doubt);
}

static void a_source_that_fails_ends_the_request_without_doubt(void **state)
{
    (void)state;
    static const uint64_t places[] = {0, 1, 16384, SCENE_BIG / 2, SCENE_BIG - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct scene scene;
        struct supply supply;
        scene_open(&scene, answer_all);
        supply_open(&supply, &scene, SCENE_BIG);
        supply.fails_at = places[i];
        supply.pause_every = i % 2 == 0 ? NEVER : 1000;
        scene_run(&scene, true, 0);
        expect_source_failure(&scene);
        assert_int_equal(scene.requests, 0);
        /* The next one is not held up by it. */
        supply_open(&supply, &scene, 1000);
        scene_run(&scene, true, 0);
        expect_success(&scene);
        scene_close(&scene);
    }
}

/* --- answers before the end --- */

/* As a web server does: it says so when it has the head, and closes. */
static void refuse(struct fixture_connection *connection, struct scene *scene, const char *status)
{
    struct fixture_request request;
    if (!fixture_receive_head(connection, &request))
        return;
    scene->requests++;
    fixture_answer(connection, status, "Connection: close\r\n", "<html>too large</html>");
}

static void refuse_with_413(struct fixture_connection *connection, void *argument)
{
    refuse(connection, argument, "413 Request Entity Too Large");
}

static void refuse_with_404(struct fixture_connection *connection, void *argument)
{
    refuse(connection, argument, "404 Not Found");
}

static void run_refused(fixture_handler *handler, uint16_t status, uint64_t pause_every,
                        uint64_t dry_at, bool encrypted)
{
    struct scene scene;
    struct supply supply;
    scene_prepare(&scene, handler);
    if (encrypted)
        scene_encrypt(&scene, handler);
    scene_raise(&scene);
    supply_open(&supply, &scene, HUGE_BODY);
    supply.pause_every = pause_every;
    supply.dry_at = dry_at;
    scene_run(&scene, true, 0);
    assert_string_equal(scene.exchange.response.failure.code, "");
    assert_int_equal(scene.exchange.response.status, status);
    assert_false(scene.exchange.response.in_doubt);
    assert_true(scene.requests <= 2); /* once more when the answer was lost: the head, no more */
    assert_true(scene.exchange.response.sent_bytes < HUGE_BODY);
    scene_close(&scene);
}

static void a_refusal_in_mid_upload_is_seen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        run_refused(refuse_with_413, 413, i % 2 == 0 ? NEVER : 300 * 1000, NEVER, i % 4 < 2);
        run_refused(refuse_with_404, 404, i % 2 == 0 ? NEVER : 300 * 1000, NEVER, i % 4 < 2);
    }
}

static void a_refusal_ends_a_request_whose_source_has_nothing(void **state)
{
    (void)state;
    run_refused(refuse_with_413, 413, NEVER, 1000, false);
    run_refused(refuse_with_404, 404, NEVER, 50000, true);
}

/* --- again from the start --- */

/* Takes the second request's body in part, or whole, and closes without an answer. */
static void drop_the_second(struct fixture_connection *connection, struct scene *scene,
                            size_t length)
{
    struct fixture_request request;
    while (fixture_receive_head(connection, &request)) {
        scene->requests++;
        if (scene->requests == 2) {
            fixture_receive_body(connection, &request, length);
            if (length < request.body_length)
                fixture_reset(connection);
            return;
        }
        if (!fixture_receive_body(connection, &request, request.body_length))
            return;
        scene->sums[scene->bodies++] = request.body_sum;
        fixture_answer(connection, "200 OK", "", "<answer/>");
    }
}

static void drop_it_whole(struct fixture_connection *connection, void *argument)
{
    drop_the_second(connection, argument, SCENE_BIG);
}

static void drop_it_in_part(struct fixture_connection *connection, void *argument)
{
    drop_the_second(connection, argument, 1000);
}

static void a_change_is_not_repeated_once_it_has_gone_out(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    scene_open(&scene, drop_it_whole);
    scene_run(&scene, false, 100);
    supply_open(&supply, &scene, SCENE_BIG);
    supply.pause_every = 100 * 1000;
    scene_run(&scene, true, 0);
    scene_expect_lost(&scene, "CURLE_SEND_FAIL_REWIND");
    assert_true(scene.exchange.response.in_doubt);
    assert_int_equal(scene.requests, 2);
    assert_int_equal(supply.rewinds, 0);
    scene_close(&scene);
}

static void a_change_that_had_not_gone_out_whole_is_repeated(void **state)
{
    (void)state;
    for (int pauses = 0; pauses < 2; pauses++) {
        struct scene scene;
        struct supply supply;
        scene_open(&scene, drop_it_in_part);
        scene_run(&scene, false, 100);
        supply_open(&supply, &scene, HUGE_BODY);
        supply.pause_every = pauses ? 100 * 1000 : NEVER;
        scene_run(&scene, true, 0);
        expect_success(&scene);
        assert_int_equal(scene.requests, 3);
        assert_true(supply.rewinds >= 1);
        assert_true(scene.sums[1] == scene_sum(HUGE_BODY));
        scene_close(&scene);
    }
}

/* A challenge message of NTLM, MS-NLMP 2.2.1.2. */
static const char challenge_fields[] =
    "WWW-Authenticate: NTLM TlRMTVNTUAACAAAAAAAAADgAAAABAoECASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAA\r\n";

/* Signs each connection in; forgets about it once, after the first body, and wants it again. */
static void sign_in_twice(struct fixture_connection *connection, void *argument)
{
    struct scene *scene = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        char value[512] = "";
        fixture_field(&request, "Authorization", value, sizeof value);
        if (strncmp(value, "NTLM TlRMTVNTUAAB", 17) == 0) {
            fixture_answer(connection, "401 Unauthorized", challenge_fields, "");
            continue;
        }
        scene->sums[scene->bodies++] = request.body_sum;
        if (scene->bodies == 1)
            fixture_answer(connection, "401 Unauthorized", "WWW-Authenticate: NTLM\r\n", "");
        else
            fixture_answer(connection, "200 OK", "", "<answer/>");
    }
}

static void a_challenge_sends_the_body_again(void **state)
{
    (void)state;
    for (int pauses = 0; pauses < 2; pauses++) {
        struct scene scene;
        struct supply supply;
        scene_prepare(&scene, sign_in_twice);
        scene.settings.auth = HTTP_AUTH_NTLM;
        scene_raise(&scene);
        /* libcurl signs in without a body first, so the connection is made with another request. */
        scene.bodies = 1;
        scene_run(&scene, false, 100);
        scene.bodies = 0;
        supply_open(&supply, &scene, SCENE_BIG);
        supply.pause_every = pauses ? 100 * 1000 : NEVER;
        scene_run(&scene, true, 0);
        expect_success(&scene);
        assert_int_equal(scene.bodies, 2);
        assert_int_equal(supply.rewinds, 1);
        assert_true(scene.sums[0] == scene_sum(SCENE_BIG) && scene.sums[1] == scene.sums[0]);
        scene_close(&scene);
    }
}

/* --- cancelling --- */

static void give_up(void *argument)
{
    struct supply *supply = argument;
    fixture_cancel(&supply->scene->exchange);
}

static void a_request_may_be_cancelled_while_its_source_has_nothing(void **state)
{
    (void)state;
    struct scene scene;
    struct supply supply;
    struct executor_timer cancel = {0};
    scene_open(&scene, answer_all);
    supply_open(&supply, &scene, 5000);
    supply.dry_at = 2000;
    executor_after(scene.world.executor, &cancel, 50, give_up, &supply);
    scene_run(&scene, true, 0);
    assert_false(scene.exchange.done);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_body_with_pauses_arrives_whole),
        cmocka_unit_test(a_source_may_tell_at_once_that_it_has_more),
        cmocka_unit_test(bodies_of_both_kinds_follow_each_other),
        cmocka_unit_test(waiting_for_the_source_is_not_idle_time),
        cmocka_unit_test(a_server_that_takes_nothing_is_idle),
        cmocka_unit_test(a_source_that_fails_ends_the_request_without_doubt),
        cmocka_unit_test(a_refusal_in_mid_upload_is_seen),
        cmocka_unit_test(a_refusal_ends_a_request_whose_source_has_nothing),
        cmocka_unit_test(a_change_is_not_repeated_once_it_has_gone_out),
        cmocka_unit_test(a_change_that_had_not_gone_out_whole_is_repeated),
        cmocka_unit_test(a_challenge_sends_the_body_again),
        cmocka_unit_test(a_request_may_be_cancelled_while_its_source_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Looking at a server from outside: which stage fails, and what is seen of the others. */
#include "base/clock.h"
#include "fixture_http.h"
#include "http/http_examine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct look {
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_request request; /* that the server got */
    unsigned requests;
    const char *status;
    const char *fields;
    const char *body;
    struct http_examine_settings settings;
    struct http_examination result;
    bool done;
};

static void answer(struct fixture_connection *connection, void *argument)
{
    struct look *look = argument;
    struct fixture_request request;
    while (fixture_receive(connection, &request)) {
        look->request = request;
        look->requests++;
        if (!fixture_answer(connection, look->status, look->fields, look->body))
            return;
    }
}

static void hang_up(struct fixture_connection *connection, void *argument)
{
    struct look *look = argument;
    fixture_receive_head(connection, &look->request);
}

static void open_look(struct look *look, fixture_handler *handler,
                      const struct fixture_certificate *certificate)
{
    *look = (struct look){
        .status = "401 Unauthorized",
        .fields = "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n",
        .body = "",
    };
    look->server = fixture_server_start(handler, look, certificate);
    const struct http_pool_settings settings = fixture_settings(fixture_server_url(look->server));
    fixture_world_open(&look->world, &settings);
    look->settings = (struct http_examine_settings){
        .url = fixture_server_url(look->server),
        .tls_ca_file = certificate == NULL ? NULL : fixture_server_certificate_file(look->server),
        .tls_verify = true,
        .user_agent = "exsyncd-test",
        .connect_timeout_ms = 20000,
        .answer_timeout_ms = 20000,
    };
}

static void close_look(struct look *look)
{
    fixture_world_close(&look->world);
    fixture_server_stop(look->server);
}

static void examined(void *argument, const struct http_examination *examination)
{
    struct look *look = argument;
    look->result = *examination;
    look->done = true;
    executor_stop(look->world.executor);
}

static const struct http_examination *examine(struct look *look)
{
    look->done = false;
    http_examine_start(look->world.client, &look->settings, examined, look);
    assert_false(look->done);
    fixture_run_until_stopped(&look->world);
    assert_true(look->done);
    return &look->result;
}

static void assert_ended(const struct http_examination *result, enum http_stage stage,
                         const char *code)
{
    assert_int_equal(result->ended, stage);
    assert_string_equal(result->failure.code, code);
}

/* --- what is seen --- */

static void say_a_head(struct fixture_connection *connection, void *argument)
{
    struct look *look = argument;
    if (!fixture_receive(connection, &look->request))
        return;
    fixture_send_text(connection, "HTTP/1.1 100 Continue\r\n\r\n"
                                  "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\n"
                                  "Content-Length: 100\r\n\r\n");
    look->requests += fixture_expect_end(connection);
}

/* It may have no end, or be a bomb. */
static void the_body_of_the_answer_is_not_waited_for(void **state)
{
    (void)state;
    struct look look;
    open_look(&look, say_a_head, NULL);
    look.settings.answer_timeout_ms = 100000;
    const struct http_examination *result = examine(&look);
    assert_int_equal(result->ended, HTTP_STAGE_COUNT);
    assert_int_equal(result->status, 401);
    assert_string_equal(result->ways, "NTLM");
    assert_true(result->elapsed_ms[HTTP_STAGE_ANSWER] < look.settings.answer_timeout_ms);
    close_look(&look);
    assert_int_equal(look.requests, 1);
}

static void answer_oddly(struct fixture_connection *connection, void *argument)
{
    const struct look *look = argument;
    struct fixture_request request;
    if (fixture_receive(connection, &request))
        fixture_send_text(connection, look->body);
}

/* By a file in its place. */
static int capture_output(FILE *instead)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    assert_return_code(dup2(fileno(instead), STDOUT_FILENO), errno);
    return before;
}

static long end_capture(FILE *instead, int before)
{
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    fseek(instead, 0, SEEK_END);
    return ftell(instead);
}

/* libcurl takes these for answers with a body. */
static void the_body_of_an_odd_answer_is_written_nowhere(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1  200 OK\r\nContent-Length: 9\r\n\r\n<answer/>",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n<answer/>",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct look look;
        open_look(&look, answer_oddly, NULL);
        look.body = answers[i];
        FILE *output = tmpfile();
        int before = capture_output(output);
        const struct http_examination *result = examine(&look);
        assert_int_equal(end_capture(output, before), 0);
        assert_int_equal(result->ended, i == 0 ? HTTP_STAGE_COUNT : HTTP_STAGE_ANSWER);
        fclose(output);
        close_look(&look);
    }
}

static void the_ways_of_signing_in_are_told_and_nobody_signs_in(void **state)
{
    (void)state;
    struct look look;
    char value[64];
    open_look(&look, answer, NULL);
    const struct http_examination *result = examine(&look);
    assert_int_equal(result->ended, HTTP_STAGE_COUNT);
    assert_int_equal(result->status, 401);
    assert_string_equal(result->ways, "Negotiate, NTLM");
    assert_true(result->offers[HTTP_AUTH_NEGOTIATE] && result->offers[HTTP_AUTH_NTLM]);
    assert_false(result->offers[HTTP_AUTH_BASIC]);
    assert_string_equal(result->host, "127.0.0.1");
    assert_string_equal(result->addresses, "127.0.0.1");
    assert_non_null(strstr(result->address, "127.0.0.1:"));
    assert_false(result->encrypted);
    assert_int_equal(look.requests, 1);
    assert_false(fixture_field(&look.request, "Authorization", value, sizeof value));
    assert_true(fixture_field(&look.request, "User-Agent", value, sizeof value));
    assert_string_equal(value, "exsyncd-test");
    assert_int_equal(strncmp(look.request.head, "POST ", 5), 0);
    close_look(&look);
}

static void a_redirection_is_told_and_not_followed(void **state)
{
    (void)state;
    struct look look;
    open_look(&look, answer, NULL);
    look.status = "302 Found";
    look.fields = "Location: https://elsewhere.example.com/owa\r\n";
    const struct http_examination *result = examine(&look);
    assert_int_equal(result->ended, HTTP_STAGE_COUNT);
    assert_int_equal(result->status, 302);
    assert_string_equal(result->location, "https://elsewhere.example.com/owa");
    assert_int_equal(look.requests, 1);
    close_look(&look);
}

static void the_certificate_is_told(void **state)
{
    (void)state;
    struct look look;
    char url[128];
    const struct fixture_certificate certificate = {.host = "localhost"};
    open_look(&look, answer, &certificate);
    snprintf(url, sizeof url, "https://localhost:%u/", fixture_server_port(look.server));
    look.settings.url = url;
    const struct http_examination *result = examine(&look);
    assert_int_equal(result->ended, HTTP_STAGE_COUNT);
    assert_true(result->encrypted);
    assert_int_equal(strncmp(result->tls, "TLSv1.", 6), 0);
    assert_int_equal(result->certificate_count, 1);
    assert_string_equal(result->certificates[0].subject, result->certificates[0].issuer);
    assert_non_null(strstr(result->certificates[0].subject, "CN=localhost"));
    assert_string_equal(result->names, "localhost");
    assert_true(result->certificates[0].not_after_ms > clock_wall_ms());
    assert_int_equal(result->verify_result, 0);
    close_look(&look);
}

/* --- what fails --- */

static void a_certificate_that_is_not_trusted_is_told_all_the_same(void **state)
{
    (void)state;
    static const struct {
        struct fixture_certificate certificate;
        bool trusted;
        const char *sentence;
    } cases[] = {
        {{.host = "other.example.com"}, true, "for another name"},
        {{.host = "127.0.0.1", .expired = true}, true, "has expired"},
        {{.host = "127.0.0.1"}, false, "signed by itself"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct look look;
        open_look(&look, answer, &cases[i].certificate);
        if (!cases[i].trusted)
            look.settings.tls_ca_file = NULL;
        const struct http_examination *result = examine(&look);
        assert_ended(result, HTTP_STAGE_TLS, "CURLE_PEER_FAILED_VERIFICATION");
        assert_non_null(strstr(result->failure.sentence, cases[i].sentence));
        assert_int_equal(result->certificate_count, 1);
        assert_non_null(strstr(result->certificates[0].subject, cases[i].certificate.host));
        assert_int_equal(look.requests, 0);
        look.settings.tls_verify = false; /* and still told when nobody wants it checked */
        result = examine(&look);
        assert_int_equal(result->ended, HTTP_STAGE_COUNT);
        assert_int_equal(result->certificate_count, 1);
        close_look(&look);
    }
}

static void each_stage_fails_for_itself(void **state)
{
    (void)state;
    struct look look;
    char url[128];
    open_look(&look, answer, NULL);
    look.settings.url = "https://nobody.invalid/EWS/Exchange.asmx";
    assert_ended(examine(&look), HTTP_STAGE_NAME, "CURLE_COULDNT_RESOLVE_HOST");
    assert_non_null(strstr(look.result.failure.text, "nobody.invalid"));
    look.settings.url = "http://127.0.0.1:1/EWS/Exchange.asmx";
    assert_ended(examine(&look), HTTP_STAGE_CONNECTION, "CURLE_COULDNT_CONNECT");
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", fixture_server_port(look.server));
    look.settings.url = url;
    look.settings.tls_ca_file = "/nowhere/authorities.pem";
    assert_ended(examine(&look), HTTP_STAGE_TLS, "CURLE_SSL_CACERT_BADFILE");
    look.settings.url = "http:///";
    assert_ended(examine(&look), HTTP_STAGE_NAME, "CURLE_URL_MALFORMAT");
    close_look(&look);
}

static void a_server_that_hangs_up_fails_the_answer(void **state)
{
    (void)state;
    struct look look;
    open_look(&look, hang_up, NULL);
    assert_ended(examine(&look), HTTP_STAGE_ANSWER, "CURLE_GOT_NOTHING");
    close_look(&look);
}

static void a_server_without_tls_fails_tls(void **state)
{
    (void)state;
    struct look look;
    char url[128];
    open_look(&look, hang_up, NULL);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", fixture_server_port(look.server));
    look.settings.url = url;
    look.settings.tls_verify = false;
    look.settings.connect_timeout_ms = 1000;
    const struct http_examination *result = examine(&look);
    assert_int_equal(result->ended, HTTP_STAGE_TLS);
    assert_int_equal(result->certificate_count, 0);
    close_look(&look);
}

static void one_that_is_cancelled_tells_nothing(void **state)
{
    (void)state;
    struct look look;
    open_look(&look, answer, NULL);
    struct http_examiner *examiner =
        http_examine_start(look.world.client, &look.settings, examined, &look);
    http_examine_cancel(examiner);
    examine(&look); /* the one behind it is told */
    assert_int_equal(look.result.status, 401);
    close_look(&look);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_of_the_answer_is_not_waited_for),
        cmocka_unit_test(the_body_of_an_odd_answer_is_written_nowhere),
        cmocka_unit_test(the_ways_of_signing_in_are_told_and_nobody_signs_in),
        cmocka_unit_test(a_redirection_is_told_and_not_followed),
        cmocka_unit_test(the_certificate_is_told),
        cmocka_unit_test(a_certificate_that_is_not_trusted_is_told_all_the_same),
        cmocka_unit_test(each_stage_fails_for_itself),
        cmocka_unit_test(a_server_that_hangs_up_fails_the_answer),
        cmocka_unit_test(a_server_without_tls_fails_tls),
        cmocka_unit_test(one_that_is_cancelled_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

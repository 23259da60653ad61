/* Names, certificates and everything else that keeps a request from going out is named. */
#define _GNU_SOURCE /* the EAI_ codes */
#include "base/memory.h"
#include "fixture_http.h"
#include "http/http_failure.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a name service of our own: libuv's calls of getaddrinfo end here --- */

static struct {
    pthread_mutex_t mutex;
    unsigned questions;
    bool down;
    struct fixture_gate *hang; /* NULL: answers at once */
} names = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct addrinfo *make_address(const char *text, struct addrinfo *next)
{
    struct addrinfo *entry = memory_allocate(sizeof *entry);
    struct sockaddr_in *address = memory_allocate(sizeof *address);
    address->sin_family = AF_INET;
    inet_pton(AF_INET, text, &address->sin_addr);
    entry->ai_family = AF_INET;
    entry->ai_socktype = SOCK_STREAM;
    entry->ai_addr = (struct sockaddr *)address;
    entry->ai_addrlen = sizeof *address;
    entry->ai_next = next;
    return entry;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)service, (void)hints;
    pthread_mutex_lock(&names.mutex);
    names.questions++;
    bool down = names.down;
    struct fixture_gate *hang = names.hang;
    pthread_mutex_unlock(&names.mutex);
    if (hang != NULL)
        fixture_gate_wait(hang);
    if (down)
        return EAI_AGAIN;
    if (strcasecmp(node, "exchange.test") != 0)
        return EAI_NONAME;
    /* Nobody listens at the first. */
    *result = make_address("127.66.66.66", make_address("127.0.0.1", NULL));
    return 0;
}

void freeaddrinfo(struct addrinfo *result)
{
    while (result != NULL) {
        struct addrinfo *next = result->ai_next;
        memory_free(result->ai_addr);
        memory_free(result);
        result = next;
    }
}

static void names_are(bool down, struct fixture_gate *hang)
{
    pthread_mutex_lock(&names.mutex);
    names.questions = 0;
    names.down = down;
    names.hang = hang;
    pthread_mutex_unlock(&names.mutex);
}

/* --- the scene --- */

struct scene {
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_exchange exchange;
    struct fixture_exchange second;
    struct http_pool_settings settings;
    char url[128];
};

static void answer_all(struct fixture_connection *connection, void *argument)
{
    struct fixture_request request;
    (void)argument;
    while (fixture_receive(connection, &request) &&
           fixture_answer(connection, "200 OK", "", "<answer/>"))
        ;
}

static void scene_prepare(struct scene *scene, const char *host,
                          const struct fixture_certificate *certificate)
{
    memset(scene, 0, sizeof *scene);
    names_are(false, NULL);
    scene->server = fixture_server_start(answer_all, scene, certificate);
    snprintf(scene->url, sizeof scene->url, "%s://%s:%u/EWS/Exchange.asmx",
             certificate != NULL ? "https" : "http", host,
             (unsigned)fixture_server_port(scene->server));
    scene->settings = fixture_settings(scene->url);
    if (certificate != NULL)
        scene->settings.tls_ca_file = fixture_server_certificate_file(scene->server);
}

static void scene_open(struct scene *scene)
{
    fixture_world_open(&scene->world, &scene->settings);
}

static void scene_close(struct scene *scene)
{
    fixture_world_close(&scene->world);
    fixture_server_stop(scene->server);
    fixture_forget(&scene->exchange);
    fixture_forget(&scene->second);
}

static const struct failure *run_one(struct scene *scene)
{
    scene->exchange.request.changes = true;
    fixture_start(&scene->world, &scene->exchange, 100);
    fixture_run(&scene->world);
    return &scene->exchange.response.failure;
}

static void expect_failure(const struct scene *scene, enum failure_category category,
                           const char *code, const char *sentence)
{
    const struct failure *failure = &scene->exchange.response.failure;
    assert_int_equal(failure->category, category);
    assert_int_equal(failure->scope, FAILURE_SCOPE_PROFILE);
    assert_string_equal(failure->code, code);
    assert_string_equal(failure->sentence, sentence);
    assert_true(failure->remedy[0] != '\0');
    assert_false(failure->divisible);
    assert_int_equal(scene->exchange.response.status, 0);
    assert_false(scene->exchange.response.in_doubt);
}

static void expect_success(const struct scene *scene)
{
    assert_string_equal(scene->exchange.response.failure.text, "");
    assert_false(failure_is_set(&scene->exchange.response.failure));
    assert_int_equal(scene->exchange.response.status, 200);
    assert_string_equal(buffer_string(&scene->exchange.answer), "<answer/>");
}

/* --- certificates --- */

static const struct fixture_certificate good = {.host = "exchange.test"};

static void a_trusted_certificate_is_accepted(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchange.test", &good);
    scene_open(&scene);
    run_one(&scene);
    expect_success(&scene);
    scene_close(&scene);
}

static void an_unknown_authority_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchange.test", &good);
    scene.settings.tls_ca_file = NULL; /* the system's does not know it */
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_TLS, "CURLE_PEER_FAILED_VERIFICATION",
                   "The server's certificate is signed by itself, not by an authority that this "
                   "machine trusts.");
    assert_true(scene.exchange.response.failure.permanent);
    assert_non_null(strstr(scene.exchange.response.failure.text, "self-signed certificate"));
    scene_close(&scene);
}

static void a_certificate_for_another_name_is_named(void **state)
{
    (void)state;
    static const struct fixture_certificate other = {.host = "mail.contoso.com"};
    struct scene scene;
    scene_prepare(&scene, "exchange.test", &other);
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_TLS, "CURLE_PEER_FAILED_VERIFICATION",
                   "The server's certificate is for another name.");
    assert_non_null(strstr(scene.exchange.response.failure.text, "exchange.test"));
    scene_close(&scene);
}

static void an_expired_certificate_is_named(void **state)
{
    (void)state;
    static const struct fixture_certificate expired = {.host = "exchange.test", .expired = true};
    struct scene scene;
    scene_prepare(&scene, "exchange.test", &expired);
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_TLS, "CURLE_PEER_FAILED_VERIFICATION",
                   "The server's certificate has expired.");
    scene_close(&scene);
}

static void certificates_are_not_checked_when_the_profile_says_so(void **state)
{
    (void)state;
    static const struct fixture_certificate worst = {.host = "mail.contoso.com", .expired = true};
    struct scene scene;
    scene_prepare(&scene, "exchange.test", &worst);
    scene.settings.tls_ca_file = NULL;
    scene.settings.tls_verify = false;
    scene_open(&scene);
    run_one(&scene);
    expect_success(&scene);
    scene_close(&scene);
}

static void a_file_of_authorities_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    static const char *const files[] = {"/nonexistent/ca.pem", "/dev/null"};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        scene_prepare(&scene, "exchange.test", &good);
        scene.settings.tls_ca_file = files[i];
        scene_open(&scene);
        fixture_start(&scene.world, &scene.second, 100);
        run_one(&scene);
        expect_failure(&scene, FAILURE_CONFIGURATION, "CURLE_SSL_CACERT_BADFILE",
                       "The file of trusted certificates cannot be used.");
        assert_non_null(strstr(scene.exchange.response.failure.text, files[i]));
        assert_string_equal(scene.second.response.failure.code, "CURLE_SSL_CACERT_BADFILE");
        assert_int_equal(fixture_server_connections(scene.server), 0);
        scene_close(&scene);
    }
}

static void a_reset_reads_the_authorities_again(void **state)
{
    (void)state;
    struct scene scene;
    char file[] = "/tmp/exsyncd-test-ca-XXXXXX";
    char command[256];
    scene_prepare(&scene, "exchange.test", &good);
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    close(descriptor);
    scene.settings.tls_ca_file = file;
    scene_open(&scene);
    assert_int_equal(run_one(&scene)->category, FAILURE_CONFIGURATION);
    snprintf(command, sizeof command, "cp %s %s", fixture_server_certificate_file(scene.server),
             file);
    assert_int_equal(system(command), 0);
    http_pool_reset(scene.world.pool);
    run_one(&scene);
    expect_success(&scene);
    unlink(file);
    scene_close(&scene);
}

static void speak_first(struct fixture_connection *connection, void *argument)
{
    (void)argument;
    fixture_send_text(connection, "220 mail.contoso.com ESMTP ready\r\n");
    fixture_expect_end(connection);
}

static void a_port_without_tls_is_named(void **state)
{
    (void)state;
    struct scene scene = {0};
    scene.server = fixture_server_start(speak_first, NULL, NULL);
    snprintf(scene.url, sizeof scene.url, "https://127.0.0.1:%u/",
             (unsigned)fixture_server_port(scene.server));
    scene.settings = fixture_settings(scene.url);
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_TLS, "CURLE_SSL_CONNECT_ERROR",
                   "No TLS connection to the server could be made.");
    assert_false(scene.exchange.response.failure.permanent);
    scene_close(&scene);
}

static void a_server_that_does_not_greet_is_given_up(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchange.test", NULL);
    /* It takes the greeting of TLS for the begin of a request, and waits for the rest. */
    snprintf(scene.url, sizeof scene.url, "https://exchange.test:%u/",
             (unsigned)fixture_server_port(scene.server));
    scene.settings.connect_timeout_ms = 200;
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_NETWORK, "CURLE_OPERATION_TIMEDOUT",
                   "The server did not answer in time.");
    scene_close(&scene);
}

/* --- names --- */

static void every_address_of_a_name_is_tried(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "Exchange.Test", NULL);
    scene_open(&scene);
    run_one(&scene);
    expect_success(&scene);
    scene_close(&scene);
}

static void an_answer_of_the_name_service_is_kept_for_a_while(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchange.test", NULL);
    scene_open(&scene);
    for (int i = 0; i < 3; i++) {
        run_one(&scene);
        expect_success(&scene);
    }
    assert_int_equal(names.questions, 1);

    /* A reset asks again; no answer is worse than the old one. */
    names_are(true, NULL);
    http_pool_reset(scene.world.pool);
    run_one(&scene);
    expect_success(&scene);
    assert_int_equal(names.questions, 1);
    scene_close(&scene);
}

static void an_unknown_name_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchagne.test", NULL);
    scene_open(&scene);
    fixture_start(&scene.world, &scene.second, 100);
    run_one(&scene);
    expect_failure(&scene, FAILURE_NETWORK, "CURLE_COULDNT_RESOLVE_HOST",
                   "The name service does not know the name of the server.");
    assert_non_null(strstr(scene.exchange.response.failure.text, "exchagne.test: "));
    assert_string_equal(scene.second.response.failure.code, "CURLE_COULDNT_RESOLVE_HOST");
    assert_int_equal(names.questions, 1);
    scene_close(&scene);
}

static void a_name_service_that_is_down_is_named(void **state)
{
    (void)state;
    struct scene scene;
    scene_prepare(&scene, "exchange.test", NULL);
    names_are(true, NULL);
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_NETWORK, "CURLE_COULDNT_RESOLVE_HOST",
                   "The name of the server could not be resolved.");
    assert_false(scene.exchange.response.failure.permanent);
    names_are(false, NULL);
    run_one(&scene);
    expect_success(&scene);
    scene_close(&scene);
}

static void a_name_service_that_hangs_is_given_up(void **state)
{
    (void)state;
    struct scene scene;
    struct fixture_gate gate;
    fixture_gate_init(&gate);
    scene_prepare(&scene, "exchange.test", NULL);
    scene.settings.connect_timeout_ms = 100;
    names_are(false, &gate);
    scene_open(&scene);
    run_one(&scene);
    expect_failure(&scene, FAILURE_NETWORK, "CURLE_COULDNT_RESOLVE_HOST",
                   "The name service did not answer in time.");
    fixture_gate_open(&gate); /* the late answer finds nobody */
    scene_close(&scene);
}

static void a_pool_can_be_freed_while_a_name_is_looked_up(void **state)
{
    (void)state;
    struct scene scene;
    struct fixture_gate gate;
    fixture_gate_init(&gate);
    scene_prepare(&scene, "exchange.test", &good);
    names_are(false, &gate);
    scene_open(&scene);
    scene.exchange.request.changes = true;
    fixture_start(&scene.world, &scene.exchange, 100);
    struct fixture_exchange *exchange = &scene.exchange;
    http_request_cancel(&exchange->request);
    fixture_start(&scene.world, exchange, 100);
    http_pool_free(scene.world.pool);
    scene.world.pool = NULL;
    fixture_gate_open(&gate);
    scene_close(&scene);
}

static void addresses_and_localhost_need_no_name_service(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "LOCALHOST", "mail.localhost"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct scene scene;
        scene_prepare(&scene, hosts[i], NULL);
        names_are(true, NULL);
        scene_open(&scene);
        run_one(&scene);
        expect_success(&scene);
        assert_int_equal(names.questions, 0);
        scene_close(&scene);
    }
    struct scene scene;
    scene_prepare(&scene, "[::1]", NULL);
    scene_open(&scene);
    /* Nobody listens there, but the address was understood. */
    assert_string_equal(run_one(&scene)->code, "CURLE_COULDNT_CONNECT");
    assert_int_equal(names.questions, 0);
    scene_close(&scene);
}

static void a_url_that_is_none_is_named(void **state)
{
    (void)state;
    static const char *const urls[] = {"https://", "http://exchange test/", "ftp://127.0.0.1/",
                                       "http://127.0.0.1:99999/"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct scene scene;
        scene_prepare(&scene, "exchange.test", NULL);
        scene.settings.url = urls[i];
        scene_open(&scene);
        const struct failure *failure = run_one(&scene);
        assert_int_equal(failure->category, FAILURE_CONFIGURATION);
        assert_int_equal(failure->scope, FAILURE_SCOPE_PROFILE);
        assert_true(failure->permanent);
        scene_close(&scene);
    }
}

/* --- the table --- */

static void every_code_becomes_a_whole_failure(void **state)
{
    (void)state;
    for (int code = 1; code < CURL_LAST; code++) {
        for (int performing = 0; performing < 2; performing++) {
            struct http_failure_detail detail = {.error = "", .performing = performing};
            struct failure failure = http_failure_of_curl((CURLcode)code, &detail);
            assert_true(failure_is_set(&failure));
            assert_true(failure.scope != FAILURE_SCOPE_NONE);
            assert_int_equal(strncmp(failure.code, "CURLE_", 6), 0);
            assert_true(failure.sentence[0] != '\0');
            assert_non_null(failure.remedy);
            assert_true(failure.text[0] != '\0');
            /* A failure of the server as a whole cannot be cured by asking for less. */
            assert_false(failure.divisible && failure.scope != FAILURE_SCOPE_MAILBOX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_certificate_is_accepted),
        cmocka_unit_test(an_unknown_authority_is_named),
        cmocka_unit_test(a_certificate_for_another_name_is_named),
        cmocka_unit_test(an_expired_certificate_is_named),
        cmocka_unit_test(certificates_are_not_checked_when_the_profile_says_so),
        cmocka_unit_test(a_file_of_authorities_that_cannot_be_used_is_named),
        cmocka_unit_test(a_reset_reads_the_authorities_again),
        cmocka_unit_test(a_port_without_tls_is_named),
        cmocka_unit_test(a_server_that_does_not_greet_is_given_up),
        cmocka_unit_test(every_address_of_a_name_is_tried),
        cmocka_unit_test(an_answer_of_the_name_service_is_kept_for_a_while),
        cmocka_unit_test(an_unknown_name_is_named),
        cmocka_unit_test(a_name_service_that_is_down_is_named),
        cmocka_unit_test(a_name_service_that_hangs_is_given_up),
        cmocka_unit_test(a_pool_can_be_freed_while_a_name_is_looked_up),
        cmocka_unit_test(addresses_and_localhost_need_no_name_service),
        cmocka_unit_test(a_url_that_is_none_is_named),
        cmocka_unit_test(every_code_becomes_a_whole_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

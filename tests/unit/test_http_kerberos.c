/* What Negotiate does where there is no KDC that answers; tests/integration/test_kerberos.sh has
 * real ones. */
#include "base/buffer.h"
#include "base/clock.h"
#include "fixture_http.h"
#include "http/http_kerberos.h"
#include "http/http_ticket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/exsyncd-krb5-XXXXXX";
static const char server[] = "http://localhost:1/EWS/Exchange.asmx";

/* --- a KDC that takes everything and says nothing --- */

static int silent_tcp = -1;
static int silent_udp = -1;

static uint16_t open_silent(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    silent_tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    silent_udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent_tcp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(silent_tcp, 16), 0);
    assert_int_equal(getsockname(silent_tcp, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(bind(silent_udp, (struct sockaddr *)&address, sizeof address), 0);
    return ntohs(address.sin_port);
}

/* A port of this machine where nothing listens, and nothing will while the test runs. */
static uint16_t closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    close(probe);
    return ntohs(address.sin_port);
}

/* --- the world --- */

static void write_config(const char *libdefaults, uint16_t kdc_port)
{
    char path[64];
    snprintf(path, sizeof path, "%s/krb5.conf", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "[libdefaults]\n%s\n    dns_lookup_kdc = false\n    dns_canonicalize_hostname = false\n"
            "[realms]\n    EXSYNCD.TEST = {\n        kdc = 127.0.0.1:%u\n    }\n",
            libdefaults, kdc_port);
    assert_int_equal(fclose(file), 0);
    setenv("KRB5_CONFIG", path, 1);
}

static const char realm[] = "    default_realm = EXSYNCD.TEST";

static void open_world(struct fixture_world *world, const char *username)
{
    struct http_pool_settings settings = fixture_settings(server);
    settings.auth = HTTP_AUTH_NEGOTIATE;
    settings.username = username;
    fixture_world_open(world, &settings);
}

static struct failure ask(struct fixture_world *world)
{
    struct fixture_exchange exchange = {0};
    fixture_start(world, &exchange, 10);
    fixture_run(world);
    struct failure failure = exchange.response.failure;
    assert_int_equal(exchange.response.sent_bytes, 0);
    fixture_forget(&exchange);
    return failure;
}

static void stop(void *argument)
{
    executor_stop(argument);
}

static void run_for(struct fixture_world *world, uint64_t ms)
{
    struct executor_timer timer = {0};
    executor_after(world->executor, &timer, ms, stop, world->executor);
    fixture_run_until_stopped(world);
}

/* --- the tests --- */

static void tickets_are_renewed_before_they_end(void **state)
{
    (void)state;
    assert_int_equal(http_kerberos_renew_after_ms(36000), 28800 * 1000); /* 80 % */
    assert_int_equal(http_kerberos_renew_after_ms(1500), 1200 * 1000);
    assert_int_equal(http_kerberos_renew_after_ms(900), 600 * 1000); /* 5 minutes before the end */
    assert_int_equal(http_kerberos_renew_after_ms(600), 300 * 1000);
    assert_int_equal(http_kerberos_renew_after_ms(60), 30 * 1000); /* never in the first half */
    assert_int_equal(http_kerberos_renew_after_ms(0), 0);
}

static void what_a_kdc_says_is_classified(void **state)
{
    (void)state;
    struct failure failure =
        http_ticket_failure(KRB5KDC_ERR_PREAUTH_FAILED, false, "Preauth\nfailed");
    assert_int_equal(failure.category, FAILURE_AUTHENTICATION);
    assert_int_equal(failure.scope, FAILURE_SCOPE_PROFILE);
    assert_true(failure.permanent);
    assert_string_equal(failure.code, "KRB5KDC_ERR_PREAUTH_FAILED");
    assert_string_equal(failure.text, "Preauth failed");
    failure = http_ticket_failure(KRB5KDC_ERR_PREAUTH_FAILED, true, "Preauth failed");
    assert_non_null(strstr(failure.remedy, "KRB5_CLIENT_KTNAME"));
    failure = http_ticket_failure(KRB5_KDC_UNREACH, false, "");
    assert_int_equal(failure.category, FAILURE_NETWORK);
    assert_false(failure.permanent);
    failure = http_ticket_failure(KRB5KRB_AP_ERR_SKEW, false, "");
    assert_false(failure.permanent); /* the time service puts it right */
    /* What is not known may count as a refusal. */
    failure = http_ticket_failure(KRB5KRB_ERR_GENERIC, false, "");
    assert_int_equal(failure.category, FAILURE_AUTHENTICATION);
    assert_true(failure.permanent);
    assert_true(strncmp(failure.code, "KRB5 ", 5) == 0);
    assert_true(failure.sentence[0] != '\0' && failure.remedy[0] != '\0');
}

static void a_bad_key_table_is_named_and_no_account_is_suspected(void **state)
{
    (void)state;
    static const krb5_error_code codes[] = {
        KRB5_KEYTAB_BADVNO,   KRB5_KT_FORMAT,  KRB5_KT_IOERR,        KRB5_KT_END,
        KRB5_KT_KVNONOTFOUND, KRB5_KT_BADNAME, KRB5_KT_UNKNOWN_TYPE, KRB5_KT_NAME_TOOLONG,
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct failure failure = http_ticket_failure(codes[i], false, "");
        assert_true(strncmp(failure.code, "KRB5_K", 6) == 0);
        assert_non_null(strstr(failure.sentence, "key table"));
        assert_non_null(strstr(failure.remedy, "KRB5_CLIENT_KTNAME"));
        assert_true(failure.account_unasked);
    }
    assert_true(http_ticket_failure(EACCES, false, "").account_unasked);
    assert_true(http_ticket_failure(KRB5_FCC_NOFILE, false, "").account_unasked);
    assert_false(http_ticket_failure(KRB5KDC_ERR_CLIENT_REVOKED, false, "").account_unasked);
}

static void a_kdc_that_does_not_run_fails_what_waits(void **state)
{
    (void)state;
    struct fixture_world world;
    write_config(realm, closed_port());
    open_world(&world, "CONTOSO\\svc-sync");
    struct failure failure = ask(&world);
    assert_string_equal(failure.code, "KRB5_KDC_UNREACH");
    failure = ask(&world); /* the pool is not closed: it is tried again */
    assert_string_equal(failure.code, "KRB5_KDC_UNREACH");
    fixture_world_close(&world);
}

static void a_missing_realm_is_told(void **state)
{
    (void)state;
    struct fixture_world world;
    write_config("", closed_port());
    open_world(&world, "CONTOSO\\svc-sync");
    struct failure failure = ask(&world);
    assert_string_equal(failure.code, "KRB5_CONFIG_NODEFREALM");
    assert_int_equal(failure.category, FAILURE_CONFIGURATION);
    fixture_world_close(&world);
    /* A user principal name brings one along. */
    open_world(&world, "svc-sync@exsyncd.test");
    failure = ask(&world);
    assert_string_equal(failure.code, "KRB5_KDC_UNREACH");
    fixture_world_close(&world);
}

static void a_krb5_conf_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    struct fixture_world world;
    write_config("}}}", closed_port());
    open_world(&world, "svc-sync");
    struct failure failure = ask(&world);
    assert_int_equal(failure.category, FAILURE_CONFIGURATION);
    assert_true(failure.permanent);
    fixture_world_close(&world);
}

/* A pool whose sign-in hangs can be reset and freed, and so can the client. */
static void a_kdc_that_says_nothing_holds_nobody(void **state)
{
    (void)state;
    struct fixture_world world;
    struct fixture_exchange exchange = {0};
    write_config(realm, open_silent());
    uint64_t begun = clock_monotonic_ms();
    open_world(&world, "svc-sync");
    fixture_start(&world, &exchange, 10);
    run_for(&world, 100);
    assert_false(exchange.done);
    http_pool_reset(world.pool);
    run_for(&world, 50);
    assert_int_equal(http_pool_waiting(world.pool), 1);
    http_pool_free(world.pool);
    world.pool = NULL;
    run_for(&world, 50);
    fixture_world_close(&world);
    fixture_forget(&exchange);
    assert_true(clock_monotonic_ms() - begun < 5000);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    setenv("KRB5CCNAME", "MEMORY:none", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_are_renewed_before_they_end),
        cmocka_unit_test(what_a_kdc_says_is_classified),
        cmocka_unit_test(a_bad_key_table_is_named_and_no_account_is_suspected),
        cmocka_unit_test(a_kdc_that_does_not_run_fails_what_waits),
        cmocka_unit_test(a_missing_realm_is_told),
        cmocka_unit_test(a_krb5_conf_that_cannot_be_read_is_told),
        cmocka_unit_test(a_kdc_that_says_nothing_holds_nobody), /* leaves a thread that hangs */
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[64];
    snprintf(path, sizeof path, "%s/krb5.conf", folder);
    unlink(path);
    rmdir(folder);
    return failed;
}

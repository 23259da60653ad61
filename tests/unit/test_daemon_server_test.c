/* What an examination says of a profile's server, step by step. */
#include "daemon/server_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400000)
#define NOW (INT64_C(1790000000000)) /* 2026-09-21T14:13:20Z */

static struct test_step steps[SERVER_TEST_STEPS];

static struct config_profile profile(void)
{
    return (struct config_profile){.name = "contoso", .auth = CONFIG_AUTH_NTLM, .tls_verify = true};
}

static struct http_examination examination(void)
{
    return (struct http_examination){
        .ended = HTTP_STAGE_COUNT,
        .host = "mail.contoso.com",
        .addresses = "192.0.2.1, 2001:db8::1",
        .address = "192.0.2.1:443",
        .encrypted = true,
        .tls = "TLSv1.3",
        .names = "mail.contoso.com, autodiscover.contoso.com",
        .certificates = {{"CN=mail.contoso.com", "CN=Issuing CA", NOW + 47 * DAY + 5},
                         {"CN=Issuing CA", "CN=Root CA", NOW + 900 * DAY}},
        .certificate_count = 2,
        .status = 401,
        .ways = "Negotiate, NTLM",
        .offers = {[HTTP_AUTH_NTLM] = true, [HTTP_AUTH_NEGOTIATE] = true},
    };
}

static size_t judge(const struct http_examination *examination, const struct config_profile *config)
{
    return server_test_judge(examination, config, NOW, steps);
}

static void all_is_well(void **state)
{
    (void)state;
    const struct config_profile config = profile();
    const struct http_examination seen = examination();
    assert_int_equal(judge(&seen, &config), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(steps[i].result, TEST_PASSED);
    assert_string_equal(steps[TEST_NAME].detail, "mail.contoso.com: 192.0.2.1, 2001:db8::1");
    assert_string_equal(steps[TEST_CONNECTION].detail, "192.0.2.1:443");
    assert_string_equal(steps[TEST_TLS].detail,
                        "TLSv1.3, CN=mail.contoso.com (mail.contoso.com, autodiscover.contoso.com),"
                        " signed by CN=Issuing CA <- CN=Root CA, expires on 2026-11-07 "
                        "(47 days left)");
    assert_true(steps[TEST_TLS].has_expiry);
    assert_int_equal(steps[TEST_TLS].days_left, 47);
    assert_string_equal(steps[TEST_HTTP].detail, "offers Negotiate, NTLM");
}

static void days_are_whole_and_negative_once_it_has_expired(void **state)
{
    (void)state;
    static const struct {
        int64_t left;
        int64_t days;
        const char *words;
    } cases[] = {
        {DAY, 1, "(1 day left)"},          {DAY - 1, 0, "(0 days left)"},
        {0, 0, "(0 days left)"},           {-1, -1, "(0 days ago)"},
        {-DAY, -1, "(1 day ago)"},         {-DAY - 1, -2, "(1 day ago)"},
        {-10 * DAY, -10, "(10 days ago)"},
    };
    const struct config_profile config = profile();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_examination seen = examination();
        seen.certificates[0].not_after_ms = NOW + cases[i].left;
        judge(&seen, &config);
        assert_int_equal(steps[TEST_TLS].days_left, cases[i].days);
        assert_non_null(strstr(steps[TEST_TLS].detail, cases[i].words));
    }
}

static void a_certificate_that_is_not_trusted_is_shown(void **state)
{
    (void)state;
    const struct config_profile config = profile();
    struct http_examination seen = examination();
    seen.ended = HTTP_STAGE_TLS;
    seen.failure = (struct failure){.category = FAILURE_TLS, .sentence = "It has expired."};
    assert_int_equal(judge(&seen, &config), 3);
    assert_int_equal(steps[TEST_TLS].result, TEST_FAILED);
    assert_string_equal(steps[TEST_TLS].failure.sentence, "It has expired.");
    assert_non_null(strstr(steps[TEST_TLS].detail, "CN=mail.contoso.com"));
}

static void what_is_not_checked_is_said_loudly(void **state)
{
    (void)state;
    struct config_profile config = profile();
    const struct http_examination seen = examination();
    config.tls_verify = false;
    judge(&seen, &config);
    assert_int_equal(steps[TEST_TLS].result, TEST_PASSED);
    assert_int_equal(strncmp(steps[TEST_TLS].detail, "NOT CHECKED", 11), 0);
    assert_non_null(strstr(steps[TEST_TLS].detail, "CN=mail.contoso.com"));
}

static void without_tls_the_step_is_left_out(void **state)
{
    (void)state;
    const struct config_profile config = profile();
    struct http_examination seen = examination();
    seen.encrypted = false;
    assert_int_equal(judge(&seen, &config), 4);
    assert_int_equal(steps[TEST_TLS].result, TEST_LEFT_OUT);
    assert_string_equal(steps[TEST_TLS].detail,
                        "the url is http: anyone on the network path can read the password");
    static const char *const own[] = {"127.0.0.1:80", "[::1]:80"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        snprintf(seen.address, sizeof seen.address, "%s", own[i]);
        judge(&seen, &config);
        assert_string_equal(steps[TEST_TLS].detail, "the url is http: nothing leaves this machine");
    }
}

static void a_way_of_signing_in_that_is_not_offered_fails(void **state)
{
    (void)state;
    struct config_profile config = profile();
    struct http_examination seen = examination();
    config.auth = CONFIG_AUTH_BASIC;
    judge(&seen, &config);
    assert_int_equal(steps[TEST_HTTP].result, TEST_FAILED);
    assert_int_equal(steps[TEST_HTTP].failure.category, FAILURE_AUTHENTICATION);
    assert_non_null(strstr(steps[TEST_HTTP].failure.sentence, "does not offer the way"));
    assert_string_equal(steps[TEST_HTTP].failure.text, "WWW-Authenticate: Negotiate NTLM");
    assert_true(steps[TEST_HTTP].failure.account_unasked);
    seen.ways[0] = '\0';
    memset(seen.offers, 0, sizeof seen.offers);
    judge(&seen, &config);
    assert_string_equal(steps[TEST_HTTP].failure.sentence,
                        "The server offers no way of signing in.");
}

static void other_answers_are_told_by_their_status(void **state)
{
    (void)state;
    const struct config_profile config = profile();
    static const struct {
        uint16_t status;
        enum test_result result;
        enum failure_category category;
    } cases[] = {
        {200, TEST_PASSED, FAILURE_NONE},          {302, TEST_FAILED, FAILURE_CONFIGURATION},
        {404, TEST_FAILED, FAILURE_CONFIGURATION}, {403, TEST_FAILED, FAILURE_AUTHORIZATION},
        {503, TEST_FAILED, FAILURE_THROTTLING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_examination seen = examination();
        seen.status = cases[i].status;
        seen.ways[0] = '\0';
        if (cases[i].status == 302)
            strcpy(seen.location, "https://elsewhere.example.com/");
        judge(&seen, &config);
        assert_int_equal(steps[TEST_HTTP].result, cases[i].result);
        assert_int_equal(steps[TEST_HTTP].failure.category, cases[i].category);
        if (cases[i].status == 302)
            assert_string_equal(steps[TEST_HTTP].failure.text,
                                "it leads to https://elsewhere.example.com/");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(days_are_whole_and_negative_once_it_has_expired),
        cmocka_unit_test(a_certificate_that_is_not_trusted_is_shown),
        cmocka_unit_test(what_is_not_checked_is_said_loudly),
        cmocka_unit_test(without_tls_the_step_is_left_out),
        cmocka_unit_test(a_way_of_signing_in_that_is_not_offered_fails),
        cmocka_unit_test(other_answers_are_told_by_their_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

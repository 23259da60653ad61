/* Encryption and signing in: who the server is, and that the password goes nowhere else. */
#include "notify_smtp_world.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct fixture_certificate good = {.host = "localhost"};
static const struct fixture_certificate good_later = {.host = "localhost", .later = true};

static void raise_starttls(struct smtp_world *world, bool offers)
{
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE,
                                              .certificate = good_later,
                                              .offers_starttls = offers,
                                              .offers_auth = true});
}

static void starttls_and_smtps_encrypt(void **state)
{
    struct smtp_world *world = *state;
    raise_starttls(world, true);
    deliver(world);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_true(world->smtp.encrypted);
    assert_string_equal(buffer_string(&world->smtp.commands),
                        "EHLO STARTTLS EHLO MAIL RCPT DATA QUIT ");
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE, .certificate = good});
    deliver(world);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_true(world->smtp.encrypted);
    assert_string_equal(buffer_string(&world->smtp.commands), "EHLO MAIL RCPT DATA QUIT ");
}

static void starttls_when_it_is_offered_does_without_it(void **state)
{
    struct smtp_world *world = *state;
    for (int offers = 0; offers < 2; offers++) {
        raise_starttls(world, offers == 1);
        world->settings.starttls = SMTP_STARTTLS_OFFERED;
        deliver(world);
        expect_taken(world);
        fixture_smtp_stop(&world->smtp);
        assert_int_equal(world->smtp.encrypted, offers);
    }
    raise_starttls(world, true);
    world->settings.starttls = SMTP_STARTTLS_NEVER;
    deliver(world);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_false(world->smtp.encrypted);
}

static void without_starttls_that_is_required_nothing_is_sent(void **state)
{
    struct smtp_world *world = *state;
    struct secret *password = secret_create("hunter2", 7);
    raise_starttls(world, false);
    world->settings.username = "exsyncd";
    world->settings.password = password;
    deliver(world);
    expect_failure(world, "CURLE_USE_SSL_FAILED", "EHLO");
    assert_int_equal(world->failure.category, FAILURE_TLS);
    assert_true(world->failure.permanent);
    fixture_smtp_stop(&world->smtp);
    assert_null(strstr(buffer_string(&world->smtp.commands), "AUTH"));
    assert_null(strstr(buffer_string(&world->smtp.commands), "MAIL"));
    secret_free(password);
}

static void expect_untrusted(struct smtp_world *world)
{
    deliver(world);
    expect_failure(world, "CURLE_PEER_FAILED_VERIFICATION", world->failure.step);
    assert_int_equal(world->failure.category, FAILURE_TLS);
    assert_true(world->failure.permanent);
    fixture_smtp_stop(&world->smtp);
    assert_null(strstr(buffer_string(&world->smtp.commands), "MAIL"));
}

static void a_server_that_is_somebody_else_gets_nothing(void **state)
{
    struct smtp_world *world = *state;
    static const struct fixture_certificate bad[] = {
        {.host = "other.example"},
        {.host = "localhost", .expired = true},
        {.host = "other.example", .later = true},
        {.host = "localhost", .expired = true, .later = true},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture_smtp script = {
            .stage = FIXTURE_SMTP_NOWHERE, .certificate = bad[i], .offers_starttls = true};
        raise_server(world, script);
        expect_untrusted(world);
        raise_server(world, script);
        world->settings.tls_verify = false;
        deliver(world);
        expect_taken(world);
        fixture_smtp_stop(&world->smtp);
    }
    raise_starttls(world, true);
    world->settings.tls_ca_file = NULL; /* the system knows nothing of it */
    expect_untrusted(world);
}

static void a_file_without_certificates_is_told(void **state)
{
    struct smtp_world *world = *state;
    raise_starttls(world, true);
    world->settings.tls_ca_file = "/dev/null";
    deliver(world);
    assert_true(world->failed);
    assert_int_equal(world->failure.category, FAILURE_CONFIGURATION);
    expect_failure(world, "CURLE_SSL_CACERT_BADFILE", world->failure.step);
}

static void a_server_that_does_not_speak_tls_is_told(void **state)
{
    struct smtp_world *world = *state;
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    memmove(world->url + 5, world->url + 4, strlen(world->url + 4) + 1);
    memcpy(world->url, "smtps", 5);
    deliver(world);
    expect_failure(world, "CURLE_SSL_CONNECT_ERROR", "connect");
    assert_int_equal(world->failure.category, FAILURE_TLS);
}

static void the_account_signs_in_over_tls(void **state)
{
    struct smtp_world *world = *state;
    struct secret *password = secret_create("hunter2", 7);
    raise_starttls(world, true);
    world->settings.username = "exsyncd@x";
    world->settings.password = password;
    deliver(world);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_string_equal(buffer_string(&world->smtp.commands),
                        "EHLO STARTTLS EHLO AUTH MAIL RCPT DATA QUIT ");
    secret_free(password);
}

static void a_failure_never_names_the_password(void **state)
{
    struct smtp_world *world = *state;
    struct secret *password = secret_create("hunter2", 7);
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_AUTH,
                                              .answer = "535 no\r\n",
                                              .certificate = good_later,
                                              .offers_starttls = true,
                                              .offers_auth = true});
    world->settings.username = "exsyncd";
    world->settings.password = password;
    deliver(world);
    expect_failure(world, "SMTP 535", "AUTH");
    assert_null(strstr(world->failure.text, "hunter2"));
    secret_free(password);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMTP_TEST(starttls_and_smtps_encrypt),
        SMTP_TEST(starttls_when_it_is_offered_does_without_it),
        SMTP_TEST(without_starttls_that_is_required_nothing_is_sent),
        SMTP_TEST(a_server_that_is_somebody_else_gets_nothing),
        SMTP_TEST(a_file_without_certificates_is_told),
        SMTP_TEST(a_server_that_does_not_speak_tls_is_told),
        SMTP_TEST(the_account_signs_in_over_tls),
        SMTP_TEST(a_failure_never_names_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

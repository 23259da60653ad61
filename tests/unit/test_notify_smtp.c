/* Mail that is handed to an SMTP server: what arrives, and what is said when it does not. */
#include "notify_smtp_world.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- what is sent --- */

static void the_server_gets_the_message_and_both_addresses(void **state)
{
    struct smtp_world *world = *state;
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    deliver(world);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_string_equal(buffer_string(&world->smtp.message), MESSAGE);
    assert_string_equal(buffer_string(&world->smtp.mail),
                        "MAIL FROM:<exsyncd@x>\r\nRCPT TO:<owner@x>\r\n");
    assert_string_equal(buffer_string(&world->smtp.commands), "EHLO MAIL RCPT DATA QUIT ");
}

static void check_arrives(struct smtp_world *world, const char *message)
{
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    deliver_to(world, "exsyncd@x", "owner@x", message);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_false(world->smtp.wrong_line_end);
    if (strcmp(buffer_string(&world->smtp.message), message) != 0)
        fail_msg("a message of %zu bytes arrived changed", strlen(message));
}

static void lines_that_begin_with_a_dot_arrive_as_they_are(void **state)
{
    struct smtp_world *world = *state;
    static const char *const messages[] = {
        "Subject: x\r\n\r\n.\r\n",
        "Subject: x\r\n\r\n.\r\n.\r\nQUIT\r\n",
        ".Subject: x\r\n\r\n",
        "Subject: x\r\n\r\n..\r\n...\r\n.a\r\n a.\r\n.",
    };
    for (size_t i = 0; i + 1 < COUNT(messages); i++)
        check_arrives(world, messages[i]);
    /* One without a line end gets it. */
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    deliver_to(world, "exsyncd@x", "owner@x", messages[COUNT(messages) - 1]);
    expect_taken(world);
    fixture_smtp_stop(&world->smtp);
    assert_string_equal(buffer_string(&world->smtp.message),
                        "Subject: x\r\n\r\n..\r\n...\r\n.a\r\n a.\r\n.\r\n");
}

/* libcurl sends in blocks of its own: a dot may stand before, at, or behind the end of one. */
static void a_dot_at_the_border_of_two_blocks_arrives_as_it_is(void **state)
{
    struct smtp_world *world = *state;
    for (size_t shift = 0; shift < 6; shift++) {
        struct buffer message = {0};
        buffer_append_format(&message, "Subject: %.*s\r\n\r\n", (int)shift, "abcdef");
        while (message.length < 300000)
            buffer_append_string(&message, ".\r\n..\r\n");
        check_arrives(world, message.data);
        buffer_release(&message);
    }
}

/* --- what the server answers --- */

struct refusal {
    enum fixture_smtp_stage stage;
    const char *answer;
    const char *code, *step, *text;
    enum failure_category category;
    bool permanent;
};

static void check_refusals(struct smtp_world *world, const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool tls = cases[i].stage == FIXTURE_SMTP_STARTTLS;
        bool auth = cases[i].stage == FIXTURE_SMTP_AUTH;
        struct fixture_smtp script = {.stage = cases[i].stage,
                                      .answer = cases[i].answer,
                                      .offers_starttls = tls,
                                      .offers_auth = auth};
        if (tls)
            script.certificate = (struct fixture_certificate){.host = "localhost", .later = true};
        raise_server(world, script);
        struct secret *password = secret_create("hunter2", 7);
        if (auth) {
            world->settings.username = "exsyncd";
            world->settings.password = password;
        }
        deliver(world);
        secret_free(password);
        expect_failure(world, cases[i].code, cases[i].step);
        assert_string_equal(world->failure.text, cases[i].text);
        assert_int_equal(world->failure.category, cases[i].category);
        assert_int_equal(world->failure.permanent, cases[i].permanent);
        assert_false(world->failure.in_doubt);
    }
}

static void a_refusal_for_good_is_told_in_the_servers_words_at_every_stage(void **state)
{
    static const struct refusal cases[] = {
        {FIXTURE_SMTP_GREETING, "554 5.7.1 go away\r\n", "SMTP 554", "connect", "554 5.7.1 go away",
         FAILURE_AUTHORIZATION, true},
        {FIXTURE_SMTP_EHLO, "550 who?\r\n", "SMTP 550", "EHLO", "550 who?", FAILURE_AUTHORIZATION,
         true},
        {FIXTURE_SMTP_STARTTLS, "502 no\r\n", "SMTP 502", "STARTTLS", "502 no", FAILURE_TLS, true},
        {FIXTURE_SMTP_AUTH, "535 5.7.8 wrong\r\n", "SMTP 535", "AUTH", "535 5.7.8 wrong",
         FAILURE_AUTHENTICATION, true},
        {FIXTURE_SMTP_MAIL, "550 5.1.8 bad sender\r\n", "SMTP 550", "MAIL", "550 5.1.8 bad sender",
         FAILURE_AUTHORIZATION, true},
        {FIXTURE_SMTP_MAIL, "530 5.7.0 sign in\r\n", "SMTP 530", "MAIL", "530 5.7.0 sign in",
         FAILURE_AUTHENTICATION, true},
        {FIXTURE_SMTP_RCPT, "550 5.7.1 relaying denied\r\n", "SMTP 550", "RCPT",
         "550 5.7.1 relaying denied", FAILURE_AUTHORIZATION, true},
        {FIXTURE_SMTP_DATA, "554 no valid recipients\r\n", "SMTP 554", "DATA",
         "554 no valid recipients", FAILURE_ITEM, true},
        {FIXTURE_SMTP_MESSAGE, "554 5.7.1 spam\r\n", "SMTP 554", "message", "554 5.7.1 spam",
         FAILURE_ITEM, true},
    };
    check_refusals(*state, cases, COUNT(cases));
}

static void a_refusal_for_now_may_pass_at_every_stage(void **state)
{
    static const struct refusal cases[] = {
        {FIXTURE_SMTP_GREETING, "421 busy\r\n", "SMTP 421", "connect", "421 busy", FAILURE_SERVER,
         false},
        {FIXTURE_SMTP_EHLO, "421 busy\r\n", "SMTP 421", "EHLO", "421 busy", FAILURE_SERVER, false},
        {FIXTURE_SMTP_STARTTLS, "454 not now\r\n", "SMTP 454", "STARTTLS", "454 not now",
         FAILURE_TLS, false},
        {FIXTURE_SMTP_AUTH, "454 4.7.0 no directory\r\n", "SMTP 454", "AUTH",
         "454 4.7.0 no directory", FAILURE_AUTHENTICATION, false},
        {FIXTURE_SMTP_MAIL, "452 full\r\n", "SMTP 452", "MAIL", "452 full", FAILURE_SERVER, false},
        {FIXTURE_SMTP_RCPT, "450 greylisted\r\n", "SMTP 450", "RCPT", "450 greylisted",
         FAILURE_SERVER, false},
        {FIXTURE_SMTP_DATA, "451 later\r\n", "SMTP 451", "DATA", "451 later", FAILURE_SERVER,
         false},
        {FIXTURE_SMTP_MESSAGE, "451 4.3.0 later\r\n", "SMTP 451", "message", "451 4.3.0 later",
         FAILURE_SERVER, false},
    };
    check_refusals(*state, cases, COUNT(cases));
}

static void an_answer_of_several_lines_is_told_as_one(void **state)
{
    static const struct refusal cases[] = {
        {FIXTURE_SMTP_RCPT, "550-5.7.26 This mail\r\n550-5.7.26 is\tnot\r\n550 5.7.26 signed\r\n",
         "SMTP 550", "RCPT", "550 5.7.26 This mail 5.7.26 is not 5.7.26 signed",
         FAILURE_AUTHORIZATION, true},
        {FIXTURE_SMTP_RCPT, "550\r\n", "SMTP 550", "RCPT", "550", FAILURE_AUTHORIZATION, true},
    };
    check_refusals(*state, cases, COUNT(cases));
}

static void an_endless_answer_is_cut(void **state)
{
    struct smtp_world *world = *state;
    struct buffer answer = {0};
    for (int i = 0; i < 500; i++)
        buffer_append_string(&answer, "550-no and no and no and no and no and no and no\r\n");
    buffer_append_string(&answer, "550 no\r\n");
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_RCPT, .answer = answer.data});
    deliver(world);
    expect_failure(world, "SMTP 550", "RCPT");
    assert_int_equal(strncmp(world->failure.text, "550 no and no", 13), 0);
    buffer_release(&answer);
}

/* --- when it is silent --- */

static const struct stage {
    enum fixture_smtp_stage stage;
    const char *step;
} stages[] = {
    {FIXTURE_SMTP_GREETING, "connect"},  {FIXTURE_SMTP_EHLO, "EHLO"},
    {FIXTURE_SMTP_STARTTLS, "STARTTLS"}, {FIXTURE_SMTP_AUTH, "AUTH"},
    {FIXTURE_SMTP_MAIL, "MAIL"},         {FIXTURE_SMTP_RCPT, "RCPT"},
    {FIXTURE_SMTP_DATA, "DATA"},         {FIXTURE_SMTP_MESSAGE, "message"},
};

static void deliver_without_answer(struct smtp_world *world, const struct stage *stage,
                                   enum fixture_smtp_action action, uint64_t limit_ms)
{
    bool tls = stage->stage == FIXTURE_SMTP_STARTTLS;
    struct fixture_smtp script = {.stage = stage->stage,
                                  .action = action,
                                  .offers_starttls = tls,
                                  .offers_auth = stage->stage == FIXTURE_SMTP_AUTH};
    if (tls)
        script.certificate = (struct fixture_certificate){.host = "localhost", .later = true};
    raise_server(world, script);
    struct secret *password = secret_create("hunter2", 7);
    world->settings.username = script.offers_auth ? "exsyncd" : NULL;
    world->settings.password = password;
    world->settings.time_limit_ms = limit_ms;
    deliver(world);
    secret_free(password);
    assert_true(world->failed);
    assert_string_equal(world->failure.step, stage->step);
    assert_int_equal(world->failure.category, FAILURE_NETWORK);
    assert_false(world->failure.permanent);
    assert_int_equal(world->failure.in_doubt, stage->stage == FIXTURE_SMTP_MESSAGE);
}

static void a_slow_server_is_given_up_at_every_stage(void **state)
{
    struct smtp_world *world = *state;
    for (size_t i = 0; i < COUNT(stages); i++) {
        deliver_without_answer(world, &stages[i], FIXTURE_SMTP_HANG, SHORT_MS);
        expect_failure(world, "CURLE_OPERATION_TIMEDOUT", stages[i].step);
        assert_in_range(world->took_ms, SHORT_MS - 1, 2000);
    }
}

static void a_connection_that_is_closed_is_in_doubt_only_after_the_whole_message(void **state)
{
    struct smtp_world *world = *state;
    for (size_t i = 0; i < COUNT(stages); i++) {
        deliver_without_answer(world, &stages[i], FIXTURE_SMTP_CLOSE, LONG_MS);
        expect_failure(world, world->failure.code, stages[i].step);
        assert_true(world->took_ms < LONG_MS / 2);
        deliver_without_answer(world, &stages[i], FIXTURE_SMTP_RESET, LONG_MS);
        expect_failure(world, world->failure.code, stages[i].step);
    }
}

static void a_message_that_was_cut_off_is_not_in_doubt(void **state)
{
    struct smtp_world *world = *state;
    struct buffer message = {0};
    while (message.length < 20000000) /* more than sockets hold on the way */
        buffer_append_string(&message, "a line of a message that is far too large\r\n");
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE, .take = 100});
    deliver_to(world, "exsyncd@x", "owner@x", message.data);
    expect_failure(world, world->failure.code, "message");
    assert_int_equal(world->failure.category, FAILURE_NETWORK);
    assert_false(world->failure.in_doubt);
    buffer_release(&message);
}

static void a_server_that_does_not_say_goodbye_has_taken_the_message(void **state)
{
    struct smtp_world *world = *state;
    raise_server(world,
                 (struct fixture_smtp){.stage = FIXTURE_SMTP_QUIT, .action = FIXTURE_SMTP_HANG});
    deliver(world);
    expect_taken(world);
    assert_true(world->took_ms < 10000);
    raise_server(world,
                 (struct fixture_smtp){.stage = FIXTURE_SMTP_QUIT, .action = FIXTURE_SMTP_CLOSE});
    deliver(world);
    expect_taken(world);
}

static void a_server_that_is_down_is_told(void **state)
{
    struct smtp_world *world = *state;
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    fixture_smtp_stop(&world->smtp);
    deliver(world);
    expect_failure(world, "CURLE_COULDNT_CONNECT", "connect");
    assert_int_equal(world->failure.category, FAILURE_NETWORK);
    assert_false(world->failure.permanent || world->failure.in_doubt);
}

/* --- what is not sent --- */

static void an_address_that_could_begin_another_command_is_refused(void **state)
{
    static const char *const bad[] = {"",      "a@x>\r\nRCPT TO:<b@x", "a@x\nb", "<a@x>",
                                      "a b@x", "a@x> SIZE=1",          "a\x7f@x"};
    struct smtp_world *world = *state;
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    for (size_t i = 0; i < COUNT(bad); i++) {
        deliver_to(world, bad[i], "owner@x", MESSAGE);
        expect_failure(world, "address", "MAIL");
        deliver_to(world, "exsyncd@x", bad[i], MESSAGE);
        expect_failure(world, "address", "RCPT");
        assert_true(world->failure.permanent);
        assert_int_equal(world->failure.category, FAILURE_CONFIGURATION);
    }
    assert_int_equal(fixture_server_connections(world->smtp.server), 0);
}

static void nothing_from_the_environment_decides_where_mail_goes(void **state)
{
    struct smtp_world *world = *state;
    static const char *const names[] = {"all_proxy", "ALL_PROXY", "smtp_proxy", "SMTP_PROXY"};
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    raise_server(world, (struct fixture_smtp){.stage = FIXTURE_SMTP_NOWHERE});
    deliver(world);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    expect_taken(world);
}

static void on_nothing(void *argument, const struct failure *failure)
{
    (void)argument, (void)failure;
    fail_msg("done was called");
}

static void stop_when_idle(void *argument)
{
    struct smtp_world *world = argument;
    if (executor_pool_pending(world->pool) == 0)
        executor_stop(world->executor);
    else
        executor_after(world->executor, &world->timer, 10, stop_when_idle, world);
}

static void a_delivery_that_is_cancelled_ends_soon_and_says_nothing(void **state)
{
    struct smtp_world *world = *state;
    for (size_t i = 0; i < COUNT(stages); i++) {
        if (stages[i].stage == FIXTURE_SMTP_STARTTLS || stages[i].stage == FIXTURE_SMTP_AUTH)
            continue;
        struct smtp_delivery *deliveries[3]; /* the pool has two threads: one does not begin */
        raise_server(world,
                     (struct fixture_smtp){.stage = stages[i].stage, .action = FIXTURE_SMTP_HANG});
        uint64_t begun = clock_monotonic_ms();
        for (size_t j = 0; j < COUNT(deliveries); j++)
            deliveries[j] = smtp_send(world->executor, world->pool, &world->settings, "a@x", "b@x",
                                      MESSAGE, on_nothing, NULL);
        executor_after(world->executor, &world->timer, 100, stop_when_idle, world);
        while (fixture_server_connections(world->smtp.server) < 2)
            ;
        for (size_t j = 0; j < COUNT(deliveries); j++)
            smtp_cancel(deliveries[j]);
        executor_run(world->executor);
        assert_true(clock_monotonic_ms() - begun < 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMTP_TEST(the_server_gets_the_message_and_both_addresses),
        SMTP_TEST(lines_that_begin_with_a_dot_arrive_as_they_are),
        SMTP_TEST(a_dot_at_the_border_of_two_blocks_arrives_as_it_is),
        SMTP_TEST(a_refusal_for_good_is_told_in_the_servers_words_at_every_stage),
        SMTP_TEST(a_refusal_for_now_may_pass_at_every_stage),
        SMTP_TEST(an_answer_of_several_lines_is_told_as_one),
        SMTP_TEST(an_endless_answer_is_cut),
        SMTP_TEST(a_slow_server_is_given_up_at_every_stage),
        SMTP_TEST(a_connection_that_is_closed_is_in_doubt_only_after_the_whole_message),
        SMTP_TEST(a_message_that_was_cut_off_is_not_in_doubt),
        SMTP_TEST(a_server_that_does_not_say_goodbye_has_taken_the_message),
        SMTP_TEST(a_server_that_is_down_is_told),
        SMTP_TEST(an_address_that_could_begin_another_command_is_refused),
        SMTP_TEST(nothing_from_the_environment_decides_where_mail_goes),
        SMTP_TEST(a_delivery_that_is_cancelled_ends_soon_and_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

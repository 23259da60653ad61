/* A scripted SMTP server and deliveries to it: the stage of the tests of smtp.h. */
#ifndef EXSYNC_TEST_NOTIFY_SMTP_WORLD_H
#define EXSYNC_TEST_NOTIFY_SMTP_WORLD_H

#include "base/clock.h"
#include "base/memory.h"
#include "fixture_smtp.h"
#include "notify/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE "From: a@x\r\nTo: b@x\r\nSubject: x\r\n\r\nText\r\n"

enum { LONG_MS = 60000, SHORT_MS = 300 };

struct smtp_world {
    struct executor *executor;
    struct executor_pool *pool;
    struct fixture_smtp smtp;
    struct smtp_settings settings;
    char url[64];
    bool done, failed;
    struct failure failure;
    uint64_t took_ms;
    struct executor_timer timer;
};

static inline int open_smtp_world(void **state)
{
    struct smtp_world *world = memory_allocate(sizeof *world);
    signal(SIGPIPE, SIG_IGN); /* for the server's threads */
    world->executor = executor_create();
    world->pool = executor_pool_create(world->executor, "notify", 2);
    *state = world;
    return 0;
}

static inline int close_smtp_world(void **state)
{
    struct smtp_world *world = *state;
    assert_true(executor_pool_free(world->pool, LONG_MS));
    executor_free(world->executor);
    fixture_smtp_stop(&world->smtp);
    fixture_smtp_release(&world->smtp);
    memory_free(world);
    return 0;
}

/* A server with this script, and settings that fit it. Called again, it replaces the server. */
static inline void raise_server(struct smtp_world *world, struct fixture_smtp script)
{
    bool tls = script.certificate.host != NULL;
    fixture_smtp_stop(&world->smtp);
    fixture_smtp_release(&world->smtp);
    world->smtp = script;
    fixture_smtp_start(&world->smtp);
    snprintf(world->url, sizeof world->url, "smtp%s://localhost:%u",
             tls && !script.certificate.later ? "s" : "",
             (unsigned)fixture_server_port(world->smtp.server));
    world->settings = (struct smtp_settings){
        .url = world->url,
        .starttls = script.certificate.later ? SMTP_STARTTLS_REQUIRED : SMTP_STARTTLS_NEVER,
        .tls_ca_file = tls ? fixture_server_certificate_file(world->smtp.server) : NULL,
        .tls_verify = true,
        .time_limit_ms = LONG_MS,
    };
}

static inline void on_delivered(void *argument, const struct failure *failure)
{
    struct smtp_world *world = argument;
    assert_false(world->done);
    world->done = true;
    world->failed = failure != NULL;
    if (failure != NULL)
        world->failure = *failure;
    executor_stop(world->executor);
}

static inline void deliver_to(struct smtp_world *world, const char *from, const char *to,
                              const char *message)
{
    uint64_t begun = clock_monotonic_ms();
    world->done = false;
    assert_non_null(smtp_send(world->executor, world->pool, &world->settings, from, to, message,
                              on_delivered, world));
    executor_run(world->executor);
    assert_true(world->done);
    world->took_ms = clock_monotonic_ms() - begun;
}

static inline void deliver(struct smtp_world *world)
{
    deliver_to(world, "exsyncd@x", "owner@x", MESSAGE);
}

/* What every failure has. */
static inline void expect_failure(const struct smtp_world *world, const char *code,
                                  const char *step)
{
    static const char end[] = "exsyncd tries again by itself.";
    assert_true(world->failed);
    assert_string_equal(world->failure.code, code);
    assert_string_equal(world->failure.step, step);
    assert_int_equal(world->failure.scope, FAILURE_SCOPE_PROFILE);
    assert_true(strlen(world->failure.sentence) > 0);
    size_t length = strlen(world->failure.remedy);
    assert_true(length > strlen(end));
    assert_string_equal(world->failure.remedy + length - strlen(end), end);
    assert_true(strlen(world->failure.text) > 0);
}

static inline void expect_taken(const struct smtp_world *world)
{
    if (world->failed)
        fail_msg("%s %s: %s (%s)", world->failure.step, world->failure.code, world->failure.text,
                 world->failure.sentence);
}

#define SMTP_TEST(name) cmocka_unit_test_setup_teardown(name, open_smtp_world, close_smtp_world)

#endif

#include "fixture_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void scene_prepare(struct scene *scene, fixture_handler *handler)
{
    memset(scene, 0, sizeof *scene);
    fixture_gate_init(&scene->gate);
    scene->server = fixture_server_start(handler, scene, NULL);
    scene->settings = fixture_settings(fixture_server_url(scene->server));
}

void scene_encrypt(struct scene *scene, fixture_handler *handler)
{
    static const struct fixture_certificate certificate = {.host = "127.0.0.1"};
    fixture_server_stop(scene->server);
    scene->server = fixture_server_start(handler, scene, &certificate);
    scene->settings.url = fixture_server_url(scene->server);
    scene->settings.tls_verify = false; /* its name is not what this is about */
}

void scene_raise(struct scene *scene)
{
    fixture_world_open(&scene->world, &scene->settings);
}

void scene_open(struct scene *scene, fixture_handler *handler)
{
    scene_prepare(scene, handler);
    scene_raise(scene);
}

void scene_close(struct scene *scene)
{
    fixture_gate_open(&scene->gate);
    fixture_world_close(&scene->world);
    if (scene->server != NULL)
        fixture_server_stop(scene->server);
    fixture_forget(&scene->exchange);
}

void scene_run(struct scene *scene, bool changes, size_t length)
{
    scene->exchange.request.changes = changes;
    fixture_start(&scene->world, &scene->exchange, length);
    fixture_run(&scene->world);
}

uint64_t scene_sum(size_t length)
{
    struct buffer body = {0};
    fixture_fill(&body, length);
    uint64_t sum = fixture_sum(buffer_string(&body), length);
    buffer_release(&body);
    return sum;
}

bool scene_take(struct fixture_connection *connection, struct scene *scene)
{
    struct fixture_request request;
    if (!fixture_receive(connection, &request))
        return false;
    scene->requests++;
    scene->sums[scene->bodies++] = request.body_sum;
    return true;
}

void scene_expect_lost(const struct scene *scene, const char *code)
{
    const struct failure *failure = &scene->exchange.response.failure;
    assert_string_equal(failure->code, code);
    assert_int_equal(failure->category, FAILURE_NETWORK);
    assert_int_equal(failure->scope, FAILURE_SCOPE_MAILBOX);
    assert_true(failure->divisible);
    assert_false(failure->permanent);
    assert_true(failure->sentence[0] != '\0');
    assert_true(failure->text[0] != '\0');
}

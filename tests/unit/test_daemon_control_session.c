/* A connection of control, with commands made up for it: what waits, what is given up, and that
 * nothing grows without bound. */
#include "base/memory.h"
#include "daemon/control_private.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

enum { FLOOD_ANSWERS = 5000, PATIENCE_TURNS = 2000 };

static struct control control;
static struct executor_timer pause_timer;
static char folder[64], path[96];
static int client = -1;
static struct buffer received;
static struct control_request *held[64];
static size_t held_count, gone_count, flood_sent, flood_most;

/* --- commands --- */

static void hold_gone(void *state)
{
    assert_ptr_equal(state, &held_count);
    gone_count++;
}

static void hold(struct control_request *request)
{
    control_keep(request, &held_count, hold_gone);
    held[held_count++] = request;
}

static void flood_on(struct control_request *request)
{
    while (flood_sent < FLOOD_ANSWERS && control_ready(request)) {
        control_reply(request, json_pack("{s:s,s:o}", "kind", "flood", "text",
                                         json_sprintf("%01000d", (int)flood_sent++)));
        size_t waiting = executor_socket_waiting(request->session->socket);
        flood_most = waiting > flood_most ? waiting : flood_most;
    }
    if (flood_sent < FLOOD_ANSWERS)
        control_on_ready(request, flood_on);
    else
        control_end(request);
}

static void reckless(struct control_request *request)
{
    hold(request);
    for (int i = 0; i < FLOOD_ANSWERS; i++)
        control_reply(request, json_pack("{s:o}", "text", json_sprintf("%01000d", i)));
}

static void untold(struct control_request *request)
{
    struct buffer text = {0};
    buffer_append_format(&text, "%0*d", CONTROL_ANSWER_LIMIT, 1);
    control_reply(request, json_pack("{s:s}", "text", buffer_string(&text)));
    control_reply(request, json_pack("{s:s}", "text", "\xff"));
    control_reply(request, json_pack("{s:s}", "text", "right"));
    buffer_release(&text);
    control_end(request);
}

static void echo(struct control_request *request)
{
    const char *text = control_text(request, "text");
    control_reply(request, json_pack("{s:s*,s:s*,s:b}", "text", text, "address",
                                     control_address(request, "text"), "flag",
                                     control_flag(request, "flag")));
    control_end(request);
}

static const struct control_command *find(const char *name)
{
    static const struct control_command commands[] = {
        {"hold", hold},     {"flood", flood_on}, {"reckless", reckless},
        {"untold", untold}, {"echo", echo},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* --- the world --- */

static void connected(void *argument, struct executor_socket *socket)
{
    control_session_open(argument, socket);
}

static void stop(void *argument)
{
    executor_stop(argument);
}

static void pass(uint64_t milliseconds)
{
    executor_after(control.executor, &pause_timer, milliseconds, stop, control.executor);
    executor_run(control.executor);
}

static void receive(void)
{
    char piece[65536];
    ssize_t length;
    while ((length = recv(client, piece, sizeof piece, MSG_DONTWAIT)) > 0)
        buffer_append(&received, piece, (size_t)length);
}

/* Reads until the text has come. */
static void until_received(const char *text)
{
    for (int turn = 0; strstr(buffer_string(&received), text) == NULL; turn++) {
        assert_true(turn < PATIENCE_TURNS);
        receive();
        pass(1);
    }
}

static void until_closed(void)
{
    for (int turn = 0; control.session_count > 0; turn++) {
        assert_true(turn < PATIENCE_TURNS);
        pass(1);
    }
}

static void say(const char *text)
{
    assert_int_equal(send(client, text, strlen(text), 0), strlen(text));
    pass(5);
}

static int begin(void **state)
{
    int error;
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(folder, sizeof folder, "/tmp/exsync-session-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/control.sock", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    control = (struct control){.executor = executor_create(),
                               .find = find,
                               .idle_ms = CONTROL_IDLE_MS,
                               .begun = true,
                               .group = (gid_t)-1};
    TAILQ_INIT(&control.sessions);
    control.listener =
        executor_listen(control.executor, path, (gid_t)-1, connected, &control, &error);
    assert_non_null(control.listener);
    held_count = gone_count = flood_sent = flood_most = 0;
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    until_received("\"control\":1}\n");
    return 0;
}

static int end(void **state)
{
    (void)state;
    control_stop(&control);
    if (client >= 0)
        close(client);
    executor_free(control.executor);
    buffer_release(&received);
    rmdir(folder);
    return 0;
}

/* --- what must hold --- */

static void arguments_are_what_they_are_or_nothing(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"echo\",\"text\":\"Ann\",\"flag\":true}\n");
    until_received("{\"text\":\"Ann\",\"address\":\"ann\",\"flag\":true,\"id\":1}\n"
                   "{\"id\":1,\"end\":true}\n");
    say("{\"id\":2,\"command\":\"echo\",\"text\":\"\",\"flag\":1}\n");
    until_received("{\"flag\":false,\"id\":2}\n");
    say("{\"id\":3,\"command\":\"echo\",\"text\":[\"Ann\"],\"flag\":\"true\"}\n");
    until_received("{\"flag\":false,\"id\":3}\n");
}

static void sixteen_requests_are_under_way_and_the_next_waits_for_an_end(void **state)
{
    (void)state;
    for (int id = 0; id < 20; id++) {
        char text[64];
        snprintf(text, sizeof text, "{\"id\":%d,\"command\":\"hold\"}\n", id);
        say(text);
    }
    assert_int_equal(held_count, CONTROL_REQUESTS);
    control_end(held[3]);
    control_fail(held[5], EX_NOUSER, "NoSuch", "there is none: %s", "two\nlines");
    until_received("{\"id\":3,\"end\":true}\n");
    until_received("\"message\":\"there is none: two lines\",\"exit\":67}}\n");
    pass(5);
    assert_int_equal(held_count, CONTROL_REQUESTS + 2);
    assert_int_equal(gone_count, 0);
}

static void what_is_under_way_is_gone_with_the_client(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n");
    control_end(held[0]);
    close(client);
    client = -1;
    until_closed();
    assert_int_equal(gone_count, 1);
}

static void half_a_close_gives_nothing_up(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"hold\"}\n");
    shutdown(client, SHUT_WR);
    pass(20);
    assert_int_equal(gone_count, 0);
    control_end(held[0]);
    until_received("{\"id\":1,\"end\":true}\n");
    until_closed();
}

static void a_stop_tells_who_waits(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"hold\"}\n");
    control_stop(&control);
    assert_int_equal(gone_count, 1);
    assert_int_equal(access(path, F_OK), -1);
    until_received("\"code\":\"Stopping\"");
}

static void a_long_list_waits_for_its_reader(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"flood\"}\n");
    pass(50);
    size_t before = flood_sent;
    assert_true(before > 0 && before < FLOOD_ANSWERS);
    pass(50);
    assert_int_equal(flood_sent, before);
    until_received("{\"id\":1,\"end\":true}\n");
    assert_int_equal(flood_sent, FLOOD_ANSWERS);
    assert_true(flood_most < CONTROL_ROOM + 2000);
}

static void who_leaves_too_much_unread_is_dropped_and_the_command_told(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"reckless\"}\n");
    until_closed();
    assert_int_equal(gone_count, 1);
}

static void answers_that_cannot_be_told_make_the_request_fail(void **state)
{
    (void)state;
    say("{\"id\":1,\"command\":\"untold\"}\n");
    until_received("{\"text\":\"right\",\"id\":1}\n");
    until_received("\"code\":\"Untold\",\"message\":\"2 of the answers");
}

static void a_connection_without_a_sign_of_life_is_closed(void **state)
{
    (void)state;
    control.idle_ms = 40;
    struct control_session *session = TAILQ_FIRST(&control.sessions);
    executor_after(control.executor, &session->tick, 0, session->tick.callback, session);
    say("{\"id\":1,\"command\":\"hold\"}\n");
    pass(150);
    assert_int_equal(control.session_count, 1); /* a request may take its time */
    control_end(held[0]);
    until_closed();
}

static void nothing_is_begun_before_the_configuration_is_there(void **state)
{
    (void)state;
    control.begun = false;
    say("{\"id\":1,\"command\":\"hold\"}\n");
    assert_int_equal(held_count, 0);
    control_begin(&control);
    pass(5);
    assert_int_equal(held_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void the_group_leaves_places_to_root_and_the_daemons_own_user(void **state)
{
    (void)state;
    struct control full = {.session_count = CONTROL_CONNECTIONS - CONTROL_RESERVED - 1};
    assert_true(control_has_place(&full, false));
    full.session_count++;
    assert_false(control_has_place(&full, false));
    assert_true(control_has_place(&full, true));
    full.session_count = CONTROL_CONNECTIONS;
    assert_false(control_has_place(&full, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_are_what_they_are_or_nothing),
        TEST(sixteen_requests_are_under_way_and_the_next_waits_for_an_end),
        TEST(what_is_under_way_is_gone_with_the_client),
        TEST(half_a_close_gives_nothing_up),
        TEST(a_stop_tells_who_waits),
        TEST(a_long_list_waits_for_its_reader),
        TEST(who_leaves_too_much_unread_is_dropped_and_the_command_told),
        TEST(answers_that_cannot_be_told_make_the_request_fail),
        TEST(a_connection_without_a_sign_of_life_is_closed),
        TEST(nothing_is_begun_before_the_configuration_is_there),
        TEST(the_group_leaves_places_to_root_and_the_daemons_own_user),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The tool's side of control, against a peer that says what the test wants. */
#include "base/memory.h"
#include "control/control_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING "{\"exsyncd\": \"1.2.3\", \"control\": 1}\n"

static char folder[64], path[96];
static int server = -1;
static struct control_problem problem;

static void listen_here(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server, 5), 0);
}

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/exsync-client-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/control.sock", folder);
    problem = (struct control_problem){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (server >= 0)
        close(server);
    server = -1;
    unlink(path);
    rmdir(folder);
    return 0;
}

/* --- a peer that says its piece and closes --- */

static void *speak(void *argument)
{
    const char *text = argument;
    char ignored[1024];
    int peer = accept(server, NULL, NULL);
    if (send(peer, text, strlen(text), MSG_NOSIGNAL) > 0) {
        shutdown(peer, SHUT_WR);
        while (recv(peer, ignored, sizeof ignored, 0) > 0)
            continue;
    }
    close(peer);
    return NULL;
}

static struct control_client *connect_to(const char *text, pthread_t *thread)
{
    listen_here();
    assert_int_equal(pthread_create(thread, NULL, speak, (void *)(uintptr_t)text), 0);
    return control_client_connect(path, &problem);
}

static void assert_refused(const char *text, int exit, const char *code)
{
    pthread_t thread;
    assert_null(connect_to(text, &thread));
    pthread_join(thread, NULL);
    assert_int_equal(problem.exit, exit);
    assert_string_equal(problem.code, code);
    assert_true(problem.text[0] != '\0');
}

/* --- connecting --- */

static void nobody_who_listens_is_a_daemon_that_does_not_run(void **state)
{
    (void)state;
    assert_null(control_client_connect(path, &problem));
    assert_string_equal(problem.code, "NotRunning");
    assert_int_equal(problem.exit, EX_UNAVAILABLE);
    assert_non_null(strstr(problem.text, path));
    listen_here();
    close(server);
    server = -1;
    assert_null(control_client_connect(path, &problem));
    assert_string_equal(problem.code, "NotRunning");
}

static void a_path_that_cannot_be_one_is_told(void **state)
{
    (void)state;
    char longer[300];
    memset(longer, '/', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(control_client_connect(longer, &problem));
    assert_int_equal(problem.exit, EX_USAGE);
}

static void an_error_line_is_told_as_it_is(void **state)
{
    (void)state;
    assert_refused("{\"end\":true,\"error\":{\"code\":\"NotAllowed\",\"message\":\"no \\u001b[2J\","
                   "\"exit\":77}}\n",
                   77, "NotAllowed");
    assert_string_equal(problem.text, "no  [2J");
}

static void another_protocol_is_told_with_the_version(void **state)
{
    (void)state;
    assert_refused("{\"exsyncd\":\"9.9\",\"control\":2}\n", EX_PROTOCOL, "OtherVersion");
    assert_non_null(strstr(problem.text, "exsyncd 9.9"));
}

static void another_program_is_told(void **state)
{
    (void)state;
    assert_refused("220 ready\n", EX_PROTOCOL, "BadAnswer");
}

static void an_object_that_greets_otherwise_is_told(void **state)
{
    (void)state;
    assert_refused("{\"control\":\"1\"}\n", EX_PROTOCOL, "BadAnswer");
}

static void a_daemon_that_closes_at_once_is_told(void **state)
{
    (void)state;
    assert_refused("", EX_TEMPFAIL, "ConnectionLost");
}

/* --- answers --- */

/* Asks and takes answers until the end; returns how many, the sum of their "n" in `*sum`. */
static enum control_next ask(const char *text, int *count, json_int_t *sum)
{
    pthread_t thread;
    json_t *answer;
    enum control_next next;
    struct control_client *client = connect_to(text, &thread);
    *count = 0;
    *sum = 0;
    assert_non_null(client);
    assert_string_equal(control_client_daemon_version(client), "1.2.3");
    assert_true(control_client_call(client, json_pack("{s:s}", "command", "x"), &problem));
    while ((next = control_client_next(client, 10000, &answer, &problem)) == CONTROL_ANSWER) {
        assert_null(json_object_get(answer, "id"));
        *sum += json_integer_value(json_object_get(answer, "n"));
        ++*count;
        json_decref(answer);
    }
    control_client_free(client);
    pthread_join(thread, NULL);
    return next;
}

static void answers_come_until_the_end_and_others_are_passed_over(void **state)
{
    (void)state;
    int count;
    json_int_t sum;
    assert_int_equal(ask(GREETING
                         "{\"id\":1,\"n\":2}\n\n{\"id\":7,\"n\":100}\n{\"n\":40,\"id\":1}\n"
                         "{\"id\":7,\"end\":true}\n{\"id\":1,\"end\":true}\n",
                         &count, &sum),
                     CONTROL_END);
    assert_int_equal(count, 2);
    assert_int_equal(sum, 42);
}

static void an_error_is_the_end(void **state)
{
    (void)state;
    int count;
    json_int_t sum;
    assert_int_equal(ask(GREETING "{\"id\":1,\"n\":2}\n{\"id\":1,\"end\":true,\"error\":{\"code\":"
                                  "\"NoSuchMailbox\",\"message\":\"there is none\",\"exit\":67}}\n",
                         &count, &sum),
                     CONTROL_FAILED);
    assert_int_equal(problem.exit, 67);
    assert_string_equal(problem.text, "there is none");
}

static void an_error_without_words_is_one_all_the_same(void **state)
{
    (void)state;
    int count;
    json_int_t sum;
    assert_int_equal(ask(GREETING "{\"end\":true,\"error\":{\"exit\":4000}}\n", &count, &sum),
                     CONTROL_FAILED);
    assert_int_equal(problem.exit, EX_SOFTWARE);
}

static void a_connection_that_is_lost_is_no_end(void **state)
{
    (void)state;
    int count;
    json_int_t sum;
    assert_int_equal(ask(GREETING "{\"id\":1,\"n\":2}\n{\"id\":1,\"en", &count, &sum),
                     CONTROL_FAILED);
    assert_string_equal(problem.code, "ConnectionLost");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_who_listens_is_a_daemon_that_does_not_run),
        TEST(a_path_that_cannot_be_one_is_told),
        TEST(an_error_line_is_told_as_it_is),
        TEST(another_protocol_is_told_with_the_version),
        TEST(another_program_is_told),
        TEST(an_object_that_greets_otherwise_is_told),
        TEST(a_daemon_that_closes_at_once_is_told),
        TEST(answers_come_until_the_end_and_others_are_passed_over),
        TEST(an_error_is_the_end),
        TEST(an_error_without_words_is_one_all_the_same),
        TEST(a_connection_that_is_lost_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

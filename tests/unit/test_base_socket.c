/* Local sockets on the loop: the file, the peer, and bytes both ways. */
#include "base/executor_socket.h"
#include "base/memory.h"

#include <errno.h>
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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 3 << 20 };

static struct executor *executor;
static struct executor_timer timer;
static struct executor_listener *listener;
static struct executor_socket *accepted;
static char folder[64], path[96];
static size_t got, sent_calls, ended_calls;
static bool was_gone;
static int client = -1;

static void received(void *argument, const char *bytes, size_t length)
{
    (void)argument, (void)bytes;
    assert_true(length > 0 && length <= EXECUTOR_SOCKET_PIECE);
    got += length;
}

static void ended(void *argument, bool gone)
{
    (void)argument;
    ended_calls++;
    was_gone = gone;
}

static void sent(void *argument)
{
    (void)argument;
    sent_calls++;
}

static void connected(void *argument, struct executor_socket *socket)
{
    static const struct executor_socket_events events = {received, ended, sent};
    assert_ptr_equal(argument, &got);
    accepted = socket;
    executor_socket_begin(socket, &events, NULL);
}

static void stop(void *argument)
{
    executor_stop(argument);
}

static void pass(uint64_t milliseconds)
{
    executor_after(executor, &timer, milliseconds, stop, executor);
    executor_run(executor);
}

static int listen_here(void)
{
    int error = 0;
    listener = executor_listen(executor, path, (gid_t)-1, connected, &got, &error);
    assert_true((listener == NULL) == (error != 0));
    return error;
}

static void connect_here(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    pass(5);
    assert_non_null(accepted);
}

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/exsync-socket-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    executor = executor_create();
    got = sent_calls = ended_calls = 0;
    accepted = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (accepted != NULL)
        executor_socket_close(accepted);
    executor_listener_close(listener);
    listener = NULL;
    if (client >= 0)
        close(client);
    client = -1;
    executor_free(executor);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static void the_file_is_for_nobody_else_and_goes(void **state)
{
    (void)state;
    struct stat file;
    assert_int_equal(listen_here(), 0);
    assert_int_equal(lstat(path, &file), 0);
    assert_true(S_ISSOCK(file.st_mode));
    assert_int_equal(file.st_mode & 07777, 0600);
    executor_listener_close(listener);
    listener = NULL;
    assert_int_equal(lstat(path, &file), -1);
}

static void a_group_may_be_given_it(void **state)
{
    (void)state;
    struct stat file;
    int error;
    listener = executor_listen(executor, path, getegid(), connected, &got, &error);
    assert_non_null(listener);
    assert_int_equal(lstat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0660);
    assert_int_equal(file.st_gid, getegid());
}

static void a_file_is_replaced_only_when_nobody_listens_behind_it(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 1), 0);
    assert_int_equal(listen_here(), EADDRINUSE);
    close(other);
    assert_int_equal(listen_here(), 0);
    connect_here();
}

static void a_file_that_is_no_socket_stays(void **state)
{
    (void)state;
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(listen_here(), EEXIST);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_path_is_not_cut(void **state)
{
    (void)state;
    char whole[sizeof path];
    memcpy(whole, path, sizeof path);
    char longer[300];
    int error = 0;
    snprintf(longer, sizeof longer, "%s/%0150d", folder, 1);
    assert_null(executor_listen(executor, longer, (gid_t)-1, connected, &got, &error));
    assert_int_equal(error, ENAMETOOLONG);
    snprintf(path, sizeof path, "%s/b/a", folder);
    assert_int_equal(listen_here(), ENOENT);
    memcpy(path, whole, sizeof path);
}

static void another_one_s_file_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(listen_here(), 0);
    unlink(path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    executor_listener_close(listener);
    listener = NULL;
    assert_int_equal(access(path, F_OK), 0);
}

static void the_kernel_says_who_it_is(void **state)
{
    (void)state;
    assert_int_equal(listen_here(), 0);
    connect_here();
    assert_true(executor_socket_is_user(accepted, geteuid()));
    assert_false(executor_socket_is_user(accepted, geteuid() + 1));
    assert_true(executor_socket_has_group(accepted, getegid()));
    assert_false(executor_socket_has_group(accepted, 4242424));
}

static void a_peer_that_is_slow_makes_bytes_wait_and_none_are_lost(void **state)
{
    (void)state;
    assert_int_equal(listen_here(), 0);
    connect_here();
    char *bytes = memory_allocate(MANY);
    executor_socket_write(accepted, bytes, MANY / 2);
    executor_socket_write(accepted, bytes, MANY / 2);
    pass(10);
    assert_true(executor_socket_waiting(accepted) > MANY / 2);
    size_t read = 0;
    for (int turn = 0; read < MANY && turn < 5000; turn++) {
        ssize_t length = recv(client, bytes, MANY, MSG_DONTWAIT);
        read += length > 0 ? (size_t)length : 0;
        pass(1);
    }
    assert_int_equal(read, MANY);
    assert_int_equal(executor_socket_waiting(accepted), 0);
    assert_true(sent_calls >= 1);
    memory_free(bytes);
}

static void what_is_not_read_stays_with_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(listen_here(), 0);
    connect_here();
    executor_socket_read(accepted, false);
    assert_int_equal(send(client, "abc", 3, 0), 3);
    pass(10);
    assert_int_equal(got, 0);
    executor_socket_read(accepted, true);
    pass(10);
    assert_int_equal(got, 3);
}

static void an_end_says_whether_anybody_reads(void **state)
{
    (void)state;
    assert_int_equal(listen_here(), 0);
    connect_here();
    shutdown(client, SHUT_WR);
    pass(10);
    assert_int_equal(ended_calls, 1);
    assert_false(was_gone);
    assert_false(executor_socket_is_gone(accepted));
    close(client);
    client = -1;
    assert_true(executor_socket_is_gone(accepted));
    executor_socket_write(accepted, "x", 1);
    pass(10);
    assert_int_equal(ended_calls, 2);
    assert_true(was_gone);
}

static void closing_sends_what_can_go_out(void **state)
{
    (void)state;
    char bytes[16];
    assert_int_equal(listen_here(), 0);
    connect_here();
    executor_socket_write(accepted, "good", 4);
    executor_socket_write(accepted, "bye", 3);
    executor_socket_close(accepted);
    accepted = NULL;
    pass(5);
    assert_int_equal(recv(client, bytes, sizeof bytes, 0), 7);
    assert_int_equal(recv(client, bytes, sizeof bytes, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_for_nobody_else_and_goes),
        TEST(a_group_may_be_given_it),
        TEST(a_file_is_replaced_only_when_nobody_listens_behind_it),
        TEST(a_file_that_is_no_socket_stays),
        TEST(a_path_is_not_cut),
        TEST(another_one_s_file_is_left_alone),
        TEST(the_kernel_says_who_it_is),
        TEST(a_peer_that_is_slow_makes_bytes_wait_and_none_are_lost),
        TEST(what_is_not_read_stays_with_the_kernel),
        TEST(an_end_says_whether_anybody_reads),
        TEST(closing_sends_what_can_go_out),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Programs that are given a notification: what comes of good ones, bad ones and stubborn ones. */
#define _GNU_SOURCE /* mkdtemp */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "notify/command.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 60000, SHORT_MS = 300, PATIENCE_MS = 20000 };

struct world {
    struct executor *executor;
    struct executor_pool *pool;
    char folder[64];
    size_t descriptors; /* that were open before */
    bool done, failed;
    struct failure failure;
    uint64_t took_ms;
    struct executor_timer timer;
};

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int open_world(void **state)
{
    struct world *world = memory_allocate(sizeof *world);
    world->executor = executor_create();
    world->pool = executor_pool_create(world->executor, "notify", 2);
    strcpy(world->folder, "/tmp/exsyncd-command-XXXXXX");
    *state = world;
    if (mkdtemp(world->folder) == NULL)
        return -1;
    world->descriptors = count_descriptors();
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    char command[128];
    assert_true(executor_pool_free(world->pool, PATIENCE_MS));
    assert_int_equal(count_descriptors(), world->descriptors);
    executor_free(world->executor);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie, and none that runs */
    assert_int_equal(errno, ECHILD);
    snprintf(command, sizeof command, "rm -rf %s", world->folder);
    assert_int_equal(system(command), 0);
    memory_free(world);
    return 0;
}

static void on_done(void *argument, const struct failure *failure)
{
    struct world *world = argument;
    assert_false(world->done);
    world->done = true;
    world->failed = failure != NULL;
    if (failure != NULL)
        world->failure = *failure;
    executor_stop(world->executor);
}

static void run(struct world *world, const char *const *argv, const char *input, uint64_t limit_ms)
{
    uint64_t begun = clock_monotonic_ms();
    world->done = false;
    assert_non_null(
        command_start(world->executor, world->pool, argv, input, limit_ms, on_done, world));
    executor_run(world->executor);
    assert_true(world->done);
    world->took_ms = clock_monotonic_ms() - begun;
}

/* A script; $DIR is the world's folder. */
static void run_script(struct world *world, const char *script, const char *input,
                       uint64_t limit_ms)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "DIR=%s; %s", world->folder, script);
    run(world, (const char *const[]){"/bin/sh", "-c", whole, NULL}, input, limit_ms);
}

static void expect_good(const struct world *world)
{
    if (world->failed)
        fail_msg("%s: %s (%s)", world->failure.code, world->failure.text, world->failure.sentence);
}

static void expect_failure(const struct world *world, const char *code, const char *text,
                           bool permanent)
{
    assert_true(world->failed);
    assert_string_equal(world->failure.code, code);
    assert_string_equal(world->failure.text, text);
    assert_int_equal(world->failure.permanent, permanent);
    assert_int_equal(world->failure.scope, FAILURE_SCOPE_PROFILE);
    assert_string_equal(world->failure.step, "command");
    assert_false(world->failure.in_doubt);
    const char *end = "exsyncd tries again by itself.";
    size_t length = strlen(world->failure.remedy);
    assert_true(length > strlen(end));
    assert_string_equal(world->failure.remedy + length - strlen(end), end);
}

static char *read_file(const struct world *world, const char *name)
{
    char path[128], block[4096];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        fail_msg("%s is not there", path);
    for (size_t count; (count = fread(block, 1, sizeof block, stream)) > 0;)
        buffer_append(&text, block, count);
    fclose(stream);
    buffer_append_string(&text, "");
    return buffer_take(&text);
}

/* Input that is larger than a pipe holds. */
static char *make_large(size_t length)
{
    char *text = memory_allocate(length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + (int)(i % 26));
    return text;
}

static void the_input_arrives_whole(void **state)
{
    struct world *world = *state;
    char *large = make_large(3000000);
    run_script(world, "exec cat >$DIR/input", large, LONG_MS);
    expect_good(world);
    char *arrived = read_file(world, "input");
    assert_true(strcmp(arrived, large) == 0);
    memory_free(arrived);
    run_script(world, "exec cat >$DIR/input", "", LONG_MS);
    expect_good(world);
    arrived = read_file(world, "input");
    assert_string_equal(arrived, "");
    memory_free(arrived);
    memory_free(large);
}

static void the_words_arrive_as_they_are(void **state)
{
    struct world *world = *state;
    run(world,
        (const char *const[]){"/bin/sh", "-c", "printf '%s|' \"$@\" >$0/words", world->folder,
                              "--team", "$HOME *", "a'b", NULL},
        "", LONG_MS);
    expect_good(world);
    char *words = read_file(world, "words");
    assert_string_equal(words, "--team|$HOME *|a'b|");
    memory_free(words);
}

static void a_program_that_fails_is_told_with_its_last_line(void **state)
{
    struct world *world = *state;
    run(world, (const char *const[]){"/bin/false", NULL}, "x", LONG_MS);
    expect_failure(world, "exit 1", "it wrote nothing to standard error", false);
    run_script(world, "echo first >&2; echo 'pager  down: \033[1mcode 7' >&2; echo >&2; exit 75",
               "x", LONG_MS);
    expect_failure(world, "exit 75", "pager  down:  [1mcode 7", false);
    run_script(world, "echo to nobody; printf 'no line end' >&2; exit 2", "x", LONG_MS);
    expect_failure(world, "exit 2", "no line end", false);
    run_script(world, "kill -SEGV $$", "x", LONG_MS);
    expect_failure(world, "SIGSEGV", "it wrote nothing to standard error", false);
}

static void a_program_that_cannot_be_executed_is_a_mistake_that_stays(void **state)
{
    struct world *world = *state;
    char path[128], text[256];
    run(world, (const char *const[]){"/nowhere/program", NULL}, "x", LONG_MS);
    expect_failure(world, "ENOENT", "/nowhere/program: No such file or directory", true);
    assert_int_equal(world->failure.category, FAILURE_CONFIGURATION);
    snprintf(path, sizeof path, "%s/script", world->folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(file, "true\n", 5), 5);
    close(file);
    run(world, (const char *const[]){path, NULL}, "x", LONG_MS);
    snprintf(text, sizeof text, "%s: Permission denied", path);
    expect_failure(world, "EACCES", text, true);
    assert_int_equal(chmod(path, 0755), 0);
    run(world, (const char *const[]){path, NULL}, "x", LONG_MS);
    snprintf(text, sizeof text, "%s: Exec format error", path);
    expect_failure(world, "ENOEXEC", text, true);
    run(world, (const char *const[]){world->folder, NULL}, "x", LONG_MS);
    snprintf(text, sizeof text, "%s: Permission denied", world->folder);
    expect_failure(world, "EACCES", text, true);
}

static void a_program_that_takes_too_long_is_ended(void **state)
{
    struct world *world = *state;
    run(world, (const char *const[]){"/bin/sleep", "3600", NULL}, "x", SHORT_MS);
    expect_failure(world, "time limit", "it wrote nothing to standard error", false);
    assert_in_range(world->took_ms, SHORT_MS, COMMAND_TERM_PATIENCE_MS);
    run_script(world, "echo waiting >&2; exec sleep 3600", "x", SHORT_MS);
    expect_failure(world, "time limit", "waiting", false);
}

/* It may not have told anybody. */
static void a_program_that_ends_well_when_it_is_told_to_has_failed(void **state)
{
    struct world *world = *state;
    run_script(world, "trap 'exit 0' TERM; while :; do sleep 0.1; done", "x", SHORT_MS);
    assert_true(world->failed);
    assert_string_equal(world->failure.code, "time limit");
}

static void a_program_that_does_not_listen_is_killed(void **state)
{
    struct world *world = *state;
    run_script(world, "trap '' TERM; echo $$ >$DIR/pid; while :; do sleep 0.1; done", "x",
               SHORT_MS);
    expect_failure(world, "time limit", "it wrote nothing to standard error", false);
    assert_true(world->took_ms >= COMMAND_TERM_PATIENCE_MS);
    char *pid = read_file(world, "pid");
    assert_int_equal(kill(atoi(pid), 0), -1);
    memory_free(pid);
}

/* A zombie that nobody of ours has to reap counts as ended, too. */
static bool is_running(pid_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return false;
    bool read = fgets(line, sizeof line, stream) != NULL;
    fclose(stream);
    return read && strstr(line, ") Z ") == NULL;
}

static void what_the_program_started_ends_with_it(void **state)
{
    struct world *world = *state;
    run_script(world, "(trap '' TERM; while :; do sleep 0.1; done) & echo $! >$DIR/pid; sleep 3600",
               "x", SHORT_MS);
    assert_true(world->failed);
    assert_string_equal(world->failure.code, "time limit");
    char *pid = read_file(world, "pid");
    for (int i = 0; i < 200 && is_running(atoi(pid)); i++)
        usleep(10000);
    assert_false(is_running(atoi(pid)));
    memory_free(pid);
}

static void a_program_need_not_read_its_input(void **state)
{
    struct world *world = *state;
    char *large = make_large(3000000);
    run(world, (const char *const[]){"/bin/true", NULL}, large, LONG_MS);
    expect_good(world);
    run_script(world, "exec <&-; sleep 0.2; exit 0", large, LONG_MS);
    expect_good(world);
    run(world, (const char *const[]){"/bin/sleep", "3600", NULL}, large, SHORT_MS);
    expect_failure(world, "time limit", "it wrote nothing to standard error", false);
    memory_free(large);
}

static void a_program_may_say_as_much_as_it_likes(void **state)
{
    struct world *world = *state;
    char *large = make_large(300000);
    run_script(world,
               "yes 'a line of nothing' | head -c 5000000 >&2; echo the last >&2; cat >&2;"
               "printf '\\nreally the last\\n' >&2; exit 4",
               large, LONG_MS);
    expect_failure(world, "exit 4", "really the last", false);
    memory_free(large);
}

static void what_the_program_leaves_behind_holds_nothing_up(void **state)
{
    struct world *world = *state;
    run_script(world, "sleep 5 & echo $! >$DIR/pid; exit 0", "x", LONG_MS);
    expect_good(world);
    assert_true(world->took_ms < 4000);
    char *pid = read_file(world, "pid");
    assert_true(is_running(atoi(pid)));
    kill(atoi(pid), SIGKILL);
    memory_free(pid);
    run_script(world, "yes >&2 & echo $! >$DIR/pid; exit 3", "x", LONG_MS);
    expect_failure(world, "exit 3", "y", false);
    pid = read_file(world, "pid");
    kill(atoi(pid), SIGKILL);
    memory_free(pid);
}

/* The thread that starts it blocks signals, main() ignores some, and other files are open. */
static void the_program_finds_a_clean_house(void **state)
{
    struct world *world = *state;
    int leak = dup(STDIN_FILENO); /* without close-on-exec */
    setenv("EXSYNCD_TEST_SECRET", "hunter2", 1);
    signal(SIGPIPE, SIG_IGN);
    run_script(world, "exec grep -E '^Sig(Blk|Ign)' /proc/self/status >$DIR/signals", "", LONG_MS);
    signal(SIGPIPE, SIG_DFL);
    expect_good(world);
    char *signals = read_file(world, "signals");
    /* glibc ignores two of its own. */
    if (strncmp(signals, "SigBlk:\t0000000000000000\nSigIgn:\t0000000", 40) != 0 ||
        strcmp(signals + 42, "0000000\n") != 0)
        fail_msg("%s", signals);
    memory_free(signals);
    run_script(world, "tr '\\0' '\\n' </proc/$$/environ | grep -v ^PATH= >&2; exit 1", "", LONG_MS);
    unsetenv("EXSYNCD_TEST_SECRET");
    expect_failure(world, "exit 1", "it wrote nothing to standard error", false);
    run_script(world, "test -e /proc/self/fd/4 || exec ls /proc/self/fd >$DIR/files", "", LONG_MS);
    close(leak);
    expect_good(world);
    char *files = read_file(world, "files");
    assert_string_equal(files, "0\n1\n2\n3\n"); /* the last is how ls reads the folder */
    memory_free(files);
    run_script(world,
               "echo $(readlink /proc/$$/fd/1; pwd; cut -d' ' -f5 /proc/$$/stat) $$ >&2;"
               "exit 1",
               "", LONG_MS);
    int group = 0, pid = 0;
    assert_int_equal(sscanf(world->failure.text, "/dev/null / %d %d", &group, &pid), 2);
    assert_int_equal(group, pid);
}

static void on_nothing(void *argument, const struct failure *failure)
{
    (void)argument, (void)failure;
    fail_msg("done was called");
}

static void stop(void *argument)
{
    struct world *world = argument;
    if (executor_pool_pending(world->pool) == 0)
        executor_stop(world->executor);
    else
        executor_after(world->executor, &world->timer, 10, stop, world);
}

static void a_run_that_is_cancelled_ends_and_says_nothing(void **state)
{
    struct world *world = *state;
    uint64_t begun = clock_monotonic_ms();
    const char *const argv[] = {"/bin/sleep", "3600", NULL};
    struct command_run *runs[4]; /* the pool has two threads: some have not begun */
    for (size_t i = 0; i < 4; i++)
        runs[i] =
            command_start(world->executor, world->pool, argv, "x", LONG_MS, on_nothing, world);
    executor_after(world->executor, &world->timer, SHORT_MS, stop, world);
    usleep(100000);
    for (size_t i = 0; i < 4; i++)
        command_cancel(runs[i]);
    executor_run(world->executor);
    assert_true(clock_monotonic_ms() - begun < 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_input_arrives_whole),
        TEST(the_words_arrive_as_they_are),
        TEST(a_program_that_fails_is_told_with_its_last_line),
        TEST(a_program_that_cannot_be_executed_is_a_mistake_that_stays),
        TEST(a_program_that_takes_too_long_is_ended),
        TEST(a_program_that_ends_well_when_it_is_told_to_has_failed),
        TEST(a_program_that_does_not_listen_is_killed),
        TEST(what_the_program_started_ends_with_it),
        TEST(a_program_need_not_read_its_input),
        TEST(a_program_may_say_as_much_as_it_likes),
        TEST(what_the_program_leaves_behind_holds_nothing_up),
        TEST(the_program_finds_a_clean_house),
        TEST(a_run_that_is_cancelled_ends_and_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

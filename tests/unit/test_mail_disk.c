/* Disks that really are full and folders that really are closed, each in a process of its own. */
#define _GNU_SOURCE
#include "mail_world.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CHILD_SKIPS = 77 };

/* Runs a test in a child, for what cannot be undone. A failed assertion ends it with another code
 * than 0. */
static void in_a_child(void (*test)(struct world *world))
{
    struct world world;
    world_create_folder(&world);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        test(&world);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    world_remove_tree(world.folder);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CHILD_SKIPS)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void deliver_to_a_small_disk(struct world *world)
{
    enum { COUNT = 20 };
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", world->folder, "tmpfs", 0, "size=1m,mode=0700") < 0)
        _exit(CHILD_SKIPS);
    world_start(world, 4, NULL);
    struct sink *sink = world_ready_sink(world);
    assert_string_equal(sink_mount(sink), world->folder);
    struct sink_message *messages[COUNT];
    struct failure failures[COUNT];
    char *bytes = memory_allocate(100000);
    for (size_t i = 0; i < COUNT; i++)
        messages[i] = world_message(world, sink, bytes, i == 0 ? 5 : 100000);
    world_sync(world, sink, messages, COUNT, failures);
    int good = 0;
    for (size_t i = 0; i < COUNT; i++) {
        good += !failure_is_set(&failures[i]);
        assert_true(failures[i].code[0] == '\0' || strcmp(failures[i].code, "ENOSPC") == 0);
    }
    assert_in_range(good, 5, 12);
    assert_int_equal(world_count(world, SINK_SPOOL), good + 1);
    for (size_t i = 0; i < COUNT; i++)
        sink_abandon(messages[i]);
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    struct sink_message *message = world_message(world, sink, bytes, 100000);
    world_deliver(world, sink, &message, 1);
    memory_free(bytes);
    sink_free(sink);
    world_stop(world);
}

static void a_full_disk_fails_what_does_not_fit_and_works_again_when_there_is_room(void **state)
{
    (void)state;
    in_a_child(deliver_to_a_small_disk);
}

static void deliver_with_a_file_size_limit(struct world *world)
{
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    world_start(world, 4, NULL);
    struct sink *sink = world_ready_sink(world);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char *bytes = memory_allocate(300000);
    struct sink_message *messages[] = {world_text(world, sink, "small"),
                                       world_message(world, sink, bytes, 300000)};
    struct failure failures[2];
    world_sync(world, sink, messages, 2, failures);
    assert_false(failure_is_set(&failures[0]));
    assert_string_equal(failures[1].code, "EFBIG");
    assert_int_equal(world_count(world, SINK_SPOOL), 2);
    memory_free(bytes);
    sink_free(sink);
    world_stop(world);
}

static void a_file_size_limit_fails_only_the_message_that_is_too_large(void **state)
{
    (void)state;
    in_a_child(deliver_with_a_file_size_limit);
}

static void deliver_without_permission(struct world *world)
{
    assert_int_equal(chmod(world->folder, 0555), 0);
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
        _exit(CHILD_SKIPS);
    world_start(world, 4, NULL);
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open_new(world, sink);
    char text[1024];
    snprintf(text, sizeof text,
             "create %s/example.com: Permission denied; the daemon's user must be able to write "
             "there",
             world->folder);
    assert_string_equal(opening.failure.code, "EACCES");
    assert_string_equal(opening.failure.text, text);
    sink_free(sink);
    world_stop(world);
}

static void a_folder_that_cannot_be_written_is_named_with_the_remedy(void **state)
{
    (void)state;
    in_a_child(deliver_without_permission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_fails_what_does_not_fit_and_works_again_when_there_is_room),
        cmocka_unit_test(a_file_size_limit_fails_only_the_message_that_is_too_large),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named_with_the_remedy),
    };
    return cmocka_run_group_tests_name("mail: real disks", tests, NULL, NULL);
}

/* Folders that are watched. */
#define _GNU_SOURCE
#include "base/executor.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, QUIET_MS = 60 };

struct world {
    char folder[256];
    char watched[300];
    struct executor *executor;
    struct executor_watch *watch;
    struct executor_timer timer;
    unsigned calls;
    bool free_at_once;
};

static void on_change(void *argument)
{
    struct world *world = argument;
    world->calls++;
    if (world->free_at_once) {
        executor_watch_free(world->watch);
        world->watch = NULL;
    }
    executor_stop(world->executor);
}

static int set_up(void **state)
{
    struct world *world = memory_allocate(sizeof *world);
    int error = 0;
    snprintf(world->folder, sizeof world->folder, "/tmp/exsync-watch-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->watched, sizeof world->watched, "%s/new", world->folder);
    assert_int_equal(mkdir(world->watched, 0700), 0);
    world->executor = executor_create();
    world->watch = executor_watch_create(world->executor, world->watched, on_change, world, &error);
    assert_int_equal(error, 0);
    assert_non_null(world->watch);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    char command[400];
    executor_watch_free(world->watch);
    executor_free(world->executor);
    snprintf(command, sizeof command, "rm -r '%s'", world->folder);
    assert_int_equal(system(command), 0);
    memory_free(world);
    return 0;
}

static void put(const struct world *world, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void move(const struct world *world, const char *from, const char *to)
{
    char old[600];
    char path[600];
    snprintf(old, sizeof old, "%s/%s", world->folder, from);
    snprintf(path, sizeof path, "%s/%s", world->folder, to);
    assert_int_equal(rename(old, path), 0);
}

static void stop(void *argument)
{
    struct world *world = argument;
    executor_stop(world->executor);
}

static void assert_told(struct world *world)
{
    unsigned before = world->calls;
    executor_after(world->executor, &world->timer, PATIENCE_MS, stop, world);
    executor_run(world->executor);
    executor_cancel_timer(world->executor, &world->timer);
    assert_int_equal(world->calls, before + 1);
}

static void assert_quiet(struct world *world)
{
    unsigned before = world->calls;
    executor_after(world->executor, &world->timer, QUIET_MS, stop, world);
    executor_run(world->executor);
    assert_int_equal(world->calls, before);
}

static void a_file_that_is_renamed_into_the_folder_is_told(void **state)
{
    struct world *world = *state;
    put(world, "draft");
    assert_quiet(world);
    move(world, "draft", "new/message");
    assert_told(world);
    assert_quiet(world);
    put(world, "draft");
    move(world, "draft", "new/message"); /* over the other one */
    assert_told(world);
}

static void a_file_that_is_made_in_the_folder_is_told(void **state)
{
    struct world *world = *state;
    put(world, "new/message");
    assert_told(world);
}

static void a_file_that_is_written_to_is_not_told(void **state)
{
    struct world *world = *state;
    put(world, "new/message");
    assert_told(world);
    assert_quiet(world);
    put(world, "new/message");
    assert_quiet(world);
}

static void many_changes_at_once_are_few_calls(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "new/%u", i);
        put(world, name);
    }
    assert_told(world);
    assert_quiet(world);
}

static void a_watch_that_is_freed_tells_nothing_more(void **state)
{
    struct world *world = *state;
    put(world, "new/message");
    executor_watch_free(world->watch);
    world->watch = NULL;
    assert_quiet(world);
}

static void free_watch(void *argument)
{
    struct world *world = argument;
    executor_watch_free(world->watch);
    world->watch = NULL;
}

/* The kernel tells of the file in this turn of the loop; the timer is due before the next. */
static void make_file_and_free_watch(void *argument)
{
    struct world *world = argument;
    executor_after(world->executor, &world->timer, 1, free_watch, world);
    put(world, "new/message");
    usleep(5000);
}

static void a_watch_may_be_freed_when_its_call_is_due(void **state)
{
    struct world *world = *state;
    struct executor_timer first = {0};
    struct executor_timer end = {0};
    executor_after(world->executor, &first, 0, make_file_and_free_watch, world);
    executor_after(world->executor, &end, QUIET_MS, stop, world);
    executor_run(world->executor);
    assert_null(world->watch);
    assert_int_equal(world->calls, 0);
}

static void a_watch_may_be_freed_in_its_callback(void **state)
{
    struct world *world = *state;
    world->free_at_once = true;
    put(world, "new/message");
    assert_told(world);
    put(world, "new/other");
    assert_quiet(world);
}

static void a_folder_that_is_not_there_is_not_watched(void **state)
{
    struct world *world = *state;
    int error = 0;
    char path[600];
    snprintf(path, sizeof path, "%s/none", world->folder);
    assert_null(executor_watch_create(world->executor, path, on_change, world, &error));
    assert_int_equal(error, ENOENT);
    assert_quiet(world);
}

static void nobody_needs_to_be_watching(void **state)
{
    (void)state;
    executor_watch_free(NULL);
}

#define watching(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        watching(a_file_that_is_renamed_into_the_folder_is_told),
        watching(a_file_that_is_made_in_the_folder_is_told),
        watching(a_file_that_is_written_to_is_not_told),
        watching(many_changes_at_once_are_few_calls),
        watching(a_watch_that_is_freed_tells_nothing_more),
        watching(a_watch_may_be_freed_when_its_call_is_due),
        watching(a_watch_may_be_freed_in_its_callback),
        watching(a_folder_that_is_not_there_is_not_watched),
        cmocka_unit_test(nobody_needs_to_be_watching),
    };
    return cmocka_run_group_tests_name("base: watched folders", tests, NULL, NULL);
}

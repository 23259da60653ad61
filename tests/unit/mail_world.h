/* For the sink's tests: a loop, file threads, a folder that goes away, and a look at what lies in
 * it. */
#ifndef EXSYNC_TESTS_MAIL_WORLD_H
#define EXSYNC_TESTS_MAIL_WORLD_H

#include "base/executor.h"
#include "base/memory.h"
#include "mail/sink_private.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define INSTANCE "0123456789abcdef0123456789abcdef"

struct world {
    char folder[256];
    char path[512]; /* the Maildir that sinks are made for */
    struct executor *executor;
    struct executor_pool *pool;
    struct sinks *sinks;
    struct executor_timer patience;
};

static inline void world_impatient(void *argument)
{
    (void)argument;
    fail_msg("the loop waits for something that never comes");
}

/* Runs the loop until something calls executor_stop. */
static inline void world_run(struct world *world)
{
    executor_after(world->executor, &world->patience, 60000, world_impatient, NULL);
    executor_run(world->executor);
    executor_cancel_timer(world->executor, &world->patience);
}

static inline void world_start(struct world *world, size_t threads, const char *mounts)
{
    world->executor = executor_create();
    world->pool = executor_pool_create(world->executor, "files", threads);
    world->sinks = mounts == NULL
                       ? sinks_create(world->executor, world->pool, INSTANCE)
                       : sinks_create_with_mounts(world->executor, world->pool, INSTANCE, mounts);
}

/* As a process ends: sinks were freed before. */
static inline void world_stop(struct world *world)
{
    assert_true(executor_pool_free(world->pool, 10000));
    sinks_free(world->sinks);
    executor_free(world->executor);
}

static inline void world_create_folder(struct world *world)
{
    const char *temporary = getenv("TMPDIR");
    *world = (struct world){0};
    snprintf(world->folder, sizeof world->folder, "%s/exsync-mail-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/example.com/user", world->folder);
}

static inline struct world *world_create(void)
{
    struct world *world = memory_allocate(sizeof *world);
    world_create_folder(world);
    world_start(world, 4, NULL);
    return world;
}

static inline int world_remove_entry(const char *path, const struct stat *status, int type,
                                     struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void world_remove_tree(const char *path)
{
    nftw(path, world_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void world_free(struct world *world)
{
    world_stop(world);
    world_remove_tree(world->folder);
    memory_free(world);
}

static inline int world_set_up(void **state)
{
    *state = world_create();
    return 0;
}

static inline int world_tear_down(void **state)
{
    world_free(*state);
    return 0;
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

/* --- jobs that are waited for --- */

static inline void world_drained(void *argument)
{
    struct world *world = argument;
    if (executor_pool_pending(world->pool) == 0)
        executor_stop(world->executor);
    else
        executor_after(world->executor, &world->patience, 1, world_drained, world);
}

/* Runs the loop until no job is left. */
static inline void world_drain(struct world *world)
{
    executor_after(world->executor, &world->patience, 0, world_drained, world);
    executor_run(world->executor);
}

static inline struct sink *world_sink(struct world *world)
{
    struct sink_settings settings = {.path = world->path, .root = world->folder, .mode = 0600};
    return sink_create(world->sinks, &settings);
}

static inline void world_opened(struct sink_opening *opening)
{
    executor_stop(opening->argument);
}

static inline struct sink_opening world_open(struct world *world, struct sink *sink,
                                             bool may_create, const char *const *names,
                                             size_t count)
{
    struct sink_opening opening = {.may_create = may_create,
                                   .names = names,
                                   .name_count = count,
                                   .done = world_opened,
                                   .argument = world->executor};
    sink_open_start(sink, &opening);
    world_run(world);
    return opening;
}

static inline struct sink_opening world_open_new(struct world *world, struct sink *sink)
{
    return world_open(world, sink, true, NULL, 0);
}

/* A sink whose Maildir is set up. */
static inline struct sink *world_ready_sink(struct world *world)
{
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, true, NULL, 0);
    assert_string_equal(opening.failure.text, "");
    assert_false(failure_is_set(&opening.failure));
    assert_true(opening.created);
    return sink;
}

static inline void world_batch_done(struct sink_batch *batch)
{
    executor_stop(batch->argument);
}

static inline void world_sync(struct world *world, struct sink *sink,
                              struct sink_message **messages, size_t count,
                              struct failure *failures)
{
    struct sink_batch batch = {messages, count, failures, world_batch_done, world->executor};
    sink_sync_start(sink, &batch);
    world_run(world);
}

static inline void world_publish(struct world *world, struct sink *sink,
                                 struct sink_message **messages, size_t count,
                                 struct failure *failures)
{
    struct sink_batch batch = {messages, count, failures, world_batch_done, world->executor};
    sink_publish_start(sink, &batch);
    world_run(world);
}

static inline void world_deliver(struct world *world, struct sink *sink,
                                 struct sink_message **messages, size_t count)
{
    struct failure *failures = memory_allocate_array(count, sizeof *failures);
    world_sync(world, sink, messages, count, failures);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(failures[i].text, "");
    world_publish(world, sink, messages, count, failures);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(failures[i].text, "");
    memory_free(failures);
}

static inline void world_ready(void *argument)
{
    executor_stop(argument);
}

/* Writes a whole message, waiting whenever the sink is not ready. */
static inline struct sink_message *world_message(struct world *world, struct sink *sink,
                                                 const char *bytes, size_t length)
{
    struct sink_message *message = sink_begin(sink, NULL, world_ready, world->executor);
    while (length > 0) {
        size_t chunk = length < SINK_CHUNK_MAX ? length : SINK_CHUNK_MAX;
        if (!sink_ready(message))
            world_run(world);
        assert_true(sink_ready(message));
        sink_write(message, bytes, chunk);
        bytes += chunk;
        length -= chunk;
    }
    sink_end(message);
    return message;
}

static inline struct sink_message *world_text(struct world *world, struct sink *sink,
                                              const char *text)
{
    return world_message(world, sink, text, strlen(text));
}

/* --- what lies there --- */

/* Entries of PATH/BELOW that are not "." and ".."; -1 when there is no such folder. */
static inline int world_count(const struct world *world, const char *below)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", world->path, below);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    int count = -2;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* The content of PATH/BELOW/NAME, NULL when there is none; memory_free. */
static inline char *world_read(const struct world *world, const char *below, const char *name,
                               size_t *length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", world->path, below, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = memory_allocate(size + 1);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    if (length != NULL)
        *length = size;
    return bytes;
}

static inline void world_put(const struct world *world, const char *below, const char *name,
                             const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", world->path, below, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline bool world_has(const struct world *world, const char *below, const char *name)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s/%s", world->path, below, name);
    return lstat(path, &status) == 0;
}

#endif

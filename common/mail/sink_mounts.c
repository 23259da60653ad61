#include "mail/sink_private.h"

#include "base/clock.h"
#include "base/memory.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The list of mounts is read anew when the kernel says that it changed, and at the latest after so
 * many milliseconds; never by the loop. Until it is read the old one serves: a lane chosen by an
 * old list costs nothing but a share of another file system's jobs. */
enum { MOUNTS_AGE_MS = 60000 };

void sinks_mounts_start(struct sinks *sinks, const char *mounts_file)
{
    sinks->mounts_file = memory_copy_string(mounts_file);
    SLIST_INIT(&sinks->aliases);
    sinks->mounts_watch = open(mounts_file, O_RDONLY | O_CLOEXEC);
    sinks->mounts = mounts_read(mounts_file);
    sinks->mounts_read_ms = clock_monotonic_ms();
}

static void alias_remove(struct sinks *sinks, struct sinks_alias *alias)
{
    SLIST_REMOVE(&sinks->aliases, alias, sinks_alias, entries);
    memory_free(alias->root);
    memory_free(alias->mount);
    memory_free(alias);
}

void sinks_mounts_end(struct sinks *sinks)
{
    if (sinks->mounts_watch >= 0)
        close(sinks->mounts_watch);
    while (!SLIST_EMPTY(&sinks->aliases))
        alias_remove(sinks, SLIST_FIRST(&sinks->aliases));
    mounts_free(sinks->mounts);
    mounts_free(sinks->mounts_fresh);
    memory_free(sinks->mounts_file);
}

/* --- reading anew --- */

static void mounts_work(void *argument)
{
    struct sinks *sinks = argument;
    sinks->mounts_fresh = mounts_read(sinks->mounts_file);
}

static void mounts_done(void *argument)
{
    struct sinks *sinks = argument;
    sinks->mounts_reading = false;
    if (sinks->mounts_fresh == NULL)
        return;
    mounts_free(sinks->mounts);
    sinks->mounts = sinks->mounts_fresh;
    sinks->mounts_fresh = NULL;
}

static bool mounts_changed(const struct sinks *sinks)
{
    struct pollfd watch = {.fd = sinks->mounts_watch, .events = POLLPRI};
    return poll(&watch, 1, 0) > 0 && (watch.revents & (POLLPRI | POLLERR)) != 0;
}

static void mounts_refresh(struct sinks *sinks)
{
    uint64_t now = clock_monotonic_ms();
    if (sinks->mounts_reading ||
        (!mounts_changed(sinks) && now - sinks->mounts_read_ms < MOUNTS_AGE_MS))
        return;
    sinks->mounts_reading = true;
    sinks->mounts_read_ms = now;
    executor_pool_submit(sinks->pool, NULL, &sinks->mounts_job, mounts_work, mounts_done, sinks);
}

/* --- places --- */

static const char *mount_by_name(const struct sinks *sinks, const char *path)
{
    return sinks->mounts != NULL ? mounts_find(sinks->mounts, path) : "/";
}

static struct sinks_alias *alias_find(const struct sinks *sinks, const char *root)
{
    struct sinks_alias *alias;
    SLIST_FOREACH(alias, &sinks->aliases, entries)
    {
        if (strcmp(alias->root, root) == 0)
            return alias;
    }
    return NULL;
}

static void sink_move(struct sink *sink, const char *mount)
{
    if (sink->mount != NULL && strcmp(sink->mount, mount) == 0)
        return;
    memory_free(sink->mount);
    sink->mount = memory_copy_string(mount);
    sink->lane = executor_pool_lane(sink->sinks->pool, sink->mount, SINK_LANE_JOBS);
}

void sink_mounts_place(struct sink *sink)
{
    mounts_refresh(sink->sinks);
    const char *mount = mount_by_name(sink->sinks, sink->path);
    const struct sinks_alias *alias = alias_find(sink->sinks, sink->root);
    if (alias != NULL && strcmp(mount, mount_by_name(sink->sinks, sink->root)) == 0)
        mount = alias->mount;
    sink_move(sink, mount);
}

static void root_learn(struct sinks *sinks, const char *root, const char *mount)
{
    struct sinks_alias *alias = alias_find(sinks, root);
    if (alias != NULL)
        alias_remove(sinks, alias);
    if (strcmp(mount, mount_by_name(sinks, root)) == 0)
        return;
    alias = memory_allocate(sizeof *alias);
    alias->root = memory_copy_string(root);
    alias->mount = memory_copy_string(mount);
    SLIST_INSERT_HEAD(&sinks->aliases, alias, entries);
}

void sink_mounts_learn(struct sink *sink, uint64_t root_mount, uint64_t mount)
{
    struct sinks *sinks = sink->sinks;
    if (sinks->mounts == NULL)
        return;
    const char *root_point = mounts_find_id(sinks->mounts, root_mount);
    const char *point = mounts_find_id(sinks->mounts, mount);
    if (root_point != NULL)
        root_learn(sinks, sink->root, root_point);
    if (point != NULL)
        sink_move(sink, point);
}

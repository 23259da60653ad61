#include "mail/sink_private.h"

#include "base/memory.h"
#include "mail/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_PATIENCE_MS = 500, /* a sweep of someone else takes a moment */
    LOCK_PAUSE_MS = 20,
};

struct open_work {
    struct sink_work work;
    struct sink_opening *opening; /* the caller's; NULL when the sink was freed */
    bool may_create;
    char **names;  /* as they will be in new/ */
    char **spools; /* as they are in the spool; sorted when the sweep begins */
    size_t count;
    uint64_t root_mount; /* 0: unknown */
    uint64_t mount;
    struct failure failure; /* results, see struct sink_opening */
    size_t published;
    size_t swept;
    bool created;
};

/* --- the lock --- */

/* Whoever publishes and sweeps holds the marker: two at once would take each other's files for
 * leftovers. Returns the marker, or -1. */
static int marker_lock(struct open_work *open, struct sink *sink)
{
    int marker = openat(sink->folders.spool, SINK_MARKER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (marker < 0) {
        open->failure = errno == ENOENT
                            ? sink_failure_marker(sink, open->count)
                            : sink_failure(sink, errno, "open", SINK_SPOOL "/" SINK_MARKER);
        return -1;
    }
    int result = flock(marker, LOCK_EX | LOCK_NB);
    for (int waited = 0; result < 0 && errno == EWOULDBLOCK && waited < LOCK_PATIENCE_MS;
         waited += LOCK_PAUSE_MS) {
        struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
        result = flock(marker, LOCK_EX | LOCK_NB);
    }
    if (result < 0) {
        bool held = errno == EWOULDBLOCK;
        open->failure = sink_failure(sink, errno, "lock", SINK_SPOOL "/" SINK_MARKER);
        if (held)
            file_failure_add(&open->failure, "another process works on this Maildir");
        close(marker);
        marker = -1;
    }
    return marker;
}

/* --- publishing --- */

/* A file that is not in the spool was published before. That says something only as long as new/
 * is there, too: in a folder that was removed nothing is found either. */
static bool publish_name(struct open_work *open, struct sink *sink, size_t i)
{
    const struct sink_folders *folders = &sink->folders;
    if (renameat(folders->spool, open->spools[i], folders->fresh, open->names[i]) == 0) {
        open->published++;
        return true;
    }
    int error = errno;
    struct stat status;
    if (error == ENOENT &&
        fstatat(folders->spool, open->spools[i], &status, AT_SYMLINK_NOFOLLOW) < 0 &&
        errno == ENOENT)
        return true;
    open->failure = sink_failure_file(sink, error, "publish", "new", open->names[i]);
    return false;
}

/* new/ is synced even when nothing was renamed: the one who did may have been killed before. */
static bool publish_names(struct open_work *open, struct sink *sink)
{
    bool published = true;
    for (size_t i = 0; published && i < open->count; i++)
        published = publish_name(open, sink, i);
    if (open->count > 0 && fsync(sink->folders.fresh) < 0 && published) {
        open->failure = sink_failure(sink, errno, "sync", "new");
        published = false;
    }
    return published;
}

/* --- sweeping --- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_leftover(const struct open_work *open, const struct sink *sink, DIR *spool,
                        const struct dirent *entry)
{
    const char *name = entry->d_name;
    if (!maildir_name_is_ours(name, sink->sinks->instance, &sink->owner) ||
        name[maildir_name_spool_length(name)] != '\0')
        return false;
    if (bsearch(&name, open->spools, open->count, sizeof *open->spools, compare_names) != NULL)
        return false;
    struct stat status;
    return fstatat(dirfd(spool), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode);
}

static bool sweep_entry(struct open_work *open, struct sink *sink, DIR *spool, const char *name)
{
    if (unlinkat(dirfd(spool), name, 0) == 0) {
        open->swept++;
    } else if (errno != ENOENT) {
        open->failure = sink_failure_file(sink, errno, "remove", SINK_SPOOL, name);
        return false;
    }
    return true;
}

static bool sweep(struct open_work *open, struct sink *sink)
{
    int fd = openat(sink->folders.spool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *spool = fd >= 0 ? fdopendir(fd) : NULL;
    if (spool == NULL) {
        open->failure = sink_failure(sink, errno, "read", SINK_SPOOL);
        if (fd >= 0)
            close(fd);
        return false;
    }
    qsort(open->spools, open->count, sizeof *open->spools, compare_names);
    bool swept = true;
    errno = 0;
    for (struct dirent *entry = readdir(spool); swept && entry != NULL; entry = readdir(spool)) {
        if (is_leftover(open, sink, spool, entry))
            swept = sweep_entry(open, sink, spool, entry->d_name);
        errno = 0;
    }
    if (swept && errno != 0) {
        open->failure = sink_failure(sink, errno, "read", SINK_SPOOL);
        swept = false;
    }
    closedir(spool);
    return swept;
}

/* --- the job --- */

static bool names_are_ours(struct open_work *open, const struct sink *sink)
{
    for (size_t i = 0; i < open->count; i++) {
        if (maildir_name_is_ours(open->names[i], sink->sinks->instance, NULL))
            continue;
        open->failure = (struct failure){
            .category = FAILURE_STORAGE,
            .scope = FAILURE_SCOPE_MAILBOX,
            .permanent = true,
            .sentence = "The state names a mail file that this installation did not make.",
            .remedy = "Restore the state directory that belongs to this installation.",
        };
        failure_set_step(&open->failure, "deliver");
        failure_set_code(&open->failure, "ForeignName");
        failure_format_text(&open->failure, "recover the Maildir %s: the name '%s' is not ours",
                            sink->path, open->names[i]);
        return false;
    }
    return true;
}

/* Where there are names there was a marker: to create one now would hide that it is gone. */
static bool open_folders(struct open_work *open, struct sink *sink)
{
    if (open->may_create && open->count == 0) {
        if (!sink_folders_create(sink, &open->failure))
            return false;
    } else {
        sink_folders_restore(sink);
    }
    if (!sink_folders_use(sink, &open->failure))
        return false;
    open->created = open->may_create;
    return true;
}

static void open_work(void *argument)
{
    struct open_work *open = argument;
    struct sink *sink = open->work.sink;
    if (!names_are_ours(open, sink) || !open_folders(open, sink))
        return;
    open->root_mount = sink_folders_mount(AT_FDCWD, sink->root);
    open->mount = sink_folders_mount(sink->folders.spool, "");
    int marker = marker_lock(open, sink);
    if (marker < 0)
        return;
    if (publish_names(open, sink))
        sweep(open, sink);
    close(marker); /* unlocks */
}

/* --- on the loop --- */

static void names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memory_free(names[i]);
    memory_free(names);
}

static void open_release(struct sink_work *work)
{
    struct open_work *open = (struct open_work *)(void *)work;
    names_free(open->names, open->count);
    names_free(open->spools, open->count);
    memory_free(open);
}

static void open_detach(struct sink_work *work)
{
    struct open_work *open = (struct open_work *)(void *)work;
    open->opening = NULL;
}

static void open_done(void *argument)
{
    struct open_work *open = argument;
    struct sink *sink = open->work.sink;
    struct sink_opening *opening = open->opening;
    TAILQ_REMOVE(&sink->works, &open->work, entries);
    sink_mounts_learn(sink, open->root_mount, open->mount);
    if (opening != NULL) {
        opening->failure = open->failure;
        opening->published = open->published;
        opening->swept = open->swept;
        opening->created = open->created;
    }
    open_release(&open->work);
    if (opening != NULL)
        opening->done(opening);
    sink_job_over(sink);
}

void sink_open_start(struct sink *sink, struct sink_opening *opening)
{
    assert(!sink->freed && TAILQ_EMPTY(&sink->messages));
    struct open_work *open = memory_allocate(sizeof *open);
    open->work.sink = sink;
    open->work.release = open_release;
    open->work.detach = open_detach;
    open->opening = opening;
    open->may_create = opening->may_create;
    open->count = opening->name_count;
    open->names = memory_allocate_array(open->count, sizeof *open->names);
    open->spools = memory_allocate_array(open->count, sizeof *open->spools);
    for (size_t i = 0; i < open->count; i++) {
        const char *name = opening->names[i];
        open->names[i] = memory_copy_string(name);
        open->spools[i] = memory_copy_bytes(name, maildir_name_spool_length(name));
    }
    TAILQ_INSERT_TAIL(&sink->works, &open->work, entries);
    sink_submit(sink, &open->work.job, open_work, open_done, open);
}

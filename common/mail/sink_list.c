#include "mail/sink_private.h"

#include "base/memory.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* new/ first: what a consumer moves to cur/ meanwhile is found there. */
static const char *const folders[] = {"new", "cur"};
enum { FOLDERS = sizeof folders / sizeof *folders };

/* Lives from the first page to the last; among the sink's works while a job is at it. */
struct sink_list_work {
    struct sink_work work;
    struct sink_listing *listing; /* the caller's; NULL when the sink was freed */
    int64_t since_s;
    uint64_t above;
    size_t folder; /* the one that is read; FOLDERS: all were */
    DIR *opened;   /* NULL before its first entry */
    struct failure failure;
    struct maildir_name files[SINK_LIST_MAX];
    size_t count;
};

/* --- the job --- */

static bool list_open(struct sink_list_work *list, const struct sink *sink)
{
    const char *name = folders[list->folder];
    char path[] = "../new";
    memcpy(path + 3, name, 3);
    int fd = openat(sink->folders.spool, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    list->opened = fd >= 0 ? fdopendir(fd) : NULL;
    if (list->opened != NULL)
        return true;
    list->failure = sink_failure(sink, errno, "read", name);
    if (fd >= 0)
        close(fd);
    return false;
}

static bool is_wanted(const struct sink_list_work *list, const struct sink *sink,
                      const struct maildir_name *file)
{
    return file->seconds >= list->since_s &&
           (file->owner == sink->owner || (list->above != 0 && file->owner > list->above));
}

/* False at the folder's end, and with a failure. */
static bool list_entry(struct sink_list_work *list, const struct sink *sink)
{
    struct maildir_name *file = &list->files[list->count];
    errno = 0;
    const struct dirent *entry = readdir(list->opened);
    if (entry == NULL) {
        if (errno != 0)
            list->failure = sink_failure(sink, errno, "read", folders[list->folder]);
        return false;
    }
    if (maildir_name_read(entry->d_name, sink->sinks->instance, file) &&
        is_wanted(list, sink, file))
        list->count++;
    return true;
}

static void list_close(struct sink_list_work *list)
{
    if (list->opened != NULL)
        closedir(list->opened);
    list->opened = NULL;
}

static void list_job(void *argument)
{
    struct sink_list_work *list = argument;
    struct sink *sink = list->work.sink;
    list->count = 0;
    if (!sink_folders_use(sink, &list->failure))
        return;
    for (size_t read = 0;
         list->folder < FOLDERS && list->count < SINK_LIST_MAX && read < SINK_LIST_READ_MAX;
         read++) {
        if (list->opened == NULL && !list_open(list, sink))
            return;
        if (list_entry(list, sink))
            continue;
        list_close(list);
        if (failure_is_set(&list->failure))
            return;
        list->folder++;
    }
}

/* --- on the loop --- */

/* A folder is still open only when nobody waits for the rest. */
static void list_release(struct sink_work *work)
{
    struct sink_list_work *list = (struct sink_list_work *)(void *)work;
    list_close(list);
    memory_free(list);
}

static void list_detach(struct sink_work *work)
{
    struct sink_list_work *list = (struct sink_list_work *)(void *)work;
    list->listing->work = NULL;
    list->listing = NULL;
}

static void list_done(void *argument)
{
    struct sink_list_work *list = argument;
    struct sink *sink = list->work.sink;
    struct sink_listing *listing = list->listing;
    TAILQ_REMOVE(&sink->works, &list->work, entries);
    if (listing != NULL) {
        listing->failure = list->failure;
        listing->count = failure_is_set(&list->failure) ? 0 : list->count;
        listing->more = !failure_is_set(&list->failure) && list->folder < FOLDERS;
        memcpy(listing->files, list->files, listing->count * sizeof *listing->files);
    }
    if (listing == NULL || !listing->more) {
        if (listing != NULL)
            listing->work = NULL;
        list_release(&list->work);
    }
    if (listing != NULL)
        listing->done(listing);
    sink_job_over(sink);
}

void sink_list_start(struct sink *sink, struct sink_listing *listing)
{
    assert(!sink->freed);
    struct sink_list_work *list = listing->work;
    if (list == NULL) {
        list = listing->work = memory_allocate(sizeof *list);
        list->work.sink = sink;
        list->work.release = list_release;
        list->work.detach = list_detach;
        list->listing = listing;
        list->since_s = listing->since_ms / 1000;
        list->above = listing->above;
    }
    TAILQ_INSERT_TAIL(&sink->works, &list->work, entries);
    sink_submit(sink, &list->work.job, list_job, list_done, list);
}

void sink_list_end(struct sink_listing *listing)
{
    if (listing->work != NULL)
        list_release(&listing->work->work);
    listing->work = NULL;
}

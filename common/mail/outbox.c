#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char step[] = "submit";

/* --- the outbox --- */

struct outbox *outbox_create(struct executor *executor, struct executor_pool *pool,
                             const char *directory)
{
    struct buffer watched = {0};
    struct outbox *outbox = memory_allocate(sizeof *outbox);
    outbox->executor = executor;
    outbox->pool = pool;
    outbox->lane = executor_pool_lane(pool, "outbox", OUTBOX_LANE_JOBS);
    outbox->directory = memory_copy_string(directory);
    buffer_append_format(&watched, "%s/" OUTBOX_NEW, directory);
    outbox->watched = buffer_take(&watched);
    LIST_INIT(&outbox->works);
    TAILQ_INIT(&outbox->gathered);
    outbox_submitters_init(&outbox->submitters);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox == NULL)
        return;
    executor_cancel_call(outbox->executor, &outbox->gathering);
    while (!LIST_EMPTY(&outbox->works)) {
        struct outbox_work *work = LIST_FIRST(&outbox->works);
        LIST_REMOVE(work, entries);
        work->release(work);
    }
    outbox_oldest_release(&outbox->backlog);
    outbox_submitters_release(&outbox->submitters);
    memory_free(outbox->directory);
    memory_free(outbox->watched);
    memory_free(outbox);
}

size_t outbox_pending(const struct outbox *outbox)
{
    return outbox != NULL ? outbox->pending : 0;
}

const char *outbox_directory(const struct outbox *outbox)
{
    return outbox->directory;
}

const char *outbox_watched(const struct outbox *outbox)
{
    return outbox->watched;
}

/* --- work --- */

/* The outbox may be freed in `finish`. */
void outbox_work_over(struct outbox_work *work)
{
    LIST_REMOVE(work, entries);
    work->outbox->pending--;
    work->finish(work);
}

static void work_done(void *argument)
{
    outbox_work_over(argument);
}

static void work_enter(struct outbox *outbox, struct outbox_work *work)
{
    work->outbox = outbox;
    outbox->pending++;
    LIST_INSERT_HEAD(&outbox->works, work, entries);
}

void outbox_work_start(struct outbox *outbox, struct outbox_work *work, void (*job)(void *argument))
{
    work_enter(outbox, work);
    executor_pool_submit(outbox->pool, outbox->lane, &work->job, job, work_done, work);
}

void outbox_work_gather(struct outbox *outbox, struct outbox_work *work, outbox_station *station)
{
    work_enter(outbox, work);
    work->station = station;
    TAILQ_INSERT_TAIL(&outbox->gathered, work, files);
    executor_defer(outbox->executor, &outbox->gathering, outbox_batches_start, outbox);
}

const struct failure *outbox_work_failure(const struct outbox_work *work)
{
    return failure_is_set(&work->failure) ? &work->failure : NULL;
}

void outbox_work_free(struct outbox_work *work)
{
    memory_free(work);
}

static void tell_done(struct outbox_work *work)
{
    if (work->done != NULL)
        work->done(work->argument, outbox_work_failure(work));
    work->release(work);
}

static void simple_set(struct outbox_work *work, const char *id, outbox_done *done, void *argument)
{
    snprintf(work->id, sizeof work->id, "%s", id);
    work->finish = tell_done;
    work->release = outbox_work_free;
    work->done = done;
    work->argument = argument;
}

void outbox_simple_start(struct outbox *outbox, struct outbox_work *work, const char *id,
                         void (*job)(void *argument), outbox_done *done, void *argument)
{
    simple_set(work, id, done, argument);
    outbox_work_start(outbox, work, job);
}

void outbox_simple_gather(struct outbox *outbox, const char *id, outbox_station *station,
                          outbox_done *done, void *argument)
{
    struct outbox_work *work = memory_allocate(sizeof *work);
    simple_set(work, id, done, argument);
    outbox_work_gather(outbox, work, station);
}

/* --- in jobs --- */

struct failure outbox_failure(const struct outbox *outbox, int error, const char *verb,
                              const char *folder, const char *name)
{
    const struct file_place place = {FAILURE_SCOPE_SERVER, step, outbox->directory};
    return file_failure(&place, error, verb, folder, name);
}

struct failure outbox_item_failure(const char *problem)
{
    struct failure failure = {
        .category = FAILURE_ITEM,
        .scope = FAILURE_SCOPE_ITEM,
        .permanent = true,
        .sentence = problem,
        .remedy = "Correct the message, which is in the outbox's folder failed, and submit it "
                  "again.",
    };
    failure_set_step(&failure, step);
    failure_set_code(&failure, "MessageRefused");
    failure_set_text(&failure, problem, strlen(problem));
    return failure;
}

int outbox_folder(const struct outbox *outbox, const char *folder, struct failure *failure)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s", outbox->directory, folder);
    int fd = open(path.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        *failure = outbox_failure(outbox, errno, "open", folder, NULL);
    buffer_release(&path);
    return fd;
}

bool outbox_folder_sync(const struct outbox *outbox, int fd, const char *folder,
                        struct failure *failure)
{
    if (fsync(fd) == 0)
        return true;
    *failure = outbox_failure(outbox, errno, "sync", folder, NULL);
    return false;
}

void outbox_name(char name[OUTBOX_NAME_SIZE], const char *id, const char *suffix)
{
    snprintf(name, OUTBOX_NAME_SIZE, "%s%s", id, suffix);
}

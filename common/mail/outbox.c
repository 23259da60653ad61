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
    (void)executor;
    struct buffer watched = {0};
    struct outbox *outbox = memory_allocate(sizeof *outbox);
    outbox->pool = pool;
    outbox->lane = executor_pool_lane(pool, "outbox", OUTBOX_LANE_JOBS);
    outbox->directory = memory_copy_string(directory);
    buffer_append_format(&watched, "%s/" OUTBOX_NEW, directory);
    outbox->watched = buffer_take(&watched);
    LIST_INIT(&outbox->works);
    outbox_submitters_init(&outbox->submitters);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox == NULL)
        return;
    while (!LIST_EMPTY(&outbox->works)) {
        struct outbox_work *work = LIST_FIRST(&outbox->works);
        LIST_REMOVE(work, entries);
        work->release(work);
    }
    outbox_submitters_release(&outbox->submitters);
    memory_free(outbox->directory);
    memory_free(outbox->watched);
    memory_free(outbox);
}

size_t outbox_pending(const struct outbox *outbox)
{
    return outbox->pending;
}

const char *outbox_watched(const struct outbox *outbox)
{
    return outbox->watched;
}

/* --- work --- */

/* The outbox may be freed in `finish`. */
static void work_over(void *argument)
{
    struct outbox_work *work = argument;
    LIST_REMOVE(work, entries);
    work->outbox->pending--;
    work->finish(work);
}

void outbox_work_start(struct outbox *outbox, struct outbox_work *work, void (*job)(void *argument))
{
    work->outbox = outbox;
    outbox->pending++;
    LIST_INSERT_HEAD(&outbox->works, work, entries);
    executor_pool_submit(outbox->pool, outbox->lane, &work->job, job, work_over, work);
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

void outbox_simple_start(struct outbox *outbox, struct outbox_work *work, const char *id,
                         void (*job)(void *argument), outbox_done *done, void *argument)
{
    snprintf(work->id, sizeof work->id, "%s", id);
    work->finish = tell_done;
    work->release = outbox_work_free;
    work->done = done;
    work->argument = argument;
    outbox_work_start(outbox, work, job);
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

bool outbox_unlink(const struct outbox *outbox, const char *folder, const char *name,
                   struct failure *failure)
{
    int fd = outbox_folder(outbox, folder, failure);
    if (fd < 0)
        return false;
    bool removed = unlinkat(fd, name, 0) == 0 || errno == ENOENT;
    if (!removed)
        *failure = outbox_failure(outbox, errno, "remove", folder, name);
    close(fd);
    return removed;
}

/* --- settle, remove ---
 *
 * Neither waits for the disk: a file that is back after a power failure is settled or removed once
 * more. */

/* From one folder to another under the same name; a file that is not there is fine. */
static void move_job(struct outbox_work *work, const char *from, const char *to, bool sync)
{
    const struct outbox *outbox = work->outbox;
    int source = outbox_folder(outbox, from, &work->failure);
    int target = source >= 0 ? outbox_folder(outbox, to, &work->failure) : -1;
    if (target >= 0) {
        if (renameat(source, work->id, target, work->id) < 0 && errno != ENOENT)
            work->failure = outbox_failure(outbox, errno, "move", from, work->id);
        else if (sync && outbox_folder_sync(outbox, target, to, &work->failure))
            outbox_folder_sync(outbox, source, from, &work->failure);
        close(target);
    }
    if (source >= 0)
        close(source);
}

/* On a disk that has no room for its name in another folder it is not kept. */
static void settle_job(void *argument)
{
    struct outbox_work *work = argument;
    move_job(work, OUTBOX_INTAKE, OUTBOX_KEPT, false);
    if (strcmp(work->failure.code, "ENOSPC") != 0 && strcmp(work->failure.code, "EDQUOT") != 0)
        return;
    work->failure = (struct failure){0};
    outbox_unlink(work->outbox, OUTBOX_INTAKE, work->id, &work->failure);
}

void outbox_settle(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    outbox_simple_start(outbox, memory_allocate(sizeof(struct outbox_work)), id, settle_job, done,
                        argument);
}

static void remove_job(void *argument)
{
    struct outbox_work *work = argument;
    char name[OUTBOX_NAME_SIZE];
    outbox_name(name, work->id, ".eml");
    /* From where settle takes it first: it may be at work, or come later. */
    if (outbox_unlink(work->outbox, OUTBOX_QUEUE, name, &work->failure) &&
        outbox_unlink(work->outbox, OUTBOX_INTAKE, work->id, &work->failure))
        outbox_unlink(work->outbox, OUTBOX_KEPT, work->id, &work->failure);
}

void outbox_remove(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    outbox_simple_start(outbox, memory_allocate(sizeof(struct outbox_work)), id, remove_job, done,
                        argument);
}

/* --- take back --- */

static void take_back_job(void *argument)
{
    move_job(argument, OUTBOX_KEPT, OUTBOX_INTAKE, true);
}

void outbox_take_back(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    outbox_simple_start(outbox, memory_allocate(sizeof(struct outbox_work)), id, take_back_job,
                        done, argument);
}

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
static bool move(const struct outbox *outbox, int source, const char *from, int target,
                 const char *id, struct failure *failure)
{
    if (renameat(source, id, target, id) == 0 || errno == ENOENT)
        return true;
    *failure = outbox_failure(outbox, errno, "move", from, id);
    return false;
}

static void move_to_kept(struct outbox_work *work)
{
    const struct outbox *outbox = work->outbox;
    int intake = outbox_folder(outbox, OUTBOX_INTAKE, &work->failure);
    int kept = intake >= 0 ? outbox_folder(outbox, OUTBOX_KEPT, &work->failure) : -1;
    if (kept >= 0) {
        move(outbox, intake, OUTBOX_INTAKE, kept, work->id, &work->failure);
        close(kept);
    }
    if (intake >= 0)
        close(intake);
}

/* On a disk that has no room for its name in another folder it is not kept. */
static void settle_job(void *argument)
{
    struct outbox_work *work = argument;
    move_to_kept(work);
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

struct back_work {
    struct outbox_work work;
    const char *const *ids; /* the caller's */
    size_t count;
    int kept, intake, failed; /* folders; -1: there is none */
};

/* It was refused, which a kill has interrupted. */
static bool was_refused(const struct back_work *back, const char *id)
{
    char name[OUTBOX_NAME_SIZE];
    struct stat status;
    outbox_name(name, id, ".eml");
    return back->failed >= 0 && fstatat(back->failed, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static void take_back(struct back_work *back, const char *id)
{
    const struct outbox *outbox = back->work.outbox;
    struct failure *failure = &back->work.failure;
    if (!was_refused(back, id))
        move(outbox, back->kept, OUTBOX_KEPT, back->intake, id, failure);
    else if (unlinkat(back->kept, id, 0) < 0 && errno != ENOENT)
        *failure = outbox_failure(outbox, errno, "remove", OUTBOX_KEPT, id);
}

static void take_back_all(struct back_work *back)
{
    const struct outbox *outbox = back->work.outbox;
    struct failure failure = {0};
    for (size_t i = 0; i < back->count; i++)
        take_back(back, back->ids[i]);
    bool synced = outbox_folder_sync(outbox, back->intake, OUTBOX_INTAKE, &failure) &&
                  outbox_folder_sync(outbox, back->kept, OUTBOX_KEPT, &failure);
    if (!synced)
        back->work.failure = failure;
}

static void take_back_job(void *argument)
{
    struct back_work *back = argument;
    const struct outbox *outbox = back->work.outbox;
    struct failure *failure = &back->work.failure, no_failed = {0};
    back->kept = outbox_folder(outbox, OUTBOX_KEPT, failure);
    back->intake = outbox_folder(outbox, OUTBOX_INTAKE, failure);
    back->failed = outbox_folder(outbox, OUTBOX_FAILED, &no_failed);
    if (back->failed < 0 && strcmp(no_failed.code, "ENOENT") != 0)
        *failure = no_failed;
    if (!failure_is_set(failure))
        take_back_all(back);
    const int folders[] = {back->kept, back->intake, back->failed};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i] >= 0)
            close(folders[i]);
    }
}

void outbox_take_back(struct outbox *outbox, const char *const *ids, size_t count,
                      outbox_done *done, void *argument)
{
    struct back_work *back = memory_allocate(sizeof *back);
    back->ids = ids;
    back->count = count;
    outbox_simple_start(outbox, &back->work, "", take_back_job, done, argument);
}

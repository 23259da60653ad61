#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <unistd.h>

struct refuse_work {
    struct outbox_work work;
    const char *reason;
};

/* The folders that it is about. */
struct refusal {
    const struct outbox *outbox;
    int intake;
    int kept;
    int queue;
    int failed;
    const char *id;
    char message[OUTBOX_NAME_SIZE];
    struct failure *failure;
};

static bool refused(struct refusal *refusal, const char *verb, const char *folder, const char *name)
{
    *refusal->failure = outbox_failure(refusal->outbox, errno, verb, folder, name);
    return false;
}

/* Written anew when a crash has left one: it may not be whole. */
static bool write_reason(struct refusal *refusal, const char *reason)
{
    char name[OUTBOX_NAME_SIZE];
    outbox_name(name, refusal->id, ".reason");
    int fd =
        openat(refusal->failed, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return refused(refusal, "create", OUTBOX_FAILED, name);
    bool written = file_write(fd, reason, strlen(reason)) && file_write(fd, "\n", 1);
    int error = errno;
    bool synced = file_sync_and_close(&fd);
    if (!written)
        errno = error;
    return (written && synced) || refused(refusal, "write", OUTBOX_FAILED, name);
}

/* A program that does not sync what it submits is to find it in failed/ all the same. What cannot
 * be opened cannot be synced. */
static bool sync_file(int folder, const char *name)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
        return true;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 || file_sync_and_close(&fd);
}

/* *moved stays as it is when there is no such file. */
static bool move(struct refusal *refusal, int from, const char *folder, const char *name,
                 bool *moved)
{
    if (!sync_file(from, name))
        return refused(refusal, "sync", folder, name);
    if (renameat(from, name, refusal->failed, refusal->message) == 0)
        *moved = true;
    else if (errno != ENOENT)
        return refused(refusal, "refuse", folder, name);
    return true;
}

/* What was submitted is what a person gets, when it is still there, and not its copy, which has
 * neither its Bcc nor, perhaps, its From. It may be there since before a crash. */
static bool move_message(struct refusal *refusal)
{
    struct stat status;
    bool moved = fstatat(refusal->failed, refusal->message, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!moved && errno != ENOENT)
        return refused(refusal, "find", OUTBOX_FAILED, refusal->message);
    if (!moved && !move(refusal, refusal->intake, OUTBOX_INTAKE, refusal->id, &moved))
        return false;
    if (!moved && !move(refusal, refusal->kept, OUTBOX_KEPT, refusal->id, &moved))
        return false;
    if (!moved && !move(refusal, refusal->queue, OUTBOX_QUEUE, refusal->message, &moved))
        return false;
    if (moved)
        return true;
    errno = ENOENT;
    refused(refusal, "find", OUTBOX_FAILED, refusal->message);
    refusal->failure->gone = true;
    return false;
}

/* It lies in failed/, on disk; from intake/ each scan would bring it again. */
static bool remove_others(struct refusal *refusal)
{
    if (unlinkat(refusal->intake, refusal->id, 0) < 0 && errno != ENOENT)
        return refused(refusal, "remove", OUTBOX_INTAKE, refusal->id);
    if (unlinkat(refusal->queue, refusal->message, 0) < 0 && errno != ENOENT)
        return refused(refusal, "remove", OUTBOX_QUEUE, refusal->message);
    if (unlinkat(refusal->kept, refusal->id, 0) < 0 && errno != ENOENT)
        return refused(refusal, "remove", OUTBOX_KEPT, refusal->id);
    return true;
}

/* The reason comes first: a message in failed/ always has one. */
static void refuse(struct refusal *refusal, const char *reason)
{
    const struct outbox *outbox = refusal->outbox;
    if (write_reason(refusal, reason) && move_message(refusal) &&
        outbox_folder_sync(outbox, refusal->failed, OUTBOX_FAILED, refusal->failure) &&
        outbox_folder_sync(outbox, refusal->intake, OUTBOX_INTAKE, refusal->failure) &&
        remove_others(refusal)) /* a start removes what is back in kept/ */
        outbox_folder_sync(outbox, refusal->queue, OUTBOX_QUEUE, refusal->failure);
}

static void refuse_job(void *argument)
{
    struct refuse_work *work = argument;
    const struct outbox *outbox = work->work.outbox;
    struct failure *failure = &work->work.failure;
    struct refusal refusal = {.outbox = outbox,
                              .intake = outbox_folder(outbox, OUTBOX_INTAKE, failure),
                              .kept = outbox_folder(outbox, OUTBOX_KEPT, failure),
                              .queue = outbox_folder(outbox, OUTBOX_QUEUE, failure),
                              .failed = outbox_folder(outbox, OUTBOX_FAILED, failure),
                              .id = work->work.id,
                              .failure = failure};
    outbox_name(refusal.message, refusal.id, ".eml");
    if (!failure_is_set(failure))
        refuse(&refusal, work->reason);
    const int folders[] = {refusal.intake, refusal.kept, refusal.queue, refusal.failed};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (folders[i] >= 0)
            close(folders[i]);
    }
}

void outbox_refuse(struct outbox *outbox, const char *id, const char *reason, outbox_done *done,
                   void *argument)
{
    struct refuse_work *work = memory_allocate(sizeof *work);
    work->reason = reason;
    outbox_simple_start(outbox, &work->work, id, refuse_job, done, argument);
}

/* --- a person is done with it --- */

static bool discard_file(struct outbox_work *work, int folder, const char *suffix)
{
    char name[OUTBOX_NAME_SIZE];
    outbox_name(name, work->id, suffix);
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return true;
    work->failure = outbox_failure(work->outbox, errno, "remove", OUTBOX_FAILED, name);
    return false;
}

/* The reason goes last: a message in failed/ always has one. */
static void discard_job(void *argument)
{
    struct outbox_work *work = argument;
    int folder = outbox_folder(work->outbox, OUTBOX_FAILED, &work->failure);
    if (folder < 0)
        return;
    if (discard_file(work, folder, ".eml") && discard_file(work, folder, ".reason"))
        outbox_folder_sync(work->outbox, folder, OUTBOX_FAILED, &work->failure);
    close(folder);
}

void outbox_discard(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    struct outbox_work *work = memory_allocate(sizeof *work);
    outbox_simple_start(outbox, work, id, discard_job, done, argument);
}

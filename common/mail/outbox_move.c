/* What is settled or sent: files that go from folder to folder, or away. */
#include "mail/outbox_private.h"

#include <errno.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <unistd.h>

/* A file that is not there is fine. */
static void remove_file(struct outbox_batch *batch, struct outbox_work *work, const char *folder,
                        const char *name)
{
    if (failure_is_set(&work->failure))
        return;
    int fd = outbox_batch_folder(batch, folder, &work->failure);
    if (fd >= 0 && unlinkat(fd, name, 0) < 0 && errno != ENOENT)
        work->failure = outbox_failure(work->outbox, errno, "remove", folder, name);
}

/* From one folder to another under the same name; a file that is not there is fine. */
static void move_file(struct outbox_batch *batch, struct outbox_work *work, const char *from,
                      const char *to)
{
    int source = outbox_batch_folder(batch, from, &work->failure);
    int target = source >= 0 ? outbox_batch_folder(batch, to, &work->failure) : -1;
    if (target >= 0 && renameat(source, work->id, target, work->id) < 0 && errno != ENOENT)
        work->failure = outbox_failure(work->outbox, errno, "move", from, work->id);
}

/* --- settle, remove ---
 *
 * Neither waits for the disk: a file that is back after a power failure is settled or removed once
 * more. */

/* On a disk that has no room for its name in another folder it is not kept. */
static void settle_file(struct outbox_batch *batch, struct outbox_work *work)
{
    move_file(batch, work, OUTBOX_INTAKE, OUTBOX_KEPT);
    if (strcmp(work->failure.code, "ENOSPC") != 0 && strcmp(work->failure.code, "EDQUOT") != 0)
        return;
    work->failure = (struct failure){0};
    remove_file(batch, work, OUTBOX_INTAKE, work->id);
}

static void settle_files(struct outbox_batch *batch)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    settle_file(batch, work);
}

void outbox_settle(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    outbox_simple_gather(outbox, id, settle_files, done, argument);
}

/* From where settle takes it first: it may be at work, or come later. */
static void remove_files(struct outbox_batch *batch)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    {
        char name[OUTBOX_NAME_SIZE];
        outbox_name(name, work->id, ".eml");
        remove_file(batch, work, OUTBOX_QUEUE, name);
        remove_file(batch, work, OUTBOX_INTAKE, work->id);
        remove_file(batch, work, OUTBOX_KEPT, work->id);
    }
}

void outbox_remove(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    outbox_simple_gather(outbox, id, remove_files, done, argument);
}

/* Files that share a job. */
#include "mail/outbox_private.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* --- in jobs --- */

int outbox_batch_folder(struct outbox_batch *batch, const char *folder, struct failure *failure)
{
    for (size_t i = 0; i < batch->folder_count; i++) {
        if (strcmp(batch->folders[i].name, folder) == 0)
            return batch->folders[i].fd;
    }
    assert(batch->folder_count < OUTBOX_BATCH_FOLDERS);
    int fd = outbox_folder(batch->work.outbox, folder, failure);
    if (fd >= 0) {
        batch->folders[batch->folder_count].name = folder;
        batch->folders[batch->folder_count++].fd = fd;
    }
    return fd;
}

void outbox_batch_close(struct outbox_batch *batch)
{
    while (batch->folder_count > 0)
        close(batch->folders[--batch->folder_count].fd);
    memory_free(batch->raw);
    batch->raw = NULL;
    buffer_release(&batch->text);
}

static void batch_job(void *argument)
{
    struct outbox_batch *batch = argument;
    batch->station(batch);
    outbox_batch_close(batch);
}

/* --- on the loop --- */

/* The outbox may be freed when the last one is over. */
static void batch_over(struct outbox_work *job)
{
    struct outbox_batch *batch = (struct outbox_batch *)job;
    struct outbox_files files = TAILQ_HEAD_INITIALIZER(files);
    TAILQ_CONCAT(&files, &batch->files, files);
    memory_free(batch);
    struct outbox_work *work;
    while ((work = TAILQ_FIRST(&files)) != NULL) {
        TAILQ_REMOVE(&files, work, files);
        outbox_work_over(work);
    }
}

/* Takes what was gathered for the station of the first one, in its order. */
static void batch_fill(struct outbox_batch *batch, struct outbox_files *gathered)
{
    size_t count = 0;
    struct outbox_work *work, *next;
    batch->station = TAILQ_FIRST(gathered)->station;
    for (work = TAILQ_FIRST(gathered); work != NULL && count < OUTBOX_BATCH_FILES; work = next) {
        next = TAILQ_NEXT(work, files);
        if (work->station != batch->station)
            continue;
        TAILQ_REMOVE(gathered, work, files);
        TAILQ_INSERT_TAIL(&batch->files, work, files);
        count++;
    }
}

void outbox_batches_start(void *argument)
{
    struct outbox *outbox = argument;
    while (!TAILQ_EMPTY(&outbox->gathered)) {
        struct outbox_batch *batch = memory_allocate(sizeof *batch);
        TAILQ_INIT(&batch->files);
        batch_fill(batch, &outbox->gathered);
        batch->work.finish = batch_over;
        batch->work.release = outbox_work_free; /* its files are works of their own */
        outbox_work_start(outbox, &batch->work, batch_job);
    }
}

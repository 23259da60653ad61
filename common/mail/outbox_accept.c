#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* queue/ID.eml while it is written. */
struct copy {
    char name[OUTBOX_NAME_SIZE];
    int fd;    /* -1: not open */
    bool made; /* it is there */
    uint64_t size;
};

struct accept_work {
    struct outbox_work work;
    const struct outbox_edit *edit;
    struct copy copy;
    outbox_accept_done *done;
};

/* --- one copy --- */

static bool copy_failed(struct accept_work *accept, int error, const char *verb)
{
    accept->work.failure =
        outbox_failure(accept->work.outbox, error, verb, OUTBOX_QUEUE, accept->copy.name);
    return false;
}

/* What failed takes no room on the disk. */
static void copy_drop(struct accept_work *accept, int queue)
{
    struct copy *copy = &accept->copy;
    if (copy->fd >= 0)
        close(copy->fd);
    if (copy->made)
        unlinkat(queue, copy->name, 0);
    *copy = (struct copy){.fd = -1};
}

/* One that a crash has left is made again. */
static bool copy_create(struct accept_work *accept, int queue)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    struct copy *copy = &accept->copy;
    copy->fd = openat(queue, copy->name, FLAGS, 0600);
    if (copy->fd < 0 && errno == EEXIST && (unlinkat(queue, copy->name, 0) == 0 || errno == ENOENT))
        copy->fd = openat(queue, copy->name, FLAGS, 0600);
    copy->made = copy->fd >= 0;
    return copy->made || copy_failed(accept, errno, "create");
}

static bool copy_write(struct accept_work *accept, const char *bytes, size_t length)
{
    accept->copy.size += length;
    return file_write(accept->copy.fd, bytes, length) || copy_failed(accept, errno, "write");
}

/* The header as it goes out, and what `text` holds of the body behind it. */
static bool write_header(struct accept_work *accept, const struct outbox_source *source,
                         const struct buffer *text, size_t header_length)
{
    struct buffer edited = {0};
    outbox_edit_header(text->data, header_length, accept->edit,
                       (int64_t)source->status.st_mtim.tv_sec * 1000, &edited);
    buffer_append(&edited, text->data + header_length, text->length - header_length);
    bool written = copy_write(accept, edited.data, edited.length);
    buffer_release(&edited);
    return written;
}

static bool copy_message(struct accept_work *accept, struct outbox_source *source)
{
    struct buffer *text = &source->batch->text;
    size_t header_length;
    buffer_clear(text);
    bool right = outbox_source_header(source, text, &header_length) &&
                 write_header(accept, source, text, header_length);
    buffer_clear(text);
    while (right && outbox_source_read(source, text)) {
        right = copy_write(accept, text->data, text->length);
        buffer_clear(text);
    }
    return right && source->ended;
}

static void write_copy(struct outbox_batch *batch, struct accept_work *accept, int queue)
{
    struct outbox_source source;
    outbox_name(accept->copy.name, accept->work.id, ".eml");
    bool written = outbox_source_open(&source, batch, accept->work.id) &&
                   copy_create(accept, queue) && copy_message(accept, &source);
    if (source.problem != NULL)
        accept->work.failure = outbox_item_failure(source.problem);
    else if (failure_is_set(&source.failure))
        accept->work.failure = source.failure;
    outbox_source_close(&source);
    if (!written)
        copy_drop(accept, queue);
}

/* --- the batch --- */

/* Those that were written, and whose folder cannot be told to be on disk. */
static void drop_all(struct outbox_batch *batch, int queue, const struct failure *failure)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    {
        if (!failure_is_set(&work->failure))
            work->failure = *failure;
        copy_drop((struct accept_work *)work, queue);
    }
}

/* Each is on its way to the disk before the first is waited for, and so they share the file
 * system's commits. */
static bool write_copies(struct outbox_batch *batch, int queue)
{
    bool several = TAILQ_NEXT(TAILQ_FIRST(&batch->files), files) != NULL;
    bool any = false;
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    {
        struct accept_work *accept = (struct accept_work *)work;
        write_copy(batch, accept, queue);
        any = any || accept->copy.made;
        if (accept->copy.made && several)
            file_begin_sync(accept->copy.fd);
    }
    return any;
}

static void sync_copies(struct outbox_batch *batch, int queue)
{
    struct failure failure = {0};
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    {
        struct accept_work *accept = (struct accept_work *)work;
        if (!accept->copy.made || file_sync_and_close(&accept->copy.fd))
            continue;
        copy_failed(accept, errno, "sync");
        copy_drop(accept, queue);
    }
    if (!outbox_folder_sync(batch->work.outbox, queue, OUTBOX_QUEUE, &failure))
        drop_all(batch, queue, &failure);
}

static void accept_files(struct outbox_batch *batch)
{
    struct failure failure = {0};
    int queue = outbox_batch_folder(batch, OUTBOX_QUEUE, &failure);
    if (queue < 0)
        drop_all(batch, queue, &failure);
    else if (write_copies(batch, queue))
        sync_copies(batch, queue);
}

/* --- on the loop --- */

static void accept_finish(struct outbox_work *work)
{
    struct accept_work *accept = (struct accept_work *)work;
    accept->done(work->argument, outbox_work_failure(work), accept->copy.size);
    work->release(work);
}

void outbox_accept(struct outbox *outbox, const char *id, const struct outbox_edit *edit,
                   outbox_accept_done *done, void *argument)
{
    struct accept_work *accept = memory_allocate(sizeof *accept);
    snprintf(accept->work.id, sizeof accept->work.id, "%s", id);
    accept->edit = edit;
    accept->copy.fd = -1;
    accept->done = done;
    accept->work.argument = argument;
    accept->work.finish = accept_finish;
    accept->work.release = outbox_work_free;
    outbox_work_gather(outbox, &accept->work, accept_files);
}

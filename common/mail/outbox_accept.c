#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct accept_work {
    struct outbox_work work;
    const struct outbox_edit *edit;
    uint64_t size;
    outbox_accept_done *done;
};

/* queue/ID.eml while it is written. */
struct copy {
    const struct outbox *outbox;
    char name[OUTBOX_NAME_SIZE];
    int folder;
    int fd;
    uint64_t size;
    struct failure *failure;
};

/* One that a crash has left is made again. */
static bool copy_create(struct copy *copy)
{
    copy->folder = outbox_folder(copy->outbox, OUTBOX_QUEUE, copy->failure);
    if (copy->folder < 0)
        return false;
    if (unlinkat(copy->folder, copy->name, 0) == 0 || errno == ENOENT)
        copy->fd = openat(copy->folder, copy->name,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copy->fd < 0)
        *copy->failure = outbox_failure(copy->outbox, errno, "create", OUTBOX_QUEUE, copy->name);
    return copy->fd >= 0;
}

static bool copy_write(struct copy *copy, const char *bytes, size_t length)
{
    copy->size += length;
    if (file_write(copy->fd, bytes, length))
        return true;
    *copy->failure = outbox_failure(copy->outbox, errno, "write", OUTBOX_QUEUE, copy->name);
    return false;
}

static bool copy_sync(struct copy *copy)
{
    if (file_sync_and_close(&copy->fd))
        return outbox_folder_sync(copy->outbox, copy->folder, OUTBOX_QUEUE, copy->failure);
    *copy->failure = outbox_failure(copy->outbox, errno, "sync", OUTBOX_QUEUE, copy->name);
    return false;
}

/* What failed takes no room on the disk. */
static void copy_close(struct copy *copy, bool keep)
{
    if (copy->fd >= 0)
        close(copy->fd);
    if (copy->folder >= 0 && !keep)
        unlinkat(copy->folder, copy->name, 0);
    if (copy->folder >= 0)
        close(copy->folder);
}

/* The header as it goes out, and what `text` holds of the body behind it. */
static bool write_header(struct copy *copy, const struct outbox_source *source,
                         const struct outbox_edit *edit, const struct buffer *text,
                         size_t header_length)
{
    struct buffer edited = {0};
    outbox_edit_header(text->data, header_length, edit,
                       (int64_t)source->status.st_mtim.tv_sec * 1000, &edited);
    buffer_append(&edited, text->data + header_length, text->length - header_length);
    bool written = copy_write(copy, edited.data, edited.length);
    buffer_release(&edited);
    return written;
}

static bool copy_message(struct copy *copy, struct outbox_source *source,
                         const struct outbox_edit *edit)
{
    struct buffer text = {0};
    size_t header_length;
    bool right = outbox_source_header(source, &text, &header_length) &&
                 write_header(copy, source, edit, &text, header_length);
    buffer_clear(&text);
    while (right && outbox_source_read(source, &text)) {
        right = copy_write(copy, text.data, text.length);
        buffer_clear(&text);
    }
    buffer_release(&text);
    return right && source->ended;
}

static void accept_job(void *argument)
{
    struct accept_work *accept = argument;
    struct outbox_work *work = &accept->work;
    struct copy copy = {.outbox = work->outbox, .folder = -1, .fd = -1, .failure = &work->failure};
    struct outbox_source source;
    outbox_name(copy.name, work->id, ".eml");
    bool copied = outbox_source_open(&source, work->outbox, work->id) && copy_create(&copy) &&
                  copy_message(&copy, &source, accept->edit) && copy_sync(&copy);
    if (source.problem != NULL)
        work->failure = outbox_item_failure(source.problem);
    else if (failure_is_set(&source.failure))
        work->failure = source.failure;
    accept->size = copied ? copy.size : 0;
    copy_close(&copy, copied);
    outbox_source_close(&source);
}

static void accept_finish(struct outbox_work *work)
{
    struct accept_work *accept = (struct accept_work *)work;
    accept->done(work->argument, outbox_work_failure(work), accept->size);
    work->release(work);
}

void outbox_accept(struct outbox *outbox, const char *id, const struct outbox_edit *edit,
                   outbox_accept_done *done, void *argument)
{
    struct accept_work *accept = memory_allocate(sizeof *accept);
    snprintf(accept->work.id, sizeof accept->work.id, "%s", id);
    accept->edit = edit;
    accept->done = done;
    accept->work.argument = argument;
    accept->work.finish = accept_finish;
    accept->work.release = outbox_work_free;
    outbox_work_start(outbox, &accept->work, accept_job);
}

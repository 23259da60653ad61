#include "mail/outbox_private.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 64 * 1024 };

/* Bytes of the file on their way from the disk to whoever reads. */
struct block {
    char *bytes; /* NULL until it is filled for the first time */
    size_t capacity;
    size_t length;
    size_t used;
    bool full; /* filled and not used up */
    bool last; /* the file ends with it */
};

/* Who may touch what: while a job runs (`filling`) the block that it fills, `fd`, `offset` and the
 * work's failure are the job's. */
struct outbox_reader {
    struct outbox_work work; /* the one job at a time */
    struct outbox *outbox;
    void (*on_ready)(void *argument);
    void *argument;
    char name[OUTBOX_NAME_SIZE];
    struct block blocks[2];
    unsigned reading; /* the block whose bytes are handed out; the other one is next */
    unsigned target;  /* the block that a job fills */
    bool filling;     /* a job runs */
    bool stale;       /* what it brings is not wanted any more: there was a rewind */
    bool asked;       /* somebody reads: more than the first block is wanted */
    bool hungry;      /* the last read got nothing, so on_ready is due */
    bool freed;       /* by the caller */
    struct failure failure;
    int fd;          /* -1: not open, or not any more: a block holds the whole file */
    uint64_t size;   /* of the file; nobody changes it */
    uint64_t offset; /* of the next block in it */
};

static void reader_filled(struct outbox_work *work);
static void reader_fill(struct outbox_reader *reader);

/* --- in jobs --- */

static void reader_close(struct outbox_reader *reader)
{
    close(reader->fd);
    reader->fd = -1;
}

static bool reader_open(struct outbox_reader *reader, struct outbox_batch *batch)
{
    int folder = outbox_batch_folder(batch, OUTBOX_QUEUE, &reader->work.failure);
    if (folder < 0)
        return false;
    struct stat status;
    reader->fd = openat(folder, reader->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (reader->fd < 0 || fstat(reader->fd, &status) < 0) {
        int error = errno;
        reader->work.failure =
            outbox_failure(reader->outbox, error, "open", OUTBOX_QUEUE, reader->name);
        reader->work.failure.gone = error == ENOENT;
        if (reader->fd >= 0)
            reader_close(reader);
        return false;
    }
    reader->size = (uint64_t)status.st_size;
    return true;
}

/* Most messages are smaller than a block, and many wait to be sent at a time. */
static size_t block_make_room(struct block *block, uint64_t left)
{
    size_t wanted = left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE;
    if (wanted > block->capacity) {
        block->bytes = memory_resize(block->bytes, wanted);
        block->capacity = wanted;
    }
    return wanted;
}

static bool block_fill(struct outbox_reader *reader, struct block *block)
{
    size_t wanted = block_make_room(block, reader->size - reader->offset);
    while (block->length < wanted) {
        ssize_t got = pread(reader->fd, block->bytes + block->length, wanted - block->length,
                            (off_t)(reader->offset + block->length));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            reader->work.failure = outbox_failure(reader->outbox, got == 0 ? EIO : errno, "read",
                                                  OUTBOX_QUEUE, reader->name);
            return false;
        }
        block->length += got > 0 ? (size_t)got : 0;
    }
    reader->offset += block->length;
    block->last = reader->offset == reader->size;
    return true;
}

/* Whether a rewind needs the file. */
static bool is_whole(const struct outbox_reader *reader, const struct block *block)
{
    return block->last && block->length == reader->size;
}

static void fill_files(struct outbox_batch *batch)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    {
        struct outbox_reader *reader = (struct outbox_reader *)work;
        struct block *block = &reader->blocks[reader->target];
        block->length = block->used = 0;
        block->last = false;
        if (reader->fd < 0 && !reader_open(reader, batch))
            continue;
        if (block_fill(reader, block) && is_whole(reader, block))
            reader_close(reader);
    }
}

static void close_files(struct outbox_batch *batch)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    reader_close((struct outbox_reader *)work);
}

/* --- life --- */

/* Also as `release`: for one whose job was dropped by a pool that was freed. */
static void reader_destroy(struct outbox_work *work)
{
    struct outbox_reader *reader = (struct outbox_reader *)work;
    assert(reader->freed);
    if (reader->fd >= 0)
        close(reader->fd);
    memory_free(reader->blocks[0].bytes);
    memory_free(reader->blocks[1].bytes);
    memory_free(reader);
}

static void reader_end(struct outbox_reader *reader)
{
    reader->work.finish = reader_destroy;
    if (reader->fd >= 0)
        outbox_work_gather(reader->outbox, &reader->work, close_files);
    else
        reader_destroy(&reader->work);
}

struct outbox_reader *outbox_reader_create(struct outbox *outbox, const char *id,
                                           void (*on_ready)(void *argument), void *argument)
{
    struct outbox_reader *reader = memory_allocate(sizeof *reader);
    reader->outbox = outbox;
    reader->on_ready = on_ready;
    reader->argument = argument;
    reader->fd = -1;
    reader->work.finish = reader_filled;
    reader->work.release = reader_destroy;
    outbox_name(reader->name, id, ".eml");
    reader_fill(reader);
    return reader;
}

void outbox_reader_free(struct outbox_reader *reader)
{
    if (reader == NULL)
        return;
    reader->freed = true;
    if (!reader->filling)
        reader_end(reader);
}

/* --- reading --- */

/* Fills the block that is read next, or the one behind it, unless the file ends before. */
static void reader_fill(struct outbox_reader *reader)
{
    const struct block *now = &reader->blocks[reader->reading];
    const struct block *next = &reader->blocks[!reader->reading];
    if (reader->filling || failure_is_set(&reader->failure) ||
        (now->full && (now->last || next->full || !reader->asked)))
        return;
    reader->target = now->full ? !reader->reading : reader->reading;
    reader->filling = true;
    reader->work.failure = (struct failure){0};
    outbox_work_gather(reader->outbox, &reader->work, fill_files);
}

static void reader_filled(struct outbox_work *work)
{
    struct outbox_reader *reader = (struct outbox_reader *)work;
    reader->filling = false;
    if (reader->freed) {
        reader_end(reader);
        return;
    }
    bool ready = reader->hungry && !reader->stale;
    if (reader->stale) {
        reader->stale = false;
        reader->offset = 0;
    } else if (failure_is_set(&work->failure)) {
        reader->failure = work->failure;
    } else {
        reader->blocks[reader->target].full = true;
    }
    reader_fill(reader);
    if (!ready)
        return;
    reader->hungry = false;
    reader->on_ready(reader->argument); /* may free it */
}

size_t outbox_read(struct outbox_reader *reader, char *room, size_t size)
{
    struct block *block = &reader->blocks[reader->reading];
    if (failure_is_set(&reader->failure))
        return SIZE_MAX;
    size_t length = 0;
    reader->asked = true;
    if (block->full) {
        size_t left = block->length - block->used;
        length = left < size ? left : size;
        if (length > 0) /* an empty file has no bytes */
            memcpy(room, block->bytes + block->used, length);
        block->used += length;
        if (block->used == block->length && !block->last) {
            block->full = false;
            reader->reading = !reader->reading;
        }
    } else {
        reader->hungry = true;
    }
    reader_fill(reader);
    return length;
}

/* Whoever waits for on_ready waits for a job, and still gets it. */
void outbox_rewind(struct outbox_reader *reader)
{
    struct block *now = &reader->blocks[reader->reading];
    if (now->full && is_whole(reader, now)) {
        now->used = 0;
        return;
    }
    reader->blocks[0].full = reader->blocks[1].full = false;
    reader->failure = (struct failure){0};
    reader->stale = reader->filling;
    if (!reader->filling)
        reader->offset = 0;
}

const struct failure *outbox_reader_failure(const struct outbox_reader *reader)
{
    return &reader->failure;
}

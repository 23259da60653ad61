#define _GNU_SOURCE /* sync_file_range */
#include "floor_outbox.h"

#include "floor_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY_SIZE = 65536,
    COPIES_OPEN = 20, /* on their way to the disk before the first is waited for; as exsyncd */
    NOTE_MAX = 128,
};

/* --- opening --- */

static int open_below(int top, const char *name, int flags)
{
    int fd = openat(top, name, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        floor_fail("%s: %s", name, strerror(errno));
    return fd;
}

static int make_folder(int top, const char *name)
{
    if (mkdirat(top, name, 0700) < 0)
        floor_fail("%s: %s", name, strerror(errno));
    return open_below(top, name, O_RDONLY | O_DIRECTORY);
}

void floor_outbox_open(struct floor_outbox *outbox, const char *path)
{
    int top = open_below(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    outbox->fresh = open_below(top, "new", O_RDONLY | O_DIRECTORY);
    outbox->intake = make_folder(top, "intake");
    outbox->queue = make_folder(top, "queue");
    outbox->kept = make_folder(top, "kept");
    outbox->ledger = open_below(top, "ledger", O_WRONLY | O_CREAT | O_APPEND);
    close(top);
}

/* --- steps --- */

static void must(int result, const char *name)
{
    if (result < 0)
        floor_fail("%s: %s", name, strerror(errno));
}

static void write_all(int fd, const char *bytes, size_t length, const char *name)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        must((int)written, name);
        bytes += written;
        length -= (size_t)written;
    }
}

void floor_outbox_note(const struct floor_outbox *outbox, const char *what,
                       const char *const *names, size_t count)
{
    char lines[FLOOR_TAKE_MAX * NOTE_MAX];
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(lines + length, NOTE_MAX, "%s %.100s\n", what, names[i]);
    write_all(outbox->ledger, lines, length, "ledger");
    must(fdatasync(outbox->ledger), "ledger");
}

/* A descriptor of the copy, whose bytes are on their way. */
static int copy(const struct floor_outbox *outbox, const char *name)
{
    char bytes[COPY_SIZE];
    int source = open_below(outbox->intake, name, O_RDONLY | O_NOFOLLOW);
    int target = open_below(outbox->queue, name, O_WRONLY | O_CREAT | O_EXCL);
    ssize_t got;
    while ((got = read(source, bytes, sizeof bytes)) > 0)
        write_all(target, bytes, (size_t)got, name);
    must((int)got, name);
    close(source);
    must(sync_file_range(target, 0, 0, SYNC_FILE_RANGE_WRITE), name);
    return target;
}

static void copy_some(const struct floor_outbox *outbox, const char *const *names, size_t count)
{
    int copies[COPIES_OPEN];
    for (size_t i = 0; i < count; i++)
        copies[i] = copy(outbox, names[i]);
    for (size_t i = 0; i < count; i++) {
        must(fsync(copies[i]), names[i]);
        must(close(copies[i]), names[i]);
    }
}

void floor_outbox_take(const struct floor_outbox *outbox, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(renameat(outbox->fresh, names[i], outbox->intake, names[i]), names[i]);
    must(fsync(outbox->intake), "intake");
    must(fsync(outbox->fresh), "new");
    for (size_t i = 0; i < count; i += COPIES_OPEN)
        copy_some(outbox, names + i, count - i < COPIES_OPEN ? count - i : COPIES_OPEN);
    must(fsync(outbox->queue), "queue");
    floor_outbox_note(outbox, "queued", names, count);
    for (size_t i = 0; i < count; i++)
        must(renameat(outbox->intake, names[i], outbox->kept, names[i]), names[i]);
}

void floor_outbox_remove(const struct floor_outbox *outbox, const char *const *names, size_t count)
{
    floor_outbox_note(outbox, "sent", names, count);
    for (size_t i = 0; i < count; i++) {
        must(unlinkat(outbox->queue, names[i], 0), names[i]);
        must(unlinkat(outbox->kept, names[i], 0), names[i]);
    }
}

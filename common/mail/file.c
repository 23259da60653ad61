#define _GNU_SOURCE /* sync_file_range */
#include "mail/file.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { REASON_SIZE = 160 };

void file_failure_add(struct failure *failure, const char *hint)
{
    struct failure before = *failure;
    failure_format_text(failure, "%s; %s", before.text, hint);
}

struct failure file_failure(const struct file_place *place, int error, const char *verb,
                            const char *folder, const char *name)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s %s", verb, place->directory);
    if (folder != NULL)
        buffer_append_format(&path, "/%s", folder);
    if (name != NULL)
        buffer_append_format(&path, "/%s", name);
    /* A long path is cut, so that what the system says about it still has room. */
    char what[FAILURE_TEXT_SIZE - REASON_SIZE];
    snprintf(what, sizeof what, "%s", buffer_string(&path));
    buffer_release(&path);
    struct failure failure = failure_from_errno(place->scope, place->step, error, what);
    if (error == EACCES || error == EPERM)
        file_failure_add(&failure, "the daemon's user must be able to write there");
    return failure;
}

bool file_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return true;
}

void file_begin_sync(int fd)
{
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool file_sync_and_close(int *fd)
{
    int error = fsync(*fd) < 0 ? errno : 0;
    /* Some file systems report only here that an earlier write failed. */
    if (close(*fd) < 0 && error == 0 && errno != EINTR)
        error = errno;
    *fd = -1;
    errno = error;
    return error == 0;
}

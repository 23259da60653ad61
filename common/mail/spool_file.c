#include "mail/sink_private.h"

#include "mail/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Group and mode: usually the spool folder's set-group-id bit and our umask make them right, and
 * then one look at the first file is all it takes. */
static int file_set_access(struct sink *sink, int fd)
{
    if (atomic_load(&sink->folders.inherit) == SINK_INHERIT_RIGHT)
        return 0;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -1;
    bool group_right = !sink->has_group || status.st_gid == sink->group;
    bool mode_right = (status.st_mode & 07777) == sink->mode;
    atomic_store(&sink->folders.inherit,
                 group_right && mode_right ? SINK_INHERIT_RIGHT : SINK_INHERIT_WRONG);
    if (!group_right && fchown(fd, (uid_t)-1, sink->group) < 0)
        return -1;
    return group_right && mode_right ? 0 : fchmod(fd, sink->mode);
}

bool spool_file_create(struct sink *sink, struct spool_file *file, struct failure *failure)
{
    file->fd = openat(sink->folders.spool, file->name,
                      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, sink->mode);
    if (file->fd < 0) {
        *failure = sink_failure_file(sink, errno, "create", SINK_SPOOL, file->name);
        return false;
    }
    file->exists = true;
    if (file_set_access(sink, file->fd) < 0) {
        *failure =
            sink_failure_file(sink, errno, "set the group and mode of", SINK_SPOOL, file->name);
        if (sink->has_group)
            file_failure_add(failure, "it must be a member of the group that deliver_group names");
        return false;
    }
    return true;
}

bool spool_file_write(struct sink *sink, struct spool_file *file, const char *bytes, size_t length,
                      struct failure *failure)
{
    if (file_write(file->fd, bytes, length))
        return true;
    *failure = sink_failure_file(sink, errno, "write", SINK_SPOOL, file->name);
    return false;
}

void spool_file_begin_sync(struct spool_file *file)
{
    file_begin_sync(file->fd);
}

bool spool_file_sync(struct sink *sink, struct spool_file *file, struct failure *failure)
{
    if (file_sync_and_close(&file->fd))
        return true;
    *failure = sink_failure_file(sink, errno, "sync", SINK_SPOOL, file->name);
    return false;
}

void spool_file_remove(struct sink *sink, struct spool_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    if (file->exists)
        unlinkat(sink->folders.spool, file->name, 0);
    file->exists = false;
}

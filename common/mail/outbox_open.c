#include "mail/outbox_private.h"

#include "base/clock.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

/* What a folder is to be like. */
struct folder_access {
    mode_t mode;
    bool has_group;
    gid_t group;
};

/* --- the group --- */

/* False with `failure` set when it cannot be told whether there is the group. */
static bool find_group(const struct outbox *outbox, struct folder_access *access,
                       struct failure *failure)
{
    enum { ROOM_MAX = 16 * 1024 * 1024 };
    struct group group;
    struct group *found = NULL;
    size_t size = 1024;
    char *room = memory_allocate(size);
    int error;
    while ((error = getgrnam_r(OUTBOX_GROUP, &group, room, size, &found)) == ERANGE &&
           size < ROOM_MAX) {
        size *= 4;
        room = memory_resize(room, size);
    }
    access->has_group = found != NULL;
    if (found != NULL)
        access->group = found->gr_gid;
    memory_free(room);
    /* Source: getgrnam(3): these, too, say that there is none. */
    if (found != NULL || error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
        error == EPERM)
        return true;
    *failure = outbox_failure(outbox, error, "look up the group " OUTBOX_GROUP " for", NULL, NULL);
    return false;
}

/* --- folders --- */

/* Gives an open folder what it lacks. The group first: a change of it may take the set-group-id bit
 * away. */
static int set_access(int fd, const struct folder_access *access)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -1;
    bool group_right = !access->has_group || status.st_gid == access->group;
    if (!group_right && fchown(fd, (uid_t)-1, access->group) < 0)
        return -1;
    if (group_right && (status.st_mode & 07777) == access->mode)
        return 0;
    return fchmod(fd, access->mode);
}

/* Returns the folder, opened; -1 with `failure` set. */
static int make_folder(const struct outbox *outbox, int parent, const char *path,
                       const char *folder, const struct folder_access *access,
                       struct failure *failure)
{
    const char *verb = "create";
    int fd = -1;
    if (mkdirat(parent, path, 0700) == 0 || errno == EEXIST) {
        verb = "open";
        fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        *failure = outbox_failure(outbox, errno, verb, folder, NULL);
        return -1;
    }
    if (set_access(fd, access) == 0)
        return fd;
    int error = errno;
    *failure = outbox_failure(outbox, error, "set the group and mode of", folder, NULL);
    if (access->has_group)
        file_failure_add(failure, "it must be a member of the group " OUTBOX_GROUP
                                  "; restart exsyncd when it has become one");
    close(fd);
    return -1;
}

static bool make_folders(const struct outbox *outbox, int top, const struct folder_access *shared,
                         struct failure *failure)
{
    static const char *const folders[] = {OUTBOX_INTAKE, OUTBOX_QUEUE, OUTBOX_KEPT,
                                          OUTBOX_FAILED, OUTBOX_TMP,   OUTBOX_NEW};
    enum { PRIVATE_FOLDERS = 4 };
    static const struct folder_access private = {.mode = 0700};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int fd = make_folder(outbox, top, folders[i], folders[i],
                             i < PRIVATE_FOLDERS ? &private : shared, failure);
        if (fd < 0)
            return false;
        close(fd);
    }
    return true;
}

/* The outbox itself is to last as well: its entry is in the folder above. */
static bool sync_above(const struct outbox *outbox, int top, struct failure *failure)
{
    int above = openat(top, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = above >= 0 && fsync(above) == 0;
    if (!synced && (above >= 0 || errno != EACCES))
        *failure = outbox_failure(outbox, errno, "sync the folder of", NULL, NULL);
    if (above >= 0)
        close(above);
    return !failure_is_set(failure);
}

/* What a program left behind that was killed while it wrote: Maildir's custom is 36 hours. */
static void sweep_tmp(const struct outbox *outbox, struct failure *failure)
{
    enum { OLD_S = 36 * 60 * 60 };
    int fd = outbox_folder(outbox, OUTBOX_TMP, failure);
    DIR *opened = fd >= 0 ? fdopendir(fd) : NULL;
    if (opened == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct dirent *entry;
    while ((entry = readdir(opened)) != NULL) {
        struct stat status;
        if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && status.st_mtim.tv_sec < now - OLD_S)
            unlinkat(fd, entry->d_name, 0);
    }
    closedir(opened);
}

static void open_job(void *argument)
{
    struct outbox_work *work = argument;
    const struct outbox *outbox = work->outbox;
    /* New files in a folder with the set-group-id bit belong to the group, and so can be read by
     * the daemon. */
    struct folder_access shared = {0};
    if (!find_group(outbox, &shared, &work->failure))
        return;
    shared.mode = shared.has_group ? 03730 : 0700;
    /* Whoever may submit must come through. */
    const struct folder_access passable = {.mode = shared.has_group ? 0711 : 0700};
    int top = make_folder(outbox, AT_FDCWD, outbox->directory, NULL, &passable, &work->failure);
    if (top < 0)
        return;
    if (make_folders(outbox, top, &shared, &work->failure) &&
        outbox_folder_sync(outbox, top, NULL, &work->failure))
        sync_above(outbox, top, &work->failure);
    close(top);
    struct failure ignored = {0}; /* it is looked at again */
    sweep_tmp(outbox, &ignored);
}

void outbox_open(struct outbox *outbox, outbox_done *done, void *argument)
{
    outbox_simple_start(outbox, memory_allocate(sizeof(struct outbox_work)), "", open_job, done,
                        argument);
}

static void tidy_job(void *argument)
{
    struct outbox_work *work = argument;
    sweep_tmp(work->outbox, &work->failure);
}

void outbox_tidy(struct outbox *outbox, outbox_done *done, void *argument)
{
    outbox_simple_start(outbox, memory_allocate(sizeof(struct outbox_work)), "", tidy_job, done,
                        argument);
}

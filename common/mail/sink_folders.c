#define _GNU_SOURCE /* O_PATH */
#include "mail/sink_private.h"

#include "base/memory.h"
#include "mail/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const maildir_folders[] = {"cur", "new", "tmp"};
enum { MAILDIR_FOLDERS = sizeof maildir_folders / sizeof maildir_folders[0] };

static const char marker_text[] =
    "exsyncd delivers mail to this Maildir, by way of this folder. Without this file it takes the\n"
    "Maildir for one that is not mounted, and stops. Do not put anything here.\n";

void sink_folders_close(struct sink_folders *folders)
{
    if (folders->spool >= 0)
        close(folders->spool);
    if (folders->fresh >= 0)
        close(folders->fresh);
    folders->spool = -1;
    folders->fresh = -1;
    folders->open = false;
}

/* --- opening --- */

static bool maildir_open_part(const struct sink *sink, int maildir, const char *name, int *part,
                              struct failure *failure)
{
    *part = openat(maildir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*part < 0)
        *failure = sink_failure(sink, errno, "open", name);
    return *part >= 0;
}

uint64_t sink_folders_mount(int fd, const char *path)
{
    struct statx status;
    int flags = path[0] == '\0' ? AT_EMPTY_PATH : 0;
    if (statx(fd, path, flags, STATX_MNT_ID, &status) < 0 || (status.stx_mask & STATX_MNT_ID) == 0)
        return 0;
    return status.stx_mnt_id;
}

/* The marker decides whether this is our Maildir at all, so it comes first. */
static bool maildir_check_marker(const struct sink *sink, int maildir, struct failure *failure)
{
    struct stat status;
    if (fstatat(maildir, SINK_SPOOL "/" SINK_MARKER, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    *failure = errno == ENOENT || errno == ENOTDIR
                   ? sink_failure_marker(sink, 0)
                   : sink_failure(sink, errno, "look at", SINK_SPOOL "/" SINK_MARKER);
    return false;
}

static bool folders_open(struct sink *sink, struct failure *failure)
{
    struct sink_folders *folders = &sink->folders;
    int maildir = open(sink->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (maildir < 0) {
        *failure =
            errno == ENOENT ? sink_failure_marker(sink, 0) : sink_failure(sink, errno, "open", "");
        return false;
    }
    bool opened = maildir_check_marker(sink, maildir, failure) &&
                  maildir_open_part(sink, maildir, SINK_SPOOL, &folders->spool, failure) &&
                  maildir_open_part(sink, maildir, "new", &folders->fresh, failure);
    if (opened &&
        sink_folders_mount(folders->spool, "") != sink_folders_mount(folders->fresh, "")) {
        *failure = sink_failure(sink, EXDEV, "use " SINK_SPOOL " and new of", "");
        opened = false;
    }
    close(maildir);
    if (opened)
        folders->open = true;
    else
        sink_folders_close(folders);
    return opened;
}

bool sink_folders_use(struct sink *sink, struct failure *failure)
{
    pthread_mutex_lock(&sink->folders.mutex);
    bool open = sink->folders.open || folders_open(sink, failure);
    pthread_mutex_unlock(&sink->folders.mutex);
    return open;
}

/* --- creating --- */

/* Who may read or write files may look into the folders as well. */
static mode_t folder_mode(const struct sink *sink)
{
    mode_t mode = sink->mode | 0700;
    for (mode_t read = 0040; read != 0; read >>= 3) {
        if ((sink->mode & (read | read >> 1)) != 0)
            mode |= read | read >> 2;
    }
    return sink->has_group ? mode | S_ISGID : mode;
}

/* Opens for reading what was opened without rights. */
static int folder_open_again(int folder)
{
    return openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* Gives a folder its group and mode when it was just made, or was made before we were killed: its
 * mode is the first one then. What an administrator has set up stays as it is. */
static int folder_set_access(const struct sink *sink, int folder, mode_t mode)
{
    struct stat status;
    if (fstat(folder, &status) < 0)
        return -1;
    bool group_right = !sink->has_group || status.st_gid == sink->group;
    bool fresh = status.st_uid == geteuid() && (status.st_mode & 01777) == 0700;
    if (!fresh || (group_right && (status.st_mode & 07777) == mode))
        return 0;

    int readable = folder_open_again(folder);
    if (readable < 0)
        return -1;
    int result = group_right ? 0 : fchown(readable, (uid_t)-1, sink->group);
    if (result == 0)
        result = fchmod(readable, mode);
    close_quietly(readable);
    return result;
}

/* What was made in a folder stays there. A folder that we may not read is none that we make entries
 * in. */
static int folder_sync(int folder)
{
    int readable = folder_open_again(folder);
    if (readable < 0)
        return errno == EACCES ? 0 : -1;
    int result = fsync(readable);
    close_quietly(readable);
    return result;
}

/* Sees to it that `name` is a folder in `parent`. Returns it, opened without rights, or -1 with
 * errno set; *verb says what did not work. `flags`: O_NOFOLLOW or 0. */
static int folder_make(const struct sink *sink, int parent, const char *name, mode_t mode,
                       int flags, const char **verb)
{
    *verb = "create";
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -1;
    *verb = "open";
    int folder = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
    if (folder < 0)
        return -1;
    *verb = "set the group and mode of";
    if (folder_set_access(sink, folder, mode) == 0)
        return folder;
    close_quietly(folder);
    return -1;
}

/* Creates the folders from the root to the Maildir and opens that; -1 on failure. */
static int maildir_make(const struct sink *sink, char *path, struct failure *failure)
{
    int folder = open(sink->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        *failure = sink_failure_path(errno, "open", sink->root);
        file_failure_add(failure, "it must be there already, only what is below it is created: is "
                                  "its file system mounted?");
        return -1;
    }
    char *end = path + (strcmp(sink->root, "/") == 0 ? 0 : strlen(sink->root));
    while (folder >= 0 && *end != '\0') {
        const char *name = end + 1;
        end += 1 + strcspn(name, "/");
        char next = *end;
        *end = '\0';
        const char *verb;
        int below = folder_make(sink, folder, name, folder_mode(sink), 0, &verb);
        if (below >= 0 && folder_sync(folder) < 0) {
            verb = "sync the folder of";
            close_quietly(below);
            below = -1;
        }
        if (below < 0)
            *failure = sink_failure_path(errno, verb, path);
        close(folder);
        folder = below;
        *end = next;
    }
    return folder;
}

static bool maildir_make_part(const struct sink *sink, int maildir, const char *name, mode_t mode,
                              struct failure *failure)
{
    const char *verb;
    int folder = folder_make(sink, maildir, name, mode, O_NOFOLLOW, &verb);
    if (folder < 0)
        *failure = sink_failure(sink, errno, verb, name);
    else
        close(folder);
    return folder >= 0;
}

/* An existing marker is as good: its text is for people. */
static bool maildir_make_marker(const struct sink *sink, int maildir, struct failure *failure)
{
    int marker = openat(maildir, SINK_SPOOL "/" SINK_MARKER,
                        O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool made = marker >= 0 && write(marker, marker_text, sizeof marker_text - 1) >= 0 &&
                fsync(marker) == 0;
    if (!made)
        *failure = sink_failure(sink, errno, "create", SINK_SPOOL "/" SINK_MARKER);
    if (marker >= 0)
        close(marker);
    return made;
}

static bool maildir_sync(const struct sink *sink, int maildir, struct failure *failure)
{
    int spool = openat(maildir, SINK_SPOOL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool synced = spool >= 0 && fsync(spool) == 0 && folder_sync(maildir) == 0;
    if (!synced)
        *failure = sink_failure(sink, errno, "sync", SINK_SPOOL);
    if (spool >= 0)
        close(spool);
    return synced;
}

bool sink_folders_create(struct sink *sink, struct failure *failure)
{
    char *path = memory_copy_string(sink->path);
    int maildir = maildir_make(sink, path, failure);
    bool made = maildir >= 0;
    for (size_t i = 0; made && i < MAILDIR_FOLDERS; i++)
        made = maildir_make_part(sink, maildir, maildir_folders[i], folder_mode(sink), failure);
    /* Its set-group-id bit gives the files in it their group; nobody else can enter. */
    mode_t spool_mode = sink->has_group ? 0700 | S_ISGID : 0700;
    made = made && maildir_make_part(sink, maildir, SINK_SPOOL, spool_mode, failure) &&
           maildir_make_marker(sink, maildir, failure) && maildir_sync(sink, maildir, failure);
    if (maildir >= 0)
        close(maildir);
    memory_free(path);
    return made;
}

void sink_folders_restore(const struct sink *sink)
{
    int maildir = open(sink->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (maildir < 0)
        return;
    struct failure ignored;
    bool ours = maildir_check_marker(sink, maildir, &ignored);
    for (size_t i = 0; ours && i < MAILDIR_FOLDERS; i++)
        maildir_make_part(sink, maildir, maildir_folders[i], folder_mode(sink), &ignored);
    close(maildir);
}

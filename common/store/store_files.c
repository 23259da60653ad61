#define _GNU_SOURCE
#include "store/store_private.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 10 };

static const char *const names[STORE_FILE_COUNT] = {
    [STORE_FILE_LOCK] = "exsyncd.lock",
    [STORE_FILE_DATABASE] = "exsyncd.db",
    [STORE_FILE_WAL] = "exsyncd.db-wal",
};

void store_files_name(struct store_files *files, const char *directory)
{
    files->lock = -1;
    for (size_t i = 0; i < STORE_FILE_COUNT; i++) {
        struct buffer path = {0};
        buffer_append_format(&path, "%s/%s", directory, names[i]);
        files->paths[i] = buffer_take(&path);
    }
}

void store_files_release(struct store_files *files)
{
    if (files->lock >= 0)
        close(files->lock);
    for (size_t i = 0; i < STORE_FILE_COUNT; i++)
        memory_free(files->paths[i]);
}

static void files_fail(struct failure *failure, int error, const char *action, const char *path)
{
    char what[512];
    snprintf(what, sizeof what, "%s %s", action, path);
    *failure = failure_from_errno(FAILURE_SCOPE_SERVER, "open", error, what);
}

/* --- the lock --- */

/* Who holds the lock wrote its process id into the file. */
static void files_lock_held(const char *path, int lock, struct failure *failure)
{
    *failure =
        store_failure_of("open", "EWOULDBLOCK", false, "Another exsyncd uses the state directory.",
                         "Stop the other one, or give this one a state directory of its "
                         "own.");
    char content[32] = "";
    ssize_t length = pread(lock, content, sizeof content - 1, 0);
    long holder = length > 0 ? strtol(content, NULL, 10) : 0;
    if (holder > 0)
        failure_format_text(failure, "%s is locked by process %ld", path, holder);
    else
        failure_format_text(failure, "%s is locked", path);
}

static bool files_same(const char *path, dev_t device, ino_t inode)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

static void files_write_holder(int lock)
{
    /* Only for people: a full disk is no reason to refuse. */
    char content[32];
    int length = snprintf(content, sizeof content, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) != 0 || pwrite(lock, content, (size_t)length, 0) != length)
        return;
}

bool store_files_lock(struct store_files *files, struct failure *failure)
{
    const char *path = files->paths[STORE_FILE_LOCK];
    /* Again when the file was replaced between open and flock. */
    for (int i = 0; i < LOCK_TRIES; i++) {
        int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0) {
            files_fail(failure, errno, "open", path);
            return false;
        }
        struct stat status;
        if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                files_lock_held(path, lock, failure);
            else
                files_fail(failure, errno, "lock", path);
            close(lock);
            return false;
        }
        if (fstat(lock, &status) == 0 && files_same(path, status.st_dev, status.st_ino)) {
            files->used_ms = status.st_size > 0 ? (int64_t)status.st_mtime * 1000 : 0;
            files_write_holder(lock);
            files->lock = lock;
            return true;
        }
        close(lock);
    }
    files_fail(failure, ESTALE, "lock", path);
    return false;
}

/* --- the files --- */

static bool files_there(const char *path, off_t size)
{
    struct stat status;
    return lstat(path, &status) == 0 && status.st_size >= size;
}

/* What exsyncd works with has a write-ahead log and says so (https://sqlite.org/fileformat2.html,
 * 1.3.3); a copy (store_copy_finish) says that it has none. One that lies beside it all the same is
 * of the database whose place the copy has taken: SQLite would play it into the copy. */
static bool files_has_own_log(const struct store_files *files, struct failure *failure)
{
    unsigned char versions[2] = {0};
    const char *path = files->paths[STORE_FILE_DATABASE];
    if (!files_there(files->paths[STORE_FILE_WAL], 1))
        return true;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool foreign = file >= 0 && pread(file, versions, sizeof versions, 18) == sizeof versions &&
                   versions[1] == 1;
    if (file >= 0)
        close(file);
    if (!foreign)
        return true;
    *failure = store_failure_of(
        "open", "ForeignLog", true,
        "The database is a copy, and beside it lies the log of the database whose place it has "
        "taken.",
        "Move the files ending in -wal and -shm away, as is told in exsyncd(8), BACKUP AND "
        "RESTORE; they would damage the copy. Nothing was changed.");
    failure_format_text(failure, "%s does not belong to %s", files->paths[STORE_FILE_WAL], path);
    return false;
}

bool store_files_exist(const struct store_files *files, struct failure *failure)
{
    if (files_there(files->paths[STORE_FILE_DATABASE], 0))
        return files_has_own_log(files, failure);
    /* An empty log holds nothing: it is left where a database was refused. */
    if (files_there(files->paths[STORE_FILE_WAL], 1)) {
        *failure = store_failure_of(
            "open", "ENOENT", true,
            "The database is missing, but what was last written to it is "
            "there.",
            "Put the database back beside it. To restore a backup or a copy, or to begin anew "
            "without a ledger, move the file ending in -wal away first.");
        failure_format_text(failure, "%s is there, %s is not", files->paths[STORE_FILE_WAL],
                            files->paths[STORE_FILE_DATABASE]);
    }
    return false;
}

/* A journal that is left of an earlier try would be played into the new file. */
static void files_clear(const char *path)
{
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct buffer left = {0};
        buffer_append_format(&left, "%s%s", path, endings[i]);
        unlink(left.data);
        buffer_release(&left);
    }
}

bool store_files_create(const char *path, struct failure *failure)
{
    files_clear(path);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        files_fail(failure, errno, "create", path);
        return false;
    }
    close(file);
    return true;
}

static bool files_sync(const char *path, int flags, struct failure *failure)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool good = file >= 0 && fsync(file) == 0;
    if (!good)
        files_fail(failure, errno, "sync", path);
    if (file >= 0)
        close(file);
    return good;
}

bool store_files_publish(const char *part, const char *path, struct failure *failure)
{
    char *directory = memory_copy_bytes(path, (size_t)(strrchr(path, '/') - path));
    bool good = files_sync(part, 0, failure);
    if (good && rename(part, path) != 0) {
        files_fail(failure, errno, "rename to", path);
        good = false;
    }
    good = good && files_sync(directory[0] == '\0' ? "/" : directory, O_DIRECTORY, failure);
    memory_free(directory);
    return good;
}

bool store_files_remember(struct store_files *files, struct failure *failure)
{
    for (size_t i = 0; i < STORE_FILE_COUNT; i++) {
        struct stat status;
        if (stat(files->paths[i], &status) != 0) {
            files_fail(failure, errno, "look at", files->paths[i]);
            return false;
        }
        files->devices[i] = status.st_dev;
        files->inodes[i] = status.st_ino;
    }
    return true;
}

bool store_files_check(const struct store_files *files, struct failure *failure)
{
    for (size_t i = 0; i < STORE_FILE_COUNT; i++) {
        if (files_same(files->paths[i], files->devices[i], files->inodes[i]))
            continue;
        *failure = store_failure_of(
            "write", "SQLITE_IOERR", false,
            "A file of the state directory was removed or replaced while the daemon runs.",
            "Restart exsyncd; leave its files alone while it runs, and restore a backup only while "
            "it does not.");
        failure_format_text(failure, "%s is not the file that was opened", files->paths[i]);
        return false;
    }
    return true;
}

#define _GNU_SOURCE /* renameat2, mkostemp */
#include "tools/exsyncctl_copy.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "store/store_private.h"
#include "store/store_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { BUSY_MS = 10000 };

static bool failed(struct copy *copy, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool failed(struct copy *copy, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(copy->problem, sizeof copy->problem, format, arguments);
    va_end(arguments);
    copy->status = status;
    return false;
}

static int status_of(int error)
{
    if (error == EACCES || error == EPERM || error == EROFS)
        return EX_NOPERM;
    return error == ENOENT || error == ENOTDIR ? EX_NOINPUT : EX_IOERR;
}

static bool failed_in_system(struct copy *copy, const char *verb, const char *path)
{
    int error = errno;
    return failed(copy, status_of(error), "cannot %s %s: %s", verb, path, strerror(error));
}

/* What to do about what SQLite says, or "". That a file system has no locks is told as busy when it
 * has no lock service, and as an error of input and output otherwise. */
static const char *remedy_of(int result)
{
    switch (result) {
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_IOERR_SHMLOCK:
        return "; its file system cannot lock files as a database needs it (NFS, for one): the "
               "state directory belongs on a local disk";
    default:
        break;
    }
    switch (result & 0xff) {
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return "; run it as root, or as the user that exsyncd runs as";
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL:
        return "; another program has locked it, or its file system cannot lock files (NFS without "
               "its lock service, for one): the state directory belongs on a local disk";
    default:
        return "";
    }
}

/* `result`: SQLite's, extended. */
static bool failed_in_database(struct copy *copy, int result, sqlite3 *database, const char *verb,
                               const char *path)
{
    const char *words = database == NULL ? sqlite3_errstr(result) : sqlite3_errmsg(database);
    if (result == SQLITE_FULL)
        return failed(copy, EX_IOERR, "there is no room for %s; make room, or choose another place",
                      path);
    return failed(copy, (result & 0xff) == SQLITE_CANTOPEN ? EX_NOPERM : EX_IOERR,
                  "cannot %s %s: %s%s", verb, path, words, remedy_of(result));
}

/* --- databases --- */

static sqlite3 *database_open(struct copy *copy, const char *path, bool read_only)
{
    sqlite3 *database = NULL;
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        failed(copy, EX_NOINPUT,
               "there is no database %s; start exsyncd, or name its configuration with --config",
               path);
        return NULL;
    }
    int result = sqlite3_open_v2(
        path, &database,
        (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_EXRESCODE, NULL);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(database, BUSY_MS);
        return database;
    }
    failed_in_database(copy, result, database, "open", path);
    sqlite3_close(database);
    return NULL;
}

static sqlite3 *new_copy_open(struct copy *copy, const char *path)
{
    sqlite3 *database = NULL;
    int result = store_copy_open(path, &database);
    if (result == SQLITE_OK)
        return database;
    failed_in_database(copy, result, database, "open", path);
    sqlite3_close(database);
    return NULL;
}

/* A pragma's number; false when the file cannot be read. */
static bool database_number(struct copy *copy, sqlite3 *database, const char *path, const char *sql,
                            int64_t *number)
{
    sqlite3_stmt *query = NULL;
    int result = sqlite3_prepare_v2(database, sql, -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    if (result == SQLITE_ROW)
        *number = sqlite3_column_int64(query, 0);
    else
        failed_in_database(copy, result, database, "read", path);
    sqlite3_finalize(query);
    return result == SQLITE_ROW;
}

static bool is_ours(struct copy *copy, sqlite3 *database, const char *path)
{
    int64_t application, version;
    if (!database_number(copy, database, path, "PRAGMA application_id", &application) ||
        !database_number(copy, database, path, "PRAGMA user_version", &version))
        return false;
    if (application != STORE_APPLICATION)
        return failed(copy, EX_DATAERR, "%s is no database of exsyncd", path);
    if (version < STORE_COPIES_SINCE)
        return failed(
            copy, EX_DATAERR,
            "%s is of an earlier version of exsyncd; start this version once, which brings "
            "it up to date",
            path);
    return true;
}

/* "ok", or the first thing that is wrong with it. */
static bool is_sound(struct copy *copy, sqlite3 *database, const char *path)
{
    sqlite3_stmt *query = NULL;
    bool sound =
        sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW &&
        strcmp((const char *)sqlite3_column_text(query, 0), "ok") == 0;
    if (!sound)
        failed(
            copy, EX_DATAERR,
            "the copy is damaged, and so is perhaps the database %s: %s; keep the last copy that "
            "was right",
            path,
            sqlite3_column_count(query) > 0 && sqlite3_column_text(query, 0) != NULL
                ? (const char *)sqlite3_column_text(query, 0)
                : sqlite3_errmsg(database));
    sqlite3_finalize(query);
    return sound;
}

/* --- copying --- */

/* All of it in one step: a single snapshot of the log, which the daemon's writes go past. In
 * several steps each of its writes would make the copying begin anew. */
static bool copy_pages(struct copy *copy, sqlite3 *from, sqlite3 *to, const char *path)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return failed_in_database(copy, sqlite3_errcode(to), to, "write", path);
    int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    return result == SQLITE_DONE ||
           failed_in_database(copy, result, NULL, "copy the database to", path);
}

static bool copy_all_pages(struct copy *copy, const char *path)
{
    sqlite3 *from = database_open(copy, copy->source, true);
    sqlite3 *to = from != NULL ? new_copy_open(copy, path) : NULL;
    bool done = to != NULL && is_ours(copy, from, copy->source) && copy_pages(copy, from, to, path);
    sqlite3_close(to);
    sqlite3_close(from);
    return done;
}

static bool copy_database(struct copy *copy, const char *path)
{
    int64_t begin_ms = clock_wall_ms();
    if (!copy_all_pages(copy, path))
        return false;
    int result = store_copy_finish(path, begin_ms);
    if (result != SQLITE_OK)
        return failed_in_database(copy, result, NULL, "write", path);
    sqlite3 *made = new_copy_open(copy, path);
    bool done = made != NULL && is_sound(copy, made, copy->source);
    sqlite3_close(made);
    return done;
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return synced;
}

/* The name is taken first, by an empty file. */
static bool rename_over_empty(const char *path, const char *target)
{
    int fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    if (rename(path, target) == 0)
        return true;
    int error = errno;
    unlink(target);
    errno = error;
    return false;
}

/* A file that has come there meanwhile stays. Not all file systems can be told so (NFS), but there
 * the copy gets the name beside its own; some of them cannot do that either (FAT, SMB). */
static bool rename_new(const char *path, const char *target)
{
    if (renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (link(path, target) == 0)
        return unlink(path) == 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return false;
    return rename_over_empty(path, target);
}

/* Beside the target and under another name: what is there is whole. */
static bool put_in_place(struct copy *copy, const char *path)
{
    struct stat status;
    char *folder = strdup(copy->target);
    bool placed =
        sync_path(path, 0) && stat(path, &status) == 0 &&
        (copy->replace ? rename(path, copy->target) == 0 : rename_new(path, copy->target));
    if (!placed)
        failed_in_system(copy, "write", copy->target);
    else if (folder == NULL || !sync_path(dirname(folder), O_DIRECTORY))
        placed = failed_in_system(copy, "sync the folder of", copy->target);
    if (placed)
        copy->size = (uint64_t)status.st_size;
    free(folder);
    return placed;
}

/* The daemon has it open, or will find it beside the database: to replace it is to lose mail. */
static bool is_database(const struct copy *copy, const struct stat *target)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    bool found = false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct buffer path = {0};
        struct stat status;
        buffer_append_format(&path, "%s%s", copy->source, suffixes[i]);
        found = found || (stat(buffer_string(&path), &status) == 0 &&
                          status.st_dev == target->st_dev && status.st_ino == target->st_ino);
        buffer_release(&path);
    }
    return found;
}

static bool target_is_free(struct copy *copy)
{
    struct stat status;
    if (lstat(copy->target, &status) < 0)
        return errno == ENOENT || failed_in_system(copy, "look at", copy->target);
    if (!S_ISREG(status.st_mode))
        return failed(copy, EX_CANTCREAT, "%s is no file; name a file that is to be made",
                      copy->target);
    if (is_database(copy, &status))
        return failed(copy, EX_CANTCREAT, "%s is the database itself; name another file",
                      copy->target);
    return copy->replace ||
           failed(copy, EX_CANTCREAT, "%s is there already; choose another name, or give --force",
                  copy->target);
}

bool copy_make(struct copy *copy)
{
    struct buffer path = {0};
    if (!target_is_free(copy))
        return false;
    buffer_append_format(&path, "%s.XXXXXX", copy->target);
    int fd = mkostemp(path.data, O_CLOEXEC); /* mode 0600 */
    bool made = fd >= 0 || failed_in_system(copy, "create a file beside", copy->target);
    if (fd >= 0)
        close(fd);
    made = made && copy_database(copy, path.data) && put_in_place(copy, path.data);
    if (fd >= 0 && !made)
        unlink(path.data);
    buffer_release(&path);
    return made;
}

bool copy_mark(struct copy *copy)
{
    sqlite3 *database = database_open(copy, copy->source, false);
    bool marked = database != NULL && is_ours(copy, database, copy->source);
    int result = marked ? store_copy_mark(database, STORE_COPIED_UNKNOWN) : SQLITE_OK;
    if (result != SQLITE_OK)
        marked = failed_in_database(copy, result, database, "write", copy->source);
    sqlite3_close(database);
    return marked;
}

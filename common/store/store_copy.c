/* Copies of a database: what all have in common, and the one that is made before an upgrade. */
#include "store/store_private.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    KILOBYTE = 1024,
    COPIED_PAGES = 1000, /* between two words of progress: 4 MB */
    SLOWEST_BYTES_A_MS = 10000,
};

char *store_copy_path(const char *path, int64_t version)
{
    struct buffer copy = {0};
    buffer_append_format(&copy, "%s.v%" PRId64, path, version);
    return buffer_take(&copy);
}

/* In bytes; 0 with a failure. */
static int64_t copy_size(struct store_connection *connection)
{
    return store_execute_number(connection, "PRAGMA page_count") *
           store_execute_number(connection, "PRAGMA page_size");
}

/* The upgrade writes at most about the database again, into its log. */
static void copy_check_room(struct store_connection *connection, const char *part)
{
    struct statvfs disk;
    int64_t size = copy_size(connection);
    if (store_failed(connection))
        return;
    if (statvfs(part, &disk) != 0) {
        connection->failure =
            failure_from_errno(FAILURE_SCOPE_SERVER, connection->step, errno, part);
        return;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= 2 * (uint64_t)size)
        return;
    connection->failure = store_failure_of(
        connection->step, "ENOSPC", false,
        "The disk has no room for a copy of the database, which is made before its upgrade.",
        "Free space on the file system of the state directory and start exsyncd again. The "
        "database was not changed: the earlier exsyncd can use it meanwhile.");
    failure_format_text(
        &connection->failure,
        "%s needs %" PRIu64 " KiB for the copy and the upgrade, %" PRIu64 " KiB are free",
        connection->path, (2 * (uint64_t)size + KILOBYTE - 1) / KILOBYTE, room / KILOBYTE);
}

/* A damaged database is neither copied nor upgraded. SQLite tells nothing while it looks. */
static void copy_look_through(struct store_connection *connection,
                              const struct store_progress *progress)
{
    sqlite3_stmt *query = NULL;
    int64_t size = copy_size(connection);
    if (store_failed(connection))
        return;
    if (progress != NULL)
        progress->tell(progress->argument, (uint64_t)size / SLOWEST_BYTES_A_MS + 1);
    int result =
        sqlite3_prepare_v2(connection->database, "PRAGMA quick_check(1)", -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    const char *found = result == SQLITE_ROW ? (const char *)sqlite3_column_text(query, 0) : NULL;
    if (found == NULL) {
        store_fail(connection, result);
    } else if (strcmp(found, "ok") != 0) {
        connection->failure =
            store_failure_from_sqlite(connection->step, SQLITE_CORRUPT, NULL, connection->path);
        failure_format_text(&connection->failure, "%s: %s", connection->path, found);
    }
    sqlite3_finalize(query);
}

/* --- a copy that is being made --- */

int store_copy_open(const char *path, sqlite3 **copy)
{
    int result = sqlite3_open_v2(
        path, copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        "unix-none");
    if (result == SQLITE_OK)
        result = sqlite3_exec(*copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL,
                              NULL, NULL);
    return result;
}

int store_copy_mark(sqlite3 *copy, int64_t copied_ms)
{
    char sql[128];
    snprintf(sql, sizeof sql,
             "UPDATE instance SET copied_at = %" PRId64 " WHERE one = 1 AND copied_at IS NULL",
             copied_ms);
    return sqlite3_exec(copy, sql, NULL, NULL, NULL);
}

/* The first page is the database's, which says that there is a write-ahead log: whoever opened the
 * copy would make one. https://sqlite.org/fileformat2.html, 1.3.3: the two bytes at 18 are 1 for a
 * database without. */
static bool leave_log(const char *path)
{
    static const unsigned char without[2] = {1, 1};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool left = fd >= 0 && pwrite(fd, without, sizeof without, 18) == sizeof without;
    if (fd >= 0)
        close(fd);
    return left;
}

int store_copy_finish(const char *path, int64_t copied_ms)
{
    sqlite3 *copy = NULL;
    if (!leave_log(path))
        return SQLITE_IOERR_WRITE;
    int result = store_copy_open(path, &copy);
    if (result == SQLITE_OK)
        result = store_copy_mark(copy, copied_ms);
    sqlite3_close(copy);
    return result;
}

/* --- before an upgrade --- */

static void copy_pages(struct store_connection *connection, const char *part,
                       const struct store_progress *progress)
{
    sqlite3 *copy = NULL;
    sqlite3_backup *backup = NULL;
    int result = store_copy_open(part, &copy);
    if (result == SQLITE_OK) {
        backup = sqlite3_backup_init(copy, "main", connection->database, "main");
        result = backup == NULL ? sqlite3_errcode(copy) : SQLITE_OK;
    }
    while (result == SQLITE_OK) {
        result = sqlite3_backup_step(backup, COPIED_PAGES);
        if (progress != NULL)
            progress->tell(progress->argument, 0);
    }
    int finished = sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE || finished != SQLITE_OK)
        connection->failure = store_failure_from_sqlite(
            connection->step, result != SQLITE_DONE ? result : finished, copy, part);
    sqlite3_close(copy);
}

static void copy_finish(struct store_connection *connection, const char *part, int64_t begin_ms)
{
    int result = store_copy_finish(part, begin_ms);
    if (result != SQLITE_OK)
        connection->failure = store_failure_from_sqlite(connection->step, result, NULL, part);
}

void store_copy_make(struct store_connection *connection, int64_t version,
                     const struct store_progress *progress)
{
    char *path = store_copy_path(connection->path, version);
    struct buffer part = {0};
    int64_t begin_ms = clock_wall_ms();
    buffer_append_format(&part, "%s.new", path);
    copy_look_through(connection, progress);
    if (!store_failed(connection) && store_files_create(part.data, &connection->failure)) {
        copy_check_room(connection, part.data);
        if (!store_failed(connection))
            copy_pages(connection, part.data, progress);
        if (!store_failed(connection) && version >= STORE_COPIES_SINCE)
            copy_finish(connection, part.data, begin_ms);
        if (!store_failed(connection))
            store_files_publish(part.data, path, &connection->failure);
        if (store_failed(connection))
            unlink(part.data);
    }
    buffer_release(&part);
    memory_free(path);
}

#include "store/store_private.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Small caches: the ledger is read by key, and the kernel has the file in its own cache. Temporary
 * data (the undo of one operation) stays in memory, so no second directory must be writable. */
static const char SET_UP[] = "PRAGMA foreign_keys = ON;"
                             "PRAGMA synchronous = FULL;"
                             "PRAGMA temp_store = MEMORY;"
                             "PRAGMA mmap_size = 0;"
                             "PRAGMA trusted_schema = OFF;"
                             "PRAGMA cache_size = -1500;";

/* A page that changes with each step of an item goes into the database once in a while, not each
 * time: 16 MB of log. After a large transaction it goes back to that size. */
static const char SET_UP_WRITER[] = "PRAGMA wal_autocheckpoint = 4000;"
                                    "PRAGMA journal_size_limit = 16777216;";

bool store_failed(const struct store_connection *connection)
{
    return failure_is_set(&connection->failure);
}

void store_fail(struct store_connection *connection, int result)
{
    if (!store_failed(connection))
        connection->failure = store_failure_from_sqlite(connection->step, result,
                                                        connection->database, connection->path);
}

/* --- opening --- */

static int connection_busy(void *argument, int count)
{
    struct store_connection *connection = argument;
    uint64_t now = clock_monotonic_ms();
    if (count == 0)
        connection->busy_since_ms = now;
    uint64_t patience = connection->busy_ms;
    if (connection->closing != NULL && atomic_load(connection->closing) &&
        patience > STORE_BUSY_CLOSING_MS)
        patience = STORE_BUSY_CLOSING_MS;
    if (now - connection->busy_since_ms >= patience)
        return 0;
    struct timespec pause = {.tv_nsec = (count < 5 ? 1 << count : 25) * 1000000L};
    nanosleep(&pause, NULL);
    return 1;
}

static void connection_set_wal(struct store_connection *connection)
{
    sqlite3_stmt *query = NULL;
    if (store_failed(connection))
        return;
    int result =
        sqlite3_prepare_v2(connection->database, "PRAGMA journal_mode = WAL", -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    if (result != SQLITE_ROW) {
        store_fail(connection, result);
    } else if (strcmp((const char *)sqlite3_column_text(query, 0), "wal") != 0) {
        connection->failure = store_failure_of(
            connection->step, "SQLITE_CANTOPEN", false,
            "The file system of the state directory cannot hold a database with a write-ahead log.",
            "Put the state directory on a local file system.");
        failure_set_text(&connection->failure, connection->path, strlen(connection->path));
    }
    sqlite3_finalize(query);
}

void store_connection_open(struct store_connection *connection, const char *path, bool read_only)
{
    connection->path = path;
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int result = sqlite3_open_v2(path, &connection->database,
                                 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (result != SQLITE_OK) {
        store_fail(connection, result);
        return;
    }
    sqlite3_busy_handler(connection->database, connection_busy, connection);
    sqlite3_db_config(connection->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    store_execute(connection, SET_UP);
    if (read_only)
        return;
    /* SQLite falls back to reading when it may not write. */
    if (!store_failed(connection) && sqlite3_db_readonly(connection->database, "main") == 1) {
        connection->failure =
            store_failure_from_sqlite(connection->step, SQLITE_READONLY, NULL, connection->path);
        return;
    }
    sqlite3_db_config(connection->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void store_connection_begin_writing(struct store_connection *connection)
{
    connection_set_wal(connection);
    store_execute(connection, SET_UP_WRITER);
    /* The log is opened by the first read; whoever has it open removes it when it closes. */
    store_execute(connection, "SELECT count(*) FROM sqlite_schema");
    if (!store_failed(connection))
        sqlite3_db_config(connection->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

void store_connection_close(struct store_connection *connection)
{
    for (size_t i = 0; i < STORE_SQL_COUNT; i++) {
        sqlite3_finalize(connection->statements[i]);
        connection->statements[i] = NULL;
    }
    sqlite3_close(connection->database);
    connection->database = NULL;
}

/* --- text that runs once --- */

void store_execute(struct store_connection *connection, const char *sql)
{
    if (store_failed(connection))
        return;
    int result = sqlite3_exec(connection->database, sql, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        store_fail(connection, result);
}

int64_t store_execute_number(struct store_connection *connection, const char *sql)
{
    int64_t number = 0;
    sqlite3_stmt *query = NULL;
    if (store_failed(connection))
        return 0;
    int result = sqlite3_prepare_v2(connection->database, sql, -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    if (result == SQLITE_ROW)
        number = sqlite3_column_int64(query, 0);
    else if (result != SQLITE_DONE)
        store_fail(connection, result);
    sqlite3_finalize(query);
    return number;
}

/* --- statements --- */

sqlite3_stmt *store_query(struct store_connection *connection, enum store_sql sql)
{
    if (store_failed(connection))
        return NULL;
    if (connection->statements[sql] == NULL) {
        int result =
            sqlite3_prepare_v3(connection->database, store_sql_text(sql), -1,
                               SQLITE_PREPARE_PERSISTENT, &connection->statements[sql], NULL);
        if (result != SQLITE_OK)
            store_fail(connection, result);
    }
    return connection->statements[sql];
}

static void connection_bound(struct store_connection *connection, int result)
{
    if (result != SQLITE_OK)
        store_fail(connection, result);
}

void store_bind_number(struct store_connection *connection, sqlite3_stmt *query, int place,
                       int64_t number)
{
    if (query != NULL)
        connection_bound(connection, sqlite3_bind_int64(query, place, number));
}

void store_bind_text(struct store_connection *connection, sqlite3_stmt *query, int place,
                     const char *text)
{
    if (query != NULL)
        connection_bound(connection, sqlite3_bind_text(query, place, text, -1, SQLITE_STATIC));
}

void store_bind_digest(struct store_connection *connection, sqlite3_stmt *query, int place,
                       const struct digest *digest)
{
    if (query == NULL)
        return;
    if (digest == NULL)
        connection_bound(connection, sqlite3_bind_null(query, place));
    else
        connection_bound(
            connection, sqlite3_bind_blob(query, place, digest->bytes, DIGEST_SIZE, SQLITE_STATIC));
}

void store_bind_retry(struct store_connection *connection, sqlite3_stmt *query, int place,
                      int64_t time_ms)
{
    if (time_ms != INT64_MAX)
        store_bind_number(connection, query, place, time_ms);
}

bool store_row(struct store_connection *connection, sqlite3_stmt *query)
{
    if (query == NULL)
        return false;
    if (!store_failed(connection)) {
        int result = sqlite3_step(query);
        if (result == SQLITE_ROW)
            return true;
        if (result != SQLITE_DONE)
            store_fail(connection, result);
    }
    store_end(query);
    return false;
}

void store_end(sqlite3_stmt *query)
{
    if (query == NULL)
        return;
    sqlite3_reset(query);
    sqlite3_clear_bindings(query);
}

int64_t store_run(struct store_connection *connection, sqlite3_stmt *query)
{
    while (store_row(connection, query))
        continue;
    return store_failed(connection) ? 0 : sqlite3_changes64(connection->database);
}

int64_t store_run_number(struct store_connection *connection, sqlite3_stmt *query)
{
    int64_t number = 0;
    while (store_row(connection, query))
        number = sqlite3_column_int64(query, 0);
    return store_failed(connection) ? 0 : number;
}

int64_t store_run_sql(struct store_connection *connection, enum store_sql sql)
{
    return store_run(connection, store_query(connection, sql));
}

bool store_column_digest(sqlite3_stmt *query, int column, struct digest *digest)
{
    const void *bytes = sqlite3_column_blob(query, column);
    if (bytes == NULL || sqlite3_column_bytes(query, column) != DIGEST_SIZE)
        return false;
    memcpy(digest->bytes, bytes, DIGEST_SIZE);
    return true;
}

void store_check_lease(struct store_connection *connection, struct store_mailbox mailbox)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_LEASE);
    store_bind_number(connection, query, 1, mailbox.number);
    bool held = store_row(connection, query) && sqlite3_column_int64(query, 0) == mailbox.lease;
    store_end(query);
    if (held || store_failed(connection))
        return;
    connection->failure =
        store_failure_of(connection->step, "LEASE", false,
                         "The mailbox now belongs to another cycle, host or number.", "");
    connection->failure.scope = FAILURE_SCOPE_MAILBOX;
    failure_format_text(&connection->failure, "%s: mailbox %lld, lease %lu", connection->path,
                        (long long)mailbox.number, (unsigned long)mailbox.lease);
}

/* Group commit: everything that waits becomes one transaction, so that the disk is asked once for
 * all of it, however many mailboxes wrote. */
#include "store/store_private.h"

#include "base/clock.h"

enum { SLOW_MS = 2000 };

/* How an operation that fails is kept from spoiling the others. Undoing one alone takes a copy of
 * each page that it changes, which for a thousand items is much memory: only when one has failed is
 * everything done again in that way. */
enum writer_way {
    WRITER_TOGETHER, /* one that fails after it has changed something undoes the transaction */
    WRITER_CAREFULLY /* each in a savepoint */
};

/* What a transaction came to. */
enum writer_result {
    WRITER_COMMITTED, /* operations may have failed, each for itself */
    WRITER_SPOILED,   /* one has failed that must be undone alone; nothing is written */
    WRITER_FAILED,    /* all; why is in connection->failure */
};

static void writer_forget_failure(struct store_connection *connection)
{
    connection->failure = (struct failure){0};
}

static void writer_fail_operation(struct store_connection *connection,
                                  struct store_operation *operation)
{
    store_operation_fail(operation, &connection->failure);
    operation->again = false;
    writer_forget_failure(connection);
}

static enum writer_result writer_run_together(struct store_connection *connection,
                                              struct store_operation *operation)
{
    int64_t before = sqlite3_total_changes64(connection->database);
    operation->run(connection, operation);
    if (!store_failed(connection))
        return WRITER_COMMITTED;
    if (sqlite3_get_autocommit(connection->database))
        return WRITER_FAILED; /* SQLite gave up the whole transaction: the disk is full or fails */
    if (sqlite3_total_changes64(connection->database) != before)
        return WRITER_SPOILED;
    writer_fail_operation(connection, operation);
    return WRITER_COMMITTED;
}

static enum writer_result writer_run_carefully(struct store_connection *connection,
                                               struct store_operation *operation)
{
    store_run_sql(connection, STORE_SQL_SAVEPOINT);
    if (store_failed(connection))
        return WRITER_FAILED;
    operation->run(connection, operation);
    if (store_failed(connection)) {
        if (sqlite3_get_autocommit(connection->database))
            return WRITER_FAILED;
        writer_fail_operation(connection, operation);
        store_run_sql(connection, STORE_SQL_ROLLBACK_TO);
    }
    store_run_sql(connection, STORE_SQL_RELEASE);
    return store_failed(connection) ? WRITER_FAILED : WRITER_COMMITTED;
}

static enum writer_result writer_run(struct store *store, struct store_operations *operations,
                                     enum writer_way way)
{
    struct store_connection *connection = &store->writer.connection;
    enum writer_result result = WRITER_COMMITTED;
    struct store_operation *operation;
    store_run_sql(connection, STORE_SQL_BEGIN_WRITE);
    if (store_failed(connection))
        return WRITER_FAILED;
    STAILQ_FOREACH(operation, operations, entries)
    {
        operation->again = false;
        store_worker_get_on(&store->writer);
        result = way == WRITER_TOGETHER ? writer_run_together(connection, operation)
                                        : writer_run_carefully(connection, operation);
        if (result != WRITER_COMMITTED)
            return result;
    }
    store_worker_get_on(&store->writer);
    store_run_sql(connection, STORE_SQL_COMMIT);
    return store_failed(connection) ? WRITER_FAILED : WRITER_COMMITTED;
}

static void writer_roll_back(struct store_connection *connection)
{
    writer_forget_failure(connection);
    if (!sqlite3_get_autocommit(connection->database))
        store_run_sql(connection, STORE_SQL_ROLLBACK);
    writer_forget_failure(connection);
}

static void writer_fail_all(struct store_connection *connection,
                            struct store_operations *operations)
{
    struct store_operation *operation;
    bool begun = !sqlite3_get_autocommit(connection->database);
    STAILQ_FOREACH(operation, operations, entries)
    {
        store_operation_fail(operation, &connection->failure);
        operation->again = false;
    }
    writer_roll_back(connection);
    /* Pages of a transaction whose fsync failed may have reached the disk all the same, and a
     * crash before the next transaction would bring it to life. An empty log cannot. */
    if (begun)
        sqlite3_wal_checkpoint_v2(connection->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL);
}

static void writer_transact(struct store *store, struct store_operations *operations)
{
    struct store_connection *connection = &store->writer.connection;
    enum writer_result result = WRITER_FAILED;
    struct store_operation *operation;
    writer_forget_failure(connection);
    if (store_files_check(&store->files, &connection->failure))
        result = writer_run(store, operations, WRITER_TOGETHER);
    if (result == WRITER_SPOILED) {
        writer_roll_back(connection);
        STAILQ_FOREACH(operation, operations, entries)
        {
            store_operation_forgive(operation);
        }
        result = writer_run(store, operations, WRITER_CAREFULLY);
    }
    if (result == WRITER_COMMITTED)
        atomic_fetch_add(&store->transactions, 1);
    else
        writer_fail_all(connection, operations);
}

/* Puts those that have more to do behind what came meanwhile. */
static void writer_repeat(struct store *store, struct store_operations *operations)
{
    struct store_operations ended = STAILQ_HEAD_INITIALIZER(ended);
    struct store_operations unfinished = STAILQ_HEAD_INITIALIZER(unfinished);
    struct store_operation *operation;
    bool closing = atomic_load(&store->closing);
    while ((operation = STAILQ_FIRST(operations)) != NULL) {
        STAILQ_REMOVE_HEAD(operations, entries);
        if (operation->again && !closing)
            STAILQ_INSERT_TAIL(&unfinished, operation, entries);
        else
            STAILQ_INSERT_TAIL(&ended, operation, entries);
    }
    store_worker_put(&store->writer, &unfinished);
    STAILQ_CONCAT(operations, &ended);
}

void *store_writer_main(void *argument)
{
    struct store *store = argument;
    struct store_operations operations;
    store_worker_watch(&store->writer);
    while (store_worker_take(&store->writer, &operations)) {
        uint64_t start = clock_monotonic_ms();
        writer_transact(store, &operations);
        uint64_t taken = clock_monotonic_ms() - start;
        if (taken >= SLOW_MS && store->log != NULL)
            log_write(store->log, LOG_PRIORITY_WARNING, NULL,
                      "The database %s took %llu ms for one transaction: its disk is slow, or "
                      "another program kept it locked.",
                      store->files.paths[STORE_FILE_DATABASE], (unsigned long long)taken);
        writer_repeat(store, &operations);
        store_complete(store->completions, &operations);
    }
    return NULL;
}

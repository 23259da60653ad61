/* Group commit: everything that waits becomes one transaction, so that the disk is asked once for
 * all of it, however many mailboxes wrote. */
#include "store/store_private.h"

#include "base/clock.h"

#include <string.h>

enum { SLOW_MS = 2000 };

static void writer_forget_failure(struct store_connection *connection)
{
    connection->failure = (struct failure){0};
}

/* Undoes what the operation did; what came before it in the transaction stays. */
static void writer_undo(struct store_connection *connection, struct store_operation *operation)
{
    store_operation_fail(operation, &connection->failure);
    operation->again = false;
    if (sqlite3_get_autocommit(connection->database))
        return; /* SQLite has given up the whole transaction: the disk is full or fails */
    writer_forget_failure(connection);
    store_run_sql(connection, STORE_SQL_ROLLBACK_TO);
    store_run_sql(connection, STORE_SQL_RELEASE);
}

/* False: the transaction as a whole has failed; why is in connection->failure. */
static bool writer_run_operation(struct store_connection *connection,
                                 struct store_operation *operation)
{
    operation->again = false;
    store_run_sql(connection, STORE_SQL_SAVEPOINT);
    if (store_failed(connection))
        return false;
    operation->run(connection, operation);
    if (!store_failed(connection))
        store_run_sql(connection, STORE_SQL_RELEASE);
    if (store_failed(connection))
        writer_undo(connection, operation);
    return !store_failed(connection);
}

static void writer_give_up(struct store_connection *connection, struct store_operations *operations)
{
    struct store_operation *operation;
    STAILQ_FOREACH(operation, operations, entries)
    {
        store_operation_fail(operation, &connection->failure);
        operation->again = false;
    }
    writer_forget_failure(connection);
    if (sqlite3_get_autocommit(connection->database))
        return;
    store_run_sql(connection, STORE_SQL_ROLLBACK);
    writer_forget_failure(connection);
    /* Pages of a transaction whose fsync failed may have reached the disk all the same, and a
     * crash before the next transaction would bring it to life. An empty log cannot. */
    sqlite3_wal_checkpoint_v2(connection->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static void writer_transact(struct store *store, struct store_operations *operations)
{
    struct store_connection *connection = &store->writer.connection;
    struct store_operation *operation;
    writer_forget_failure(connection);
    if (!store_files_check(&store->files, &connection->failure)) {
        writer_give_up(connection, operations);
        return;
    }
    store_run_sql(connection, STORE_SQL_BEGIN_WRITE);
    if (!store_failed(connection)) {
        STAILQ_FOREACH(operation, operations, entries)
        {
            if (!writer_run_operation(connection, operation))
                break;
        }
        store_run_sql(connection, STORE_SQL_COMMIT);
    }
    if (store_failed(connection))
        writer_give_up(connection, operations);
    else
        atomic_fetch_add(&store->transactions, 1);
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

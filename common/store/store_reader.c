#include "store/store_private.h"

/* A transaction for each operation: all its queries see one state, and none is open for long, so
 * that the write-ahead log can be emptied. */
static void reader_run(struct store_connection *connection, struct store_operation *operation)
{
    connection->failure = (struct failure){0};
    store_run_sql(connection, STORE_SQL_BEGIN_READ);
    if (!store_failed(connection))
        operation->run(connection, operation);
    if (store_failed(connection))
        store_operation_fail(operation, &connection->failure);
    connection->failure = (struct failure){0};
    if (!sqlite3_get_autocommit(connection->database))
        store_run_sql(connection, STORE_SQL_ROLLBACK);
}

void *store_reader_main(void *argument)
{
    struct store *store = argument;
    struct store_operations operations;
    store_worker_watch(&store->reader);
    while (store_worker_take(&store->reader, &operations)) {
        struct store_operation *operation;
        STAILQ_FOREACH(operation, &operations, entries)
        {
            store_worker_get_on(&store->reader);
            reader_run(&store->reader.connection, operation);
        }
        store_complete(store->completions, &operations);
    }
    return NULL;
}

/* Redelivery: what was delivered is forgotten, a slice of the ledger in a transaction. */
#include "store/store_actions.h"
#include "store/store_private.h"

enum { SLICE_ROWS = 1000 }; /* other writers wait for one */

struct redelivery_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    int64_t now_ms;
    bool forget;
    struct store_redelivery *redelivery; /* the caller's: set once all is committed */
    struct store_redelivery result;
    struct digest last; /* of the slice */
};

/* Nothing older than what the folders' cycles take would be found again. */
static int64_t redelivery_since(struct store_connection *connection,
                                const struct redelivery_operation *operation)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_REDELIVERY_FROM);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    store_bind_number(connection, query, 2, operation->redelivery->since_ms);
    return store_run_number(connection, query);
}

static void redelivery_bind_position(struct store_connection *connection, sqlite3_stmt *query,
                                     const struct store_redelivery *redelivery)
{
    if (redelivery->begun)
        store_bind_digest(connection, query, 2, &redelivery->position);
    else if (query != NULL)
        sqlite3_bind_blob(query, 2, "", 0, SQLITE_STATIC); /* before all digests */
}

/* False: there are no rows left. */
static bool redelivery_take_slice(struct store_connection *connection,
                                  struct redelivery_operation *operation)
{
    bool any = false;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_REDELIVERY_SLICE);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    redelivery_bind_position(connection, query, operation->redelivery);
    store_bind_number(connection, query, 3, SLICE_ROWS);
    if (store_row(connection, query)) {
        any = store_column_digest(query, 0, &operation->last);
        operation->result.more = sqlite3_column_int64(query, 1) == SLICE_ROWS;
    }
    store_end(query);
    return any;
}

static sqlite3_stmt *redelivery_query(struct store_connection *connection, enum store_sql sql,
                                      const struct redelivery_operation *operation)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    redelivery_bind_position(connection, query, operation->redelivery);
    store_bind_digest(connection, query, 3, &operation->last);
    store_bind_number(connection, query, 4, operation->result.since_ms);
    return query;
}

static void redelivery_want_pass(struct store_connection *connection,
                                 const struct redelivery_operation *operation)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_REDELIVERY_PASS);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    store_bind_number(connection, query, 2, operation->now_ms);
    store_run(connection, query);
}

static void redelivery_run(struct store_connection *connection, struct store_operation *base)
{
    struct redelivery_operation *operation = (struct redelivery_operation *)base;
    if (operation->forget)
        store_check_lease(connection, operation->mailbox);
    operation->result = *operation->redelivery;
    operation->result.more = false;
    operation->result.since_ms = redelivery_since(connection, operation);
    if (!redelivery_take_slice(connection, operation))
        return;
    if (operation->forget) {
        redelivery_want_pass(connection, operation);
        operation->result.count += (uint64_t)store_run(
            connection, redelivery_query(connection, STORE_SQL_REDELIVERY_FORGET, operation));
    } else {
        operation->result.count += (uint64_t)store_run_number(
            connection, redelivery_query(connection, STORE_SQL_REDELIVERY_COUNT, operation));
    }
    operation->result.begun = true;
    operation->result.position = operation->last;
}

static void redelivery_finish(struct store_operation *base)
{
    const struct redelivery_operation *operation = (const struct redelivery_operation *)base;
    if (base->failure == NULL)
        *operation->redelivery = operation->result;
    if (base->done != NULL)
        base->done(base->argument, base->failure);
}

static struct redelivery_operation *redelivery_create(struct store_mailbox mailbox,
                                                      struct store_redelivery *redelivery,
                                                      store_done *done, void *argument)
{
    struct redelivery_operation *operation =
        store_operation_create(sizeof *operation, redelivery_run, done, argument);
    operation->operation.finish = redelivery_finish;
    operation->mailbox = mailbox;
    operation->redelivery = redelivery;
    return operation;
}

void store_redelivery_count(struct store *store, struct store_mailbox mailbox,
                            struct store_redelivery *redelivery, store_done *done, void *argument)
{
    store_start_read(store, &redelivery_create(mailbox, redelivery, done, argument)->operation);
}

void store_redelivery_forget(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                             struct store_redelivery *redelivery, store_done *done, void *argument)
{
    struct redelivery_operation *operation = redelivery_create(mailbox, redelivery, done, argument);
    operation->forget = true;
    operation->now_ms = now_ms;
    store_start_write(store, &operation->operation);
}

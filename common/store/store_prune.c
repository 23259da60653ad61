#include "store/store_private.h"

#include "base/clock.h"

enum {
    PRUNE_ROWS = 1000,      /* of each table in one call */
    FREE_PAGES_KEPT = 1000, /* pages that are left for what comes next */
};

struct prune_operation {
    struct store_operation operation;
    int64_t removed_before_ms;
    int64_t resolved_before_ms;
    int64_t now_ms;
    bool *more;
};

static int64_t prune_rows(struct store_connection *connection, enum store_sql sql, int64_t which)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, which);
    if (query != NULL && sqlite3_bind_parameter_count(query) > 1)
        store_bind_number(connection, query, 2, PRUNE_ROWS);
    return store_run(connection, query);
}

/* Forgets one mailbox, or part of it. Its address goes first, in the same transaction: one that
 * comes back while half of its ledger is gone is a new mailbox, which takes no old mail. */
static int64_t prune_mailbox(struct store_connection *connection,
                             const struct prune_operation *pruning, int64_t number)
{
    static const enum store_sql parts[] = {
        STORE_SQL_PRUNE_LEDGER, STORE_SQL_PRUNE_MAILBOX_FAILURES, STORE_SQL_PRUNE_FOLDERS,
        STORE_SQL_PRUNE_MAILBOX_SUBMISSIONS, STORE_SQL_PRUNE_SWITCHES};
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_RETIRE);
    store_bind_number(connection, query, 1, number);
    store_bind_number(connection, query, 2, pruning->now_ms);
    store_run(connection, query);

    bool whole = true;
    int64_t rows = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int64_t deleted = prune_rows(connection, parts[i], number);
        whole = whole && deleted < PRUNE_ROWS;
        rows += deleted;
    }
    if (whole)
        prune_rows(connection, STORE_SQL_PRUNE_MAILBOX, number);
    return rows;
}

/* Alerts before their failures, which stay as long as there is an alert. */
static int64_t prune_resolved(struct store_connection *connection, int64_t before_ms)
{
    static const enum store_sql parts[] = {STORE_SQL_PRUNE_ALERTS,
                                           STORE_SQL_PRUNE_FAILURES,
                                           STORE_SQL_PRUNE_NOTIFICATIONS,
                                           STORE_SQL_PRUNE_SIGN_INS,
                                           STORE_SQL_PRUNE_SUBMISSION_FAILURES,
                                           STORE_SQL_PRUNE_SUBMISSIONS};
    int64_t rows = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        rows += prune_rows(connection, parts[i], before_ms);
    return rows;
}

static int64_t prune_next_mailbox(struct store_connection *connection, int64_t removed_before_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_PRUNE_NEXT_MAILBOX);
    store_bind_number(connection, query, 1, removed_before_ms);
    int64_t number = store_row(connection, query) ? sqlite3_column_int64(query, 0) : 0;
    store_end(query);
    return number;
}

/* Gives disk space back, a little in each call, when much of the database is empty. True when there
 * is more of it. */
static bool prune_free_pages(struct store_connection *connection)
{
    int64_t pages[2] = {0};
    static const enum store_sql counts[] = {STORE_SQL_PRUNE_FREE_PAGES, STORE_SQL_PRUNE_PAGES};
    for (size_t i = 0; i < 2; i++) {
        sqlite3_stmt *query = store_query(connection, counts[i]);
        if (store_row(connection, query))
            pages[i] = sqlite3_column_int64(query, 0);
        store_end(query);
    }
    if (pages[0] <= FREE_PAGES_KEPT || pages[0] * 4 < pages[1])
        return false;
    store_run_sql(connection, STORE_SQL_PRUNE_VACUUM);
    return true;
}

static void prune_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct prune_operation *pruning = (const struct prune_operation *)operation;
    int64_t rows = store_alerts_resolve_gone(connection, PRUNE_ROWS, pruning->now_ms);
    rows += prune_resolved(connection, pruning->resolved_before_ms);
    int64_t number = 0;
    while (rows < PRUNE_ROWS &&
           (number = prune_next_mailbox(connection, pruning->removed_before_ms)) != 0)
        rows += prune_mailbox(connection, pruning, number);
    bool empty = prune_free_pages(connection);
    *pruning->more = rows >= PRUNE_ROWS || empty;
}

void store_prune(struct store *store, int64_t removed_before_ms, int64_t resolved_before_ms,
                 bool *more, store_done *done, void *argument)
{
    struct prune_operation *operation =
        store_operation_create(sizeof *operation, prune_run, done, argument);
    operation->removed_before_ms = removed_before_ms;
    operation->resolved_before_ms = resolved_before_ms;
    operation->now_ms = clock_wall_ms();
    operation->more = more;
    store_start_write(store, &operation->operation);
}

#include "store/store_sql.h"

#include "store/store_sql_parts.h"

static const char *const transactions[STORE_SQL_COUNT] = {
    [STORE_SQL_BEGIN_READ] = "BEGIN",
    /* IMMEDIATE: what an operation reads stays true until its COMMIT. */
    [STORE_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STORE_SQL_COMMIT] = "COMMIT",
    [STORE_SQL_ROLLBACK] = "ROLLBACK",
    [STORE_SQL_SAVEPOINT] = "SAVEPOINT operation",
    [STORE_SQL_ROLLBACK_TO] = "ROLLBACK TO operation",
    [STORE_SQL_RELEASE] = "RELEASE operation",

    [STORE_SQL_INSTANCE] = "SELECT id, copied_at FROM instance WHERE one = 1",
};

static const char *const *const parts[] = {
    transactions,      store_sql_mailboxes,     store_sql_ledger,      store_sql_failures,
    store_sql_alerts,  store_sql_notifications, store_sql_submissions, store_sql_queue,
    store_sql_restore, store_sql_prune,         store_sql_trace,
};

const char *store_sql_text(enum store_sql sql)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i][sql] != NULL)
            return parts[i][sql];
    }
    return NULL; /* a test walks the list */
}

#include "store/store_private.h"

struct set_back_operation {
    struct store_operation operation;
    int64_t by_ms;
    int64_t now_ms;
};

static void set_back_run(struct store_connection *connection, struct store_operation *operation)
{
    static const enum store_sql parts[] = {STORE_SQL_SUBMISSION_SET_BACK,
                                           STORE_SQL_LEDGER_SET_BACK};
    const struct set_back_operation *setting = (const struct set_back_operation *)operation;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sqlite3_stmt *query = store_query(connection, parts[i]);
        store_bind_number(connection, query, 1, setting->by_ms);
        store_bind_number(connection, query, 2, setting->now_ms);
        store_run(connection, query);
    }
}

void store_clock_set_back(struct store *store, int64_t by_ms, int64_t now_ms, store_done *done,
                          void *argument)
{
    struct set_back_operation *setting =
        store_operation_create(sizeof *setting, set_back_run, done, argument);
    setting->by_ms = by_ms;
    setting->now_ms = now_ms;
    store_start_write(store, &setting->operation);
}

#include "store/store_failures.h"

#include "store/store_private.h"

#include "base/memory.h"

struct list_operation {
    struct store_operation operation;
    enum store_sql rows_sql;
    enum store_sql count_sql;
    bool counts;
    char *id;       /* owned; NULL: all */
    int64_t before; /* the row before which it goes on */
    size_t limit;
    store_failures_done *done;
    struct store_failure_row *rows;
    size_t capacity;
    struct store_strings strings;
    struct store_failure_rows result;
};

/* Those of a profile have no mailbox. */
static const char *row_text(struct list_operation *listing, sqlite3_stmt *query, int column)
{
    const char *text = store_strings_column(&listing->strings, query, column);
    return text != NULL ? text : "";
}

static int64_t row_retry(sqlite3_stmt *query, int column)
{
    bool never = sqlite3_column_type(query, column) == SQLITE_NULL;
    return never ? INT64_MAX : sqlite3_column_int64(query, column);
}

static void row_keep(struct list_operation *listing, sqlite3_stmt *query)
{
    struct store_failure_rows *result = &listing->result;
    if (result->count == listing->capacity) {
        listing->capacity = listing->capacity == 0 ? 16 : 2 * listing->capacity;
        listing->rows = memory_resize(listing->rows, listing->capacity * sizeof *listing->rows);
    }
    listing->rows[result->count++] = (struct store_failure_row){
        .scope = row_text(listing, query, 1),
        .profile = row_text(listing, query, 2),
        .mailbox = row_text(listing, query, 3),
        .direction = row_text(listing, query, 4),
        .step = row_text(listing, query, 5),
        .category = row_text(listing, query, 6),
        .code = row_text(listing, query, 7),
        .submission = row_text(listing, query, 8),
        .sentence = row_text(listing, query, 9),
        .remedy = row_text(listing, query, 10),
        .text = row_text(listing, query, 11),
        .activity = row_text(listing, query, 12),
        .http_status = sqlite3_column_int(query, 13),
        .permanent = sqlite3_column_int(query, 14) != 0,
        .count = (uint32_t)sqlite3_column_int64(query, 15),
        .first_seen_ms = sqlite3_column_int64(query, 16),
        .last_seen_ms = sqlite3_column_int64(query, 17),
        .next_retry_ms = row_retry(query, 18),
        .resolved_ms = sqlite3_column_int64(query, 19),
    };
    result->position = sqlite3_column_int64(query, 0);
}

/* One more than the limit shows that there are more. */
static void list_read(struct store_connection *connection, struct list_operation *listing)
{
    bool more = false;
    sqlite3_stmt *query = store_query(connection, listing->rows_sql);
    store_bind_number(connection, query, 1, store_limit(listing->limit) + 1);
    store_bind_number(connection, query, 2, listing->before);
    if (listing->id != NULL)
        store_bind_text(connection, query, 3, listing->id);
    while (!more && store_row(connection, query)) {
        more = listing->result.count == listing->limit;
        if (!more)
            row_keep(listing, query);
    }
    store_end(query);
    if (!more)
        listing->result.position = 0;
}

static void list_run(struct store_connection *connection, struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    list_read(connection, listing);
    listing->result.rows = listing->rows;
    if (!listing->counts)
        return;
    sqlite3_stmt *query = store_query(connection, listing->count_sql);
    listing->result.total = (uint64_t)store_run_number(connection, query);
}

static void list_finish(struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    listing->done(operation->argument, operation->failure,
                  operation->failure == NULL ? &listing->result : NULL);
    memory_free(listing->rows);
    memory_free(listing->id);
    store_strings_release(&listing->strings);
}

static struct list_operation *list_create(int64_t position, size_t limit, store_failures_done *done,
                                          void *argument)
{
    struct list_operation *listing =
        store_operation_create(sizeof *listing, list_run, NULL, argument);
    listing->operation.finish = list_finish;
    listing->before = position == 0 ? INT64_MAX : position;
    listing->limit = limit;
    listing->done = done;
    return listing;
}

void store_failures_list(struct store *store, bool all, int64_t position, size_t limit,
                         store_failures_done *done, void *argument)
{
    struct list_operation *listing = list_create(position, limit, done, argument);
    listing->rows_sql = all ? STORE_SQL_FAILURE_ROWS_ALL : STORE_SQL_FAILURE_ROWS_OPEN;
    listing->count_sql = all ? STORE_SQL_FAILURE_COUNT_ALL : STORE_SQL_FAILURE_COUNT_OPEN;
    listing->counts = true;
    store_start_read(store, &listing->operation);
}

void store_failures_refused(struct store *store, const char *id, int64_t position, size_t limit,
                            store_failures_done *done, void *argument)
{
    struct list_operation *listing = list_create(position, limit, done, argument);
    listing->rows_sql =
        id == NULL ? STORE_SQL_FAILURE_ROWS_REFUSED : STORE_SQL_FAILURE_ROWS_REFUSED_ONE;
    listing->id = memory_copy_string(id);
    store_start_read(store, &listing->operation);
}

void store_failures_left(struct store *store, int64_t position, size_t limit,
                         store_failures_done *done, void *argument)
{
    struct list_operation *listing = list_create(position, limit, done, argument);
    listing->rows_sql = STORE_SQL_FAILURE_ROWS_LEFT;
    store_start_read(store, &listing->operation);
}

/* --- of those that were refused: how many, and that they are over --- */

struct count_operation {
    struct store_operation operation;
    uint64_t *count;
};

static void count_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct count_operation *counting = (const struct count_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_COUNT_REFUSED);
    store_bind_number(connection, query, 2, INT64_MAX);
    *counting->count = (uint64_t)store_run_number(connection, query);
}

void store_failures_count_refused(struct store *store, uint64_t *count, store_done *done,
                                  void *argument)
{
    struct count_operation *counting =
        store_operation_create(sizeof *counting, count_run, done, argument);
    counting->count = count;
    store_start_read(store, &counting->operation);
}

enum { RESOLVE_ALERTS = 1000 }; /* others by the next one, or when the store is tidied */

struct resolve_operation {
    struct store_operation operation;
    char **ids; /* owned */
    size_t count;
    int64_t now_ms;
};

static void resolve_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct resolve_operation *resolving = (const struct resolve_operation *)operation;
    for (size_t i = 0; i < resolving->count; i++)
        store_resolve_submission(connection, resolving->ids[i], resolving->now_ms);
    store_alerts_resolve_gone(connection, RESOLVE_ALERTS, resolving->now_ms);
}

static void resolve_finish(struct store_operation *operation)
{
    struct resolve_operation *resolving = (struct resolve_operation *)operation;
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    for (size_t i = 0; i < resolving->count; i++)
        memory_free(resolving->ids[i]);
    memory_free(resolving->ids);
}

void store_failures_resolve_messages(struct store *store, const char *const *ids, size_t count,
                                     int64_t now_ms, store_done *done, void *argument)
{
    struct resolve_operation *resolving =
        store_operation_create(sizeof *resolving, resolve_run, done, argument);
    resolving->operation.finish = resolve_finish;
    resolving->ids = memory_allocate_array(count + 1, sizeof *resolving->ids);
    for (size_t i = 0; i < count; i++)
        resolving->ids[i] = memory_copy_string(ids[i]);
    resolving->count = count;
    resolving->now_ms = now_ms;
    store_start_write(store, &resolving->operation);
}

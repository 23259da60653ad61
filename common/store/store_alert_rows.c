/* Alerts as people read them, each with its failure. */
#include "store/store_private.h"

#include "base/memory.h"

/* Strings that are NULL in the database are none; "" for all but the subject. */
static const char *row_text(struct store_alert_reader *reader, sqlite3_stmt *query, int column)
{
    const char *text = store_strings_column(&reader->strings, query, column);
    return text != NULL ? text : "";
}

static void row_keep(struct store_alert_reader *reader, sqlite3_stmt *query)
{
    if (reader->count == reader->capacity) {
        reader->capacity = reader->capacity == 0 ? 16 : 2 * reader->capacity;
        reader->rows = memory_resize(reader->rows, reader->capacity * sizeof *reader->rows);
    }
    reader->rows[reader->count++] = (struct store_alert_row){
        .id = sqlite3_column_int64(query, 0),
        .level = (enum store_alert_level)sqlite3_column_int(query, 1),
        .told = (enum store_alert_told)sqlite3_column_int(query, 2),
        .told_reason = row_text(reader, query, 3),
        .scope = row_text(reader, query, 4),
        .profile = row_text(reader, query, 5),
        .mailbox = row_text(reader, query, 6),
        .direction = row_text(reader, query, 7),
        .category = row_text(reader, query, 8),
        .code = row_text(reader, query, 9),
        .step = row_text(reader, query, 10),
        .subject = store_strings_column(&reader->strings, query, 11),
        .opening = row_text(reader, query, 12),
        .sentence = row_text(reader, query, 13),
        .remedy = row_text(reader, query, 14),
        .text = row_text(reader, query, 15),
        .activity = row_text(reader, query, 16),
        .trace = row_text(reader, query, 17),
        .http_status = sqlite3_column_int(query, 18),
        .opened_ms = sqlite3_column_int64(query, 19),
        .last_seen_ms = sqlite3_column_int64(query, 20),
        .resolved_ms = sqlite3_column_int64(query, 21),
        .count = (uint32_t)sqlite3_column_int64(query, 22),
        .absorbs = sqlite3_column_int(query, 23) != 0,
        .submission = row_text(reader, query, 24),
    };
}

void store_alert_reader_fill(struct store_connection *connection, struct store_alert_reader *reader,
                             sqlite3_stmt *query)
{
    store_strings_release(&reader->strings);
    reader->count = 0;
    while (store_row(connection, query))
        row_keep(reader, query);
}

void store_alert_reader_release(struct store_alert_reader *reader)
{
    memory_free(reader->rows);
    store_strings_release(&reader->strings);
}

int64_t store_limit(size_t limit)
{
    return limit < INT32_MAX ? (int64_t)limit : INT32_MAX;
}

/* --- list, and find --- */

struct list_operation {
    struct store_operation operation;
    enum store_sql rows;
    enum store_sql count;
    int64_t id; /* before it, or it alone */
    size_t limit;
    store_alerts_done *done;
    struct store_alert_reader reader;
    uint64_t total;
};

static void list_run(struct store_connection *connection, struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    sqlite3_stmt *query = store_query(connection, listing->rows);
    store_bind_number(connection, query, 1, store_limit(listing->limit));
    store_bind_number(connection, query, 2, listing->id);
    store_alert_reader_fill(connection, &listing->reader, query);
    query = store_query(connection, listing->count);
    listing->total = (uint64_t)store_run_number(connection, query);
}

static void find_run(struct store_connection *connection, struct store_operation *operation)
{
    struct list_operation *finding = (struct list_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_ROWS_ONE);
    store_bind_number(connection, query, 1, finding->id);
    store_alert_reader_fill(connection, &finding->reader, query);
    finding->total = finding->reader.count;
}

static void list_finish(struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    const struct store_alert_rows alerts = {
        .rows = listing->reader.rows, .count = listing->reader.count, .total = listing->total};
    listing->done(operation->argument, operation->failure,
                  operation->failure == NULL ? &alerts : NULL);
    store_alert_reader_release(&listing->reader);
}

void store_alerts_list(struct store *store, bool all, int64_t before, size_t limit,
                       store_alerts_done *done, void *argument)
{
    struct list_operation *listing =
        store_operation_create(sizeof *listing, list_run, NULL, argument);
    listing->operation.finish = list_finish;
    listing->rows = all ? STORE_SQL_ALERT_ROWS_ALL : STORE_SQL_ALERT_ROWS_OPEN;
    listing->count = all ? STORE_SQL_ALERT_COUNT_ALL : STORE_SQL_ALERT_COUNT_OPEN;
    listing->id = before == 0 ? INT64_MAX : before;
    listing->limit = limit;
    listing->done = done;
    store_start_read(store, &listing->operation);
}

void store_alert_find(struct store *store, int64_t id, store_alerts_done *done, void *argument)
{
    struct list_operation *finding =
        store_operation_create(sizeof *finding, find_run, NULL, argument);
    finding->operation.finish = list_finish;
    finding->id = id;
    finding->done = done;
    store_start_read(store, &finding->operation);
}

/* --- count --- */

struct count_operation {
    struct store_operation operation;
    void (*each)(void *argument, const struct store_alert_count *count);
    struct store_alert_count *counts;
    size_t count;
    size_t capacity;
    struct store_strings strings;
};

static void count_run(struct store_connection *connection, struct store_operation *operation)
{
    struct count_operation *counting = (struct count_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_COUNT_PROFILES);
    while (store_row(connection, query)) {
        if (counting->count == counting->capacity) {
            counting->capacity = counting->capacity == 0 ? 16 : 2 * counting->capacity;
            counting->counts =
                memory_resize(counting->counts, counting->capacity * sizeof *counting->counts);
        }
        counting->counts[counting->count++] = (struct store_alert_count){
            .profile = store_strings_column(&counting->strings, query, 0),
            .level = (enum store_alert_level)sqlite3_column_int(query, 1),
            .count = (uint64_t)sqlite3_column_int64(query, 2),
            .items = (uint64_t)sqlite3_column_int64(query, 3),
        };
    }
}

static void count_finish(struct store_operation *operation)
{
    struct count_operation *counting = (struct count_operation *)operation;
    for (size_t i = 0; operation->failure == NULL && i < counting->count; i++)
        counting->each(operation->argument, &counting->counts[i]);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(counting->counts);
    store_strings_release(&counting->strings);
}

void store_alerts_count(struct store *store,
                        void (*each)(void *argument, const struct store_alert_count *count),
                        store_done *done, void *argument)
{
    struct count_operation *counting =
        store_operation_create(sizeof *counting, count_run, done, argument);
    counting->operation.finish = count_finish;
    counting->each = each;
    store_start_read(store, &counting->operation);
}

#include "store/store_private.h"

#include "base/memory.h"

struct open_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    int64_t now_ms;
    int64_t position; /* the row after which the unacknowledged ones go on */
    size_t limit;
    store_open_items_done *done;
    struct store_open_items result;
    size_t capacity;
    struct store_strings strings;
};

static void open_keep(struct open_operation *opening, enum store_open_kind kind,
                      sqlite3_stmt *query)
{
    struct store_open_items *result = &opening->result;
    if (result->count == opening->capacity) {
        opening->capacity = opening->capacity == 0 ? 16 : 2 * opening->capacity;
        result->items = memory_resize(result->items, opening->capacity * sizeof *result->items);
    }
    struct store_open_item *item = &result->items[result->count++];
    *item = (struct store_open_item){
        .kind = kind,
        .received_ms = sqlite3_column_int64(query, 2),
        .attempts = (uint32_t)sqlite3_column_int64(query, 3),
        .name = store_strings_column(&opening->strings, query, 4),
        .reference = store_strings_column(&opening->strings, query, 5),
    };
    store_column_digest(query, 0, &item->key.item);
    item->key.has_fingerprint = store_column_digest(query, 1, &item->key.fingerprint);
    if (kind == STORE_OPEN_UNACKNOWLEDGED)
        result->position = sqlite3_column_int64(query, 6);
}

/* Reads rows of one kind, bound by a time or a row; at most `limit` more of them are kept, and one
 * more shows that there are more. */
static void open_read(struct store_connection *connection, struct open_operation *opening,
                      enum store_open_kind kind, enum store_sql sql, int64_t bound, size_t limit)
{
    size_t end =
        limit > SIZE_MAX - opening->result.count ? SIZE_MAX : opening->result.count + limit;
    sqlite3_stmt *query = store_query(connection, sql);
    int parameters = query != NULL ? sqlite3_bind_parameter_count(query) : 0;
    store_bind_number(connection, query, 1, opening->mailbox.number);
    if (parameters > 1)
        store_bind_number(connection, query, 2, limit < INT32_MAX ? (int64_t)limit + 1 : -1);
    if (parameters > 2)
        store_bind_number(connection, query, 3, bound);
    while (store_row(connection, query)) {
        opening->result.more = opening->result.count == end;
        if (opening->result.more)
            break;
        open_keep(opening, kind, query);
    }
    store_end(query);
}

/* From where the last call ended to the end, and round. */
static void open_read_unacknowledged(struct store_connection *connection,
                                     struct open_operation *opening, size_t limit)
{
    size_t before = opening->result.count;
    open_read(connection, opening, STORE_OPEN_UNACKNOWLEDGED, STORE_SQL_OPEN_UNACKNOWLEDGED,
              opening->position, limit);
    if (!opening->result.more && opening->position > 0)
        open_read(connection, opening, STORE_OPEN_UNACKNOWLEDGED,
                  STORE_SQL_OPEN_UNACKNOWLEDGED_BEFORE, opening->position,
                  limit - (opening->result.count - before));
}

static bool open_waiting(struct store_connection *connection, const struct open_operation *opening)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_OPEN_WAITING);
    store_bind_number(connection, query, 1, opening->mailbox.number);
    store_bind_number(connection, query, 2, opening->now_ms);
    bool waiting = store_row(connection, query);
    store_end(query);
    return waiting;
}

static void open_run(struct store_connection *connection, struct store_operation *operation)
{
    struct open_operation *opening = (struct open_operation *)operation;
    opening->result.position = opening->position;
    open_read(connection, opening, STORE_OPEN_DELIVERING, STORE_SQL_OPEN_DELIVERING, 0, SIZE_MAX);
    open_read(connection, opening, STORE_OPEN_UNDELIVERABLE, STORE_SQL_OPEN_UNDELIVERABLE, 0,
              (opening->limit + 3) / 4);
    bool more_undeliverable = opening->result.more;
    size_t before = opening->result.count;
    open_read(connection, opening, STORE_OPEN_FAILED, STORE_SQL_OPEN_FAILED, opening->now_ms,
              opening->limit);
    if (!opening->result.more)
        open_read_unacknowledged(connection, opening,
                                 opening->limit - (opening->result.count - before));
    if (!opening->result.more)
        opening->result.position = 0;
    opening->result.more = opening->result.more || more_undeliverable;
    opening->result.waiting = open_waiting(connection, opening);
}

static void open_finish(struct store_operation *operation)
{
    struct open_operation *opening = (struct open_operation *)operation;
    opening->done(operation->argument, operation->failure,
                  operation->failure == NULL ? &opening->result : NULL);
    memory_free(opening->result.items);
    store_strings_release(&opening->strings);
}

void store_open_items(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                      int64_t position, size_t limit, store_open_items_done *done, void *argument)
{
    struct open_operation *opening =
        store_operation_create(sizeof *opening, open_run, NULL, argument);
    opening->operation.finish = open_finish;
    opening->mailbox = mailbox;
    opening->now_ms = now_ms;
    opening->position = position;
    opening->limit = limit;
    opening->done = done;
    store_start_read(store, &opening->operation);
}

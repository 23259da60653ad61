/* The queue of outgoing messages as administrators see and change it. */
#include "store/store_actions.h"
#include "store/store_private.h"

#include "base/memory.h"

/* --- lists --- */

struct list_operation {
    struct store_operation operation;
    char *id; /* owned; NULL: a list */
    int64_t mailbox;
    enum store_queue_part part;
    struct store_queue_position behind;
    size_t limit;
    store_queue_done *done;
    struct store_queued *rows;
    size_t count;
    size_t capacity;
    struct store_strings strings;
};

static void list_keep(struct list_operation *listing, sqlite3_stmt *query)
{
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity == 0 ? 16 : 2 * listing->capacity;
        listing->rows = memory_resize(listing->rows, listing->capacity * sizeof *listing->rows);
    }
    struct store_strings *strings = &listing->strings;
    struct store_queued *row = &listing->rows[listing->count++];
    *row = (struct store_queued){
        .held_since_ms = sqlite3_column_int64(query, 16),
        .removal = store_strings_column(strings, query, 17),
        .finished_ms = sqlite3_column_int64(query, 18),
        .mailbox = {.number = sqlite3_column_int64(query, 19),
                    .lease = (uint32_t)sqlite3_column_int64(query, 20)},
        .address = store_strings_column(strings, query, 21),
        .profile = store_strings_column(strings, query, 22),
        .mailbox_removed = sqlite3_column_int(query, 23) != 0,
        .code = store_strings_column(strings, query, 24),
        .sentence = store_strings_column(strings, query, 25),
        .text = store_strings_column(strings, query, 26),
        .remedy = store_strings_column(strings, query, 27),
        .dealt_with_ms = sqlite3_column_int64(query, 28),
        .dealt_with = store_strings_column(strings, query, 29),
    };
    store_submission_read(query, strings, &row->submission);
}

static sqlite3_stmt *list_query(struct store_connection *connection,
                                const struct list_operation *listing)
{
    static const enum store_sql parts[] = {
        [STORE_QUEUE_WAITING] = STORE_SQL_QUEUE_WAITING,
        [STORE_QUEUE_FAILED] = STORE_SQL_QUEUE_FAILED,
        [STORE_QUEUE_REMOVING] = STORE_SQL_QUEUE_REMOVING,
    };
    if (listing->id != NULL) {
        sqlite3_stmt *query = store_query(connection, STORE_SQL_QUEUE_FIND);
        store_bind_text(connection, query, 1, listing->id);
        return query;
    }
    int64_t only = listing->mailbox;
    bool first = listing->behind.mailbox == 0;
    sqlite3_stmt *query = store_query(connection, parts[listing->part]);
    store_bind_number(connection, query, 1, first ? only : listing->behind.mailbox);
    store_bind_number(connection, query, 2, listing->behind.order);
    store_bind_number(connection, query, 3, only == 0 ? INT64_MAX : only);
    store_bind_number(connection, query, 4, store_limit(listing->limit));
    return query;
}

static void list_run(struct store_connection *connection, struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    sqlite3_stmt *query = list_query(connection, listing);
    while (store_row(connection, query))
        list_keep(listing, query);
}

static void list_finish(struct store_operation *operation)
{
    struct list_operation *listing = (struct list_operation *)operation;
    bool failed = operation->failure != NULL;
    listing->done(operation->argument, operation->failure, failed ? NULL : listing->rows,
                  failed ? 0 : listing->count);
    memory_free(listing->rows);
    memory_free(listing->id);
    store_strings_release(&listing->strings);
}

static struct list_operation *list_create(store_queue_done *done, void *argument)
{
    struct list_operation *listing =
        store_operation_create(sizeof *listing, list_run, NULL, argument);
    listing->operation.finish = list_finish;
    listing->done = done;
    return listing;
}

void store_queue_list(struct store *store, int64_t mailbox, enum store_queue_part part,
                      struct store_queue_position behind, size_t limit, store_queue_done *done,
                      void *argument)
{
    struct list_operation *listing = list_create(done, argument);
    listing->mailbox = mailbox;
    listing->part = part;
    listing->behind = behind;
    listing->limit = limit;
    store_start_read(store, &listing->operation);
}

void store_queue_find(struct store *store, const char *id, store_queue_done *done, void *argument)
{
    struct list_operation *listing = list_create(done, argument);
    listing->id = memory_copy_string(id);
    store_start_read(store, &listing->operation);
}

/* --- how many are held --- */

struct held_count {
    int64_t mailbox;
    uint64_t held;
};

struct held_operation {
    struct store_operation operation;
    void (*each)(void *argument, int64_t mailbox, uint64_t held);
    struct held_count *counts;
    size_t count;
    size_t capacity;
};

static void held_run(struct store_connection *connection, struct store_operation *operation)
{
    struct held_operation *holding = (struct held_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_QUEUE_HELD);
    while (store_row(connection, query)) {
        if (holding->count == holding->capacity) {
            holding->capacity = holding->capacity == 0 ? 16 : 2 * holding->capacity;
            holding->counts =
                memory_resize(holding->counts, holding->capacity * sizeof *holding->counts);
        }
        holding->counts[holding->count++] =
            (struct held_count){.mailbox = sqlite3_column_int64(query, 0),
                                .held = (uint64_t)sqlite3_column_int64(query, 1)};
    }
}

static void held_finish(struct store_operation *operation)
{
    const struct held_operation *holding = (const struct held_operation *)operation;
    for (size_t i = 0; operation->failure == NULL && i < holding->count; i++)
        holding->each(operation->argument, holding->counts[i].mailbox, holding->counts[i].held);
    operation->done(operation->argument, operation->failure);
    memory_free(holding->counts);
}

void store_queue_held(struct store *store,
                      void (*each)(void *argument, int64_t mailbox, uint64_t held),
                      store_done *done, void *argument)
{
    struct held_operation *holding =
        store_operation_create(sizeof *holding, held_run, done, argument);
    holding->operation.finish = held_finish;
    holding->each = each;
    store_start_read(store, &holding->operation);
}

/* --- changes of one message --- */

struct change_operation {
    struct store_operation operation;
    enum store_sql sql;
    struct store_mailbox mailbox;
    char *id;     /* owned, as the next */
    char *reason; /* NULL: none */
    bool stray;
    int64_t now_ms;
    bool *changed;
};

static void change_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct change_operation *changing = (const struct change_operation *)operation;
    store_check_lease(connection, changing->mailbox);
    sqlite3_stmt *query = store_query(connection, changing->sql);
    store_bind_text(connection, query, 1, changing->id);
    store_bind_number(connection, query, 2, changing->mailbox.number);
    if (changing->sql != STORE_SQL_QUEUE_RETRY)
        store_bind_number(connection, query, 3, changing->now_ms);
    if (changing->reason != NULL)
        store_bind_text(connection, query, 4, changing->reason);
    else if (changing->sql == STORE_SQL_QUEUE_REMOVED)
        store_bind_number(connection, query, 4, changing->stray);
    *changing->changed = store_run(connection, query) > 0;
    if (*changing->changed && changing->sql == STORE_SQL_QUEUE_REMOVED)
        store_resolve_submission(connection, changing->id, changing->now_ms);
}

static void change_finish(struct store_operation *operation)
{
    struct change_operation *changing = (struct change_operation *)operation;
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(changing->id);
    memory_free(changing->reason);
}

static struct change_operation *change_create(enum store_sql sql, struct store_mailbox mailbox,
                                              const char *id, bool *changed, store_done *done,
                                              void *argument)
{
    struct change_operation *changing =
        store_operation_create(sizeof *changing, change_run, done, argument);
    changing->operation.finish = change_finish;
    changing->sql = sql;
    changing->mailbox = mailbox;
    changing->id = memory_copy_string(id);
    changing->changed = changed;
    return changing;
}

void store_queue_hold(struct store *store, struct store_mailbox mailbox, const char *id,
                      int64_t now_ms, bool *changed, store_done *done, void *argument)
{
    struct change_operation *changing =
        change_create(STORE_SQL_QUEUE_HOLD, mailbox, id, changed, done, argument);
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

void store_queue_release(struct store *store, struct store_mailbox mailbox, const char *id,
                         int64_t now_ms, bool *changed, store_done *done, void *argument)
{
    struct change_operation *changing =
        change_create(STORE_SQL_QUEUE_RELEASE, mailbox, id, changed, done, argument);
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

void store_queue_retry(struct store *store, struct store_mailbox mailbox, const char *id,
                       bool *changed, store_done *done, void *argument)
{
    store_start_write(
        store,
        &change_create(STORE_SQL_QUEUE_RETRY, mailbox, id, changed, done, argument)->operation);
}

void store_queue_removal(struct store *store, struct store_mailbox mailbox, const char *id,
                         const char *reason, int64_t now_ms, bool *changed, store_done *done,
                         void *argument)
{
    struct change_operation *changing =
        change_create(STORE_SQL_QUEUE_REMOVAL, mailbox, id, changed, done, argument);
    changing->reason = memory_copy_string(reason);
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

void store_queue_lapsed(struct store *store, struct store_mailbox mailbox, const char *id,
                        const char *reason, int64_t now_ms, bool *changed, store_done *done,
                        void *argument)
{
    struct change_operation *changing =
        change_create(STORE_SQL_QUEUE_LAPSED, mailbox, id, changed, done, argument);
    changing->reason = memory_copy_string(reason);
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

void store_queue_removed(struct store *store, struct store_mailbox mailbox, const char *id,
                         bool stray, int64_t now_ms, bool *changed, store_done *done,
                         void *argument)
{
    struct change_operation *changing =
        change_create(STORE_SQL_QUEUE_REMOVED, mailbox, id, changed, done, argument);
    changing->stray = stray;
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

/* --- all of them --- */

struct flush_operation {
    struct store_operation operation;
    int64_t mailbox;
    uint64_t *count;
};

static void flush_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct flush_operation *flushing = (const struct flush_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_QUEUE_FLUSH);
    if (flushing->mailbox != 0)
        store_bind_number(connection, query, 1, flushing->mailbox);
    *flushing->count = (uint64_t)store_run(connection, query);
}

void store_queue_flush(struct store *store, int64_t mailbox, uint64_t *count, store_done *done,
                       void *argument)
{
    struct flush_operation *flushing =
        store_operation_create(sizeof *flushing, flush_run, done, argument);
    flushing->mailbox = mailbox;
    flushing->count = count;
    store_start_write(store, &flushing->operation);
}

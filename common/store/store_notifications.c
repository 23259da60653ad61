/* What is to be told to a profile's owner, and the messages that tell it. */
#include "store/store_private.h"

#include "base/clock.h"
#include "base/memory.h"

/* --- look --- */

struct look_operation {
    struct store_operation operation;
    char *profile; /* owned, as the next one */
    char *owner;
    int64_t since_ms;
    int64_t now_ms;
    size_t limit;
    store_notify_done *done;
    struct store_notify_state state;
    struct store_alert_reader untold;
    struct store_alert_reader over;
};

/* A statement about the profile. */
static sqlite3_stmt *look_query(struct store_connection *connection,
                                const struct look_operation *looking, enum store_sql sql)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_text(connection, query, 1, looking->profile);
    return query;
}

/* Up to the limit, and how many there are; returns the last one's turn. */
static int64_t look_rows(struct store_connection *connection, const struct look_operation *looking,
                         enum store_sql rows, enum store_sql count,
                         struct store_alert_reader *reader, struct store_alert_rows *alerts)
{
    int64_t last = 0;
    sqlite3_stmt *query = look_query(connection, looking, rows);
    store_bind_number(connection, query, 2, store_limit(looking->limit));
    store_alert_reader_fill(connection, reader, query);
    query = look_query(connection, looking, count);
    if (store_row(connection, query)) {
        alerts->total = (uint64_t)sqlite3_column_int64(query, 0);
        last = sqlite3_column_int64(query, 1);
    }
    store_end(query);
    alerts->rows = reader->rows;
    alerts->count = reader->count;
    return last;
}

static void look_recent(struct store_connection *connection, struct look_operation *looking)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTIFICATION_RECENT);
    store_bind_text(connection, query, 1, looking->owner);
    store_bind_number(connection, query, 2, looking->since_ms);
    store_bind_number(connection, query, 3, looking->now_ms);
    if (store_row(connection, query)) {
        looking->state.recent = (uint32_t)sqlite3_column_int64(query, 0);
        looking->state.recent_first_ms = sqlite3_column_int64(query, 1);
    }
    store_end(query);
}

static void look_run(struct store_connection *connection, struct store_operation *operation)
{
    struct look_operation *looking = (struct look_operation *)operation;
    struct store_notify_state *state = &looking->state;
    state->untold_last = look_rows(connection, looking, STORE_SQL_ALERT_ROWS_UNTOLD,
                                   STORE_SQL_ALERT_COUNT_UNTOLD, &looking->untold, &state->untold);
    state->over_last = look_rows(connection, looking, STORE_SQL_ALERT_ROWS_OVER,
                                 STORE_SQL_ALERT_COUNT_OVER, &looking->over, &state->over);
    state->open_told = (uint64_t)store_run_number(
        connection, look_query(connection, looking, STORE_SQL_ALERT_COUNT_KNOWN));
    state->pending = store_run_number(connection, look_query(connection, looking,
                                                             STORE_SQL_NOTIFICATION_PENDING)) != 0;
    look_recent(connection, looking);
}

static void look_finish(struct store_operation *operation)
{
    struct look_operation *looking = (struct look_operation *)operation;
    looking->done(operation->argument, operation->failure,
                  operation->failure == NULL ? &looking->state : NULL);
    memory_free(looking->profile);
    memory_free(looking->owner);
    store_alert_reader_release(&looking->untold);
    store_alert_reader_release(&looking->over);
}

void store_notify_look(struct store *store, const char *profile, const char *owner,
                       int64_t since_ms, size_t limit, store_notify_done *done, void *argument)
{
    struct look_operation *looking =
        store_operation_create(sizeof *looking, look_run, NULL, argument);
    looking->operation.finish = look_finish;
    looking->profile = memory_copy_string(profile);
    looking->owner = memory_copy_string(owner);
    looking->since_ms = since_ms;
    looking->now_ms = clock_wall_ms();
    looking->limit = limit;
    looking->done = done;
    store_start_read(store, &looking->operation);
}

/* --- add --- */

struct add_operation {
    struct store_operation operation;
    const struct store_notification *notification; /* the caller's */
    int64_t now_ms;
    bool *added;
};

/* A statement about the profile's alerts up to the last one that the notification tells of. */
static sqlite3_stmt *add_query(struct store_connection *connection,
                               const struct store_notification *notification,
                               enum store_sql of_trouble, enum store_sql of_well)
{
    bool trouble = notification->kind == STORE_NOTIFICATION_TROUBLE;
    sqlite3_stmt *query = store_query(connection, trouble ? of_trouble : of_well);
    store_bind_text(connection, query, 1, notification->profile);
    store_bind_number(connection, query, 2, notification->alerts_up_to);
    return query;
}

static int64_t add_message(struct store_connection *connection,
                           const struct store_notification *notification, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTIFICATION_ADD);
    store_bind_text(connection, query, 1, notification->id);
    store_bind_text(connection, query, 2, notification->profile);
    store_bind_text(connection, query, 3, notification->owner);
    store_bind_number(connection, query, 4, notification->kind);
    store_bind_number(connection, query, 5, now_ms);
    store_bind_text(connection, query, 6, notification->message);
    store_bind_text(connection, query, 7, notification->json);
    return store_run_number(connection, query);
}

static void add_notices(struct store_connection *connection,
                        const struct store_notification *notification, int64_t number)
{
    for (unsigned channel = 0; channel < STORE_CHANNELS; channel++) {
        if ((notification->channels & 1u << channel) == 0)
            continue;
        sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTICE_ADD);
        store_bind_number(connection, query, 1, number);
        store_bind_number(connection, query, 2, channel);
        store_bind_text(connection, query, 3, notification->profile);
        store_run(connection, query);
    }
}

static void add_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct add_operation *adding = (const struct add_operation *)operation;
    const struct store_notification *notification = adding->notification;
    sqlite3_stmt *query = add_query(connection, notification, STORE_SQL_NOTIFICATION_HAS_UNTOLD,
                                    STORE_SQL_NOTIFICATION_HAS_OVER);
    *adding->added = store_run_number(connection, query) != 0;
    if (!*adding->added)
        return;
    int64_t number = add_message(connection, notification, adding->now_ms);
    add_notices(connection, notification, number);
    query = add_query(connection, notification, STORE_SQL_NOTIFICATION_TAKE_UNTOLD,
                      STORE_SQL_NOTIFICATION_TAKE_OVER);
    if (notification->kind == STORE_NOTIFICATION_TROUBLE)
        store_bind_number(connection, query, 3, number);
    store_run(connection, query);
}

void store_notification_add(struct store *store, const struct store_notification *notification,
                            int64_t now_ms, bool *added, store_done *done, void *argument)
{
    struct add_operation *adding = store_operation_create(sizeof *adding, add_run, done, argument);
    adding->notification = notification;
    adding->now_ms = now_ms;
    adding->added = added;
    store_start_write(store, &adding->operation);
}

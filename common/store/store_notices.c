/* Notifications on their way: one notice for each channel. */
#include "store/store_private.h"

#include "base/memory.h"

#include <string.h>

/* --- waiting --- */

struct waiting_operation {
    struct store_operation operation;
    char *profile; /* owned */
    store_notices_done *done;
    struct store_notice notices[STORE_CHANNELS];
    size_t count;
    struct store_strings strings;
};

static void waiting_keep(struct waiting_operation *waiting, sqlite3_stmt *query, unsigned channel)
{
    struct store_notice *notice = &waiting->notices[waiting->count++];
    *notice = (struct store_notice){
        .channel = channel,
        .kind = (enum store_notification_kind)sqlite3_column_int(query, 1),
        .attempts = (uint32_t)sqlite3_column_int64(query, 2),
        .created_ms = sqlite3_column_int64(query, 3),
        .next_try_ms = sqlite3_column_int64(query, 4),
        .owner = store_strings_column(&waiting->strings, query, 5),
        .message = store_strings_column(&waiting->strings, query, 6),
        .json = store_strings_column(&waiting->strings, query, 7),
        .handed = sqlite3_column_int(query, 8) != 0,
        .channels = (unsigned)sqlite3_column_int(query, 9),
    };
    strncpy(notice->id, (const char *)sqlite3_column_text(query, 0), sizeof notice->id - 1);
}

static void waiting_run(struct store_connection *connection, struct store_operation *operation)
{
    struct waiting_operation *waiting = (struct waiting_operation *)operation;
    for (unsigned channel = 0; channel < STORE_CHANNELS; channel++) {
        sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTICE_WAITING);
        store_bind_text(connection, query, 1, waiting->profile);
        store_bind_number(connection, query, 2, channel);
        if (store_row(connection, query))
            waiting_keep(waiting, query, channel);
        store_end(query);
    }
}

static void waiting_finish(struct store_operation *operation)
{
    struct waiting_operation *waiting = (struct waiting_operation *)operation;
    bool failed = operation->failure != NULL;
    waiting->done(operation->argument, operation->failure, failed ? NULL : waiting->notices,
                  failed ? 0 : waiting->count);
    memory_free(waiting->profile);
    store_strings_release(&waiting->strings);
}

void store_notices_waiting(struct store *store, const char *profile, store_notices_done *done,
                           void *argument)
{
    struct waiting_operation *waiting =
        store_operation_create(sizeof *waiting, waiting_run, NULL, argument);
    waiting->operation.finish = waiting_finish;
    waiting->profile = memory_copy_string(profile);
    waiting->done = done;
    store_start_read(store, &waiting->operation);
}

/* --- result --- */

struct result_operation {
    struct store_operation operation;
    char id[STORE_NOTIFICATION_ID_SIZE];
    unsigned channel;
    enum store_notice_outcome outcome;
    char *reason; /* owned */
    int64_t next_try_ms;
    int64_t now_ms;
    size_t limit;
    store_alerts_done *done;
    struct store_alert_reader reader; /* the alerts whose `told` changed */
    uint64_t total;
};

/* The notices of the notification that still wait. */
struct result_left {
    int64_t waiting;
    int64_t untried;
};

/* Its number; 0: the notice is unknown or does not wait. `*pending`: no channel has handed the
 * notification over. */
static int64_t result_find(struct store_connection *connection,
                           const struct result_operation *result, bool *pending)
{
    int64_t number = 0;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTICE_FIND);
    store_bind_text(connection, query, 1, result->id);
    store_bind_number(connection, query, 2, result->channel);
    if (store_row(connection, query)) {
        number = sqlite3_column_int64(query, 0);
        *pending = sqlite3_column_int(query, 1) != 0;
    }
    store_end(query);
    return number;
}

static void result_settle_notice(struct store_connection *connection,
                                 const struct result_operation *result, int64_t number)
{
    static const enum store_notice_state states[] = {
        [STORE_NOTICE_HANDED] = STORE_NOTICE_STATE_HANDED,
        [STORE_NOTICE_FAILED] = STORE_NOTICE_STATE_WAITING,
        [STORE_NOTICE_DROPPED] = STORE_NOTICE_STATE_DROPPED,
    };
    sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTICE_SETTLE);
    store_bind_number(connection, query, 1, number);
    store_bind_number(connection, query, 2, result->channel);
    store_bind_number(connection, query, 3, states[result->outcome]);
    store_bind_number(connection, query, 4, result->next_try_ms);
    store_bind_text(connection, query, 5, result->reason);
    store_run(connection, query);
}

static struct result_left result_count_left(struct store_connection *connection, int64_t number)
{
    struct result_left left = {0};
    sqlite3_stmt *query = store_query(connection, STORE_SQL_NOTICE_STATES);
    store_bind_number(connection, query, 1, number);
    if (store_row(connection, query)) {
        left.waiting = sqlite3_column_int64(query, 0);
        left.untried = sqlite3_column_int64(query, 1);
    }
    store_end(query);
    return left;
}

/* One of the statements about the notification `number`. */
static sqlite3_stmt *result_query(struct store_connection *connection, enum store_sql sql,
                                  int64_t number)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, number);
    return query;
}

/* All of the notification's alerts change at once, or none. */
static void result_read(struct store_connection *connection, struct result_operation *result,
                        int64_t number)
{
    if (result->total == 0)
        return;
    sqlite3_stmt *query = result_query(connection, STORE_SQL_ALERT_ROWS_NOTIFIED, number);
    store_bind_number(connection, query, 2, store_limit(result->limit));
    store_alert_reader_fill(connection, &result->reader, query);
}

/* What has come since is told behind this one: as long as this one is not, for the same reason not.
 */
static void result_hold_back(struct store_connection *connection, int64_t number,
                             enum store_alert_told told, const char *reason)
{
    sqlite3_stmt *query = result_query(connection, STORE_SQL_NOTICE_HOLDS_BACK, number);
    store_bind_text(connection, query, 2, reason != NULL ? reason : "");
    store_bind_number(connection, query, 3, told);
    store_run(connection, query);
}

static void result_told(struct store_connection *connection, struct result_operation *result,
                        int64_t number)
{
    sqlite3_stmt *query = result_query(connection, STORE_SQL_NOTIFICATION_SETTLE, number);
    store_bind_number(connection, query, 2, result->now_ms);
    store_run(connection, query);
    query = result_query(connection, STORE_SQL_NOTICE_TOLD, number);
    store_bind_number(connection, query, 2, store_alert_turn(connection));
    result->total = (uint64_t)store_run(connection, query);
    result_hold_back(connection, number, STORE_TOLD_BEING, NULL);
    result_read(connection, result, number);
}

static void result_not_told(struct store_connection *connection, struct result_operation *result,
                            int64_t number)
{
    const char *reason = result->reason;
    sqlite3_stmt *query = result_query(connection, STORE_SQL_NOTICE_NOT_TOLD, number);
    store_bind_text(connection, query, 2, reason != NULL ? reason : "");
    result->total = (uint64_t)store_run(connection, query);
    if (result->total == 0 && reason != NULL) {
        query = result_query(connection, STORE_SQL_NOTICE_REASON, number);
        store_bind_text(connection, query, 2, reason);
        store_run(connection, query);
    }
    result_hold_back(connection, number, STORE_TOLD_NOT, reason);
    result_read(connection, result, number);
}

/* All channels have dropped it. */
static void result_give_up(struct store_connection *connection, int64_t number)
{
    store_run(connection, result_query(connection, STORE_SQL_NOTIFICATION_SETTLE, number));
    sqlite3_stmt *query = result_query(connection, STORE_SQL_NOTICE_UNGROUP, number);
    store_bind_number(connection, query, 2, store_alert_turn(connection));
    store_run(connection, query);
    store_run(connection, result_query(connection, STORE_SQL_NOTICE_DETACH, number));
}

static void result_run(struct store_connection *connection, struct store_operation *operation)
{
    struct result_operation *result = (struct result_operation *)operation;
    bool pending = false;
    result->total = 0;
    int64_t number = result_find(connection, result, &pending);
    if (number == 0)
        return;
    result_settle_notice(connection, result, number);
    struct result_left left = result_count_left(connection, number);
    if (pending && result->outcome == STORE_NOTICE_HANDED)
        result_told(connection, result, number);
    else if (pending && left.untried == 0)
        result_not_told(connection, result, number);
    if (pending && result->outcome == STORE_NOTICE_DROPPED && left.waiting == 0)
        result_give_up(connection, number);
    if (left.waiting == 0)
        store_run(connection, result_query(connection, STORE_SQL_NOTIFICATION_EMPTY, number));
}

static void result_finish(struct store_operation *operation)
{
    struct result_operation *result = (struct result_operation *)operation;
    const struct store_alert_rows alerts = {
        .rows = result->reader.rows,
        .count = result->total > 0 ? result->reader.count : 0,
        .total = result->total,
    };
    if (result->done != NULL)
        result->done(operation->argument, operation->failure,
                     operation->failure == NULL ? &alerts : NULL);
    memory_free(result->reason);
    store_alert_reader_release(&result->reader);
}

void store_notice_result(struct store *store, const struct store_notice_result *result,
                         int64_t now_ms, size_t limit, store_alerts_done *done, void *argument)
{
    struct result_operation *operation =
        store_operation_create(sizeof *operation, result_run, NULL, argument);
    operation->operation.finish = result_finish;
    strncpy(operation->id, result->id, sizeof operation->id - 1);
    operation->channel = result->channel;
    operation->outcome = result->outcome;
    operation->reason = memory_copy_string(result->reason);
    operation->next_try_ms = result->outcome == STORE_NOTICE_FAILED ? result->next_try_ms : 0;
    operation->now_ms = now_ms;
    operation->limit = limit;
    operation->done = done;
    store_start_write(store, &operation->operation);
}

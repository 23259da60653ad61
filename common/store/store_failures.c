#include "store/store_private.h"

#include "base/memory.h"

#include <stdio.h>

void store_failures_resolve_item(struct store_connection *connection, int64_t mailbox,
                                 const struct digest *item, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_RESOLVE_ITEM);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_digest(connection, query, 2, item);
    store_bind_number(connection, query, 3, now_ms);
    store_run(connection, query);
}

void store_resolve_direction(struct store_connection *connection, int64_t mailbox,
                             const char *direction, int64_t now_ms, struct store_resolved *resolved)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_RESOLVE_MAILBOX);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, direction);
    store_bind_number(connection, query, 3, now_ms);
    int64_t failures = store_run(connection, query);
    if (resolved != NULL)
        resolved->failures += (uint32_t)failures;
    query = store_query(connection, STORE_SQL_ALERTS_OF_MAILBOX);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, direction);
    store_alerts_resolve(connection, query, now_ms, resolved);
}

/* --- record --- */

struct record_operation {
    struct store_operation operation;
    struct failure failure;
    struct store_mailbox mailbox;
    int64_t now_ms;
    int64_t next_retry_ms;
    char *profile; /* owned, as the next five */
    char *direction;
    char *activity;
    char *reference;
    char *submission;
    char *trace;
    struct store_alert *alert; /* the caller's */
    bool has_item;
    struct store_failed_item item;
};

static const char *record_text(const char *text)
{
    return text != NULL ? text : "";
}

/* The same places in the statement that counts again and in the one that inserts. Returns the row's
 * id; 0: there is none to be counted again. */
static int64_t record_write(struct store_connection *connection,
                            const struct record_operation *record, enum store_sql sql)
{
    static const struct digest none;
    const struct failure *failure = &record->failure;
    sqlite3_stmt *query = store_query(connection, sql);
    if (record->mailbox.number != 0)
        store_bind_number(connection, query, 1, record->mailbox.number);
    if (record->has_item)
        store_bind_digest(connection, query, 2, &record->item.key.item);
    else if (query != NULL)
        sqlite3_bind_blob(query, 2, &none, 0, SQLITE_STATIC);
    store_bind_text(connection, query, 3, record_text(record->direction));
    store_bind_text(connection, query, 4, failure->step);
    store_bind_text(connection, query, 5, failure->code);
    store_bind_text(connection, query, 6, failure_category_name(failure->category));
    store_bind_text(connection, query, 7, failure_scope_name(failure->scope));
    store_bind_text(connection, query, 8, record_text(record->profile));
    store_bind_number(connection, query, 9, record->now_ms);
    store_bind_number(connection, query, 10, failure->http_status);
    store_bind_text(connection, query, 11, failure->text);
    store_bind_text(connection, query, 12, record_text(failure->sentence));
    store_bind_text(connection, query, 13, record_text(failure->remedy));
    store_bind_text(connection, query, 14, record_text(record->activity));
    store_bind_retry(connection, query, 15, record->next_retry_ms);
    store_bind_number(connection, query, 16, failure->permanent);
    store_bind_text(connection, query, 17, record_text(record->submission));
    store_bind_text(connection, query, 18, record_text(record->trace));
    return store_run_number(connection, query);
}

static void record_alert(struct store_connection *connection, const struct record_operation *record,
                         int64_t row)
{
    const struct failure *failure = &record->failure;
    bool of_item = failure->scope == FAILURE_SCOPE_ITEM;
    const struct store_alert_key key = {
        .mailbox = record->mailbox.number,
        .submission = of_item ? record_text(record->submission) : "",
        .profile = record_text(record->profile),
        .direction = record_text(record->direction),
        .category = failure_category_name(failure->category),
        .code = failure->code,
        .scope = failure_scope_name(failure->scope),
    };
    store_alert_record(connection, &key, row, record->now_ms, record->alert);
}

/* What a last cycle meets of a mailbox that has left the configuration would stay open: nobody
 * tries it again, and the registration has resolved what there was. What no cycle has met, of
 * messages whose mailbox is gone, say, is resolved by whoever records it. */
static bool record_is_gone(struct store_connection *connection,
                           const struct record_operation *record)
{
    if (record->activity == NULL || record->activity[0] == '\0')
        return false;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_IS_GONE);
    store_bind_number(connection, query, 1, record->mailbox.number);
    return store_run_number(connection, query) != 0;
}

static void record_failure(struct store_connection *connection,
                           const struct record_operation *record)
{
    int64_t row = record_write(connection, record, STORE_SQL_FAILURE_AGAIN);
    if (row == 0)
        row = record_write(connection, record, STORE_SQL_FAILURE_INSERT);
    if (record->alert != NULL)
        record_alert(connection, record, row);
}

static void record_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct record_operation *record = (const struct record_operation *)operation;
    if (record->mailbox.number != 0)
        store_check_lease(connection, record->mailbox);
    if (record->alert != NULL) {
        record->alert->id = 0;
        record->alert->change = STORE_ALERT_UNCHANGED;
    }
    if (!record_is_gone(connection, record))
        record_failure(connection, record);
    if (record->has_item)
        store_ledger_fail(connection, record->mailbox.number, &record->item, record->now_ms);
}

static void record_finish(struct store_operation *operation)
{
    struct record_operation *record = (struct record_operation *)operation;
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    memory_free(record->profile);
    memory_free(record->direction);
    memory_free(record->activity);
    memory_free(record->reference);
    memory_free(record->submission);
    memory_free(record->trace);
}

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    struct record_operation *record =
        store_operation_create(sizeof *record, record_run, done, argument);
    record->operation.finish = record_finish;
    record->failure = failure->failure;
    record->mailbox = failure->mailbox;
    record->now_ms = failure->now_ms;
    record->next_retry_ms = failure->set_aside ? INT64_MAX : failure->next_retry_ms;
    record->profile = memory_copy_string(failure->profile);
    record->direction = memory_copy_string(failure->direction);
    record->activity = memory_copy_string(failure->activity);
    record->submission = memory_copy_string(failure->submission);
    record->trace = memory_copy_string(failure->trace);
    record->alert = failure->alert;
    if (failure->item != NULL) {
        record->has_item = true;
        record->reference = memory_copy_string(failure->item->reference);
        record->item = (struct store_failed_item){
            .key = failure->item->key,
            .received_ms = failure->item->received_ms,
            .message = failure->item->message,
            .reference = record->reference,
            .attempts = failure->attempts,
            .next_retry_ms = failure->set_aside ? STORE_SET_ASIDE : failure->next_retry_ms,
        };
    }
    store_start_write(store, &record->operation);
}

/* --- probe --- */

/* Writes the database's header as it is: a real commit that changes nothing. */
static void probe_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)operation;
    char sql[64];
    int64_t version = store_execute_number(connection, "PRAGMA user_version");
    snprintf(sql, sizeof sql, "PRAGMA user_version = %lld", (long long)version);
    store_execute(connection, sql);
}

void store_probe(struct store *store, store_done *done, void *argument)
{
    struct store_operation *operation =
        store_operation_create(sizeof *operation, probe_run, done, argument);
    store_start_write(store, operation);
}

/* --- resolve --- */

struct resolve_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    char *profile;         /* owned: the caller's may go with its configuration */
    const char *direction; /* a constant */
    int64_t now_ms;
    struct store_resolved *resolved;
};

static void resolve_finish(struct store_operation *operation)
{
    struct resolve_operation *resolving = (struct resolve_operation *)operation;
    memory_free(resolving->profile);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
}

/* The statement about what is to be resolved: of the mailbox or, without one, of the profile. */
static sqlite3_stmt *resolve_query(struct store_connection *connection,
                                   const struct resolve_operation *resolving,
                                   enum store_sql of_mailbox, enum store_sql of_profile)
{
    bool mailbox = resolving->mailbox.number != 0;
    sqlite3_stmt *query = store_query(connection, mailbox ? of_mailbox : of_profile);
    if (mailbox)
        store_bind_number(connection, query, 1, resolving->mailbox.number);
    else
        store_bind_text(connection, query, 1, record_text(resolving->profile));
    store_bind_text(connection, query, 2, resolving->direction);
    return query;
}

void store_failures_resolve_off(struct store_connection *connection, int64_t mailbox,
                                const char *direction, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_RESOLVE_OFF);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, direction);
    store_bind_number(connection, query, 3, now_ms);
    store_run(connection, query);
    query = store_query(connection, STORE_SQL_ALERTS_OF_MAILBOX);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_text(connection, query, 2, direction);
    store_alerts_resolve(connection, query, now_ms, NULL);
}

static void resolve_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct resolve_operation *resolving = (const struct resolve_operation *)operation;
    struct store_resolved resolved = {0};
    if (resolving->mailbox.number != 0)
        store_check_lease(connection, resolving->mailbox);
    sqlite3_stmt *query = resolve_query(connection, resolving, STORE_SQL_FAILURE_RESOLVE_MAILBOX,
                                        STORE_SQL_FAILURE_RESOLVE_PROFILE);
    store_bind_number(connection, query, 3, resolving->now_ms);
    resolved.failures = (uint32_t)store_run(connection, query);
    query = resolve_query(connection, resolving, STORE_SQL_ALERTS_OF_MAILBOX,
                          STORE_SQL_ALERTS_OF_PROFILE);
    store_alerts_resolve(connection, query, resolving->now_ms, &resolved);
    if (resolving->resolved != NULL)
        *resolving->resolved = resolved;
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument)
{
    struct resolve_operation *operation =
        store_operation_create(sizeof *operation, resolve_run, done, argument);
    operation->mailbox = mailbox;
    operation->operation.finish = resolve_finish;
    operation->profile = memory_copy_string(profile);
    operation->direction = direction;
    operation->now_ms = now_ms;
    operation->resolved = resolved;
    store_start_write(store, &operation->operation);
}

#include "store/store_private.h"

#include "base/memory.h"

#include <string.h>

int64_t store_alert_turn(struct store_connection *connection)
{
    return store_run_number(connection, store_query(connection, STORE_SQL_ALERT_TURN));
}

/* --- resolve --- */

struct alert_open {
    int64_t id;
    bool told; /* the owner knows of it, or is being told */
    bool absorbs;
};

struct alert_list {
    struct alert_open *alerts;
    size_t count;
    size_t capacity;
};

/* All of them before the first is changed: what changes leaves the index that is read. */
static void alert_list_read(struct store_connection *connection, struct alert_list *list,
                            sqlite3_stmt *query)
{
    while (store_row(connection, query)) {
        if (list->count == list->capacity) {
            list->capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
            list->alerts = memory_resize(list->alerts, list->capacity * sizeof *list->alerts);
        }
        list->alerts[list->count++] = (struct alert_open){
            .id = sqlite3_column_int64(query, 0),
            .told = sqlite3_column_int(query, 1) != 0,
            .absorbs = sqlite3_column_int(query, 2) != 0,
        };
    }
}

static void alert_resolve(struct store_connection *connection, const struct alert_open *alert,
                          int64_t grouped_into, int64_t now_ms, int64_t turn)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_RESOLVE);
    store_bind_number(connection, query, 1, alert->id);
    store_bind_number(connection, query, 2, now_ms);
    if (grouped_into != 0)
        store_bind_number(connection, query, 3, grouped_into);
    store_bind_number(connection, query, 4, turn);
    store_run(connection, query);
    if (!alert->absorbs)
        return;
    query = store_query(connection, STORE_SQL_ALERT_UNGROUP);
    store_bind_number(connection, query, 1, alert->id);
    store_bind_number(connection, query, 2, turn);
    store_run(connection, query);
}

static void alerts_resolve_into(struct store_connection *connection, sqlite3_stmt *query,
                                int64_t grouped_into, int64_t now_ms,
                                struct store_resolved *resolved)
{
    struct alert_list list = {0};
    alert_list_read(connection, &list, query);
    int64_t turn = list.count > 0 ? store_alert_turn(connection) : 0;
    for (size_t i = 0; i < list.count && !store_failed(connection); i++) {
        alert_resolve(connection, &list.alerts[i], grouped_into, now_ms, turn);
        if (resolved == NULL)
            continue;
        resolved->alerts++;
        resolved->told += list.alerts[i].told;
    }
    memory_free(list.alerts);
}

void store_alerts_resolve(struct store_connection *connection, sqlite3_stmt *query, int64_t now_ms,
                          struct store_resolved *resolved)
{
    alerts_resolve_into(connection, query, 0, now_ms, resolved);
}

int64_t store_alerts_resolve_gone(struct store_connection *connection, int64_t limit,
                                  int64_t now_ms)
{
    struct store_resolved resolved = {0};
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERTS_OF_GONE_ITEMS);
    store_bind_number(connection, query, 1, limit);
    store_alerts_resolve(connection, query, now_ms, &resolved);
    return resolved.alerts;
}

/* --- record --- */

/* The open alert with the same key. */
struct alert_found {
    int64_t id; /* 0: there is none */
    enum store_alert_level level;
    bool silent; /* neither is it to be told nor does a notification tell of it */
};

static enum store_alert_told alert_told(const struct store_alert *alert)
{
    if (!alert->tell)
        return STORE_TOLD_NOBODY;
    return alert->untellable != NULL ? STORE_TOLD_NOT : STORE_TOLD_BEING;
}

static const char *alert_reason(const struct store_alert *alert)
{
    return alert_told(alert) == STORE_TOLD_NOT ? alert->untellable : "";
}

static void alert_bind_key(struct store_connection *connection, sqlite3_stmt *query,
                           const struct store_alert_key *key)
{
    store_bind_number(connection, query, 1, key->mailbox);
    store_bind_text(connection, query, 2, key->submission);
    store_bind_text(connection, query, 3, key->profile);
    store_bind_text(connection, query, 4, key->direction);
    store_bind_text(connection, query, 5, key->category);
    store_bind_text(connection, query, 6, key->code);
    store_bind_text(connection, query, 7, key->scope);
}

static struct alert_found alert_read(struct store_connection *connection, sqlite3_stmt *query)
{
    struct alert_found found = {0};
    if (store_row(connection, query))
        found = (struct alert_found){
            .id = sqlite3_column_int64(query, 0),
            .level = (enum store_alert_level)sqlite3_column_int(query, 1),
            .silent = sqlite3_column_int(query, 2) != 0,
        };
    store_end(query);
    return found;
}

/* The profile's alert that stands for those of its mailboxes; id 0: there is none. */
static struct alert_found alert_cover(struct store_connection *connection,
                                      const struct store_alert_key *key)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_COVER);
    store_bind_text(connection, query, 1, key->profile);
    store_bind_text(connection, query, 2, key->category);
    return alert_read(connection, query);
}

/* One that absorbs is the same whatever the code: it stands for all of its category. */
static struct alert_found alert_find(struct store_connection *connection,
                                     const struct store_alert_key *key, bool absorbs)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_FIND);
    alert_bind_key(connection, query, key);
    struct alert_found found = alert_read(connection, query);
    return found.id == 0 && absorbs ? alert_cover(connection, key) : found;
}

static void alert_bind_turn(struct store_connection *connection, sqlite3_stmt *query, int place,
                            const struct store_alert *alert)
{
    if (alert_told(alert) == STORE_TOLD_BEING)
        store_bind_number(connection, query, place, store_alert_turn(connection));
}

static void alert_open(struct store_connection *connection, const struct store_alert_key *key,
                       int64_t failure, int64_t now_ms, struct store_alert *alert)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERT_OPEN);
    alert_bind_key(connection, query, key);
    store_bind_number(connection, query, 8, failure);
    store_bind_number(connection, query, 9, alert->level);
    store_bind_number(connection, query, 10, alert->absorbs);
    store_bind_text(connection, query, 11, alert->subject);
    store_bind_text(connection, query, 12, alert->opening);
    store_bind_number(connection, query, 13, alert_told(alert));
    store_bind_text(connection, query, 14, alert_reason(alert));
    alert_bind_turn(connection, query, 15, alert);
    store_bind_number(connection, query, 16, now_ms);
    alert->id = store_run_number(connection, query);
    alert->change = STORE_ALERT_OPENED;
}

/* What a repeated and a raised one have in common. */
static sqlite3_stmt *alert_again(struct store_connection *connection, enum store_sql sql,
                                 int64_t now_ms, const struct store_alert *alert)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, alert->id);
    store_bind_number(connection, query, 2, now_ms);
    store_bind_number(connection, query, 3, alert->absorbs);
    store_bind_number(connection, query, 4, alert_told(alert));
    store_bind_text(connection, query, 5, alert_reason(alert));
    return query;
}

static void alert_repeat(struct store_connection *connection, bool silent, int64_t now_ms,
                         struct store_alert *alert)
{
    sqlite3_stmt *query = alert_again(connection, STORE_SQL_ALERT_REPEAT, now_ms, alert);
    if (silent)
        alert_bind_turn(connection, query, 6, alert);
    store_run(connection, query);
    alert->change = STORE_ALERT_REPEATED;
}

static void alert_raise(struct store_connection *connection, int64_t failure, int64_t now_ms,
                        struct store_alert *alert)
{
    sqlite3_stmt *query = alert_again(connection, STORE_SQL_ALERT_RAISE, now_ms, alert);
    alert_bind_turn(connection, query, 6, alert);
    store_bind_number(connection, query, 7, failure);
    store_bind_number(connection, query, 8, alert->level);
    store_bind_text(connection, query, 9, alert->subject);
    store_bind_text(connection, query, 10, alert->opening);
    store_run(connection, query);
    alert->change = STORE_ALERT_RAISED;
}

static void alert_write(struct store_connection *connection, const struct store_alert_key *key,
                        int64_t failure, int64_t now_ms, struct store_alert *alert)
{
    struct alert_found found = alert_find(connection, key, alert->absorbs);
    alert->id = found.id;
    if (found.id == 0)
        alert_open(connection, key, failure, now_ms, alert);
    else if (alert->level > found.level)
        alert_raise(connection, failure, now_ms, alert);
    else
        alert_repeat(connection, found.silent, now_ms, alert);
}

/* This error takes the place of others of the same mailbox and direction. */
static void alert_replace(struct store_connection *connection, const struct store_alert_key *key,
                          int64_t id, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERTS_REPLACED);
    store_bind_number(connection, query, 1, key->mailbox);
    store_bind_text(connection, query, 2, key->direction);
    store_bind_number(connection, query, 3, id);
    alerts_resolve_into(connection, query, 0, now_ms, NULL);
}

static void alert_absorb(struct store_connection *connection, const struct store_alert_key *key,
                         int64_t id, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERTS_ABSORBED);
    store_bind_text(connection, query, 1, key->profile);
    store_bind_text(connection, query, 2, key->category);
    alerts_resolve_into(connection, query, id, now_ms, NULL);
}

void store_alert_record(struct store_connection *connection, const struct store_alert_key *key,
                        int64_t failure, int64_t now_ms, struct store_alert *alert)
{
    bool of_mailbox = strcmp(key->scope, failure_scope_name(FAILURE_SCOPE_MAILBOX)) == 0;
    int64_t cover = of_mailbox ? alert_cover(connection, key).id : 0;
    alert->id = cover;
    alert->change = STORE_ALERT_UNCHANGED;
    if (cover == 0)
        alert_write(connection, key, failure, now_ms, alert);
    if (of_mailbox && alert->level == STORE_ALERT_ERROR)
        alert_replace(connection, key, alert->id, now_ms);
    if (alert->absorbs)
        alert_absorb(connection, key, alert->id, now_ms);
}

/* --- resolve what absorbs --- */

struct grouped_operation {
    struct store_operation operation;
    char *profile; /* owned */
    int64_t now_ms;
    struct store_resolved *resolved;
};

static void grouped_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct grouped_operation *resolving = (const struct grouped_operation *)operation;
    struct store_resolved resolved = {0};
    /* The failures first: they are known by their alerts that are open. */
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_RESOLVE_GROUPED);
    store_bind_text(connection, query, 1, resolving->profile);
    store_bind_number(connection, query, 2, resolving->now_ms);
    resolved.failures = (uint32_t)store_run(connection, query);
    query = store_query(connection, STORE_SQL_ALERTS_ABSORBING);
    store_bind_text(connection, query, 1, resolving->profile);
    store_alerts_resolve(connection, query, resolving->now_ms, &resolved);
    if (resolving->resolved != NULL)
        *resolving->resolved = resolved;
}

static void grouped_finish(struct store_operation *operation)
{
    struct grouped_operation *resolving = (struct grouped_operation *)operation;
    memory_free(resolving->profile);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
}

void store_alert_resolve_grouped(struct store *store, const char *profile, int64_t now_ms,
                                 struct store_resolved *resolved, store_done *done, void *argument)
{
    struct grouped_operation *resolving =
        store_operation_create(sizeof *resolving, grouped_run, done, argument);
    resolving->operation.finish = grouped_finish;
    resolving->profile = memory_copy_string(profile);
    resolving->now_ms = now_ms;
    resolving->resolved = resolved;
    store_start_write(store, &resolving->operation);
}

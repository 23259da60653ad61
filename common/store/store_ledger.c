#include "store/store_private.h"

#include "base/clock.h"
#include "base/memory.h"

#include <string.h>

static const int64_t WEEK_MS = 7LL * 24 * 60 * 60 * 1000;

enum { FORGET_ROWS = 500 }; /* in one transaction: other writers wait for it */

/* One operation on several items of a mailbox; which of the arrays is set depends on `run`. */
struct ledger_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    size_t count;
    int64_t now_ms;
    const struct store_key *keys;
    uint8_t *states;
    struct store_delivery *deliveries;
    const struct digest *items;
    const struct store_seen *seen;
};

static struct ledger_operation *ledger_operation_create(
    void (*run)(struct store_connection *connection, struct store_operation *operation),
    struct store_mailbox mailbox, size_t count, int64_t now_ms, store_done *done, void *argument)
{
    struct ledger_operation *ledger = store_operation_create(sizeof *ledger, run, done, argument);
    ledger->mailbox = mailbox;
    ledger->count = count;
    ledger->now_ms = now_ms;
    return ledger;
}

/* --- looking up --- */

/* A statement about one item: ?1 the mailbox, ?2 the item. */
static sqlite3_stmt *ledger_query(struct store_connection *connection, enum store_sql sql,
                                  int64_t mailbox, const struct digest *item)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, mailbox);
    store_bind_digest(connection, query, 2, item);
    return query;
}

static enum store_item_state ledger_by_item(struct store_connection *connection, int64_t mailbox,
                                            const struct store_key *key)
{
    enum store_item_state state = STORE_ITEM_UNKNOWN;
    sqlite3_stmt *query = ledger_query(connection, STORE_SQL_LEDGER_BY_ITEM, mailbox, &key->item);
    if (store_row(connection, query))
        state = (enum store_item_state)sqlite3_column_int(query, 0);
    store_end(query);
    return state;
}

/* The state of the message under whatever ItemId; a row that was taken over counts more than a
 * failed one. `item` is the row's. */
static enum store_item_state ledger_by_fingerprint(struct store_connection *connection,
                                                   int64_t mailbox, const struct store_key *key,
                                                   struct digest *item)
{
    enum store_item_state state = STORE_ITEM_UNKNOWN;
    if (!key->has_fingerprint)
        return state;
    sqlite3_stmt *query =
        ledger_query(connection, STORE_SQL_LEDGER_BY_FINGERPRINT, mailbox, &key->fingerprint);
    while ((state == STORE_ITEM_UNKNOWN || state == STORE_ITEM_FAILED) &&
           store_row(connection, query)) {
        store_column_digest(query, 0, item);
        state = (enum store_item_state)sqlite3_column_int(query, 1);
    }
    store_end(query);
    return state;
}

/* --- check --- */

static void check_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    int64_t mailbox = ledger->mailbox.number;
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++) {
        struct digest item;
        enum store_item_state state = ledger_by_item(connection, mailbox, &ledger->keys[i]);
        if (state == STORE_ITEM_UNKNOWN)
            state = ledger_by_fingerprint(connection, mailbox, &ledger->keys[i], &item);
        ledger->states[i] = (uint8_t)state;
    }
}

void store_ledger_check(struct store *store, struct store_mailbox mailbox,
                        const struct store_key *keys, size_t count, uint8_t *states,
                        store_done *done, void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(check_run, mailbox, count, 0, done, argument);
    ledger->keys = keys;
    ledger->states = states;
    store_start_read(store, &ledger->operation);
}

/* --- deliver --- */

/* A failed item whose message was taken over under another ItemId needs no further try. */
static void deliver_settle(struct store_connection *connection,
                           const struct ledger_operation *ledger, const struct digest *item)
{
    int64_t mailbox = ledger->mailbox.number;
    store_run(connection, ledger_query(connection, STORE_SQL_LEDGER_SETTLE, mailbox, item));
    store_failures_resolve_item(connection, mailbox, item, ledger->now_ms);
}

static void deliver_one(struct store_connection *connection, const struct ledger_operation *ledger,
                        struct store_delivery *delivery)
{
    const struct store_key *key = &delivery->key;
    int64_t mailbox = ledger->mailbox.number;
    struct digest other;
    enum store_item_state state = ledger_by_item(connection, mailbox, key);
    bool failed = state == STORE_ITEM_FAILED;
    if (failed || state == STORE_ITEM_UNKNOWN)
        state = ledger_by_fingerprint(connection, mailbox, key, &other);
    delivery->duplicate = state != STORE_ITEM_UNKNOWN && state != STORE_ITEM_FAILED;
    if (delivery->duplicate) {
        if (failed)
            deliver_settle(connection, ledger, &key->item);
        return;
    }
    sqlite3_stmt *query = ledger_query(connection, STORE_SQL_LEDGER_DELIVER, mailbox, &key->item);
    store_bind_digest(connection, query, 3, key->has_fingerprint ? &key->fingerprint : NULL);
    store_bind_number(connection, query, 4, delivery->received_ms);
    store_bind_number(connection, query, 5, ledger->now_ms);
    store_bind_text(connection, query, 6, delivery->name);
    store_bind_text(connection, query, 7, delivery->reference);
    store_bind_mark(connection, query, 8, delivery->message);
    store_bind_mark(connection, query, 9, delivery->file);
    struct digest activity;
    if (store_uuid_read(delivery->activity, &activity))
        store_bind_digest(connection, query, 10, &activity);
    store_run(connection, query);
}

static void deliver_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++)
        deliver_one(connection, ledger, &ledger->deliveries[i]);
}

void store_ledger_deliver(struct store *store, struct store_mailbox mailbox,
                          struct store_delivery *deliveries, size_t count, int64_t now_ms,
                          store_done *done, void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(deliver_run, mailbox, count, now_ms, done, argument);
    ledger->deliveries = deliveries;
    store_start_write(store, &ledger->operation);
}

/* --- delivered, acknowledged, gone --- */

static void delivered_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    int64_t mailbox = ledger->mailbox.number;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++) {
        const struct digest *item = &ledger->items[i];
        store_run(connection, ledger_query(connection, STORE_SQL_LEDGER_DELIVERED, mailbox, item));
        store_failures_resolve_item(connection, mailbox, item, ledger->now_ms);
    }
}

void store_ledger_delivered(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, int64_t now_ms,
                            store_done *done, void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(delivered_run, mailbox, count, now_ms, done, argument);
    ledger->items = items;
    store_start_write(store, &ledger->operation);
}

static void acknowledged_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    int64_t mailbox = ledger->mailbox.number;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++) {
        const struct digest *item = &ledger->items[i];
        /* With nothing left to do, what failed while doing it is over as well. */
        if (store_run(connection,
                      ledger_query(connection, STORE_SQL_LEDGER_ACKNOWLEDGED, mailbox, item)) > 0)
            store_failures_resolve_item(connection, mailbox, item, ledger->now_ms);
    }
}

void store_ledger_acknowledged(struct store *store, struct store_mailbox mailbox,
                               const struct digest *items, size_t count, store_done *done,
                               void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(acknowledged_run, mailbox, count, clock_wall_ms(), done, argument);
    ledger->items = items;
    store_start_write(store, &ledger->operation);
}

static void gone_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    int64_t mailbox = ledger->mailbox.number;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++) {
        const struct digest *item = &ledger->items[i];
        if (store_run(connection, ledger_query(connection, STORE_SQL_LEDGER_GONE, mailbox, item)) >
            0)
            store_failures_resolve_item(connection, mailbox, item, ledger->now_ms);
    }
}

void store_ledger_gone(struct store *store, struct store_mailbox mailbox,
                       const struct digest *items, size_t count, int64_t now_ms, store_done *done,
                       void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(gone_run, mailbox, count, now_ms, done, argument);
    ledger->items = items;
    store_start_write(store, &ledger->operation);
}

static void set_aside_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++)
        store_run(connection, ledger_query(connection, STORE_SQL_LEDGER_SET_ASIDE,
                                           ledger->mailbox.number, &ledger->items[i]));
}

void store_ledger_set_aside(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, store_done *done,
                            void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(set_aside_run, mailbox, count, 0, done, argument);
    ledger->items = items;
    store_start_write(store, &ledger->operation);
}

/* --- seen --- */

/* Written only when it is old, or from the future: the clock was ahead then. */
static bool seen_stale(int64_t last_seen_ms, int64_t now_ms)
{
    return last_seen_ms < now_ms - WEEK_MS || last_seen_ms > now_ms + WEEK_MS;
}

static void seen_alias(struct store_connection *connection, const struct ledger_operation *ledger,
                       const struct store_seen *seen)
{
    int64_t mailbox = ledger->mailbox.number;
    struct digest known;
    if (ledger_by_fingerprint(connection, mailbox, &seen->key, &known) == STORE_ITEM_UNKNOWN)
        return;
    bool rebuilt = digest_equal(&known, &seen->key.fingerprint);
    sqlite3_stmt *query = ledger_query(
        connection, rebuilt ? STORE_SQL_LEDGER_CLAIM : STORE_SQL_LEDGER_ALIAS, mailbox, &known);
    store_bind_digest(connection, query, 3, &seen->key.item);
    store_bind_number(connection, query, 4, ledger->now_ms);
    store_bind_text(connection, query, 5, seen->reference);
    store_run(connection, query);
    if (store_run(connection,
                  ledger_query(connection, STORE_SQL_LEDGER_RETURNED, mailbox, &known)) > 0)
        store_failures_resolve_item(connection, mailbox, &known, ledger->now_ms);
}

static void seen_one(struct store_connection *connection, const struct ledger_operation *ledger,
                     const struct store_seen *seen)
{
    int64_t mailbox = ledger->mailbox.number;
    const struct digest *item = &seen->key.item;
    sqlite3_stmt *query = ledger_query(connection, STORE_SQL_LEDGER_BY_ITEM, mailbox, item);
    if (!store_row(connection, query)) {
        seen_alias(connection, ledger, seen);
        return;
    }
    const char *reference = (const char *)sqlite3_column_text(query, 2);
    bool stale = seen_stale(sqlite3_column_int64(query, 1), ledger->now_ms);
    bool moved = sqlite3_column_int(query, 0) == STORE_ITEM_FAILED && seen->reference != NULL &&
                 (reference == NULL || strcmp(reference, seen->reference) != 0);
    store_end(query);
    if (stale) {
        query = ledger_query(connection, STORE_SQL_LEDGER_TOUCH, mailbox, item);
        store_bind_number(connection, query, 3, ledger->now_ms);
        store_run(connection, query);
    }
    if (moved) {
        query = ledger_query(connection, STORE_SQL_LEDGER_REFERENCE, mailbox, item);
        store_bind_text(connection, query, 3, seen->reference);
        store_bind_number(connection, query, 4, ledger->now_ms);
        store_run(connection, query);
    }
}

static void seen_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct ledger_operation *ledger = (const struct ledger_operation *)operation;
    store_check_lease(connection, ledger->mailbox);
    for (size_t i = 0; i < ledger->count && !store_failed(connection); i++)
        seen_one(connection, ledger, &ledger->seen[i]);
}

void store_ledger_seen(struct store *store, struct store_mailbox mailbox,
                       const struct store_seen *items, size_t count, int64_t now_ms,
                       store_done *done, void *argument)
{
    struct ledger_operation *ledger =
        ledger_operation_create(seen_run, mailbox, count, now_ms, done, argument);
    ledger->seen = items;
    store_start_write(store, &ledger->operation);
}

/* --- forget --- */

struct forget_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    int64_t before_ms;
    int64_t now_ms;
};

static void forget_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct forget_operation *forgetting = (const struct forget_operation *)operation;
    store_check_lease(connection, forgetting->mailbox);
    static const enum store_sql steps[] = {STORE_SQL_LEDGER_FORGET_RESOLVE,
                                           STORE_SQL_LEDGER_FORGET};
    int64_t changed = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        sqlite3_stmt *query = store_query(connection, steps[i]);
        store_bind_number(connection, query, 1, forgetting->mailbox.number);
        store_bind_number(connection, query, 2, forgetting->before_ms);
        store_bind_number(connection, query, 3,
                          steps[i] == STORE_SQL_LEDGER_FORGET ? FORGET_ROWS : forgetting->now_ms);
        changed = store_run(connection, query);
    }
    operation->again = changed == FORGET_ROWS;
}

void store_ledger_forget(struct store *store, struct store_mailbox mailbox, int64_t before_ms,
                         store_done *done, void *argument)
{
    struct forget_operation *operation =
        store_operation_create(sizeof *operation, forget_run, done, argument);
    operation->mailbox = mailbox;
    operation->before_ms = before_ms;
    operation->now_ms = clock_wall_ms();
    store_start_write(store, &operation->operation);
}

/* --- failed --- */

void store_ledger_fail(struct store_connection *connection, int64_t mailbox,
                       const struct store_failed_item *item, int64_t now_ms)
{
    const struct store_key *key = &item->key;
    sqlite3_stmt *query = ledger_query(connection, STORE_SQL_LEDGER_FAIL, mailbox, &key->item);
    store_bind_digest(connection, query, 3, key->has_fingerprint ? &key->fingerprint : NULL);
    store_bind_number(connection, query, 4, item->received_ms);
    store_bind_number(connection, query, 5, now_ms);
    store_bind_number(connection, query, 6, item->attempts);
    store_bind_retry(connection, query, 7, item->next_retry_ms);
    store_bind_text(connection, query, 8, item->reference);
    store_bind_mark(connection, query, 9, item->message);
    store_run(connection, query);
}

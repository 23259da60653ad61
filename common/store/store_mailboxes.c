#include "store/store_private.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- registration --- */

struct register_operation {
    struct store_operation operation;
    struct store_registration *registrations;
    size_t count;
    int64_t now_ms;
    int64_t enable_from_ms; /* of new ones, for a backup was put back; 0: now */
    int64_t last_number;    /* of a mailbox, before this */
};

/* Stands for the number while a renaming has to wait for the next registration. */
enum { RENAME_LATER = -1 };

/* What is known of an address; number 0: nothing. */
struct mailbox_row {
    int64_t number;
    uint32_t lease;
    int64_t enabled_ms;
    bool same_profile;
    bool removed;
    bool unchecked;
    int64_t check_from_ms;
    uint64_t check_above;
    bool rename_applied; /* this renaming was done before, and the configuration still says it */
};

static struct mailbox_row mailbox_find(struct store_connection *connection, const char *address,
                                       const struct store_registration *registration)
{
    struct mailbox_row row = {0};
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_BY_ADDRESS);
    store_bind_text(connection, query, 1, address);
    if (store_row(connection, query)) {
        const char *renamed_from = (const char *)sqlite3_column_text(query, 5);
        row.number = sqlite3_column_int64(query, 0);
        row.lease = (uint32_t)sqlite3_column_int64(query, 1);
        row.enabled_ms = sqlite3_column_int64(query, 2);
        row.same_profile =
            strcmp((const char *)sqlite3_column_text(query, 3), registration->profile) == 0;
        row.removed = sqlite3_column_type(query, 4) != SQLITE_NULL;
        row.unchecked = sqlite3_column_type(query, 6) != SQLITE_NULL;
        row.check_from_ms = sqlite3_column_int64(query, 6);
        row.check_above = (uint64_t)sqlite3_column_int64(query, 7);
        row.rename_applied =
            registration->renamed_from == NULL ||
            (renamed_from != NULL && strcmp(renamed_from, registration->renamed_from) == 0);
        store_end(query);
    }
    return row;
}

static void mailbox_run(struct store_connection *connection, enum store_sql sql, int64_t number,
                        int64_t second)
{
    sqlite3_stmt *query = store_query(connection, sql);
    store_bind_number(connection, query, 1, number);
    if (query != NULL && sqlite3_bind_parameter_count(query) > 1)
        store_bind_number(connection, query, 2, second);
    store_run(connection, query);
}

/* The mailbox that has the address now cannot give its state away yet: what it is delivering lies
 * in its own Maildir's spool, which the other one does not know. Its next cycle ends that. */
static bool mailbox_delivers(struct store_connection *connection,
                             const struct register_operation *registering, int64_t number,
                             const char *address)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_DELIVERS);
    store_bind_number(connection, query, 1, number);
    bool delivers = store_row(connection, query);
    store_end(query);
    /* One that is renamed itself keeps its state. */
    for (size_t i = 0; i < registering->count && delivers; i++) {
        const char *renamed_from = registering->registrations[i].renamed_from;
        delivers = renamed_from == NULL || strcmp(renamed_from, address) != 0;
    }
    return delivers;
}

/* Takes its address from a mailbox that gets another one. All of them first: addresses may be
 * swapped, or handed on in a chain. */
static void mailbox_vacate(struct store_connection *connection,
                           const struct register_operation *registering,
                           struct store_registration *registration)
{
    registration->mailbox = (struct store_mailbox){0};
    if (registration->renamed_from == NULL)
        return;
    struct mailbox_row present = mailbox_find(connection, registration->address, registration);
    if (present.number != 0 && present.rename_applied)
        return;
    struct mailbox_row old = mailbox_find(connection, registration->renamed_from, registration);
    if (old.number == 0)
        return;
    if (present.number != 0 &&
        mailbox_delivers(connection, registering, present.number, registration->address)) {
        registration->mailbox.number = RENAME_LATER;
        return;
    }
    mailbox_run(connection, STORE_SQL_MAILBOX_VACATE, old.number, 0);
    registration->mailbox.number = old.number;
}

/* What went wrong with a mailbox that goes is over. */
static void mailbox_resolve_alerts(struct store_connection *connection, int64_t number,
                                   int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_ALERTS_OF_GONE_MAILBOX);
    store_bind_number(connection, query, 1, number);
    store_alerts_resolve(connection, query, now_ms, NULL);
}

/* The new address was used before the renaming was configured and has state of its own, which goes
 * into the old mailbox. The higher lease makes the writes of a cycle that still runs fail. */
static void mailbox_merge(struct store_connection *connection, int64_t from, int64_t into,
                          int64_t now_ms)
{
    static const enum store_sql steps[] = {STORE_SQL_MERGE_RESOLVE,  STORE_SQL_MERGE_FAILED,
                                           STORE_SQL_MERGE_LEDGER,   STORE_SQL_MERGE_ALERTS,
                                           STORE_SQL_MERGE_FAILURES, STORE_SQL_MERGE_SUBMISSIONS,
                                           STORE_SQL_MERGE_SWITCHES};
    mailbox_resolve_alerts(connection, from, now_ms);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        sqlite3_stmt *query = store_query(connection, steps[i]);
        store_bind_number(connection, query, 1, from);
        store_bind_number(connection, query, 2, into);
        if (query != NULL && sqlite3_bind_parameter_count(query) > 2)
            store_bind_number(connection, query, 3, now_ms);
        store_run(connection, query);
    }
    mailbox_run(connection, STORE_SQL_MAILBOX_RETIRE, from, now_ms);
}

static void mailbox_rename(struct store_connection *connection,
                           const struct store_registration *registration, int64_t now_ms)
{
    int64_t number = registration->mailbox.number;
    if (number == 0 || number == RENAME_LATER)
        return;
    struct mailbox_row other = mailbox_find(connection, registration->address, registration);
    if (other.number != 0)
        mailbox_merge(connection, other.number, number, now_ms);
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_RENAME);
    store_bind_number(connection, query, 1, number);
    store_bind_text(connection, query, 2, registration->address);
    store_bind_text(connection, query, 3, registration->renamed_from);
    store_run(connection, query);
}

/* What was delivered since the backup was made, when the mailbox was perhaps there already, lies in
 * its Maildir under a number that no mailbox has now. */
static void mailbox_check_new(struct store_connection *connection,
                              struct store_registration *registration,
                              const struct register_operation *registering)
{
    registration->unchecked = true;
    registration->check_from_ms = registering->enable_from_ms;
    registration->check_above = (uint64_t)registering->last_number;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_RESTORE_NEW_MAILBOX);
    store_bind_number(connection, query, 1, registration->mailbox.number);
    store_bind_number(connection, query, 2, registration->check_from_ms);
    store_bind_number(connection, query, 3, registering->last_number);
    store_run(connection, query);
}

static void mailbox_insert(struct store_connection *connection,
                           struct store_registration *registration,
                           const struct register_operation *registering)
{
    bool restored = registering->enable_from_ms != 0;
    int64_t now_ms = restored ? registering->enable_from_ms : registering->now_ms;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_INSERT);
    store_bind_text(connection, query, 1, registration->address);
    store_bind_text(connection, query, 2, registration->profile);
    store_bind_text(connection, query, 3, registration->renamed_from);
    store_bind_number(connection, query, 4, now_ms);
    store_run(connection, query);
    registration->mailbox.number = sqlite3_last_insert_rowid(connection->database);
    registration->mailbox.lease = 1;
    registration->enabled_ms = now_ms;
    if (restored)
        mailbox_check_new(connection, registration, registering);
}

static void mailbox_register(struct store_connection *connection,
                             struct store_registration *registration,
                             const struct register_operation *registering)
{
    bool rename_later = registration->mailbox.number == RENAME_LATER;
    struct mailbox_row row = mailbox_find(connection, registration->address, registration);
    if (store_failed(connection))
        return;
    if (row.number == 0) {
        mailbox_insert(connection, registration, registering);
        return;
    }
    registration->mailbox = (struct store_mailbox){.number = row.number, .lease = row.lease};
    registration->enabled_ms = row.enabled_ms;
    registration->unchecked = row.unchecked;
    registration->check_from_ms = row.check_from_ms;
    registration->check_above = row.check_above;
    if (row.same_profile && !row.removed && row.rename_applied)
        return;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_KEEP);
    store_bind_number(connection, query, 1, row.number);
    store_bind_text(connection, query, 2, registration->profile);
    store_bind_text(connection, query, 3, rename_later ? NULL : registration->renamed_from);
    store_run(connection, query);
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static void mailbox_remove(struct store_connection *connection, int64_t number, int64_t now_ms)
{
    mailbox_run(connection, STORE_SQL_MAILBOX_REMOVE, number, now_ms);
    mailbox_run(connection, STORE_SQL_FAILURE_RESOLVE_GONE_MAILBOX, number, now_ms);
    mailbox_resolve_alerts(connection, number, now_ms);
}

/* Nothing tries a direction that is off: what went wrong with it would never be over. */
static void mailbox_resolve_off(struct store_connection *connection,
                                const struct store_registration *registration, int64_t now_ms)
{
    int64_t number = registration->mailbox.number;
    if (registration->incoming_off)
        store_failures_resolve_off(connection, number, "incoming", now_ms);
    if (registration->outgoing_off)
        store_failures_resolve_off(connection, number, "outgoing", now_ms);
}

/* Marks those that are in the database and not among the registrations. */
static void mailbox_remove_others(struct store_connection *connection,
                                  const struct register_operation *registering)
{
    size_t count = registering->count;
    int64_t *numbers = memory_allocate_array(count + 1, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = registering->registrations[i].mailbox.number;
    qsort(numbers, count, sizeof *numbers, compare_numbers);

    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_ALL_PRESENT);
    while (store_row(connection, query)) {
        int64_t number = sqlite3_column_int64(query, 0);
        if (bsearch(&number, numbers, count, sizeof *numbers, compare_numbers) == NULL)
            mailbox_remove(connection, number, registering->now_ms);
    }
    memory_free(numbers);
}

/* Which of its directions are switched off. An earlier process may have ended before its last words
 * about them were resolved. */
static void mailbox_read_switches(struct store_connection *connection,
                                  struct store_registration *registration, int64_t now_ms)
{
    int64_t number = registration->mailbox.number;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SWITCHES);
    store_bind_number(connection, query, 1, number);
    while (store_row(connection, query)) {
        unsigned direction = (unsigned)sqlite3_column_int(query, 0);
        registration->switched_off |= direction;
        *(direction == STORE_INCOMING ? &registration->incoming_switch
                                      : &registration->outgoing_switch) =
            (struct store_switch){.since_ms = sqlite3_column_int64(query, 1),
                                  .user = (uint32_t)sqlite3_column_int64(query, 2)};
    }
    if (registration->switched_off & STORE_INCOMING)
        store_resolve_direction(connection, number, "incoming", now_ms, NULL);
    if (registration->switched_off & STORE_OUTGOING)
        store_resolve_direction(connection, number, "outgoing", now_ms, NULL);
}

static void register_read_switches(struct store_connection *connection,
                                   const struct register_operation *registering)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SWITCH_ANY);
    bool any = store_run_number(connection, query) != 0;
    for (size_t i = 0; i < registering->count; i++) {
        registering->registrations[i].switched_off = 0;
        if (any)
            mailbox_read_switches(connection, &registering->registrations[i], registering->now_ms);
    }
}

/* The first registration after a backup was put back. */
static void register_begin(struct store_connection *connection,
                           struct register_operation *registering)
{
    registering->enable_from_ms =
        store_run_number(connection, store_query(connection, STORE_SQL_RESTORE_ENABLE_FROM));
    if (registering->enable_from_ms == 0)
        return;
    registering->last_number =
        store_run_number(connection, store_query(connection, STORE_SQL_MAILBOX_LAST));
    store_run_sql(connection, STORE_SQL_RESTORE_ENABLED);
}

static void register_run(struct store_connection *connection, struct store_operation *operation)
{
    struct register_operation *registering = (struct register_operation *)operation;
    struct store_registration *all = registering->registrations;
    register_begin(connection, registering);
    for (size_t i = 0; i < registering->count; i++)
        mailbox_vacate(connection, registering, &all[i]);
    for (size_t i = 0; i < registering->count; i++)
        mailbox_rename(connection, &all[i], registering->now_ms);
    for (size_t i = 0; i < registering->count; i++)
        mailbox_register(connection, &all[i], registering);
    for (size_t i = 0; i < registering->count; i++)
        mailbox_resolve_off(connection, &all[i], registering->now_ms);
    register_read_switches(connection, registering);
    store_read_troubles(connection, all, registering->count);
    mailbox_remove_others(connection, registering);
    store_forget_gone_profiles(connection, all, registering->count, registering->now_ms);
}

void store_register_mailboxes(struct store *store, struct store_registration *registrations,
                              size_t count, int64_t now_ms, store_done *done, void *argument)
{
    struct register_operation *operation =
        store_operation_create(sizeof *operation, register_run, done, argument);
    operation->registrations = registrations;
    operation->count = count;
    operation->now_ms = now_ms;
    store_start_write(store, &operation->operation);
}

/* --- the sink --- */

struct sink_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    const char *path;
};

static void sink_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct sink_operation *sink = (const struct sink_operation *)operation;
    store_check_lease(connection, sink->mailbox);
    sqlite3_stmt *query = store_query(connection, STORE_SQL_MAILBOX_SINK);
    store_bind_number(connection, query, 1, sink->mailbox.number);
    store_bind_text(connection, query, 2, sink->path);
    store_run(connection, query);
}

void store_sink_ready(struct store *store, struct store_mailbox mailbox, const char *path,
                      store_done *done, void *argument)
{
    struct sink_operation *operation =
        store_operation_create(sizeof *operation, sink_run, done, argument);
    operation->mailbox = mailbox;
    operation->path = path;
    store_start_write(store, &operation->operation);
}

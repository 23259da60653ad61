#include "store/store_restore.h"

#include "store/store_private.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int64_t store_copied(const struct store *store)
{
    return store->copied_ms;
}

/* --- begin --- */

struct restore_operation {
    struct store_operation operation;
    struct store_restoration *restoration;
    struct store_restoration result;
};

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_among(const char *id, const char *const *ids, size_t count)
{
    return count > 0 && bsearch(&id, ids, count, sizeof *ids, compare_ids) != NULL;
}

/* What is in failed/ was refused, or removed by a person, since, and perhaps submitted again: it is
 * not to be sent, though a kill has left its copy in queue/. */
static void restore_submission(struct store_connection *connection,
                               struct store_restoration *restoration, const char *id)
{
    bool given_up = is_among(id, restoration->failed, restoration->failed_count);
    bool queued = is_among(id, restoration->queued, restoration->queued_count);
    sqlite3_stmt *query =
        store_query(connection, given_up ? STORE_SQL_RESTORE_FAILED : STORE_SQL_RESTORE_DOUBT);
    store_bind_text(connection, query, 1, id);
    if (given_up) {
        store_bind_number(connection, query, 2, restoration->now_ms);
        restoration->given_up++;
    } else {
        store_bind_number(connection, query, 2, queued);
        restoration->doubtful++;
        restoration->gone += !queued;
    }
    store_run(connection, query);
}

/* The ids are kept first: a table is not to change while it is read. */
static void restore_submissions(struct store_connection *connection,
                                struct store_restoration *restoration)
{
    struct store_strings strings = {0};
    const char **ids = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_RESTORE_OPEN);
    if (restoration->mailbox != STORE_RESTORE_ALL)
        store_bind_number(connection, query, 1, restoration->mailbox);
    while (store_row(connection, query)) {
        if (count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            ids = memory_resize(ids, capacity * sizeof *ids);
        }
        ids[count++] = store_strings_column(&strings, query, 0);
    }
    for (size_t i = 0; i < count; i++)
        restore_submission(connection, restoration, ids[i]);
    memory_free(ids);
    store_strings_release(&strings);
}

static void restore_mailboxes(struct store_connection *connection,
                              const struct store_restoration *restoration)
{
    bool all = restoration->mailbox == STORE_RESTORE_ALL;
    sqlite3_stmt *query =
        store_query(connection, all ? STORE_SQL_RESTORE_MAILBOXES : STORE_SQL_RESTORE_MAILBOX);
    if (!all)
        store_bind_number(connection, query, 1, restoration->mailbox);
    store_bind_number(connection, query, all ? 1 : 2, restoration->since_ms);
    store_run(connection, query);
    if (all)
        store_run_sql(connection, STORE_SQL_RESTORE_INSTANCE);
}

static void restore_run(struct store_connection *connection, struct store_operation *base)
{
    struct restore_operation *operation = (struct restore_operation *)base;
    operation->result = *operation->restoration;
    operation->result.doubtful = operation->result.gone = operation->result.given_up = 0;
    restore_mailboxes(connection, &operation->result);
    restore_submissions(connection, &operation->result);
    if (operation->result.last_id == NULL)
        return;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_RESTORE_LAST_ID);
    store_bind_text(connection, query, 1, operation->result.last_id);
    store_run(connection, query);
}

static void restore_finish(struct store_operation *base)
{
    struct restore_operation *operation = (struct restore_operation *)base;
    if (base->failure == NULL)
        *operation->restoration = operation->result;
    if (base->done != NULL)
        base->done(base->argument, base->failure);
}

void store_restore(struct store *store, struct store_restoration *restoration, store_done *done,
                   void *argument)
{
    struct restore_operation *operation =
        store_operation_create(sizeof *operation, restore_run, done, argument);
    operation->operation.finish = restore_finish;
    operation->restoration = restoration;
    store_start_write(store, &operation->operation);
}

/* --- the ledger and the files of a Maildir --- */

struct rebuild_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    const struct store_published *files;
    size_t count;
    int64_t now_ms;
    bool rebuild;
    struct store_comparison *comparison; /* the caller's: added to once all is committed */
    struct store_comparison found;
};

enum { NOT_KNOWN = 0, KNOWN_AS_FAILED = 9 }; /* what the statements tell beside the states */

static sqlite3_stmt *rebuild_query(struct store_connection *connection,
                                   const struct rebuild_operation *operation,
                                   const struct store_published *file,
                                   enum store_sql by_fingerprint, enum store_sql by_item)
{
    sqlite3_stmt *query = store_query(connection, file->is_fingerprint ? by_fingerprint : by_item);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    store_bind_digest(connection, query, 2, &file->digest);
    return query;
}

static void rebuild_settle(struct store_connection *connection,
                           const struct rebuild_operation *operation,
                           const struct store_published *file)
{
    struct digest item;
    sqlite3_stmt *query = rebuild_query(connection, operation, file, STORE_SQL_REBUILD_SETTLE,
                                        STORE_SQL_REBUILD_SETTLE_ITEM);
    store_bind_mark(connection, query, 3, file->file);
    while (store_row(connection, query)) {
        if (store_column_digest(query, 0, &item))
            store_failures_resolve_item(connection, operation->mailbox.number, &item,
                                        operation->now_ms);
    }
}

/* Under its fingerprint as long as its item is not seen: store_ledger_seen gives it that. */
static void rebuild_add(struct store_connection *connection,
                        const struct rebuild_operation *operation,
                        const struct store_published *file)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_REBUILD_ADD);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    store_bind_digest(connection, query, 2, &file->digest);
    store_bind_digest(connection, query, 3, file->is_fingerprint ? &file->digest : NULL);
    store_bind_number(connection, query, 4, file->published_ms);
    store_bind_number(connection, query, 5, operation->now_ms);
    store_bind_mark(connection, query, 6, file->file);
    store_run(connection, query);
}

/* One that is being delivered is not in its place yet. */
static void note_doubled(struct store_connection *connection, struct rebuild_operation *operation,
                         const struct store_published *file)
{
    struct store_comparison *found = &operation->found;
    sqlite3_stmt *query = rebuild_query(connection, operation, file, STORE_SQL_REBUILD_OTHER_FILE,
                                        STORE_SQL_REBUILD_OTHER_FILE_ITEM);
    store_bind_mark(connection, query, 3, file->file);
    if (store_run_number(connection, query) == 0)
        return;
    if (found->doubled < STORE_DOUBLED_MAX)
        found->doubled_files[found->doubled] = file->file;
    found->doubled++;
}

static void rebuild_one(struct store_connection *connection, struct rebuild_operation *operation,
                        const struct store_published *file)
{
    int64_t state = store_run_number(connection, rebuild_query(connection, operation, file,
                                                               STORE_SQL_REBUILD_STATE,
                                                               STORE_SQL_REBUILD_STATE_ITEM));
    operation->found.unknown += state == NOT_KNOWN;
    operation->found.failed += state == KNOWN_AS_FAILED;
    if (state == STORE_ITEM_DELIVERED)
        note_doubled(connection, operation, file);
    if (operation->rebuild && state == NOT_KNOWN)
        rebuild_add(connection, operation, file);
    else if (operation->rebuild && state == KNOWN_AS_FAILED)
        rebuild_settle(connection, operation, file);
}

static void rebuild_run(struct store_connection *connection, struct store_operation *base)
{
    struct rebuild_operation *operation = (struct rebuild_operation *)base;
    operation->found = (struct store_comparison){0};
    if (operation->rebuild)
        store_check_lease(connection, operation->mailbox);
    for (size_t i = 0; i < operation->count && !store_failed(connection); i++)
        rebuild_one(connection, operation, &operation->files[i]);
}

static void add_doubled(struct store_comparison *all, const struct store_comparison *found)
{
    for (uint64_t i = 0; i < found->doubled; i++, all->doubled++) {
        if (all->doubled < STORE_DOUBLED_MAX && i < STORE_DOUBLED_MAX)
            all->doubled_files[all->doubled] = found->doubled_files[i];
    }
}

static void rebuild_finish(struct store_operation *base)
{
    struct rebuild_operation *operation = (struct rebuild_operation *)base;
    if (base->failure == NULL) {
        operation->comparison->unknown += operation->found.unknown;
        operation->comparison->failed += operation->found.failed;
        add_doubled(operation->comparison, &operation->found);
    }
    if (base->done != NULL)
        base->done(base->argument, base->failure);
}

static struct rebuild_operation *rebuild_create(struct store_mailbox mailbox,
                                                const struct store_published *files, size_t count,
                                                struct store_comparison *comparison,
                                                store_done *done, void *argument)
{
    struct rebuild_operation *operation =
        store_operation_create(sizeof *operation, rebuild_run, done, argument);
    operation->operation.finish = rebuild_finish;
    operation->mailbox = mailbox;
    operation->files = files;
    operation->count = count;
    operation->comparison = comparison;
    return operation;
}

void store_ledger_compare(struct store *store, struct store_mailbox mailbox,
                          const struct store_published *files, size_t count,
                          struct store_comparison *comparison, store_done *done, void *argument)
{
    store_start_read(store,
                     &rebuild_create(mailbox, files, count, comparison, done, argument)->operation);
}

void store_ledger_rebuild(struct store *store, struct store_mailbox mailbox,
                          const struct store_published *files, size_t count, int64_t now_ms,
                          struct store_comparison *comparison, store_done *done, void *argument)
{
    struct rebuild_operation *operation =
        rebuild_create(mailbox, files, count, comparison, done, argument);
    operation->rebuild = true;
    operation->now_ms = now_ms;
    store_start_write(store, &operation->operation);
}

/* --- checked --- */

struct checked_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
};

static void checked_run(struct store_connection *connection, struct store_operation *base)
{
    const struct checked_operation *operation = (const struct checked_operation *)base;
    store_check_lease(connection, operation->mailbox);
    sqlite3_stmt *query = store_query(connection, STORE_SQL_RESTORE_CHECKED);
    store_bind_number(connection, query, 1, operation->mailbox.number);
    store_run(connection, query);
}

void store_mailbox_checked(struct store *store, struct store_mailbox mailbox, store_done *done,
                           void *argument)
{
    struct checked_operation *operation =
        store_operation_create(sizeof *operation, checked_run, done, argument);
    operation->mailbox = mailbox;
    store_start_write(store, &operation->operation);
}

#include "store/store_private.h"

#include "base/memory.h"

#include <string.h>

/* --- add --- */

struct add_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    struct store_submission submission; /* its strings are the caller's */
    int64_t now_ms;
};

static void add_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct add_operation *adding = (const struct add_operation *)operation;
    const struct store_submission *submission = &adding->submission;
    store_check_lease(connection, adding->mailbox);
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SUBMISSION_ADD);
    store_bind_text(connection, query, 1, submission->id);
    store_bind_number(connection, query, 2, adding->mailbox.number);
    store_bind_number(connection, query, 3,
                      submission->queued_ms == 0 ? adding->now_ms : submission->queued_ms);
    store_bind_number(connection, query, 4, (int64_t)submission->size);
    store_bind_number(connection, query, 5, submission->submitter);
    store_bind_number(connection, query, 6, submission->null_sender);
    store_bind_text(connection, query, 7, submission->message_id);
    store_bind_text(connection, query, 8, submission->subject == NULL ? "" : submission->subject);
    store_bind_text(connection, query, 9,
                    submission->recipients == NULL ? "" : submission->recipients);
    store_run(connection, query);
}

void store_submission_add(struct store *store, struct store_mailbox mailbox,
                          const struct store_submission *submission, int64_t now_ms,
                          store_done *done, void *argument)
{
    struct add_operation *adding = store_operation_create(sizeof *adding, add_run, done, argument);
    adding->mailbox = mailbox;
    adding->submission = *submission;
    adding->now_ms = now_ms;
    store_start_write(store, &adding->operation);
}

/* --- states --- */

struct states_operation {
    struct store_operation operation;
    const char *const *ids;
    size_t count;
    uint8_t *states;
};

static void states_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct states_operation *asking = (const struct states_operation *)operation;
    for (size_t i = 0; i < asking->count; i++) {
        sqlite3_stmt *query = store_query(connection, STORE_SQL_SUBMISSION_STATE);
        store_bind_text(connection, query, 1, asking->ids[i]);
        asking->states[i] =
            store_row(connection, query) ? (uint8_t)sqlite3_column_int(query, 0) : 0;
        store_end(query);
    }
}

void store_submissions_states(struct store *store, const char *const *ids, size_t count,
                              uint8_t *states, store_done *done, void *argument)
{
    struct states_operation *asking =
        store_operation_create(sizeof *asking, states_run, done, argument);
    asking->ids = ids;
    asking->count = count;
    asking->states = states;
    store_start_read(store, &asking->operation);
}

/* --- due --- */

struct due_operation {
    struct store_operation operation;
    enum store_sql which;
    struct store_mailbox mailbox;
    int64_t bound; /* now, before when they were queued, or behind which one */
    size_t limit;
    store_submissions_done *done;
    struct store_submissions result;
    struct store_submission *rows;
    size_t capacity;
    struct store_strings strings;
};

void store_submission_read(sqlite3_stmt *query, struct store_strings *strings,
                           struct store_submission *row)
{
    *row = (struct store_submission){
        .state = (enum store_submission_state)sqlite3_column_int(query, 1),
        .order = sqlite3_column_int64(query, 2),
        .queued_ms = sqlite3_column_int64(query, 3),
        .size = (uint64_t)sqlite3_column_int64(query, 4),
        .submitter = (uint32_t)sqlite3_column_int64(query, 5),
        .null_sender = sqlite3_column_int(query, 6) != 0,
        .stray = sqlite3_column_int(query, 7) != 0,
        .attempts = (uint32_t)sqlite3_column_int64(query, 8),
        .next_try_ms = sqlite3_column_int64(query, 9),
        .doubt_since_ms = sqlite3_column_int64(query, 10),
        .message_id = store_strings_column(strings, query, 11),
        .subject = store_strings_column(strings, query, 12),
        .recipients = store_strings_column(strings, query, 13),
        .reference = store_strings_column(strings, query, 14),
        .held_for_ms = sqlite3_column_int64(query, 15),
    };
    const char *id = (const char *)sqlite3_column_text(query, 0);
    strncpy(row->id, id, sizeof row->id - 1);
}

static void due_keep(struct due_operation *due, sqlite3_stmt *query)
{
    if (due->result.count == due->capacity) {
        due->capacity = due->capacity == 0 ? 16 : 2 * due->capacity;
        due->rows = memory_resize(due->rows, due->capacity * sizeof *due->rows);
    }
    store_submission_read(query, &due->strings, &due->rows[due->result.count++]);
}

static int64_t due_next(struct store_connection *connection, const struct due_operation *due)
{
    int64_t next = INT64_MAX;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SUBMISSION_NEXT);
    store_bind_number(connection, query, 1, due->mailbox.number);
    store_bind_number(connection, query, 2, due->bound);
    if (store_row(connection, query))
        next = sqlite3_column_int64(query, 0);
    store_end(query);
    return next;
}

static void due_run(struct store_connection *connection, struct store_operation *operation)
{
    struct due_operation *due = (struct due_operation *)operation;
    sqlite3_stmt *query = store_query(connection, due->which);
    store_bind_number(connection, query, 1, due->mailbox.number);
    store_bind_number(connection, query, 2, due->bound);
    while (store_row(connection, query)) {
        due->result.more = due->result.count == due->limit;
        if (due->result.more)
            break;
        due_keep(due, query);
    }
    store_end(query);
    due->result.next_ms =
        due->which == STORE_SQL_SUBMISSION_DUE ? due_next(connection, due) : INT64_MAX;
    due->result.submissions = due->rows;
}

static void due_finish(struct store_operation *operation)
{
    struct due_operation *due = (struct due_operation *)operation;
    due->done(operation->argument, operation->failure,
              operation->failure == NULL ? &due->result : NULL);
    memory_free(due->rows);
    store_strings_release(&due->strings);
}

static void due_start(struct store *store, enum store_sql which, struct store_mailbox mailbox,
                      int64_t bound, size_t limit, store_submissions_done *done, void *argument)
{
    struct due_operation *due = store_operation_create(sizeof *due, due_run, NULL, argument);
    due->operation.finish = due_finish;
    due->which = which;
    due->mailbox = mailbox;
    due->bound = bound;
    due->limit = limit;
    due->done = done;
    store_start_read(store, &due->operation);
}

void store_submissions_due(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                           size_t limit, store_submissions_done *done, void *argument)
{
    due_start(store, STORE_SQL_SUBMISSION_DUE, mailbox, now_ms, limit, done, argument);
}

void store_submissions_lapsed(struct store *store, struct store_mailbox mailbox, int64_t before_ms,
                              size_t limit, store_submissions_done *done, void *argument)
{
    due_start(store, STORE_SQL_SUBMISSION_LAPSED, mailbox, before_ms, limit, done, argument);
}

void store_submissions_unsent(struct store *store, struct store_mailbox mailbox, int64_t after,
                              size_t limit, store_submissions_done *done, void *argument)
{
    due_start(store, STORE_SQL_SUBMISSION_UNSENT, mailbox, after, limit, done, argument);
}

/* --- open --- */

struct open_operation {
    struct store_operation operation;
    void (*each)(void *argument, const struct store_backlog *backlog);
    struct store_backlog *backlogs; /* their strings are owned */
    size_t count;
    size_t capacity;
};

static void open_forget(struct open_operation *opening)
{
    for (size_t i = 0; i < opening->count; i++) {
        memory_free((char *)opening->backlogs[i].address);
        memory_free((char *)opening->backlogs[i].profile);
    }
    opening->count = 0;
}

static void open_run(struct store_connection *connection, struct store_operation *operation)
{
    struct open_operation *opening = (struct open_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SUBMISSION_MAILBOXES);
    open_forget(opening); /* the writer runs again what was spoiled by another */
    while (store_row(connection, query)) {
        if (opening->count == opening->capacity) {
            opening->capacity = opening->capacity == 0 ? 64 : 2 * opening->capacity;
            opening->backlogs =
                memory_resize(opening->backlogs, opening->capacity * sizeof *opening->backlogs);
        }
        opening->backlogs[opening->count++] = (struct store_backlog){
            .mailbox = {.number = sqlite3_column_int64(query, 0),
                        .lease = (uint32_t)sqlite3_column_int64(query, 1)},
            .address = memory_copy_string((const char *)sqlite3_column_text(query, 2)),
            .profile = memory_copy_string((const char *)sqlite3_column_text(query, 3)),
            .waiting = (uint64_t)sqlite3_column_int64(query, 4),
            .oldest_ms = sqlite3_column_int64(query, 5),
        };
    }
    store_end(query);
}

static void open_finish(struct store_operation *operation)
{
    struct open_operation *opening = (struct open_operation *)operation;
    for (size_t i = 0; i < opening->count && operation->failure == NULL; i++)
        opening->each(operation->argument, &opening->backlogs[i]);
    open_forget(opening);
    memory_free(opening->backlogs);
    if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
}

static struct open_operation *open_create(void (*each)(void *argument,
                                                       const struct store_backlog *backlog),
                                          store_done *done, void *argument)
{
    struct open_operation *opening =
        store_operation_create(sizeof *opening, open_run, done, argument);
    opening->operation.finish = open_finish;
    opening->each = each;
    return opening;
}

void store_submissions_open(struct store *store,
                            void (*each)(void *argument, const struct store_backlog *backlog),
                            store_done *done, void *argument)
{
    store_start_write(store, &open_create(each, done, argument)->operation);
}

void store_submissions_show(struct store *store,
                            void (*each)(void *argument, const struct store_backlog *backlog),
                            store_done *done, void *argument)
{
    store_start_read(store, &open_create(each, done, argument)->operation);
}

/* --- change --- */

struct change_operation {
    struct store_operation operation;
    struct store_mailbox mailbox;
    const struct store_submission_change *changes;
    size_t count;
    int64_t now_ms;
};

void store_resolve_submission(struct store_connection *connection, const char *id, int64_t now_ms)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_FAILURE_RESOLVE_SUBMISSION);
    store_bind_text(connection, query, 1, id);
    store_bind_number(connection, query, 2, now_ms);
    store_run(connection, query);
}

static void change_one(struct store_connection *connection, const struct change_operation *changing,
                       const struct store_submission_change *change)
{
    bool final = change->state == STORE_SUBMISSION_SENT || change->state == STORE_SUBMISSION_FAILED;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_SUBMISSION_CHANGE);
    store_bind_text(connection, query, 1, change->id);
    store_bind_number(connection, query, 2, changing->mailbox.number);
    store_bind_number(connection, query, 3, change->state);
    store_bind_text(connection, query, 4, change->reference);
    store_bind_number(connection, query, 5, change->attempts);
    store_bind_number(connection, query, 6, change->next_try_ms);
    store_bind_number(connection, query, 7, change->doubt_since_ms);
    store_bind_number(connection, query, 8, change->stray);
    if (final)
        store_bind_number(connection, query, 9, changing->now_ms);
    if (store_run(connection, query) > 0 && change->state == STORE_SUBMISSION_SENT)
        store_resolve_submission(connection, change->id, changing->now_ms);
}

static void change_run(struct store_connection *connection, struct store_operation *operation)
{
    const struct change_operation *changing = (const struct change_operation *)operation;
    store_check_lease(connection, changing->mailbox);
    for (size_t i = 0; i < changing->count; i++)
        change_one(connection, changing, &changing->changes[i]);
}

void store_submissions_change(struct store *store, struct store_mailbox mailbox,
                              const struct store_submission_change *changes, size_t count,
                              int64_t now_ms, store_done *done, void *argument)
{
    struct change_operation *changing =
        store_operation_create(sizeof *changing, change_run, done, argument);
    changing->mailbox = mailbox;
    changing->changes = changes;
    changing->count = count;
    changing->now_ms = now_ms;
    store_start_write(store, &changing->operation);
}

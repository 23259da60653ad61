#include "store/store_trace.h"

#include "store/store_private.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* --- small values --- */

void store_bind_mark(struct store_connection *connection, sqlite3_stmt *query, int place,
                     uint64_t mark)
{
    if (mark != 0)
        store_bind_number(connection, query, place, (int64_t)mark);
}

bool store_uuid_read(const char *text, struct digest *uuid)
{
    size_t digits = 0;
    *uuid = (struct digest){0};
    for (; text != NULL && *text != '\0'; text++) {
        static const char hexadecimal[] = "0123456789abcdef";
        const char *digit = strchr(hexadecimal, *text);
        if (*text == '-')
            continue;
        if (digit == NULL || digits == 2 * sizeof uuid->bytes)
            return false;
        uuid->bytes[digits / 2] =
            (uint8_t)(uuid->bytes[digits / 2] << 4 | (uint8_t)(digit - hexadecimal));
        digits++;
    }
    return digits == 2 * sizeof uuid->bytes;
}

static void write_uuid(const struct digest *uuid, char text[STORE_UUID_SIZE])
{
    char *out = text;
    for (size_t i = 0; i < sizeof uuid->bytes; i++)
        out += snprintf(out, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                        uuid->bytes[i]);
}

/* --- failures --- */

static void read_failure(struct store_connection *connection, sqlite3_stmt *query,
                         struct store_strings *strings, struct store_traced_failure *failure)
{
    if (!store_row(connection, query))
        return;
    *failure = (struct store_traced_failure){
        .step = store_strings_column(strings, query, 0),
        .code = store_strings_column(strings, query, 1),
        .sentence = store_strings_column(strings, query, 2),
        .text = store_strings_column(strings, query, 3),
        .remedy = store_strings_column(strings, query, 4),
        .activity = store_strings_column(strings, query, 5),
        .count = (uint32_t)sqlite3_column_int64(query, 6),
        .first_ms = sqlite3_column_int64(query, 7),
        .last_ms = sqlite3_column_int64(query, 8),
    };
    store_end(query);
}

/* --- incoming --- */

struct message_operation {
    struct store_operation operation;
    uint64_t message;
    store_traced_items_done *done;
    struct store_traced_item items[STORE_TRACE_ITEMS];
    struct digest keys[STORE_TRACE_ITEMS]; /* the ItemIds' */
    size_t count;
    bool more;
    struct store_strings strings;
};

static void message_keep(struct message_operation *tracing, sqlite3_stmt *query)
{
    struct digest activity;
    bool retried = sqlite3_column_type(query, 11) != SQLITE_NULL;
    struct store_traced_item *item = &tracing->items[tracing->count];
    store_column_digest(query, 13, &tracing->keys[tracing->count++]);
    *item = (struct store_traced_item){
        .mailbox = {.number = sqlite3_column_int64(query, 0)},
        .address = store_strings_column(&tracing->strings, query, 1),
        .profile = store_strings_column(&tracing->strings, query, 2),
        .sink_path = store_strings_column(&tracing->strings, query, 3),
        .state = (enum store_item_state)sqlite3_column_int(query, 4),
        .received_ms = sqlite3_column_int64(query, 5),
        .taken_ms = sqlite3_column_int64(query, 6),
        .file = (uint64_t)sqlite3_column_int64(query, 7),
        .name = store_strings_column(&tracing->strings, query, 8),
        .attempts = (uint32_t)sqlite3_column_int64(query, 10),
        .next_try_ms = retried ? sqlite3_column_int64(query, 11) : INT64_MAX,
        .left_to_do = sqlite3_column_int(query, 12) != 0,
    };
    item->set_aside = item->state == STORE_ITEM_FAILED && item->next_try_ms == STORE_SET_ASIDE;
    if (store_column_digest(query, 9, &activity))
        write_uuid(&activity, item->activity);
}

static void message_run(struct store_connection *connection, struct store_operation *operation)
{
    struct message_operation *tracing = (struct message_operation *)operation;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_TRACE_MESSAGE);
    store_bind_number(connection, query, 1, (int64_t)tracing->message);
    while (!tracing->more && store_row(connection, query)) {
        if (tracing->count < STORE_TRACE_ITEMS)
            message_keep(tracing, query);
        else
            tracing->more = true;
    }
    store_end(query);
    for (size_t i = 0; i < tracing->count; i++) {
        struct store_traced_item *item = &tracing->items[i];
        query = store_query(connection, STORE_SQL_TRACE_ITEM_FAILURE);
        store_bind_number(connection, query, 1, item->mailbox.number);
        store_bind_digest(connection, query, 2, &tracing->keys[i]);
        read_failure(connection, query, &tracing->strings, &item->failure);
    }
}

static void message_finish(struct store_operation *operation)
{
    struct message_operation *tracing = (struct message_operation *)operation;
    bool failed = operation->failure != NULL;
    tracing->done(operation->argument, operation->failure, tracing->items,
                  failed ? 0 : tracing->count, tracing->more);
    store_strings_release(&tracing->strings);
}

void store_trace_message(struct store *store, uint64_t message, store_traced_items_done *done,
                         void *argument)
{
    struct message_operation *tracing =
        store_operation_create(sizeof *tracing, message_run, NULL, argument);
    tracing->operation.finish = message_finish;
    tracing->message = message;
    tracing->done = done;
    store_start_read(store, &tracing->operation);
}

/* --- outgoing --- */

/* Of a slice; the next one goes on behind the last of them. Each may have a thousand recipients. */
enum { SLICE_FOUND = 8 };

struct submissions_operation {
    struct store_operation operation;
    char *id; /* owned, as the next two */
    char *message_id;
    char *subject;
    int64_t before;
    store_traced_submissions_done *done;
    struct store_traced_submission *found;
    size_t count;
    struct store_strings strings;
};

static void submissions_keep(struct submissions_operation *tracing, sqlite3_stmt *query)
{
    struct store_traced_submission *row = &tracing->found[tracing->count++];
    *row = (struct store_traced_submission){
        .submission =
            {
                .state = (enum store_submission_state)sqlite3_column_int(query, 1),
                .order = sqlite3_column_int64(query, 2),
                .queued_ms = sqlite3_column_int64(query, 3),
                .size = (uint64_t)sqlite3_column_int64(query, 4),
                .submitter = (uint32_t)sqlite3_column_int64(query, 5),
                .attempts = (uint32_t)sqlite3_column_int64(query, 6),
                .next_try_ms = sqlite3_column_int64(query, 7),
                .doubt_since_ms = sqlite3_column_int64(query, 8),
                .message_id = store_strings_column(&tracing->strings, query, 9),
                .subject = store_strings_column(&tracing->strings, query, 10),
                .recipients = store_strings_column(&tracing->strings, query, 11),
            },
        .finished_ms = sqlite3_column_int64(query, 12),
        .address = store_strings_column(&tracing->strings, query, 13),
        .profile = store_strings_column(&tracing->strings, query, 14),
        .held_ms = sqlite3_column_int64(query, 15),
    };
    snprintf(row->submission.id, sizeof row->submission.id, "%s",
             (const char *)sqlite3_column_text(query, 0));
}

/* How far the slice goes, by the numbers of the rows; 0: to the first one. */
static int64_t submissions_floor(struct store_connection *connection,
                                 const struct submissions_operation *tracing)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_TRACE_SUBMISSION_NEWEST);
    int64_t newest = store_run_number(connection, query);
    int64_t end = tracing->before > newest ? newest + 1 : tracing->before;
    return end > STORE_TRACE_ROWS ? end - STORE_TRACE_ROWS : 0;
}

static void submissions_read(struct store_connection *connection,
                             struct submissions_operation *tracing, int64_t floor)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_TRACE_SUBMISSIONS);
    store_bind_number(connection, query, 1, tracing->before);
    store_bind_number(connection, query, 2, floor);
    store_bind_text(connection, query, 3, tracing->message_id);
    store_bind_text(connection, query, 4, tracing->subject);
    while (tracing->count < SLICE_FOUND && store_row(connection, query))
        submissions_keep(tracing, query);
    store_end(query);
    bool full = tracing->count == SLICE_FOUND;
    tracing->before = full ? tracing->found[tracing->count - 1].submission.order : floor;
}

static void submissions_read_one(struct store_connection *connection,
                                 struct submissions_operation *tracing)
{
    sqlite3_stmt *query = store_query(connection, STORE_SQL_TRACE_SUBMISSION);
    store_bind_text(connection, query, 1, tracing->id);
    if (store_row(connection, query))
        submissions_keep(tracing, query);
    store_end(query);
    tracing->before = 0;
}

static void submissions_run(struct store_connection *connection, struct store_operation *operation)
{
    struct submissions_operation *tracing = (struct submissions_operation *)operation;
    if (tracing->id != NULL)
        submissions_read_one(connection, tracing);
    else
        submissions_read(connection, tracing, submissions_floor(connection, tracing));
    for (size_t i = 0; i < tracing->count; i++) {
        sqlite3_stmt *query = store_query(connection, STORE_SQL_TRACE_SUBMISSION_FAILURE);
        store_bind_text(connection, query, 1, tracing->found[i].submission.id);
        read_failure(connection, query, &tracing->strings, &tracing->found[i].failure);
    }
}

static void submissions_finish(struct store_operation *operation)
{
    struct submissions_operation *tracing = (struct submissions_operation *)operation;
    bool failed = operation->failure != NULL;
    tracing->done(operation->argument, operation->failure, tracing->found,
                  failed ? 0 : tracing->count, failed ? 0 : tracing->before);
    store_strings_release(&tracing->strings);
    memory_free(tracing->found);
    memory_free(tracing->id);
    memory_free(tracing->message_id);
    memory_free(tracing->subject);
}

void store_trace_submissions(struct store *store, const struct store_trace_wanted *wanted,
                             int64_t before, store_traced_submissions_done *done, void *argument)
{
    struct submissions_operation *tracing =
        store_operation_create(sizeof *tracing, submissions_run, NULL, argument);
    tracing->operation.finish = submissions_finish;
    tracing->id = memory_copy_string(wanted->id);
    tracing->message_id = memory_copy_string(wanted->message_id);
    tracing->subject = memory_copy_string(wanted->subject);
    tracing->before = before;
    tracing->done = done;
    tracing->found = memory_allocate(SLICE_FOUND * sizeof *tracing->found);
    store_start_read(store, &tracing->operation);
}

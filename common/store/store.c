#include "store/store.h"

#include "store/store_private.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>

static void store_read_instance(struct store *store)
{
    struct store_connection *connection = &store->reader.connection;
    sqlite3_stmt *query = store_query(connection, STORE_SQL_INSTANCE);
    bool found = store_row(connection, query);
    if (found) {
        snprintf(store->instance, sizeof store->instance, "%s",
                 (const char *)sqlite3_column_text(query, 0));
        store->copied_ms = sqlite3_column_int64(query, 1);
    }
    store_end(query);
    if (!found)
        store_fail(connection, SQLITE_CORRUPT);
}

/* How a database is opened. */
struct store_opening {
    const struct store_progress *progress; /* may be NULL */
    uint32_t busy_ms;
    bool as_it_is; /* neither created nor upgraded */
};

static void store_open_connections(struct store *store, const struct store_opening *opening,
                                   struct failure *failure)
{
    struct store_connection *writer = &store->writer.connection;
    struct store_connection *reader = &store->reader.connection;
    const char *path = store->files.paths[STORE_FILE_DATABASE];
    writer->busy_ms = reader->busy_ms = opening->busy_ms;
    writer->closing = reader->closing = &store->closing;
    writer->step = reader->step = "open";

    store_connection_open(writer, path, false);
    store_schema_accept(writer, &store_schema);
    if (opening->as_it_is)
        store_schema_insist(writer, &store_schema);
    else
        store_schema_upgrade(writer, &store_schema, store->log, opening->progress);
    store_connection_begin_writing(writer);
    if (store_failed(writer)) {
        *failure = writer->failure;
        return;
    }
    /* Reads at once, so that it has the same log open as the writer from the beginning. */
    store_connection_open(reader, path, true);
    store_read_instance(store);
    *failure = reader->failure;
    writer->step = "write";
    reader->step = "read";
}

static bool store_start_worker(struct store *store, struct store_worker *worker, const char *name,
                               void *(*run)(void *store), struct failure *failure)
{
    int error = thread_start(&worker->thread, name, run, store);
    worker->started = error == 0;
    if (error != 0)
        *failure = failure_from_errno(FAILURE_SCOPE_SERVER, "open", error,
                                      "start a thread for the database");
    return worker->started;
}

/* There is a database, or one was made. */
static bool store_has_database(struct store *store, bool as_it_is, struct failure *failure)
{
    const char *path = store->files.paths[STORE_FILE_DATABASE];
    if (store_files_exist(&store->files, failure))
        return true;
    if (as_it_is && !failure_is_set(failure))
        *failure = failure_from_errno(FAILURE_SCOPE_SERVER, "open", ENOENT, path);
    if (failure_is_set(failure) || !store_schema_create(path, &store_schema, store->log, failure))
        return false;
    store->lost_ms = store->files.used_ms;
    return true;
}

static bool store_set_up(struct store *store, const struct store_opening *opening,
                         struct failure *failure)
{
    if (!store_files_lock(&store->files, failure) ||
        !store_has_database(store, opening->as_it_is, failure))
        return false;
    store_open_connections(store, opening, failure);
    return !failure_is_set(failure) && store_files_remember(&store->files, failure) &&
           store_start_worker(store, &store->writer, "store-writer", store_writer_main, failure) &&
           store_start_worker(store, &store->reader, "store-reader", store_reader_main, failure);
}

static struct store *store_open_by(const char *directory, struct executor *executor,
                                   struct log *log, const struct store_opening *opening,
                                   struct failure *failure)
{
    struct store *store = memory_allocate(sizeof *store);
    *failure = (struct failure){0};
    store->log = log;
    atomic_init(&store->closing, false);
    atomic_init(&store->transactions, 0);
    store_files_name(&store->files, directory);
    store_worker_create(&store->writer);
    store_worker_create(&store->reader);
    store->completions = store_completions_create(executor);
    if (!store_set_up(store, opening, failure)) {
        store_close(store);
        store = NULL;
    }
    return store;
}

struct store *store_open_patient(const char *directory, struct executor *executor, struct log *log,
                                 const struct store_progress *progress, uint32_t busy_ms,
                                 struct failure *failure)
{
    const struct store_opening opening = {.progress = progress, .busy_ms = busy_ms};
    return store_open_by(directory, executor, log, &opening, failure);
}

struct store *store_open(const char *directory, struct executor *executor, struct log *log,
                         const struct store_progress *progress, struct failure *failure)
{
    return store_open_patient(directory, executor, log, progress, STORE_BUSY_MS, failure);
}

struct store *store_open_as_it_is(const char *directory, struct executor *executor,
                                  struct failure *failure)
{
    const struct store_opening opening = {.busy_ms = STORE_BUSY_MS, .as_it_is = true};
    return store_open_by(directory, executor, NULL, &opening, failure);
}

static void store_stop_worker(struct store_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->closing = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    if (worker->started)
        pthread_join(worker->thread, NULL);
}

void store_close(struct store *store)
{
    atomic_store(&store->closing, true);
    store_stop_worker(&store->writer);
    store_stop_worker(&store->reader);
    /* The writer last: it puts what is in the log into the database. */
    store_connection_close(&store->reader.connection);
    store_connection_close(&store->writer.connection);
    store_worker_release(&store->reader);
    store_worker_release(&store->writer);
    store_files_release(&store->files);
    store_completions_close(store->completions);
    memory_free(store);
}

int64_t store_lost(const struct store *store)
{
    return store->lost_ms;
}

const char *store_instance(const struct store *store)
{
    return store->instance;
}

size_t store_pending(const struct store *store)
{
    return store->completions->pending;
}

static uint64_t worker_busy_ms(const struct store_worker *worker, uint64_t now)
{
    uint64_t since = atomic_load(&worker->busy_since_ms);
    return since == 0 || since > now ? 0 : now - since;
}

uint64_t store_busy_ms(const struct store *store)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t writer = worker_busy_ms(&store->writer, now);
    uint64_t reader = worker_busy_ms(&store->reader, now);
    return writer > reader ? writer : reader;
}

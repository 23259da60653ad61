#include "store/store_private.h"

#include "base/clock.h"
#include "base/memory.h"

enum {
    /* What one turn of the loop ends at most; the rest waits for the next one. */
    TURN_OPERATIONS = 64,
    TURN_MS = 4,
    PROGRESS_STEPS = 100000, /* of SQLite's machine: some milliseconds */
};

void *store_operation_create(size_t size,
                             void (*run)(struct store_connection *connection,
                                         struct store_operation *operation),
                             store_done *done, void *argument)
{
    struct store_operation *operation = memory_allocate(size);
    operation->run = run;
    operation->done = done;
    operation->argument = argument;
    return operation;
}

void store_operation_fail(struct store_operation *operation, const struct failure *failure)
{
    if (operation->failure != NULL)
        return;
    operation->failure = memory_allocate(sizeof *operation->failure);
    *operation->failure = *failure;
}

void store_operation_forgive(struct store_operation *operation)
{
    memory_free(operation->failure);
    operation->failure = NULL;
}

static void operation_finish(struct store_operation *operation)
{
    if (operation->finish != NULL)
        operation->finish(operation);
    else if (operation->done != NULL)
        operation->done(operation->argument, operation->failure);
    store_operation_forgive(operation);
    memory_free(operation);
}

/* --- workers --- */

void store_worker_create(struct store_worker *worker)
{
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->wake, NULL);
    STAILQ_INIT(&worker->waiting);
}

void store_worker_release(struct store_worker *worker)
{
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->mutex);
}

bool store_worker_take(struct store_worker *worker, struct store_operations *operations)
{
    STAILQ_INIT(operations);
    atomic_store(&worker->busy_since_ms, 0);
    pthread_mutex_lock(&worker->mutex);
    while (STAILQ_EMPTY(&worker->waiting) && !worker->closing)
        pthread_cond_wait(&worker->wake, &worker->mutex);
    STAILQ_CONCAT(operations, &worker->waiting);
    pthread_mutex_unlock(&worker->mutex);
    store_worker_get_on(worker);
    return !STAILQ_EMPTY(operations);
}

void store_worker_get_on(struct store_worker *worker)
{
    atomic_store(&worker->busy_since_ms, clock_monotonic_ms());
}

static int worker_queries(void *argument)
{
    store_worker_get_on(argument);
    return 0;
}

void store_worker_watch(struct store_worker *worker)
{
    sqlite3_progress_handler(worker->connection.database, PROGRESS_STEPS, worker_queries, worker);
}

void store_worker_put(struct store_worker *worker, struct store_operations *operations)
{
    pthread_mutex_lock(&worker->mutex);
    STAILQ_CONCAT(&worker->waiting, operations);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
}

static void operation_start(struct store *store, struct store_worker *worker,
                            struct store_operation *operation)
{
    struct store_operations one = STAILQ_HEAD_INITIALIZER(one);
    STAILQ_INSERT_TAIL(&one, operation, entries);
    store->completions->pending++;
    store_worker_put(worker, &one);
}

void store_start_write(struct store *store, struct store_operation *operation)
{
    operation_start(store, &store->writer, operation);
}

void store_start_read(struct store *store, struct store_operation *operation)
{
    operation_start(store, &store->reader, operation);
}

/* --- completions --- */

struct store_completions *store_completions_create(struct executor *executor)
{
    struct store_completions *completions = memory_allocate(sizeof *completions);
    completions->executor = executor;
    pthread_mutex_init(&completions->mutex, NULL);
    STAILQ_INIT(&completions->finished);
    return completions;
}

static void completions_free(struct store_completions *completions)
{
    pthread_mutex_destroy(&completions->mutex);
    memory_free(completions);
}

/* Whether there are more to end; when not, the next one is posted anew. */
static bool completions_more(struct store_completions *completions)
{
    pthread_mutex_lock(&completions->mutex);
    bool more = !STAILQ_EMPTY(&completions->finished);
    completions->posted = more;
    pthread_mutex_unlock(&completions->mutex);
    return more;
}

static struct store_operation *completions_take(struct store_completions *completions)
{
    pthread_mutex_lock(&completions->mutex);
    struct store_operation *operation = STAILQ_FIRST(&completions->finished);
    STAILQ_REMOVE_HEAD(&completions->finished, entries);
    pthread_mutex_unlock(&completions->mutex);
    return operation;
}

static void completions_deliver(void *argument)
{
    struct store_completions *completions = argument;
    uint64_t end = clock_monotonic_ms() + TURN_MS;
    size_t room = TURN_OPERATIONS;
    bool more = completions_more(completions);
    completions->delivering = true;
    while (more && room > 0) {
        struct store_operation *operation = completions_take(completions);
        completions->pending--;
        operation_finish(operation);
        more = completions_more(completions);
        room = clock_monotonic_ms() < end ? room - 1 : 0;
    }
    completions->delivering = false;
    if (more)
        executor_post(completions->executor, &completions->call, completions_deliver, completions);
    else if (completions->closed)
        completions_free(completions);
}

void store_complete(struct store_completions *completions, struct store_operations *operations)
{
    pthread_mutex_lock(&completions->mutex);
    if (!STAILQ_EMPTY(operations) && !completions->posted) {
        completions->posted = true;
        executor_post(completions->executor, &completions->call, completions_deliver, completions);
    }
    STAILQ_CONCAT(&completions->finished, operations);
    pthread_mutex_unlock(&completions->mutex);
}

void store_completions_close(struct store_completions *completions)
{
    completions->closed = true;
    /* An operation that was started and not ended stands behind a posted call. */
    if (completions->pending == 0 && !completions->delivering && !completions->posted)
        completions_free(completions);
}

#include "base/executor_private.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    IDLE_MS = 10000,        /* a thread without work ends after this */
    THREAD_RETRY_MS = 1000, /* when the system refuses a first thread */
    NAME_SIZE = 16,         /* what a thread's name can hold, the NUL included */
};

TAILQ_HEAD(executor_jobs, executor_job);
TAILQ_HEAD(executor_workers, executor_worker);

struct executor_lane {
    struct executor_pool *pool;
    char *name; /* NULL for the lane of jobs that have none */
    size_t limit;
    size_t running;
    size_t queued;
    size_t startable; /* of the queued jobs, how many may begin now; its share of the pool's */
    struct executor_jobs jobs;
    TAILQ_ENTRY(executor_lane) ready; /* in the pool's `ready` while startable > 0 */
    SLIST_ENTRY(executor_lane) entries;
};

struct executor_worker {
    struct executor_pool *pool;
    pthread_t thread;
    TAILQ_ENTRY(executor_worker) entries;
};

struct executor_pool {
    struct executor *executor;
    char name[NAME_SIZE];
    size_t threads;
    size_t pending;              /* loop's thread only */
    struct executor_timer retry; /* loop's thread only */

    pthread_mutex_t mutex; /* guards all below; taken before the executor's */
    pthread_cond_t work;   /* there is a startable job, or the pool is closing */
    pthread_cond_t ended;  /* a worker has ended */
    bool closing;
    bool abandoned; /* executor_pool_free gave up; the last worker frees the pool */
    struct executor_lane unlimited;
    SLIST_HEAD(executor_lanes, executor_lane) lanes;
    TAILQ_HEAD(executor_ready, executor_lane) ready; /* lanes take turns */
    size_t startable;
    struct executor_jobs finished; /* done, their completion posted */
    struct executor_workers workers;
    struct executor_workers past; /* ended, to be joined */
    size_t worker_count;
    size_t starting; /* started and not yet at the mutex */
    size_t idle;
};

/* --- lanes: the mutex is held --- */

static void lane_init(struct executor_lane *lane, struct executor_pool *pool, const char *name,
                      size_t limit)
{
    lane->pool = pool;
    lane->name = memory_copy_string(name);
    lane->limit = limit > 0 ? limit : 1;
    TAILQ_INIT(&lane->jobs);
}

/* To be called after every change of a lane: counts anew what may begin. */
static void lane_changed(struct executor_lane *lane)
{
    struct executor_pool *pool = lane->pool;
    size_t room = lane->limit - lane->running;
    size_t startable = lane->queued < room ? lane->queued : room;
    if (lane->startable == 0 && startable > 0)
        TAILQ_INSERT_TAIL(&pool->ready, lane, ready);
    if (lane->startable > 0 && startable == 0)
        TAILQ_REMOVE(&pool->ready, lane, ready);
    pool->startable = pool->startable - lane->startable + startable;
    lane->startable = startable;
}

static void lane_add(struct executor_lane *lane, struct executor_job *job)
{
    TAILQ_INSERT_TAIL(&lane->jobs, job, entries);
    lane->queued++;
    lane_changed(lane);
}

/* The next job of the lane whose turn it is; the lane then goes behind the others. */
static struct executor_job *pool_begin_job(struct executor_pool *pool)
{
    struct executor_lane *lane = TAILQ_FIRST(&pool->ready);
    struct executor_job *job = TAILQ_FIRST(&lane->jobs);
    TAILQ_REMOVE(&lane->jobs, job, entries);
    lane->queued--;
    lane->running++;
    lane_changed(lane);
    if (lane->startable > 0) {
        TAILQ_REMOVE(&pool->ready, lane, ready);
        TAILQ_INSERT_TAIL(&pool->ready, lane, ready);
    }
    return job;
}

/* --- completion: the loop's thread --- */

/* The mutex is held, and given up for as long as `done` runs. */
static void pool_call_done(struct executor_pool *pool, struct executor_job *job)
{
    TAILQ_REMOVE(&pool->finished, job, entries);
    pthread_mutex_unlock(&pool->mutex);
    pool->pending--;
    pool->executor->current = job->done;
    job->done(job->argument); /* the job may be gone afterwards */
    pthread_mutex_lock(&pool->mutex);
}

static void pool_complete(void *argument)
{
    struct executor_job *job = argument;
    struct executor_pool *pool = job->lane->pool;
    pthread_mutex_lock(&pool->mutex);
    pool_call_done(pool, job);
    pthread_mutex_unlock(&pool->mutex);
}

/* --- the threads --- */

static void pool_destroy(struct executor_pool *pool)
{
    while (!SLIST_EMPTY(&pool->lanes)) {
        struct executor_lane *lane = SLIST_FIRST(&pool->lanes);
        SLIST_REMOVE_HEAD(&pool->lanes, entries);
        memory_free(lane->name);
        memory_free(lane);
    }
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->mutex);
    memory_free(pool);
}

static void pool_run_job(struct executor_pool *pool, struct executor_job *job)
{
    struct executor_lane *lane = job->lane;
    pthread_mutex_unlock(&pool->mutex);
    job->work(job->argument);
    pthread_mutex_lock(&pool->mutex);
    lane->running--;
    lane_changed(lane);
    /* When nobody waits any more the executor is gone, too, and the job stays as it is. */
    if (pool->abandoned)
        return;
    TAILQ_INSERT_TAIL(&pool->finished, job, entries);
    executor_post(pool->executor, &job->completion, pool_complete, job);
}

/* Waits for a job that may begin; false when the thread is to end. */
static bool pool_wait_for_job(struct executor_pool *pool)
{
    uint64_t deadline = clock_monotonic_ms() + IDLE_MS;
    int result = 0;
    pool->idle++;
    while (pool->startable == 0 && !pool->closing && result != ETIMEDOUT)
        result = thread_wait_until(&pool->work, &pool->mutex, deadline);
    pool->idle--;
    return pool->startable > 0 && !pool->closing;
}

static void *pool_work(void *argument)
{
    struct executor_worker *worker = argument;
    struct executor_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    pool->starting--;
    while (pool_wait_for_job(pool))
        pool_run_job(pool, pool_begin_job(pool));

    TAILQ_REMOVE(&pool->workers, worker, entries);
    pool->worker_count--;
    bool last = pool->abandoned && pool->worker_count == 0;
    if (pool->abandoned)
        memory_free(worker); /* detached */
    else
        TAILQ_INSERT_TAIL(&pool->past, worker, entries);
    pthread_cond_broadcast(&pool->ended);
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        pool_destroy(pool);
    return NULL;
}

/* The mutex is held; what is joined has nothing left to do but to return. */
static void pool_join_past(struct executor_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->past)) {
        struct executor_worker *worker = TAILQ_FIRST(&pool->past);
        TAILQ_REMOVE(&pool->past, worker, entries);
        pthread_mutex_unlock(&pool->mutex);
        pthread_join(worker->thread, NULL);
        memory_free(worker);
        pthread_mutex_lock(&pool->mutex);
    }
}

static bool pool_start_thread(struct executor_pool *pool)
{
    struct executor_worker *worker = memory_allocate(sizeof *worker);
    worker->pool = pool;
    if (thread_start(&worker->thread, pool->name, pool_work, worker) != 0) {
        memory_free(worker);
        return false;
    }
    TAILQ_INSERT_TAIL(&pool->workers, worker, entries);
    pool->worker_count++;
    pool->starting++;
    return true;
}

static void pool_retry(void *argument);

/* Sees to it that every job that may begin finds a thread. A waiting thread that was woken counts
 * as waiting until it has taken its job, which then no longer counts as startable: the comparison
 * holds at any moment, so no job waits behind one that hangs while there could be another thread.
 */
static void pool_provide_threads(struct executor_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool_join_past(pool);
    bool refused = false;
    while (!refused && pool->startable > pool->idle + pool->starting &&
           pool->worker_count < pool->threads)
        refused = !pool_start_thread(pool);
    if (pool->idle > 0 && pool->startable > 0)
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    if (refused)
        executor_after(pool->executor, &pool->retry, THREAD_RETRY_MS, pool_retry, pool);
}

static void pool_retry(void *argument)
{
    pool_provide_threads(argument);
}

/* --- the interface --- */

struct executor_pool *executor_pool_create(struct executor *executor, const char *name,
                                           size_t threads)
{
    struct executor_pool *pool = memory_allocate(sizeof *pool);
    pool->executor = executor;
    snprintf(pool->name, sizeof pool->name, "%.15s", name);
    pool->threads = threads > 0 ? threads : 1;
    pthread_mutex_init(&pool->mutex, NULL);
    thread_condition_create(&pool->work);
    thread_condition_create(&pool->ended);
    SLIST_INIT(&pool->lanes);
    TAILQ_INIT(&pool->ready);
    TAILQ_INIT(&pool->finished);
    TAILQ_INIT(&pool->workers);
    TAILQ_INIT(&pool->past);
    lane_init(&pool->unlimited, pool, NULL, SIZE_MAX);
    return pool;
}

struct executor_lane *executor_pool_lane(struct executor_pool *pool, const char *name, size_t limit)
{
    struct executor_lane *lane;
    SLIST_FOREACH(lane, &pool->lanes, entries)
    {
        if (strcmp(lane->name, name) == 0)
            return lane;
    }
    lane = memory_allocate(sizeof *lane);
    lane_init(lane, pool, name, limit);
    SLIST_INSERT_HEAD(&pool->lanes, lane, entries);
    return lane;
}

void executor_pool_submit(struct executor_pool *pool, struct executor_lane *lane,
                          struct executor_job *job, void (*work)(void *argument),
                          void (*done)(void *argument), void *argument)
{
    job->work = work;
    job->done = done;
    job->argument = argument;
    job->lane = lane != NULL ? lane : &pool->unlimited;
    assert(job->lane->pool == pool);
    pthread_mutex_lock(&pool->mutex);
    bool closing = pool->closing;
    if (!closing)
        lane_add(job->lane, job);
    pthread_mutex_unlock(&pool->mutex);
    if (closing)
        return;
    pool->pending++;
    pool_provide_threads(pool);
}

size_t executor_pool_pending(const struct executor_pool *pool)
{
    return pool->pending;
}

/* The mutex is held. */
static void pool_wait_for_workers(struct executor_pool *pool, uint64_t patience_ms)
{
    static const uint64_t longest = UINT64_C(365) * 24 * 3600 * 1000; /* keeps the sum in range */
    uint64_t deadline = clock_monotonic_ms() + (patience_ms < longest ? patience_ms : longest);
    int result = 0;
    while (pool->worker_count > 0 && result != ETIMEDOUT)
        result = thread_wait_until(&pool->ended, &pool->mutex, deadline);
}

/* The mutex is held, and given up in between; at the end nothing is left of workers and jobs that
 * came to their end. */
static void pool_settle(struct executor_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->past) || !TAILQ_EMPTY(&pool->finished)) {
        pool_join_past(pool);
        struct executor_job *job = TAILQ_FIRST(&pool->finished);
        if (job != NULL) {
            executor_unpost(pool->executor, &job->completion);
            pool_call_done(pool, job);
        }
    }
}

bool executor_pool_free(struct executor_pool *pool, uint64_t patience_ms)
{
    executor_cancel_timer(pool->executor, &pool->retry);
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pool_wait_for_workers(pool, patience_ms);
    pool_settle(pool);
    bool ended = pool->worker_count == 0;
    if (!ended) {
        /* From here on the threads that hang own the pool: the last one frees it. */
        pool->abandoned = true;
        struct executor_worker *worker;
        TAILQ_FOREACH(worker, &pool->workers, entries)
        pthread_detach(worker->thread);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (ended)
        pool_destroy(pool);
    return ended;
}

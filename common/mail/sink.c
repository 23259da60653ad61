#include "mail/sink_private.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* --- sinks --- */

/* An instance id may be a UUID; only its digits count. */
static void copy_instance(char *to, const char *instance)
{
    size_t length = 0;
    for (; *instance != '\0' && length < MAILDIR_INSTANCE_DIGITS; instance++) {
        if (*instance != '-')
            to[length++] = *instance;
    }
    assert(length == MAILDIR_INSTANCE_DIGITS && strspn(to, "0123456789abcdef") == length);
}

struct sinks *sinks_create_with_mounts(struct executor *executor, struct executor_pool *pool,
                                       const char *instance, const char *mounts_file)
{
    struct sinks *sinks = memory_allocate(sizeof *sinks);
    sinks->executor = executor;
    sinks->pool = pool;
    TAILQ_INIT(&sinks->sinks);
    copy_instance(sinks->instance, instance);
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    maildir_host(name, sinks->host);
    sinks_mounts_start(sinks, mounts_file);
    return sinks;
}

struct sinks *sinks_create(struct executor *executor, struct executor_pool *pool,
                           const char *instance)
{
    return sinks_create_with_mounts(executor, pool, instance, "/proc/self/mountinfo");
}

static void sink_destroy(struct sink *sink);

void sinks_free(struct sinks *sinks)
{
    /* What is left belongs to sinks whose last jobs the pool never began. */
    while (!TAILQ_EMPTY(&sinks->sinks)) {
        assert(TAILQ_FIRST(&sinks->sinks)->freed);
        sink_destroy(TAILQ_FIRST(&sinks->sinks));
    }
    sinks_mounts_end(sinks);
    memory_free(sinks);
}

/* --- sink --- */

struct sink *sink_create(struct sinks *sinks, const struct sink_settings *settings)
{
    struct sink *sink = memory_allocate(sizeof *sink);
    sink->sinks = sinks;
    sink->path = memory_copy_string(settings->path);
    sink->root = memory_copy_string(settings->root);
    sink->owner = settings->owner;
    sink->crlf = settings->crlf;
    sink->has_group = settings->has_group;
    sink->group = settings->group;
    sink->mode = settings->mode & 0777;
    pthread_mutex_init(&sink->folders.mutex, NULL);
    sink->folders.spool = -1;
    sink->folders.fresh = -1;
    size_t root = strcmp(sink->root, "/") == 0 ? 0 : strlen(sink->root);
    assert(strncmp(sink->path, sink->root, root) == 0 &&
           (sink->path[root] == '/' || sink->path[root] == '\0'));
    TAILQ_INIT(&sink->messages);
    TAILQ_INIT(&sink->works);
    TAILQ_INSERT_TAIL(&sinks->sinks, sink, entries);
    sink_mounts_place(sink);
    return sink;
}

const char *sink_mount(const struct sink *sink)
{
    return sink->mount;
}

/* No job is at work any more. */
static void sink_destroy(struct sink *sink)
{
    while (!TAILQ_EMPTY(&sink->works)) {
        struct sink_work *work = TAILQ_FIRST(&sink->works);
        TAILQ_REMOVE(&sink->works, work, entries);
        work->release(work);
    }
    while (!TAILQ_EMPTY(&sink->messages))
        sink_message_destroy(TAILQ_FIRST(&sink->messages));
    TAILQ_REMOVE(&sink->sinks->sinks, sink, entries);
    sink_folders_close(&sink->folders);
    pthread_mutex_destroy(&sink->folders.mutex);
    memory_free(sink->path);
    memory_free(sink->root);
    memory_free(sink->mount);
    memory_free(sink);
}

static void close_work(void *argument)
{
    struct sink *sink = argument;
    sink_folders_close(&sink->folders);
}

static void close_done(void *argument)
{
    sink_job_over(argument);
}

/* Frees a sink that nobody needs; closing may block, so a job does it. */
static void sink_settle(struct sink *sink)
{
    if (!sink->freed || sink->jobs > 0)
        return;
    if (sink->folders.open)
        sink_submit(sink, &sink->close_job, close_work, close_done, sink);
    else
        sink_destroy(sink);
}

void sink_submit(struct sink *sink, struct executor_job *job, void (*work)(void *argument),
                 void (*done)(void *argument), void *argument)
{
    sink->jobs++;
    executor_pool_submit(sink->sinks->pool, sink->lane, job, work, done, argument);
}

void sink_job_over(struct sink *sink)
{
    sink->jobs--;
    sink_settle(sink);
}

static void message_let_go(struct sink_message *message)
{
    if (message->synced)
        sink_message_destroy(message);
    else
        sink_abandon(message);
}

void sink_free(struct sink *sink)
{
    if (sink == NULL)
        return;
    assert(!sink->freed);
    sink->freed = true;
    struct sink_work *work;
    struct sink_work *next_work;
    for (work = TAILQ_FIRST(&sink->works); work != NULL; work = next_work) {
        next_work = TAILQ_NEXT(work, entries);
        work->detach(work);
    }
    struct sink_message *message;
    struct sink_message *next;
    for (message = TAILQ_FIRST(&sink->messages); message != NULL; message = next) {
        next = TAILQ_NEXT(message, entries);
        if (message->batch == NULL && !message->abandoned)
            message_let_go(message);
    }
    sink_settle(sink);
}

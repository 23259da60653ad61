#include "mail/sink_private.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Files that one sync holds open at a time: all are on their way to the disk before the first is
 * waited for, so that they share the file system's commits. */
enum { SYNC_OPEN_FILES = 64 };

enum batch_state {
    BATCH_WAITING, /* for write jobs of its messages */
    BATCH_RUNNING,
};

struct batch_work {
    struct sink_work work;
    struct sink_batch *batch; /* the caller's; NULL when the sink was freed */
    enum batch_state state;
    bool publishes;
    size_t writing; /* write jobs waited for */
    struct sink_message **messages;
    size_t count;
};

static bool has_failed(const struct sink_message *message)
{
    return message->failure != NULL || message->job_failure != NULL;
}

/* --- the jobs --- */

static void fail_all(struct batch_work *batch, const struct failure *failure)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!has_failed(batch->messages[i]))
            sink_message_fail(batch->messages[i], failure);
    }
}

static void sync_files(struct sink *sink, struct sink_message **messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sink_message *message = messages[i];
        if (has_failed(message))
            continue;
        bool stored = sink_message_store(message, &message->buffers[message->filling]);
        sink_buffer_release(&message->buffers[0]);
        sink_buffer_release(&message->buffers[1]);
        if (stored && count > 1)
            spool_file_begin_sync(&message->file);
    }
    for (size_t i = 0; i < count; i++) {
        struct failure failure = {0};
        if (has_failed(messages[i]) || spool_file_sync(sink, &messages[i]->file, &failure))
            continue;
        spool_file_remove(sink, &messages[i]->file);
        sink_message_fail(messages[i], &failure);
    }
}

static void sync_work(void *argument)
{
    struct batch_work *batch = argument;
    struct sink *sink = batch->work.sink;
    struct failure failure = {0};
    if (!sink_folders_use(sink, &failure)) {
        fail_all(batch, &failure);
        return;
    }
    for (size_t i = 0; i < batch->count; i += SYNC_OPEN_FILES) {
        size_t left = batch->count - i;
        sync_files(sink, batch->messages + i, left < SYNC_OPEN_FILES ? left : SYNC_OPEN_FILES);
    }
    if (fsync(sink->folders.spool) == 0)
        return;
    failure = sink_failure(sink, errno, "sync", SINK_SPOOL);
    for (size_t i = 0; i < batch->count; i++)
        spool_file_remove(sink, &batch->messages[i]->file);
    fail_all(batch, &failure);
}

static void publish_message(struct sink *sink, struct sink_message *message)
{
    if (message->published || has_failed(message))
        return;
    if (renameat(sink->folders.spool, message->file.name, sink->folders.fresh, message->name) ==
        0) {
        message->published = true;
        return;
    }
    struct failure failure = sink_failure_file(sink, errno, "publish", "new", message->name);
    sink_message_fail(message, &failure);
}

static void publish_work(void *argument)
{
    struct batch_work *batch = argument;
    struct sink *sink = batch->work.sink;
    struct failure failure = {0};
    if (!sink_folders_use(sink, &failure)) {
        fail_all(batch, &failure);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        publish_message(sink, batch->messages[i]);
    if (fsync(sink->folders.fresh) < 0) {
        failure = sink_failure(sink, errno, "sync", "new");
        fail_all(batch, &failure);
    }
}

/* --- completion --- */

static void batch_release(struct sink_work *work)
{
    struct batch_work *batch = (struct batch_work *)(void *)work;
    memory_free(batch->messages);
    memory_free(batch);
}

static void batch_remove(struct batch_work *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->messages[i]->batch = NULL;
    TAILQ_REMOVE(&batch->work.sink->works, &batch->work, entries);
}

/* Tells the message and the caller how it went. A message that could not be synced is lost; one
 * that could not be published can be tried again. */
static void message_conclude(const struct batch_work *batch, struct sink_message *message,
                             struct failure *failure)
{
    *failure = (struct failure){0};
    if (has_failed(message))
        *failure = message->failure != NULL ? *message->failure : *message->job_failure;
    if (batch->publishes) {
        memory_free(message->job_failure);
        message->job_failure = NULL;
    } else if (message->failure == NULL) {
        message->failure = message->job_failure;
        message->job_failure = NULL;
        message->synced = message->failure == NULL;
    }
}

static void messages_let_go(struct batch_work *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->publishes)
            sink_message_destroy(batch->messages[i]);
        else
            sink_abandon(batch->messages[i]); /* nobody has heard of its name */
    }
}

static void batch_done(void *argument)
{
    struct batch_work *batch = argument;
    struct sink *sink = batch->work.sink;
    struct sink_batch *told = batch->batch;
    batch_remove(batch);
    if (told == NULL)
        messages_let_go(batch);
    for (size_t i = 0; told != NULL && i < batch->count; i++)
        message_conclude(batch, batch->messages[i], &told->failures[i]);
    batch_release(&batch->work);
    if (told != NULL)
        told->done(told);
    sink_job_over(sink);
}

static void batch_detach(struct sink_work *work)
{
    struct batch_work *batch = (struct batch_work *)(void *)work;
    batch->batch = NULL;
    if (batch->state == BATCH_RUNNING)
        return;
    batch_remove(batch);
    batch_release(work);
}

/* --- starting --- */

static void batch_submit(struct batch_work *batch)
{
    batch->state = BATCH_RUNNING;
    sink_submit(batch->work.sink, &batch->work.job, batch->publishes ? publish_work : sync_work,
                batch_done, batch);
}

void sink_batch_message_idle(struct sink_work *work)
{
    struct batch_work *batch = (struct batch_work *)(void *)work;
    assert(batch->state == BATCH_WAITING && batch->writing > 0);
    batch->writing--;
    if (batch->writing == 0)
        batch_submit(batch);
}

static void batch_start(struct sink *sink, struct sink_batch *batch, bool publishes)
{
    assert(!sink->freed);
    struct batch_work *work = memory_allocate(sizeof *work);
    work->work.sink = sink;
    work->work.release = batch_release;
    work->work.detach = batch_detach;
    work->batch = batch;
    work->publishes = publishes;
    work->count = batch->count;
    work->messages = memory_allocate_array(batch->count, sizeof(struct sink_message *));
    TAILQ_INSERT_TAIL(&sink->works, &work->work, entries);
    for (size_t i = 0; i < batch->count; i++) {
        struct sink_message *message = batch->messages[i];
        assert(message->sink == sink && message->ended && message->batch == NULL &&
               !message->abandoned);
        assert(message->synced == publishes || message->failure != NULL);
        work->messages[i] = message;
        message->batch = &work->work;
        work->writing += message->writing;
    }
    if (work->writing == 0)
        batch_submit(work);
}

void sink_sync_start(struct sink *sink, struct sink_batch *batch)
{
    batch_start(sink, batch, false);
}

void sink_publish_start(struct sink *sink, struct sink_batch *batch)
{
    batch_start(sink, batch, true);
}

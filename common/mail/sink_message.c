#include "mail/sink_private.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* --- buffers --- */

static void buffer_make_room(struct sink_buffer *buffer, size_t length)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SINK_BUFFER_FIRST;
    while (capacity < length)
        capacity *= 2;
    if (capacity == buffer->capacity)
        return;
    buffer->bytes = memory_resize(buffer->bytes, capacity);
    buffer->capacity = capacity;
}

void sink_buffer_release(struct sink_buffer *buffer)
{
    memory_free(buffer->bytes);
    *buffer = (struct sink_buffer){0};
}

/* Gives back what the last doubling took too much: an ended message waits for its batch. */
static void buffer_trim(struct sink_buffer *buffer)
{
    if (buffer->length == 0) {
        sink_buffer_release(buffer);
    } else if (buffer->length < buffer->capacity) {
        buffer->bytes = memory_resize(buffer->bytes, buffer->length);
        buffer->capacity = buffer->length;
    }
}

/* --- in jobs --- */

void sink_message_fail(struct sink_message *message, const struct failure *failure)
{
    if (message->job_failure != NULL)
        return;
    message->job_failure = memory_allocate(sizeof *failure);
    *message->job_failure = *failure;
}

bool sink_message_store(struct sink_message *message, struct sink_buffer *buffer)
{
    struct sink *sink = message->sink;
    struct spool_file *file = &message->file;
    struct failure failure = {0};
    bool stored = (file->exists || spool_file_create(sink, file, &failure)) &&
                  spool_file_write(sink, file, buffer->bytes, buffer->length, &failure);
    buffer->length = 0;
    if (!stored) {
        spool_file_remove(sink, file);
        sink_message_fail(message, &failure);
    }
    return stored;
}

static void write_work(void *argument)
{
    struct sink_message *message = argument;
    struct failure failure = {0};
    if (sink_folders_use(message->sink, &failure))
        sink_message_store(message, &message->buffers[!message->filling]);
    else
        sink_message_fail(message, &failure);
}

static void remove_work(void *argument)
{
    struct sink_message *message = argument;
    spool_file_remove(message->sink, &message->file);
}

/* --- life --- */

struct sink_message *sink_begin(struct sink *sink, const struct maildir_mark *mark,
                                void (*on_ready)(void *argument), void *argument)
{
    assert(!sink->freed);
    struct sink_message *message = memory_allocate(sizeof *message);
    message->sink = sink;
    message->on_ready = on_ready;
    message->argument = argument;
    message->file.fd = -1;
    message->file.name =
        maildir_name_create(sink->sinks->instance, sink->owner, mark, sink->sinks->host);
    TAILQ_INSERT_TAIL(&sink->messages, message, entries);
    return message;
}

void sink_message_destroy(struct sink_message *message)
{
    TAILQ_REMOVE(&message->sink->messages, message, entries);
    if (message->file.fd >= 0)
        close(message->file.fd);
    sink_buffer_release(&message->buffers[0]);
    sink_buffer_release(&message->buffers[1]);
    memory_free(message->file.name);
    memory_free(message->name);
    memory_free(message->failure);
    memory_free(message->job_failure);
    memory_free(message);
}

static void message_removed(void *argument)
{
    struct sink_message *message = argument;
    struct sink *sink = message->sink;
    sink_message_destroy(message);
    sink_job_over(sink);
}

/* One in which no job is at work; its file goes in a job. */
static void discard_message(struct sink_message *message)
{
    if (message->file.exists && !message->published)
        sink_submit(message->sink, &message->job, remove_work, message_removed, message);
    else
        sink_message_destroy(message);
}

void sink_abandon(struct sink_message *message)
{
    assert(message->batch == NULL && !message->abandoned);
    message->abandoned = true;
    if (!message->writing)
        discard_message(message);
}

void sink_release(struct sink_message *message)
{
    assert(message->batch == NULL && !message->abandoned);
    if (message->synced)
        sink_message_destroy(message);
    else
        sink_abandon(message);
}

/* --- writing --- */

/* A CR that the conversion holds back is counted: it will need room. */
static bool buffer_has_room(const struct sink_message *message, size_t length)
{
    const struct sink_buffer *buffer = &message->buffers[message->filling];
    return buffer->length + message->line_endings.held + length <= SINK_BUFFER_SIZE;
}

bool sink_ready(const struct sink_message *message)
{
    return message->failure != NULL || !message->writing ||
           buffer_has_room(message, SINK_CHUNK_MAX);
}

static void message_take_failure(struct sink_message *message)
{
    if (message->job_failure == NULL)
        return;
    message->failure = message->job_failure;
    message->job_failure = NULL;
    sink_buffer_release(&message->buffers[0]);
    sink_buffer_release(&message->buffers[1]);
}

static void write_done(void *argument)
{
    struct sink_message *message = argument;
    struct sink *sink = message->sink;
    bool was_ready = sink_ready(message);
    message->writing = false;
    message_take_failure(message);
    if (message->abandoned)
        discard_message(message);
    else if (message->batch != NULL)
        sink_batch_message_idle(message->batch);
    else if (!was_ready && !message->ended)
        message->on_ready(message->argument);
    sink_job_over(sink);
}

/* The full buffer goes to the disk while the other one fills up. */
static void message_spill(struct sink_message *message)
{
    assert(!message->writing);
    message->filling = !message->filling;
    message->writing = true;
    sink_submit(message->sink, &message->job, write_work, write_done, message);
}

/* What comes when the sink is not ready must fit somewhere, too: how a server cuts its answer never
 * ends the process. */
void sink_write(struct sink_message *message, const char *bytes, size_t length)
{
    assert(!message->ended && length <= SINK_CHUNK_MAX);
    if (message->failure != NULL)
        return;
    if (!message->writing && !buffer_has_room(message, length))
        message_spill(message);
    struct sink_buffer *buffer = &message->buffers[message->filling];
    buffer_make_room(buffer, buffer->length + message->line_endings.held + length);
    char *end = buffer->bytes + buffer->length;
    size_t added = length;
    if (message->sink->crlf)
        memcpy(end, bytes, length);
    else
        added = line_endings_convert(&message->line_endings, bytes, length, end);
    buffer->length += added;
    message->size += added;
}

void sink_end(struct sink_message *message)
{
    assert(!message->ended);
    message->ended = true;
    struct sink_buffer *buffer = &message->buffers[message->filling];
    if (message->failure == NULL && message->line_endings.held) {
        buffer_make_room(buffer, buffer->length + 1);
        size_t added = line_endings_end(&message->line_endings, buffer->bytes + buffer->length);
        buffer->length += added;
        message->size += added;
    }
    buffer_trim(buffer);
    message->name = maildir_name_with_size(message->file.name, message->size);
}

const char *sink_message_name(const struct sink_message *message)
{
    assert(message->ended);
    return message->name;
}

uint64_t sink_message_size(const struct sink_message *message)
{
    return message->size;
}

#define _GNU_SOURCE /* program_invocation_short_name */
#include "base/log_private.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

enum {
    QUEUE_BYTES = 1024 * 1024,  /* what may wait to be written */
    RESERVE_BYTES = 256 * 1024, /* of it, what is kept for what is above info */
    FIELD_COUNT = 16,           /* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER and those of log_fields */
    LONG_FIELD_COUNT = 3,       /* of them */
    NAME_SIZE = 32,             /* "EXSYNC_...=" */
    FREE_PATIENCE_MS = 2000,
};

/* A message ready to be written: its fields as the journal wants them, in one block of memory. */
struct log_message {
    STAILQ_ENTRY(log_message) entries;
    size_t size; /* of the whole block */
    int priority;
    int count;
    struct iovec fields[FIELD_COUNT]; /* "NAME=value"; the first is MESSAGE */
    char bytes[];
};

struct log {
    atomic_int level;
    enum log_target target; /* does not change */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work;   /* something is queued, or the log is closing */
    pthread_cond_t ended;  /* the thread has nothing more to do */
    bool closing;
    bool finished;
    bool abandoned; /* log_free gave up; the thread frees the log */
    STAILQ_HEAD(log_messages, log_message) queue;
    size_t queued_bytes;   /* the one that is being written included */
    unsigned long dropped; /* since the last time that this was said */
};

/* --- composing --- */

struct log_draft {
    char bytes[LOG_LINE_SIZE + FIELD_COUNT * (LOG_FIELD_SIZE + NAME_SIZE) +
               LONG_FIELD_COUNT * LOG_LONG_FIELD_SIZE];
    size_t length;
    size_t starts[FIELD_COUNT + 1];
    int count;
};

/* Copies words that may have several lines. What does not fit into `size` bytes is cut. */
static size_t copy_lines(char *to, size_t size, const char *text)
{
    size_t length = 0;
    for (;;) {
        size_t line = strcspn(text, "\n");
        length += text_copy_shown(to + length, size - length, text, line);
        if (text[line] == '\0' || length + 1 == size)
            return length;
        to[length++] = '\n';
        text += line + 1;
    }
}

/* `size`: of the value, with a NUL. */
static void draft_add(struct log_draft *draft, const char *name, const char *value, size_t size,
                      bool lines)
{
    if (value == NULL)
        return;
    draft->starts[draft->count++] = draft->length;
    size_t name_length = strlen(name);
    memcpy(draft->bytes + draft->length, name, name_length);
    draft->length += name_length;
    char *to = draft->bytes + draft->length;
    draft->length +=
        lines ? copy_lines(to, size, value) : text_copy_shown(to, size, value, strlen(value));
    draft->starts[draft->count] = draft->length;
}

static void draft_add_fields(struct log_draft *draft, const struct log_fields *fields)
{
    const struct {
        const char *name;
        const char *value;
        size_t size;
        bool lines;
    } all[] = {
        {"MESSAGE_ID=", fields->message_id, LOG_FIELD_SIZE, false},
        {"EXSYNC_PROFILE=", fields->profile, LOG_FIELD_SIZE, false},
        {"EXSYNC_MAILBOX=", fields->mailbox, LOG_FIELD_SIZE, false},
        {"EXSYNC_DIRECTION=", fields->direction, LOG_FIELD_SIZE, false},
        {"EXSYNC_STEP=", fields->step, LOG_FIELD_SIZE, false},
        {"EXSYNC_ACTIVITY=", fields->activity, LOG_FIELD_SIZE, false},
        {"EXSYNC_CODE=", fields->code, LOG_FIELD_SIZE, false},
        {"EXSYNC_ACCOUNT=", fields->account, LOG_FIELD_SIZE, false},
        {"EXSYNC_ALERT=", fields->alert, LOG_FIELD_SIZE, false},
        {"EXSYNC_SUBJECT=", fields->subject, LOG_FIELD_SIZE, false},
        {"EXSYNC_CAUSE=", fields->cause, LOG_LONG_FIELD_SIZE, false},
        {"EXSYNC_REMEDY=", fields->remedy, LOG_LONG_FIELD_SIZE, true},
        {"EXSYNC_DETAILS=", fields->details, LOG_LONG_FIELD_SIZE, true},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        draft_add(draft, all[i].name, all[i].value, all[i].size, all[i].lines);
}

static struct log_message *log_compose(enum log_priority priority, const struct log_fields *fields,
                                       const char *sentence)
{
    struct log_draft draft;
    draft.length = 0;
    draft.count = 0;
    const char digit[] = {(char)('0' + priority), '\0'};
    draft_add(&draft, "MESSAGE=", sentence, LOG_LINE_SIZE, false);
    draft_add(&draft, "PRIORITY=", digit, sizeof digit, false);
    draft_add(&draft, "SYSLOG_IDENTIFIER=", program_invocation_short_name, LOG_FIELD_SIZE, false);
    if (fields != NULL)
        draft_add_fields(&draft, fields);

    size_t size = sizeof(struct log_message) + draft.length;
    struct log_message *message = memory_allocate(size);
    message->size = size;
    message->priority = (int)priority;
    message->count = draft.count;
    memcpy(message->bytes, draft.bytes, draft.length);
    for (int i = 0; i < draft.count; i++) {
        message->fields[i].iov_base = message->bytes + draft.starts[i];
        message->fields[i].iov_len = draft.starts[i + 1] - draft.starts[i];
    }
    return message;
}

static struct log_message *log_compose_dropped(unsigned long dropped)
{
    char sentence[128];
    snprintf(sentence, sizeof sentence,
             "%lu log %s dropped because they came faster than they could be written.", dropped,
             text_plural(dropped, "message was", "messages were"));
    return log_compose(LOG_PRIORITY_WARNING, NULL, sentence);
}

/* --- writing: the log's thread --- */

/* All of it, whatever the other end of standard error does to us, short of being gone. */
static void log_write_stderr(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

static void log_put(const struct log *log, const struct log_message *message)
{
    if (log->target == LOG_TARGET_JOURNAL && sd_journal_sendv(message->fields, message->count) >= 0)
        return;
    /* Where the journal reads standard error but its socket refuses, it takes the priority from a
     * prefix (sd-daemon(3)). In a terminal or file the prefix would only be in the way. */
    static const size_t name_length = sizeof "MESSAGE=" - 1;
    const struct iovec *field = &message->fields[0];
    char line[LOG_LINE_SIZE + 8];
    size_t length = 0;
    if (log->target != LOG_TARGET_STDERR)
        length = (size_t)snprintf(line, sizeof line, "<%d>", message->priority);
    memcpy(line + length, (const char *)field->iov_base + name_length,
           field->iov_len - name_length);
    length += field->iov_len - name_length;
    line[length++] = '\n';
    log_write_stderr(line, length);
}

static void log_destroy(struct log *log)
{
    while (!STAILQ_EMPTY(&log->queue)) {
        struct log_message *message = STAILQ_FIRST(&log->queue);
        STAILQ_REMOVE_HEAD(&log->queue, entries);
        memory_free(message);
    }
    pthread_cond_destroy(&log->work);
    pthread_cond_destroy(&log->ended);
    pthread_mutex_destroy(&log->mutex);
    memory_free(log);
}

/* The mutex is held. The next message, or what there is to say about dropped ones when all that
 * were queued before them are out; NULL when there is nothing. */
static struct log_message *log_next(struct log *log)
{
    struct log_message *message = STAILQ_FIRST(&log->queue);
    if (message != NULL) {
        STAILQ_REMOVE_HEAD(&log->queue, entries);
        return message;
    }
    if (log->dropped == 0)
        return NULL;
    message = log_compose_dropped(log->dropped);
    log->dropped = 0;
    log->queued_bytes += message->size;
    return message;
}

static void *log_run(void *argument)
{
    struct log *log = argument;
    pthread_mutex_lock(&log->mutex);
    while (!log->abandoned) {
        struct log_message *message = log_next(log);
        if (message == NULL && log->closing)
            break;
        if (message == NULL) {
            pthread_cond_wait(&log->work, &log->mutex);
            continue;
        }
        pthread_mutex_unlock(&log->mutex);
        log_put(log, message);
        pthread_mutex_lock(&log->mutex);
        log->queued_bytes -= message->size;
        memory_free(message);
    }
    bool abandoned = log->abandoned;
    log->finished = true;
    pthread_cond_signal(&log->ended);
    pthread_mutex_unlock(&log->mutex);
    if (abandoned)
        log_destroy(log);
    return NULL;
}

/* --- the interface --- */

/* The journal when standard error is the stream that systemd connected to it for us. */
static enum log_target log_find_target(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat status;
    if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2 ||
        fstat(STDERR_FILENO, &status) != 0 || status.st_dev != device || status.st_ino != inode)
        return LOG_TARGET_STDERR;
    /* A service with a root of its own may have the stream but not the socket, and sd_journal_sendv
     * calls it a success when the socket is not there. */
    if (access("/run/systemd/journal/socket", W_OK) != 0)
        return LOG_TARGET_STREAM;
    return LOG_TARGET_JOURNAL;
}

struct log *log_create(enum log_priority level)
{
    return log_create_for(level, log_find_target());
}

struct log *log_create_for(enum log_priority level, enum log_target target)
{
    struct log *log = memory_allocate(sizeof *log);
    atomic_init(&log->level, (int)level);
    log->target = target;
    pthread_mutex_init(&log->mutex, NULL);
    thread_condition_create(&log->work);
    thread_condition_create(&log->ended);
    STAILQ_INIT(&log->queue);
    int result = thread_start(&log->thread, "log", log_run, log);
    if (result != 0) {
        fprintf(stderr, "exsyncd: no thread for the log: %s\n", strerror(result));
        abort();
    }
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    uint64_t deadline = clock_monotonic_ms() + FREE_PATIENCE_MS;
    int result = 0;
    pthread_mutex_lock(&log->mutex);
    log->closing = true;
    pthread_cond_signal(&log->work);
    while (!log->finished && result != ETIMEDOUT)
        result = thread_wait_until(&log->ended, &log->mutex, deadline);
    bool finished = log->finished;
    log->abandoned = !finished;
    pthread_t thread = log->thread;
    if (!finished)
        pthread_detach(thread);
    pthread_mutex_unlock(&log->mutex);
    if (!finished)
        return;
    pthread_join(thread, NULL);
    log_destroy(log);
}

void log_set_level(struct log *log, enum log_priority level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

int log_enabled(const struct log *log, enum log_priority priority)
{
    return (int)priority <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* The mutex is held. */
static bool log_has_room(const struct log *log, enum log_priority priority, size_t size)
{
    size_t limit = priority <= LOG_PRIORITY_NOTICE ? QUEUE_BYTES : QUEUE_BYTES - RESERVE_BYTES;
    return log->queued_bytes + size <= limit;
}

/* The mutex is held. Takes the message over. */
static void log_enqueue(struct log *log, struct log_message *message)
{
    STAILQ_INSERT_TAIL(&log->queue, message, entries);
    log->queued_bytes += message->size;
    pthread_cond_signal(&log->work);
}

/* The mutex is held. Says in its place in the order that messages are missing, once there is room
 * for it without touching the reserve. */
static void log_tell_dropped(struct log *log)
{
    if (log->dropped == 0)
        return;
    struct log_message *message = log_compose_dropped(log->dropped);
    if (log_has_room(log, LOG_PRIORITY_INFO, message->size)) {
        log->dropped = 0;
        log_enqueue(log, message);
    } else {
        memory_free(message);
    }
}

void log_write(struct log *log, enum log_priority priority, const struct log_fields *fields,
               const char *format, ...)
{
    if (!log_enabled(log, priority))
        return;
    char sentence[LOG_LINE_SIZE + 8]; /* so that only text_copy_line cuts, at a character */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    struct log_message *message = log_compose(priority, fields, sentence);

    pthread_mutex_lock(&log->mutex);
    log_tell_dropped(log);
    bool room = log_has_room(log, priority, message->size);
    if (room)
        log_enqueue(log, message);
    else
        log->dropped++;
    pthread_mutex_unlock(&log->mutex);
    if (!room)
        memory_free(message);
}

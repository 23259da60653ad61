/* What the sink's own files share.
 *
 * Who may touch what: a job has the message's `file`, `job_failure` and the buffer that it writes
 * for itself from submission to completion (`writing`, or `batch` that was started); the loop keeps
 * its hands off these meanwhile. The folders are opened by whichever job comes first, under their
 * mutex, and stay as they are until the last job is over. */
#ifndef EXSYNC_MAIL_SINK_PRIVATE_H
#define EXSYNC_MAIL_SINK_PRIVATE_H

#include "mail/line_endings.h"
#include "mail/maildir_name.h"
#include "mail/mounts.h"
#include "mail/sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

enum {
    SINK_BUFFER_SIZE = SINK_MESSAGE_BUFFER / 2, /* two of them a message */
    SINK_BUFFER_FIRST = 4096,                   /* most messages are small */
};

#define SINK_SPOOL  "exsyncd.spool"
#define SINK_MARKER ".exsyncd"

/* --- sinks --- */

/* A folder that must exist (sink_settings.root) and is on another file system than its name tells,
 * through a symbolic link. */
struct sinks_alias {
    char *root;
    char *mount;
    SLIST_ENTRY(sinks_alias) entries;
};

struct sinks {
    struct executor *executor;
    struct executor_pool *pool;
    char instance[MAILDIR_INSTANCE_DIGITS + 1];
    char host[MAILDIR_HOST_SIZE];
    TAILQ_HEAD(, sink) sinks; /* those that were freed and still have jobs, too */

    /* sink_mounts.c */
    char *mounts_file;
    int mounts_watch; /* signals changes of the list; -1 when there is none */
    struct mounts *mounts;
    uint64_t mounts_read_ms;
    struct executor_job mounts_job;
    struct mounts *mounts_fresh; /* the job's result */
    bool mounts_reading;
    SLIST_HEAD(, sinks_alias) aliases;
};

/* For tests: with another list of mounts than the kernel's. */
struct sinks *sinks_create_with_mounts(struct executor *executor, struct executor_pool *pool,
                                       const char *instance, const char *mounts_file);

void sinks_mounts_start(struct sinks *sinks, const char *mounts_file);
void sinks_mounts_end(struct sinks *sinks);

/* Gives the sink its mount point and lane, by name. */
void sink_mounts_place(struct sink *sink);

/* Moves the sink to the mounts that its folders proved to be on; 0 for an id that is unknown. */
void sink_mounts_learn(struct sink *sink, uint64_t root_mount, uint64_t mount);

/* --- sink --- */

enum sink_inherit { /* whether new files get the right group and mode by themselves */
                    SINK_INHERIT_UNKNOWN,
                    SINK_INHERIT_RIGHT,
                    SINK_INHERIT_WRONG,
};

struct sink_folders {
    pthread_mutex_t mutex; /* guards `open` and the opening */
    bool open;
    int spool;
    int fresh; /* new/ */
    atomic_int inherit;
};

struct sink {
    struct sinks *sinks;
    char *path;
    char *root;
    uint64_t owner;
    bool crlf;
    bool has_group;
    gid_t group;
    mode_t mode;

    char *mount;
    struct executor_lane *lane;
    struct sink_folders folders;

    size_t jobs; /* submitted and not completed */
    bool freed;  /* by the caller */
    struct executor_job close_job;
    TAILQ_HEAD(, sink_message) messages;
    TAILQ_HEAD(, sink_work) works;
    TAILQ_ENTRY(sink) entries;
};

/* Submits a job to the sink's lane; `done` must end with sink_job_over. */
void sink_submit(struct sink *sink, struct executor_job *job, void (*work)(void *argument),
                 void (*done)(void *argument), void *argument);

/* One of the sink's jobs is over; frees the sink when it was the last one of a freed sink. */
void sink_job_over(struct sink *sink);

/* What a sync, a publish or an opening owns while it runs: nothing of the caller's is touched by
 * its job, for the sink may be freed meanwhile. */
struct sink_work {
    struct executor_job job;
    struct sink *sink;
    void (*release)(struct sink_work *work); /* frees it and what it owns */
    /* The sink is freed: nothing of the caller's is used any more; ends what has not begun. */
    void (*detach)(struct sink_work *work);
    TAILQ_ENTRY(sink_work) entries;
};

/* --- folders: in jobs --- */

/* The folders are open afterwards, or `failure` is set. Creates nothing; the marker must be there.
 */
bool sink_folders_use(struct sink *sink, struct failure *failure);

/* Creates what is missing of the Maildir, the marker last. */
bool sink_folders_create(struct sink *sink, struct failure *failure);

/* Puts back those of cur, new and tmp that are missing from a Maildir that has its marker. */
void sink_folders_restore(const struct sink *sink);

/* The id of the mount that a folder is on, by a descriptor or (with AT_FDCWD) by its path; 0 when
 * the kernel does not tell. */
uint64_t sink_folders_mount(int fd, const char *path);

void sink_folders_close(struct sink_folders *folders);

/* --- failures --- */

/* "VERB PATH/BELOW: what the system said; hint". `below` may be "". */
struct failure sink_failure(const struct sink *sink, int error, const char *verb,
                            const char *below);
struct failure sink_failure_file(const struct sink *sink, int error, const char *verb,
                                 const char *folder, const char *name);
struct failure sink_failure_path(int error, const char *verb, const char *path);
/* One that no system call reported. */
struct failure sink_failure_marker(const struct sink *sink, size_t name_count);

/* --- spool files: in jobs --- */

struct spool_file {
    char *name;
    int fd;      /* -1 while not open */
    bool exists; /* created and not removed */
};

/* All return false with `failure` set. */
bool spool_file_create(struct sink *sink, struct spool_file *file, struct failure *failure);
bool spool_file_write(struct sink *sink, struct spool_file *file, const char *bytes, size_t length,
                      struct failure *failure);
/* Starts writing to the disk without waiting for it. */
void spool_file_begin_sync(struct spool_file *file);
/* Syncs and closes. */
bool spool_file_sync(struct sink *sink, struct spool_file *file, struct failure *failure);
/* Closes and removes, as far as it goes. */
void spool_file_remove(struct sink *sink, struct spool_file *file);

/* --- messages --- */

struct sink_buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

struct sink_message {
    struct sink *sink;
    void (*on_ready)(void *argument);
    void *argument;
    struct line_endings line_endings;
    struct sink_buffer buffers[2];
    unsigned filling; /* which of them takes bytes; the other one is empty or being written */
    bool writing;     /* a write job runs */
    bool ended;
    bool synced;
    bool published;
    bool abandoned;
    struct sink_work *batch; /* the sync or publish it is in */
    struct spool_file file;
    char *name; /* under which it is published; NULL until it ended */
    uint64_t size;
    struct failure *failure;     /* the message is lost: its bytes are thrown away */
    struct failure *job_failure; /* set by a job, taken over at its completion */
    struct executor_job job;
    TAILQ_ENTRY(sink_message) entries;
};

/* In jobs: the first failure is kept. */
void sink_message_fail(struct sink_message *message, const struct failure *failure);

/* Creates the file when it is not there yet and writes the buffer, which is empty afterwards. In
 * jobs; on failure the message has failed and its file is gone. */
bool sink_message_store(struct sink_message *message, struct sink_buffer *buffer);

void sink_buffer_release(struct sink_buffer *buffer);

/* Frees the memory and closes the file; the file itself stays. */
void sink_message_destroy(struct sink_message *message);

/* A write job of a message in a batch is over. */
void sink_batch_message_idle(struct sink_work *batch);

#endif

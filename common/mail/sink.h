/* Where incoming mail goes: a Maildir.
 *
 *   sinks    the process's context: the file threads, the instance id, the file systems' lanes
 *   sink     one mailbox's Maildir, held while a cycle works on it
 *   message  one mail on its way: written to the spool, synced, published
 *   name     the file name under which a mail is published in new/; the ledger keeps it
 *   spool    MAILDIR/exsyncd.spool/, private to this program, on the Maildir's file system, with a
 *            marker file. Without the marker the Maildir is not the one that was set up (not
 *            mounted, say): nothing is written, and nothing is concluded from what is not there.
 *
 * The order that keeps "once": sink_begin/write/end (bytes into the spool), sink_sync (files and
 * folder are on disk), then the caller commits the names to its ledger, then sink_publish (rename
 * into new/, new/ on disk). After a crash sink_open is given the names that were committed and
 * not yet known to be published: a name whose file is still in the spool is published now, one
 * whose file is not there was published. Spool files of this instance and mailbox that no committed
 * name claims are removed; files of others are never touched.
 *
 * All functions run on the loop; all file operations run as jobs on the file threads, in the lane
 * of the Maildir's file system (base/executor.h), at most SINK_LANE_JOBS at a time. Completions
 * come from the loop, never from within the start. There is no cancel for a started job: a sink
 * that is in use is freed by sink_free when its last job is done, without further callbacks.
 *
 * Sources: https://cr.yp.to/proto/maildir.html, Maildir++ ",S=" size. */
#ifndef EXSYNC_MAIL_SINK_H
#define EXSYNC_MAIL_SINK_H

#include "base/executor.h"
#include "base/failure.h"
#include "mail/maildir_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SINK_LANE_JOBS = 2,
    SINK_CHUNK_MAX = 16384,       /* most bytes that one sink_write may bring */
    SINK_MESSAGE_BUFFER = 131072, /* bytes of one message held in memory at most */
    SINK_NAME_SIZE = 192,
};

struct sinks;
struct sink;
struct sink_message;

/* `instance` (at least 12 characters of [0-9a-f]) marks spool names as ours. `pool` runs the jobs.
 */
struct sinks *sinks_create(struct executor *executor, struct executor_pool *pool,
                           const char *instance);
/* All sinks must be freed before, and so must the pool: what a sink that was freed in use still
 * holds is freed here. When executor_pool_free returned false, leave the sinks alone, too. */
void sinks_free(struct sinks *sinks);

struct sink_settings {
    const char *path; /* the Maildir: absolute, without "." and ".."; copied */
    /* What must exist already: the folder at the beginning of the path that is never created, for
     * it may be a file system that is not mounted; copied. */
    const char *root;
    uint64_t owner; /* the mailbox's number: of the spool only its files are swept */
    bool crlf;      /* keep CRLF; otherwise CRLF becomes LF (a lone CR or LF stays) */
    bool has_group;
    gid_t group;
    mode_t mode; /* of message files; folders get the matching search bits */
};

struct sink *sink_create(struct sinks *sinks, const struct sink_settings *settings);

/* The file system that the Maildir is on, by its mount point: for what people are told. */
const char *sink_mount(const struct sink *sink);

/* NULL is allowed. Its messages are freed, too. Those that are not synced are abandoned; the file
 * of one that is stays in the spool, for its name may be committed: recovery decides. */
void sink_free(struct sink *sink);

/* --- setting up and recovery: before anything else on a sink --- */

struct sink_opening {
    bool may_create;          /* in: never set up before: create the folders and the marker */
    const char *const *names; /* in: committed names, perhaps not published; copied */
    size_t name_count;        /* when there are some, the marker must be there */
    struct failure failure;   /* out: set when the Maildir cannot be used; nothing was concluded */
    size_t published;         /* out: names that were published by this call */
    size_t swept;             /* out: unclaimed spool files removed */
    bool created;             /* out: the marker was created: tell the store */
    void (*done)(struct sink_opening *opening);
    void *argument;
};

/* Checks the marker, publishes and sweeps. The struct stays the caller's. Afterwards all names are
 * published for good, unless `failure` is set. A sink that was not opened so checks the marker when
 * it first writes, and creates nothing. */
void sink_open_start(struct sink *sink, struct sink_opening *opening);

/* --- what was published --- */

enum {
    SINK_LIST_MAX = 500,        /* files that a page tells of */
    SINK_LIST_READ_MAX = 10000, /* names that are read for it, those of others as well */
};

struct sink_listing {
    int64_t since_ms; /* in: files that were published before are left out */
    uint64_t above;   /* in: files of owners with a higher number count as well; 0: they do not */
    struct failure failure;                   /* out */
    struct maildir_name files[SINK_LIST_MAX]; /* out: the next ones, in no order */
    size_t count;                             /* perhaps 0 though there are more */
    bool more;                                /* out: start it again for the next ones */
    void (*done)(struct sink_listing *listing);
    void *argument;

    /* Private. */
    struct sink_list_work *work;
};

/* What the Maildir's new/ and cur/ hold of the sink's owner, by the marks in the names, page by
 * page. Begins with zeroes but for what goes in. The marker must be there. A file that is moved
 * meanwhile may be told twice. */
void sink_list_start(struct sink *sink, struct sink_listing *listing);

/* Between two pages, when no more are wanted; nothing when all were told. */
void sink_list_end(struct sink_listing *listing);

/* --- writing --- */

/* A new message; `mark` (NULL: none) tells in its name which (maildir_name.h). `on_ready` is called
 * when sink_ready turned true again after it was false. */
struct sink_message *sink_begin(struct sink *sink, const struct maildir_mark *mark,
                                void (*on_ready)(void *argument), void *argument);

/* Whether SINK_CHUNK_MAX more bytes can be taken now. Always true again after on_ready, and once
 * the message has failed (its bytes are thrown away then). */
bool sink_ready(const struct sink_message *message);

/* Takes a copy of at most SINK_CHUNK_MAX bytes. Between two questions to sink_ready no more than
 * that should come in all, in as many pieces as there are: more of it takes more memory. */
void sink_write(struct sink_message *message, const char *bytes, size_t length);

/* No more bytes come. */
void sink_end(struct sink_message *message);

/* The file name under which the message will be published; valid after sink_end, until the message
 * is freed. Shorter than SINK_NAME_SIZE. */
const char *sink_message_name(const struct sink_message *message);
uint64_t sink_message_size(const struct sink_message *message); /* bytes in the file */

/* Throws a message away, its spool file too. Not while a sync or publish that includes it runs. */
void sink_abandon(struct sink_message *message);

/* --- batches --- */

struct sink_batch {
    struct sink_message **messages; /* in: ended messages; valid until done */
    size_t count;
    struct failure *failures; /* out: one for each message; scope mailbox */
    void (*done)(struct sink_batch *batch);
    void *argument;
};

/* Writes what is still buffered, syncs each file and then the spool folder, once. */
void sink_sync_start(struct sink *sink, struct sink_batch *batch);

/* Renames into new/, then syncs new/, once. A failure leaves the file in the spool. Messages stay
 * the caller's: sink_release them. */
void sink_publish_start(struct sink *sink, struct sink_batch *batch);

/* Frees a message whose file is published or stays in the spool for recovery. One that is not
 * synced is abandoned. */
void sink_release(struct sink_message *message);

#endif

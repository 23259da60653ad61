/* What the outbox's own files share. */
#ifndef EXSYNC_MAIL_OUTBOX_PRIVATE_H
#define EXSYNC_MAIL_OUTBOX_PRIVATE_H

#include "base/buffer.h"
#include "mail/file.h"
#include "mail/line_endings.h"
#include "mail/outbox.h"

#include <pthread.h>
#include <sys/queue.h>
#include <sys/stat.h>

#define OUTBOX_TMP    "tmp"
#define OUTBOX_NEW    "new"
#define OUTBOX_INTAKE "intake"
#define OUTBOX_QUEUE  "queue"
#define OUTBOX_KEPT   "kept"
#define OUTBOX_FAILED "failed"

enum {
    OUTBOX_LANE_JOBS = 2,
    OUTBOX_BATCH_FILES = 20,  /* that one job takes at most; of each one may be open */
    OUTBOX_BATCH_FOLDERS = 3, /* that one job opens at most */
    OUTBOX_NAME_SIZE = OUTBOX_ID_SIZE + sizeof ".reason",
};

struct outbox_work;
LIST_HEAD(outbox_works, outbox_work);
TAILQ_HEAD(outbox_files, outbox_work);

/* --- submitters --- */

enum { OUTBOX_KNOWN_MAX = 16 };

struct outbox_submitter {
    uid_t user;
    char *name; /* NULL when the user has none; owned, as the groups */
    gid_t *groups;
    size_t group_count;
};

/* Users and their groups, looked up once a scan: a right that is given or taken counts for what is
 * submitted from then on. */
struct outbox_submitters {
    pthread_mutex_t mutex;
    uint64_t scan; /* counts scans */
    struct outbox_submitter known[OUTBOX_KNOWN_MAX];
    size_t count;
};

void outbox_submitters_init(struct outbox_submitters *submitters);
void outbox_submitters_release(struct outbox_submitters *submitters);
/* A scan begins. */
void outbox_submitters_forget(struct outbox_submitters *submitters);
/* In jobs: who envelope->submitter is. Returns an errno when that cannot be told now. */
int outbox_submitter_find(struct outbox_submitters *submitters, struct outbox_envelope *envelope);

/* --- the outbox --- */

struct outbox_found {
    char *name;
    struct timespec changed;
};

/* The oldest files of a folder, as one look at it has found them. Holds twice as many as are wanted
 * while it is filled, and lets the younger half go when it is full: whatever lies in a folder, the
 * memory is bounded. */
struct outbox_oldest {
    struct outbox_found *files; /* sorted, when all are there */
    size_t wanted;
    size_t count;
    size_t next;            /* the first that was not taken yet */
    bool more;              /* there were more than are wanted */
    struct failure failure; /* what cannot be taken */
};

/* Forgets the files. */
void outbox_oldest_release(struct outbox_oldest *oldest);

struct outbox {
    struct executor *executor;
    struct executor_pool *pool;
    struct executor_lane *lane;
    char *directory;
    char *watched;
    size_t pending;
    struct outbox_works works;    /* under way, or dropped by a pool that was freed */
    struct outbox_files gathered; /* in this turn of the loop, and not yet in a job */
    struct executor_call gathering;
    struct outbox_oldest backlog; /* of new/, for the next scans */
    struct outbox_submitters submitters;
};

/* --- work --- */

struct outbox_batch;

/* A station that files go through, some of them in one job. What came of each is its work's. */
typedef void outbox_station(struct outbox_batch *batch);

/* One call of the outbox, the first member of what each call needs besides. */
struct outbox_work {
    struct executor_job job;
    outbox_station *station; /* of one that was gathered */
    struct outbox *outbox;   /* jobs look at its directory and its submitters */
    char id[OUTBOX_ID_SIZE];
    struct failure failure;                    /* set by the job */
    void (*finish)(struct outbox_work *work);  /* on the loop: tells the caller, and releases */
    void (*release)(struct outbox_work *work); /* frees it; alone when it never came to its end */
    outbox_done *done;                         /* outbox_simple_start */
    void *argument;
    LIST_ENTRY(outbox_work) entries;
    TAILQ_ENTRY(outbox_work) files; /* of the batch */
};

/* `job` runs in the lane and gets the work; `finish` follows on the loop. */
void outbox_work_start(struct outbox *outbox, struct outbox_work *work,
                       void (*job)(void *argument));

/* The same in a job that it shares with others: those that are gathered for the same station in one
 * turn of the loop go together, OUTBOX_BATCH_FILES at a time. The job opens each folder once, and
 * waits once for what all of its files need. */
void outbox_work_gather(struct outbox *outbox, struct outbox_work *work, outbox_station *station);

/* For those that tell no more than a failure. */
void outbox_simple_start(struct outbox *outbox, struct outbox_work *work, const char *id,
                         void (*job)(void *argument), outbox_done *done, void *argument);
void outbox_simple_gather(struct outbox *outbox, const char *id, outbox_station *station,
                          outbox_done *done, void *argument);

/* As `release`: memory_free. */
void outbox_work_free(struct outbox_work *work);

/* When it has come to its end. */
void outbox_work_over(struct outbox_work *work);

/* Puts what was gathered into jobs; the argument is the outbox. */
void outbox_batches_start(void *argument);

/* NULL when there is none. */
const struct failure *outbox_work_failure(const struct outbox_work *work);

/* --- in jobs --- */

/* Opens one of the folders; -1 with `failure` set. */
int outbox_folder(const struct outbox *outbox, const char *folder, struct failure *failure);

/* "VERB OUTBOX/FOLDER/NAME: ..." of errno `error`. */
struct failure outbox_failure(const struct outbox *outbox, int error, const char *verb,
                              const char *folder, const char *name);

/* Syncs an open folder. */
bool outbox_folder_sync(const struct outbox *outbox, int fd, const char *folder,
                        struct failure *failure);

struct outbox_batch {
    struct outbox_work work; /* the job */
    outbox_station *station;
    struct outbox_files files;
    /* Of the job alone. */
    struct {
        const char *name;
        int fd;
    } folders[OUTBOX_BATCH_FOLDERS];
    size_t folder_count;
    char *raw;          /* a block of the file that is read */
    struct buffer text; /* of it */
};

/* Opens one of the folders, which is closed after the batch; -1 with `failure` set. */
int outbox_batch_folder(struct outbox_batch *batch, const char *folder, struct failure *failure);
/* What the job has opened and allocated. */
void outbox_batch_close(struct outbox_batch *batch);

/* Names as uuid_generate_ordered gives them; what else people put into our folders is left alone.
 */
bool outbox_is_id(const char *name);

void outbox_name(char name[OUTBOX_NAME_SIZE], const char *id, const char *suffix);

/* A message that cannot be taken, for `problem`: scope item, permanent. */
struct failure outbox_item_failure(const char *problem);

/* --- a file in intake/ as it is read: bounded, hostile files told, CRLF, no mbox line --- */

struct outbox_source {
    int fd; /* -1: not open */
    struct stat status;
    uint64_t left; /* of the bytes that the file had when it was opened */
    struct outbox_batch *batch;
    bool begun;
    bool in_mbox_line; /* what comes is still the first line of an mbox */
    bool ended;
    char last; /* byte that was handed out */
    struct line_endings_crlf line_endings;
    const char *problem;    /* why the file cannot be taken */
    struct failure failure; /* why it cannot be read now */
};

/* One at a time in a batch. Both return false with the problem or the failure set. */
bool outbox_source_open(struct outbox_source *source, struct outbox_batch *batch, const char *id);
/* Reads until `text` holds the whole header and perhaps more. */
bool outbox_source_header(struct outbox_source *source, struct buffer *text, size_t *header_length);
/* Appends the next piece; false at the end, too. */
bool outbox_source_read(struct outbox_source *source, struct buffer *text);
void outbox_source_close(struct outbox_source *source);

/* --- headers --- */

/* What the header says, lines in CRLF. */
void outbox_envelope_read(struct outbox_envelope *envelope, const char *header, size_t length);

/* The Message-ID that a field has, or NULL when it cannot be used; memory_free. */
struct header_field;
char *outbox_message_id(const struct header_field *field);

/* Appends the header as it goes out, its empty line included. */
void outbox_edit_header(const char *header, size_t length, const struct outbox_edit *edit,
                        int64_t date_ms, struct buffer *edited);

#endif

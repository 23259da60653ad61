/* What outbox/failed has of a message: ID.eml, as it was submitted or its copy, and ID.reason. */
#ifndef EXSYNC_DAEMON_FAILED_FILE_H
#define EXSYNC_DAEMON_FAILED_FILE_H

#include "base/buffer.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct failed_file {
    char id[STORE_SUBMISSION_ID_SIZE]; /* the caller's */

    /* Strings are owned; NULL: there is none. */
    bool there; /* ID.eml is, for all that can be seen, whether or not it can be read */
    bool known; /* its size and owner are */
    bool copy; /* ID.eml is a copy out of the queue without the Bcc recipients, which are nowhere */
    char *reason;
    char *message_id;
    char *subject;
    uint64_t size;
    uint32_t owner; /* who submitted it, of what was refused; of a copy the daemon's user */
};

/* Looks at both. Blocks: for a job of the pool. */
void failed_file_look(struct failed_file *file, const char *outbox);
void failed_file_release(struct failed_file *file);

/* STATE/outbox/failed/ID.eml. The caller frees. */
char *failed_file_path(const char *outbox, const char *id);

/* The first line of ID.reason of a copy that the database does not know. */
#define FAILED_FILE_COPY_REASON                                                             \
    "The database does not know this message, and of what was submitted only this copy is " \
    "left: it names no Bcc recipients, and may have been sent before."

/* Whether this first line of ID.reason is that of a copy; NULL: there is none. */
bool failed_file_is_copy(const char *reason);

/* Appends how the message of this id in this file is sent again, and what then becomes of the
 * file. */
void failed_file_explain(struct buffer *text, const char *path, const char *id, bool copy);

#endif

/* One question "where is this mail?" on its way: the ledger, the submissions, the outbox's folders,
 * and the Maildirs, one after the other.
 *
 * A Message-ID is looked up in the ledger and among the submissions; headers of files in the
 * Maildirs are read only when neither knows it, or when a subject is asked for: of each Maildir
 * those of the newest files (mail_search.h), TRACING_FILES in all. Exchange is not asked: what was
 * never seen is told as such, with when the mailbox was and will be looked at.
 *
 * One thing is under way at a time, a read of the store or a job on the file threads, so that a
 * question that nobody waits for any more ends with it. */
#ifndef EXSYNC_DAEMON_TRACING_H
#define EXSYNC_DAEMON_TRACING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct tracing;

enum {
    TRACING_FILES = 20000, /* whose headers are read, about */
    /* Without a name or a header read for so long the folder does not answer: a disk that works, or
     * a file server under load, takes a fraction of a second for each, and whoever waits wants to
     * hear what is known. */
    TRACING_QUIET_MS = 10000,
};

/* Strings are copied. One of the first three is set. */
struct tracing_question {
    const char *id;         /* of a submission */
    const char *message_id; /* with or without its angle brackets */
    const char *subject;    /* a part of it */
    const char *address;    /* of a mailbox that is configured; NULL: all */
};

struct tracing_result {
    json_t **answers; /* see trace_answer.h; TRACED_MAX at most */
    size_t count;
    uint64_t files;
    uint64_t mailboxes;
    bool partly;
    const char *unanswered; /* a folder that does not answer: what is behind it was not looked at;
                               NULL: there is none */
    const char *problem;    /* the store could not be read: why; NULL */
};

/* `result` and what it points to are valid during the call; answers that are kept are given another
 * reference. */
typedef void tracing_done(void *argument, const struct tracing_result *result);

struct tracing *tracing_start(struct service *service, const struct tracing_question *question,
                              tracing_done *done, void *argument);

/* Nobody waits any more: `done` is not called. The service's parts may go as soon as nothing of
 * them is pending. */
void tracing_cancel(struct tracing *tracing);

#endif

/* Between the files of a tracing: tracing.c (the question, what the store knows, the end) and
 * tracing_files.c (files: those of what the store knows, then those in the outbox and in Maildirs).
 * It goes from one to the other once, and from either of them to its end. */
#ifndef EXSYNC_DAEMON_TRACING_PRIVATE_H
#define EXSYNC_DAEMON_TRACING_PRIVATE_H

#include "daemon/job_watch.h"
#include "daemon/mail_search.h"
#include "daemon/service_private.h"
#include "daemon/traced.h"
#include "daemon/tracing.h"

#include <stdatomic.h>

/* Where files are looked through, one after the other; a place is a folder of the outbox, or all
 * Maildirs. */
enum tracing_place {
    TRACING_NEW,
    TRACING_INTAKE,
    TRACING_FAILED,
    TRACING_KEPT,
    TRACING_QUEUE,
    TRACING_MAILDIRS,
};

struct tracing {
    struct service *service;
    char *id;         /* the question's, as the next three; NULL: not asked for */
    char *message_id; /* without angle brackets */
    char *subject;
    char *address;
    char *outbox; /* STATE/outbox; NULL: nobody sends */
    tracing_done *done;
    void *argument;
    atomic_bool cancelled; /* nobody waits any more; read by the job, too */

    struct traced_list found;
    uint64_t files;
    uint64_t mailboxes;
    bool partly;
    char *problem;

    /* Of tracing_files.c. */
    struct job_watch watch;
    enum tracing_place place;
    int64_t mailbox; /* whose Maildir is looked through, or was last */
    char *folders[2];
    struct mail_search search;
    char *reasons[MAIL_SEARCH_FOUND]; /* of what is found in failed/ */
    size_t match;                     /* the next one that is taken */
    struct executor_job job;
};

/* --- tracing.c --- */

/* The end: tells, and frees the tracing. */
void tracing_finish(struct tracing *tracing);

/* The store, or a job, has answered. False: nobody waits any more, and the tracing is gone. */
bool tracing_goes_on(struct tracing *tracing);

/* The same, and a failure of the store ends the tracing with it: false. NULL: it has none. */
bool tracing_answered(struct tracing *tracing, const struct failure *failure);

/* Whether this mailbox is one of those in question. */
bool tracing_is_about(const struct tracing *tracing, const char *address);

/* The mailbox of that number, if it is configured; NULL. */
struct mailbox *tracing_mailbox(const struct service *service, int64_t number);

/* Calls `done` with what was found so far; `unanswered` is as in the result. */
void tracing_tell(struct tracing *tracing, const char *unanswered);

/* --- tracing_files.c --- */

/* From now on files may be looked for; once, at the start. */
void tracing_prepare_files(struct tracing *tracing);

/* Goes on with files, to the end. */
void tracing_look_for_files(struct tracing *tracing);

/* Frees what is held for files, when no job is under way. */
void tracing_release_files(struct tracing *tracing);

#endif

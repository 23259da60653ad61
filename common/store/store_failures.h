/* Failures as people read them: every row about something that went wrong, with an alert or
 * without. What is written of them, and how operations are started and ended, is said in store.h.
 */
#ifndef EXSYNC_STORE_STORE_FAILURES_H
#define EXSYNC_STORE_STORE_FAILURES_H

#include "store/store.h"

/* Strings are valid during `done`; none is NULL. */
struct store_failure_row {
    const char *scope;
    const char *profile;
    const char *mailbox;   /* its address; "" for a profile's */
    const char *direction; /* "": both */
    const char *step;
    const char *category;
    const char *code;
    const char *submission; /* the outgoing message's id; "": it is of none */
    const char *sentence;
    const char *remedy;
    const char *text;     /* the server's words */
    const char *activity; /* of the cycle that saw it last */
    int http_status;      /* 0: none */
    bool permanent;
    uint32_t count; /* how often it was met */
    int64_t first_seen_ms;
    int64_t last_seen_ms;
    int64_t next_retry_ms; /* INT64_MAX: not tried again by itself */
    int64_t resolved_ms;   /* 0: open */
};

struct store_failure_rows {
    const struct store_failure_row *rows;
    size_t count;
    uint64_t total;   /* with those beyond the limit */
    int64_t position; /* for the next call; 0: these were the last */
};

/* `failures` is NULL after a failure, and valid during the call only. */
typedef void store_failures_done(void *argument, const struct failure *failure,
                                 const struct store_failure_rows *failures);

/* The newest first, `limit` at most; open ones only unless `all`. `position` is 0 at first and then
 * what the last result told. Read. */
void store_failures_list(struct store *store, bool all, int64_t position, size_t limit,
                         store_failures_done *done, void *argument);

/* The same of messages that were refused when they were submitted, which have never been in the
 * queue: open failures of a message and of no mailbox. `id`: of that one alone,
 * open or over; NULL: all. `total` is not told. Read. */
void store_failures_refused(struct store *store, const char *id, int64_t position, size_t limit,
                            store_failures_done *done, void *argument);

/* How many of these there are. Read; `count` stays valid until `done`. */
void store_failures_count_refused(struct store *store, uint64_t *count, store_done *done,
                                  void *argument);

/* The same of all that were left to a person, in failed/: these, and those that have failed since
 * they were queued, but for those whose file was lost. A message may be told more than once. */
void store_failures_left(struct store *store, int64_t position, size_t limit,
                         store_failures_done *done, void *argument);

/* What went wrong with these messages is over, and so are their alerts: a person has dealt with
 * them. The ids are copied. Write. */
void store_failures_resolve_messages(struct store *store, const char *const *ids, size_t count,
                                     int64_t now_ms, store_done *done, void *argument);

#endif

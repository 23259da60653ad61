/* Where is this mail? What the store can say of one message, for people who ask.
 *
 * Incoming: the ledger holds digests and no text. For this question alone a row has four more
 * columns: the number of the Message-ID (base/message_id.h) with an index, the number by which the
 * sink's file is found, the cycle's activity id, and when it was taken over. Of a million delivered
 * rows these take 49 MB and the index 19 MB, of then 237 MB in all (measured); each delivery writes
 * into four indices instead of three. Without them the answer would be to open every file of every
 * Maildir, from which consumers have taken most. Rows of databases older than version 5 have none
 * of it.
 *
 * Outgoing: submissions have their Message-ID and subject as text, without an index: they are few
 * beside the ledger, and are read in slices, newest first. */
#ifndef EXSYNC_STORE_STORE_TRACE_H
#define EXSYNC_STORE_STORE_TRACE_H

#include "store/store.h"

/* What went wrong with it and is not over. Valid as long as what it stands in. */
struct store_traced_failure {
    const char *step; /* NULL: nothing has; the others are not set then */
    const char *code;
    const char *sentence;
    const char *text;
    const char *remedy;
    const char *activity;
    uint32_t count;
    int64_t first_ms;
    int64_t last_ms;
};

/* --- incoming --- */

enum { STORE_TRACE_ITEMS = 100 }; /* at most: who sent it to more mailboxes names one */

struct store_traced_item {
    struct store_mailbox mailbox; /* its lease is not set */
    const char *address;
    const char *profile;
    const char *sink_path; /* NULL: never set up */
    enum store_item_state state;
    int64_t received_ms;
    int64_t taken_ms;  /* 0: not yet */
    uint64_t file;     /* 0: not yet */
    const char *name;  /* while delivering; NULL otherwise */
    char activity[37]; /* of the cycle that took it; "": none */
    uint32_t attempts;
    int64_t next_try_ms; /* of a failed one; INT64_MAX: it is not tried again by itself */
    bool set_aside;      /* failed: it waits to be set aside */
    bool left_to_do;     /* delivered: it is yet to be marked, moved or deleted on the server */
    struct store_traced_failure failure;
};

/* `items` is valid during the call. `more`: there are more than STORE_TRACE_ITEMS. */
typedef void store_traced_items_done(void *argument, const struct failure *failure,
                                     const struct store_traced_item *items, size_t count,
                                     bool more);

/* What is known of the message with this number of its Message-ID, in all mailboxes; nothing of 0,
 * which is none. Read. */
void store_trace_message(struct store *store, uint64_t message, store_traced_items_done *done,
                         void *argument);

/* --- outgoing --- */

struct store_traced_submission {
    struct store_submission submission;
    const char *address;
    const char *profile;
    int64_t held_ms;     /* since when it is held (store_actions.h); 0: it is not */
    int64_t finished_ms; /* sent or failed; 0: neither */
    struct store_traced_failure failure;
};

enum { STORE_TRACE_ROWS = 10000 }; /* that one call reads */

struct store_trace_wanted {
    const char *id;         /* NULL: by the next two */
    const char *message_id; /* without its angle brackets; NULL */
    const char *subject;    /* a part of it, whatever the case of ASCII letters; NULL */
};

/* `submissions` is valid during the call. `before`: for the next call; 0: all were read. */
typedef void store_traced_submissions_done(void *argument, const struct failure *failure,
                                           const struct store_traced_submission *submissions,
                                           size_t count, int64_t before);

/* The next slice of those that are wanted, newest first. `before` is INT64_MAX at first. Strings
 * are copied. Read. */
void store_trace_submissions(struct store *store, const struct store_trace_wanted *wanted,
                             int64_t before, store_traced_submissions_done *done, void *argument);

#endif

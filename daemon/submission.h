/* Submissions: outgoing messages while a cycle works on them.
 *
 * A list holds copies of the store's rows that were due, in the order in which they came. Whoever
 * changes one marks it as changed; submission_list_save then writes all that changed in one
 * transaction, before the next step relies on it. `settled` ones need nothing more in this cycle.
 */
#ifndef EXSYNC_DAEMON_SUBMISSION_H
#define EXSYNC_DAEMON_SUBMISSION_H

#include "daemon/cycle.h"
#include "ews/backend.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_profile;

enum {
    /* How long a message is tried before it is given up. RFC 5321, 4.5.4.1: 4 to 5 days. */
    SUBMISSION_LIFETIME_MS = 5 * 24 * 60 * 60 * 1000,
};

struct submission {
    struct store_submission row; /* its strings are owned */
    struct backend_recipient *recipients;
    size_t recipient_count;
    char *recipient_text; /* that `recipients` point into */
    bool changed;
    bool settled;
    bool lost; /* it was refused, and its file was in no folder of the outbox any more */
};

struct submission_list {
    struct submission *items;
    size_t count;
    /* Private: a save under way. */
    struct store_submission_change *changes;
};

/* Copies the rows; `list` is empty before. */
void submission_list_fill(struct submission_list *list, const struct store_submissions *rows);
void submission_list_release(struct submission_list *list);

void submission_set_state(struct submission *submission, enum store_submission_state state);
/* NULL: there is none any more. */
void submission_set_reference(struct submission *submission, const char *reference);
/* Appends the line that names its Bcc recipients, if it has some: a file that is the queue's copy
 * does not. */
void submission_append_bcc(const struct submission *submission, struct buffer *reason);

/* Not again before `wait_ms` from now; settled for this cycle. */
void submission_wait(struct submission *submission, uint64_t wait_ms);

/* Sent or failed: a stray draft may be left of it, and nothing else. */
bool submission_has_ended(const struct submission *submission);

/* It was sent. A stray draft gets time to appear before it is looked for. */
void submission_is_sent(struct submission *submission, const struct config_profile *config);

/* It is not known what became of it, or what stands in its way, from now on, unless it is so
 * already. */
void submission_begin_doubt(struct submission *submission);

/* Between retry_min and retry_max, in milliseconds: longer and longer, the longer the doubt lasts.
 */
uint64_t submission_growing_wait(const struct submission *submission,
                                 const struct config_profile *config);

/* Whether the server was asked to send it and has not said what came of that; whether a draft of it
 * may be in Exchange. */
bool submission_may_have_been_sent(const struct store_submission *row);
bool submission_may_have_a_draft(const struct store_submission *row);

/* Milliseconds since `since_ms`, without the time in which it was held. */
int64_t submission_age(const struct store_submission *row, int64_t since_ms);

/* Writes what has changed. `done` comes from the store, or at once, with NULL, when nothing has. */
void submission_list_save(struct submission_list *list, const struct cycle *cycle, store_done *done,
                          void *argument);

#endif

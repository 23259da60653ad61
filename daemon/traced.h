/* What was found of a message so far: answers (trace_answer.h), and where files of theirs are to be
 * looked for. */
#ifndef EXSYNC_DAEMON_TRACED_H
#define EXSYNC_DAEMON_TRACED_H

#include "daemon/mail_search.h"
#include "daemon/mailbox.h"
#include "daemon/scheduler.h"
#include "daemon/trace_answer.h"
#include "store/store_trace.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACED_MAX = 200 };

struct traced {
    json_t *answer;
    char *id;                           /* of a submission; NULL */
    uint64_t file;                      /* in the Maildir `maildir` */
    char *maildir;                      /* NULL: there is no file to look for */
    char *reason_path;                  /* NULL: there is none */
    char *found;                        /* the file, once it was looked for; NULL */
    struct mail_search_file file_found; /* with it */
    char *reason;                       /* the same of the reason */
};

/* Begins with the first two and zeroes. */
struct traced_list {
    const struct scheduler *scheduler;
    const char *message_id; /* the caller's: that was asked for, without brackets; NULL */
    struct traced all[TRACED_MAX];
    size_t count;
    bool partly;      /* there was no room for more */
    atomic_size_t at; /* the one whose file is looked for */
};

/* Each adds an answer, or notes that there is no room. `mailbox` is NULL when it is not configured
 * (any more), `outbox` (STATE/outbox) when nobody sends. */
void traced_add_item(struct traced_list *list, const struct store_traced_item *item,
                     const struct mailbox *mailbox);
void traced_add_submission(struct traced_list *list, const struct store_traced_submission *found,
                           const struct mailbox *mailbox, const char *outbox);

/* The same for files that were found in a Maildir (with the item, when the store has it) and in the
 * outbox; `reason` is NULL when there is none. What is in the list already is left as it is. */
void traced_add_delivered(struct traced_list *list, const struct mail_search_match *match,
                          const struct store_traced_item *item, const struct mailbox *mailbox);
void traced_add_outbox(struct traced_list *list, const struct mail_search_match *match,
                       enum trace_file file, const char *reason);

/* STATE/outbox/failed/ID.reason. The caller frees. */
char *traced_reason_path(const char *outbox, const char *id);

/* Looks for the files, on a thread of the pool, where `*progress` counts what is read; and puts
 * them into the answers, on the loop. */
void traced_find_files(struct traced_list *list, atomic_bool *stop, atomic_uint *progress);
void traced_take_files(struct traced_list *list);

/* Where a file is looked for now; NULL: nowhere. Valid until the release. */
const char *traced_place(const struct traced_list *list);

void traced_release(struct traced_list *list);

#endif

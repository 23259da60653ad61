/* Verification: what of one mailbox would be delivered or sent a second time, or never.
 *
 * The ledger is compared with the Maildir, and what waits to be sent with the outbox's queue and
 * with Drafts, Outbox and Sent Items. In a database that was never put back nothing differs. The
 * mailbox is kept still meanwhile (claim.h). Only what no cycle finds out by itself counts: a
 * message in doubt is looked for anyway. What was not compared, and why, is told as well.
 *
 * To repair is to do for this mailbox what the first start with a backup does for all
 * (restoration.h): the next cycles look before they fetch and send. */
#ifndef EXSYNC_DAEMON_VERIFICATION_H
#define EXSYNC_DAEMON_VERIFICATION_H

#include "daemon/claim.h"
#include "daemon/cycle.h"
#include "daemon/id_list.h"
#include "daemon/submission.h"
#include "mail/maildir_name.h"
#include "mail/sink.h"
#include "store/store_restore.h"

#include <stdbool.h>
#include <stdint.h>

enum { VERIFICATION_PAGE_MAX = 200 /* messages that are read at a time */ };

struct verification {
    /* Set by the caller. */
    struct service *service;
    bool repair;
    /* From the loop, never from within the start. */
    void (*done)(struct verification *verification, const struct failure *failure);
    void *argument;

    /* The result. */
    uint64_t files;                   /* of the Maildir, that were delivered here */
    struct store_comparison incoming; /* delivered, and not in the ledger, or failed there, or in
                                         another file */
    char doubled[STORE_DOUBLED_MAX][MAILDIR_BEGIN_SIZE]; /* the beginnings of these files' names */
    uint64_t waiting;  /* messages that were neither sent nor failed */
    uint64_t sent;     /* of these: to be sent, and sent already */
    uint64_t drafted;  /* to be sent, and a draft is there already */
    uint64_t missing;  /* to be sent, and without a file */
    uint64_t searched; /* messages that Exchange was asked for */
    uint64_t searches; /* in so many requests */
    /* Why not all of it was compared, not asked; static, NULL: it was. */
    const char *maildir_not_compared;
    const char *exchange_not_asked;
    bool unchecked; /* its Maildir will be compared before anything is fetched */
    bool repaired;  /* something differed, and the next cycles mend it */

    /* Private. */
    struct mailbox *mailbox;
    struct claim claims[2]; /* of both directions */
    unsigned claimed;       /* that were started */
    unsigned ready;
    struct cycle cycle; /* no cycle, but what its parts want to know of one; uses its profile */
    struct configuration *configuration; /* used, as a reload may change the mailbox over */
    char *sink_path;                     /* where the store says that the Maildir was set up */
    struct sink *sink;
    struct sink_listing *listing;
    struct store_published *files_page;
    size_t named;                   /* of `doubled` */
    struct executor_timer patience; /* with the disk */
    struct submission_list list;    /* a page */
    const char *ids[VERIFICATION_PAGE_MAX];
    bool has_file[VERIFICATION_PAGE_MAX];
    size_t next;   /* of the list */
    int64_t after; /* the last one of the list, in their order */
    bool more;     /* behind the list */
    struct submission *asked[BACKEND_SEARCH_MAX];
    size_t asked_count;
    struct backend_operation *operation;
    struct id_list queue, failed;
    struct store_restoration restoration;
    bool waiting_for_answer; /* of the store or the outbox */
    bool finishing;
    bool cancelled;
    struct executor_call end;
    struct failure failure;
};

void verification_start(struct verification *verification, struct mailbox *mailbox);

/* Whether something differs. A message that is in two files does not: to repair removes none. */
bool verification_differs(const struct verification *verification);

/* `done` comes with the failure "cancelled" when the store has answered, or soon. */
void verification_cancel(struct verification *verification);

#endif

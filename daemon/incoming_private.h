/* Between the files of an incoming cycle. It goes one way: incoming_prepare.c (what is remembered
 * and left open, the sink), incoming_folders.c (new mail of each folder), incoming.c (what failed
 * before, what is set aside, what was left unacknowledged, the end). */
#ifndef EXSYNC_DAEMON_INCOMING_PRIVATE_H
#define EXSYNC_DAEMON_INCOMING_PRIVATE_H

#include "daemon/acknowledge.h"
#include "daemon/find.h"
#include "daemon/incoming.h"
#include "daemon/recover.h"
#include "daemon/take.h"
#include "daemon/undeliverable.h"

enum incoming_part {
    INCOMING_NOTHING, /* not begun */
    INCOMING_OVER,    /* only the end is to be told */
    INCOMING_STORE,   /* the store is asked */
    INCOMING_RECOVERY,
    INCOMING_BACKEND, /* a folder is looked up */
    INCOMING_FINDER,
    INCOMING_TAKER,
    INCOMING_UNDELIVERABLE,
    INCOMING_ACKNOWLEDGER,
};

struct incoming {
    struct cycle cycle;
    struct executor_call end;
    enum incoming_part part; /* what is under way, for cancel */
    bool cancelled;

    char *maildir;
    char *former_maildir; /* where the store says that the sink was set up; NULL: nowhere */
    struct sink *sink;
    struct recovery recovery;
    void (*after_recovery)(struct incoming *incoming);

    /* What the store had open. */
    char **committed; /* names that may not be published yet */
    struct digest *committed_keys;
    size_t committed_count;
    struct item_list retries;
    struct undeliverable undeliverable; /* for what failed for good */
    struct acknowledger acknowledger;   /* for what was left unacknowledged */
    char *unacknowledged[ACKNOWLEDGE_MAX];
    size_t unacknowledged_count;

    size_t folder; /* index of the one under way */
    bool passing;  /* its complete pass, after its new mail */
    struct backend_operation *operation;
    struct finder finder;
    struct taker taker;
    struct store_folder *loaded;
};

/* --- incoming_prepare.c --- */

/* `argument` is the incoming cycle. Goes on with incoming_next_folder. */
void incoming_prepare(void *argument);

/* Goes on with `next` once there is a sink. It is opened, with recovery, when that was not done yet
 * in this process or something was left open; otherwise it checks its marker by itself when it
 * writes. */
void incoming_with_sink(struct incoming *incoming, void (*next)(struct incoming *incoming));

/* --- incoming_folders.c --- */

/* The folder of that index, or incoming_retry when there is no more. */
void incoming_next_folder(struct incoming *incoming);

/* --- incoming.c --- */

/* Takes items over, when the disk of the sink answers. */
void incoming_take(struct incoming *incoming, struct item_list *items, bool retries,
                   void (*done)(struct taker *taker, const struct failure *failure));

/* All folders are done. */
void incoming_retry(struct incoming *incoming);

/* The way out for one that is to end soon: a later cycle goes on. */
void incoming_cut_short(struct incoming *incoming);

/* After the store or the sink has answered: true when the cycle is over. */
bool incoming_over(struct incoming *incoming, const struct failure *failure);

#endif

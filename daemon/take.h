/* Taking items over: from the server into the sink and the ledger, exactly once.
 *
 * Items are taken from the end of the list (the oldest) in batches: fetched into the sink's spool,
 * synced, committed to the ledger, published, marked as delivered, acknowledged. A batch that fails
 * as a whole in a way that one of its items may have caused is asked for again in halves, until the
 * one is found and recorded; the others go on. Items that are settled stay marked so in the list;
 * after an early end the rest can be taken by a later cycle. */
#ifndef EXSYNC_DAEMON_TAKE_H
#define EXSYNC_DAEMON_TAKE_H

#include "daemon/acknowledge.h"
#include "daemon/cycle.h"
#include "daemon/item_list.h"
#include "mail/sink.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TAKE_BATCH_MAX = 100,
    TAKE_BUFFERED_MAX = 512 * 1024, /* bytes of a batch that the sink may hold in memory, about */
    TAKE_BAD_ITEMS_MAX = 3, /* after so many bad items in a row one from the other end is tried: if
                             * it is bad, too, it is not the items, and the cycle ends */
};

/* One item of the batch under way. */
struct take_slot {
    struct item *item;
    struct sink_message *message; /* NULL before its first byte, and after it is settled */
    bool ended;                   /* the server has told all it will tell of it */
    bool complete;                /* a whole message is in the sink */
    bool duplicate;               /* the ledger had it already */
};

enum take_state {
    TAKE_IDLE,
    TAKE_FETCHING,      /* the back end streams into the sink */
    TAKE_RECORDING,     /* failed and gone items are written to the store */
    TAKE_SYNCING,       /* the spool is brought to disk */
    TAKE_COMMITTING,    /* to the ledger */
    TAKE_PUBLISHING,    /* into new/ */
    TAKE_MARKING,       /* as delivered */
    TAKE_ACKNOWLEDGING, /* to the server */
};

struct taker {
    /* Set by the caller. */
    struct cycle *cycle;
    struct sink *sink;
    struct item_list *items;
    bool retries; /* all of them failed before: bad ones among them are no trouble of the mailbox */
    void (*done)(struct taker *taker, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    struct acknowledger acknowledger;
    struct take_slot slots[TAKE_BATCH_MAX];
    size_t slot_count;
    size_t remaining; /* items[0 .. remaining) may not be settled yet */
    uint32_t batch_limit;
    enum take_state state;
    uint32_t bad_items;             /* in a row */
    bool testing;                   /* the batch is one item from the other end */
    bool halved;                    /* the batch under way failed as a whole */
    bool enough;                    /* ends after this batch, without a failure */
    bool given_up;                  /* ends as soon as what is under way has answered */
    struct failure failure;         /* why it ends after this batch */
    struct failure request_failure; /* told for an item that may be its cause */
    uint32_t outstanding;           /* records that the store has not answered */
    struct sink_batch batch;
    struct sink_message *messages[TAKE_BATCH_MAX];
    struct failure *failures; /* TAKE_BATCH_MAX of them */
    struct store_delivery *deliveries;
    struct digest keys[TAKE_BATCH_MAX];
    struct digest gone[TAKE_BATCH_MAX];
    size_t gone_count;
    size_t batch_ready; /* slots that are at the present step, in `ready` */
    size_t ready[TAKE_BATCH_MAX];
};

void taker_start(struct taker *taker);

/* Completes with the failure "cancelled", now or when the store or the sink answers. */
void taker_cancel(struct taker *taker);

#endif

/* Items that could not be delivered are moved out of the way on the server, when the mailbox wants
 * that: into the folder "Undeliverable", which is made when it is missing.
 *
 * The ledger says which: an item whose last try failed is marked there, in the transaction that
 * records the failure (outcome_item_failed), and a later cycle moves what is marked, at its end.
 * After a crash in between only the move is repeated; an item that is not there any more counts as
 * moved. What cannot be moved stays marked and is moved by a later cycle. Nothing is fetched,
 * deleted or marked read, and a move tells no author. An item that somebody puts back is tried
 * again. */
#ifndef EXSYNC_DAEMON_UNDELIVERABLE_H
#define EXSYNC_DAEMON_UNDELIVERABLE_H

#include "daemon/cycle.h"

#include <stdbool.h>
#include <stddef.h>

enum { UNDELIVERABLE_MAX = 100 };

#define UNDELIVERABLE_FOLDER "Undeliverable"

struct undeliverable {
    /* Set by the caller. */
    struct cycle *cycle;
    void (*done)(struct undeliverable *undeliverable, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    char *references[UNDELIVERABLE_MAX];
    struct digest keys[UNDELIVERABLE_MAX];
    int64_t received_ms[UNDELIVERABLE_MAX];
    size_t count;
    struct failure failure; /* of more than an item */
    bool waiting;           /* for the store */
    bool cancelled;
};

/* Adds an item that is marked, a copy. False when there is no room: another cycle takes it. */
bool undeliverable_add(struct undeliverable *undeliverable, const struct store_open_item *item);

/* Moves them; done comes at once when there are none. */
void undeliverable_start(struct undeliverable *undeliverable);

/* Completes with the failure "cancelled", now or when the store answers. */
void undeliverable_cancel(struct undeliverable *undeliverable);

/* Not while it runs. */
void undeliverable_release(struct undeliverable *undeliverable);

#endif

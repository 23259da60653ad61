/* Transport: takes submitted messages, delivers them to the other mailboxes, leaves the sender's
 * copy. A test can stop it, and hold back the copies or have them deleted. Uses the store under the
 * caller's lock for writing. */
#ifndef EXCHANGE_TRANSPORT_H
#define EXCHANGE_TRANSPORT_H

#include <stdbool.h>

struct transport;
struct simulator;
struct item;
struct folder;

struct transport *transport_create(struct simulator *simulator);
void transport_free(struct transport *transport);

/* NULL when the item can be submitted, else the response code that refuses it. */
const char *transport_refuses(const struct transport *transport, const struct item *item);

/* Submits the item: it goes out, and its copy into `copy_to` (NULL: none). The item is gone
 * afterwards, unless Transport is stopped: then it waits where it is, submitted. */
void transport_submit(struct transport *transport, struct item *item, struct folder *copy_to);

/* Running again, it takes everything that waits. */
void transport_set_running(struct transport *transport, bool running);

/* What becomes of the copies for the sender. */
enum transport_copies {
    COPIES_IMMEDIATE,
    COPIES_HELD,    /* they appear only when they are no longer held */
    COPIES_DELETED, /* a person, or a policy, deletes each as it appears */
};
void transport_set_copies(struct transport *transport, enum transport_copies copies);

#endif

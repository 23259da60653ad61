/* Taking in what was submitted: from the outbox's new/ to the queue.
 *
 * A round takes some of the files through one station after the other: listed, those that the store
 * knows are settled (a kill came after their commit), the others are looked at, it is decided who
 * sends and whether the submitter may, they are copied to the queue, told to the store in the order
 * in which they came, and settled. What cannot be taken goes to failed/ with the reason and a
 * failure row; it holds up nobody. Rounds follow each other until nothing is left; another begins
 * when the folder changes, and every outbox_scan_interval in case a change was missed.
 *
 * Who sends: the mailbox whose address is in From, with outgoing = yes; a local sender (sender_map,
 * default_sender) is given a mailbox, and From names it then. The submitter must be among the
 * mailbox's submitters. Sender is kept as it stands. */
#ifndef EXSYNC_DAEMON_INTAKE_H
#define EXSYNC_DAEMON_INTAKE_H

#include "daemon/configuration.h"
#include "daemon/context.h"
#include "store/store.h"

#include <stdbool.h>

struct intake;

struct intake_owner {
    /* The mailbox with that address (lower case) and outgoing = yes; false when there is none. */
    bool (*find)(void *argument, const char *address, struct store_mailbox *mailbox,
                 const struct config_mailbox **config);
    /* The mailbox has something to send. */
    void (*queued)(void *argument, struct store_mailbox mailbox);
    void *argument;
};

struct intake *intake_create(const struct context *context, const struct intake_owner *owner);

/* The configuration that is in use from now on; its own use of it is counted. The first call opens
 * the outbox and begins, each later one opens it again. */
void intake_configure(struct intake *intake, struct configuration *configuration);

/* Something was put into its folders that nobody has noticed. */
void intake_look(struct intake *intake);

/* How many messages of the outbox the store did not know when that was last looked at: at the start
 * (sweep.h), and by whoever notes it. They are not sent by themselves. NULL: none. */
size_t intake_unknown(const struct intake *intake);
void intake_note_unknown(struct intake *intake, size_t unknown);

/* Begins nothing more. */
void intake_stop(struct intake *intake);

/* Whether a round is under way, to be waited for at a stop. */
bool intake_is_busy(const struct intake *intake);

void intake_free(struct intake *intake);

#endif

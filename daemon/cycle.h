/* One pass over one mailbox in one direction.
 *
 * A cycle is started by the scheduler and ends exactly once through cycle->on_end. Its parts (find,
 * take, acknowledge; settle, create, send) share this struct: who it is for, in which direction,
 * and what has come of it. Every part is a struct with a start, one completion, and a cancel;
 * cancelling makes the part complete with the failure "cancelled", so that there is one way out for
 * all. */
#ifndef EXSYNC_DAEMON_CYCLE_H
#define EXSYNC_DAEMON_CYCLE_H

#include "base/failure.h"
#include "base/uuid.h"
#include "daemon/context.h"
#include "daemon/disks.h"
#include "ews/backend.h"

#include <stdbool.h>
#include <stdint.h>

struct mailbox;
struct profile;
struct cycle;

enum cycle_direction { CYCLE_INCOMING, CYCLE_OUTGOING };

/* "incoming", "outgoing": in logs and in the store. Static. */
const char *cycle_direction_name(enum cycle_direction direction);

/* What the service asks of a running cycle of either direction. */
struct cycle_operations {
    /* To end soon with what it has; it goes through. */
    void (*end_soon)(struct cycle *cycle);
    /* To end with the failure "cancelled", at once or as soon as the disk has answered. */
    void (*cancel)(struct cycle *cycle);
    /* Once, after on_end. */
    void (*free)(struct cycle *cycle);
};

struct cycle {
    const struct context *context;
    const struct cycle_operations *operations;
    enum cycle_direction direction;
    struct mailbox *mailbox;
    struct profile *profile;
    struct backend_mailbox target; /* the mailbox as the back end wants to know it */
    char activity[UUID_TEXT_SIZE];
    uint64_t started_ms;    /* monotonic */
    struct disk_watch disk; /* of the disk that is waited for */

    /* What came of it. */
    uint32_t moved; /* messages: delivered here, or sent */
    uint64_t moved_bytes;
    uint32_t failed;        /* items recorded as failed */
    bool more;              /* there is more to do: run again soon */
    int64_t next_ms;        /* outgoing: wall time of the next try; INT64_MAX: nothing waits */
    bool ending;            /* asked to end after the batch that is under way */
    bool proves_nothing;    /* the server was asked nothing, or has answered nothing */
    bool cut_short;         /* it did, before it was through: neither success nor failure */
    struct failure failure; /* why it ended early; not set when it went through */

    void (*on_end)(struct cycle *cycle);
};

/* Starts the common part: who, which way, when, and under which activity id. */
void cycle_init(struct cycle *cycle, const struct context *context, struct mailbox *mailbox,
                enum cycle_direction direction, const struct cycle_operations *operations,
                void (*on_end)(struct cycle *cycle));

/* A message was delivered, or sent. */
void cycle_count_moved(struct cycle *cycle, uint64_t bytes);

#endif

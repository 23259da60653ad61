/* One pass over one mailbox in one direction.
 *
 * A cycle is started by the scheduler and ends exactly once through cycle->on_end. Its parts (find,
 * take, acknowledge; settle, dispatch, refuse, tidy) share this struct: who it is for, in which
 * direction, and what has come of it. Every part is a struct with a start, one completion, and a
 * cancel; cancelling makes the part complete with the failure "cancelled", so that there is one way
 * out for all.
 *
 * A cycle says where it is as it goes on (cycle_at); when it ends with a failure that is where it
 * happened, for the trace (trace.h). */
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

enum { CYCLE_DETAIL_SIZE = 128 };

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
    bool probe; /* it only asks whether the mailbox can be used again (probe.h) */
    struct mailbox *mailbox;
    struct profile *profile;
    struct backend_mailbox target; /* the mailbox as the back end wants to know it */
    char activity[UUID_TEXT_SIZE];
    uint64_t started_ms;     /* monotonic */
    int64_t started_wall_ms; /* the same moment */
    struct disk_watch disk;  /* of the disk that is waited for */

    /* Where it is. */
    const char *at;                    /* static; NULL: it has not begun */
    char at_detail[CYCLE_DETAIL_SIZE]; /* "" when `at` says it all */
    const char *subject; /* outgoing: of the message that the last request was for, or the first of
                          * those that were due; NULL: there is none. Valid until free. */

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

/* A part of it begins: "finding new mail in folder" (static), "Inbox" (copied as one line and cut
 * where it does not fit; NULL: none). */
void cycle_at(struct cycle *cycle, const char *at, const char *detail);

/* A request for this message, and perhaps for others behind it, begins, or was answered for it
 * alone. `subject` stays valid until the cycle is freed. */
void cycle_at_message(struct cycle *cycle, const char *subject);

/* A message was delivered, or sent. */
void cycle_count_moved(struct cycle *cycle, uint64_t bytes);

#endif

/* One pass over one mailbox in one direction.
 *
 * A cycle is started by the scheduler and ends exactly once through cycle->on_end. Its parts (find,
 * take, acknowledge) share this struct: who it is for, and what has come of it. Every part is a
 * struct with a start, one completion, and a cancel; cancelling makes the part complete with the
 * failure "cancelled", so that there is one way out for all. */
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

struct cycle {
    const struct context *context;
    struct mailbox *mailbox;
    struct profile *profile;
    struct backend_mailbox target; /* the mailbox as the back end wants to know it */
    char activity[UUID_TEXT_SIZE];
    uint64_t started_ms;    /* monotonic */
    struct disk_watch disk; /* of the disk that is waited for */

    /* What came of it. */
    uint32_t delivered;
    uint64_t delivered_bytes;
    uint32_t failed;        /* items recorded as failed */
    bool more;              /* there is more to do: run again soon */
    bool ending;            /* asked to end after the batch that is under way */
    bool cut_short;         /* it did, before it was through: neither success nor failure */
    struct failure failure; /* why it ended early; not set when it went through */

    void (*on_end)(struct cycle *cycle);
};

/* Starts the common part: who, when, and under which activity id. */
void cycle_init(struct cycle *cycle, const struct context *context, struct mailbox *mailbox,
                void (*on_end)(struct cycle *cycle));

#endif

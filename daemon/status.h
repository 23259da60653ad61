/* What administrators ask of a mailbox first, for each direction: does it work, since when, how
 * much, and when is it looked at next?
 *
 *   not run  no cycle has told anything since the start
 *   success  the last cycle that told anything went through
 *   failure  it ended with a failure, whoever is to blame; or the probe of a stopped direction did
 *
 * A cycle that was cancelled or cut short, or had nothing to ask the server, tells nothing of
 * success or failure, and neither does a probe that passes: the cycle that was missed will. A probe
 * leaves the counts of items as they are. There are tens of thousands of these: 24 bytes each. */
#ifndef EXSYNC_DAEMON_STATUS_H
#define EXSYNC_DAEMON_STATUS_H

#include <stdint.h>

struct cycle;
struct direction;

enum status_result { STATUS_NOT_RUN, STATUS_SUCCESS, STATUS_FAILURE };

enum { STATUS_FAILED_MAX = (1 << 30) - 1 };

struct status {
    int64_t started_ms;   /* wall time, of the last cycle; 0: none */
    int64_t succeeded_ms; /* wall time, of the end of the last one that went through; 0: none */
    uint32_t processed;   /* items that the last cycle delivered or sent */
    uint32_t failed : 30; /* items that it recorded as failed; no more than STATUS_FAILED_MAX */
    uint32_t result : 2;  /* enum status_result */
};

/* Static: "not run", "success", "failure". */
const char *status_result_name(enum status_result result);

/* A cycle has ended. */
void status_cycle_ended(struct status *status, const struct cycle *cycle);

/* When the direction is due next, in wall time: what has gone by means now. INT64_MAX: not by
 * itself, as when nothing waits to be sent, or its profile is paused. What waits for a closed gate
 * of its profile is due when that is tried. */
int64_t status_next_due(const struct direction *direction);

#endif

/* What is read from the database while the daemon does not run: alerts and failures.
 *
 * The database is opened as the daemon opens it, under its lock, for a moment; by whoever may read
 * it. That the daemon does not run is said on standard error. */
#ifndef EXSYNC_EXSYNCCTL_OFFLINE_H
#define EXSYNC_EXSYNCCTL_OFFLINE_H

#include "tools/exsyncctl.h"

#include <stdint.h>

enum offline_what { OFFLINE_ALERTS, OFFLINE_ONE_ALERT, OFFLINE_FAILURES };

/* The answers that the daemon would give to `alerts` and `failures`: printed with --json, handed to
 * `take` otherwise. `alert`: the id of the one. Returns the exit status. */
int offline_read(struct exsyncctl *tool, enum offline_what what, bool all, int64_t alert,
                 void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument),
                 void *argument);

#endif

/* File systems that do not answer.
 *
 * A cycle that waits for a disk keeps a watch. When the disk has not answered for DISK_PATIENCE_MS
 * the cycle gives its place back, so that mailboxes on other disks go on, and the file system
 * counts as stuck. A cycle that cannot give up, as what it has begun may yet happen, makes its
 * mailbox count as failing while it hangs (outcome_hangs). While DISK_STUCK_MAX cycles hang on one,
 * others that would write there fail at once and are tried again later. */
#ifndef EXSYNC_DAEMON_DISKS_H
#define EXSYNC_DAEMON_DISKS_H

#include "base/executor.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct cycle;
struct sink;

enum {
    DISK_PATIENCE_MS = 10000,
    DISK_STUCK_MAX = 2,
    DISK_SUSPECT_MS = 60000,
};

/* The stuck file systems, by mount point. One for the process; a table of zeroes is empty. */
struct disks {
    struct disk *first;
};

void disks_release(struct disks *disks);

/* Whether a cycle may begin to write there; otherwise why not. */
bool disks_admit(const struct disks *disks, uint64_t now_ms, const struct sink *sink,
                 struct failure *failure);

/* The failure of a cycle that gives up waiting for the sink's disk. */
void disks_explain(const struct sink *sink, struct failure *failure);

/* A watch of zeroes watches nothing. Embedded in the cycle. */
struct disk_watch {
    struct executor_timer timer;
    struct cycle *cycle;
    struct disk *disk; /* while stuck */
    const struct sink *sink;
    void (*on_stuck)(void *argument);
    void *argument;
};

/* Begins to wait for the sink's disk; one that waits already goes on. `on_stuck` (may be NULL) is
 * called once the disk has not answered in time: the wait may be given up in it. */
void disk_watch_begin(struct disk_watch *watch, struct cycle *cycle, const struct sink *sink,
                      void (*on_stuck)(void *argument), void *argument);

/* The disk has answered. Nothing when none is waited for. */
void disk_watch_end(struct disk_watch *watch);

/* The wait was given up without an answer: for DISK_SUSPECT_MS others do not try either. */
void disk_watch_give_up(struct disk_watch *watch);

#endif

/* Jobs of one lane that read files, and may hang with the disk or the file server that these are
 * on: whoever waits for one is told when none of them has moved for too long.
 *
 * A job that waits in the lane behind one that hangs does not move either; one that waits behind
 * one that works does, for the progress of all counts. */
#ifndef EXSYNC_DAEMON_JOB_WATCH_H
#define EXSYNC_DAEMON_JOB_WATCH_H

#include "base/executor.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct job_watch {
    /* Set by the owner, before job_watch_join. */
    struct executor *executor;
    uint64_t quiet_ms;             /* that is too long */
    void (*hangs)(void *argument); /* on the loop, once a job; the watch of this job is over */
    void *argument;

    atomic_uint
        progress; /* counted by the job's thread, for each name and each file that it reads */

    /* Private. */
    atomic_bool working;
    struct executor_timer look;
    struct job_watches *all;
    uint32_t seen;     /* the progress of all, when it moved last */
    uint64_t moved_ms; /* monotonic: when that was */
    LIST_ENTRY(job_watch) entries;
};

LIST_HEAD(job_watches, job_watch);

/* One of all whose jobs share a lane; and no more, when no job of it is under way. */
void job_watch_join(struct job_watches *all, struct job_watch *watch);
void job_watch_leave(struct job_watch *watch);

/* On the loop: a job is submitted; it has come back, or nobody waits for it any more. */
void job_watch_begin(struct job_watch *watch);
void job_watch_end(struct job_watch *watch);

/* On the job's thread, when it begins; on the loop, when it has come back. */
void job_watch_work(struct job_watch *watch, bool working);

/* The one whose job a thread works on; NULL: none. */
const struct job_watch *job_watch_at_work(const struct job_watches *all);

#endif

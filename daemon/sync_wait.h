/* Waiting for what comes of directions that an administrator wants to be synchronized now
 * (control_sync.c): the part of the request behind --wait.
 *
 * Each direction is told once, by the end of its cycle; or, when none will run, by what is in its
 * way, which is looked for several times a second. One whose mailbox leaves the configuration
 * meanwhile is not told, and not waited for any more: directions are known by their mailbox's
 * number, not by pointers. Everything runs on the loop. */
#ifndef EXSYNC_DAEMON_SYNC_WAIT_H
#define EXSYNC_DAEMON_SYNC_WAIT_H

#include "daemon/control.h"
#include "daemon/service_private.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sync_target;

struct sync_wait {
    struct service_watcher watcher; /* private */

    /* Set by the owner, as all else is zero. */
    struct control_request *request; /* gets the answers (sync_answer.h); what the owner keeps for
                                        it (control_keep) begins with this struct */
    struct service *service;
    void (*over)(struct sync_wait *wait); /* once: all was told. The owner ends the request, and
                                             may free the wait */

    /* What has come of them, for the owner to read. */
    size_t count;     /* directions that were added, whatever came of them */
    size_t failed;    /* "failure" was told */
    size_t paused;    /* not run: their profile is */
    size_t not_tried; /* not run either: it waits for its server or account */
    size_t waiting;   /* run, but no message was due */

    /* Private. */
    struct sync_target *targets; /* by number, incoming first */
    size_t capacity;
    size_t left; /* not told yet */
    bool begun;
    bool complete;       /* no more are added */
    uint64_t started_ms; /* monotonic */
    struct executor_timer look;
};

/* Ends of cycles count from now on: before anything is made due. */
void sync_wait_begin(struct sync_wait *wait);

/* A direction that was made due; by number, incoming before outgoing. When its cycle runs at this
 * moment the next one is meant. */
void sync_wait_add(struct sync_wait *wait, const struct direction *direction);

/* All were added, if any: `over` is called as soon as all of them were told, perhaps from within.
 * Also where nothing was begun. */
void sync_wait_complete(struct sync_wait *wait);

/* Ends the wait, if it was begun, and frees what it holds. `over` is not called any more. */
void sync_wait_release(struct sync_wait *wait);

#endif

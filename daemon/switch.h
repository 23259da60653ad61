/* Switches: an administrator turns directions of mailboxes, and whole profiles, off and on.
 *
 *   disabled  a direction in which no cycle starts; what went wrong with it is over
 *   paused    a profile on which no cycle starts; its mailboxes are as they were when it is resumed
 *
 * Cycles that run are asked to end soon. The store learns it first and then the memory, so a kill
 * at any point leaves either all of it or nothing. What the configuration says of a direction still
 * counts: one that is not configured does not run, disabled or not. */
#ifndef EXSYNC_DAEMON_SWITCH_H
#define EXSYNC_DAEMON_SWITCH_H

#include "daemon/service_private.h"

#include <stdbool.h>
#include <stdint.h>

/* One change, by a user on this machine. */
struct switching {
    /* Set by the caller. */
    struct service *service;
    bool on;
    uint32_t user;
    /* From the loop. A failure: nothing has changed. */
    void (*done)(struct switching *switching, const struct failure *failure);
    void *argument;

    /* Results. */
    struct store_resolved resolved; /* of a mailbox: what is over */
    bool running;                   /* a cycle still runs, and ends soon */
    bool changed;                   /* something was not so before; otherwise nothing is logged */

    /* Private. */
    int64_t mailbox;
    unsigned directions;
    unsigned told;  /* of these: what the log says was switched */
    int64_t now_ms; /* wall time: when it was asked for */
    char *name;     /* the address, or the profile's name; owned */
    char *profile;  /* of the mailbox; owned */
};

/* Disables or enables `directions` (bits of enum store_direction) of a mailbox. */
void switch_mailbox(struct switching *switching, const struct mailbox *mailbox,
                    unsigned directions);

/* Pauses or resumes a profile, by its name, configured or not. */
void switch_profile(struct switching *switching, const char *profile);

/* --- for the service --- */

/* What the store knows of the mailbox. */
void switch_recall(struct mailbox *mailbox, const struct store_registration *registration);

/* What is disabled, and out of the schedule, is in no trouble any more. */
void switch_quieten(struct mailbox *mailbox);

/* A cycle of a direction that was disabled meanwhile has ended, and told what went wrong. */
void switch_settle(struct direction *direction, const struct cycle *cycle);

/* A configuration is in use: says what of it is disabled and paused. */
void switch_report_all(const struct service *service);

#endif

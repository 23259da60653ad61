/* Messages that were left to a person, as long as nobody has dealt with them: those that were
 * refused when they were submitted, and those that have failed since they were queued.
 *
 * The file of such a one lies in the outbox's folder failed. When it is taken away from there
 * (mended and submitted again, or thrown away) the failure is over, and its alert; one that nobody
 * takes away is over by its age (failure_keep). The folder is looked at when it changes, and once
 * an hour in case a change was missed. */
#ifndef EXSYNC_DAEMON_REFUSALS_H
#define EXSYNC_DAEMON_REFUSALS_H

#include "daemon/context.h"
#include "mail/outbox.h"
#include "store/store_failures.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REFUSALS_A_SLICE = 200 };

struct refusals {
    const struct context *context; /* set by the caller, as all else is zero */

    /* Private. */
    struct executor_watch *watch;
    struct executor_timer timer;
    bool looking;
    bool again; /* something has changed meanwhile */
    bool stopping;
    int64_t position;                           /* of the store's listing */
    char ids[REFUSALS_A_SLICE][OUTBOX_ID_SIZE]; /* of this slice */
    const char *asked[REFUSALS_A_SLICE];        /* of these, those whose file is not found so far */
    bool found[REFUSALS_A_SLICE];
    size_t count;
    size_t step; /* which folder is looked at */
};

/* The outbox's folders are there, for the first time or again: watches, and looks. */
void refusals_open(struct refusals *refusals);

/* Begins nothing more. */
void refusals_stop(struct refusals *refusals);

/* When neither the store nor the outbox has anything pending. */
void refusals_release(struct refusals *refusals);

#endif

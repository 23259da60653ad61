/* The outbox's folders as the intake has them: made and opened, watched, swept, and with the policy
 * for exsync-submit in them.
 *
 * They are opened again at each reload: the group exsync-submit may be there now, or gone. */
#ifndef EXSYNC_DAEMON_INTAKE_FOLDER_H
#define EXSYNC_DAEMON_INTAKE_FOLDER_H

#include "config/config.h"
#include "daemon/context.h"
#include "daemon/sweep.h"

#include <stdbool.h>
#include <stdint.h>

struct intake_folder {
    /* Set by the caller. */
    const struct context *context;
    void (*changed)(void *argument); /* something may have been submitted */
    void (*opened)(void *argument, const struct failure *failure);
    void *argument;

    /* Private. */
    bool swept;         /* the queue was, after the first opening */
    uint64_t tidied_ms; /* when tmp/ was, monotonic */
    struct sweep sweep;
    struct executor_watch *watch;
};

/* Opens the folders, for the first time or again, and calls `opened`. When they cannot be opened
 * again those who could submit before mostly still can. */
void intake_folder_open(struct intake_folder *folder);

/* Takes away what programs have left in tmp/; not more often than once an hour. */
void intake_folder_tidy(struct intake_folder *folder);

/* Tells exsync-submit what the configuration says. */
void intake_folder_publish(struct intake_folder *folder, const struct config *config);

void intake_folder_release(struct intake_folder *folder);

#endif

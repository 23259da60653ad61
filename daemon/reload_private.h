/* Between the files of a reload: reload.c reads, registers and takes into use; reload_mailboxes.c
 * changes the mailboxes over. */
#ifndef EXSYNC_DAEMON_RELOAD_PRIVATE_H
#define EXSYNC_DAEMON_RELOAD_PRIVATE_H

#include "base/buffer.h"
#include "daemon/reload.h"
#include "daemon/service_private.h"

#include <stdbool.h>
#include <stddef.h>

struct reload {
    struct service *service;
    struct executor_job job;
    struct executor_call turn;
    struct buffer report;
    struct config *config;
    struct configuration *configuration;
    struct store_registration *registrations;
    size_t *order;           /* indices of the registrations, by number */
    struct mailbox **merged; /* the new table */
    size_t merged_count;
    struct mailbox **by_config; /* the same in the configuration's order */
    struct mailbox **dropped;   /* freed when the new table is in place */
    size_t dropped_count;
    size_t next_new, next_old;
    bool first;
    int64_t began_ms;
    bool taken;             /* the configuration is in use */
    struct failure failure; /* why it is not, though it has no mistakes */
    struct reload_waiters waiters;
};

/* Changes one mailbox over. Both tables are sorted by number: one walk through both. False: done.
 */
bool reload_step(struct reload *reload);

#endif

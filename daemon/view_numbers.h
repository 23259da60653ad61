/* What the store knows beside the running mailboxes and profiles, read once for a view: how many
 * messages wait to be sent or were refused, and how many alerts are open. */
#ifndef EXSYNC_DAEMON_VIEW_NUMBERS_H
#define EXSYNC_DAEMON_VIEW_NUMBERS_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct view_backlog {
    int64_t mailbox;  /* its number */
    uint64_t waiting; /* to be sent, and not held */
    uint64_t held;
};

struct view_alerts {
    char *profile; /* owned */
    uint64_t errors, warnings;
};

struct view_numbers {
    struct view_backlog *backlogs; /* sorted by mailbox */
    size_t backlog_count, backlog_capacity;
    struct view_alerts *alerts; /* of the profiles that have some */
    size_t alert_count;
    uint64_t waiting, held;    /* messages, of all mailboxes */
    uint64_t refused;          /* messages, when they were submitted (refusals.h) */
    uint64_t errors, warnings; /* of all profiles, those too that are gone */
    uint64_t item_errors;      /* of the errors: of messages, each */
    struct store *store;       /* private, as the next two */
    store_done *done;
    void *argument;
};

/* Reads them; `numbers` is zero and must stay until `done`. */
void view_numbers_read(struct view_numbers *numbers, struct store *store, store_done *done,
                       void *argument);
void view_numbers_release(struct view_numbers *numbers);

/* The mailbox's messages; zeroes when it has none. */
struct view_backlog view_numbers_backlog(const struct view_numbers *numbers, int64_t mailbox);

/* Of the profile and its mailboxes; zeroes when it has none. */
struct view_alerts view_numbers_alerts(const struct view_numbers *numbers, const char *profile);

#endif

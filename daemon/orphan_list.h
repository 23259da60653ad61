/* Mailboxes that do not send, with what they have in the queue (orphans.h). */
#ifndef EXSYNC_DAEMON_ORPHAN_LIST_H
#define EXSYNC_DAEMON_ORPHAN_LIST_H

#include "daemon/orphans.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct orphan {
    struct store_mailbox mailbox;
    char *address; /* owned, as the next */
    char *profile;
    enum orphans_cause cause;
    uint64_t waiting; /* as in store_backlog, as the next */
    int64_t oldest_ms;
};

/* All zero: none. */
struct orphan_list {
    struct orphan *items;
    size_t count;
};

void orphan_list_add(struct orphan_list *list, const struct store_backlog *backlog,
                     enum orphans_cause cause);

/* By the mailboxes' numbers, when all are there. */
void orphan_list_sort(struct orphan_list *list);

/* In a list that is sorted; NULL: it is none of them. */
const struct orphan *orphan_list_find(const struct orphan_list *list, int64_t mailbox);

/* Afterwards there are none. */
void orphan_list_release(struct orphan_list *list);

#endif

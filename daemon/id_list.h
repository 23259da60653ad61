/* A copy of the ids that a folder of the outbox has. */
#ifndef EXSYNC_DAEMON_ID_LIST_H
#define EXSYNC_DAEMON_ID_LIST_H

#include "mail/outbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_list {
    char (*ids)[OUTBOX_ID_SIZE]; /* owned, as the next; sorted */
    const char **pointers;
    size_t count;
};

/* Copies sorted ids; `list` holds none before. */
void id_list_keep(struct id_list *list, const char (*ids)[OUTBOX_ID_SIZE], size_t count);
void id_list_release(struct id_list *list);

bool id_list_has(const struct id_list *list, const char *id);

/* How many the store does not know (state 0); the first `pointers` are theirs afterwards. */
size_t id_list_unknown(struct id_list *list, const uint8_t *states);

#endif

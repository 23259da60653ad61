#include "daemon/orphan_list.h"

#include "base/memory.h"

#include <stdlib.h>

void orphan_list_release(struct orphan_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        memory_free(list->items[i].address);
        memory_free(list->items[i].profile);
    }
    memory_free(list->items);
    *list = (struct orphan_list){0};
}

static int by_mailbox(const void *a, const void *b)
{
    int64_t left = ((const struct orphan *)a)->mailbox.number;
    int64_t right = ((const struct orphan *)b)->mailbox.number;
    return (left > right) - (left < right);
}

void orphan_list_sort(struct orphan_list *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_mailbox);
}

const struct orphan *orphan_list_find(const struct orphan_list *list, int64_t mailbox)
{
    const struct orphan wanted = {.mailbox = {.number = mailbox}};
    if (list->count == 0)
        return NULL;
    return bsearch(&wanted, list->items, list->count, sizeof *list->items, by_mailbox);
}

void orphan_list_add(struct orphan_list *list, const struct store_backlog *backlog,
                     enum orphans_cause cause)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = (struct orphan){
        .mailbox = backlog->mailbox,
        .address = memory_copy_string(backlog->address),
        .profile = memory_copy_string(backlog->profile),
        .cause = cause,
        .waiting = backlog->waiting,
        .oldest_ms = backlog->oldest_ms,
    };
}

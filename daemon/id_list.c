#include "daemon/id_list.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void id_list_keep(struct id_list *list, const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    list->count = count;
    list->ids = memory_allocate_array(count + 1, sizeof *list->ids);
    list->pointers = memory_allocate_array(count + 1, sizeof *list->pointers);
    if (count > 0)
        memcpy(list->ids, ids, count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        list->pointers[i] = list->ids[i];
}

void id_list_release(struct id_list *list)
{
    memory_free(list->ids);
    memory_free(list->pointers);
    *list = (struct id_list){0};
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool id_list_has(const struct id_list *list, const char *id)
{
    return list->count > 0 &&
           bsearch(id, list->ids, list->count, sizeof *list->ids, compare) != NULL;
}

size_t id_list_unknown(struct id_list *list, const uint8_t *states)
{
    size_t unknown = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (states[i] == 0)
            list->pointers[unknown++] = list->ids[i];
    }
    return unknown;
}

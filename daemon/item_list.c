#include "daemon/item_list.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

struct item *item_list_add(struct item_list *list, const char *reference)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 32 : list->capacity * 2;
        list->items = memory_resize(list->items, list->capacity * sizeof *list->items);
    }
    struct item *item = &list->items[list->count++];
    *item = (struct item){.reference = memory_copy_string(reference)};
    return item;
}

void item_list_drop_first(struct item_list *list, size_t count)
{
    assert(count <= list->count);
    for (size_t i = 0; i < count; i++)
        memory_free(list->items[i].reference);
    memmove(list->items, list->items + count, (list->count - count) * sizeof *list->items);
    list->count -= count;
}

void item_list_release(struct item_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->items[i].reference);
    memory_free(list->items);
    *list = (struct item_list){0};
}

void item_list_add_page(struct item_list *list, const struct backend_page *page, int64_t offset)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct backend_item *listed = &page->items[i];
        struct item *item = item_list_add(list, listed->reference);
        item->key.item = listed->key;
        item->key.fingerprint = listed->fingerprint;
        item->key.has_fingerprint = listed->has_fingerprint;
        item->message = listed->message;
        item->received_ms = listed->received_ms;
        item->size = listed->size;
        item->test = listed->test != 0;
        item->place = offset + (int64_t)i;
    }
}

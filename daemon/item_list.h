/* Items that were found and are to be taken: what the daemon keeps of them meanwhile. Newest first,
 * as they are listed; they are taken from the end. */
#ifndef EXSYNC_DAEMON_ITEM_LIST_H
#define EXSYNC_DAEMON_ITEM_LIST_H

#include "base/digest.h"
#include "ews/backend.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct item {
    char *reference; /* owned by the list */
    struct store_key key;
    uint64_t message; /* the number of its Message-ID; 0: none, or it is tried again */
    int64_t received_ms;
    uint64_t size;     /* as the server tells; 0 unknown */
    int64_t place;     /* offset from the newest item when it was listed */
    uint32_t attempts; /* earlier tries that failed */
    bool test;         /* a test message: nobody's mail */
    bool settled;      /* delivered, recorded as failed, or gone: nothing left to do */
};

struct item_list {
    struct item *items;
    size_t count;
    size_t capacity;
};

/* A new item at the end, with a copy of the reference. Valid until the list changes. */
struct item *item_list_add(struct item_list *list, const char *reference);

/* The `count` first (newest) items go. */
void item_list_drop_first(struct item_list *list, size_t count);

/* All items go, the memory too. */
void item_list_release(struct item_list *list);

/* Copies what a page tells into the list; `offset` is the page's. */
void item_list_add_page(struct item_list *list, const struct backend_page *page, int64_t offset);

#endif

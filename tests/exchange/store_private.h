/* What the files of the mailbox store share; nobody else includes this. */
#ifndef EXCHANGE_STORE_PRIVATE_H
#define EXCHANGE_STORE_PRIVATE_H

#include "mailbox_store.h"

#include <pthread.h>

struct store {
    pthread_rwlock_t lock;
    struct mailbox **mailboxes;
    size_t mailbox_count;
    uint32_t *addresses; /* open hash table: number of the mailbox plus one, 0 is empty */
    size_t address_buckets;
    struct item **items; /* hash table by number, chained */
    size_t item_buckets;
    size_t item_count;
    uint64_t next_item;
    uint64_t next_change;
    uint64_t next_search_key;
    uint32_t next_folder;
};

void create_default_folders(struct store *store, struct mailbox *mailbox);
void item_free(struct item *item);

#endif

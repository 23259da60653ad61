#include "mailbox_store.h"

#include "base/memory.h"
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SID_PREFIX "S-1-5-21-1004336348-1177238915-682003330-"

enum { FIRST_RELATIVE_ID = 1000, FIRST_BUCKETS = 1024 };

struct store *store_create(void)
{
    struct store *store = memory_allocate(sizeof *store);
    pthread_rwlock_init(&store->lock, NULL);
    store->item_buckets = FIRST_BUCKETS;
    store->items = memory_allocate_array(store->item_buckets, sizeof *store->items);
    store->address_buckets = FIRST_BUCKETS;
    store->addresses = memory_allocate_array(store->address_buckets, sizeof *store->addresses);
    store->next_item = 2;
    return store;
}

static void mailbox_free(struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        struct folder *folder = mailbox->folders[i];
        for (size_t k = 0; k < folder->count; k++)
            item_free(folder->items[k]);
        memory_free(folder->items);
        memory_free(folder->name);
        memory_free(folder);
    }
    memory_free(mailbox->folders);
    memory_free(mailbox->address);
    memory_free(mailbox);
}

void store_free(struct store *store)
{
    for (size_t i = 0; i < store->mailbox_count; i++)
        mailbox_free(store->mailboxes[i]);
    memory_free(store->mailboxes);
    memory_free(store->addresses);
    memory_free(store->items);
    pthread_rwlock_destroy(&store->lock);
    memory_free(store);
}

void store_lock_for_reading(struct store *store)
{
    pthread_rwlock_rdlock(&store->lock);
}

void store_lock_for_writing(struct store *store)
{
    pthread_rwlock_wrlock(&store->lock);
}

void store_unlock(struct store *store)
{
    pthread_rwlock_unlock(&store->lock);
}

/* FNV-1a over the lower-case address. */
static size_t address_hash(const char *address)
{
    uint64_t hash = 0xCBF29CE484222325U;
    for (; *address != '\0'; address++) {
        uint8_t character = (uint8_t)*address;
        if (character >= 'A' && character <= 'Z')
            character = (uint8_t)(character + 32);
        hash = (hash ^ character) * 0x100000001B3U;
    }
    return (size_t)(hash ^ hash >> 29);
}

/* The slot of the address in the open table: its mailbox's number plus one, or 0. */
static uint32_t *address_slot(const struct store *store, const char *address)
{
    size_t at = address_hash(address) % store->address_buckets;
    while (store->addresses[at] != 0 &&
           strcasecmp(store->mailboxes[store->addresses[at] - 1]->address, address) != 0)
        at = (at + 1) % store->address_buckets;
    return &store->addresses[at];
}

static void grow_addresses(struct store *store)
{
    memory_free(store->addresses);
    store->address_buckets *= 2;
    store->addresses = memory_allocate_array(store->address_buckets, sizeof *store->addresses);
    for (uint32_t i = 0; i < store->mailbox_count; i++)
        *address_slot(store, store->mailboxes[i]->address) = i + 1;
}

struct mailbox *store_add_mailbox(struct store *store, const char *address)
{
    struct mailbox *mailbox = store_find_mailbox(store, address);
    if (mailbox != NULL)
        return mailbox;
    if (store->mailbox_count * 2 >= store->address_buckets)
        grow_addresses(store);
    mailbox = memory_allocate(sizeof *mailbox);
    mailbox->index = (uint32_t)store->mailbox_count;
    mailbox->address = memory_copy_string(address);
    store->mailboxes =
        memory_resize(store->mailboxes, (store->mailbox_count + 1) * sizeof(struct mailbox *));
    *address_slot(store, address) = mailbox->index + 1;
    store->mailboxes[store->mailbox_count++] = mailbox;
    create_default_folders(store, mailbox);
    return mailbox;
}

struct mailbox *store_find_mailbox(struct store *store, const char *address)
{
    uint32_t number = *address_slot(store, address);
    return number == 0 ? NULL : store->mailboxes[number - 1];
}

struct mailbox *store_find_mailbox_by_sid(struct store *store, const char *sid)
{
    if (strncmp(sid, SID_PREFIX, strlen(SID_PREFIX)) != 0)
        return NULL;
    unsigned long number = strtoul(sid + strlen(SID_PREFIX), NULL, 10) - FIRST_RELATIVE_ID;
    return number < store->mailbox_count ? store->mailboxes[number] : NULL;
}

size_t store_mailbox_count(const struct store *store)
{
    return store->mailbox_count;
}

struct mailbox *store_mailbox(const struct store *store, size_t index)
{
    return store->mailboxes[index];
}

void mailbox_append_sid(const struct mailbox *mailbox, struct buffer *buffer)
{
    buffer_append_format(buffer, SID_PREFIX "%u", mailbox->index + FIRST_RELATIVE_ID);
}

struct entry_owner mailbox_owner(const struct mailbox *mailbox)
{
    return (struct entry_owner){mailbox->index, mailbox->generation};
}

void store_renew_ids(struct store *store, struct mailbox *mailbox)
{
    mailbox->generation++;
    for (size_t i = 0; i < mailbox->folder_count; i++)
        for (size_t k = 0; k < mailbox->folders[i]->count; k++)
            store_change_item(store, mailbox->folders[i]->items[k]);
}

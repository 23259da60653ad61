/* The items of the mailbox store. */
#include "base/memory.h"
#include "store_private.h"
#include "timestamp.h"

#include <string.h>

static void details_free(struct item_details *details)
{
    if (details == NULL)
        return;
    memory_free(details->item_class);
    memory_free(details->subject);
    memory_free(details->importance);
    memory_free(details->sensitivity);
    memory_free(details->flag_status);
    for (size_t i = 0; i < details->category_count; i++)
        memory_free(details->categories[i]);
    memory_free(details->categories);
    property_free_list(details->properties);
    memory_free(details->error);
    memory_free(details->operation);
    memory_free(details);
}

static struct item_details *details_copy(const struct item_details *details)
{
    if (details == NULL)
        return NULL;
    struct item_details *copy = memory_allocate(sizeof *copy);
    *copy = *details;
    copy->item_class = memory_copy_string(details->item_class);
    copy->subject = memory_copy_string(details->subject);
    copy->importance = memory_copy_string(details->importance);
    copy->sensitivity = memory_copy_string(details->sensitivity);
    copy->flag_status = memory_copy_string(details->flag_status);
    copy->categories = memory_allocate_array(details->category_count, sizeof(char *));
    for (size_t i = 0; i < details->category_count; i++)
        copy->categories[i] = memory_copy_string(details->categories[i]);
    copy->properties = property_copy_list(details->properties);
    copy->error = memory_copy_string(details->error);
    copy->operation = memory_copy_string(details->operation);
    return copy;
}

void item_free(struct item *item)
{
    message_release(item->message);
    details_free(item->details);
    memory_free(item);
}

/* -- The table of all items by number -------------------------------------- */

static void table_grow(struct store *store)
{
    size_t buckets = store->item_buckets * 2;
    struct item **items = memory_allocate_array(buckets, sizeof *items);
    for (size_t i = 0; i < store->item_buckets; i++) {
        while (store->items[i] != NULL) {
            struct item *item = store->items[i];
            store->items[i] = item->next_of_bucket;
            item->next_of_bucket = items[item->number % buckets];
            items[item->number % buckets] = item;
        }
    }
    memory_free(store->items);
    store->items = items;
    store->item_buckets = buckets;
}

static void table_insert(struct store *store, struct item *item)
{
    if (++store->item_count > store->item_buckets)
        table_grow(store);
    struct item **bucket = &store->items[item->number % store->item_buckets];
    item->next_of_bucket = *bucket;
    *bucket = item;
}

static void table_remove(struct store *store, struct item *item)
{
    struct item **at = &store->items[item->number % store->item_buckets];
    while (*at != item)
        at = &(*at)->next_of_bucket;
    *at = item->next_of_bucket;
    store->item_count--;
}

struct item *store_item_of_number(const struct store *store, uint64_t number)
{
    struct item *item = store->items[number % store->item_buckets];
    while (item != NULL && item->number != number)
        item = item->next_of_bucket;
    return item;
}

uint64_t store_next_number(const struct store *store)
{
    return store->next_item;
}

struct item *store_find_item(struct store *store, const char *id)
{
    uint64_t number = 0;
    if (entry_read(id, &number) != ENTRY_ITEM)
        return NULL;
    struct item *item = store_item_of_number(store, number);
    if (item == NULL)
        return NULL;
    struct buffer rendered = {0};
    item_append_id(item, &rendered);
    bool same = strcmp(buffer_string(&rendered), id) == 0;
    buffer_release(&rendered);
    return same ? item : NULL;
}

/* -- The order within a folder --------------------------------------------- */

static bool comes_before(const struct item *item, const struct item *other)
{
    return item->received != other->received ? item->received < other->received
                                             : item->number < other->number;
}

/* The place of the item in the order of the folder, whether it is in it or not. */
static size_t folder_place(const struct folder *folder, const struct item *item)
{
    size_t low = 0;
    size_t high = folder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (comes_before(folder->items[middle], item))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void folder_insert(struct folder *folder, struct item *item)
{
    if (folder->count == folder->capacity) {
        folder->capacity = folder->capacity < 4 ? 4 : folder->capacity * 2;
        folder->items = memory_resize(folder->items, folder->capacity * sizeof *folder->items);
    }
    size_t place = folder_place(folder, item);
    memmove(folder->items + place + 1, folder->items + place,
            (folder->count - place) * sizeof *folder->items);
    folder->items[place] = item;
    folder->count++;
    folder->unread += !item->is_read;
    item->folder = folder;
}

static void folder_remove(struct item *item)
{
    struct folder *folder = item->folder;
    size_t place = folder_place(folder, item);
    folder->count--;
    folder->unread -= !item->is_read;
    memmove(folder->items + place, folder->items + place + 1,
            (folder->count - place) * sizeof *folder->items);
}

/* -- Items ----------------------------------------------------------------- */

struct item *store_add_item(struct store *store, struct folder *folder, struct message *message,
                            int64_t received)
{
    struct item *item = memory_allocate(sizeof *item);
    item->number = store->next_item++;
    item->message = message_reference(message);
    item->received = received;
    item->created = item->modified = timestamp_now();
    item->receipt_due = message->receipt_to.count > 0;
    uint64_t key[2] = {++store->next_search_key, 0x45584348414E4745U ^ item->number << 20};
    memcpy(item->search_key, key, sizeof key);
    table_insert(store, item);
    folder_insert(folder, item);
    store_change_item(store, item);
    return item;
}

void store_move_item(struct store *store, struct item *item, struct folder *to)
{
    folder_remove(item);
    table_remove(store, item);
    item->number = store->next_item++;
    table_insert(store, item);
    folder_insert(to, item);
    store_change_item(store, item);
}

struct item *store_copy_item(struct store *store, const struct item *item, struct folder *to)
{
    struct item *copy = store_add_item(store, to, item->message, item->received);
    item_set_read(copy, item->is_read);
    copy->is_draft = item->is_draft;
    copy->receipt_due = false;
    copy->details = details_copy(item->details);
    memcpy(copy->search_key, item->search_key, sizeof copy->search_key);
    return copy;
}

void store_delete_item(struct store *store, struct item *item)
{
    folder_remove(item);
    table_remove(store, item);
    item_free(item);
}

void store_change_item(struct store *store, struct item *item)
{
    item->change = ++store->next_change;
    item->modified = timestamp_now();
    item->folder->change = item->change;
}

void item_set_read(struct item *item, bool is_read)
{
    if (item->is_read == is_read)
        return;
    item->is_read = is_read;
    if (is_read)
        item->folder->unread--;
    else
        item->folder->unread++;
}

void item_set_received(struct item *item, int64_t received)
{
    struct folder *folder = item->folder;
    folder_remove(item);
    item->received = received;
    folder_insert(folder, item);
}

struct item_details *item_details(struct item *item)
{
    if (item->details == NULL)
        item->details = memory_allocate(sizeof *item->details);
    return item->details;
}

const char *item_class(const struct item *item)
{
    return item->details != NULL && item->details->item_class != NULL ? item->details->item_class
                                                                      : item->message->item_class;
}

const char *item_subject(const struct item *item)
{
    return item->details != NULL && item->details->subject != NULL ? item->details->subject
                                                                   : item->message->subject;
}

size_t item_size(const struct item *item)
{
    enum { OVERHEAD = 512, SPREAD = 61 };
    return item->message->mime_size + OVERHEAD + item->change % SPREAD;
}

void item_append_id(const struct item *item, struct buffer *buffer)
{
    entry_append_item_id(buffer, mailbox_owner(item->folder->mailbox), item->folder->number,
                         item->number);
}

void item_append_change_key(const struct item *item, struct buffer *buffer)
{
    entry_append_change_key(buffer, mailbox_owner(item->folder->mailbox), item->change);
}

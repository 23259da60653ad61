#include "mail/address.h"

#include "base/memory.h"

#include <strings.h>

void address_list_add(struct address_list *list, const char *address, const char *name)
{
    /* The room is doubled at each power of two. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count > 0 ? 2 * list->count : 1;
        list->addresses = memory_resize(list->addresses, room * sizeof *list->addresses);
    }
    list->addresses[list->count++] = (struct address){
        .address = memory_copy_string(address),
        .name = memory_copy_string(name),
    };
}

bool address_list_has(const struct address_list *list, const char *address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->addresses[i].address, address) == 0)
            return true;
    }
    return false;
}

void address_list_release(struct address_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        memory_free(list->addresses[i].address);
        memory_free(list->addresses[i].name);
    }
    memory_free(list->addresses);
    *list = (struct address_list){0};
}

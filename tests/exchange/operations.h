/* The EWS operations. Each one reads call->request, does what it asks, and appends one response
 * message for each item or folder to call->reply. The store is locked for it. */
#ifndef EXCHANGE_OPERATIONS_H
#define EXCHANGE_OPERATIONS_H

#include "call.h"

#include <stdbool.h>

typedef void operation_function(struct call *call);

struct operation {
    const char *name;
    operation_function *carry_out;
    bool changes; /* needs the store for writing */
};

/* The operation of that name, NULL when it is not simulated. */
const struct operation *operation_find(const char *name);

operation_function operation_get_folder, operation_find_folder, operation_create_folder,
    operation_delete_folder, operation_sync_folder_hierarchy, operation_find_item,
    operation_get_item, operation_create_item, operation_send_item, operation_update_item,
    operation_move_item, operation_copy_item, operation_delete_item, operation_resolve_names,
    operation_convert_id, operation_get_server_time_zones;

#endif

#include "operations.h"

#include <string.h>

static const struct operation operations[] = {
    {"FindItem", operation_find_item, false},
    {"GetItem", operation_get_item, false},
    {"UpdateItem", operation_update_item, true},
    {"MoveItem", operation_move_item, true},
    {"CopyItem", operation_copy_item, true},
    {"DeleteItem", operation_delete_item, true},
    {"CreateItem", operation_create_item, true},
    {"SendItem", operation_send_item, true},
    {"GetFolder", operation_get_folder, false},
    {"FindFolder", operation_find_folder, false},
    {"CreateFolder", operation_create_folder, true},
    {"DeleteFolder", operation_delete_folder, true},
    {"SyncFolderHierarchy", operation_sync_folder_hierarchy, false},
    {"ResolveNames", operation_resolve_names, false},
    {"ConvertId", operation_convert_id, false},
    {"GetServerTimeZones", operation_get_server_time_zones, false},
};

const struct operation *operation_find(const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

#define _GNU_SOURCE /* scandir */

#include "loader.h"

#include "base/memory.h"
#include "files.h"
#include "mailbox_store.h"
#include "simulator.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add_file(struct message_set *set, const char *path)
{
    struct buffer bytes = {0};
    bool is_read = file_read(path, &bytes);
    if (is_read) {
        const char *slash = strrchr(path, '/');
        set->list = memory_resize(set->list, (set->count + 1) * sizeof *set->list);
        set->list[set->count++] =
            message_create(slash == NULL ? path : slash + 1, buffer_string(&bytes), bytes.length);
    }
    buffer_release(&bytes);
    return is_read;
}

static int is_message(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".eml") == 0;
}

static bool add_directory(struct message_set *set, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_message, alphasort);
    if (count < 0)
        return false;
    bool is_read = true;
    for (int i = 0; i < count; i++) {
        struct buffer file = {0};
        buffer_append_format(&file, "%s/%s", path, entries[i]->d_name);
        is_read = is_read && add_file(set, file.data);
        buffer_release(&file);
        free(entries[i]);
    }
    free(entries);
    return is_read;
}

bool message_set_read(struct message_set *set, const char *path)
{
    struct stat status;
    *set = (struct message_set){0};
    if (stat(path, &status) != 0)
        return false;
    if (!(S_ISDIR(status.st_mode) ? add_directory(set, path) : add_file(set, path))) {
        message_set_release(set);
        return false;
    }
    if (set->count == 0)
        errno = ENODATA;
    return set->count > 0;
}

void message_set_release(struct message_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        message_release(set->list[i]);
    memory_free(set->list);
    *set = (struct message_set){0};
}

void loader_fill(struct simulator *simulator, struct folder *folder, const struct message_set *set,
                 size_t count, const struct loader_times *times)
{
    for (size_t i = 0; i < count; i++) {
        int64_t received = times->start + (int64_t)(folder->count / times->group) * times->step;
        store_add_item(simulator->store, folder, set->list[i % set->count], received);
    }
}

#include "mail/outbox_private.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *folder;
    const char *suffix; /* behind the id */
} parts[] = {
    [OUTBOX_IN_INTAKE] = {OUTBOX_INTAKE, ""},
    [OUTBOX_IN_QUEUE] = {OUTBOX_QUEUE, ".eml"},
    [OUTBOX_IN_KEPT] = {OUTBOX_KEPT, ""},
    [OUTBOX_IN_FAILED] = {OUTBOX_FAILED, ".eml"},
};

struct list_work {
    struct outbox_work work;
    enum outbox_part part;
    char (*ids)[OUTBOX_ID_SIZE];
    size_t count;
    size_t capacity;
    outbox_list_done *done;
};

static void keep(struct list_work *list, const char *name)
{
    char id[OUTBOX_ID_SIZE];
    size_t length = OUTBOX_ID_SIZE - 1;
    if (strlen(name) < length || strcmp(name + length, parts[list->part].suffix) != 0)
        return;
    memcpy(id, name, length);
    id[length] = '\0';
    if (!outbox_is_id(id))
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        list->ids = memory_resize(list->ids, list->capacity * sizeof *list->ids);
    }
    memcpy(list->ids[list->count++], id, sizeof id);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list_job(void *argument)
{
    struct list_work *list = argument;
    const struct outbox *outbox = list->work.outbox;
    const char *folder = parts[list->part].folder;
    int fd = outbox_folder(outbox, folder, &list->work.failure);
    DIR *opened = fd >= 0 ? fdopendir(fd) : NULL;
    if (opened == NULL) {
        if (fd >= 0) {
            list->work.failure = outbox_failure(outbox, errno, "read", folder, NULL);
            close(fd);
        }
        list->work.failure.gone = strcmp(list->work.failure.code, "ENOENT") == 0;
        return;
    }
    struct dirent *entry;
    while (errno = 0, (entry = readdir(opened)) != NULL)
        keep(list, entry->d_name);
    if (errno != 0)
        list->work.failure = outbox_failure(outbox, errno, "read", folder, NULL);
    closedir(opened);
    if (list->count > 0)
        qsort(list->ids, list->count, sizeof *list->ids, compare_ids);
}

static void list_finish(struct outbox_work *work)
{
    struct list_work *list = (struct list_work *)work;
    const struct failure *failure = outbox_work_failure(work);
    list->done(work->argument, failure, (const char(*)[OUTBOX_ID_SIZE])list->ids,
               failure == NULL ? list->count : 0);
    work->release(work);
}

static void list_release(struct outbox_work *work)
{
    memory_free(((struct list_work *)work)->ids);
    memory_free(work);
}

void outbox_list(struct outbox *outbox, enum outbox_part part, outbox_list_done *done,
                 void *argument)
{
    struct list_work *list = memory_allocate(sizeof *list);
    list->part = part;
    list->work.finish = list_finish;
    list->work.release = list_release;
    list->work.argument = argument;
    list->done = done;
    outbox_work_start(outbox, &list->work, list_job);
}

/* --- which have a file --- */

struct look_work {
    struct outbox_work work;
    enum outbox_part part;
    const char *const *ids; /* the caller's, as the next */
    bool *found;
    size_t count;
};

static bool look_at(struct look_work *look, int folder, size_t index)
{
    char name[OUTBOX_NAME_SIZE];
    struct stat status;
    outbox_name(name, look->ids[index], parts[look->part].suffix);
    look->found[index] = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (look->found[index] || errno == ENOENT)
        return true;
    look->work.failure =
        outbox_failure(look->work.outbox, errno, "look at", parts[look->part].folder, name);
    return false;
}

static void look_job(void *argument)
{
    struct look_work *look = argument;
    struct failure *failure = &look->work.failure;
    int folder = outbox_folder(look->work.outbox, parts[look->part].folder, failure);
    for (size_t i = 0; i < look->count; i++)
        look->found[i] = false;
    failure->gone = folder < 0 && strcmp(failure->code, "ENOENT") == 0;
    for (size_t i = 0; folder >= 0 && i < look->count && look_at(look, folder, i); i++)
        ;
    if (folder >= 0)
        close(folder);
}

void outbox_look_for(struct outbox *outbox, enum outbox_part part, const char *const *ids,
                     size_t count, bool *found, outbox_done *done, void *argument)
{
    struct look_work *look = memory_allocate(sizeof *look);
    look->part = part;
    look->ids = ids;
    look->count = count;
    look->found = found;
    outbox_simple_start(outbox, &look->work, "", look_job, done, argument);
}

#include "mail/outbox_private.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the oldest files of a folder --- */

struct found {
    char *name;
    struct timespec changed;
};

/* Holds twice as many as are wanted, and lets the younger half go when it is full: whatever lies in
 * a folder, the memory is bounded. */
struct list {
    struct found *files;
    size_t count;
    bool more; /* there were more than are wanted */
};

static int compare(const void *a, const void *b)
{
    const struct found *one = a;
    const struct found *other = b;
    if (one->changed.tv_sec != other->changed.tv_sec)
        return one->changed.tv_sec < other->changed.tv_sec ? -1 : 1;
    if (one->changed.tv_nsec != other->changed.tv_nsec)
        return one->changed.tv_nsec < other->changed.tv_nsec ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* Sorts, and keeps the `wanted` oldest. */
static void list_cut(struct list *list, size_t wanted)
{
    if (list->count > 0)
        qsort(list->files, list->count, sizeof *list->files, compare);
    list->more |= list->count > wanted;
    while (list->count > wanted)
        memory_free(list->files[--list->count].name);
}

static void list_add(struct list *list, const char *name, const struct stat *status)
{
    if (list->files == NULL)
        list->files = memory_allocate_array((size_t)2 * OUTBOX_SCAN_MAX, sizeof *list->files);
    list->files[list->count++] = (struct found){memory_copy_string(name), status->st_ctim};
    if (list->count == (size_t)2 * OUTBOX_SCAN_MAX)
        list_cut(list, OUTBOX_SCAN_MAX);
}

static void list_release(struct list *list)
{
    list_cut(list, 0);
    memory_free(list->files);
}

/* --- the job --- */

struct scan_work {
    struct outbox_work work;
    char ids[OUTBOX_SCAN_MAX][OUTBOX_ID_SIZE];
    size_t count;
    bool more;
    outbox_scan_done *done;
};

bool outbox_is_id(const char *name)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    while (shape[i] != '\0' && name[i] != '\0' &&
           (shape[i] == '-' ? name[i] == '-' : strchr("0123456789abcdef", name[i]) != NULL))
        i++;
    return shape[i] == '\0' && name[i] == '\0';
}

static DIR *open_folder(struct scan_work *scan, const char *folder)
{
    int fd = outbox_folder(scan->work.outbox, folder, &scan->work.failure);
    DIR *opened = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && opened == NULL) {
        scan->work.failure = outbox_failure(scan->work.outbox, errno, "read", folder, NULL);
        close(fd);
    }
    return opened;
}

/* A folder cannot be taken, for its owner may not let us move it; it is told and passed over. */
static void take_entry(struct scan_work *scan, DIR *opened, const char *folder, const char *name,
                       struct list *list)
{
    struct stat status;
    if (fstatat(dirfd(opened), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* just removed */
    if (!S_ISDIR(status.st_mode))
        list_add(list, name, &status);
    else if (!failure_is_set(&scan->work.failure))
        scan->work.failure = outbox_failure(scan->work.outbox, EISDIR, "take", folder, name);
}

static bool read_folder(struct scan_work *scan, DIR *opened, const char *folder,
                        bool (*wanted)(const char *name), struct list *list)
{
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(opened)) != NULL) {
        if (wanted(entry->d_name))
            take_entry(scan, opened, folder, entry->d_name, list);
        errno = 0;
    }
    if (errno == 0)
        return true;
    scan->work.failure = outbox_failure(scan->work.outbox, errno, "read", folder, NULL);
    return false;
}

static bool is_not_hidden(const char *name)
{
    return name[0] != '.';
}

static void add_id(struct scan_work *scan, const char *id)
{
    snprintf(scan->ids[scan->count++], OUTBOX_ID_SIZE, "%s", id);
}

/* What an earlier scan has taken and nobody has settled yet. */
static bool list_taken(struct scan_work *scan, DIR *intake)
{
    struct list list = {0};
    bool read = read_folder(scan, intake, OUTBOX_INTAKE, outbox_is_id, &list);
    list_cut(&list, OUTBOX_SCAN_MAX);
    for (size_t i = 0; read && i < list.count; i++)
        add_id(scan, list.files[i].name);
    scan->more = list.more;
    list_release(&list);
    return read;
}

/* Ids sort as the files did: in one instant several are taken, and after a crash their names alone
 * tell their order. */
static void take_file(struct scan_work *scan, DIR *fresh, DIR *intake, const char *name,
                      unsigned sequence)
{
    char id[OUTBOX_ID_SIZE];
    uuid_generate_ordered(clock_wall_ms(), sequence, id);
    if (renameat(dirfd(fresh), name, dirfd(intake), id) == 0)
        add_id(scan, id);
    else if (errno != ENOENT)
        scan->work.failure = outbox_failure(scan->work.outbox, errno, "take", OUTBOX_NEW, name);
}

static bool take_fresh(struct scan_work *scan, DIR *fresh, DIR *intake)
{
    struct list list = {0};
    bool read = read_folder(scan, fresh, OUTBOX_NEW, is_not_hidden, &list);
    list_cut(&list, OUTBOX_SCAN_MAX - scan->count);
    for (size_t i = 0; read && i < list.count; i++)
        take_file(scan, fresh, intake, list.files[i].name, (unsigned)i);
    scan->more |= list.more;
    list_release(&list);
    return read;
}

/* Before anybody hears of an id it is on disk, and the file's old name is gone: after a power
 * failure it must not come once more under another id. */
static void scan_folders(struct scan_work *scan, DIR *fresh, DIR *intake)
{
    const struct outbox *outbox = scan->work.outbox;
    if (!list_taken(scan, intake) || !take_fresh(scan, fresh, intake) || scan->count == 0)
        return;
    struct failure failure = {0};
    if (outbox_folder_sync(outbox, dirfd(intake), OUTBOX_INTAKE, &failure) &&
        outbox_folder_sync(outbox, dirfd(fresh), OUTBOX_NEW, &failure))
        return;
    scan->work.failure = failure;
    scan->count = 0;
}

static void scan_job(void *argument)
{
    struct scan_work *scan = argument;
    DIR *intake = open_folder(scan, OUTBOX_INTAKE);
    DIR *fresh = intake != NULL ? open_folder(scan, OUTBOX_NEW) : NULL;
    if (fresh != NULL)
        scan_folders(scan, fresh, intake);
    if (intake != NULL)
        closedir(intake);
    if (fresh != NULL)
        closedir(fresh);
}

static void scan_finish(struct outbox_work *work)
{
    struct scan_work *scan = (struct scan_work *)work;
    scan->done(work->argument, outbox_work_failure(work), (const char(*)[OUTBOX_ID_SIZE])scan->ids,
               scan->count, scan->more);
    work->release(work);
}

void outbox_scan(struct outbox *outbox, outbox_scan_done *done, void *argument)
{
    struct scan_work *scan = memory_allocate(sizeof *scan);
    scan->done = done;
    scan->work.argument = argument;
    scan->work.finish = scan_finish;
    scan->work.release = outbox_work_free;
    outbox_submitters_forget(&outbox->submitters);
    outbox_work_start(outbox, &scan->work, scan_job);
}

/* --- counting --- */

struct count_work {
    struct outbox_work work;
    size_t count;
    outbox_count_done *done;
};

static void count_job(void *argument)
{
    struct count_work *counting = argument;
    struct failure *failure = &counting->work.failure;
    int fd = outbox_folder(counting->work.outbox, OUTBOX_NEW, failure);
    DIR *opened = fd >= 0 ? fdopendir(fd) : NULL;
    if (opened == NULL) {
        if (fd >= 0)
            *failure = outbox_failure(counting->work.outbox, errno, "read", OUTBOX_NEW, NULL);
        failure->gone = strcmp(failure->code, "ENOENT") == 0;
        if (fd >= 0)
            close(fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(opened)) != NULL)
        counting->count += is_not_hidden(entry->d_name);
    closedir(opened);
}

static void count_finish(struct outbox_work *work)
{
    struct count_work *counting = (struct count_work *)work;
    counting->done(work->argument, outbox_work_failure(work), counting->count);
    work->release(work);
}

void outbox_count_waiting(struct outbox *outbox, outbox_count_done *done, void *argument)
{
    struct count_work *counting = memory_allocate(sizeof *counting);
    counting->done = done;
    counting->work.argument = argument;
    counting->work.finish = count_finish;
    counting->work.release = outbox_work_free;
    outbox_work_start(outbox, &counting->work, count_job);
}

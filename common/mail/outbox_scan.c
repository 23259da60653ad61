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

/* Files of new/ that one look remembers, for several scans: looking costs a call for each file that
 * lies there. */
enum { BACKLOG_MAX = 20 * OUTBOX_SCAN_MAX };

/* --- the oldest files of a folder --- */

static int compare(const void *a, const void *b)
{
    const struct outbox_found *one = a;
    const struct outbox_found *other = b;
    if (one->changed.tv_sec != other->changed.tv_sec)
        return one->changed.tv_sec < other->changed.tv_sec ? -1 : 1;
    if (one->changed.tv_nsec != other->changed.tv_nsec)
        return one->changed.tv_nsec < other->changed.tv_nsec ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* Sorts, and keeps those that are wanted. */
static void oldest_cut(struct outbox_oldest *oldest)
{
    if (oldest->count > 0)
        qsort(oldest->files, oldest->count, sizeof *oldest->files, compare);
    oldest->more |= oldest->count > oldest->wanted;
    while (oldest->count > oldest->wanted)
        memory_free(oldest->files[--oldest->count].name);
}

static void oldest_add(struct outbox_oldest *oldest, const char *name, const struct stat *status)
{
    if (oldest->files == NULL)
        oldest->files = memory_allocate_array(2 * oldest->wanted, sizeof *oldest->files);
    oldest->files[oldest->count++] =
        (struct outbox_found){memory_copy_string(name), status->st_ctim};
    if (oldest->count == 2 * oldest->wanted)
        oldest_cut(oldest);
}

static const char *oldest_take(struct outbox_oldest *oldest)
{
    return oldest->next < oldest->count ? oldest->files[oldest->next++].name : NULL;
}

void outbox_oldest_release(struct outbox_oldest *oldest)
{
    for (size_t i = 0; i < oldest->count; i++)
        memory_free(oldest->files[i].name);
    memory_free(oldest->files);
    *oldest = (struct outbox_oldest){0};
}

/* --- the job --- */

struct scan_work {
    struct outbox_work work;
    char ids[OUTBOX_SCAN_MAX][OUTBOX_ID_SIZE];
    size_t count;
    bool more;
    struct outbox_oldest backlog; /* the outbox's, while this scan is at work */
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
                       struct outbox_oldest *oldest)
{
    struct stat status;
    if (fstatat(dirfd(opened), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* just removed */
    if (!S_ISDIR(status.st_mode))
        oldest_add(oldest, name, &status);
    else if (!failure_is_set(&oldest->failure))
        oldest->failure = outbox_failure(scan->work.outbox, EISDIR, "take", folder, name);
}

static void note_failure(struct scan_work *scan, const struct failure *failure)
{
    if (!failure_is_set(&scan->work.failure))
        scan->work.failure = *failure;
}

/* `oldest` is empty before. */
static bool read_folder(struct scan_work *scan, DIR *opened, const char *folder,
                        bool (*wanted)(const char *name), struct outbox_oldest *oldest)
{
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(opened)) != NULL) {
        if (wanted(entry->d_name))
            take_entry(scan, opened, folder, entry->d_name, oldest);
        errno = 0;
    }
    int error = errno;
    oldest_cut(oldest);
    if (error == 0)
        return true;
    scan->work.failure = outbox_failure(scan->work.outbox, error, "read", folder, NULL);
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
    struct outbox_oldest taken = {.wanted = OUTBOX_SCAN_MAX};
    const char *id;
    bool read = read_folder(scan, intake, OUTBOX_INTAKE, outbox_is_id, &taken);
    while (read && (id = oldest_take(&taken)) != NULL)
        add_id(scan, id);
    scan->more = taken.more;
    note_failure(scan, &taken.failure);
    outbox_oldest_release(&taken);
    return read;
}

/* Ids sort as the files did: in one instant several are taken, and after a crash their names alone
 * tell their order. False when it stays where it is. */
static bool take_file(struct scan_work *scan, DIR *fresh, DIR *intake, const char *name,
                      unsigned sequence)
{
    char id[OUTBOX_ID_SIZE];
    uuid_generate_ordered(clock_wall_ms(), sequence, id);
    if (renameat(dirfd(fresh), name, dirfd(intake), id) == 0) {
        add_id(scan, id);
        return true;
    }
    if (errno == ENOENT)
        return true;
    scan->work.failure = outbox_failure(scan->work.outbox, errno, "take", OUTBOX_NEW, name);
    return false;
}

/* The oldest ones of the backlog. Behind what a look has remembered there may be others, and what
 * stayed where it is must not come after them: another look follows. */
static bool take_fresh(struct scan_work *scan, DIR *fresh, DIR *intake)
{
    struct outbox_oldest *backlog = &scan->backlog;
    bool looks = backlog->next == backlog->count;
    if (looks) {
        outbox_oldest_release(backlog);
        backlog->wanted = BACKLOG_MAX;
        if (!read_folder(scan, fresh, OUTBOX_NEW, is_not_hidden, backlog)) {
            outbox_oldest_release(backlog);
            return false;
        }
    }
    const char *name;
    bool all = true;
    size_t room = OUTBOX_SCAN_MAX - scan->count;
    for (unsigned i = 0; i < room && (name = oldest_take(backlog)) != NULL; i++)
        all = take_file(scan, fresh, intake, name, i) && all;
    scan->more |= backlog->more || backlog->next < backlog->count || !looks;
    note_failure(scan, &backlog->failure);
    if (!all || backlog->next == backlog->count)
        outbox_oldest_release(backlog);
    return true;
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
    outbox_oldest_release(&work->outbox->backlog);
    work->outbox->backlog = scan->backlog;
    scan->backlog = (struct outbox_oldest){0};
    scan->done(work->argument, outbox_work_failure(work), (const char(*)[OUTBOX_ID_SIZE])scan->ids,
               scan->count, scan->more);
    work->release(work);
}

static void scan_release(struct outbox_work *work)
{
    outbox_oldest_release(&((struct scan_work *)work)->backlog);
    memory_free(work);
}

void outbox_scan(struct outbox *outbox, outbox_scan_done *done, void *argument)
{
    struct scan_work *scan = memory_allocate(sizeof *scan);
    scan->done = done;
    scan->work.argument = argument;
    scan->work.finish = scan_finish;
    scan->work.release = scan_release;
    scan->backlog = outbox->backlog;
    outbox->backlog = (struct outbox_oldest){0};
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

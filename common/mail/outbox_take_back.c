/* What the store does not know (any more) goes back to where the next scan finds it. */
#include "base/memory.h"
#include "mail/outbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct back_work {
    struct outbox_work work;
    const char *const *ids; /* the caller's */
    size_t count;
    int kept, intake, failed; /* folders; -1: there is none */
};

/* Whether it was refused, which a kill has interrupted. False, with the failure set: it cannot be
 * told. */
static bool look_for_refused(struct back_work *back, const char *id, bool *refused)
{
    char name[OUTBOX_NAME_SIZE];
    struct stat status;
    outbox_name(name, id, ".eml");
    *refused = back->failed >= 0 && fstatat(back->failed, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (*refused || back->failed < 0 || errno == ENOENT)
        return true;
    back->work.failure = outbox_failure(back->work.outbox, errno, "look at", OUTBOX_FAILED, name);
    return false;
}

static void take_back(struct back_work *back, const char *id)
{
    const struct outbox *outbox = back->work.outbox;
    struct failure *failure = &back->work.failure;
    bool refused;
    if (!look_for_refused(back, id, &refused))
        return;
    if (!refused) {
        if (renameat(back->kept, id, back->intake, id) < 0 && errno != ENOENT)
            *failure = outbox_failure(outbox, errno, "move", OUTBOX_KEPT, id);
    } else if (unlinkat(back->kept, id, 0) < 0 && errno != ENOENT)
        *failure = outbox_failure(outbox, errno, "remove", OUTBOX_KEPT, id);
}

static void take_back_all(struct back_work *back)
{
    const struct outbox *outbox = back->work.outbox;
    struct failure failure = {0};
    for (size_t i = 0; i < back->count; i++)
        take_back(back, back->ids[i]);
    bool synced = outbox_folder_sync(outbox, back->intake, OUTBOX_INTAKE, &failure) &&
                  outbox_folder_sync(outbox, back->kept, OUTBOX_KEPT, &failure);
    if (!synced)
        back->work.failure = failure;
}

static void take_back_job(void *argument)
{
    struct back_work *back = argument;
    const struct outbox *outbox = back->work.outbox;
    struct failure *failure = &back->work.failure, no_failed = {0};
    back->kept = outbox_folder(outbox, OUTBOX_KEPT, failure);
    back->intake = outbox_folder(outbox, OUTBOX_INTAKE, failure);
    back->failed = outbox_folder(outbox, OUTBOX_FAILED, &no_failed);
    if (back->failed < 0 && strcmp(no_failed.code, "ENOENT") != 0)
        *failure = no_failed;
    if (!failure_is_set(failure))
        take_back_all(back);
    const int folders[] = {back->kept, back->intake, back->failed};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i] >= 0)
            close(folders[i]);
    }
}

void outbox_take_back(struct outbox *outbox, const char *const *ids, size_t count,
                      outbox_done *done, void *argument)
{
    struct back_work *back = memory_allocate(sizeof *back);
    back->ids = ids;
    back->count = count;
    outbox_simple_start(outbox, &back->work, "", take_back_job, done, argument);
}

/* Who submitted a message, as this machine's name services tell it. */
#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

/* --- the name services --- */

static void find_groups(struct outbox_submitter *submitter, gid_t primary)
{
    int room = 16;
    int count;
    do {
        submitter->groups = memory_resize(submitter->groups, (size_t)room * sizeof(gid_t));
        count = room;
        room *= 2;
    } while (getgrouplist(submitter->name, primary, submitter->groups, &count) < 0 &&
             room <= 128 * 1024);
    submitter->group_count = (size_t)(count < room / 2 ? count : room / 2);
}

/* Returns an errno when it cannot be told now who the user is: that is no reason to refuse. */
static int look_up(struct outbox_submitter *submitter)
{
    enum { ROOM_MAX = 1024 * 1024 };
    struct passwd user;
    struct passwd *found = NULL;
    size_t size = 1024;
    char *room = memory_allocate(size);
    int error;
    while ((error = getpwuid_r(submitter->user, &user, room, size, &found)) == ERANGE &&
           size < ROOM_MAX) {
        size *= 4;
        room = memory_resize(room, size);
    }
    if (found != NULL) {
        submitter->name = memory_copy_string(user.pw_name);
        find_groups(submitter, user.pw_gid);
    }
    memory_free(room);
    /* Source: getpwnam(3): these, too, say that there is none. */
    bool known = found != NULL || error == 0 || error == ENOENT || error == ESRCH ||
                 error == EBADF || error == EPERM;
    return known ? 0 : error;
}

/* --- what is known --- */

void outbox_submitters_init(struct outbox_submitters *submitters)
{
    pthread_mutex_init(&submitters->mutex, NULL);
}

void outbox_submitters_release(struct outbox_submitters *submitters)
{
    outbox_submitters_forget(submitters);
    pthread_mutex_destroy(&submitters->mutex);
}

void outbox_submitters_forget(struct outbox_submitters *submitters)
{
    pthread_mutex_lock(&submitters->mutex);
    for (size_t i = 0; i < submitters->count; i++) {
        memory_free(submitters->known[i].name);
        memory_free(submitters->known[i].groups);
    }
    submitters->count = 0;
    submitters->scan++;
    pthread_mutex_unlock(&submitters->mutex);
}

static struct outbox_submitter copy_of(const struct outbox_submitter *submitter)
{
    struct outbox_submitter copy = *submitter;
    copy.name = submitter->name == NULL ? NULL : memory_copy_string(submitter->name);
    copy.groups = NULL;
    if (submitter->group_count > 0) {
        copy.groups = memory_allocate(submitter->group_count * sizeof *copy.groups);
        memcpy(copy.groups, submitter->groups, submitter->group_count * sizeof *copy.groups);
    }
    return copy;
}

static bool find_known(struct outbox_submitters *submitters, struct outbox_submitter *submitter,
                       uint64_t *scan)
{
    bool found = false;
    pthread_mutex_lock(&submitters->mutex);
    *scan = submitters->scan;
    for (size_t i = 0; i < submitters->count && !found; i++) {
        found = submitters->known[i].user == submitter->user;
        if (found)
            *submitter = copy_of(&submitters->known[i]);
    }
    pthread_mutex_unlock(&submitters->mutex);
    return found;
}

/* Unless a scan has begun since it was looked up, or another job has kept the same. */
static void keep_known(struct outbox_submitters *submitters,
                       const struct outbox_submitter *submitter, uint64_t scan)
{
    pthread_mutex_lock(&submitters->mutex);
    bool kept = submitters->scan != scan || submitters->count == OUTBOX_KNOWN_MAX;
    for (size_t i = 0; i < submitters->count && !kept; i++)
        kept = submitters->known[i].user == submitter->user;
    if (!kept)
        submitters->known[submitters->count++] = copy_of(submitter);
    pthread_mutex_unlock(&submitters->mutex);
}

int outbox_submitter_find(struct outbox_submitters *submitters, struct outbox_envelope *envelope)
{
    struct outbox_submitter submitter = {.user = envelope->submitter};
    uint64_t scan;
    int error = 0;
    if (!find_known(submitters, &submitter, &scan)) {
        error = look_up(&submitter);
        if (error == 0)
            keep_known(submitters, &submitter, scan);
    }
    envelope->submitter_name = submitter.name;
    envelope->groups = submitter.groups;
    envelope->group_count = submitter.group_count;
    return error;
}

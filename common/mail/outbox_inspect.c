#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

struct inspect_work {
    struct outbox_work work;
    struct outbox_envelope envelope;
    outbox_inspect_done *done;
};

/* --- the submitter --- */

static void find_groups(struct outbox_envelope *envelope, gid_t primary)
{
    int room = 16;
    int count;
    do {
        envelope->groups = memory_resize(envelope->groups, (size_t)room * sizeof(gid_t));
        count = room;
        room *= 2;
    } while (getgrouplist(envelope->submitter_name, primary, envelope->groups, &count) < 0 &&
             room <= 128 * 1024);
    envelope->group_count = (size_t)(count < room / 2 ? count : room / 2);
}

/* Returns an errno when it cannot be told now who the user is: that is no reason to refuse. */
static int find_submitter(struct outbox_envelope *envelope)
{
    enum { ROOM_MAX = 1024 * 1024 };
    struct passwd user;
    struct passwd *found = NULL;
    size_t size = 1024;
    char *room = memory_allocate(size);
    int error;
    while ((error = getpwuid_r(envelope->submitter, &user, room, size, &found)) == ERANGE &&
           size < ROOM_MAX) {
        size *= 4;
        room = memory_resize(room, size);
    }
    if (found != NULL) {
        envelope->submitter_name = memory_copy_string(user.pw_name);
        find_groups(envelope, user.pw_gid);
    }
    memory_free(room);
    /* Source: getpwnam(3): these, too, say that there is none. */
    bool known = found != NULL || error == 0 || error == ENOENT || error == ESRCH ||
                 error == EBADF || error == EPERM;
    return known ? 0 : error;
}

/* --- the job --- */

static void inspect_job(void *argument)
{
    struct inspect_work *inspect = argument;
    struct outbox_envelope *envelope = &inspect->envelope;
    struct outbox_source source;
    struct buffer text = {0};
    size_t header_length = 0;
    bool read = outbox_source_open(&source, inspect->work.outbox, inspect->work.id) &&
                outbox_source_header(&source, &text, &header_length);
    envelope->submitter = source.status.st_uid;
    envelope->size = source.status.st_size > 0 ? (uint64_t)source.status.st_size : 0;
    envelope->problem = source.problem;
    inspect->work.failure = source.failure;
    if (read)
        outbox_envelope_read(envelope, text.data, header_length);
    if (envelope->subject == NULL)
        envelope->subject = memory_copy_string("");
    int error = failure_is_set(&source.failure) ? 0 : find_submitter(envelope);
    if (error != 0)
        inspect->work.failure = outbox_failure(inspect->work.outbox, error, "look up the owner of",
                                               OUTBOX_INTAKE, inspect->work.id);
    outbox_source_close(&source);
    buffer_release(&text);
}

/* The envelope becomes the caller's. */
static void inspect_finish(struct outbox_work *work)
{
    struct inspect_work *inspect = (struct inspect_work *)work;
    struct outbox_envelope envelope = inspect->envelope;
    inspect->envelope = (struct outbox_envelope){0};
    inspect->done(work->argument, outbox_work_failure(work), &envelope);
    work->release(work);
}

static void inspect_release(struct outbox_work *work)
{
    outbox_envelope_release(&((struct inspect_work *)work)->envelope);
    memory_free(work);
}

void outbox_inspect(struct outbox *outbox, const char *id, outbox_inspect_done *done,
                    void *argument)
{
    struct inspect_work *inspect = memory_allocate(sizeof *inspect);
    snprintf(inspect->work.id, sizeof inspect->work.id, "%s", id);
    inspect->done = done;
    inspect->work.argument = argument;
    inspect->work.finish = inspect_finish;
    inspect->work.release = inspect_release;
    outbox_work_start(outbox, &inspect->work, inspect_job);
}

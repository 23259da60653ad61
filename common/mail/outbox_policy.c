#include "mail/outbox_private.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h> /* renameat */
#include <unistd.h>

#define POLICY       "policy"
#define POLICY_DRAFT ".policy"

struct policy_work {
    struct outbox_work work;
    struct outbox_policy policy;
};

static void write_policy(const struct outbox *outbox, int top, const struct outbox_policy *policy,
                         struct failure *failure)
{
    struct buffer text = {0};
    buffer_append_format(&text,
                         "; written by exsyncd for exsync-submit\n"
                         "[submit]\n"
                         "recipients_rewrite = %s\n"
                         "max_message_size = %" PRIu64 "\n"
                         "min_free = %" PRIu64 "\n",
                         policy->recipients_rewrite ? "yes" : "no", policy->max_message_size,
                         policy->min_free);
    int fd = openat(top, POLICY_DRAFT, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written = fd >= 0 && fchmod(fd, 0644) == 0 && file_write(fd, text.data, text.length);
    int error = errno;
    bool synced = fd >= 0 && file_sync_and_close(&fd);
    if (written && !synced)
        error = errno;
    if (written && synced) {
        if (renameat(top, POLICY_DRAFT, top, POLICY) == 0)
            outbox_folder_sync(outbox, top, NULL, failure);
        else
            *failure = outbox_failure(outbox, errno, "rename", NULL, POLICY_DRAFT);
    } else {
        *failure = outbox_failure(outbox, error, "write", NULL, POLICY_DRAFT);
    }
    buffer_release(&text);
}

static void policy_job(void *argument)
{
    struct policy_work *work = argument;
    const struct outbox *outbox = work->work.outbox;
    int top = outbox_folder(outbox, ".", &work->work.failure);
    if (top < 0)
        return;
    write_policy(outbox, top, &work->policy, &work->work.failure);
    close(top);
}

void outbox_publish_policy(struct outbox *outbox, const struct outbox_policy *policy,
                           outbox_done *done, void *argument)
{
    struct policy_work *work = memory_allocate(sizeof *work);
    work->policy = *policy;
    outbox_simple_start(outbox, &work->work, "", policy_job, done, argument);
}

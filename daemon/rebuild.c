#include "daemon/rebuild.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/profile.h"

#include <inttypes.h>

/* Its clock may have been set back since. */
static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

void rebuild_fill(struct store_published *files, const struct sink_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct maildir_name *name = &listing->files[i];
        files[i] = (struct store_published){
            .digest = name->mark.digest,
            .is_fingerprint = name->mark.is_fingerprint,
            .file = name->number,
            .published_ms = name->seconds * 1000,
        };
    }
}

static void finish(struct rebuild *rebuild, const struct failure *failure)
{
    const struct failure cancelled = failure_cancelled();
    if (rebuild->cancelled)
        failure = &cancelled;
    sink_list_end(rebuild->listing);
    memory_free(rebuild->listing);
    memory_free(rebuild->files);
    rebuild->listing = NULL;
    rebuild->files = NULL;
    rebuild->done(rebuild, failure);
}

static void report(const struct rebuild *rebuild)
{
    const struct cycle *cycle = rebuild->cycle;
    uint64_t unknown = rebuild->comparison.unknown, failed = rebuild->comparison.failed;
    const struct log_fields fields = {
        .message_id = MESSAGE_RESTORE_CHECKED,
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = "incoming",
        .activity = cycle->activity,
    };
    log_write(cycle->context->log, unknown + failed > 0 ? LOG_PRIORITY_NOTICE : LOG_PRIORITY_INFO,
              &fields,
              "%s: the ledger, put back from a backup, was compared with %" PRIu64
              " %s of the Maildir: %" PRIu64 " that it did not know, and %" PRIu64
              " that it had as failed, %s delivered before",
              mailbox_address(cycle->mailbox), rebuild->looked_at,
              text_plural(rebuild->looked_at, "file", "files"), unknown, failed,
              text_plural(unknown + failed, "was", "were"));
}

static void checked(void *argument, const struct failure *failure)
{
    struct rebuild *rebuild = argument;
    if (failure == NULL) {
        rebuild->cycle->mailbox->unchecked = false;
        rebuild->cycle->mailbox->may_have_open = true;
        report(rebuild);
    }
    finish(rebuild, failure);
}

static void next_page(struct rebuild *rebuild)
{
    disk_watch_begin(&rebuild->cycle->disk, rebuild->cycle, rebuild->sink, NULL, NULL);
    sink_list_start(rebuild->sink, rebuild->listing);
}

static void entered(void *argument, const struct failure *failure)
{
    struct rebuild *rebuild = argument;
    if (failure != NULL || rebuild->cancelled)
        finish(rebuild, failure);
    else if (rebuild->listing->more)
        next_page(rebuild);
    else
        store_mailbox_checked(rebuild->cycle->context->store, rebuild->cycle->mailbox->id, checked,
                              rebuild);
}

static void listed(struct sink_listing *listing)
{
    struct rebuild *rebuild = listing->argument;
    disk_watch_end(&rebuild->cycle->disk);
    if (failure_is_set(&listing->failure) || rebuild->cancelled) {
        const struct failure failure = listing->failure;
        finish(rebuild, &failure);
        return;
    }
    rebuild->looked_at += listing->count;
    rebuild_fill(rebuild->files, listing);
    store_ledger_rebuild(rebuild->cycle->context->store, rebuild->cycle->mailbox->id,
                         rebuild->files, listing->count, clock_wall_ms(), &rebuild->comparison,
                         entered, rebuild);
}

void rebuild_start(struct rebuild *rebuild)
{
    const struct mailbox *mailbox = rebuild->cycle->mailbox;
    cycle_at(rebuild->cycle, "comparing the Maildir with the ledger", NULL);
    rebuild->files = memory_allocate_array(SINK_LIST_MAX, sizeof *rebuild->files);
    rebuild->listing = memory_allocate(sizeof *rebuild->listing);
    rebuild->listing->since_ms = mailbox->check_from_ms - DAY_MS;
    rebuild->listing->above = mailbox->check_above;
    rebuild->listing->done = listed;
    rebuild->listing->argument = rebuild;
    next_page(rebuild);
}

#include "daemon/recover.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/profile.h"

#include <string.h>

/* No mailbox's number is that large. */
#define NOTICE_OWNER (UINT64_C(1) << 62)

static void open_configured(struct recovery *recovery);

static void recovery_finish(struct recovery *recovery, const struct failure *failure)
{
    if (failure != NULL) {
        sink_free(recovery->sink);
        recovery->sink = NULL;
    }
    recovery->done(recovery, failure);
}

/* The disk or the store has answered: true when the recovery is over. */
static bool recovery_over(struct recovery *recovery, const struct failure *failure)
{
    recovery->waiting = false;
    const struct failure cancelled = failure_cancelled();
    if (recovery->cancelled)
        failure = &cancelled;
    if (failure == NULL)
        return false;
    recovery_finish(recovery, failure);
    return true;
}

static struct sink *create_sink(const struct cycle *cycle, const char *maildir, const char *root,
                                uint64_t owner)
{
    const struct config_mailbox_settings *settings = mailbox_settings(cycle->mailbox);
    const struct sink_settings sink_settings = {
        .path = maildir,
        .root = root,
        .owner = owner,
        .crlf = settings->line_endings == CONFIG_LINE_ENDINGS_CRLF,
        .has_group = settings->has_deliver_group,
        .group = settings->deliver_group,
        .mode = settings->deliver_mode,
    };
    return sink_create(cycle->context->sinks, &sink_settings);
}

struct sink *recovery_create_sink(const struct cycle *cycle, const char *maildir)
{
    char *root = config_maildir_root(mailbox_settings(cycle->mailbox));
    struct sink *sink = create_sink(cycle, maildir, root, (uint64_t)cycle->mailbox->id.number);
    memory_free(root);
    return sink;
}

struct sink *recovery_create_notice_sink(const struct cycle *cycle)
{
    char *maildir = config_maildir_path(cycle->mailbox->config);
    char *root = config_maildir_root(mailbox_settings(cycle->mailbox));
    struct sink *sink =
        create_sink(cycle, maildir, root, NOTICE_OWNER | (uint64_t)cycle->mailbox->id.number);
    memory_free(root);
    memory_free(maildir);
    return sink;
}

static void report(const struct recovery *recovery)
{
    const struct cycle *cycle = recovery->cycle;
    if (recovery->opening.published == 0 && recovery->opening.swept == 0)
        return;
    const struct log_fields fields = {
        .message_id = MESSAGE_SINK_RECOVERED,
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = "incoming",
        .activity = cycle->activity,
    };
    size_t published = recovery->opening.published, swept = recovery->opening.swept;
    log_write(cycle->context->log, LOG_PRIORITY_INFO, &fields,
              "%s: after an interruption %zu %s published and %zu unfinished %s removed from the "
              "spool",
              mailbox_address(cycle->mailbox), published,
              text_plural(published, "message was", "messages were"), swept,
              text_plural(swept, "file", "files"));
}

static void recovery_over_all(struct recovery *recovery)
{
    recovery->cycle->mailbox->sink_checked = true;
    recovery_finish(recovery, NULL);
}

static void recovery_rebuilt(struct rebuild *rebuild, const struct failure *failure)
{
    struct recovery *recovery = rebuild->argument;
    if (!recovery_over(recovery, failure))
        recovery_over_all(recovery);
}

static void recovery_rebuild(struct recovery *recovery)
{
    recovery->waiting = true;
    recovery->rebuild = (struct rebuild){
        .cycle = recovery->cycle,
        .sink = recovery->sink,
        .done = recovery_rebuilt,
        .argument = recovery,
    };
    rebuild_start(&recovery->rebuild);
}

static void recovery_marked(void *argument, const struct failure *failure)
{
    struct recovery *recovery = argument;
    if (recovery_over(recovery, failure))
        return;
    recovery->count = 0;
    if (recovery->at_former) {
        sink_free(recovery->sink);
        recovery->sink = NULL;
        open_configured(recovery);
        return;
    }
    if (recovery->cycle->mailbox->unchecked)
        recovery_rebuild(recovery);
    else
        recovery_over_all(recovery);
}

/* What was committed before is published now, or was. */
static void mark_delivered(struct recovery *recovery)
{
    if (recovery->count == 0) {
        recovery_marked(recovery, NULL);
        return;
    }
    recovery->waiting = true;
    store_ledger_delivered(recovery->cycle->context->store, recovery->cycle->mailbox->id,
                           recovery->keys, recovery->count, clock_wall_ms(), recovery_marked,
                           recovery);
}

static void recovery_noted(void *argument, const struct failure *failure)
{
    struct recovery *recovery = argument;
    if (recovery_over(recovery, failure))
        return;
    recovery->cycle->mailbox->sink_ready = true;
    mark_delivered(recovery);
}

static void recovery_opened(struct sink_opening *opening)
{
    struct recovery *recovery = opening->argument;
    disk_watch_end(&recovery->cycle->disk);
    if (recovery_over(recovery, failure_is_set(&opening->failure) ? &opening->failure : NULL))
        return;
    recovery->cycle->moved += (uint32_t)opening->published;
    report(recovery);
    if (recovery->at_former || recovery->cycle->mailbox->sink_ready) {
        mark_delivered(recovery);
        return;
    }
    recovery->waiting = true;
    store_sink_ready(recovery->cycle->context->store, recovery->cycle->mailbox->id,
                     recovery->maildir, recovery_noted, recovery);
}

static void open_sink(struct recovery *recovery, bool may_create)
{
    recovery->opening = (struct sink_opening){
        .may_create = may_create,
        .names = (const char *const *)recovery->names,
        .name_count = recovery->count,
        .done = recovery_opened,
        .argument = recovery,
    };
    struct failure failure;
    if (!disks_admit(recovery->cycle->context->disks,
                     executor_now(recovery->cycle->context->executor), recovery->sink, &failure)) {
        recovery_finish(recovery, &failure);
        return;
    }
    recovery->waiting = true;
    disk_watch_begin(&recovery->cycle->disk, recovery->cycle, recovery->sink, NULL, NULL);
    sink_open_start(recovery->sink, &recovery->opening);
}

static void open_configured(struct recovery *recovery)
{
    recovery->at_former = false;
    recovery->sink = recovery_create_sink(recovery->cycle, recovery->maildir);
    open_sink(recovery, !recovery->cycle->mailbox->sink_ready);
}

/* Nothing is created there: the whole path must stand. */
static void open_former(struct recovery *recovery)
{
    recovery->at_former = true;
    recovery->sink =
        create_sink(recovery->cycle, recovery->former_maildir, recovery->former_maildir,
                    (uint64_t)recovery->cycle->mailbox->id.number);
    open_sink(recovery, false);
}

void recovery_start(struct recovery *recovery)
{
    bool moved = recovery->former_maildir != NULL &&
                 strcmp(recovery->former_maildir, recovery->maildir) != 0;
    if (moved && recovery->count > 0)
        open_former(recovery);
    else
        open_configured(recovery);
}

void recovery_cancel(struct recovery *recovery)
{
    if (recovery->waiting)
        recovery->cancelled = true;
    recovery->rebuild.cancelled = true; /* when it is at work */
}

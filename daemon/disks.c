#include "daemon/disks.h"

#include "base/memory.h"
#include "daemon/cycle.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/outcome.h"
#include "daemon/profile.h"
#include "daemon/scheduler.h"

#include <string.h>

struct disk {
    struct disk *next;
    char *mount;
    uint32_t stuck;            /* cycles that hang on it */
    uint64_t suspect_until_ms; /* monotonic: a wait for it was given up */
    bool reported;
};

static struct disk *find_disk(const struct disks *disks, const char *mount)
{
    struct disk *disk = disks->first;
    while (disk != NULL && strcmp(disk->mount, mount) != 0)
        disk = disk->next;
    return disk;
}

static struct disk *known_disk(struct disks *disks, const char *mount)
{
    struct disk *disk = find_disk(disks, mount);
    if (disk != NULL)
        return disk;
    disk = memory_allocate(sizeof *disk);
    disk->mount = memory_copy_string(mount);
    disk->next = disks->first;
    disks->first = disk;
    return disk;
}

void disks_release(struct disks *disks)
{
    while (disks->first != NULL) {
        struct disk *disk = disks->first;
        disks->first = disk->next;
        memory_free(disk->mount);
        memory_free(disk);
    }
}

void disks_explain(const struct sink *sink, struct failure *failure)
{
    *failure = (struct failure){
        .category = FAILURE_STORAGE,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "The file system of the Maildir does not answer.",
        .remedy = "Check the disk, or the network and the server that it comes from. Delivery "
                  "resumes by itself.",
    };
    failure_set_code(failure, "DiskHangs");
    failure_set_step(failure, "deliver");
    failure_format_text(failure, "%s", sink_mount(sink));
}

bool disks_admit(const struct disks *disks, uint64_t now_ms, const struct sink *sink,
                 struct failure *failure)
{
    const struct disk *disk = find_disk(disks, sink_mount(sink));
    if (disk == NULL || (disk->stuck < DISK_STUCK_MAX && disk->suspect_until_ms <= now_ms))
        return true;
    disks_explain(sink, failure);
    return false;
}

static struct log_fields watch_fields(const struct disk_watch *watch, const char *message_id)
{
    return (struct log_fields){
        .message_id = message_id,
        .profile = watch->cycle->profile->config->name,
        .mailbox = mailbox_address(watch->cycle->mailbox),
        .direction = cycle_direction_name(watch->cycle->direction),
        .step = "deliver",
        .activity = watch->cycle->activity,
    };
}

static void report_stuck(const struct disk_watch *watch)
{
    if (watch->disk->reported)
        return;
    watch->disk->reported = true;
    const struct log_fields fields = watch_fields(watch, MESSAGE_DISK_STUCK);
    log_write(
        watch->cycle->context->log, LOG_PRIORITY_ERROR, &fields,
        "the file system %s has not answered for %d s; mailboxes that deliver there wait, the "
        "others go on. Check the disk, or the network and the server that it comes from. Seen "
        "with %s.",
        watch->disk->mount, DISK_PATIENCE_MS / 1000, mailbox_address(watch->cycle->mailbox));
}

static void report_answer(const struct disk_watch *watch, struct disk *disk)
{
    if (!disk->reported || disk->stuck > 0)
        return;
    disk->reported = false;
    disk->suspect_until_ms = 0;
    const struct log_fields fields = watch_fields(watch, MESSAGE_DISK_ANSWERS);
    log_write(watch->cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
              "the file system %s answers again", disk->mount);
}

/* A cycle that cannot give up tells at its end only what came of it: in the meantime its mailbox is
 * not to look well. */
static void watch_hangs(void *argument)
{
    struct disk_watch *watch = argument;
    struct failure failure;
    disks_explain(watch->sink, &failure);
    uint64_t wait = outcome_hangs(watch->cycle, &failure);
    if (wait != OUTCOME_NEVER)
        executor_after(watch->cycle->context->executor, &watch->timer, wait, watch_hangs, watch);
}

static void watch_expired(void *argument)
{
    struct disk_watch *watch = argument;
    struct cycle *cycle = watch->cycle;
    watch->disk = known_disk(cycle->context->disks, sink_mount(watch->sink));
    watch->disk->stuck++;
    report_stuck(watch);
    cycle->profile->running_stuck++;
    scheduler_wake(cycle->profile->owner);
    if (watch->on_stuck != NULL)
        watch->on_stuck(watch->argument);
    else
        watch_hangs(watch);
}

void disk_watch_begin(struct disk_watch *watch, struct cycle *cycle, const struct sink *sink,
                      void (*on_stuck)(void *argument), void *argument)
{
    watch->on_stuck = on_stuck;
    watch->argument = argument;
    if (watch->sink != NULL)
        return;
    watch->cycle = cycle;
    watch->sink = sink;
    executor_after(cycle->context->executor, &watch->timer, DISK_PATIENCE_MS, watch_expired, watch);
}

/* Stops watching; returns the disk if it is one that was known as stuck. */
static struct disk *watch_stop(struct disk_watch *watch)
{
    if (watch->sink == NULL)
        return NULL;
    executor_cancel_timer(watch->cycle->context->executor, &watch->timer);
    struct disk *disk = find_disk(watch->cycle->context->disks, sink_mount(watch->sink));
    if (watch->disk != NULL) {
        watch->disk->stuck--;
        watch->cycle->profile->running_stuck--;
    }
    watch->disk = NULL;
    watch->sink = NULL;
    return disk;
}

void disk_watch_end(struct disk_watch *watch)
{
    struct disk *disk = watch_stop(watch);
    if (disk != NULL)
        report_answer(watch, disk);
}

void disk_watch_give_up(struct disk_watch *watch)
{
    struct disk *disk = watch_stop(watch);
    if (disk != NULL)
        disk->suspect_until_ms = executor_now(watch->cycle->context->executor) + DISK_SUSPECT_MS;
}

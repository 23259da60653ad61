#include "daemon/nondelivery.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/failed_file.h"
#include "daemon/mailbox.h"
#include "daemon/nondelivery_text.h"
#include "daemon/profile.h"
#include "daemon/recover.h"
#include "mail/outbox.h"

#include <unistd.h>

enum { HOST_SIZE = 256 };

bool nondelivery_wanted(const struct cycle *cycle, const struct submission *submission)
{
    return cycle->profile->config->delivery_notifications && !submission->row.null_sender;
}

void nondelivery_release(struct nondelivery *nondelivery)
{
    sink_free(nondelivery->sink);
    nondelivery->sink = NULL;
    nondelivery->message = NULL;
    buffer_release(&nondelivery->text);
}

static void finish(struct nondelivery *nondelivery, const struct failure *failure)
{
    struct failure copy = {0};
    if (failure != NULL)
        copy = *failure;
    nondelivery_release(nondelivery);
    nondelivery->done(nondelivery, failure == NULL ? NULL : &copy);
}

/* The disk does not answer: the message is put aside all the same, and its place is free again. */
static void stuck(void *argument)
{
    struct nondelivery *nondelivery = argument;
    struct failure failure;
    disks_explain(nondelivery->sink, &failure);
    disk_watch_give_up(&nondelivery->cycle->disk);
    finish(nondelivery, &failure);
}

static void wait_for_disk(struct nondelivery *nondelivery)
{
    disk_watch_begin(&nondelivery->cycle->disk, nondelivery->cycle, nondelivery->sink, stuck,
                     nondelivery);
}

static void published(struct sink_batch *batch)
{
    struct nondelivery *nondelivery = batch->argument;
    disk_watch_end(&nondelivery->cycle->disk);
    bool failed = failure_is_set(&nondelivery->failures[0]);
    sink_release(nondelivery->message);
    finish(nondelivery, failed ? &nondelivery->failures[0] : NULL);
}

static void synced(struct sink_batch *batch)
{
    struct nondelivery *nondelivery = batch->argument;
    disk_watch_end(&nondelivery->cycle->disk);
    if (failure_is_set(&nondelivery->failures[0])) {
        sink_abandon(nondelivery->message);
        finish(nondelivery, &nondelivery->failures[0]);
        return;
    }
    batch->done = published;
    wait_for_disk(nondelivery);
    sink_publish_start(nondelivery->sink, batch);
}

/* As much as the sink takes now; it calls again. */
static void write_more(void *argument)
{
    struct nondelivery *nondelivery = argument;
    while (nondelivery->written < nondelivery->text.length && sink_ready(nondelivery->message)) {
        size_t length = nondelivery->text.length - nondelivery->written;
        if (length > SINK_CHUNK_MAX)
            length = SINK_CHUNK_MAX;
        sink_write(nondelivery->message, nondelivery->text.data + nondelivery->written, length);
        nondelivery->written += length;
    }
    if (nondelivery->batch.count > 0)
        return;
    disk_watch_end(&nondelivery->cycle->disk);
    wait_for_disk(nondelivery);
    if (nondelivery->written < nondelivery->text.length)
        return;
    sink_end(nondelivery->message);
    nondelivery->messages[0] = nondelivery->message;
    nondelivery->batch = (struct sink_batch){
        .messages = nondelivery->messages,
        .count = 1,
        .failures = nondelivery->failures,
        .done = synced,
        .argument = nondelivery,
    };
    sink_sync_start(nondelivery->sink, &nondelivery->batch);
}

static void opened(struct sink_opening *opening)
{
    struct nondelivery *nondelivery = opening->argument;
    disk_watch_end(&nondelivery->cycle->disk);
    if (failure_is_set(&opening->failure)) {
        finish(nondelivery, &opening->failure);
        return;
    }
    nondelivery->message = sink_begin(nondelivery->sink, NULL, write_more, nondelivery);
    write_more(nondelivery);
}

void nondelivery_start(struct nondelivery *nondelivery)
{
    char host[HOST_SIZE] = "localhost";
    gethostname(host, sizeof host - 1);
    char *file = failed_file_path(outbox_directory(nondelivery->cycle->context->outbox),
                                  nondelivery->submission->row.id);
    const struct nondelivery_text what = {
        .mailbox = mailbox_address(nondelivery->cycle->mailbox),
        .host = host,
        .file = file,
        .submission = nondelivery->submission,
        .failure = nondelivery->failure,
        .now_ms = clock_wall_ms(),
    };
    nondelivery_write(&nondelivery->text, &what);
    memory_free(file);
    nondelivery->sink = recovery_create_notice_sink(nondelivery->cycle);
    struct failure failure;
    if (!disks_admit(nondelivery->cycle->context->disks,
                     executor_now(nondelivery->cycle->context->executor), nondelivery->sink,
                     &failure)) {
        finish(nondelivery, &failure);
        return;
    }
    nondelivery->opening = (struct sink_opening){
        /* Where mail is received, its own first cycle makes the Maildir and remembers that: a
         * missing one may be a file system that is not mounted. */
        .may_create = !mailbox_settings(nondelivery->cycle->mailbox)->incoming,
        .done = opened,
        .argument = nondelivery,
    };
    wait_for_disk(nondelivery);
    sink_open_start(nondelivery->sink, &nondelivery->opening);
}

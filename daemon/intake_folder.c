#include "daemon/intake_folder.h"

#include "daemon/messages.h"

#include <string.h>

enum { TIDY_EVERY_MS = 60 * 60 * 1000 };

/* --- the policy --- */

static void published(void *argument, const struct failure *failure)
{
    const struct intake_folder *folder = argument;
    if (failure == NULL)
        return;
    const struct log_fields fields = {
        .message_id = MESSAGE_INTAKE_FAILED, .step = failure->step, .code = failure->code};
    log_write(folder->context->log, LOG_PRIORITY_WARNING, &fields,
              "exsync-submit goes by its former policy: %s (%s): %s",
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
}

void intake_folder_publish(struct intake_folder *folder, const struct config *config)
{
    const struct outbox_policy policy = {
        .recipients_rewrite = config->recipients_rewrite,
        .max_message_size = config->max_submission_size,
        .min_free = config->outbox_min_free,
    };
    outbox_publish_policy(folder->context->outbox, &policy, published, folder);
}

/* --- tidying --- */

/* Opening the outbox does it as well. */
static void note_tidied(struct intake_folder *folder)
{
    folder->tidied_ms = executor_now(folder->context->executor);
}

void intake_folder_tidy(struct intake_folder *folder)
{
    if (executor_now(folder->context->executor) - folder->tidied_ms < TIDY_EVERY_MS)
        return;
    note_tidied(folder);
    outbox_tidy(folder->context->outbox, NULL, NULL);
}

/* --- opening --- */

static void watch(struct intake_folder *folder)
{
    const char *watched = outbox_watched(folder->context->outbox);
    int error = 0;
    folder->watch = executor_watch_create(folder->context->executor, watched, folder->changed,
                                          folder->argument, &error);
    if (folder->watch == NULL)
        log_write(folder->context->log, LOG_PRIORITY_WARNING, NULL,
                  "the outbox %s cannot be watched (%s); it is looked at every "
                  "outbox_scan_interval only",
                  watched, strerror(error));
}

/* What was left in the queue is away, or will be looked for at the next start. */
static void queue_swept(struct sweep *sweep, const struct failure *failure)
{
    struct intake_folder *folder = sweep->argument;
    if (failure == NULL) {
        folder->swept = true;
        watch(folder);
    }
    folder->opened(folder->argument, failure);
}

static void opened(void *argument, const struct failure *failure)
{
    struct intake_folder *folder = argument;
    if (failure == NULL && folder->swept) { /* it may be another folder now */
        intake_folder_release(folder);
        watch(folder);
    }
    if (failure != NULL || folder->swept) {
        folder->opened(folder->argument, failure);
        return;
    }
    folder->sweep =
        (struct sweep){.context = folder->context, .done = queue_swept, .argument = folder};
    sweep_start(&folder->sweep);
}

void intake_folder_open(struct intake_folder *folder)
{
    note_tidied(folder);
    outbox_open(folder->context->outbox, opened, folder);
}

void intake_folder_release(struct intake_folder *folder)
{
    executor_watch_free(folder->watch);
    folder->watch = NULL;
}

#include "daemon/acknowledge.h"

#include "base/memory.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/profile.h"

#include <assert.h>

/* The one way out: after a failure something may be left to acknowledge. */
static void acknowledger_finish(struct acknowledger *acknowledger, const struct failure *failure)
{
    if (failure != NULL)
        acknowledger->cycle->mailbox->may_have_open = true;
    acknowledger->done(acknowledger, failure);
}

bool acknowledge_wanted(const struct cycle *cycle)
{
    return mailbox_settings(cycle->mailbox)->after_processing != CONFIG_AFTER_LEAVE;
}

static enum backend_action action_of(const struct cycle *cycle)
{
    switch (mailbox_settings(cycle->mailbox)->after_processing) {
    case CONFIG_AFTER_MOVE:
        return BACKEND_MOVE;
    case CONFIG_AFTER_DELETE:
        return BACKEND_DELETE;
    case CONFIG_AFTER_PURGE:
        return BACKEND_PURGE;
    case CONFIG_AFTER_MARK_READ:
    case CONFIG_AFTER_LEAVE:
        break;
    }
    return BACKEND_MARK_READ;
}

static void acknowledger_noted(void *argument, const struct failure *failure)
{
    struct acknowledger *acknowledger = argument;
    acknowledger->waiting = false;
    const struct failure cancelled = failure_cancelled();
    if (acknowledger->cancelled)
        failure = &cancelled;
    else if (failure == NULL && failure_is_set(&acknowledger->failure))
        failure = &acknowledger->failure;
    acknowledger_finish(acknowledger, failure);
}

/* An item that can never be acknowledged has been delivered all the same: it is left as it is. */
static void report_left(const struct cycle *cycle, const struct failure *failure)
{
    const struct log_fields fields = {
        .message_id = MESSAGE_NOT_ACKNOWLEDGED,
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = "incoming",
        .step = failure->step,
        .activity = cycle->activity,
        .code = failure->code,
    };
    log_write(cycle->context->log, LOG_PRIORITY_WARNING, &fields,
              "%s: a delivered message stays as it is on the server: %s: %s (%s): \"%s\"",
              mailbox_address(cycle->mailbox), failure->step,
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
}

/* Keeps the keys of those that need nothing more, `acknowledger->count` of them. */
static void keep_settled(struct acknowledger *acknowledger, const struct failure *failures,
                         size_t count)
{
    size_t settled = 0;
    for (size_t i = 0; i < acknowledger->count && i < count; i++) {
        const struct failure *failure = &failures[i];
        if (failure_is_set(failure)) {
            if (failure->scope != FAILURE_SCOPE_ITEM)
                acknowledger->failure = *failure;
            if (failure->scope != FAILURE_SCOPE_ITEM || !failure->permanent)
                continue;
            report_left(acknowledger->cycle, failure);
        }
        acknowledger->keys[settled++] = acknowledger->keys[i];
    }
    if (settled < acknowledger->count)
        acknowledger->cycle->mailbox->may_have_open = true;
    acknowledger->count = settled;
}

static void acknowledger_note(struct acknowledger *acknowledger)
{
    if (acknowledger->count == 0) {
        acknowledger_finish(acknowledger,
                            failure_is_set(&acknowledger->failure) ? &acknowledger->failure : NULL);
        return;
    }
    acknowledger->waiting = true;
    store_ledger_acknowledged(acknowledger->cycle->context->store, acknowledger->cycle->mailbox->id,
                              acknowledger->keys, acknowledger->count, acknowledger_noted,
                              acknowledger);
}

static void acknowledger_answered(void *argument, const struct failure *failure,
                                  const struct failure *failures, size_t count)
{
    struct acknowledger *acknowledger = argument;
    acknowledger->operation = NULL;
    if (failure != NULL) {
        acknowledger_finish(acknowledger, failure);
        return;
    }
    keep_settled(acknowledger, failures, count);
    acknowledger_note(acknowledger);
}

static void acknowledger_send(struct acknowledger *acknowledger)
{
    struct cycle *cycle = acknowledger->cycle;
    acknowledger->operation = backend_acknowledge_start(
        cycle->profile->backend, &cycle->target, action_of(cycle), cycle->mailbox->move_folder_id,
        acknowledger->references, acknowledger->count, acknowledger_answered, acknowledger);
}

void acknowledge_report_created(const struct cycle *cycle, const char *folder)
{
    const struct log_fields fields = {
        .message_id = MESSAGE_FOLDER_CREATED,
        .profile = cycle->profile->config->name,
        .mailbox = mailbox_address(cycle->mailbox),
        .direction = "incoming",
        .activity = cycle->activity,
    };
    log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
              "%s: created the folder \"%s\" in the mailbox", mailbox_address(cycle->mailbox),
              folder);
}

static void acknowledger_found_folder(void *argument, const struct failure *failure,
                                      const char *folder_id, bool created)
{
    struct acknowledger *acknowledger = argument;
    acknowledger->operation = NULL;
    if (failure != NULL) {
        acknowledger_finish(acknowledger, failure);
        return;
    }
    if (created)
        acknowledge_report_created(acknowledger->cycle,
                                   mailbox_settings(acknowledger->cycle->mailbox)->move_folder);
    acknowledger->cycle->mailbox->move_folder_id = memory_copy_string(folder_id);
    acknowledger_send(acknowledger);
}

void acknowledger_start(struct acknowledger *acknowledger)
{
    struct cycle *cycle = acknowledger->cycle;
    assert(acknowledger->count > 0 && acknowledger->count <= ACKNOWLEDGE_MAX);
    acknowledger->failure = (struct failure){0};
    acknowledger->cancelled = false;
    if (!acknowledge_wanted(cycle)) { /* it was wanted once; the configuration has changed */
        acknowledger_note(acknowledger);
        return;
    }
    const struct config_mailbox_settings *settings = mailbox_settings(cycle->mailbox);
    if (settings->after_processing == CONFIG_AFTER_MOVE && cycle->mailbox->move_folder_id == NULL) {
        acknowledger->operation =
            backend_folder_start(cycle->profile->backend, &cycle->target, settings->move_folder,
                                 true, acknowledger_found_folder, acknowledger);
        return;
    }
    acknowledger_send(acknowledger);
}

void acknowledger_cancel(struct acknowledger *acknowledger)
{
    if (acknowledger->operation != NULL) {
        backend_cancel(acknowledger->operation);
        acknowledger->operation = NULL;
        const struct failure cancelled = failure_cancelled();
        acknowledger_finish(acknowledger, &cancelled);
    } else if (acknowledger->waiting) {
        acknowledger->cancelled = true;
    }
}

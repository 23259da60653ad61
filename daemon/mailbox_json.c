#include "daemon/mailbox_json.h"

#include "base/memory.h"
#include "daemon/failure_json.h"
#include "daemon/health.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/profile.h"

static const char *state_name(const struct direction *direction, bool on)
{
    switch (direction->state) {
    case DIRECTION_WAITING:
        return "waiting";
    case DIRECTION_READY:
        return "queued";
    case DIRECTION_RUNNING:
        return "running";
    case DIRECTION_OFF:
        break;
    }
    return on ? "idle" : "off";
}

static json_t *trouble_of(const struct direction *direction)
{
    const struct direction_trouble *trouble = direction->trouble;
    if (trouble == NULL)
        return json_null();
    return trouble_json(&trouble->failure, trouble->failures, trouble->since_ms);
}

/* What is not configured is off, and nothing is missing. */
static json_t *hindrance_in(const struct direction *direction, const struct scheduler *scheduler)
{
    const struct mailbox *mailbox = direction->mailbox;
    if (!mailbox_is_configured(mailbox, direction->kind))
        return json_null();
    return hindrance_json(mailbox, direction->kind, scheduler);
}

static json_t *direction_json(const struct direction *direction, const struct scheduler *scheduler)
{
    const struct status *status = &direction->status;
    bool on = mailbox_wants(direction->mailbox, direction->kind);
    json_t *object = json_object();
    json_object_set_new(object, "on", json_boolean(on));
    json_object_set_new(object, "disabled", json_boolean(direction->switched_off));
    json_set_text(object, "state", state_name(direction, on));
    json_set_text(object, "result", status_result_name((enum status_result)status->result));
    json_set_time(object, "last_started", status->started_ms);
    json_set_time(object, "last_succeeded", status->succeeded_ms);
    json_set_number(object, "processed", status->processed);
    json_set_number(object, "failed", status->failed);
    json_set_time(object, "next_due", status_next_due(direction));
    json_object_set_new(object, "trouble", trouble_of(direction));
    json_object_set_new(object, "hindrance", hindrance_in(direction, scheduler));
    return object;
}

static bool has_backlog(const struct mailbox *mailbox)
{
    for (size_t i = 0; mailbox->folders != NULL && i < mailbox->folder_count; i++) {
        if (mailbox->folders[i].backlog_offset > 0)
            return true;
    }
    return false;
}

json_t *mailbox_json(const struct mailbox *mailbox, const struct scheduler *scheduler)
{
    json_t *object = json_object();
    json_t *incoming = direction_json(&mailbox->incoming, scheduler);
    json_object_set_new(incoming, "backlog", json_boolean(has_backlog(mailbox)));
    json_set_text(object, "kind", "mailbox");
    json_set_text(object, "address", mailbox_address(mailbox));
    json_set_text(object, "profile", mailbox->profile->config->name);
    json_set_text(object, "state", health_name(health_of(mailbox, scheduler)));
    json_object_set_new(object, "incoming", incoming);
    json_object_set_new(object, "outgoing", direction_json(&mailbox->outgoing, scheduler));
    return object;
}

/* --- the whole --- */

static const char *after_processing_name(enum config_after_processing after)
{
    static const char *const names[] = {
        [CONFIG_AFTER_LEAVE] = "leave", [CONFIG_AFTER_MARK_READ] = "mark_read",
        [CONFIG_AFTER_MOVE] = "move",   [CONFIG_AFTER_DELETE] = "delete",
        [CONFIG_AFTER_PURGE] = "purge",
    };
    return names[after];
}

static json_t *folder_json(const char *name, const struct mailbox_folder *folder)
{
    json_t *object = json_object();
    bool counted = folder != NULL && folder->state.total >= 0;
    json_set_text(object, "name", name);
    json_object_set_new(object, "items", counted ? json_integer(folder->state.total) : json_null());
    json_set_time(object, "read_up_to", folder == NULL ? 0 : folder->state.watermark_ms);
    json_object_set_new(object, "backlog",
                        json_boolean(folder != NULL && folder->backlog_offset > 0));
    return object;
}

static json_t *folders_json(const struct mailbox *mailbox)
{
    json_t *array = json_array();
    const char *const *names = mailbox_settings(mailbox)->folders;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        bool known = mailbox->folders != NULL && i < mailbox->folder_count;
        json_array_append_new(array, folder_json(names[i], known ? &mailbox->folders[i] : NULL));
    }
    return array;
}

void mailbox_json_whole(json_t *object, const struct mailbox *mailbox)
{
    const struct config_mailbox_settings *settings = mailbox_settings(mailbox);
    const struct config_profile *profile = mailbox->profile->config;
    const struct config_mailbox_rare *rare = mailbox->config->rare;
    char *maildir = config_maildir_path(mailbox->config);
    json_set_text(object, "account", profile->username);
    json_set_text(object, "url", profile->url);
    json_set_text(object, "identity", rare == NULL ? NULL : rare->identity);
    json_set_text(object, "maildir", maildir);
    json_set_text(object, "after_processing", after_processing_name(settings->after_processing));
    json_set_text(object, "move_folder", settings->move_folder);
    json_set_time(object, "process_email_from",
                  settings->has_process_from ? settings->process_from_ms : mailbox->enabled_ms);
    json_object_set_new(object, "folders", folders_json(mailbox));
    memory_free(maildir);
}

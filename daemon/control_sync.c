/* sync: an administrator does not want to wait until it is time.
 *
 *   {"command": "sync", "address": "ANNA@contoso.com"}   or "profile": "NAME"; and "wait": true
 *
 * Directions that wait, for their time or because of trouble, are due at once, and so is the try of
 * a profile whose server is out of reach; not that of one whose account was refused, which too many
 * tries would lock. One whose cycle runs gets another right behind it.
 *
 *   {"kind": "due", "directions": 2, "disabled": 0, "hindrance": null}
 *
 *   directions  how many; none when all are off, or have nothing to send
 *   disabled    how many besides are left out, for an administrator has disabled them
 *   hindrance   why they wait all the same, and since when, when their profile is not tried now;
 *               null
 *
 * With "wait" the cycles' ends are told as they come, and the request ends with the last:
 *
 *   {"kind": "cycle", "address": "anna@contoso.com", "profile": "contoso", "direction": "incoming",
 *    "result": "success", "processed": 3, "failed": 0, "next_try": null, "error": null}
 *
 *   result     success; failure;
 *              cut short  by a reload, or a change of the configuration;
 *              off        the direction has nothing to do, or no more;
 *              paused     its profile is;
 *              not tried  its profile was waiting before for its server or account, and is not
 *                         tried now;
 *              waiting    nothing was asked of the server: all messages wait for their next try
 *   processed  messages delivered or sent; `failed`: those that were recorded as failed
 *   next_try   of waiting: when the first of the messages is due; otherwise null
 *   error      null, or {"code", "sentence", "text", "remedy"}; of waiting: what the last try met,
 *              where that is known
 *
 * Errors: NoSuchMailbox, NoSuchProfile, Paused (the profile is, or was meanwhile), Disabled (all
 * that is configured), NotTried (some cycle was not, for its profile waits), Waiting (some cycle
 * found only messages that wait), SyncFailed (some cycle has failed). */
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/messages.h"
#include "daemon/service_private.h"
#include "daemon/sync_wait.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

struct sync_request {
    struct sync_wait wait; /* begun with "wait" only */
    struct control_request *request;
    struct service *service;
    char *profile; /* of all mailboxes on it; NULL: of one */
    bool waits;
    int64_t next_number; /* mailboxes before it were made due */
    size_t due;
    size_t disabled;
};

static void sync_free(struct sync_request *sync)
{
    sync_wait_release(&sync->wait);
    memory_free(sync->profile);
    memory_free(sync);
}

static void sync_gone(void *state)
{
    sync_free(state);
}

/* As it is now: a reload may have come between. NULL: it has gone. */
static const struct profile *profile_of(const struct sync_request *sync)
{
    if (sync->profile != NULL)
        return service_profile(sync->service, sync->profile);
    const struct mailbox *mailbox =
        service_mailbox(sync->service, control_address(sync->request, "address"));
    return mailbox == NULL ? NULL : mailbox->profile;
}

static void write_gate(struct buffer *text, const struct profile *profile)
{
    if (profile != NULL && profile->gate.state == GATE_CLOSED)
        hindrance_write_gate(text, profile);
}

/* --- the end: all was told --- */

/* Frees `sync`. */
static void sync_over(struct sync_wait *wait)
{
    struct sync_request *sync = (struct sync_request *)wait;
    struct control_request *request = sync->request;
    size_t failed = wait->failed, paused = wait->paused, count = wait->count;
    size_t not_tried = wait->not_tried, waiting = wait->waiting;
    struct buffer why = {0};
    if (not_tried > 0)
        write_gate(&why, profile_of(sync));
    sync_free(sync);
    if (failed > 0)
        control_fail(request, EX_TEMPFAIL, "SyncFailed",
                     "%zu of %zu %s %s failed; what is told of %s says what to do", failed, count,
                     text_plural(count, "cycle", "cycles"), text_plural(failed, "has", "have"),
                     text_plural(failed, "it", "them"));
    else if (paused > 0)
        control_fail(request, EX_UNAVAILABLE, "Paused",
                     "%zu of %zu %s %s not run, for the profile was paused meanwhile; exsyncctl "
                     "profile list shows it",
                     paused, count, text_plural(count, "cycle", "cycles"),
                     text_plural(paused, "was", "were"));
    else if (not_tried > 0)
        control_fail(request, EX_UNAVAILABLE, "NotTried", "%zu of %zu %s %s not tried%s%s",
                     not_tried, count, text_plural(count, "cycle", "cycles"),
                     text_plural(not_tried, "was", "were"), why.length > 0 ? ": " : "",
                     buffer_string(&why));
    else if (waiting > 0)
        control_fail(request, EX_TEMPFAIL, "Waiting",
                     "in %zu of %zu %s nothing was sent: what is queued waits for its next try; "
                     "exsyncctl queue list shows when and why, exsyncctl queue flush tries it now",
                     waiting, count, text_plural(count, "cycle", "cycles"));
    else
        control_end(request);
    buffer_release(&why);
}

/* --- making due --- */

static bool is_left_out(const struct direction *direction)
{
    return direction->switched_off && mailbox_is_configured(direction->mailbox, direction->kind);
}

static void sync_mailbox(struct sync_request *sync, struct mailbox *mailbox)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    for (size_t i = 0; i < 2; i++) {
        sync->disabled += is_left_out(directions[i]);
        if (!service_make_due(sync->service, directions[i]))
            continue;
        sync->due++;
        if (sync->waits)
            sync_wait_add(&sync->wait, directions[i]);
    }
}

/* Nothing is done, for an administrator wants that. Frees `sync`. */
static void sync_fail_disabled(struct sync_request *sync)
{
    struct control_request *request = sync->request;
    struct buffer text = {0};
    if (sync->profile == NULL) {
        const char *address = control_address(request, "address");
        const struct mailbox *mailbox = service_mailbox(sync->service, address);
        if (mailbox != NULL)
            hindrance_write_disabled(
                &text, mailbox, is_left_out(&mailbox->incoming) ? CYCLE_INCOMING : CYCLE_OUTGOING);
    } else {
        buffer_append_format(&text,
                             "all mailboxes of the profile %s are disabled by an "
                             "administrator; exsyncctl enable ADDRESS",
                             sync->profile);
    }
    sync_free(sync);
    control_fail(request, EX_UNAVAILABLE, "Disabled", "nothing is synchronized: %s",
                 buffer_string(&text));
    buffer_release(&text);
}

/* A gate that is tried now keeps nobody waiting. */
static json_t *due_json(const struct sync_request *sync)
{
    json_t *object = json_object();
    struct buffer hindrance = {0};
    write_gate(&hindrance, profile_of(sync));
    json_set_text(object, "kind", "due");
    json_set_number(object, "directions", sync->due);
    json_set_number(object, "disabled", sync->disabled);
    json_set_buffer(object, "hindrance", &hindrance);
    return object;
}

static void sync_report(const struct sync_request *sync)
{
    const struct profile *profile = profile_of(sync);
    const char *address = sync->profile != NULL ? NULL : control_address(sync->request, "address");
    const struct log_fields fields = {.message_id = MESSAGE_TRIED_NOW,
                                      .profile = profile == NULL ? NULL : profile->config->name,
                                      .mailbox = address};
    log_write(sync->service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "%s%s: an administrator (uid %" PRIu32 ") wants it synchronized now: %zu %s %s due",
              address == NULL ? "profile " : "", address == NULL ? sync->profile : address,
              control_user(sync->request), sync->due,
              text_plural(sync->due, "direction", "directions"),
              text_plural(sync->due, "is", "are"));
}

/* All are due: from here on the request ends when all was told, which may be at once. */
static void sync_all_due(struct sync_request *sync)
{
    if (sync->due == 0 && sync->disabled > 0) {
        sync_fail_disabled(sync);
        return;
    }
    sync_report(sync);
    control_reply(sync->request, due_json(sync));
    sync_wait_complete(&sync->wait);
}

static void sync_slice(struct control_request *request)
{
    struct sync_request *sync = control_state(request);
    struct service *service = sync->service;
    size_t begin = service_mailbox_from(service, sync->next_number);
    size_t end = begin + CONTROL_SLICE;
    for (size_t i = begin; i < end && i < service->mailbox_count; i++) {
        struct mailbox *mailbox = service->mailboxes[i];
        sync->next_number = mailbox->id.number + 1;
        if (strcmp(mailbox->profile->config->name, sync->profile) == 0)
            sync_mailbox(sync, mailbox);
    }
    if (end < service->mailbox_count)
        control_on_ready(request, sync_slice);
    else
        sync_all_due(sync);
}

/* --- the request --- */

static struct sync_request *sync_create(struct control_request *request, struct profile *profile)
{
    struct sync_request *sync = memory_allocate(sizeof *sync);
    sync->request = request;
    sync->service = control_service(request);
    sync->waits = control_flag(request, "wait");
    sync->wait.request = request;
    sync->wait.service = sync->service;
    sync->wait.over = sync_over;
    if (sync->waits)
        sync_wait_begin(&sync->wait);
    control_keep(request, sync, sync_gone);
    gate_try_now(&sync->service->scheduler.storage);
    service_try_profile(profile);
    return sync;
}

/* False with the end of the request. */
static bool check_not_paused(struct control_request *request, const struct profile *profile)
{
    struct buffer text = {0};
    if (!profile->paused)
        return true;
    hindrance_write_paused(&text, profile);
    control_fail(request, EX_UNAVAILABLE, "Paused", "nothing is synchronized: %s", text.data);
    buffer_release(&text);
    return false;
}

static void start_profile(struct control_request *request, const char *name)
{
    struct profile *profile = control_profile(request, name);
    if (profile == NULL || !check_not_paused(request, profile))
        return;
    struct sync_request *sync = sync_create(request, profile);
    sync->profile = memory_copy_string(name);
    sync_slice(request);
}

static void start_mailbox(struct control_request *request)
{
    struct mailbox *mailbox = control_mailbox(request);
    if (mailbox == NULL || !check_not_paused(request, mailbox->profile))
        return;
    struct sync_request *sync = sync_create(request, mailbox->profile);
    sync_mailbox(sync, mailbox);
    sync_all_due(sync);
}

static void start_sync(struct control_request *request)
{
    const char *profile = control_text(request, "profile");
    const char *address = control_address(request, "address");
    if (address != NULL && profile == NULL)
        start_mailbox(request);
    else if (profile != NULL && address == NULL)
        start_profile(request, profile);
    else
        control_fail(request, EX_USAGE, "BadRequest",
                     "say which mailbox, or which profile, is to be synced, one of them");
}

const struct control_command control_sync_commands[] = {
    {"sync", start_sync},
    {NULL, NULL},
};

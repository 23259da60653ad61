/* What is done to the queue of outgoing messages; it is shown by control_queue_list.c.
 *
 * queue hold, queue release, queue retry, queue remove, queue discard   with "message": "ID"
 *
 *     {"kind": "changed", "message": "ID", "address": "...", "subject": "...", "action": "hold",
 *      "hindrance": null}
 *
 *     hindrance: why one that is to be sent waits all the same (hindrance.h). And of a removal
 *     may_have_been_sent, lost (its file was nowhere), and file ("failed/ID.eml"; null when it is
 *     lost). Of a discard already: it was thrown away before, and nothing was left to be done.
 *
 *     Errors: NoSuchMessage, Refused, Sent, Failed, NotFailed, Held, NotHeld, Removing, Changed
 *     and Busy; and that of the disk when it does not take a removal, which is done later then.
 *
 * queue flush   {"command": "queue flush"}
 *     and "address" for one mailbox.
 *
 *     {"kind": "flushed", "messages": 12, "hindered": 5, "hindrances": ["..."]}
 *
 *     messages    how many wait, and are due now
 *     hindered    how many of them wait all the same, and why: clauses (hindrance.h), each once,
 *                 and the first few when there are many
 *
 *     Errors: NoSuchMailbox. */
#include "base/memory.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/control_queue_json.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/messages.h"
#include "daemon/queue_change.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* --- changes of one --- */

struct change_request {
    struct queue_change change;
    struct control_request *request; /* NULL: gone */
};

static const char *const actions[] = {
    [QUEUE_HOLD] = "hold",     [QUEUE_RELEASE] = "release", [QUEUE_RETRY] = "retry",
    [QUEUE_REMOVE] = "remove", [QUEUE_DISCARD] = "discard",
};

static void change_gone(void *state)
{
    struct change_request *act = state;
    act->request = NULL;
    queue_change_cancel(&act->change);
}

static void change_failed(struct control_request *request, const struct queue_change *change,
                          const struct failure *failure)
{
    bool unknown = strcmp(failure->code, "NoSuchMessage") == 0;
    bool busy = strcmp(failure->code, "Busy") == 0 || strcmp(failure->code, "Changed") == 0;
    if (change->marked)
        control_fail(request, EX_TEMPFAIL, failure->code,
                     "%s is held and will not be sent, but cannot be put into the outbox's folder "
                     "failed now: %s (%s); that is tried again every hour, and at the next start",
                     change->id, failure->text, failure->code);
    else if (failure->scope == FAILURE_SCOPE_ITEM)
        control_fail(request,
                     unknown ? EX_NOINPUT
                     : busy  ? EX_TEMPFAIL
                             : EX_DATAERR,
                     failure->code, "%s: %s%s%s %s", change->id, failure->sentence,
                     failure->text[0] == '\0' ? "" : " ", failure->text, failure->remedy);
    else
        control_fail_by(request, EX_TEMPFAIL, failure);
}

/* What is held or removed waits for nothing. */
static json_t *hindrance_of_change(const struct queue_change *change)
{
    const struct service *service = change->service;
    if (change->action != QUEUE_RELEASE && change->action != QUEUE_RETRY)
        return json_null();
    return hindrance_json(service_mailbox_by_number(service, change->mailbox.number),
                          CYCLE_OUTGOING, &service->scheduler);
}

static void change_done(struct queue_change *change, const struct failure *failure)
{
    struct change_request *act = change->argument;
    struct control_request *request = act->request;
    if (request != NULL && failure != NULL) {
        change_failed(request, change, failure);
    } else if (request != NULL) {
        json_t *object =
            json_pack("{s:s,s:s,s:o,s:o,s:s,s:o}", "kind", "changed", "message", change->id,
                      "address", json_text(change->address), "subject", json_text(change->subject),
                      "action", actions[change->action], "hindrance", hindrance_of_change(change));
        if (change->action == QUEUE_REMOVE)
            queued_json_removed(object, change);
        if (change->action == QUEUE_DISCARD)
            json_object_set_new(object, "already", json_boolean(change->already));
        control_reply(request, object);
        control_end(request);
    }
    memory_free(act);
}

static void start_change(struct control_request *request, enum queue_action action)
{
    char id[STORE_SUBMISSION_ID_SIZE];
    if (!control_submission(request, id))
        return;
    struct change_request *act = memory_allocate(sizeof *act);
    act->request = request;
    act->change = (struct queue_change){
        .service = control_service(request),
        .action = action,
        .user = control_user(request),
        .done = change_done,
        .argument = act,
    };
    memcpy(act->change.id, id, sizeof id);
    control_keep(request, act, change_gone);
    queue_change_start(&act->change);
}

static void start_hold(struct control_request *request)
{
    start_change(request, QUEUE_HOLD);
}

static void start_release(struct control_request *request)
{
    start_change(request, QUEUE_RELEASE);
}

static void start_retry(struct control_request *request)
{
    start_change(request, QUEUE_RETRY);
}

static void start_remove(struct control_request *request)
{
    start_change(request, QUEUE_REMOVE);
}

static void start_discard(struct control_request *request)
{
    start_change(request, QUEUE_DISCARD);
}

/* --- flush --- */

struct flush_request {
    struct control_request *request; /* NULL: gone */
    struct service *service;
    int64_t mailbox;
    uint32_t user;
    uint64_t count;
    uint64_t hindered;
    json_t *hindrances;
};

enum { HINDRANCES_MAX = 10 };

static void flush_gone(void *state)
{
    struct flush_request *flush = state;
    flush->request = NULL;
}

static void flush_end(struct flush_request *flush, const struct failure *failure)
{
    struct control_request *request = flush->request;
    if (request != NULL && failure != NULL) {
        control_fail_by(request, EX_TEMPFAIL, failure);
    } else if (request != NULL) {
        control_reply(request,
                      json_pack("{s:s,s:I,s:I,s:O}", "kind", "flushed", "messages",
                                (json_int_t)flush->count, "hindered", (json_int_t)flush->hindered,
                                "hindrances", flush->hindrances));
        control_end(request);
    }
    json_decref(flush->hindrances);
    memory_free(flush);
}

static bool is_noted(const json_t *clauses, const char *clause)
{
    for (size_t i = 0; i < json_array_size(clauses); i++) {
        if (strcmp(json_string_value(json_array_get(clauses, i)), clause) == 0)
            return true;
    }
    return false;
}

static void note_hindrance(struct flush_request *flush, const struct mailbox *mailbox,
                           uint64_t messages)
{
    const struct scheduler *scheduler = &flush->service->scheduler;
    struct buffer text = {0};
    if (hindrance_of(mailbox, CYCLE_OUTGOING, scheduler) == HINDRANCE_NONE)
        return;
    flush->hindered += messages;
    hindrance_write(&text, mailbox, CYCLE_OUTGOING, scheduler);
    if (json_array_size(flush->hindrances) < HINDRANCES_MAX &&
        !is_noted(flush->hindrances, text.data))
        json_array_append_new(flush->hindrances, json_text(text.data));
    buffer_release(&text);
}

static void flush_each(void *argument, const struct store_backlog *backlog)
{
    struct flush_request *flush = argument;
    int64_t number = backlog->mailbox.number;
    struct mailbox *mailbox = service_mailbox_by_number(flush->service, number);
    if (backlog->waiting == 0 || (flush->mailbox != 0 && flush->mailbox != number))
        return;
    if (mailbox != NULL)
        service_hasten(flush->service, mailbox, true);
    note_hindrance(flush, mailbox, backlog->waiting);
}

static void flush_hastened(void *argument, const struct failure *failure)
{
    flush_end(argument, failure);
}

static void flushed(void *argument, const struct failure *failure)
{
    struct flush_request *flush = argument;
    if (failure != NULL) {
        flush_end(flush, failure);
        return;
    }
    const struct mailbox *mailbox = service_mailbox_by_number(flush->service, flush->mailbox);
    const struct log_fields fields = {.message_id = MESSAGE_QUEUE_CHANGED,
                                      .mailbox = mailbox == NULL ? NULL : mailbox_address(mailbox),
                                      .direction = "outgoing"};
    log_write(flush->service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "an administrator (uid %" PRIu32 ") wants all that waits to be tried now: %" PRIu64
              " queued, of %s",
              flush->user, flush->count,
              mailbox == NULL ? "all mailboxes" : mailbox_address(mailbox));
    store_submissions_open(flush->service->context.store, flush_each, flush_hastened, flush);
}

static void start_flush(struct control_request *request)
{
    int64_t mailbox;
    if (!control_mailbox_if_given(request, &mailbox))
        return;
    struct flush_request *flush = memory_allocate(sizeof *flush);
    flush->request = request;
    flush->service = control_service(request);
    flush->mailbox = mailbox;
    flush->user = control_user(request);
    flush->hindrances = json_array();
    control_keep(request, flush, flush_gone);
    store_queue_flush(flush->service->context.store, mailbox, &flush->count, flushed, flush);
}

const struct control_command control_queue_commands[] = {
    {"queue hold", start_hold},
    {"queue release", start_release},
    {"queue retry", start_retry},
    {"queue remove", start_remove},
    {"queue discard", start_discard},
    {"queue flush", start_flush},
    {NULL, NULL},
};

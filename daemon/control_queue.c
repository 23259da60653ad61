/* The queue of outgoing messages.
 *
 * queue list   {"command": "queue list"}
 *     and "address" for those of one mailbox, "failed": true for those that have failed instead of
 *     those that wait. A message for each, by mailbox, in the order in which they came. Errors:
 *     NoSuchMailbox.
 *
 * queue show   {"command": "queue show", "message": "ID"}
 *     That message, and "recipients": [{"kind": "to", "address": "...", "name": null}], the first
 *     thousand; the kind is "to", "cc" or "bcc". Errors: NoSuchMessage.
 *
 * A message is {"kind": "message"} with:
 *
 *   message             its id
 *   address, profile    of the mailbox that sends it
 *   configured          false: that has left the configuration
 *   state               "queued", "creating", "created", "sending", "doubtful": on its way;
 *                       "sent", "failed" (store.h)
 *   held, held_since    it is not tried until it is released; null: it is not held
 *   removing            it is on its way to failed/, and is not sent any more
 *   may_have_been_sent  Exchange was asked to send it, and what came of that is not known
 *   queued, finished    times; finished: null while it is on its way
 *   next_try            null: at once, or not by itself
 *   attempts            that failed in a way that may pass
 *   size, submitter     bytes; a user id
 *   message_id, subject, recipient_count
 *   error               what went wrong with it last and is not over: {"code", "sentence", "text",
 *                       "remedy"}; null
 *
 * queue hold, queue release, queue retry, queue remove   with "message": "ID"
 *
 *     {"kind": "changed", "message": "ID", "address": "...", "subject": "...", "action": "hold"}
 *
 *     and of a removal may_have_been_sent, lost (its file was nowhere), and file
 *     ("failed/ID.eml"; null when it is lost). Errors: NoSuchMessage, Sent, Failed, Held, NotHeld,
 *     Removing, Changed, Busy; and that of the disk when it does not take a removal, which is done
 *     later then.
 *
 * queue flush   {"command": "queue flush"}
 *     and "address" for one mailbox.
 *
 *     {"kind": "flushed", "messages": 12}   how many wait, and are due now
 *
 *     Errors: NoSuchMailbox. */
#include "base/clock.h"
#include "base/memory.h"
#include "daemon/control_commands.h"
#include "daemon/control_queue_json.h"
#include "daemon/messages.h"
#include "daemon/queue_change.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

enum { LIST_ROWS = 100 };

static void fail_by(struct control_request *request, int exit, const struct failure *failure)
{
    control_fail(request, exit, failure->code, "%s%s%s %s",
                 failure->sentence == NULL ? "" : failure->sentence,
                 failure->text[0] == '\0' ? "" : " ", failure->text,
                 failure->remedy == NULL ? "" : failure->remedy);
}

/* False with the end of the request when an address was given that is no mailbox's; 0: none was. */
static bool find_mailbox(struct control_request *request, int64_t *number)
{
    const char *address = control_address(request, "address");
    const struct mailbox *mailbox =
        address == NULL ? NULL : service_mailbox(control_service(request), address);
    *number = mailbox == NULL ? 0 : mailbox->id.number;
    if (address == NULL || mailbox != NULL)
        return true;
    control_fail(request, EX_NOUSER, "NoSuchMailbox",
                 "there is no mailbox %.256s in the configuration; exsyncctl mailbox list shows "
                 "all, and exsyncctl queue list the messages of those that have left it, too",
                 address);
    return false;
}

/* --- list and show --- */

struct list_request {
    struct control_request *request; /* NULL: gone, while the store is asked */
    bool asking;
    int64_t mailbox;
    enum store_queue_part part;
    struct store_queue_position position;
};

static void list_gone(void *state)
{
    struct list_request *list = state;
    list->request = NULL;
    if (!list->asking)
        memory_free(list);
}

static void list_next(struct control_request *request);

static void listed(void *argument, const struct failure *failure, const struct store_queued *rows,
                   size_t count)
{
    struct list_request *list = argument;
    struct control_request *request = list->request;
    list->asking = false;
    if (request == NULL) {
        memory_free(list);
        return;
    }
    for (size_t i = 0; i < count; i++)
        control_reply(request, queued_json(&rows[i]));
    if (count == LIST_ROWS) {
        list->position = (struct store_queue_position){rows[count - 1].mailbox.number,
                                                       rows[count - 1].submission.order};
        control_on_ready(request, list_next);
        return;
    }
    memory_free(list);
    if (failure != NULL)
        fail_by(request, EX_TEMPFAIL, failure);
    else
        control_end(request);
}

static void list_next(struct control_request *request)
{
    struct list_request *list = control_state(request);
    list->asking = true;
    store_queue_list(control_service(request)->context.store, list->mailbox, list->part,
                     list->position, LIST_ROWS, listed, list);
}

static void start_list(struct control_request *request)
{
    int64_t mailbox;
    if (!find_mailbox(request, &mailbox))
        return;
    struct list_request *list = memory_allocate(sizeof *list);
    list->request = request;
    list->mailbox = mailbox;
    list->part = control_flag(request, "failed") ? STORE_QUEUE_FAILED : STORE_QUEUE_WAITING;
    control_keep(request, list, list_gone);
    list_next(request);
}

/* False with the end of the request. */
static bool take_id(struct control_request *request, char id[STORE_SUBMISSION_ID_SIZE])
{
    const char *text = control_text(request, "message");
    if (text != NULL && strlen(text) == STORE_SUBMISSION_ID_SIZE - 1) {
        memcpy(id, text, STORE_SUBMISSION_ID_SIZE);
        return true;
    }
    control_fail(request, EX_USAGE, "NoSuchMessage",
                 "%.64s is no id of a message, which looks like "
                 "0198f1c2-6c6e-7b3a-9c51-a4f8e2d90b13; exsyncctl queue list shows those that wait",
                 text == NULL ? "nothing" : text);
    return false;
}

static void shown(void *argument, const struct failure *failure, const struct store_queued *rows,
                  size_t count)
{
    struct list_request *list = argument;
    struct control_request *request = list->request;
    memory_free(list);
    if (request == NULL)
        return;
    if (failure != NULL) {
        fail_by(request, EX_TEMPFAIL, failure);
    } else if (count == 0) {
        control_fail(request, EX_NOINPUT, "NoSuchMessage",
                     "no message of that id is known; exsyncctl queue list shows those that wait, "
                     "and one that was refused when it was submitted is in the outbox's folder "
                     "failed");
    } else {
        json_t *object = queued_json(&rows[0]);
        queued_json_recipients(object, &rows[0]);
        control_reply(request, object);
        control_end(request);
    }
}

static void start_show(struct control_request *request)
{
    char id[STORE_SUBMISSION_ID_SIZE];
    if (!take_id(request, id))
        return;
    struct list_request *list = memory_allocate(sizeof *list);
    list->request = request;
    list->asking = true;
    control_keep(request, list, list_gone);
    store_queue_find(control_service(request)->context.store, id, shown, list);
}

/* --- changes of one --- */

struct change_request {
    struct queue_change change;
    struct control_request *request; /* NULL: gone */
};

static const char *const actions[] = {
    [QUEUE_HOLD] = "hold",
    [QUEUE_RELEASE] = "release",
    [QUEUE_RETRY] = "retry",
    [QUEUE_REMOVE] = "remove",
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
                     failure->code, "%s: %s %s", change->id, failure->sentence, failure->remedy);
    else
        fail_by(request, EX_TEMPFAIL, failure);
}

static void change_done(struct queue_change *change, const struct failure *failure)
{
    struct change_request *act = change->argument;
    struct control_request *request = act->request;
    if (request != NULL && failure != NULL) {
        change_failed(request, change, failure);
    } else if (request != NULL) {
        json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", "changed", "message",
                                   change->id, "address", change->address, "subject",
                                   change->subject, "action", actions[change->action]);
        if (change->action == QUEUE_REMOVE)
            queued_json_removed(object, change->id, change->may_have_been_sent, change->lost);
        control_reply(request, object);
        control_end(request);
    }
    memory_free(act);
}

static void start_change(struct control_request *request, enum queue_action action)
{
    char id[STORE_SUBMISSION_ID_SIZE];
    if (!take_id(request, id))
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

/* --- flush --- */

struct flush_request {
    struct control_request *request; /* NULL: gone */
    struct service *service;
    int64_t mailbox;
    uint32_t user;
    uint64_t count;
};

static void flush_gone(void *state)
{
    struct flush_request *flush = state;
    flush->request = NULL;
}

static void flush_end(struct flush_request *flush, const struct failure *failure)
{
    struct control_request *request = flush->request;
    if (request != NULL && failure != NULL) {
        fail_by(request, EX_TEMPFAIL, failure);
    } else if (request != NULL) {
        control_reply(request, json_pack("{s:s,s:I}", "kind", "flushed", "messages",
                                         (json_int_t)flush->count));
        control_end(request);
    }
    memory_free(flush);
}

static void flush_each(void *argument, const struct store_backlog *backlog)
{
    const struct flush_request *flush = argument;
    struct mailbox *mailbox = service_mailbox_by_number(flush->service, backlog->mailbox.number);
    if (mailbox != NULL && backlog->waiting > 0 &&
        (flush->mailbox == 0 || flush->mailbox == mailbox->id.number))
        service_hasten(flush->service, mailbox, true);
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
    if (!find_mailbox(request, &mailbox))
        return;
    struct flush_request *flush = memory_allocate(sizeof *flush);
    flush->request = request;
    flush->service = control_service(request);
    flush->mailbox = mailbox;
    flush->user = control_user(request);
    control_keep(request, flush, flush_gone);
    store_queue_flush(flush->service->context.store, mailbox, &flush->count, flushed, flush);
}

const struct control_command control_queue_commands[] = {
    {"queue list", start_list},   {"queue show", start_show},
    {"queue hold", start_hold},   {"queue release", start_release},
    {"queue retry", start_retry}, {"queue remove", start_remove},
    {"queue flush", start_flush}, {NULL, NULL},
};

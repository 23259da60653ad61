/* The queue of outgoing messages, as it is shown.
 *
 * queue list   {"command": "queue list"}
 *     and "address" for those of one mailbox, "failed": true for those that have failed instead of
 *     those that wait. A message for each, by mailbox, in the order in which they came; of the
 *     failed ones those whose file is still in failed/, or was lost. Behind those of all mailboxes
 *     come those that were refused when they were submitted, the newest first.
 *     Errors: NoSuchMailbox.
 *
 * queue show   {"command": "queue show", "message": "ID"}
 *     That message, and "recipients": [{"kind": "to", "address": "...", "name": null}], the first
 *     thousand, and of long ones fewer (recipients_json.h), null when it was refused; the kind is
 *     "to", "cc" or "bcc".
 *     Errors: NoSuchMessage.
 *
 * A message is {"kind": "message"} with:
 *
 *   message             its id
 *   address, profile    of the mailbox that sends it; null: it was refused, as are the next ones
 *                       that are not known then
 *   configured          false: that has left the configuration
 *   state               "queued", "creating", "created", "sending", "doubtful": on its way;
 *                       "sent", "failed" (store.h); "refused": when it was submitted
 *   held, held_since    it is not tried until it is released; null: it is not held
 *   removing            it is on its way to failed/, and is not sent any more
 *   may_have_been_sent  Exchange was asked to send it, and what came of that is not known
 *   queued, finished    times; finished: null while it is on its way
 *   next_try            when its mailbox sends next, and not before its own time; null: not by
 *                       itself
 *   hindrance           why it waits though its time may have come (hindrance.h); null
 *   attempts            that failed in a way that may pass
 *   size, submitter     bytes; a user id
 *   message_id, subject, recipient_count
 *   error               what went wrong with it last and is not over: {"code", "sentence", "text",
 *                       "remedy"}; null
 *   reason              why it has failed or was refused, one line; null
 *   discarded           it had failed or was refused, and its file was thrown away, by queue discard
 *                       or by hand
 *   discarded_at        when, as far as that is known; null
 *   next                what a person is to do with one that has failed or was refused, as long as
 *                       its file is in failed/; null */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/control_queue_json.h"
#include "daemon/failed_file.h"
#include "daemon/json_member.h"

#include <string.h>
#include <sysexits.h>

enum { LIST_ROWS = 100 };

/* A message of a page, until it is told. */
struct listed {
    json_t *answer;
    bool refused;
    struct failed_file file;
};

struct list_request {
    struct control_request *request; /* NULL: gone, while the store or the disk is asked */
    struct service *service;
    bool asking;
    bool shows; /* one message, by its id */
    char id[STORE_SUBMISSION_ID_SIZE];
    int64_t mailbox;
    enum store_queue_part part;
    struct store_queue_position position;
    bool refused; /* the queue's own are told: now those that were refused */
    int64_t refused_position;
    char *outbox;
    struct executor_job job;
    struct listed page[LIST_ROWS];
    size_t count;
    bool more; /* pages of this kind */
};

static void list_next(struct control_request *request);

static void release_page(struct list_request *list)
{
    for (size_t i = 0; i < list->count; i++) {
        json_decref(list->page[i].answer);
        failed_file_release(&list->page[i].file);
    }
    list->count = 0;
}

static void list_free(struct list_request *list)
{
    release_page(list);
    memory_free(list->outbox);
    memory_free(list);
}

static void list_gone(void *state)
{
    struct list_request *list = state;
    list->request = NULL;
    if (!list->asking)
        list_free(list);
}

/* What was asked has answered: false when the list is no more. */
static bool goes_on(struct list_request *list, const struct failure *failure)
{
    struct control_request *request = list->request;
    list->asking = false;
    if (request != NULL && failure == NULL)
        return true;
    list_free(list);
    if (request != NULL)
        control_fail_by(request, EX_TEMPFAIL, failure);
    return false;
}

/* --- the end --- */

static void list_end(struct list_request *list, bool found)
{
    struct control_request *request = list->request;
    bool missing = list->shows && !found;
    list_free(list);
    if (missing)
        control_fail(request, EX_NOINPUT, "NoSuchMessage",
                     "no message of that id is known; exsyncctl queue list shows those that wait, "
                     "and exsyncctl queue list --failed those that have failed");
    else
        control_end(request);
}

/* --- 3: a page is told --- */

/* The failure's own words, when it is not over; otherwise what was written when the message was put
 * aside. What was refused has a general sentence, and its reason in the text. */
static void set_reason(struct listed *listed)
{
    const json_t *error = json_object_get(listed->answer, "error");
    const char *sentence = json_string_value(json_object_get(error, "sentence"));
    const char *text = json_string_value(json_object_get(error, "text"));
    const char *first = listed->refused ? listed->file.reason : sentence;
    const char *second = listed->refused ? text : listed->file.reason;
    if (first != NULL || second != NULL)
        json_set_text(listed->answer, "reason", first != NULL ? first : second);
}

static void set_file(struct listed *listed)
{
    const struct failed_file *file = &listed->file;
    json_set_text(listed->answer, "message_id", file->message_id);
    json_set_text(listed->answer, "subject", file->subject);
    json_set_number(listed->answer, "size", file->size);
    if (!file->copy)
        json_set_number(listed->answer, "submitter", file->owner);
}

/* A person has taken its file away. One whose file was lost has a failure that says so. */
static bool is_dealt_with(const struct listed *listed)
{
    bool open = json_is_object(json_object_get(listed->answer, "error"));
    return !listed->file.there && (listed->refused || !open);
}

/* When, the store knows of what was open until then. */
static void set_discarded(struct listed *listed)
{
    bool discarded = is_dealt_with(listed);
    json_object_set_new(listed->answer, "discarded", json_boolean(discarded));
    if (!discarded)
        json_object_set_new(listed->answer, "discarded_at", json_null());
}

static void set_next(struct listed *listed, const char *outbox)
{
    struct buffer text = {0};
    if (listed->file.there) {
        char *path = failed_file_path(outbox, listed->file.id);
        failed_file_explain(&text, path, listed->file.id, listed->file.copy);
        memory_free(path);
    }
    json_set_text(listed->answer, "next", listed->file.there ? buffer_string(&text) : NULL);
    buffer_release(&text);
}

static void tell_page(struct list_request *list)
{
    bool found = false;
    for (size_t i = 0; i < list->count; i++) {
        struct listed *listed = &list->page[i];
        if (list->part == STORE_QUEUE_FAILED && !list->shows && is_dealt_with(listed))
            continue;
        if (listed->refused && listed->file.known)
            set_file(listed);
        if (list->part == STORE_QUEUE_FAILED)
            set_reason(listed);
        if (list->part == STORE_QUEUE_FAILED && list->outbox != NULL)
            set_discarded(listed);
        set_next(listed, list->outbox);
        control_reply(list->request, json_incref(listed->answer));
        found = true;
    }
    release_page(list);
    if (!list->more && !list->refused && list->part == STORE_QUEUE_FAILED && list->mailbox == 0 &&
        !(list->shows && found)) {
        list->refused = true;
        list->more = true;
    }
    if (list->more)
        control_on_ready(list->request, list_next);
    else
        list_end(list, found);
}

/* --- 2: their files --- */

static void look_work(void *argument)
{
    struct list_request *list = argument;
    for (size_t i = 0; i < list->count; i++)
        failed_file_look(&list->page[i].file, list->outbox);
}

static void looked(void *argument)
{
    struct list_request *list = argument;
    if (goes_on(list, NULL))
        tell_page(list);
}

/* A lane of its own: a disk that hangs keeps only those waiting who look at what has failed. */
static void look_at_files(struct list_request *list)
{
    struct executor_pool *pool = list->service->files;
    if (list->part != STORE_QUEUE_FAILED || list->count == 0 || list->outbox == NULL) {
        tell_page(list);
        return;
    }
    list->asking = true;
    executor_pool_submit(pool, executor_pool_lane(pool, "failed messages", 1), &list->job,
                         look_work, looked, list);
}

/* --- 1: the store --- */

static void keep(struct list_request *list, json_t *answer, const char *id, bool refused)
{
    struct listed *listed = &list->page[list->count++];
    *listed = (struct listed){.answer = answer, .refused = refused};
    text_copy_line(listed->file.id, sizeof listed->file.id, id, strlen(id));
}

static void queue_read(void *argument, const struct failure *failure,
                       const struct store_queued *rows, size_t count)
{
    struct list_request *list = argument;
    if (!goes_on(list, failure))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct store_queued *row = &rows[i];
        const struct mailbox *mailbox =
            service_mailbox_by_number(list->service, row->mailbox.number);
        json_t *answer = queued_json(row, mailbox, &list->service->scheduler);
        if (list->shows)
            queued_json_recipients(answer, row);
        keep(list, answer, row->submission.id, false);
        list->position = (struct store_queue_position){row->mailbox.number, row->submission.order};
    }
    list->more = !list->shows && count == LIST_ROWS;
    if (list->shows && count > 0 && rows[0].submission.state != STORE_SUBMISSION_FAILED)
        list->part = STORE_QUEUE_WAITING; /* failed/ has nothing of it */
    look_at_files(list);
}

static void refused_read(void *argument, const struct failure *failure,
                         const struct store_failure_rows *failures)
{
    struct list_request *list = argument;
    if (!goes_on(list, failure))
        return;
    for (size_t i = 0; i < failures->count; i++) {
        json_t *answer = queued_json_refused(&failures->rows[i]);
        if (list->shows)
            json_object_set_new(answer, "recipients", json_null());
        keep(list, answer, failures->rows[i].submission, true);
    }
    list->refused_position = failures->position;
    list->more = list->refused_position != 0;
    look_at_files(list);
}

static void list_next(struct control_request *request)
{
    struct list_request *list = control_state(request);
    struct store *store = list->service->context.store;
    list->asking = true;
    if (list->refused)
        store_failures_refused(store, list->shows ? list->id : NULL, list->refused_position,
                               LIST_ROWS, refused_read, list);
    else if (list->shows)
        store_queue_find(store, list->id, queue_read, list);
    else
        store_queue_list(store, list->mailbox, list->part, list->position, LIST_ROWS, queue_read,
                         list);
}

/* --- the requests --- */

static struct list_request *list_create(struct control_request *request)
{
    struct list_request *list = memory_allocate(sizeof *list);
    list->request = request;
    list->service = control_service(request);
    list->outbox = service_outbox_path(list->service);
    control_keep(request, list, list_gone);
    return list;
}

static void start_list(struct control_request *request)
{
    int64_t mailbox;
    if (!control_mailbox_if_given(request, &mailbox))
        return;
    struct list_request *list = list_create(request);
    list->mailbox = mailbox;
    list->part = control_flag(request, "failed") ? STORE_QUEUE_FAILED : STORE_QUEUE_WAITING;
    list_next(request);
}

static void start_show(struct control_request *request)
{
    char id[STORE_SUBMISSION_ID_SIZE];
    if (!control_submission(request, id))
        return;
    struct list_request *list = list_create(request);
    list->shows = true;
    list->part = STORE_QUEUE_FAILED; /* perhaps */
    memcpy(list->id, id, sizeof id);
    list_next(request);
}

const struct control_command control_queue_list_commands[] = {
    {"queue list", start_list},
    {"queue show", start_show},
    {NULL, NULL},
};

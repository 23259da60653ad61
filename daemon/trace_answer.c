#include "daemon/trace_answer.h"

#include "base/buffer.h"
#include "daemon/failed_file.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/profile.h"
#include "daemon/recipients_json.h"

#include <stdlib.h>
#include <string.h>

static json_t *failure_answer(const struct store_traced_failure *failure)
{
    if (failure->step == NULL)
        return json_null();
    json_t *object = json_object();
    json_set_text(object, "step", failure->step);
    json_set_text(object, "code", failure->code);
    json_set_text(object, "sentence", failure->sentence);
    json_set_text(object, "text", failure->text);
    json_set_text(object, "remedy", failure->remedy);
    json_set_text(object, "activity", failure->activity);
    json_set_number(object, "count", failure->count);
    json_set_time(object, "first_seen", failure->first_ms);
    json_set_time(object, "last_seen", failure->last_ms);
    return object;
}

/* When a direction's next cycle is, but not before `time_ms`. */
static int64_t next_cycle(const struct direction *direction, int64_t time_ms)
{
    int64_t due = status_next_due(direction);
    return due < time_ms ? time_ms : due;
}

/* What it waits for comes before what happens then; `next` NULL: nothing is to happen. */
static void set_next_unless(json_t *answer, const struct mailbox *mailbox,
                            enum cycle_direction kind, const struct scheduler *scheduler,
                            const char *next, int64_t time_ms)
{
    struct buffer text = {0};
    if (next != NULL && hindrance_of(mailbox, kind, scheduler) != HINDRANCE_NONE) {
        buffer_append_string(&text, "It waits: ");
        hindrance_write(&text, mailbox, kind, scheduler);
    } else if (next != NULL) {
        buffer_append_string(&text, next);
    }
    json_set_time(answer, "next_try", next == NULL ? 0 : time_ms);
    json_set_buffer(answer, "next", &text);
}

static void set_next(json_t *answer, const char *next, int64_t time_ms)
{
    json_set_text(answer, "next", next);
    json_set_time(answer, "next_try", next == NULL ? 0 : time_ms);
}

/* --- incoming --- */

static const char *item_state_name(enum store_item_state state)
{
    switch (state) {
    case STORE_ITEM_DELIVERING:
        return "delivering";
    case STORE_ITEM_DELIVERED:
        return "delivered";
    case STORE_ITEM_FAILED:
        return "failed";
    case STORE_ITEM_IN_DOUBT:
    case STORE_ITEM_UNKNOWN:
        break;
    }
    return "in doubt";
}

static const char *failed_next(const struct store_traced_item *item)
{
    if (item->set_aside)
        return "It is moved to the folder Undeliverable by the next cycle of the mailbox.";
    if (item->next_try_ms == INT64_MAX)
        return "It is not tried again by itself. Mend the cause; one that lies in Undeliverable is "
               "tried again when it is moved back.";
    return "It is tried again.";
}

/* Whether it is left to a person: a mailbox that goes on does not try it. */
static bool item_is_given_up(const struct store_traced_item *item)
{
    return item->state == STORE_ITEM_FAILED && !item->set_aside && item->next_try_ms == INT64_MAX;
}

static const char *item_next(const struct store_traced_item *item)
{
    if (item->state == STORE_ITEM_DELIVERED && !item->left_to_do)
        return NULL;
    if (item->state == STORE_ITEM_DELIVERED)
        return "It is marked, moved or deleted in Exchange as after_processing says.";
    if (item->state == STORE_ITEM_FAILED)
        return failed_next(item);
    return "It is published in the Maildir by the next cycle of the mailbox.";
}

static int64_t item_next_time(const struct store_traced_item *item, const struct mailbox *mailbox)
{
    bool failed = item->state == STORE_ITEM_FAILED;
    if (mailbox == NULL || (failed && item->next_try_ms == INT64_MAX))
        return 0;
    return next_cycle(&mailbox->incoming, failed ? item->next_try_ms : 0);
}

json_t *trace_answer_item(const struct store_traced_item *item, const struct mailbox *mailbox,
                          const struct scheduler *scheduler)
{
    json_t *answer = json_object();
    json_set_text(answer, "kind", "incoming");
    json_set_text(answer, "address", item->address);
    json_set_text(answer, "profile", item->profile);
    json_set_text(answer, "state", item_state_name(item->state));
    json_set_text(answer, "message_id", NULL);
    json_set_text(answer, "subject", NULL);
    json_set_time(answer, "received", item->received_ms);
    json_set_time(answer, "taken", item->taken_ms);
    json_set_text(answer, "activity", item->activity[0] == '\0' ? NULL : item->activity);
    json_set_text(answer, "path", NULL);
    json_object_set_new(answer, "looked_for", json_false());
    json_set_text(answer, "maildir", item->sink_path);
    json_object_set_new(answer, "left_to_do",
                        json_boolean(item->state == STORE_ITEM_DELIVERED && item->left_to_do));
    json_set_number(answer, "attempts", item->attempts);
    json_object_set_new(answer, "failure", failure_answer(&item->failure));
    if (item_is_given_up(item))
        set_next(answer, item_next(item), 0);
    else
        set_next_unless(answer, mailbox, CYCLE_INCOMING, scheduler, item_next(item),
                        item_next_time(item, mailbox));
    return answer;
}

void trace_answer_found(json_t *answer, const char *path, const char *message_id,
                        const char *subject)
{
    json_set_text(answer, "path", path);
    json_object_set_new(answer, "looked_for", json_true());
    if (message_id != NULL)
        json_set_text(answer, "message_id", message_id);
    json_set_text(answer, "subject", subject);
}

json_t *trace_answer_file(const struct mail_search_match *match, const char *address,
                          const char *profile)
{
    struct store_traced_item item = {
        .address = address,
        .profile = profile,
        .state = STORE_ITEM_DELIVERED,
        .taken_ms = strtoll(match->name, NULL, 10) * 1000,
    };
    json_t *answer = trace_answer_item(&item, NULL, NULL);
    trace_answer_found(answer, match->path, match->message_id, match->subject);
    return answer;
}

json_t *trace_answer_unseen(const struct mailbox *mailbox, const struct scheduler *scheduler)
{
    const struct direction *incoming = &mailbox->incoming;
    json_t *answer = json_object();
    json_set_text(answer, "kind", "unseen");
    json_set_text(answer, "address", mailbox_address(mailbox));
    json_set_text(answer, "profile", mailbox->profile->config->name);
    json_object_set_new(answer, "incoming", json_boolean(incoming->state != DIRECTION_OFF));
    json_set_time(answer, "last_succeeded", incoming->status.succeeded_ms);
    json_set_time(answer, "next_due",
                  incoming->state == DIRECTION_OFF ? 0 : status_next_due(incoming));
    json_set_text(answer, "trouble",
                  incoming->trouble == NULL ? NULL : incoming->trouble->failure.sentence);
    json_object_set_new(answer, "hindrance", hindrance_json(mailbox, CYCLE_INCOMING, scheduler));
    return answer;
}

/* --- outgoing --- */

static const char *submission_state_name(enum store_submission_state state)
{
    static const char *const names[] = {
        [STORE_SUBMISSION_QUEUED] = "queued",   [STORE_SUBMISSION_CREATING] = "creating",
        [STORE_SUBMISSION_CREATED] = "created", [STORE_SUBMISSION_SENT] = "sent",
        [STORE_SUBMISSION_FAILED] = "failed",   [STORE_SUBMISSION_DOUBTFUL] = "doubtful",
        [STORE_SUBMISSION_SENDING] = "sending",
    };
    return (size_t)state < sizeof names / sizeof *names ? names[state] : NULL;
}

static const char *submission_next(const struct store_traced_submission *traced)
{
    enum store_submission_state state = traced->submission.state;
    if (state == STORE_SUBMISSION_QUEUED)
        return "A draft of it is made in the mailbox, and sent.";
    if (state == STORE_SUBMISSION_CREATED)
        return "Its draft is sent.";
    return "It is looked for in Drafts, Outbox and Sent Items before anything else is done.";
}

/* Behind the path, the message and the reason. */
static void set_next_failed(json_t *answer)
{
    struct buffer text = {0};
    const char *path = json_string_value(json_object_get(answer, "path"));
    const char *id = json_string_value(json_object_get(answer, "message"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    failed_file_explain(&text, path != NULL ? path : "FILE", id, failed_file_is_copy(reason));
    set_next(answer, buffer_string(&text), 0);
    buffer_release(&text);
}

static void set_submission_next(json_t *answer, const struct store_traced_submission *traced,
                                const struct mailbox *mailbox, const struct scheduler *scheduler)
{
    enum store_submission_state state = traced->submission.state;
    if (state == STORE_SUBMISSION_SENT)
        set_next(answer, NULL, 0);
    else if (state == STORE_SUBMISSION_FAILED)
        set_next_failed(answer);
    else if (traced->held_ms != 0)
        set_next(answer, "Nothing: it is held; exsyncctl queue release lets it go on.", 0);
    else
        set_next_unless(
            answer, mailbox, CYCLE_OUTGOING, scheduler, submission_next(traced),
            mailbox == NULL ? 0 : next_cycle(&mailbox->outgoing, traced->submission.next_try_ms));
}

static void set_path(json_t *answer, const char *outbox, const char *folder, const char *id)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s/%s.eml", outbox, folder, id);
    json_set_text(answer, "path", path.data);
    buffer_release(&path);
}

json_t *trace_answer_submission(const struct store_traced_submission *traced,
                                const struct mailbox *mailbox, const struct scheduler *scheduler,
                                const char *outbox)
{
    const struct store_submission *submission = &traced->submission;
    bool sent = submission->state == STORE_SUBMISSION_SENT;
    bool failed = submission->state == STORE_SUBMISSION_FAILED;
    json_t *answer = json_object();
    json_set_text(answer, "kind", "outgoing");
    json_set_text(answer, "message", submission->id);
    json_set_text(answer, "address", traced->address);
    json_set_text(answer, "profile", traced->profile);
    json_set_text(answer, "state", submission_state_name(submission->state));
    json_set_text(answer, "message_id", submission->message_id);
    json_set_text(answer, "subject", submission->subject);
    json_set_text(answer, "recipients", submission->recipients);
    json_set_number(answer, "recipient_count", recipients_count(submission->recipients));
    json_set_number(answer, "size", submission->size);
    json_set_number(answer, "submitter", submission->submitter);
    json_set_time(answer, "submitted", submission->queued_ms);
    json_set_time(answer, "finished", traced->finished_ms);
    json_set_time(answer, "held_since", traced->held_ms);
    json_set_text(answer, "path", NULL);
    if (!sent && outbox != NULL)
        set_path(answer, outbox, failed ? "failed" : "queue", submission->id);
    json_set_text(answer, "reason", NULL);
    json_set_number(answer, "attempts", submission->attempts);
    json_object_set_new(answer, "failure", failure_answer(&traced->failure));
    set_submission_next(answer, traced, mailbox, scheduler);
    return answer;
}

size_t trace_answer_complete(json_t *answer)
{
    const char *lines = json_string_value(json_object_get(answer, "recipients"));
    if (lines == NULL)
        return 0;
    json_t *recipients = recipients_json(lines);
    size_t count = json_array_size(recipients);
    json_object_set_new(answer, "recipients", recipients);
    return count;
}

json_t *trace_answer_outbox_file(const struct mail_search_match *match, enum trace_file file,
                                 const char *reason)
{
    static const char *const states[] = {"submitted", "refused", "unknown", "unknown"};
    static const char *const next[] = {
        [TRACE_FILE_SUBMITTED] = "It is taken into the queue.",
        [TRACE_FILE_KEPT] = "Nothing: the database does not know it. exsyncctl verify --all "
                            "--repair looks for it in Exchange and sends it if it is not there.",
        [TRACE_FILE_COPY] = "Nothing: the database does not know it, and this is a copy without "
                            "its Bcc recipients. exsyncctl verify --all --repair puts it into "
                            "failed/, where a person decides.",
    };
    json_t *answer = json_object();
    json_set_text(answer, "kind", "outgoing");
    json_set_text(answer, "message", NULL);
    if (file != TRACE_FILE_SUBMITTED)
        json_object_set_new(answer, "message",
                            json_text_of(match->name, strcspn(match->name, ".")));
    json_set_text(answer, "address", NULL);
    json_set_text(answer, "profile", NULL);
    json_set_text(answer, "state", states[file]);
    json_set_text(answer, "message_id", match->message_id);
    json_set_text(answer, "subject", match->subject);
    json_set_text(answer, "recipients", NULL);
    json_set_text(answer, "recipient_count", NULL);
    json_set_text(answer, "size", NULL);
    json_set_text(answer, "submitter", NULL);
    json_set_text(answer, "submitted", NULL);
    json_set_text(answer, "finished", NULL);
    json_set_text(answer, "held_since", NULL);
    json_set_text(answer, "path", match->path);
    json_set_text(answer, "reason", reason);
    json_set_number(answer, "attempts", 0);
    json_object_set_new(answer, "failure", json_null());
    if (file == TRACE_FILE_REFUSED)
        set_next_failed(answer);
    else
        set_next(answer, next[file], 0);
    return answer;
}

#include "daemon/control_queue_json.h"

#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/recipients_json.h"
#include "daemon/submission.h"
#include "mail/outbox.h"

#include <stdio.h>
#include <string.h>

static const char *state_name(enum store_submission_state state)
{
    static const char *const names[] = {
        [STORE_SUBMISSION_QUEUED] = "queued",   [STORE_SUBMISSION_CREATING] = "creating",
        [STORE_SUBMISSION_CREATED] = "created", [STORE_SUBMISSION_SENT] = "sent",
        [STORE_SUBMISSION_FAILED] = "failed",   [STORE_SUBMISSION_DOUBTFUL] = "doubtful",
        [STORE_SUBMISSION_SENDING] = "sending",
    };
    return names[state];
}

static json_t *error_json(const char *code, const char *sentence, const char *text,
                          const char *remedy)
{
    if (code == NULL)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "code", json_text(code), "sentence", json_text(sentence),
                     "text", json_text(text), "remedy", json_text(remedy));
}

/* When its mailbox sends next, and not before its own time; 0: not by itself. */
static int64_t next_try(const struct store_submission *row, const struct mailbox *mailbox)
{
    int64_t due = mailbox == NULL ? INT64_MAX : status_next_due(&mailbox->outgoing);
    return due < row->next_try_ms ? row->next_try_ms : due;
}

static void set_next(json_t *object, const struct store_queued *message,
                     const struct mailbox *mailbox, const struct scheduler *scheduler)
{
    enum store_submission_state state = message->submission.state;
    bool waits = state != STORE_SUBMISSION_SENT && state != STORE_SUBMISSION_FAILED &&
                 message->held_since_ms == 0;
    json_object_set_new(object, "hindrance",
                        waits ? hindrance_json(mailbox, CYCLE_OUTGOING, scheduler) : json_null());
    json_set_time(object, "next_try", waits ? next_try(&message->submission, mailbox) : 0);
}

/* Whether it was thrown away its file says. */
static void set_dealt_with(json_t *object, int64_t time_ms)
{
    json_object_set_new(object, "discarded", json_false());
    json_set_time(object, "discarded_at", time_ms);
}

json_t *queued_json(const struct store_queued *message, const struct mailbox *mailbox,
                    const struct scheduler *scheduler)
{
    const struct store_submission *row = &message->submission;
    bool waits = row->state != STORE_SUBMISSION_SENT && row->state != STORE_SUBMISSION_FAILED;
    json_t *object = json_object();
    json_set_text(object, "kind", "message");
    json_set_text(object, "message", row->id);
    json_set_text(object, "address", message->address);
    json_set_text(object, "profile", message->profile);
    json_object_set_new(object, "configured", json_boolean(!message->mailbox_removed));
    json_set_text(object, "state", state_name(row->state));
    json_object_set_new(object, "held", json_boolean(message->held_since_ms != 0));
    json_set_time(object, "held_since", message->held_since_ms);
    json_object_set_new(object, "removing", json_boolean(message->removal != NULL));
    json_object_set_new(object, "may_have_been_sent",
                        json_boolean(waits && submission_may_have_been_sent(row)));
    json_set_time(object, "queued", row->queued_ms);
    json_set_time(object, "finished", message->finished_ms);
    set_next(object, message, mailbox, scheduler);
    json_set_number(object, "size", row->size);
    json_set_number(object, "submitter", row->submitter);
    json_set_number(object, "attempts", row->attempts);
    json_set_text(object, "message_id", row->message_id);
    json_set_text(object, "subject", row->subject);
    json_set_number(object, "recipient_count", recipients_count(row->recipients));
    json_object_set_new(
        object, "error",
        error_json(message->code, message->sentence, message->text, message->remedy));
    json_set_text(object, "reason", message->dealt_with);
    set_dealt_with(object, row->state == STORE_SUBMISSION_FAILED ? message->dealt_with_ms : 0);
    return object;
}

json_t *queued_json_refused(const struct store_failure_row *row)
{
    static const char *const unknown[] = {
        "address",  "profile", "configured", "held_since", "queued",  "hindrance",
        "next_try", "size",    "submitter",  "message_id", "subject", "recipient_count"};
    json_t *object = json_object();
    json_set_text(object, "kind", "message");
    json_set_text(object, "message", row->submission);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        json_object_set_new(object, unknown[i], json_null());
    json_set_text(object, "state", "refused");
    json_object_set_new(object, "held", json_false());
    json_object_set_new(object, "removing", json_false());
    json_object_set_new(object, "may_have_been_sent", json_false());
    json_set_time(object, "finished", row->last_seen_ms);
    json_set_number(object, "attempts", 0);
    json_object_set_new(object, "error",
                        error_json(row->code, row->sentence, row->text, row->remedy));
    json_set_text(object, "reason", NULL);
    set_dealt_with(object, row->resolved_ms);
    return object;
}

void queued_json_recipients(json_t *object, const struct store_queued *message)
{
    json_object_set_new(object, "recipients", recipients_json(message->submission.recipients));
}

void queued_json_removed(json_t *object, const struct queue_change *change)
{
    char file[sizeof "failed/.eml" + OUTBOX_ID_SIZE];
    snprintf(file, sizeof file, "failed/%s.eml", change->id);
    json_object_set_new(object, "may_have_been_sent", json_boolean(change->may_have_been_sent));
    json_object_set_new(object, "lost", json_boolean(change->lost));
    json_object_set_new(object, "file", change->lost ? json_null() : json_string(file));
}

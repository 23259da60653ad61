#include "daemon/control_queue_json.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/submission.h"
#include "mail/outbox.h"

#include <stdio.h>
#include <string.h>

enum { RECIPIENTS_SHOWN = 1000 }; /* that many fit into an answer */

static json_t *time_json(int64_t time_ms)
{
    char text[CLOCK_TEXT_SIZE];
    if (time_ms == 0)
        return json_null();
    clock_format_utc(time_ms, text);
    return json_string(text);
}

/* Null for what is no UTF-8, as for NULL. */
static json_t *text_json(const char *text)
{
    json_t *value = text == NULL ? NULL : json_string(text);
    return value == NULL ? json_null() : value;
}

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

static json_t *error_json(const struct store_queued *message)
{
    if (message->code == NULL)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "code", text_json(message->code), "sentence",
                     text_json(message->sentence), "text", text_json(message->text), "remedy",
                     text_json(message->remedy));
}

static size_t count_recipients(const char *recipients)
{
    size_t count = 0;
    bool at_start = true;
    for (const char *at = recipients; *at != '\0'; at++) {
        count += at_start && *at != '\n';
        at_start = *at == '\n';
    }
    return count;
}

json_t *queued_json(const struct store_queued *message)
{
    const struct store_submission *row = &message->submission;
    bool waits = row->state != STORE_SUBMISSION_SENT && row->state != STORE_SUBMISSION_FAILED;
    bool held = message->held_since_ms != 0;
    json_t *object = json_pack(
        "{s:s,s:s,s:o,s:o,s:b,s:s,s:b,s:o,s:b,s:b}", "kind", "message", "message", row->id,
        "address", text_json(message->address), "profile", text_json(message->profile),
        "configured", !message->mailbox_removed, "state", state_name(row->state), "held", held,
        "held_since", time_json(message->held_since_ms), "removing", message->removal != NULL,
        "may_have_been_sent", waits && submission_may_have_been_sent(row));
    json_object_set_new(object, "queued", time_json(row->queued_ms));
    json_object_set_new(object, "finished", time_json(message->finished_ms));
    json_object_set_new(object, "next_try", time_json(waits && !held ? row->next_try_ms : 0));
    json_object_set_new(object, "size", json_integer((json_int_t)row->size));
    json_object_set_new(object, "submitter", json_integer(row->submitter));
    json_object_set_new(object, "attempts", json_integer(row->attempts));
    json_object_set_new(object, "message_id", text_json(row->message_id));
    json_object_set_new(object, "subject", text_json(row->subject));
    json_object_set_new(object, "recipient_count",
                        json_integer((json_int_t)count_recipients(row->recipients)));
    json_object_set_new(object, "error", error_json(message));
    return object;
}

/* "to ADDRESS NAME"; the name may be missing. */
static json_t *recipient_json(char *line)
{
    const char *kind = strsep(&line, " ");
    const char *address = strsep(&line, " ");
    const char *name = line == NULL || *line == '\0' ? NULL : line;
    return json_pack("{s:o,s:o,s:o}", "kind", text_json(kind), "address", text_json(address),
                     "name", text_json(name));
}

void queued_json_recipients(json_t *object, const struct store_queued *message)
{
    json_t *array = json_array();
    char *text = memory_copy_string(message->submission.recipients);
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && json_array_size(array) < RECIPIENTS_SHOWN) {
        if (*line != '\0')
            json_array_append_new(array, recipient_json(line));
    }
    json_object_set_new(object, "recipients", array);
    memory_free(text);
}

void queued_json_removed(json_t *object, const char *id, bool may_have_been_sent, bool lost)
{
    char file[sizeof "failed/.eml" + OUTBOX_ID_SIZE];
    snprintf(file, sizeof file, "failed/%s.eml", id);
    json_object_set_new(object, "may_have_been_sent", json_boolean(may_have_been_sent));
    json_object_set_new(object, "lost", json_boolean(lost));
    json_object_set_new(object, "file", lost ? json_null() : json_string(file));
}

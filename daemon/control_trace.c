/* trace: where is this mail? Takes one of "message" (the id of a submission), "message_id" and
 * "subject" (a part of it), and with "address" looks at that mailbox alone. Answers: see
 * trace_answer.h. Errors: NoSuchMailbox, NotFound (exit 1: nothing is known of it), NoAnswer
 * (nothing was found before a folder that does not answer). */
#include "base/memory.h"
#include "daemon/control.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/json_member.h"
#include "daemon/service_private.h"
#include "daemon/trace_answer.h"
#include "daemon/tracing.h"

#include <sysexits.h>

enum {
    EXIT_NOT_FOUND = 1,
    RECIPIENTS_A_SLICE = 250,
    ANSWER_COSTS = 50, /* as much as so many recipients */
};

static json_t *searched_json(const struct tracing_result *result)
{
    json_t *answer = json_object();
    json_set_text(answer, "kind", "searched");
    json_set_number(answer, "files", result->files);
    json_set_number(answer, "mailboxes", result->mailboxes);
    json_object_set_new(answer, "complete", json_boolean(!result->partly));
    json_set_text(answer, "unanswered", result->unanswered);
    return answer;
}

static void fail_not_found(struct control_request *request, const struct tracing_result *result)
{
    bool named = control_text(request, "address") != NULL;
    if (result->unanswered != NULL)
        control_fail(
            request, EX_TEMPFAIL, "NoAnswer",
            "exsyncd has not found such a message so far: %s has not answered within %d s, "
            "and what is there and behind it was not looked through; see to that file "
            "system, and try again",
            result->unanswered, TRACING_QUIET_MS / 1000);
    else
        control_fail(request, EXIT_NOT_FOUND, "NotFound",
                     "exsyncd knows of no such message; look into the mailbox in Exchange.%s",
                     named ? ""
                           : " With --mailbox ADDRESS it is told when that mailbox was looked at "
                             "last and when it is looked at next.");
}

/* --- what was found --- */

/* With a thousand recipients each the answers are more than may wait for the client, and more than
 * one turn of the loop should make. */
struct telling {
    json_t *answers;
    size_t told;
};

static void telling_free(void *state)
{
    struct telling *telling = state;
    json_decref(telling->answers);
    memory_free(telling);
}

static void tell_on(struct control_request *request)
{
    struct telling *telling = control_state(request);
    size_t count = json_array_size(telling->answers);
    for (size_t made = 0;
         made < RECIPIENTS_A_SLICE && telling->told < count && control_ready(request);) {
        json_t *answer = json_incref(json_array_get(telling->answers, telling->told));
        json_array_set_new(telling->answers, telling->told++, json_null());
        made += ANSWER_COSTS + trace_answer_complete(answer);
        control_reply(request, answer);
    }
    if (telling->told < count) {
        control_on_ready(request, tell_on);
        return;
    }
    telling_free(telling);
    control_end(request);
}

static void tell_found(struct control_request *request, const struct tracing_result *result)
{
    struct telling *telling = memory_allocate(sizeof *telling);
    telling->answers = json_array();
    for (size_t i = 0; i < result->count; i++)
        json_array_append(telling->answers, result->answers[i]);
    json_array_append_new(telling->answers, searched_json(result));
    control_keep(request, telling, telling_free);
    tell_on(request);
}

/* --- the request --- */

static void traced(void *argument, const struct tracing_result *result)
{
    struct control_request *request = argument;
    const char *address = control_address(request, "address");
    if (result->problem != NULL) {
        control_fail(request, EX_TEMPFAIL, "StoreFailed",
                     "the database cannot be read: %s; try again", result->problem);
        return;
    }
    if (result->count > 0) {
        tell_found(request, result);
        return;
    }
    const struct mailbox *mailbox =
        address == NULL ? NULL : service_mailbox(control_service(request), address);
    if (mailbox != NULL)
        control_reply(request, trace_answer_unseen(mailbox, &control_service(request)->scheduler));
    control_reply(request, searched_json(result));
    fail_not_found(request, result);
}

static void gone(void *state)
{
    tracing_cancel(state);
}

static void trace_start(struct control_request *request)
{
    const struct tracing_question question = {
        .id = control_text(request, "message"),
        .message_id = control_text(request, "message_id"),
        .subject = control_text(request, "subject"),
        .address = control_address(request, "address"),
    };
    struct service *service = control_service(request);
    if ((question.id != NULL) + (question.message_id != NULL) + (question.subject != NULL) != 1) {
        control_fail(request, EX_USAGE, "BadRequest",
                     "trace takes one of message, message_id and subject");
        return;
    }
    if (question.address != NULL && control_mailbox(request) == NULL)
        return;
    control_keep(request, tracing_start(service, &question, traced, request), gone);
}

const struct control_command control_trace_commands[] = {
    {"trace", trace_start},
    {NULL, NULL},
};

/* trace: where is this mail? Takes one of "message" (the id of a submission), "message_id" and
 * "subject" (a part of it), and with "address" looks at that mailbox alone. Answers: see
 * trace_answer.h. Ends with "NotFound" (exit 1) when nothing is known of it. */
#include "daemon/control.h"
#include "daemon/control_commands.h"
#include "daemon/json_member.h"
#include "daemon/service_private.h"
#include "daemon/trace_answer.h"
#include "daemon/tracing.h"

#include <sysexits.h>

enum { EXIT_NOT_FOUND = 1 };

static void reply_searched(struct control_request *request, const struct tracing_result *result)
{
    json_t *answer = json_object();
    json_set_text(answer, "kind", "searched");
    json_set_number(answer, "files", result->files);
    json_set_number(answer, "mailboxes", result->mailboxes);
    json_object_set_new(answer, "complete", json_boolean(!result->partly));
    control_reply(request, answer);
}

static void traced(void *argument, const struct tracing_result *result)
{
    struct control_request *request = argument;
    const char *address = control_address(request, "address");
    if (result->problem != NULL) {
        control_fail(request, EX_TEMPFAIL, "StoreFailed",
                     "the database cannot be read: %s; try again", result->problem);
        return;
    }
    for (size_t i = 0; i < result->count; i++)
        control_reply(request, json_incref(result->answers[i]));
    const struct mailbox *mailbox =
        address == NULL ? NULL : service_mailbox(control_service(request), address);
    if (result->count == 0 && mailbox != NULL)
        control_reply(request, trace_answer_unseen(mailbox));
    reply_searched(request, result);
    if (result->count > 0)
        control_end(request);
    else
        control_fail(request, EXIT_NOT_FOUND, "NotFound",
                     "exsyncd knows of no such message; look into the mailbox in Exchange%s",
                     address == NULL ? ", or name the mailbox to hear when it is looked at next"
                                     : "");
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
    if (question.address != NULL && service_mailbox(service, question.address) == NULL) {
        control_fail(request, EX_NOUSER, "NoSuchMailbox",
                     "%s is no mailbox of the configuration; see exsyncctl mailbox list",
                     question.address);
        return;
    }
    control_keep(request, tracing_start(service, &question, traced, request), gone);
}

const struct control_command control_trace_commands[] = {
    {"trace", trace_start},
    {NULL, NULL},
};

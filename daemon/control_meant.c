#include "daemon/control_meant.h"

#include "config/config_suggest.h"

#include <string.h>
#include <sysexits.h>

void control_fail_no_mailbox(struct control_request *request, const char *address)
{
    control_fail(
        request, EX_NOUSER, "NoSuchMailbox",
        "there is no mailbox %.256s in the configuration; exsyncctl mailbox list shows all",
        address);
}

void control_fail_no_profile(struct control_request *request, const char *name)
{
    const struct config *config = control_service(request)->configuration->config;
    struct config_suggestion suggestion = config_suggestion_start(name);
    for (size_t i = 0; i < config->profile_count; i++)
        config_suggestion_consider(&suggestion, config->profiles[i].name);
    if (suggestion.best != NULL)
        control_fail(request, EX_NOUSER, "NoSuchProfile",
                     "there is no profile \"%.128s\" in the configuration; did you mean "
                     "\"%.128s\"? exsyncctl profile list shows all",
                     name, suggestion.best);
    else
        control_fail(request, EX_NOUSER, "NoSuchProfile",
                     "there is no profile \"%.128s\" in the configuration; exsyncctl profile list "
                     "shows all",
                     name);
}

struct mailbox *control_mailbox(struct control_request *request)
{
    const char *address = control_address(request, "address");
    if (address == NULL) {
        control_fail(request, EX_USAGE, "BadRequest", "say which mailbox is meant");
        return NULL;
    }
    struct mailbox *mailbox = service_mailbox(control_service(request), address);
    if (mailbox == NULL)
        control_fail_no_mailbox(request, address);
    return mailbox;
}

struct profile *control_profile(struct control_request *request, const char *name)
{
    if (name == NULL) {
        control_fail(request, EX_USAGE, "BadRequest", "say which profile is meant");
        return NULL;
    }
    struct profile *profile = service_profile(control_service(request), name);
    if (profile == NULL)
        control_fail_no_profile(request, name);
    return profile;
}

bool control_mailbox_if_given(struct control_request *request, int64_t *number)
{
    const char *address = control_text(request, "address");
    const struct mailbox *mailbox = address == NULL ? NULL : control_mailbox(request);
    *number = mailbox == NULL ? 0 : mailbox->id.number;
    return address == NULL || mailbox != NULL;
}

bool control_submission(struct control_request *request, char id[STORE_SUBMISSION_ID_SIZE])
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

void control_fail_by(struct control_request *request, int exit, const struct failure *failure)
{
    const char *sentence = failure->sentence == NULL ? "" : failure->sentence;
    const char *remedy = failure->remedy == NULL ? "" : failure->remedy;
    control_fail(request, exit, failure->code, "%s%s%s%s%s", sentence,
                 failure->text[0] == '\0' ? "" : " ", failure->text, remedy[0] == '\0' ? "" : " ",
                 remedy);
}

/* diagnose: why a mailbox cannot be used, above all when its impersonation is refused.
 *
 *   {"command": "diagnose", "address": "ANNA@contoso.com"}   and "sign_in": true, as with test
 *
 *   {"kind": "diagnosis", "address": "anna@contoso.com", "profile": "contoso",
 *    "account": "CONTOSO\\svc-sync", "url": "https://...", "finding": "scope",
 *    "text": "CONTOSO\\svc-sync has the role ...", "commands": "Get-ManagementRole...\n...",
 *    "tries": 6, "refused": 6, "account_mailbox": "none",
 *    "works": ["ben@contoso.com"], "fails": ["carla@contoso.com"], "others": 480, "error": null}
 *
 *   account          null: the owner of the Kerberos ticket
 *   finding          works, unreachable, sign-in-refused, wrong-server, no-role, scope, spreading,
 *                    no-mailbox, other (diagnosis.h)
 *   text             the same in one paragraph; `commands`: what mends it, and what verifies that;
 *                    null: nothing is to be done
 *   tries            requests for this mailbox, each on a new connection; `refused` of them were
 *   account_mailbox  the account's own: there, none, unknown
 *   works, fails     other mailboxes of the profile that were asked for, some tens of `others`,
 *                    chosen at random
 *   error            {"code", "sentence", "text"} of what stands in the way; null
 *
 * Errors: NoSuchMailbox, NotWorking (the finding is not "works"). */
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/diagnosis.h"
#include "daemon/diagnosis_text.h"
#include "daemon/json_member.h"
#include "daemon/service_private.h"

#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

static void diagnosis_gone(void *state)
{
    diagnosis_cancel(state);
}

static json_t *others_of(const struct diagnosis_result *result, bool working)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->other_count; i++) {
        const struct diagnosis_other *other = &result->others[i];
        if ((other->result == DIAGNOSIS_OTHER_WORKS) == working)
            json_array_append_new(list, json_string(other->address));
    }
    return list;
}

static json_t *error_of(const struct failure *failure)
{
    if (!failure_is_set(failure))
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "code", json_text(failure->code), "sentence",
                     json_text(failure->sentence), "text", json_text(failure->text));
}

static const char *own_name(enum account_mailbox own)
{
    static const char *const names[] = {
        [ACCOUNT_MAILBOX_UNKNOWN] = "unknown",
        [ACCOUNT_MAILBOX_THERE] = "there",
        [ACCOUNT_MAILBOX_NONE] = "none",
    };
    return names[own];
}

static void answer(void *argument, const struct diagnosis_result *result)
{
    struct control_request *request = argument;
    struct buffer text = {0}, commands = {0};
    bool works = result->finding == DIAGNOSIS_WORKS;
    char address[256];
    snprintf(address, sizeof address, "%s", result->address);
    diagnosis_write_finding(&text, result);
    diagnosis_write_commands(&commands, result);
    control_reply(
        request,
        json_pack(
            "{s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:I,s:I,s:s,s:o,s:o,s:I,s:o}", "kind", "diagnosis",
            "address", result->address, "profile", json_text(result->profile->name), "account",
            json_text(result->profile->username), "url", json_text(result->profile->url), "finding",
            diagnosis_finding_name(result->finding), "text", json_text(buffer_string(&text)),
            "commands", json_text(buffer_string(&commands)), "tries", (json_int_t)result->tries,
            "refused", (json_int_t)result->refused, "account_mailbox", own_name(result->own),
            "works", others_of(result, true), "fails", others_of(result, false), "others",
            (json_int_t)result->others_configured, "error", error_of(&result->failure)));
    buffer_release(&text);
    buffer_release(&commands);
    if (works)
        control_end(request);
    else
        control_fail(request, EX_UNAVAILABLE, "NotWorking", "%s cannot be used", address);
}

static void start_diagnose(struct control_request *request)
{
    struct service *service = control_service(request);
    struct mailbox *mailbox = control_mailbox(request);
    if (mailbox == NULL)
        return;
    struct diagnosis *diagnosis =
        diagnosis_start(service, mailbox, control_flag(request, "sign_in"), answer, request);
    control_keep(request, diagnosis, diagnosis_gone);
}

const struct control_command control_diagnose_commands[] = {
    {"diagnose", start_diagnose},
    {NULL, NULL},
};

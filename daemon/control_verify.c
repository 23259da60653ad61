/* verify: does the database know what was delivered and sent?
 *
 *   {"command": "verify", "address": "ANNA@contoso.com"}   or "profile": "NAME", or neither: all;
 *   and "repair": true
 *
 * Mailboxes are looked at one after the other (verification.h); the answers come as they are:
 *
 *   {"kind": "outbox", "unknown": 0, "copies": 0, "repaired": false}
 *   {"kind": "verified", "address": "anna@contoso.com", "profile": "contoso", "differs": true,
 *    "repaired": false, "unchecked": false, "files": 120, "maildir_not_compared": null,
 *    "delivered_unknown": 3, "delivered_failed": 0, "doubled": 0, "doubled_files": [],
 *    "waiting": 2, "exchange_searched": 2, "exchange_requests": 1, "exchange_not_asked": null,
 *    "sent_queued": 1, "draft_queued": 0, "no_file": 0, "error": null}
 *
 *   unknown            messages in the outbox that the database does not know: not for one mailbox
 *   copies             of these: what was submitted is gone; to repair is to put them into failed/
 *   repaired           it will be looked for before anything is fetched or sent
 *   unchecked          its Maildir is still to be compared, before anything is fetched
 *   files              of the Maildir, that were compared with the ledger
 *   maildir_not_compared, exchange_not_asked
 *                      null, or why not, or not for all
 *   delivered_unknown  files of the Maildir that are not in the ledger: would be delivered again
 *   delivered_failed   the same that the ledger has as failed
 *   doubled            files of the Maildir whose message the ledger has in another file: it was
 *                      delivered twice. Nothing differs by that, and nothing removes them
 *   doubled_files      how the names of the first of them begin; no other file's do
 *   exchange_searched  messages that Drafts, Outbox and Sent Items were searched for, in so many
 *   exchange_requests
 *   sent_queued        to be sent, though Exchange has them as sent: would be sent again
 *   draft_queued       to be sent, and Exchange has a draft of it already
 *   no_file            to be sent, and the outbox does not have them
 *   error              null, or {"code", "sentence", "text", "remedy"}: it was not looked at whole
 *
 * Errors: NoSuchMailbox, NoSuchProfile, Differs (something does and was not repaired),
 * VerifyFailed. */
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control_commands.h"
#include "daemon/failure_json.h"
#include "daemon/messages.h"
#include "daemon/profile.h"
#include "daemon/unrecorded.h"
#include "daemon/verification.h"

#include <string.h>
#include <sysexits.h>

struct verify_request {
    struct verification verification;
    struct control_request *request; /* NULL: gone */
    struct service *service;
    char *address; /* of the one mailbox; NULL: several */
    char *profile; /* of these; NULL: all */
    bool repair;
    bool verifying; /* a mailbox */
    bool waiting;   /* for the store or the outbox */
    int64_t next_number;
    size_t looked_at, differing, failed;

    struct unrecorded unrecorded; /* of the outbox */
};

static void next_mailbox(struct control_request *request);

/* --- the end --- */

static void verify_free(struct verify_request *verify)
{
    unrecorded_release(&verify->unrecorded);
    memory_free(verify->address);
    memory_free(verify->profile);
    memory_free(verify);
}

static void verify_gone(void *state)
{
    struct verify_request *verify = state;
    verify->request = NULL;
    if (verify->verifying)
        verification_cancel(&verify->verification);
    else if (!verify->waiting)
        verify_free(verify);
}

/* The store or the outbox has answered: true when nobody waits any more. */
static bool is_gone(struct verify_request *verify)
{
    verify->waiting = false;
    if (verify->request != NULL)
        return false;
    verify_free(verify);
    return true;
}

static void fail(struct verify_request *verify, const struct failure *failure)
{
    struct control_request *request = verify->request;
    control_fail(request, EX_TEMPFAIL, "VerifyFailed", "%s (%s) %s %s",
                 failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
                 failure->remedy == NULL ? "" : failure->remedy);
    verify_free(verify);
}

/* Messages of the outbox. */
static size_t count_unknown(const struct verify_request *verify)
{
    return verify->unrecorded.kept + verify->unrecorded.copies;
}

static void conclude(struct verify_request *verify)
{
    struct control_request *request = verify->request;
    size_t differing = verify->differing, failed = verify->failed, all = verify->looked_at;
    uint64_t unknown = verify->repair ? 0 : count_unknown(verify);
    verify_free(verify);
    if (failed > 0)
        control_fail(request, EX_TEMPFAIL, "VerifyFailed",
                     "%zu of %zu %s could not be looked at whole; what is told of %s says what to "
                     "do",
                     failed, all, text_plural(all, "mailbox", "mailboxes"),
                     text_plural(failed, "it", "them"));
    else if (differing + unknown > 0)
        control_fail(request, EX_DATAERR, "Differs",
                     "the database does not know all that was delivered and sent; if it was lost "
                     "or put back from a backup, the same command with --repair mends that");
    else
        control_end(request);
}

/* --- mailboxes --- */

static json_t *doubled_json(const struct verification *found)
{
    json_t *names = json_array();
    for (size_t i = 0; i < found->named; i++)
        json_array_append_new(names, json_string(found->doubled[i]));
    return names;
}

static void tell(const struct verify_request *verify, const struct mailbox *mailbox,
                 const struct failure *failure)
{
    const struct verification *found = &verify->verification;
    control_reply(
        verify->request,
        json_pack("{s:s,s:s,s:s,s:b,s:b,s:b,s:I,s:s?,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:s?,s:I,s:I,s:I,"
                  "s:o}",
                  "kind", "verified", "address", mailbox_address(mailbox), "profile",
                  mailbox->profile->config->name, "differs", verification_differs(found),
                  "repaired", found->repaired, "unchecked", found->unchecked, "files",
                  (json_int_t)found->files, "maildir_not_compared", found->maildir_not_compared,
                  "delivered_unknown", (json_int_t)found->incoming.unknown, "delivered_failed",
                  (json_int_t)found->incoming.failed, "doubled",
                  (json_int_t)found->incoming.doubled, "doubled_files", doubled_json(found),
                  "waiting", (json_int_t)found->waiting, "exchange_searched",
                  (json_int_t)found->searched, "exchange_requests", (json_int_t)found->searches,
                  "exchange_not_asked", found->exchange_not_asked, "sent_queued",
                  (json_int_t)found->sent, "draft_queued", (json_int_t)found->drafted, "no_file",
                  (json_int_t)found->missing, "error", error_json(failure)));
}

static void report_repaired(const struct verify_request *verify, const struct mailbox *mailbox)
{
    const struct log_fields fields = {.message_id = MESSAGE_RESTORE_BEGUN,
                                      .profile = mailbox->profile->config->name,
                                      .mailbox = mailbox_address(mailbox)};
    log_write(verify->service->context.log, LOG_PRIORITY_WARNING, &fields,
              "%s: the database does not know all that was delivered and sent; as an administrator "
              "wishes, its Maildir is compared with the ledger, and what it has to send is looked "
              "for in Exchange, before it fetches and sends",
              mailbox_address(mailbox));
}

static void verified(struct verification *verification, const struct failure *failure)
{
    struct verify_request *verify = verification->argument;
    verify->verifying = false;
    if (verification->repaired)
        report_repaired(verify, verification->mailbox);
    if (verify->request == NULL) {
        verify_free(verify);
        return;
    }
    verify->looked_at++;
    verify->failed += failure != NULL;
    verify->differing += verification_differs(verification) && !verification->repaired;
    tell(verify, verification->mailbox, failure);
    control_on_ready(verify->request, next_mailbox);
}

static bool is_meant(const struct verify_request *verify, const struct mailbox *mailbox)
{
    if (mailbox->removed)
        return false;
    if (verify->address != NULL)
        return strcmp(mailbox_address(mailbox), verify->address) == 0;
    return verify->profile == NULL || strcmp(mailbox->profile->config->name, verify->profile) == 0;
}

static void next_mailbox(struct control_request *request)
{
    struct verify_request *verify = control_state(request);
    struct service *service = verify->service;
    for (size_t i = service_mailbox_from(service, verify->next_number); i < service->mailbox_count;
         i++) {
        struct mailbox *mailbox = service->mailboxes[i];
        if (!is_meant(verify, mailbox))
            continue;
        verify->next_number = mailbox->id.number + 1;
        verify->verifying = true;
        verify->verification = (struct verification){
            .service = service, .repair = verify->repair, .done = verified, .argument = verify};
        verification_start(&verify->verification, mailbox);
        return;
    }
    conclude(verify);
}

/* --- the outbox: what was submitted and is not in the database --- */

static void report_outbox(const struct verify_request *verify)
{
    const struct unrecorded *found = &verify->unrecorded;
    const struct log_fields fields = {.message_id = MESSAGE_RESTORE_BEGUN};
    if (found->kept > 0)
        log_write(verify->service->context.log, LOG_PRIORITY_WARNING, &fields,
                  "the database does not know %zu %s of the outbox; as an administrator "
                  "wishes, %s taken in anew, and looked for in Exchange before anything is sent",
                  found->kept, text_plural(found->kept, "message", "messages"),
                  text_plural(found->kept, "it is", "they are"));
}

static void tell_outbox(struct verify_request *verify)
{
    const struct unrecorded *found = &verify->unrecorded;
    bool repaired = verify->repair && count_unknown(verify) > 0;
    if (repaired)
        report_outbox(verify);
    control_reply(verify->request, json_pack("{s:s,s:I,s:I,s:b}", "kind", "outbox", "unknown",
                                             (json_int_t)count_unknown(verify), "copies",
                                             (json_int_t)found->copies, "repaired", repaired));
    next_mailbox(verify->request);
}

/* What stays where it is, is found by the next verification. */
static void repaired(struct unrecorded *unrecorded, const struct failure *failure)
{
    struct verify_request *verify = unrecorded->argument;
    if (failure == NULL)
        intake_note_unknown(verify->service->intake, 0);
    if (!verify->service->stopping)
        intake_look(verify->service->intake);
    if (is_gone(verify))
        return;
    if (failure != NULL)
        fail(verify, failure);
    else
        tell_outbox(verify);
}

static void found(struct unrecorded *unrecorded, const struct failure *failure)
{
    struct verify_request *verify = unrecorded->argument;
    if (is_gone(verify))
        return;
    if (failure != NULL) {
        fail(verify, failure);
        return;
    }
    intake_note_unknown(verify->service->intake, count_unknown(verify));
    if (verify->repair && count_unknown(verify) > 0) {
        unrecorded->done = repaired;
        verify->waiting = true;
        unrecorded_repair(unrecorded);
    } else {
        tell_outbox(verify);
    }
}

/* --- the request --- */

static void start_verify(struct control_request *request)
{
    struct service *service = control_service(request);
    const char *profile = control_text(request, "profile");
    const char *address = control_address(request, "address");
    if (address != NULL && service_mailbox(service, address) == NULL) {
        control_fail(request, EX_NOUSER, "NoSuchMailbox",
                     "there is no mailbox %.256s in the configuration; exsyncctl mailbox list "
                     "shows all",
                     address);
        return;
    }
    if (profile != NULL && service_profile(service, profile) == NULL) {
        control_fail(request, EX_NOUSER, "NoSuchProfile",
                     "there is no profile \"%.128s\" in the configuration; exsyncctl profile list "
                     "shows all",
                     profile);
        return;
    }
    struct verify_request *verify = memory_allocate(sizeof *verify);
    verify->request = request;
    verify->service = service;
    verify->repair = control_flag(request, "repair");
    verify->address = address == NULL ? NULL : memory_copy_string(address);
    verify->profile = profile == NULL ? NULL : memory_copy_string(profile);
    control_keep(request, verify, verify_gone);
    if (address != NULL) {
        next_mailbox(request);
        return;
    }
    verify->unrecorded =
        (struct unrecorded){.context = &service->context, .done = found, .argument = verify};
    verify->waiting = true;
    unrecorded_find(&verify->unrecorded);
}

const struct control_command control_verify_commands[] = {
    {"verify", start_verify},
    {NULL, NULL},
};

#include "ews.h"

#include "access.h"
#include "counters.h"
#include "faults.h"
#include "operations.h"
#include "schema.h"
#include "simulator.h"
#include "soap.h"

#include <libxml/parser.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void answer_fault(struct simulator *simulator, struct reply *reply, const char *code)
{
    counters_add(simulator->counters, "response_codes.", code, 1);
    reply_soap_fault(reply, &(struct reply_fault){.code = code});
}

/* -- Is it a request at all? ----------------------------------------------- */

static void refuse_invalid(struct simulator *simulator, struct reply *reply, const char *operation,
                           const char *violation, long line)
{
    fprintf(stderr, "exchange-simulator: invalid request %s, line %ld: %s\n", operation, line,
            violation);
    counters_add(simulator->counters, "schema.invalid_requests", "", 1);
    counters_add(simulator->counters, "response_codes.", "ErrorSchemaValidation", 1);
    reply_soap_fault(reply, &(struct reply_fault){.code = "ErrorSchemaValidation",
                                                  .line = line,
                                                  .violation = violation});
}

/* The versions that Exchange 2016 understands. */
static bool is_known_version(const char *version)
{
    static const char *const known[] = {"Exchange2007",     "Exchange2007_SP1", "Exchange2010",
                                        "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
                                        "Exchange2013_SP1", "Exchange2015",     "Exchange2016"};
    if (version == NULL)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], version) == 0)
            return true;
    return false;
}

static bool is_valid(struct simulator *simulator, const struct soap_request *soap,
                     struct reply *reply)
{
    struct buffer violation = {0};
    long line = 0;
    bool valid = simulator->schema == NULL ||
                 schema_is_valid(simulator->schema, soap->document, &violation, &line);
    if (!valid)
        refuse_invalid(simulator, reply, soap->name, buffer_string(&violation), line);
    buffer_release(&violation);
    return valid;
}

/* -- Whose mailbox is it about? -------------------------------------------- */

/* Finds the mailbox; sets `code` when Exchange refuses. */
static struct mailbox *find_target(struct simulator *simulator, const struct ews_request *request,
                                   const struct soap_request *soap, const char **code)
{
    const struct account *account = request->account;
    if (soap->connecting == NULL)
        return store_find_mailbox(simulator->store, access_own_mailbox(account));
    bool by_sid = strcmp(soap->connecting, "SID") == 0;
    struct mailbox *mailbox = by_sid
                                  ? store_find_mailbox_by_sid(simulator->store, soap->impersonated)
                                  : store_find_mailbox(simulator->store, soap->impersonated);
    if (mailbox == NULL)
        *code = by_sid && strncmp(soap->impersonated, "S-1-", 4) != 0 ? "ErrorInvalidSid"
                                                                      : "ErrorNonExistentMailbox";
    else if (!access_may_impersonate(simulator->access, account, mailbox->address, request->server))
        *code = "ErrorImpersonateUserDenied";
    return mailbox;
}

/* -- Is there room for it? ------------------------------------------------- */

static bool begin_running(struct simulator *simulator, struct mailbox *mailbox)
{
    unsigned running = atomic_fetch_add(&mailbox->running, 1) + 1;
    unsigned limit = simulator->limits.concurrency;
    unsigned peak = atomic_load(&mailbox->running_peak);
    while (peak < running && !atomic_compare_exchange_weak(&mailbox->running_peak, &peak, running))
        ;
    return limit == 0 || running <= limit;
}

void ews_finish(const struct ews_outcome *outcome)
{
    if (outcome->mailbox != NULL)
        atomic_fetch_sub(&outcome->mailbox->running, 1);
}

static void answer_busy(struct simulator *simulator, struct reply *reply)
{
    counters_add(simulator->counters, "response_codes.", "ErrorServerBusy", 1);
    reply_soap_fault(reply, &(struct reply_fault){.code = "ErrorServerBusy",
                                                  .back_off_ms = simulator->limits.back_off_ms});
}

/* -- Carrying it out ------------------------------------------------------- */

static void carry_out(struct simulator *simulator, const struct soap_request *soap,
                      struct reply *reply, struct ews_outcome *outcome)
{
    const struct operation *operation = operation_find(soap->name);
    bool is_known = operation != NULL &&
                    !(simulator->sends_no_drafts && operation->carry_out == operation_send_item);
    if (!is_known) {
        answer_fault(simulator, reply, "ErrorInvalidRequest");
        return;
    }
    struct call call = {.simulator = simulator,
                        .operation = soap->name,
                        .request = soap->operation,
                        .mailbox = outcome->mailbox,
                        .reply = reply,
                        .fault = outcome->fault};
    reply_open(reply, soap->name);
    if (operation->changes)
        store_lock_for_writing(simulator->store);
    else
        store_lock_for_reading(simulator->store);
    operation->carry_out(&call);
    store_unlock(simulator->store);
    reply_close(reply, soap->name);
    outcome->breakage = call.breakage;
}

/* True for faults that answer instead of the operation. */
static bool is_instead(const struct fault *fault)
{
    switch (fault->action) {
    case FAULT_DELAY_ONLY:
    case FAULT_ITEM:
    case FAULT_CLOSE_AFTER:
    case FAULT_CLOSE_MIDDLE:
    case FAULT_TRUNCATED:
        return false;
    case FAULT_HTTP:
        return !fault->carried_out;
    default:
        return true;
    }
}

static void count_request(struct simulator *simulator, const struct soap_request *soap,
                          const struct mailbox *mailbox)
{
    counters_add(simulator->counters, "requests.total", "", 1);
    counters_add(simulator->counters, "requests.", soap->name, 1);
    if (mailbox != NULL)
        counters_add(simulator->counters, "mailbox_requests.", mailbox->address, 1);
}

static void answer_request(struct simulator *simulator, struct header_checks *checks,
                           const struct ews_request *request, const struct soap_request *soap,
                           struct reply *reply, struct ews_outcome *outcome)
{
    const char *code = NULL;
    store_lock_for_reading(simulator->store);
    outcome->mailbox = find_target(simulator, request, soap, &code);
    store_unlock(simulator->store);
    struct mailbox *mailbox = outcome->mailbox;
    count_request(simulator, soap, mailbox);
    bool has_room = mailbox == NULL || begin_running(simulator, mailbox);
    if (mailbox != NULL)
        outcome->needs_cookie = header_checks_examine(checks, &request->headers, mailbox);
    struct fault_target target = {soap->name, mailbox == NULL ? NULL : mailbox->address,
                                  request->is_reused};
    outcome->fault = faults_meet(simulator->faults, &target, false);
    if (outcome->fault != NULL)
        counters_add(simulator->counters, "faults", "", 1);
    if (outcome->fault != NULL && is_instead(outcome->fault))
        return;
    if (code != NULL)
        answer_fault(simulator, reply, code);
    else if (!has_room)
        answer_busy(simulator, reply);
    else
        carry_out(simulator, soap, reply, outcome);
}

/* -- Is the answer right? -------------------------------------------------- */

static void check_response(struct simulator *simulator, const struct reply *reply)
{
    struct buffer whole = {0};
    struct buffer violation = {0};
    long line = 0;
    reply_flatten(reply, &whole);
    xmlDoc *document = whole.length > INT_MAX
                           ? NULL
                           : xmlReadMemory(buffer_string(&whole), (int)whole.length, NULL, NULL,
                                           XML_PARSE_NONET | XML_PARSE_HUGE);
    if (document == NULL)
        buffer_append_string(&violation, "not well-formed");
    if (document == NULL || !schema_is_valid(simulator->schema, document, &violation, &line)) {
        fprintf(stderr, "exchange-simulator: invalid response, line %ld: %s\n", line,
                buffer_string(&violation));
        counters_add(simulator->counters, "schema.invalid_responses", "", 1);
    }
    xmlFreeDoc(document);
    buffer_release(&violation);
    buffer_release(&whole);
}

void ews_answer(struct simulator *simulator, struct header_checks *checks,
                const struct ews_request *request, struct reply *reply, struct ews_outcome *outcome)
{
    struct soap_request soap;
    *outcome = (struct ews_outcome){0};
    reply_clear(reply);
    if (!soap_request_read(&soap, request->body, request->length)) {
        refuse_invalid(simulator, reply, "(unreadable)", "no SOAP envelope", 1);
    } else {
        if (!is_known_version(soap.version))
            answer_fault(simulator, reply, "ErrorInvalidServerVersion");
        else if (is_valid(simulator, &soap, reply))
            answer_request(simulator, checks, request, &soap, reply, outcome);
        soap_request_release(&soap);
    }
    if (simulator->checks_responses && simulator->schema != NULL && !reply->is_spoiled &&
        reply->text.length > 0)
        check_response(simulator, reply);
}

/* test: "Test & Enable", for one mailbox, those of a profile, or all.
 *
 *   {"command": "test", "address": "ANNA@contoso.com"}   or "profile": "NAME", or "all": true; and
 *     "no_send": true     no test message is sent
 *     "no_enable": true   a mailbox that passes stays switched off, if it is
 *     "sign_in": true     a sign-in that the server has refused is tried at once
 *
 * The size of it comes first, then each step as it ends, and each mailbox behind its last step:
 *
 *   {"kind": "plan", "mailboxes": 500, "profiles": 1}
 *   {"kind": "step", "profile": "contoso", "address": "anna@contoso.com", "step": "reading",
 *    "result": "passed", "milliseconds": 12, "detail": "Inbox: 3 messages", "expires": null,
 *    "days_left": null, "error": null}
 *   {"kind": "outcome", "address": "anna@contoso.com", "profile": "contoso", "passed": false,
 *    "milliseconds": 31, "enabled": false, "switched_on": false, "paused": false,
 *    "step": "impersonation",
 *    "error": {"code", "sentence", "text", "detail", "remedy", "commands"}}
 *
 *   address    null for a step of the profile (test_step.h)
 *   result     passed, failed, left out
 *   expires    of the server's certificate, with the step "TLS"; `days_left` is negative when it
 *              has expired
 *   error      of what failed: `remedy` in words; `commands` in lines for Exchange's shell; null
 *              where there are none
 *   enabled    whether no direction that is configured is switched off
 *   switched_on  by this test
 *   paused     its profile is: no cycle starts, whatever came of the test
 *   step       the one that failed, the profile's perhaps; null
 *
 * Errors: NoSuchMailbox (also when all have left the configuration before they were tested),
 * NoSuchProfile, TestFailed (not all mailboxes have passed, or the profile has not). */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control_commands.h"
#include "daemon/control_meant.h"
#include "daemon/json_member.h"
#include "daemon/remedy.h"
#include "daemon/service_private.h"
#include "daemon/sign_in.h"
#include "daemon/switch.h"
#include "daemon/test_run.h"

#include <stddef.h>
#include <string.h>
#include <sysexits.h>

struct test_request {
    struct control_request *request;
    struct service *service;
    struct test_run *run;
    bool enables;
    size_t mailboxes;
    size_t tested; /* of them: something has come of it */
    size_t failed;
    bool profile_failed;
    bool through; /* the run is */
    LIST_HEAD(, enabling) enablings;
};

/* A mailbox that has passed is switched on. Outlives the request when the client goes. */
struct enabling {
    struct switching switching;
    struct test_request *test; /* NULL: nobody waits any more */
    LIST_ENTRY(enabling) entries;
    json_t *outcome;
};

static void test_free(struct test_request *test)
{
    struct enabling *enabling;
    while ((enabling = LIST_FIRST(&test->enablings)) != NULL) {
        LIST_REMOVE(enabling, entries);
        enabling->test = NULL;
    }
    if (test->run != NULL)
        test_run_cancel(test->run);
    memory_free(test);
}

static void test_gone(void *state)
{
    test_free(state);
}

static void end_if_through(struct test_request *test)
{
    struct control_request *request = test->request;
    size_t failed = test->failed, mailboxes = test->mailboxes;
    bool gone = mailboxes > 0 && test->tested == 0;
    bool profile_failed = test->profile_failed;
    if (!test->through || !LIST_EMPTY(&test->enablings))
        return;
    test_free(test);
    if (failed > 0)
        control_fail(request, EX_UNAVAILABLE, "TestFailed", "%zu of %zu %s %s not passed the test",
                     failed, mailboxes, text_plural(mailboxes, "mailbox", "mailboxes"),
                     text_plural(failed, "has", "have"));
    else if (profile_failed)
        control_fail(request, EX_UNAVAILABLE, "TestFailed", "the profile has not passed the test");
    else if (gone)
        control_fail(request, EX_NOUSER, "NoSuchMailbox",
                     "nothing was tested: %s left the configuration meanwhile",
                     text_plural(mailboxes, "the mailbox has", "the mailboxes have"));
    else
        control_end(request);
}

/* --- what is told --- */

static json_t *error_of(const struct test_request *test, const char *profile, const char *address,
                        const struct test_step *step)
{
    const struct failure *failure = &step->failure;
    const struct profile *in_use = service_profile(test->service, profile);
    const struct remedy_place place = {
        .account = in_use == NULL ? NULL : in_use->config->username,
        .profile = profile,
        .url = in_use == NULL ? NULL : in_use->config->url,
        .mailbox = address,
        .scope = failure->scope,
    };
    struct buffer commands = {0}, remedy = {0};
    bool of_account = !failure->account_unasked;
    if (in_use != NULL && failure->category == FAILURE_AUTHENTICATION && of_account)
        sign_in_write_remedy(&remedy, in_use->config, failure->remedy, address);
    else if (failure->remedy != NULL)
        buffer_append_string(&remedy, failure->remedy);
    if (in_use != NULL && of_account)
        remedy_write_commands(&commands, failure->category, &place);
    json_t *error = json_object();
    json_set_text(error, "code", failure->code);
    json_set_text(error, "sentence", failure->sentence);
    json_set_text(error, "text", failure->text);
    json_set_text(error, "detail", step->detail);
    json_set_buffer(error, "remedy", &remedy);
    json_set_buffer(error, "commands", &commands);
    return error;
}

static json_t *time_of(int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    return json_string(text);
}

static void on_step(void *argument, const char *profile, const char *address,
                    const struct test_step *step)
{
    struct test_request *test = argument;
    bool failed = step->result == TEST_FAILED;
    test->profile_failed = test->profile_failed || (failed && address == NULL);
    control_reply(test->request,
                  json_pack("{s:s,s:s,s:s?,s:s,s:s,s:I,s:o,s:o,s:o,s:o}", "kind", "step", "profile",
                            profile, "address", address, "step", test_kind_name(step->kind),
                            "result", test_result_name(step->result), "milliseconds",
                            (json_int_t)step->elapsed_ms, "detail", json_text(step->detail),
                            "expires", step->has_expiry ? time_of(step->expires_ms) : json_null(),
                            "days_left",
                            step->has_expiry ? json_integer(step->days_left) : json_null(), "error",
                            failed ? error_of(test, profile, address, step) : json_null()));
}

/* --- mailboxes that are through --- */

/* Of the directions that are configured. */
static bool is_switched_off(const struct mailbox *mailbox)
{
    return (mailbox->incoming.switched_off && mailbox_is_configured(mailbox, CYCLE_INCOMING)) ||
           (mailbox->outgoing.switched_off && mailbox_is_configured(mailbox, CYCLE_OUTGOING));
}

static void tell_outcome(struct test_request *test, json_t *outcome, bool enabled, bool switched_on)
{
    const struct profile *profile =
        service_profile(test->service, json_string_value(json_object_get(outcome, "profile")));
    json_object_set_new(outcome, "paused", json_boolean(profile != NULL && profile->paused));
    json_object_set_new(outcome, "enabled", json_boolean(enabled));
    json_object_set_new(outcome, "switched_on", json_boolean(switched_on));
    control_reply(test->request, outcome);
}

static void switched(struct switching *switching, const struct failure *failure)
{
    struct enabling *enabling = (struct enabling *)switching;
    struct test_request *test = enabling->test;
    if (test == NULL) {
        json_decref(enabling->outcome);
        memory_free(enabling);
        return;
    }
    LIST_REMOVE(enabling, entries);
    tell_outcome(test, enabling->outcome, failure == NULL, failure == NULL && switching->changed);
    memory_free(enabling);
    end_if_through(test);
}

/* All of it, as exsyncctl enable does: what is not configured today may be tomorrow. */
static void enable(struct test_request *test, const struct mailbox *mailbox, json_t *outcome)
{
    struct enabling *enabling = memory_allocate(sizeof *enabling);
    enabling->test = test;
    enabling->outcome = outcome;
    enabling->switching = (struct switching){
        .service = test->service,
        .on = true,
        .user = control_user(test->request),
        .done = switched,
    };
    LIST_INSERT_HEAD(&test->enablings, enabling, entries);
    switch_mailbox(&enabling->switching, mailbox, STORE_INCOMING | STORE_OUTGOING);
}

/* What was in trouble is tried at once: the test has shown that it can be used. */
static void try_directions(struct service *service, struct mailbox *mailbox)
{
    if (mailbox->incoming.trouble != NULL)
        service_make_due(service, &mailbox->incoming);
    if (mailbox->outgoing.trouble != NULL)
        service_make_due(service, &mailbox->outgoing);
}

static void on_outcome(void *argument, const struct test_run_outcome *outcome)
{
    struct test_request *test = argument;
    struct mailbox *mailbox = service_mailbox(test->service, outcome->address);
    const struct test_step *cause = outcome->cause;
    json_t *told = json_pack(
        "{s:s,s:s,s:s,s:b,s:I,s:s?,s:o}", "kind", "outcome", "address", outcome->address, "profile",
        outcome->profile, "passed", outcome->passed, "milliseconds",
        (json_int_t)outcome->elapsed_ms, "step", cause == NULL ? NULL : test_kind_name(cause->kind),
        "error",
        cause == NULL ? json_null() : error_of(test, outcome->profile, outcome->address, cause));
    bool off = mailbox != NULL && is_switched_off(mailbox);
    test->tested++;
    test->failed += !outcome->passed;
    if (outcome->passed && mailbox != NULL)
        try_directions(test->service, mailbox);
    if (outcome->passed && off && test->enables)
        enable(test, mailbox, told);
    else
        tell_outcome(test, told, mailbox != NULL && !off, false);
}

static void go_on(struct control_request *request)
{
    const struct test_request *test = control_state(request);
    if (test->run != NULL)
        test_run_go_on(test->run);
}

/* One error takes about a kilobyte, and there may be ten thousand of them. */
static bool on_ready(void *argument)
{
    struct test_request *test = argument;
    if (control_ready(test->request))
        return true;
    control_on_ready(test->request, go_on);
    return false;
}

static void on_done(void *argument)
{
    struct test_request *test = argument;
    test->run = NULL;
    test->through = true;
    end_if_through(test);
}

/* --- the request --- */

static void fail_nothing(struct control_request *request, const char *address, const char *profile)
{
    if (address != NULL)
        control_fail_no_mailbox(request, address);
    else if (profile != NULL)
        control_fail_no_profile(request, profile);
    else
        control_fail(request, EX_NOUSER, "NoSuchMailbox", "no mailbox is configured");
}

static void start_test(struct control_request *request)
{
    const char *address = control_address(request, "address");
    const char *profile = control_text(request, "profile");
    bool all = control_flag(request, "all");
    if ((address != NULL) + (profile != NULL) + all != 1) {
        control_fail(request, EX_USAGE, "BadRequest",
                     "say which mailbox, or which profile, is to be tested, or all, one of them");
        return;
    }
    struct test_request *test = memory_allocate(sizeof *test);
    const struct test_run_options options = {
        .address = address,
        .profile = profile,
        .sends = !control_flag(request, "no_send"),
        .forced = control_flag(request, "sign_in"),
    };
    const struct test_run_events events = {.ready = on_ready,
                                           .step = on_step,
                                           .outcome = on_outcome,
                                           .done = on_done,
                                           .argument = test};
    test->request = request;
    test->service = control_service(request);
    test->enables = !control_flag(request, "no_enable");
    LIST_INIT(&test->enablings);
    test->run = test_run_start(test->service, &options, &events);
    if (test->run == NULL) {
        test_free(test);
        fail_nothing(request, address, profile);
        return;
    }
    test->mailboxes = test_run_mailboxes(test->run);
    control_keep(request, test, test_gone);
    control_reply(request, json_pack("{s:s,s:I,s:I}", "kind", "plan", "mailboxes",
                                     (json_int_t)test->mailboxes, "profiles",
                                     (json_int_t)test_run_profiles(test->run)));
}

const struct control_command control_test_commands[] = {
    {"test", start_test},
    {NULL, NULL},
};

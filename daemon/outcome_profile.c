/* Outcome: the profile, and its gate. */
#include "base/clock.h"
#include "base/text.h"
#include "daemon/alerts.h"
#include "daemon/backoff.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"

#include <inttypes.h>

enum {
    SIGN_IN_SECOND_MS = 60 * 1000,
    SIGN_IN_LATER_MS = 60 * 60 * 1000,
};

/* The first time since the start, or since a reload that changed how the server is reached. */
static void report_sign_in(const struct cycle *cycle)
{
    const struct config_profile *config = cycle->profile->config;
    struct log_fields fields = report_fields(cycle, MESSAGE_SIGNED_IN, NULL);
    fields.mailbox = NULL;
    log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
              "profile %s: signed in to %s as %s", config->name, config->url,
              config->username == NULL ? "the owner of the Kerberos ticket" : config->username);
}

void outcome_profile_succeeded(struct scheduler *scheduler, const struct direction *direction,
                               const struct cycle *cycle)
{
    struct profile *profile = cycle->profile;
    uint64_t closed_ms = profile->gate.closed_ms;
    profile->alike = 0;
    if (!profile->signed_in && profile->current) {
        profile->signed_in = true;
        report_sign_in(cycle);
    }
    if (gate_succeed(&profile->gate, direction->gate_generation)) {
        profile->tries = (struct backoff_tries){0};
        const struct log_fields fields = {.message_id = MESSAGE_PROFILE_RESUMED,
                                          .profile = profile->config->name};
        log_write(cycle->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: the server answers again, its mailboxes go on",
                  profile->config->name);
        if (executor_now(cycle->context->executor) - closed_ms > OUTCOME_OUTAGE_MS)
            profile->outages++;
        profile->resolved = false;
        scheduler_wake(scheduler);
    }
    /* What began before the gate closed says nothing about the failure that closed it, nor does a
     * profile that was replaced about the one in use. */
    if (!profile->resolved && profile->current && profile->gate.state == GATE_OPEN) {
        profile->resolved = true;
        alerts_resolve_profile(cycle);
    }
}

/* A refused sign-in is tried once more soon, in case a domain controller was in trouble, and then
 * once an hour, whatever is configured, so that the account is never locked out by us. */
static uint64_t profile_wait(struct profile *profile, struct failure *failure)
{
    const struct backoff backoff = profile_backoff(profile);
    uint32_t times = backoff_count(&profile->tries, failure, profile->config->transient_attempts);
    if (failure->category == FAILURE_AUTHENTICATION)
        return profile->gate.failures == 0 ? SIGN_IN_SECOND_MS : SIGN_IN_LATER_MS;
    return backoff_wait(&backoff, failure, times);
}

static void report_profile_failure(const struct cycle *cycle, const struct failure *failure,
                                   uint64_t wait, bool repeated)
{
    /* One that stays has an alert besides. */
    enum log_priority priority = failure->permanent ? LOG_PRIORITY_NOTICE : LOG_PRIORITY_WARNING;
    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    report_reason(reason, failure);
    report_next_try(next_try, wait);
    struct log_fields fields = report_fields(cycle, MESSAGE_PROFILE_FAILED, failure);
    fields.mailbox = NULL;
    log_write(cycle->context->log, repeated ? LOG_PRIORITY_INFO : priority, &fields,
              "profile %s: all its mailboxes wait: %s%s Seen with %s. %s",
              cycle->profile->config->name, reason, outcome_taken_note(&cycle->failure, failure),
              mailbox_address(cycle->mailbox), next_try);
}

void outcome_profile_failed(const struct direction *direction, const struct cycle *cycle)
{
    struct profile *profile = cycle->profile;
    struct failure failure = cycle->failure;
    const struct failure before = profile->gate.failure;
    if (!gate_can_close(&profile->gate, direction->gate_generation))
        return;
    uint64_t wait = profile_wait(profile, &failure);
    gate_close(&profile->gate, direction->gate_generation, &failure, wait);
    if (!profile->current)
        return; /* replaced, perhaps for that reason: nobody would resolve the failure any more */
    outcome_record(cycle, &failure, false, wait);
    report_profile_failure(cycle, &failure, wait, outcome_same_failure(&before, &failure));
}

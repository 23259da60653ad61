/* Outcome: the profile, and its gate. */
#include "base/clock.h"
#include "base/text.h"
#include "daemon/alerts.h"
#include "daemon/backoff.h"
#include "daemon/messages.h"
#include "daemon/outcome_private.h"
#include "daemon/report.h"
#include "daemon/sign_in.h"

#include <inttypes.h>

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
        sign_ins_accepted(cycle->context->sign_ins, profile->config);
        alerts_resolve_profile(cycle);
    }
}

/* Refused sign-ins wait as sign_in.h says, whatever is configured. */
static uint64_t profile_wait(struct profile *profile, struct failure *failure)
{
    const struct backoff backoff = profile_backoff(profile);
    uint32_t times = backoff_count(&profile->tries, failure, profile->config->transient_attempts);
    if (failure->category == FAILURE_AUTHENTICATION) {
        uint64_t wait =
            sign_ins_refused(profile->context->sign_ins, profile->config, clock_wall_ms());
        if (wait <= SIGN_IN_SECOND_MS)
            failure->permanent = false; /* the second try decides */
        return wait;
    }
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
    if (!profile->current) {
        /* Replaced, perhaps for that reason: nobody would resolve the failure any more, and what
         * was refused is not what the profile in use signs in with. */
        gate_close(&profile->gate, direction->gate_generation, &failure, SIGN_IN_LATER_MS);
        return;
    }
    uint64_t wait = profile_wait(profile, &failure);
    gate_close(&profile->gate, direction->gate_generation, &failure, wait);
    outcome_record(cycle, &failure, false, wait);
    report_profile_failure(cycle, &failure, wait, outcome_same_failure(&before, &failure));
}

/* --- sign-ins that were refused before --- */

/* As it was told when the server refused it: the first time may pass, the second try decides. */
static struct failure refused_before(const struct store_sign_in *sign_in)
{
    struct failure failure = {
        .category = FAILURE_AUTHENTICATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .permanent = sign_in->refused > 1,
        .http_status = 401,
        .sentence = "The server did not accept the account's credentials.",
        .remedy = "Check the account and the password of the profile: wrong, expired, locked, or "
                  "not allowed to use the service.",
    };
    failure_set_code(&failure, "HTTP 401");
    failure_set_step(&failure, "sign-in");
    return failure;
}

static void report_refused_before(const struct profile *profile,
                                  const struct store_sign_in *sign_in, uint64_t wait)
{
    char last[CLOCK_TEXT_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    clock_format_utc(sign_in->last_ms - sign_in->last_ms % 1000, last);
    report_next_try(next_try, wait);
    const struct log_fields fields = {.message_id = MESSAGE_PROFILE_FAILED,
                                      .profile = profile->config->name,
                                      .code = profile->gate.failure.code};
    log_write(profile->context->log, LOG_PRIORITY_WARNING, &fields,
              "profile %s: all its mailboxes wait: the server has refused its account %" PRIu32
              " %s, the last time at %s, and neither the account nor its password has changed "
              "since. %s",
              profile->config->name, sign_in->refused,
              text_plural(sign_in->refused, "time", "times"), last, next_try);
}

void outcome_profile_begins(struct profile *profile)
{
    const struct store_sign_in sign_in =
        sign_ins_recall(profile->context->sign_ins, profile->config);
    if (sign_in.refused == 0)
        return;
    const struct failure failure = refused_before(&sign_in);
    uint64_t wait = sign_in_wait(&sign_in, clock_wall_ms());
    gate_close(&profile->gate, profile->gate.generation, &failure, wait);
    report_refused_before(profile, &sign_in, wait);
}

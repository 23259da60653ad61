#include "daemon/orphan_report.h"

#include "base/clock.h"
#include "base/shell_word.h"
#include "base/text.h"
#include "daemon/cycle.h"
#include "daemon/messages.h"

#include <inttypes.h>

static const char *const causes[] = {
    [ORPHANS_OUTGOING_OFF] = "the mailbox has outgoing = no",
    [ORPHANS_NOT_CONFIGURED] = "the mailbox is not in the configuration",
    [ORPHANS_DISABLED] = "an administrator has disabled outgoing mail of the mailbox",
};

static const char *const remedies[] = {
    [ORPHANS_OUTGOING_OFF] =
        "Give the mailbox outgoing = yes again; what has been queued for 5 days is put into the "
        "outbox's folder failed.",
    [ORPHANS_NOT_CONFIGURED] =
        "Give it a section with outgoing = yes again, or name it in renamed_from of the mailbox "
        "that it has become; what has been queued for 5 days is put into the outbox's folder "
        "failed.",
    [ORPHANS_DISABLED] =
        "What has been queued for 5 days by then is put into the outbox's folder failed.",
};

static const char *const codes[] = {
    [ORPHANS_OUTGOING_OFF] = "OutgoingOff",
    [ORPHANS_NOT_CONFIGURED] = "NotConfigured",
    [ORPHANS_DISABLED] = "Disabled",
};

/* What is behind it, and for an administrator's own act the command that ends it. */
static void write_cause(struct failure *failure, const struct orphan *orphan)
{
    struct buffer word = {0};
    shell_word_append(&word, orphan->address);
    if (orphan->cause == ORPHANS_DISABLED)
        failure_format_text(failure, "%s; exsyncctl enable %s --outgoing lets it send again",
                            causes[orphan->cause], buffer_string(&word));
    else
        failure_format_text(failure, "%s", causes[orphan->cause]);
    buffer_release(&word);
}

void orphan_report_record(const struct context *context, const struct orphan *orphan)
{
    struct store_failure row = {
        .failure = {.category = FAILURE_CONFIGURATION,
                    .scope = FAILURE_SCOPE_MAILBOX,
                    .permanent = true,
                    .sentence = "Queued messages cannot be sent.",
                    .remedy = remedies[orphan->cause]},
        .profile = orphan->profile,
        .mailbox = orphan->mailbox,
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    failure_set_code(&row.failure, codes[orphan->cause]);
    failure_set_step(&row.failure, "send");
    write_cause(&row.failure, orphan);
    store_failure_record(context->store, &row, NULL, NULL);
    const struct log_fields fields = {.message_id = MESSAGE_ORPHANS,
                                      .profile = orphan->profile,
                                      .mailbox = orphan->address,
                                      .direction = row.direction,
                                      .step = row.failure.step,
                                      .code = row.failure.code};
    log_write(context->log, LOG_PRIORITY_WARNING, &fields,
              "%" PRIu64 " %s of %s %s queued so far and cannot be sent: %s. %s", orphan->waiting,
              text_plural(orphan->waiting, "message", "messages"), orphan->address,
              text_plural(orphan->waiting, "is", "are"), row.failure.text, remedies[orphan->cause]);
}

void orphan_report_resolve(const struct context *context, const struct orphan *orphan, bool sends)
{
    const struct log_fields fields = {.message_id = MESSAGE_ORPHANS,
                                      .profile = orphan->profile,
                                      .mailbox = orphan->address,
                                      .direction = cycle_direction_name(CYCLE_OUTGOING)};
    if (sends)
        log_write(context->log, LOG_PRIORITY_NOTICE, &fields, "%s: the queued messages go on",
                  orphan->address);
    store_failure_resolve(context->store, orphan->profile, orphan->mailbox,
                          cycle_direction_name(CYCLE_OUTGOING), clock_wall_ms(), NULL, NULL, NULL);
}

const char *orphan_report_cause(enum orphans_cause cause)
{
    return causes[cause];
}

#include "daemon/submission_report.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/alerts.h"
#include "daemon/failed_file.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/report.h"
#include "mail/outbox.h"

/* The alert names this message, whatever the cycle was at last. */
static void record_submission(struct cycle *cycle, const struct submission *submission,
                              const struct failure *failure, int64_t next_retry_ms)
{
    const char *last = cycle->subject;
    struct store_failure row = report_row(cycle, failure, next_retry_ms);
    row.submission = submission->row.id;
    row.attempts = submission->row.attempts;
    cycle->subject = submission->row.subject;
    alerts_record(cycle, &row, NULL, NULL);
    cycle->subject = last;
}

void submission_report_failed(struct cycle *cycle, const struct submission *submission,
                              const struct failure *failure)
{
    char reason[REPORT_REASON_SIZE];
    record_submission(cycle, submission, failure, INT64_MAX);
    report_reason(reason, failure);
    char *path = failed_file_path(outbox_directory(cycle->context->outbox), submission->row.id);
    const struct log_fields fields = report_fields(cycle, MESSAGE_SUBMISSION_FAILED, failure);
    log_write(cycle->context->log, LOG_PRIORITY_ERROR, &fields,
              "%s: the message \"%s\" was not sent and %s%s: %s", mailbox_address(cycle->mailbox),
              submission->row.subject,
              submission->lost ? "is lost: there is no file " : "waits for a person in ", path,
              reason);
    memory_free(path);
}

void submission_report_sender_not_told(struct cycle *cycle, const struct submission *submission,
                                       const struct failure *failure)
{
    char reason[REPORT_REASON_SIZE];
    report_reason(reason, failure);
    const struct log_fields fields = report_fields(cycle, MESSAGE_SENDER_NOT_TOLD, failure);
    log_write(cycle->context->log, LOG_PRIORITY_WARNING, &fields,
              "%s: no notification tells that the message \"%s\" was not sent: %s",
              mailbox_address(cycle->mailbox), submission->row.subject, reason);
}

void submission_report_waits(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms)
{
    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    record_submission(cycle, submission, failure, clock_wall_ms() + (int64_t)wait_ms);
    report_reason(reason, failure);
    report_next_try(next_try, wait_ms);
    const struct log_fields fields = report_fields(cycle, MESSAGE_SUBMISSION_WAITS, failure);
    log_write(cycle->context->log,
              submission->row.attempts <= 1 ? LOG_PRIORITY_WARNING : LOG_PRIORITY_INFO, &fields,
              "%s: the message \"%s\" %s: %s The others go on. %s", mailbox_address(cycle->mailbox),
              submission->row.subject,
              failure->in_doubt ? "may have been sent, which is found out before anything else"
                                : "was not sent yet",
              reason, next_try);
}

void submission_report_stray(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms)
{
    char reason[REPORT_REASON_SIZE], next_try[REPORT_NEXT_TRY_SIZE];
    bool stays = submission->row.stray;
    report_reason(reason, failure);
    report_next_try(next_try, wait_ms);
    const struct log_fields fields = report_fields(cycle, MESSAGE_STRAY_DRAFT, failure);
    log_write(cycle->context->log, stays ? LOG_PRIORITY_INFO : LOG_PRIORITY_WARNING, &fields,
              "%s: a draft too many of the message \"%s\" may be in Drafts: %s %s",
              mailbox_address(cycle->mailbox), submission->row.subject, reason,
              stays ? next_try : "It is left to its owner.");
}

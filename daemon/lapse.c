#include "daemon/lapse.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/failed_file.h"
#include "daemon/messages.h"
#include "daemon/report.h"
#include "mail/outbox.h"
#include "store/store_actions.h"

enum { LAPSE_BATCH = 100 };

static void lapse_next(struct lapse *lapse);

void lapse_release(struct lapse *lapse)
{
    submission_list_release(&lapse->list);
    buffer_release(&lapse->reason);
}

static void finish(struct lapse *lapse, const struct failure *failure)
{
    lapse_release(lapse);
    lapse->done(lapse, failure);
}

static void go_on(struct lapse *lapse)
{
    lapse->next++;
    lapse_next(lapse);
}

/* All of the list that may be put aside is. */
static void over(struct lapse *lapse)
{
    if (!lapse->more || lapse->put_aside == 0 || !lapse->goes_on(lapse)) {
        finish(lapse, NULL);
        return;
    }
    lapse_release(lapse);
    lapse_start(lapse);
}

/* --- why --- */

static void explain(struct lapse *lapse, const struct submission *submission)
{
    bool in_doubt = submission_may_have_been_sent(&submission->row);
    lapse->failure = (struct failure){
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_ITEM,
        .permanent = true,
        .in_doubt = in_doubt,
        .sentence = in_doubt ? "It is not known whether the message was sent."
                             : "The message was in the queue for more than 5 days.",
        .remedy = in_doubt ? "Look for it in Sent Items and in Drafts; if it is in neither, submit "
                             "it again when the mailbox has outgoing = yes."
                           : "Submit it again when the mailbox has outgoing = yes.",
    };
    failure_set_code(&lapse->failure, "QueuedTooLong");
    failure_set_step(&lapse->failure, "send");
    failure_format_text(&lapse->failure, "%s", lapse->because);
    buffer_clear(&lapse->reason);
    report_explain(&lapse->reason, &lapse->failure);
    submission_append_bcc(submission, &lapse->reason);
}

static void report(const struct lapse *lapse, const struct submission *submission)
{
    const struct context *context = lapse->context;
    const struct store_failure row = {
        .failure = lapse->failure,
        .profile = lapse->profile,
        .mailbox = lapse->mailbox,
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .submission = submission->row.id,
        .attempts = submission->row.attempts,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    char reason[REPORT_REASON_SIZE];
    report_reason(reason, &lapse->failure);
    store_failure_record(context->store, &row, NULL, NULL);
    char *path = failed_file_path(outbox_directory(context->outbox), submission->row.id);
    const struct log_fields fields = {.message_id = MESSAGE_SUBMISSION_FAILED,
                                      .profile = lapse->profile,
                                      .mailbox = lapse->address,
                                      .direction = row.direction,
                                      .step = lapse->failure.step,
                                      .code = lapse->failure.code};
    log_write(
        context->log, LOG_PRIORITY_ERROR, &fields,
        "%s: the message \"%s\" was not sent and %s%s: %s", lapse->address, submission->row.subject,
        submission->lost ? "is lost: there is no file " : "waits for a person in ", path, reason);
    memory_free(path);
}

/* --- 4: the store learns that it is there --- */

static void settled(void *argument, const struct failure *failure)
{
    struct lapse *lapse = argument;
    if (failure != NULL) {
        finish(lapse, failure);
        return;
    }
    if (lapse->changed) { /* else removals_finish has done it */
        report(lapse, &lapse->list.items[lapse->next]);
        lapse->put_aside++;
        lapse->total++;
    }
    go_on(lapse);
}

/* --- 3: its file is put aside --- */

static void refused(void *argument, const struct failure *failure)
{
    struct lapse *lapse = argument;
    struct submission *submission = &lapse->list.items[lapse->next];
    const struct store_submission *row = &submission->row;
    if (failure != NULL && !failure->gone) { /* the disk: the rest waits, too */
        finish(lapse, failure);
        return;
    }
    submission->lost = failure != NULL;
    store_queue_removed(lapse->context->store, lapse->mailbox, row->id,
                        row->stray || submission_may_have_a_draft(row), clock_wall_ms(),
                        &lapse->changed, settled, lapse);
}

/* --- 2: each is marked --- */

static void marked(void *argument, const struct failure *failure)
{
    struct lapse *lapse = argument;
    if (failure != NULL)
        finish(lapse, failure);
    else if (!lapse->changed) /* an administrator holds or removes it */
        go_on(lapse);
    else
        outbox_refuse(lapse->context->outbox, lapse->list.items[lapse->next].row.id,
                      buffer_string(&lapse->reason), refused, lapse);
}

static void lapse_next(struct lapse *lapse)
{
    if (lapse->next == lapse->list.count || !lapse->goes_on(lapse)) {
        over(lapse);
        return;
    }
    const struct submission *submission = &lapse->list.items[lapse->next];
    explain(lapse, submission);
    store_queue_lapsed(lapse->context->store, lapse->mailbox, submission->row.id,
                       buffer_string(&lapse->reason), clock_wall_ms(), &lapse->changed, marked,
                       lapse);
}

/* --- 1: they are read --- */

static void loaded(void *argument, const struct failure *failure,
                   const struct store_submissions *submissions)
{
    struct lapse *lapse = argument;
    if (failure != NULL) {
        finish(lapse, failure);
        return;
    }
    submission_list_fill(&lapse->list, submissions);
    lapse->more = submissions->more;
    lapse_next(lapse);
}

void lapse_start(struct lapse *lapse)
{
    lapse->next = lapse->put_aside = 0;
    store_submissions_lapsed(lapse->context->store, lapse->mailbox,
                             clock_wall_ms() - SUBMISSION_LIFETIME_MS, LAPSE_BATCH, loaded, lapse);
}

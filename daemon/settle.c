#include "daemon/settle.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/backoff.h"
#include "daemon/mailbox.h"
#include "daemon/profile.h"
#include "daemon/submission_report.h"
#include "mail/outbox.h"

#include <assert.h>

static void settle_next(struct settler *settler);

static void settle_finish(struct settler *settler, const struct failure *failure)
{
    for (size_t i = 0; i < settler->stray_count; i++)
        memory_free(settler->strays[i]);
    memory_free(settler->strays);
    settler->strays = NULL;
    settler->stray_count = 0;
    settler->done(settler, failure);
}

/* Waits that grow with the age of what is waited for. */
static uint64_t growing_wait(const struct settler *settler, const struct submission *submission)
{
    const struct config_profile *config = settler->cycle->profile->config;
    int64_t age = clock_wall_ms() - submission->row.doubt_since_ms;
    uint64_t wait = age > 0 ? (uint64_t)age / 2 : 0;
    if (wait < config->retry_min_ms)
        wait = config->retry_min_ms;
    return wait < config->retry_max_ms ? wait : config->retry_max_ms;
}

static void begin_doubt(struct submission *submission)
{
    if (submission->row.doubt_since_ms == 0)
        submission->row.doubt_since_ms = clock_wall_ms();
}

static bool is_past_window(const struct settler *settler, const struct submission *submission)
{
    int64_t window = (int64_t)settler->cycle->profile->config->doubt_window_ms;
    return clock_wall_ms() - submission->row.doubt_since_ms >= window;
}

/* The store knows it: the files of those that were sent are not needed any more. */
static void remove_files(struct settler *settler)
{
    for (size_t i = 0; i < settler->asked_count; i++) {
        if (settler->asked[i]->row.state == STORE_SUBMISSION_SENT)
            outbox_remove(settler->cycle->context->outbox, settler->asked[i]->row.id, NULL, NULL);
    }
}

static void settle_saved(void *argument, const struct failure *failure)
{
    struct settler *settler = argument;
    const struct failure cancelled = failure_cancelled();
    settler->waiting = false;
    if (failure == NULL)
        remove_files(settler);
    if (settler->cancelled)
        failure = &cancelled;
    if (failure != NULL)
        settle_finish(settler, failure);
    else
        settle_next(settler);
}

static void settle_save(struct settler *settler)
{
    settler->waiting = true;
    submission_list_save(settler->list, settler->cycle, settle_saved, settler);
}

/* --- removing stray drafts --- */

static void strays_removed(void *argument, const struct failure *failure,
                           const struct failure *failures, size_t count)
{
    (void)failures, (void)count; /* what stays is looked for again, see note_strays */
    struct settler *settler = argument;
    settler->operation = NULL;
    for (size_t i = 0; i < settler->stray_count; i++)
        memory_free(settler->strays[i]);
    settler->stray_count = 0;
    if (failure != NULL)
        settle_finish(settler, failure);
    else
        settle_save(settler);
}

static void remove_strays(struct settler *settler)
{
    const struct cycle *cycle = settler->cycle;
    if (settler->stray_count == 0) {
        settle_save(settler);
        return;
    }
    settler->operation = backend_acknowledge_start(
        cycle->profile->backend, &cycle->target, BACKEND_PURGE, NULL,
        (const char *const *)settler->strays, settler->stray_count, strays_removed, settler);
}

/* --- searching for submission ids --- */

/* What the matches say of one submission. */
struct finding {
    const char *draft; /* not submitted; the first of them */
    const char *submitted;
    bool sent;
    size_t drafts;
};

static struct finding find(const struct backend_match *matches, size_t count, size_t index)
{
    struct finding finding = {0};
    for (size_t i = 0; i < count; i++) {
        if (matches[i].index != index)
            continue;
        if (matches[i].place == BACKEND_IN_SENT_ITEMS) {
            finding.sent = true;
        } else if (matches[i].submitted || matches[i].place == BACKEND_IN_OUTBOX) {
            finding.submitted = matches[i].reference;
        } else {
            finding.drafts++;
            if (finding.draft == NULL)
                finding.draft = matches[i].reference;
        }
    }
    return finding;
}

/* All drafts of the submission but `keep` are to be removed. */
static void note_strays(struct settler *settler, const struct backend_match *matches, size_t count,
                        size_t index, const char *keep)
{
    for (size_t i = 0; i < count; i++) {
        const struct backend_match *match = &matches[i];
        if (match->index != index || match->place != BACKEND_IN_DRAFTS || match->submitted ||
            match->reference == keep)
            continue;
        settler->strays =
            memory_resize(settler->strays, (settler->stray_count + 1) * sizeof *settler->strays);
        settler->strays[settler->stray_count++] = memory_copy_string(match->reference);
    }
}

static void is_sent(struct settler *settler, struct submission *submission)
{
    cycle_count_moved(settler->cycle, submission->row.size);
    submission->row.doubt_since_ms = 0;
    submission_set_state(submission, STORE_SUBMISSION_SENT);
    submission_set_reference(submission, NULL);
    submission->settled = true;
}

/* Returns the draft that is kept. */
static const char *settle_creating(struct settler *settler, struct submission *submission,
                                   const struct finding *finding)
{
    if (finding->sent) {
        is_sent(settler, submission);
        return NULL;
    }
    const char *found = finding->submitted != NULL ? finding->submitted : finding->draft;
    if (found == NULL) {
        /* The request may still be on its way: what it makes is looked for once this is sent. */
        submission->row.stray = true;
        submission->row.doubt_since_ms = 0;
        submission_set_state(submission, STORE_SUBMISSION_QUEUED);
        return NULL;
    }
    submission->row.doubt_since_ms = 0;
    /* Submitted: once it is gone it was sent, even when no copy is left to be found. */
    submission_set_state(submission, finding->submitted != NULL ? STORE_SUBMISSION_SENDING
                                                                : STORE_SUBMISSION_CREATED);
    submission_set_reference(submission, found);
    return finding->submitted != NULL ? NULL : found;
}

static void settle_doubtful(struct settler *settler, struct submission *submission,
                            const struct finding *finding)
{
    if (finding->sent || finding->submitted != NULL) {
        is_sent(settler, submission);
        return;
    }
    begin_doubt(submission);
    if (is_past_window(settler, submission))
        settler->give_up(settler, submission);
    else
        submission_wait(submission, growing_wait(settler, submission));
}

static void settle_stray(struct settler *settler, struct submission *submission,
                         const struct finding *finding)
{
    /* Found and removed: looked for once more, in case that failed. One that cannot be removed is
     * left to its owner after a while. */
    if (finding->drafts > 0)
        begin_doubt(submission);
    submission->row.stray = finding->drafts > 0 && !is_past_window(settler, submission);
    submission->changed = true;
    if (submission->row.stray)
        submission_wait(submission, growing_wait(settler, submission));
    submission->settled = true;
}

static void searched(void *argument, const struct failure *failure,
                     const struct backend_match *matches, size_t count)
{
    struct settler *settler = argument;
    settler->operation = NULL;
    if (failure != NULL) {
        settle_finish(settler, failure);
        return;
    }
    for (size_t i = 0; i < settler->asked_count; i++) {
        struct submission *submission = settler->asked[i];
        const struct finding finding = find(matches, count, i);
        const char *keep = NULL;
        if (submission->row.state == STORE_SUBMISSION_CREATING)
            keep = settle_creating(settler, submission, &finding);
        else if (submission->row.state == STORE_SUBMISSION_DOUBTFUL)
            settle_doubtful(settler, submission, &finding);
        else
            settle_stray(settler, submission, &finding);
        note_strays(settler, matches, count, i, keep);
    }
    remove_strays(settler);
}

static bool needs_search(const struct submission *submission)
{
    return !submission->settled && (submission->row.state == STORE_SUBMISSION_CREATING ||
                                    submission->row.state == STORE_SUBMISSION_DOUBTFUL ||
                                    submission->row.state == STORE_SUBMISSION_SENT ||
                                    submission->row.state == STORE_SUBMISSION_FAILED);
}

static void start_search(struct settler *settler)
{
    const struct cycle *cycle = settler->cycle;
    const char *ids[BACKEND_SEARCH_MAX];
    for (size_t i = 0; i < settler->asked_count; i++)
        ids[i] = settler->asked[i]->row.id;
    settler->operation = backend_search_start(cycle->profile->backend, &cycle->target, ids,
                                              settler->asked_count, searched, settler);
}

/* --- looking at drafts --- */

/* Its draft cannot be looked at. */
static void found_out_nothing(struct settler *settler, struct submission *submission,
                              const struct failure *failure)
{
    begin_doubt(submission);
    submission->row.attempts++;
    uint64_t wait = growing_wait(settler, submission);
    submission_wait(submission, wait);
    submission_report_waits(settler->cycle, submission, failure, wait);
}

static void settle_created(struct settler *settler, struct submission *submission,
                           const struct backend_looked *looked)
{
    switch (looked->state) {
    case BACKEND_DRAFT_GONE:
        if (submission->row.state == STORE_SUBMISSION_SENDING) {
            is_sent(settler, submission);
            break;
        }
        /* Somebody has removed or moved it: searched for by the next cycle, which comes at once the
         * first time. */
        submission_set_state(submission, STORE_SUBMISSION_CREATING);
        submission_set_reference(submission, NULL);
        submission_wait(submission,
                        submission->row.attempts++ == 0 ? 0 : growing_wait(settler, submission));
        break;
    case BACKEND_DRAFT_SUBMITTED:
        submission_set_state(submission, STORE_SUBMISSION_SENDING);
        begin_doubt(submission);
        submission_wait(submission, growing_wait(settler, submission));
        break;
    case BACKEND_DRAFT_WAITING:
        /* Sending was asked for: should the draft be gone when it is asked again, it was sent. */
        if (submission->row.state == STORE_SUBMISSION_SENDING)
            begin_doubt(submission);
        submission_set_reference(submission, looked->reference);
        break;
    case BACKEND_DRAFT_UNKNOWN:
        found_out_nothing(settler, submission, &looked->failure);
        break;
    }
}

static void looked(void *argument, const struct failure *failure, const struct backend_looked *all,
                   size_t count)
{
    struct settler *settler = argument;
    settler->operation = NULL;
    if (failure != NULL) {
        settle_finish(settler, failure);
        return;
    }
    for (size_t i = 0; i < settler->asked_count && i < count; i++)
        settle_created(settler, settler->asked[i], &all[i]);
    settle_save(settler);
}

static bool needs_look(const struct submission *submission)
{
    return !submission->settled && (submission->row.state == STORE_SUBMISSION_CREATED ||
                                    submission->row.state == STORE_SUBMISSION_SENDING);
}

static void start_look(struct settler *settler)
{
    const struct cycle *cycle = settler->cycle;
    const char *references[SETTLE_LOOK_MAX];
    for (size_t i = 0; i < settler->asked_count; i++)
        references[i] = settler->asked[i]->row.reference;
    settler->operation = backend_look_start(cycle->profile->backend, &cycle->target, references,
                                            settler->asked_count, looked, settler);
}

/* --- one after the other --- */

static void choose(struct settler *settler, bool (*needs)(const struct submission *submission),
                   size_t most)
{
    settler->asked_count = 0;
    for (; settler->next < settler->list->count && settler->asked_count < most; settler->next++) {
        struct submission *submission = &settler->list->items[settler->next];
        if (needs(submission))
            settler->asked[settler->asked_count++] = submission;
    }
}

static void settle_next(struct settler *settler)
{
    if (!settler->looking) {
        choose(settler, needs_search, BACKEND_SEARCH_MAX);
        if (settler->asked_count > 0) {
            start_search(settler);
            return;
        }
        settler->looking = true;
        settler->next = 0;
    }
    choose(settler, needs_look, SETTLE_LOOK_MAX);
    if (settler->asked_count > 0)
        start_look(settler);
    else
        settle_finish(settler, NULL);
}

void settler_start(struct settler *settler)
{
    settle_next(settler);
}

void settler_cancel(struct settler *settler)
{
    const struct failure cancelled = failure_cancelled();
    settler->cancelled = true;
    if (settler->operation != NULL) {
        backend_cancel(settler->operation);
        settler->operation = NULL;
        settle_finish(settler, &cancelled);
    } else {
        assert(settler->waiting);
    }
}

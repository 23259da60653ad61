#include "daemon/verification.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/finding.h"
#include "daemon/profile.h"
#include "daemon/rebuild.h"
#include "daemon/recover.h"
#include "daemon/service_private.h"

#include <stdlib.h>
#include <string.h>

static void list_submissions(struct verification *verification);
static void search_next(struct verification *verification);

static const struct context *context_of(const struct verification *verification)
{
    return &verification->service->context;
}

/* --- the end --- */

static void release(struct verification *verification)
{
    for (unsigned i = 0; i < verification->claimed; i++)
        claim_end(&verification->claims[i], verification->repaired);
    verification->claimed = 0;
    sink_free(verification->sink); /* a job that is at work does not tell the listing any more */
    if (verification->listing != NULL)
        sink_list_end(verification->listing);
    memory_free(verification->sink_path);
    memory_free(verification->listing);
    memory_free(verification->files_page);
    submission_list_release(&verification->list);
    restoration_ids_release(&verification->queue);
    restoration_ids_release(&verification->failed);
}

static void ended(void *argument)
{
    struct verification *verification = argument;
    const struct failure failure =
        verification->cancelled ? failure_cancelled() : verification->failure;
    release(verification);
    verification->done(verification, failure_is_set(&failure) ? &failure : NULL);
}

/* The one way out; from wherever it is. */
static void finish(struct verification *verification, const struct failure *failure)
{
    struct executor *executor = context_of(verification)->executor;
    if (failure != NULL)
        verification->failure = *failure;
    executor_cancel_call(executor, &verification->end);
    executor_defer(executor, &verification->end, ended, verification);
}

/* The store, the outbox or the disk has answered: true when it is over. */
static bool over(struct verification *verification, const struct failure *failure)
{
    verification->waiting_for_answer = false;
    if (failure == NULL && !verification->cancelled)
        return false;
    finish(verification, failure);
    return true;
}

void verification_cancel(struct verification *verification)
{
    verification->cancelled = true;
    if (verification->waiting_for_answer)
        return;
    if (verification->operation != NULL)
        backend_cancel(verification->operation);
    verification->operation = NULL;
    finish(verification, NULL);
}

bool verification_differs(const struct verification *verification)
{
    return verification->incoming.unknown + verification->incoming.failed + verification->sent +
               verification->drafted + verification->missing >
           0;
}

/* --- 5: repair --- */

static void repaired(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    struct mailbox *mailbox = verification->mailbox;
    if (failure == NULL) {
        verification->repaired = true;
        mailbox->unchecked = true;
        verification->service->unchecked = true;
        mailbox->check_from_ms = 0;
        mailbox->check_above = 0;
        mailbox->sink_checked = false;
    }
    if (!over(verification, failure))
        finish(verification, NULL);
}

static void failed_listed(void *argument, const struct failure *failure,
                          const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct verification *verification = argument;
    if (over(verification, failure != NULL && failure->gone ? NULL : failure))
        return;
    restoration_ids_keep(&verification->failed, ids, failure == NULL ? count : 0);
    verification->restoration = (struct store_restoration){
        .mailbox = verification->mailbox->id.number,
        .queued = verification->queue.pointers,
        .queued_count = verification->queue.count,
        .failed = verification->failed.pointers,
        .failed_count = verification->failed.count,
        .now_ms = clock_wall_ms(),
    };
    verification->waiting_for_answer = true;
    store_restore(context_of(verification)->store, &verification->restoration, repaired,
                  verification);
}

static void repair_or_finish(struct verification *verification)
{
    if (!verification->repair || !verification_differs(verification)) {
        finish(verification, NULL);
        return;
    }
    verification->waiting_for_answer = true;
    outbox_list(context_of(verification)->outbox, OUTBOX_IN_FAILED, failed_listed, verification);
}

/* --- 4: what is to be sent, and what Exchange has of it --- */

static bool is_to_be_sent(const struct submission *submission)
{
    return submission->row.state == STORE_SUBMISSION_QUEUED;
}

static void searched(void *argument, const struct failure *failure,
                     const struct backend_match *matches, size_t count)
{
    struct verification *verification = argument;
    verification->operation = NULL;
    if (failure != NULL) {
        finish(verification, failure);
        return;
    }
    for (size_t i = 0; i < verification->asked_count; i++) {
        const struct finding finding = finding_of(matches, count, i);
        if (finding.sent || finding.submitted != NULL)
            verification->sent++;
        else if (finding.drafts > 0 && !verification->asked[i]->row.stray)
            verification->drafted++;
    }
    search_next(verification);
}

static void search_next(struct verification *verification)
{
    const char *ids[BACKEND_SEARCH_MAX];
    verification->asked_count = 0;
    for (; verification->next < verification->list.count &&
           verification->asked_count < BACKEND_SEARCH_MAX;
         verification->next++) {
        struct submission *submission = &verification->list.items[verification->next];
        if (!is_to_be_sent(submission))
            continue;
        ids[verification->asked_count] = submission->row.id;
        verification->asked[verification->asked_count++] = submission;
    }
    if (verification->asked_count == 0) {
        repair_or_finish(verification);
        return;
    }
    verification->operation =
        backend_search_start(verification->cycle.profile->backend, &verification->cycle.target, ids,
                             verification->asked_count, searched, verification);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Behind the rows: what is queued meanwhile has a file and is not among them. */
static void queue_listed(void *argument, const struct failure *failure,
                         const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct verification *verification = argument;
    if (over(verification, failure != NULL && failure->gone ? NULL : failure))
        return;
    restoration_ids_keep(&verification->queue, ids, failure == NULL ? count : 0);
    for (size_t i = 0; i < verification->list.count; i++) {
        const struct submission *submission = &verification->list.items[i];
        if (is_to_be_sent(submission) &&
            (verification->queue.count == 0 ||
             bsearch(submission->row.id, verification->queue.ids, verification->queue.count,
                     sizeof *verification->queue.ids, compare_ids) == NULL))
            verification->missing++;
    }
    search_next(verification);
}

static void submissions_listed(void *argument, const struct failure *failure,
                               const struct store_submissions *submissions)
{
    struct verification *verification = argument;
    if (over(verification, failure))
        return;
    submission_list_fill(&verification->list, submissions);
    verification->waiting = verification->list.count;
    verification->waiting_for_answer = true;
    outbox_list(context_of(verification)->outbox, OUTBOX_IN_QUEUE, queue_listed, verification);
}

static void list_submissions(struct verification *verification)
{
    verification->waiting_for_answer = true;
    store_submissions_lapsed(context_of(verification)->store, verification->mailbox->id, INT64_MAX,
                             VERIFICATION_OPEN_MAX, submissions_listed, verification);
}

/* --- 3: the Maildir --- */

static void compared(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    if (over(verification, failure))
        return;
    if (verification->listing->more)
        sink_list_start(verification->sink, verification->listing);
    else
        list_submissions(verification);
}

static void listed(struct sink_listing *listing)
{
    struct verification *verification = listing->argument;
    if (verification->cancelled) /* its end is on its way */
        return;
    if (failure_is_set(&listing->failure)) {
        finish(verification, &listing->failure);
        return;
    }
    verification->files += listing->count;
    rebuild_fill(verification->files_page, listing);
    verification->waiting_for_answer = true;
    store_ledger_compare(context_of(verification)->store, verification->mailbox->id,
                         verification->files_page, listing->count, &verification->incoming,
                         compared, verification);
}

/* The ledger forgets what has left the folder long ago: older files tell nothing. */
static int64_t oldest_known_ms(const struct verification *verification)
{
    const struct config *config = verification->service->configuration->config;
    return clock_wall_ms() - (int64_t)config->ledger_keep_ms;
}

static void list_files(struct verification *verification, const char *maildir)
{
    verification->sink = recovery_create_sink(&verification->cycle, maildir);
    verification->files_page = memory_allocate_array(SINK_LIST_MAX, sizeof(struct store_published));
    verification->listing = memory_allocate(sizeof *verification->listing);
    verification->listing->since_ms = oldest_known_ms(verification);
    verification->listing->done = listed;
    verification->listing->argument = verification;
    sink_list_start(verification->sink, verification->listing);
}

/* Before it was set up where it is configured, nothing was delivered there. */
static void sink_known(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    if (over(verification, failure))
        return;
    char *maildir = config_maildir_path(verification->mailbox->config);
    if (verification->sink_path != NULL && strcmp(verification->sink_path, maildir) == 0)
        list_files(verification, maildir);
    else
        list_submissions(verification);
    memory_free(maildir);
}

/* --- 2: nothing works on it --- */

static void begin(struct verification *verification)
{
    struct mailbox *mailbox = verification->mailbox;
    cycle_init(&verification->cycle, context_of(verification), mailbox, CYCLE_OUTGOING, NULL, NULL);
    verification->unchecked = mailbox->unchecked;
    if (!mailbox_is_configured(mailbox, CYCLE_INCOMING) || mailbox->unchecked) {
        list_submissions(verification);
        return;
    }
    verification->waiting_for_answer = true;
    store_folders_load(context_of(verification)->store, mailbox->id, NULL, 0, NULL,
                       &verification->sink_path, sink_known, verification);
}

static struct failure failure_of_claim(void)
{
    struct failure failure = {
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "A cycle of the mailbox is at work and does not end.",
        .remedy = "Look at what it waits for, and try again.",
    };
    failure_set_code(&failure, "Busy");
    failure_set_step(&failure, "verify");
    return failure;
}

static void claimed(struct claim *claim, bool still)
{
    struct verification *verification = claim->argument;
    if (!still && !failure_is_set(&verification->failure)) {
        const struct failure busy = failure_of_claim();
        finish(verification, &busy);
    }
    if (still && ++verification->ready == 2 && !verification->cancelled)
        begin(verification);
}

/* --- 1: claims --- */

void verification_start(struct verification *verification, struct mailbox *mailbox)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    verification->mailbox = mailbox;
    for (size_t i = 0; i < 2; i++) {
        verification->claims[i] = (struct claim){.service = verification->service,
                                                 .direction = directions[i],
                                                 .ready = claimed,
                                                 .argument = verification};
        verification->claimed++;
        claim_start(&verification->claims[i]);
    }
}

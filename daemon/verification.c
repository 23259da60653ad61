#include "base/clock.h"
#include "base/memory.h"
#include "daemon/profile.h"
#include "daemon/rebuild.h"
#include "daemon/recover.h"
#include "daemon/verification_private.h"

#include <string.h>

static const char step[] = "verify";

const struct context *verification_context(const struct verification *verification)
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
    id_list_release(&verification->queue);
    id_list_release(&verification->failed);
    if (verification->configuration != NULL) {
        profile_release(verification->cycle.profile);
        configuration_release(verification->configuration);
        verification->configuration = NULL;
    }
}

static void ended(void *argument)
{
    struct verification *verification = argument;
    const struct failure failure =
        verification->cancelled ? failure_cancelled() : verification->failure;
    release(verification);
    verification->done(verification, failure_is_set(&failure) ? &failure : NULL);
}

void verification_finish(struct verification *verification, const struct failure *failure)
{
    struct executor *executor = verification_context(verification)->executor;
    verification->finishing = true;
    if (failure != NULL)
        verification->failure = *failure;
    executor_cancel_timer(executor, &verification->patience);
    executor_cancel_call(executor, &verification->end);
    executor_defer(executor, &verification->end, ended, verification);
}

bool verification_over(struct verification *verification, const struct failure *failure)
{
    verification->waiting_for_answer = false;
    if (failure == NULL && !verification->cancelled)
        return false;
    verification_finish(verification, failure);
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
    verification_finish(verification, NULL);
}

bool verification_differs(const struct verification *verification)
{
    return verification->incoming.unknown + verification->incoming.failed + verification->sent +
               verification->drafted + verification->missing >
           0;
}

/* --- 5: repair; 4 is verification_outgoing.c --- */

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
    if (!verification_over(verification, failure))
        verification_finish(verification, NULL);
}

static void failed_listed(void *argument, const struct failure *failure,
                          const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct verification *verification = argument;
    if (verification_over(verification, failure != NULL && failure->gone ? NULL : failure))
        return;
    id_list_keep(&verification->failed, ids, failure == NULL ? count : 0);
    verification->restoration = (struct store_restoration){
        .mailbox = verification->mailbox->id.number,
        .queued = verification->queue.pointers,
        .queued_count = verification->queue.count,
        .failed = verification->failed.pointers,
        .failed_count = verification->failed.count,
        .now_ms = clock_wall_ms(),
    };
    verification->waiting_for_answer = true;
    store_restore(verification_context(verification)->store, &verification->restoration, repaired,
                  verification);
}

static void queue_listed(void *argument, const struct failure *failure,
                         const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    struct verification *verification = argument;
    if (verification_over(verification, failure != NULL && failure->gone ? NULL : failure))
        return;
    id_list_keep(&verification->queue, ids, failure == NULL ? count : 0);
    verification->waiting_for_answer = true;
    outbox_list(verification_context(verification)->outbox, OUTBOX_IN_FAILED, failed_listed,
                verification);
}

void verification_repair(struct verification *verification)
{
    if (!verification->repair || !verification_differs(verification)) {
        verification_finish(verification, NULL);
        return;
    }
    verification->waiting_for_answer = true;
    outbox_list(verification_context(verification)->outbox, OUTBOX_IN_QUEUE, queue_listed,
                verification);
}

/* --- 3: the Maildir --- */

static void list_page(struct verification *verification);

static void name_doubled(struct verification *verification, size_t index)
{
    const struct sink_listing *listing = verification->listing;
    const char *instance = store_instance(verification_context(verification)->store);
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->files[i].number == verification->incoming.doubled_files[index])
            maildir_name_begin(&listing->files[i], instance, verification->doubled[index]);
    }
}

static void compared(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    if (verification_over(verification, failure))
        return;
    for (; verification->named < STORE_DOUBLED_MAX &&
           verification->named < verification->incoming.doubled;
         verification->named++)
        name_doubled(verification, verification->named);
    if (verification->listing->more) {
        list_page(verification);
        return;
    }
    verification->maildir_not_compared = NULL;
    verification_list_submissions(verification);
}

/* A job that is at work then ends by itself, whenever that is. */
static void disk_hangs(void *argument)
{
    struct verification *verification = argument;
    struct failure failure;
    disks_explain(verification->sink, &failure);
    failure_set_step(&failure, step);
    verification_finish(verification, &failure);
}

static void listed(struct sink_listing *listing)
{
    struct verification *verification = listing->argument;
    if (verification->finishing) /* it ends in this turn of the loop */
        return;
    executor_cancel_timer(verification_context(verification)->executor, &verification->patience);
    if (failure_is_set(&listing->failure)) {
        verification_finish(verification, &listing->failure);
        return;
    }
    verification->files += listing->count;
    rebuild_fill(verification->files_page, listing);
    verification->waiting_for_answer = true;
    store_ledger_compare(verification_context(verification)->store, verification->mailbox->id,
                         verification->files_page, listing->count, &verification->incoming,
                         compared, verification);
}

static void list_page(struct verification *verification)
{
    struct executor *executor = verification_context(verification)->executor;
    struct failure failure;
    if (!disks_admit(verification_context(verification)->disks, executor_now(executor),
                     verification->sink, &failure)) {
        verification_finish(verification, &failure);
        return;
    }
    executor_after(executor, &verification->patience, DISK_PATIENCE_MS, disk_hangs, verification);
    sink_list_start(verification->sink, verification->listing);
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
    list_page(verification);
}

/* Before it was set up where it is configured, nothing was delivered there. */
static void sink_known(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    if (verification_over(verification, failure))
        return;
    char *maildir = config_maildir_path(verification->mailbox->config);
    if (verification->sink_path != NULL && strcmp(verification->sink_path, maildir) == 0) {
        list_files(verification, maildir);
    } else {
        verification->maildir_not_compared = "this database knows of no delivery there";
        verification_list_submissions(verification);
    }
    memory_free(maildir);
}

/* --- 2: nothing works on it --- */

static void begin(struct verification *verification)
{
    struct mailbox *mailbox = verification->mailbox;
    cycle_init(&verification->cycle, verification_context(verification), mailbox, CYCLE_OUTGOING,
               NULL, NULL);
    verification->configuration = mailbox->configuration;
    configuration_use(verification->configuration);
    profile_use(verification->cycle.profile);
    verification->unchecked = mailbox->unchecked;
    if (!mailbox_is_configured(mailbox, CYCLE_INCOMING) || mailbox->unchecked) {
        verification->maildir_not_compared =
            mailbox->unchecked ? "that is done before mail is fetched" : "it receives no mail";
        verification_list_submissions(verification);
        return;
    }
    verification->waiting_for_answer = true;
    store_folders_load(verification_context(verification)->store, mailbox->id, NULL, 0, NULL,
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
    failure_set_step(&failure, step);
    return failure;
}

static void claimed(struct claim *claim, bool still)
{
    struct verification *verification = claim->argument;
    if (verification->finishing)
        return;
    if (!still) {
        const struct failure busy = failure_of_claim();
        verification_finish(verification, &busy);
    } else if (++verification->ready == 2) {
        begin(verification);
    }
}

/* --- 1: claims --- */

void verification_start(struct verification *verification, struct mailbox *mailbox)
{
    struct direction *const directions[] = {&mailbox->incoming, &mailbox->outgoing};
    verification->mailbox = mailbox;
    verification->maildir_not_compared = verification->exchange_not_asked =
        "the verification ended before that";
    for (size_t i = 0; i < 2; i++) {
        verification->claims[i] = (struct claim){.service = verification->service,
                                                 .direction = directions[i],
                                                 .ready = claimed,
                                                 .argument = verification};
        verification->claimed++;
        claim_start(&verification->claims[i]);
    }
}

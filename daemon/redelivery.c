#include "daemon/redelivery.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/messages.h"

#include <inttypes.h>

static void forget_slice(struct redelivery *redelivery);

/* --- the end --- */

static struct failure failure_of(const char *code, const char *sentence, const char *remedy)
{
    struct failure failure = {
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = sentence,
        .remedy = remedy,
    };
    failure_set_code(&failure, code);
    failure_set_step(&failure, "redeliver");
    return failure;
}

static void report(const struct redelivery *redelivery)
{
    char since[CLOCK_TEXT_SIZE];
    clock_format_utc(redelivery->since_ms, since);
    const struct log_fields fields = {.message_id = MESSAGE_REDELIVERED,
                                      .profile = redelivery->profile,
                                      .mailbox = redelivery->address,
                                      .direction = "incoming"};
    log_write(redelivery->service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "%s: an administrator (uid %" PRIu32 ") wants mail received since %s again: %" PRIu64
              " %s that %s delivered %s delivered again if still in the folders",
              redelivery->address, redelivery->user, since, redelivery->count,
              text_plural(redelivery->count, "message", "messages"),
              text_plural(redelivery->count, "was", "were"),
              text_plural(redelivery->count, "is", "are"));
}

/* What is remembered of the folders says nothing of the pass that the store has begun. */
static void finish(struct redelivery *redelivery, const struct failure *failure)
{
    bool forgot = redelivery->claimed && redelivery->slice.begun;
    if (forgot) {
        redelivery->count = redelivery->slice.count;
        mailbox_forget_folders(redelivery->claim.direction->mailbox);
        report(redelivery);
    }
    if (redelivery->claimed) {
        redelivery->claim.direction->mailbox->redelivers = false;
        claim_end(&redelivery->claim, forgot);
    }
    redelivery->claimed = false;
    memory_free(redelivery->address);
    memory_free(redelivery->profile);
    redelivery->done(redelivery, failure);
}

/* The store has answered: true when it is over. */
static bool over(struct redelivery *redelivery, const struct failure *failure)
{
    const struct failure cancelled = failure_cancelled();
    redelivery->waiting = false;
    if (failure == NULL && redelivery->cancelled)
        failure = &cancelled;
    if (failure == NULL)
        return false;
    finish(redelivery, failure);
    return true;
}

/* --- 2: forgetting --- */

static void forgotten(void *argument, const struct failure *failure)
{
    struct redelivery *redelivery = argument;
    if (over(redelivery, failure))
        return;
    if (redelivery->slice.more)
        forget_slice(redelivery);
    else
        finish(redelivery, NULL);
}

static void forget_slice(struct redelivery *redelivery)
{
    redelivery->waiting = true;
    store_redelivery_forget(redelivery->service->context.store, redelivery->mailbox,
                            clock_wall_ms(), &redelivery->slice, forgotten, redelivery);
}

static void claimed(struct claim *claim, bool still)
{
    struct redelivery *redelivery = claim->argument;
    if (!still) {
        const struct failure busy =
            failure_of("Busy", "A cycle of the mailbox is at work and does not end.",
                       "Look at what it waits for, and try again.");
        finish(redelivery, &busy);
        return;
    }
    redelivery->slice = (struct store_redelivery){.since_ms = redelivery->since_ms};
    forget_slice(redelivery);
}

static void forget(struct redelivery *redelivery)
{
    struct service *service = redelivery->service;
    struct mailbox *mailbox = service_mailbox_by_number(service, redelivery->mailbox.number);
    if (mailbox == NULL || mailbox->removed || service->stopping) { /* a reload may free it */
        const struct failure gone =
            failure_of("NoSuchMailbox", "The mailbox has just left the configuration.", "");
        finish(redelivery, &gone);
        return;
    }
    if (mailbox->redelivers) { /* each would report a part, and one of them what the other did */
        const struct failure busy =
            failure_of("Redelivering", "Another redelivery of the mailbox is under way.",
                       "Wait until it has ended, and ask again if something is missing then.");
        finish(redelivery, &busy);
        return;
    }
    mailbox->redelivers = true;
    redelivery->claim = (struct claim){.service = service,
                                       .direction = &mailbox->incoming,
                                       .ready = claimed,
                                       .argument = redelivery};
    redelivery->claimed = true;
    claim_start(&redelivery->claim);
}

/* --- 1: counting --- */

static void counted(void *argument, const struct failure *failure);

static void count_slice(struct redelivery *redelivery)
{
    redelivery->waiting = true;
    store_redelivery_count(redelivery->service->context.store, redelivery->mailbox,
                           &redelivery->slice, counted, redelivery);
}

static void counted(void *argument, const struct failure *failure)
{
    struct redelivery *redelivery = argument;
    if (over(redelivery, failure))
        return;
    if (redelivery->slice.more) {
        count_slice(redelivery);
        return;
    }
    redelivery->count = redelivery->slice.count;
    redelivery->since_ms = redelivery->slice.since_ms;
    redelivery->slice.begun = false;
    redelivery->counted(redelivery);
    if (redelivery->dry_run || redelivery->count == 0)
        finish(redelivery, NULL);
    else
        forget(redelivery);
}

void redelivery_start(struct redelivery *redelivery, const struct mailbox *mailbox)
{
    redelivery->mailbox = mailbox->id;
    redelivery->address = memory_copy_string(mailbox_address(mailbox));
    redelivery->profile = memory_copy_string(mailbox->profile->config->name);
    redelivery->slice = (struct store_redelivery){.since_ms = redelivery->since_ms};
    count_slice(redelivery);
}

void redelivery_cancel(struct redelivery *redelivery)
{
    const struct failure cancelled = failure_cancelled();
    redelivery->cancelled = true;
    if (!redelivery->waiting)
        finish(redelivery, &cancelled);
}

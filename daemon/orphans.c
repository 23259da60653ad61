#include "daemon/orphans.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/lapse.h"
#include "daemon/messages.h"
#include "daemon/orphan_list.h"
#include "daemon/orphan_report.h"

enum {
    LOOK_EVERY_MS = 60 * 60 * 1000,
    TROUBLE_MS = 30 * 1000, /* after the store has failed */
    TELL_A_TURN = 100,      /* mailboxes that a turn of the loop compares and tells of */
};

struct orphans {
    const struct context *context;
    struct orphans_owner owner;
    struct orphan_list known; /* a failure is recorded of each */
    struct orphan_list found; /* by the look under way */
    bool looking;
    bool again;   /* another look is wanted after this one */
    bool changed; /* by this one: perhaps nothing is left to tell of some */
    bool tells;   /* the next one follows a change of the configuration: all are told of */
    bool telling; /* this one did */
    bool failed;  /* the store did, which was said */
    size_t told;  /* how many of those known, and then of those found, were compared */
    size_t lapse; /* which of those known is dealt with */
    struct lapse lapsing;
    bool putting_aside; /* `lapsing` is under way */
    struct executor_timer timer;
    struct executor_call call; /* goes on telling */
    bool stopping;
};

static void look(void *argument);

/* --- telling --- */

static bool sends_again(const struct orphans *orphans, const struct orphan *orphan)
{
    const struct orphans_owner *owner = &orphans->owner;
    return owner->cause(owner->argument, orphan->mailbox.number) == ORPHANS_NONE;
}

static void tell_before(struct orphans *orphans, const struct orphan *before)
{
    const struct orphan *now = orphan_list_find(&orphans->found, before->mailbox.number);
    if (now == NULL || now->cause != before->cause)
        orphan_report_resolve(orphans->context, before, sends_again(orphans, before));
}

static void tell_now(struct orphans *orphans, const struct orphan *now)
{
    const struct orphan *before = orphan_list_find(&orphans->known, now->mailbox.number);
    if (orphans->telling || before == NULL || now->cause != before->cause)
        orphan_report_record(orphans->context, now);
}

static void lapse_next(struct orphans *orphans);

/* What was found becomes what is known. A failure under another cause is another one. */
static void tell_changes(void *argument)
{
    struct orphans *orphans = argument;
    size_t before = orphans->known.count;
    size_t all = before + orphans->found.count;
    for (size_t room = TELL_A_TURN; room > 0 && orphans->told < all; room--) {
        size_t next = orphans->told++;
        if (next < before)
            tell_before(orphans, &orphans->known.items[next]);
        else
            tell_now(orphans, &orphans->found.items[next - before]);
    }
    if (orphans->told < all) {
        executor_defer(orphans->context->executor, &orphans->call, tell_changes, orphans);
        return;
    }
    orphan_list_release(&orphans->known);
    orphans->known = orphans->found;
    orphans->found = (struct orphan_list){0};
    orphans->lapse = 0;
    lapse_next(orphans);
}

/* --- 2: what has lapsed --- */

static void look_over(struct orphans *orphans)
{
    orphans->looking = false;
    if (orphans->stopping)
        return;
    if (orphans->again || orphans->changed)
        look(orphans);
    else if (orphans->failed)
        executor_after(orphans->context->executor, &orphans->timer, TROUBLE_MS, look, orphans);
    else if (orphans->known.count > 0)
        executor_after(orphans->context->executor, &orphans->timer, LOOK_EVERY_MS, look, orphans);
}

/* Another configuration may let it send, and its old cycle may still be at work. */
static bool is_left_alone(const struct orphans *orphans, const struct orphan *orphan)
{
    const struct orphans_owner *owner = &orphans->owner;
    int64_t number = orphan->mailbox.number;
    return !orphans->stopping && !orphans->again &&
           owner->cause(owner->argument, number) == orphan->cause &&
           !owner->is_busy(owner->argument, number);
}

static bool lapse_goes_on(struct lapse *lapse)
{
    const struct orphans *orphans = lapse->argument;
    return is_left_alone(orphans, &orphans->known.items[orphans->lapse]);
}

static void lapsed(struct lapse *lapse, const struct failure *failure)
{
    struct orphans *orphans = lapse->argument;
    orphans->putting_aside = false;
    if (failure != NULL) {
        const struct log_fields fields = {.message_id = MESSAGE_ORPHANS,
                                          .mailbox = lapse->address,
                                          .step = failure->step,
                                          .code = failure->code};
        log_write(orphans->context->log, LOG_PRIORITY_ERROR, &fields,
                  "%s: what has been queued for too long stays for another hour: %s (%s): %s",
                  lapse->address, failure->sentence == NULL ? "" : failure->sentence, failure->code,
                  failure->text);
    } else {
        orphans->changed = orphans->changed || lapse->total > 0;
    }
    orphans->lapse++;
    lapse_next(orphans);
}

static void lapse_next(struct orphans *orphans)
{
    int64_t before_ms = clock_wall_ms() - SUBMISSION_LIFETIME_MS;
    const struct orphan_list *known = &orphans->known;
    while (orphans->lapse < known->count &&
           (known->items[orphans->lapse].oldest_ms >= before_ms ||
            !is_left_alone(orphans, &known->items[orphans->lapse])))
        orphans->lapse++;
    if (orphans->lapse == known->count) {
        look_over(orphans);
        return;
    }
    const struct orphan *orphan = &known->items[orphans->lapse];
    orphans->lapsing = (struct lapse){
        .context = orphans->context,
        .mailbox = orphan->mailbox,
        .address = orphan->address,
        .profile = orphan->profile,
        .because = orphan_report_cause(orphan->cause),
        .goes_on = lapse_goes_on,
        .done = lapsed,
        .argument = orphans,
    };
    orphans->putting_aside = true;
    lapse_start(&orphans->lapsing);
}

/* --- 1: which there are --- */

static void found(void *argument, const struct store_backlog *backlog)
{
    struct orphans *orphans = argument;
    const struct orphans_owner *owner = &orphans->owner;
    enum orphans_cause cause = owner->cause(owner->argument, backlog->mailbox.number);
    if (cause == ORPHANS_NONE)
        owner->queued(owner->argument, backlog->mailbox);
    else if (backlog->waiting > 0)
        orphan_list_add(&orphans->found, backlog, cause);
}

static void found_all(void *argument, const struct failure *failure)
{
    struct orphans *orphans = argument;
    bool said = orphans->failed;
    orphans->failed = failure != NULL;
    if (failure == NULL) {
        orphan_list_sort(&orphans->found);
        orphans->told = 0;
        orphans->telling = orphans->tells;
        orphans->tells = false;
        tell_changes(orphans);
        return;
    }
    const struct log_fields fields = {
        .message_id = MESSAGE_INTAKE_FAILED, .step = failure->step, .code = failure->code};
    log_write(orphans->context->log, said ? LOG_PRIORITY_DEBUG : LOG_PRIORITY_ERROR, &fields,
              "queued messages wait: the database cannot say which there are: %s (%s): %s; nothing "
              "is lost, it is asked again in %d s",
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
              TROUBLE_MS / 1000);
    look_over(orphans);
}

static void look(void *argument)
{
    struct orphans *orphans = argument;
    orphans->looking = true;
    orphans->again = orphans->changed = false;
    store_submissions_open(orphans->context->store, found, found_all, orphans);
}

/* --- the whole --- */

struct orphans *orphans_create(const struct context *context, const struct orphans_owner *owner)
{
    struct orphans *orphans = memory_allocate(sizeof *orphans);
    orphans->context = context;
    orphans->owner = *owner;
    return orphans;
}

void orphans_look(struct orphans *orphans)
{
    orphans->tells = true;
    orphans_look_again(orphans);
}

void orphans_look_again(struct orphans *orphans)
{
    if (orphans->stopping)
        return;
    orphans->again = orphans->looking;
    executor_cancel_timer(orphans->context->executor, &orphans->timer);
    if (!orphans->looking)
        look(orphans);
}

bool orphans_holds(const struct orphans *orphans, int64_t mailbox)
{
    return orphans->putting_aside && orphans->lapsing.mailbox.number == mailbox;
}

void orphans_stop(struct orphans *orphans)
{
    orphans->stopping = true;
    executor_cancel_timer(orphans->context->executor, &orphans->timer);
    executor_cancel_call(orphans->context->executor, &orphans->call);
}

void orphans_free(struct orphans *orphans)
{
    if (orphans == NULL)
        return;
    orphans_stop(orphans);
    lapse_release(&orphans->lapsing);
    orphan_list_release(&orphans->known);
    orphan_list_release(&orphans->found);
    memory_free(orphans);
}

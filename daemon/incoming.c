#include "daemon/incoming.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/acknowledge.h"
#include "daemon/find.h"
#include "daemon/folder_progress.h"
#include "daemon/profile.h"
#include "daemon/recover.h"
#include "daemon/take.h"
#include "daemon/undeliverable.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { OPEN_ITEMS_MAX = 100 };

enum incoming_part {
    INCOMING_NOTHING, /* not begun */
    INCOMING_OVER,    /* only the end is to be told */
    INCOMING_STORE,   /* the store is asked */
    INCOMING_RECOVERY,
    INCOMING_BACKEND, /* a folder is looked up */
    INCOMING_FINDER,
    INCOMING_TAKER,
    INCOMING_UNDELIVERABLE,
    INCOMING_ACKNOWLEDGER,
};

struct incoming {
    struct cycle cycle;
    struct executor_call end;
    enum incoming_part part; /* what is under way, for cancel */
    bool cancelled;

    char *maildir;
    char *former_maildir; /* where the store says that the sink was set up; NULL: nowhere */
    struct sink *sink;
    struct recovery recovery;
    void (*after_recovery)(struct incoming *incoming);

    /* What the store had open. */
    char **committed; /* names that may not be published yet */
    struct digest *committed_keys;
    size_t committed_count;
    struct item_list retries;
    struct undeliverable undeliverable; /* for what failed for good */
    struct acknowledger acknowledger;   /* for what was left unacknowledged */
    char *unacknowledged[ACKNOWLEDGE_MAX];
    size_t unacknowledged_count;

    size_t folder; /* index of the one under way */
    bool passing;  /* its complete pass, after its new mail */
    struct backend_operation *operation;
    struct finder finder;
    struct taker taker;
    struct store_folder *loaded;
};

static void incoming_recover(struct incoming *incoming);
static void incoming_retry(struct incoming *incoming);
static void incoming_set_aside(struct incoming *incoming);
static void incoming_settle_unacknowledged(struct incoming *incoming);
static void incoming_next_folder(struct incoming *incoming);
static void incoming_find(struct incoming *incoming);

static struct incoming *incoming_of(struct cycle *cycle)
{
    return (struct incoming *)cycle; /* the first member */
}

/* --- ending --- */

static void incoming_ended(void *argument)
{
    struct incoming *incoming = argument;
    incoming->cycle.on_end(&incoming->cycle);
}

/* The one way out. What was remembered of the folders may be the cause of a failure (a folder that
 * is gone) or half changed: it is read again next time. */
static void incoming_finish(struct incoming *incoming, const struct failure *failure)
{
    incoming->part = INCOMING_OVER;
    if (failure != NULL) {
        incoming->cycle.failure = *failure;
        mailbox_forget_folders(incoming->cycle.mailbox);
    }
    executor_cancel_call(incoming->cycle.context->executor, &incoming->end);
    executor_defer(incoming->cycle.context->executor, &incoming->end, incoming_ended, incoming);
}

static void incoming_cut_short(struct incoming *incoming)
{
    incoming->cycle.cut_short = true;
    incoming_finish(incoming, NULL);
}

/* After the store or the sink has answered: true when the cycle is over. */
static bool incoming_over(struct incoming *incoming, const struct failure *failure)
{
    const struct failure cancelled = failure_cancelled();
    if (incoming->cancelled)
        failure = &cancelled;
    if (failure == NULL)
        return false;
    incoming_finish(incoming, failure);
    return true;
}

static void incoming_free(struct cycle *cycle)
{
    struct incoming *incoming = incoming_of(cycle);
    executor_cancel_call(cycle->context->executor, &incoming->end);
    disk_watch_give_up(&cycle->disk);
    finder_release(&incoming->finder);
    item_list_release(&incoming->retries);
    undeliverable_release(&incoming->undeliverable);
    for (size_t i = 0; i < incoming->committed_count; i++)
        memory_free(incoming->committed[i]);
    for (size_t i = 0; i < incoming->unacknowledged_count; i++)
        memory_free(incoming->unacknowledged[i]);
    memory_free(incoming->committed);
    memory_free(incoming->committed_keys);
    memory_free(incoming->loaded);
    memory_free(incoming->maildir);
    memory_free(incoming->former_maildir);
    sink_free(incoming->sink);
    memory_free(incoming);
}

/* --- prepare --- */

static void incoming_note_retry(struct incoming *incoming, const struct store_open_item *item)
{
    struct item *retry = item_list_add(&incoming->retries, item->reference);
    retry->key = item->key;
    retry->received_ms = item->received_ms;
    retry->attempts = item->attempts;
}

static void incoming_note_open(struct incoming *incoming, const struct store_open_items *open)
{
    bool moves = mailbox_settings(incoming->cycle.mailbox)->undeliverable_folder;
    incoming->committed = memory_allocate_array(open->count + 1, sizeof *incoming->committed);
    incoming->committed_keys =
        memory_allocate_array(open->count + 1, sizeof *incoming->committed_keys);
    for (size_t i = 0; i < open->count; i++) {
        const struct store_open_item *item = &open->items[i];
        if (item->kind == STORE_OPEN_DELIVERING) {
            incoming->committed[incoming->committed_count] = memory_copy_string(item->name);
            incoming->committed_keys[incoming->committed_count++] = item->key.item;
        } else if (item->kind == STORE_OPEN_UNDELIVERABLE && moves) {
            undeliverable_add(&incoming->undeliverable, item);
        } else if (item->kind == STORE_OPEN_FAILED || item->kind == STORE_OPEN_UNDELIVERABLE) {
            incoming_note_retry(incoming, item);
        } else if (incoming->unacknowledged_count < ACKNOWLEDGE_MAX) {
            size_t index = incoming->unacknowledged_count++;
            incoming->unacknowledged[index] = memory_copy_string(item->reference);
            incoming->acknowledger.references[index] = incoming->unacknowledged[index];
            incoming->acknowledger.keys[index] = item->key.item;
        }
    }
}

static void incoming_open_items(void *argument, const struct failure *failure,
                                const struct store_open_items *open)
{
    struct incoming *incoming = argument;
    if (incoming_over(incoming, failure))
        return;
    incoming_note_open(incoming, open);
    incoming->cycle.mailbox->open_position = open->position;
    /* Failed items that are not due yet are open, too: the flag goes only when nothing is. */
    incoming->cycle.mailbox->may_have_open = open->more || open->count > 0 || open->waiting;
    incoming_recover(incoming);
}

static void incoming_read_open(struct incoming *incoming)
{
    if (!incoming->cycle.mailbox->may_have_open) {
        incoming_recover(incoming);
        return;
    }
    incoming->part = INCOMING_STORE;
    cycle_at(&incoming->cycle, "reading what was left to do", NULL);
    store_open_items(incoming->cycle.context->store, incoming->cycle.mailbox->id, clock_wall_ms(),
                     incoming->cycle.mailbox->open_position, OPEN_ITEMS_MAX, incoming_open_items,
                     incoming);
}

static size_t folder_count_of(const struct config_mailbox_settings *settings)
{
    size_t count = 0;
    while (settings->folders[count] != NULL)
        count++;
    return count;
}

/* The first moment whose mail is taken: as configured, or when the mailbox was first enabled.
 * Servers tell received times in whole seconds: what comes at once has the second that has just
 * begun. */
static int64_t process_from(const struct mailbox *mailbox)
{
    const struct config_mailbox_settings *settings = mailbox_settings(mailbox);
    return settings->has_process_from ? settings->process_from_ms
                                      : mailbox->enabled_ms - mailbox->enabled_ms % 1000;
}

/* An administrator who sets an earlier date wants the mail since then: a complete pass takes it. */
static void incoming_note_process_from(const struct mailbox *mailbox, struct mailbox_folder *folder)
{
    int64_t from = process_from(mailbox);
    if (!mailbox_settings(mailbox)->has_process_from || from == folder->state.process_from_ms)
        return;
    bool earlier = from < folder->state.process_from_ms;
    folder->state.process_from_ms = from;
    if (earlier)
        folder_want_pass(folder, clock_wall_ms());
}

static void incoming_folders_loaded(void *argument, const struct failure *failure)
{
    struct incoming *incoming = argument;
    if (incoming_over(incoming, failure))
        return;
    struct mailbox *mailbox = incoming->cycle.mailbox;
    size_t count = folder_count_of(mailbox_settings(mailbox));
    mailbox->folders = memory_allocate_array(count, sizeof *mailbox->folders);
    mailbox->folder_count = count;
    for (size_t i = 0; i < count; i++) {
        mailbox->folders[i].state = incoming->loaded[i];
        incoming_note_process_from(mailbox, &mailbox->folders[i]);
    }
    mailbox->sink_ready = incoming->former_maildir != NULL &&
                          strcmp(incoming->former_maildir, incoming->maildir) == 0;
    if (!mailbox->sink_ready)
        mailbox->sink_checked = false;
    incoming_read_open(incoming);
}

static void incoming_prepare(void *argument)
{
    struct incoming *incoming = argument;
    struct mailbox *mailbox = incoming->cycle.mailbox;
    if (mailbox->folders != NULL) {
        incoming_read_open(incoming);
        return;
    }
    const struct config_mailbox_settings *settings = mailbox_settings(mailbox);
    size_t count = folder_count_of(settings);
    cycle_at(&incoming->cycle, "reading what is remembered of its folders", NULL);
    incoming->loaded = memory_allocate_array(count, sizeof *incoming->loaded);
    for (size_t i = 0; i < count; i++)
        incoming->loaded[i].process_from_ms = process_from(mailbox);
    incoming->part = INCOMING_STORE;
    store_folders_load(incoming->cycle.context->store, mailbox->id, settings->folders, count,
                       incoming->loaded, &incoming->former_maildir, incoming_folders_loaded,
                       incoming);
}

/* --- recover --- */

static bool incoming_wants_recovery(const struct incoming *incoming)
{
    return !incoming->cycle.mailbox->sink_checked || incoming->committed_count > 0;
}

static void incoming_recovered(struct recovery *recovery, const struct failure *failure)
{
    struct incoming *incoming = recovery->argument;
    incoming->sink = recovery->sink;
    if (!incoming_over(incoming, failure))
        incoming->after_recovery(incoming);
}

/* Goes on with `next` once there is a sink. It is opened, with recovery, when that was not done yet
 * in this process or something was left open; otherwise it checks its marker by itself when it
 * writes. */
static void incoming_with_sink(struct incoming *incoming, void (*next)(struct incoming *incoming))
{
    if (incoming->sink != NULL) {
        next(incoming);
        return;
    }
    if (!incoming_wants_recovery(incoming)) {
        incoming->sink = recovery_create_sink(&incoming->cycle, incoming->maildir);
        next(incoming);
        return;
    }
    incoming->after_recovery = next;
    incoming->recovery = (struct recovery){
        .cycle = &incoming->cycle,
        .maildir = incoming->maildir,
        .former_maildir = incoming->former_maildir,
        .names = incoming->committed,
        .keys = incoming->committed_keys,
        .count = incoming->committed_count,
        .done = incoming_recovered,
        .argument = incoming,
    };
    incoming->part = INCOMING_RECOVERY;
    cycle_at(&incoming->cycle, "opening the Maildir", incoming->maildir);
    recovery_start(&incoming->recovery);
}

/* An idle poll leaves the sink alone; the first cycle, and one after trouble, looks at it. */
static void incoming_recover(struct incoming *incoming)
{
    if (incoming_wants_recovery(incoming))
        incoming_with_sink(incoming, incoming_next_folder);
    else
        incoming_next_folder(incoming);
}

/* --- taking, for what was found and for retries --- */

static void incoming_take(struct incoming *incoming, struct item_list *items, bool retries,
                          void (*done)(struct taker *taker, const struct failure *failure))
{
    struct failure failure;
    if (!disks_admit(incoming->cycle.context->disks,
                     executor_now(incoming->cycle.context->executor), incoming->sink, &failure)) {
        incoming_finish(incoming, &failure);
        return;
    }
    incoming->taker = (struct taker){
        .cycle = &incoming->cycle,
        .sink = incoming->sink,
        .items = items,
        .retries = retries,
        .done = done,
        .argument = incoming,
    };
    incoming->part = INCOMING_TAKER;
    taker_start(&incoming->taker);
}

/* --- folders --- */

static struct mailbox_folder *folder_under_way(struct incoming *incoming)
{
    return &incoming->cycle.mailbox->folders[incoming->folder];
}

static const char *folder_name(const struct incoming *incoming)
{
    return mailbox_settings(incoming->cycle.mailbox)->folders[incoming->folder];
}

static void incoming_folder_done(struct incoming *incoming)
{
    finder_release(&incoming->finder);
    if (!incoming->passing && !incoming->cycle.ending &&
        folder_pass_wanted(folder_under_way(incoming), clock_wall_ms())) {
        incoming->passing = true;
        incoming_find(incoming);
        return;
    }
    incoming->passing = false;
    incoming->folder++;
    incoming_next_folder(incoming);
}

static void incoming_pass_forgotten(void *argument, const struct failure *failure)
{
    struct incoming *incoming = argument;
    if (!incoming_over(incoming, failure))
        incoming_folder_done(incoming);
}

static void incoming_folder_saved(void *argument, const struct failure *failure)
{
    struct incoming *incoming = argument;
    if (incoming_over(incoming, failure))
        return;
    int64_t before;
    if (!incoming->passing ||
        !folders_forget_before(incoming->cycle.mailbox, incoming->folder, &before)) {
        incoming_folder_done(incoming);
        return;
    }
    incoming->part = INCOMING_STORE;
    store_ledger_forget(incoming->cycle.context->store, incoming->cycle.mailbox->id, before,
                        incoming_pass_forgotten, incoming);
}

static void incoming_save_folder(struct incoming *incoming)
{
    struct mailbox *mailbox = incoming->cycle.mailbox;
    struct mailbox_folder *folder = folder_under_way(incoming);
    int64_t offset_before = folder->backlog_offset;
    bool changed = incoming->passing
                       ? folder_note_pass(folder, &incoming->finder, clock_wall_ms())
                       : folder_note_found(folder, &incoming->finder, clock_wall_ms());
    /* Again at once only when this went forward. */
    bool forward = folder->backlog_offset != offset_before || incoming->cycle.moved > 0 ||
                   incoming->cycle.failed > 0;
    if (incoming->passing ? !incoming->finder.reached_end && incoming->finder.found.count > 0
                          : incoming->finder.backlog && forward)
        incoming->cycle.more = true;
    if (!changed) {
        incoming_folder_done(incoming);
        return;
    }
    incoming->part = INCOMING_STORE;
    store_folder_save(incoming->cycle.context->store, mailbox->id, folder_name(incoming),
                      &folder->state, incoming_folder_saved, incoming);
}

/* The watermark moves only when everything that was found is settled; after an early end the ledger
 * knows what was. */
static void incoming_taken(struct taker *taker, const struct failure *failure)
{
    struct incoming *incoming = taker->argument;
    if (incoming_over(incoming, failure))
        return;
    if (incoming->cycle.ending)
        incoming_cut_short(incoming);
    else
        incoming_save_folder(incoming);
}

static void incoming_take_found(struct incoming *incoming)
{
    cycle_at(&incoming->cycle, "taking over new mail of folder", folder_name(incoming));
    incoming_take(incoming, &incoming->finder.found, false, incoming_taken);
}

static void incoming_found(struct finder *finder, const struct failure *failure)
{
    struct incoming *incoming = finder->argument;
    if (incoming_over(incoming, failure))
        return;
    if (finder->nothing_changed) {
        folder_note_unchanged(folder_under_way(incoming), finder);
        incoming_folder_done(incoming);
    } else if (finder->found.count == 0) {
        incoming_save_folder(incoming);
    } else {
        incoming_with_sink(incoming, incoming_take_found);
    }
}

static void incoming_find(struct incoming *incoming)
{
    struct mailbox_folder *folder = folder_under_way(incoming);
    cycle_at(&incoming->cycle,
             incoming->passing ? "looking through folder" : "finding new mail in folder",
             folder_name(incoming));
    incoming->finder = (struct finder){
        .cycle = &incoming->cycle,
        .folder_id = folder->folder_id,
        .done = incoming_found,
        .argument = incoming,
    };
    folder_plan(folder, &incoming->finder, incoming->passing, clock_wall_ms());
    incoming->part = INCOMING_FINDER;
    finder_start(&incoming->finder);
}

static void incoming_folder_known(void *argument, const struct failure *failure,
                                  const char *folder_id, bool created)
{
    (void)created; /* never: it was not asked for */
    struct incoming *incoming = argument;
    incoming->operation = NULL;
    if (incoming_over(incoming, failure))
        return;
    folder_under_way(incoming)->folder_id = memory_copy_string(folder_id);
    incoming_find(incoming);
}

static void incoming_next_folder(struct incoming *incoming)
{
    struct mailbox *mailbox = incoming->cycle.mailbox;
    if (incoming->cycle.ending) {
        incoming_cut_short(incoming);
        return;
    }
    if (incoming->folder == mailbox->folder_count) {
        incoming_retry(incoming);
        return;
    }
    if (folder_under_way(incoming)->folder_id != NULL) {
        incoming_find(incoming);
        return;
    }
    incoming->part = INCOMING_BACKEND;
    cycle_at(&incoming->cycle, "looking for folder", folder_name(incoming));
    incoming->operation =
        backend_folder_start(incoming->cycle.profile->backend, &incoming->cycle.target,
                             folder_name(incoming), false, incoming_folder_known, incoming);
}

/* --- retry: after the new mail, which it must not hold up --- */

static void incoming_retried(struct taker *taker, const struct failure *failure)
{
    struct incoming *incoming = taker->argument;
    if (!incoming_over(incoming, failure))
        incoming_set_aside(incoming);
}

static void incoming_take_retries(struct incoming *incoming)
{
    cycle_at(&incoming->cycle, "taking over messages that failed before", NULL);
    incoming_take(incoming, &incoming->retries, true, incoming_retried);
}

static void incoming_retry(struct incoming *incoming)
{
    if (incoming->retries.count == 0)
        incoming_set_aside(incoming);
    else
        incoming_with_sink(incoming, incoming_take_retries);
}

/* --- set aside: only when all else went well, so that it is not the server that fails --- */

static void incoming_has_set_aside(struct undeliverable *undeliverable,
                                   const struct failure *failure)
{
    struct incoming *incoming = undeliverable->argument;
    if (!incoming_over(incoming, failure))
        incoming_settle_unacknowledged(incoming);
}

static void incoming_set_aside(struct incoming *incoming)
{
    incoming->undeliverable.cycle = &incoming->cycle;
    incoming->undeliverable.done = incoming_has_set_aside;
    incoming->undeliverable.argument = incoming;
    incoming->part = INCOMING_UNDELIVERABLE;
    cycle_at(&incoming->cycle, "moving what cannot be delivered out of the way", NULL);
    undeliverable_start(&incoming->undeliverable);
}

/* --- settle --- */

static void incoming_settled(struct acknowledger *acknowledger, const struct failure *failure)
{
    incoming_finish(acknowledger->argument, failure);
}

static void incoming_settle_unacknowledged(struct incoming *incoming)
{
    if (incoming->unacknowledged_count == 0) {
        incoming_finish(incoming, NULL);
        return;
    }
    incoming->acknowledger.cycle = &incoming->cycle;
    incoming->acknowledger.count = incoming->unacknowledged_count;
    incoming->acknowledger.done = incoming_settled;
    incoming->acknowledger.argument = incoming;
    incoming->part = INCOMING_ACKNOWLEDGER;
    cycle_at(&incoming->cycle, "settling what was delivered before", NULL);
    acknowledger_start(&incoming->acknowledger);
}

/* --- cancel and start --- */

static void incoming_end_soon(struct cycle *cycle)
{
    cycle->ending = true;
}

static void incoming_cancel(struct cycle *cycle)
{
    struct incoming *incoming = incoming_of(cycle);
    const struct failure cancelled = failure_cancelled();
    switch (incoming->part) {
    case INCOMING_NOTHING:
        incoming_finish(incoming, &cancelled);
        break;
    case INCOMING_OVER:
        break;
    case INCOMING_STORE:
        incoming->cancelled = true;
        break;
    case INCOMING_RECOVERY:
        recovery_cancel(&incoming->recovery);
        break;
    case INCOMING_BACKEND:
        backend_cancel(incoming->operation);
        incoming->operation = NULL;
        incoming_finish(incoming, &cancelled);
        break;
    case INCOMING_FINDER:
        finder_cancel(&incoming->finder);
        break;
    case INCOMING_TAKER:
        taker_cancel(&incoming->taker);
        break;
    case INCOMING_UNDELIVERABLE:
        undeliverable_cancel(&incoming->undeliverable);
        break;
    case INCOMING_ACKNOWLEDGER:
        acknowledger_cancel(&incoming->acknowledger);
        break;
    }
}

static const struct cycle_operations incoming_operations = {
    .end_soon = incoming_end_soon,
    .cancel = incoming_cancel,
    .free = incoming_free,
};

void incoming_start(const struct context *context, struct direction *direction,
                    void (*on_end)(struct cycle *cycle))
{
    struct incoming *incoming = memory_allocate(sizeof *incoming);
    cycle_init(&incoming->cycle, context, direction->mailbox, CYCLE_INCOMING, &incoming_operations,
               on_end);
    incoming->maildir = config_maildir_path(direction->mailbox->config);
    direction->cycle = &incoming->cycle;
    executor_defer(context->executor, &incoming->end, incoming_prepare, incoming);
}

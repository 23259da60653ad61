/* The beginning of a cycle: what is remembered of the folders, what was left open, and the sink. */
#include "base/clock.h"
#include "base/memory.h"
#include "daemon/folder_progress.h"
#include "daemon/incoming_private.h"

#include <string.h>

enum { OPEN_ITEMS_MAX = 100 };

static void incoming_recover(struct incoming *incoming);

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

void incoming_prepare(void *argument)
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

void incoming_with_sink(struct incoming *incoming, void (*next)(struct incoming *incoming))
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

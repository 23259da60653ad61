/* The folders of a mailbox, one after the other: new mail, then a complete pass when it is time. */
#include "base/clock.h"
#include "base/memory.h"
#include "daemon/folder_progress.h"
#include "daemon/incoming_private.h"
#include "daemon/profile.h"

static void incoming_find(struct incoming *incoming);

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

void incoming_next_folder(struct incoming *incoming)
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

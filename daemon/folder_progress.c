#include "daemon/folder_progress.h"

#include "base/random.h"

/* Items that were removed since the last part moved the others up by as many places at most. */
static int64_t pass_start(const struct mailbox_folder *folder)
{
    int64_t removed = folder->pass_total - folder->state.total;
    int64_t start = folder->state.pass_offset - (removed > 0 ? removed : 0);
    return start > 0 ? start : 0;
}

void folder_plan(const struct mailbox_folder *folder, struct finder *finder, bool pass,
                 int64_t now_ms)
{
    finder->process_from_ms = folder->state.process_from_ms;
    finder->pass = pass;
    if (pass) {
        finder->start_offset = pass_start(folder);
        return;
    }
    int64_t watermark = folder->state.watermark_ms < now_ms ? folder->state.watermark_ms : now_ms;
    finder->boundary_ms = watermark - FOLDER_OVERLAP_MS;
    finder->start_offset = folder->backlog_offset;
    finder->unchanged = folder->has_last_page ? &folder->last_page : NULL;
}

/* A clock that runs ahead, on the server or of a sender, must not make us overlook what comes next.
 */
static int64_t not_in_the_future(int64_t time_ms, int64_t now_ms)
{
    return time_ms < now_ms ? time_ms : now_ms;
}

static bool advance_watermark(struct mailbox_folder *folder, int64_t to_ms)
{
    if (to_ms <= folder->state.watermark_ms)
        return false;
    folder->state.watermark_ms = to_ms;
    return true;
}

/* With more to come only what was kept, the oldest, has been settled. */
static int64_t settled_up_to(const struct finder *finder)
{
    if (!finder->backlog)
        return finder->newest_ms;
    return finder->found.count > 0 ? finder->found.items[0].received_ms : INT64_MIN;
}

bool folder_note_found(struct mailbox_folder *folder, const struct finder *finder, int64_t now_ms)
{
    bool changed = advance_watermark(folder, not_in_the_future(settled_up_to(finder), now_ms));
    if (finder->backlog) {
        folder->backlog_offset = finder->resume_offset;
        folder->backlog_items += (int64_t)finder->found.count;
        folder->has_last_page = false;
        return changed;
    }
    int64_t appeared = (int64_t)finder->found.count + folder->backlog_items;
    folder->backlog_offset = 0;
    folder->backlog_items = 0;
    folder->last_page = finder->first_page;
    folder->has_last_page = true;

    struct store_folder *state = &folder->state;
    if (state->pass_done_ms == 0) {
        /* The first look has read everything. The next pass comes at some time of the next day, so
         * that the passes of all mailboxes are spread. */
        state->pass_done_ms = now_ms - (int64_t)random_below(FOLDER_PASS_EVERY_MS);
        changed = true;
    }
    bool unexplained = state->total >= 0 && finder->total > state->total + appeared;
    if (unexplained || finder->gap) {
        folder_want_pass(folder, now_ms);
        changed = true;
    }
    if (finder->total >= 0 && finder->total != state->total) {
        state->total = finder->total;
        changed = true;
    }
    return changed;
}

void folder_note_unchanged(struct mailbox_folder *folder, const struct finder *finder)
{
    folder->last_page = finder->first_page;
}

bool folder_note_pass(struct mailbox_folder *folder, const struct finder *finder, int64_t now_ms)
{
    struct store_folder *state = &folder->state;
    bool resumed_blindly = state->pass_offset > 0 && folder->pass_total == 0;
    folder->pass_gap = folder->pass_gap || finder->gap || resumed_blindly;
    folder->pass_total = finder->total;
    folder->pass_complete = false;
    if (!finder->reached_end) {
        if (state->pass_started_ms == 0)
            state->pass_started_ms = now_ms;
        state->pass_offset = finder->resume_offset;
        return true;
    }
    bool again = folder->pass_again || folder->pass_gap;
    folder->pass_complete = !folder->pass_gap;
    folder->pass_again = folder->pass_gap = false;
    state->pass_done_ms = now_ms;
    state->pass_started_ms = 0;
    state->pass_offset = 0;
    if (again)
        folder_want_pass(folder, now_ms);
    return true;
}

bool folder_pass_wanted(const struct mailbox_folder *folder, int64_t now_ms)
{
    const struct store_folder *state = &folder->state;
    if (folder->backlog_offset > 0)
        return false;
    if (state->pass_started_ms != 0)
        return true;
    /* A time in the future is from a clock that was wrong. */
    return state->pass_done_ms != 0 &&
           (now_ms - state->pass_done_ms >= FOLDER_PASS_EVERY_MS || state->pass_done_ms > now_ms);
}

void folder_want_pass(struct mailbox_folder *folder, int64_t now_ms)
{
    if (folder->state.pass_started_ms != 0) {
        folder->pass_again = true;
        return;
    }
    folder->state.pass_started_ms = now_ms;
    folder->state.pass_offset = 0;
    folder->pass_total = folder->state.total;
}

bool folders_forget_before(const struct mailbox *mailbox, size_t folder, int64_t *before_ms)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        int64_t done = mailbox->folders[i].state.pass_done_ms;
        if (done < oldest)
            oldest = done;
    }
    if (!mailbox->folders[folder].pass_complete || oldest <= 0)
        return false;
    *before_ms = oldest - (int64_t)mailbox->configuration->config->ledger_keep_ms;
    return true;
}

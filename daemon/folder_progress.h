/* How far a folder was read: what is decided from it before a look, and what is remembered after.
 *
 *   watermark  everything received up to here was delivered or recorded as failed
 *   look       reading the newest pages, each cycle
 *   pass       reading the whole folder, a part in each cycle, once a day and whenever something
 *              points to items that appeared below the watermark (moved in, held back by transport) */
#ifndef EXSYNC_DAEMON_FOLDER_PROGRESS_H
#define EXSYNC_DAEMON_FOLDER_PROGRESS_H

#include "daemon/find.h"
#include "daemon/mailbox.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FOLDER_OVERLAP_MS = 60 * 60 * 1000, /* a look goes so far behind the watermark */
    FOLDER_PASS_EVERY_MS = 24 * 60 * 60 * 1000,
};

/* Fills in where and how far the finder is to read. */
void folder_plan(const struct mailbox_folder *folder, struct finder *finder, bool pass,
                 int64_t now_ms);

/* After all that a look found was settled. Returns whether the folder must be saved. */
bool folder_note_found(struct mailbox_folder *folder, const struct finder *finder, int64_t now_ms);

/* After a look at a first page that was as before, if perhaps told in other words. */
void folder_note_unchanged(struct mailbox_folder *folder, const struct finder *finder);

/* After all that a part of a pass found was settled. */
bool folder_note_pass(struct mailbox_folder *folder, const struct finder *finder, int64_t now_ms);

/* Whether part of a complete pass is to be read now. */
bool folder_pass_wanted(const struct mailbox_folder *folder, int64_t now_ms);

/* Asks for a complete pass, from the newest item on; when one is under way, for another after it.
 */
void folder_want_pass(struct mailbox_folder *folder, int64_t now_ms);

/* When the pass of folder number `folder` has just ended, and all folders of the mailbox have had
 * one: the time before which ledger rows were last seen that may be forgotten. */
bool folders_forget_before(const struct mailbox *mailbox, size_t folder, int64_t *before_ms);

#endif

/* Finding what is new in one folder.
 *
 * Pages are read from the newest item on until a whole page lies before a boundary (the watermark
 * less an overlap), the folder ends, or the limit of pages is reached; what the ledger does not
 * know is collected. Pages overlap by some items: when none of the page before comes again, items
 * were removed meanwhile and others may have slipped past, so the finder steps back.
 *
 * The message of a test ("Test Message", mailbox_test.h) is passed over, whenever it is met: it is
 * known by the id that it bears, so that neither a kill in the middle of a test nor a message that
 * comes after the test was given up brings it to the consumer.
 *
 * Memory is bounded: of more than FIND_ITEMS_MAX new items the oldest are kept, and `backlog` tells
 * that newer ones wait. The next walk then begins at `resume_offset`, close above what was kept:
 * everything nearer to the newest end is newer, so nothing is passed over.
 *
 * A complete pass reads some pages from `start_offset` on, whatever the watermark. */
#ifndef EXSYNC_DAEMON_FIND_H
#define EXSYNC_DAEMON_FIND_H

#include "daemon/cycle.h"
#include "daemon/item_list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FIND_ITEMS_MAX = 1000,
    FIND_FIRST_PAGE = 25, /* the page that an idle poll reads */
};

struct finder {
    /* Set by the caller. */
    struct cycle *cycle;
    const char *folder_id; /* valid until done */
    int64_t process_from_ms;
    int64_t boundary_ms; /* not for a pass */
    int64_t start_offset;
    bool pass;                            /* part of a complete pass */
    const struct backend_mark *unchanged; /* the first page's when nothing is new; NULL: unknown */
    void (*done)(struct finder *finder, const struct failure *failure);
    void *argument;

    /* The result. */
    struct item_list found; /* newest first; released by the caller with finder_release */
    bool nothing_changed;   /* the first page was as in `unchanged` */
    bool backlog;           /* newer items wait, see resume_offset */
    bool reached_end;       /* the boundary or the folder's end; false: a pass has more to read */
    bool gap;               /* the folder changed too quickly to be sure: a complete pass is due */
    int64_t resume_offset;  /* with backlog or without reached_end: where to go on */
    int64_t total;          /* items in the folder; -1 unknown */
    int64_t newest_ms;      /* of all items that were listed; INT64_MIN: none */
    struct backend_mark first_page;

    /* Private. */
    struct backend_operation *operation;
    struct item_list page;
    int64_t page_offset;
    bool page_last;
    struct store_key *keys;
    uint8_t *states;
    struct store_seen *seen;
    struct digest *previous; /* keys of the page before, to see the overlap */
    size_t previous_count;
    int64_t offset;
    size_t items_read;
    uint32_t steps_back;
    struct digest last_digest; /* of the page before */
    bool unsorted;             /* the server does not sort: only the folder's end ends the walk */
    bool waiting;              /* for the store */
    bool cancelled;
};

void finder_start(struct finder *finder);

/* Completes with the failure "cancelled", now or when the store answers. One that does not run is
 * left alone. */
void finder_cancel(struct finder *finder);

void finder_release(struct finder *finder);

#endif

/* A backup that is put back: the database knows nothing of what was done since it was made.
 *
 *   copy       a database file made from a living one (exsyncctl backup), which says so of itself:
 *              whoever opens it knows that it was put back
 *   begin      once, before anything else is done with a copy: whatever it has open may have been
 *              sent since, and what the Maildirs hold may not be in the ledger
 *   unchecked  a mailbox whose Maildir has not been compared with the ledger: nothing is fetched
 *   published  a file of a Maildir, by whose name the message is known (maildir_name.h)
 *
 * Of submissions nothing lasts but their states: all that are open are "creating" from then on, so
 * that they are searched for before they are sent (daemon/settle.h), and so are those that come
 * back into intake/ (store_submission_add) because the copy has no row of them.
 *
 * The rules of store.h hold. */
#ifndef EXSYNC_STORE_STORE_RESTORE_H
#define EXSYNC_STORE_STORE_RESTORE_H

#include "store/store.h"

/* It was put back in a way that tells nobody when it was made (exsyncctl verify --repair). */
enum { STORE_COPIED_UNKNOWN = 1 };

/* When the database that was opened was copied; 0: it is no copy, or was begun with. */
int64_t store_copied(const struct store *store);

enum { STORE_RESTORE_ALL = 0, STORE_RESTORE_NONE = -1 };

struct store_restoration {
    /* In: a number: this mailbox alone; STORE_RESTORE_ALL: and the database is no copy any more;
     * STORE_RESTORE_NONE: last_id alone. */
    int64_t mailbox;
    int64_t since_ms; /* in: what was delivered from then on may not be in the ledger */
    /* In: ids of the files in the outbox's folders queue/ and failed/, sorted. */
    const char *const *queued;
    size_t queued_count;
    const char *const *failed;
    size_t failed_count;
    const char *last_id; /* in: submissions up to this id may have been sent without a row */
    int64_t now_ms;      /* in */
    /* Out. */
    uint64_t doubtful; /* submissions that are to be searched for */
    uint64_t gone;     /* of these: without a file */
    uint64_t given_up; /* in failed/, and so they are failed now */
};

/* In one transaction. Strings and lists stay valid until `done`. */
void store_restore(struct store *store, struct store_restoration *restoration, store_done *done,
                   void *argument);

struct store_published {
    struct digest digest;
    bool is_fingerprint; /* otherwise of the item, which has none */
    uint64_t file;       /* the number of its name */
    int64_t published_ms;
};

enum { STORE_DOUBLED_MAX = 20 };

struct store_comparison {
    uint64_t unknown; /* files of messages that are not in the ledger */
    uint64_t failed;  /* files of messages that the ledger has as failed */
    uint64_t doubled; /* files of messages that the ledger has in another file alone */
    uint64_t doubled_files[STORE_DOUBLED_MAX]; /* the numbers of the first ones */
};

/* Adds to `comparison` what of these files the ledger does not know. Read. */
void store_ledger_compare(struct store *store, struct store_mailbox mailbox,
                          const struct store_published *files, size_t count,
                          struct store_comparison *comparison, store_done *done, void *argument);

/* The same, and they are in the ledger as delivered then. An item that is listed later is known by
 * its fingerprint, and what is to be done to it after delivery is done. */
void store_ledger_rebuild(struct store *store, struct store_mailbox mailbox,
                          const struct store_published *files, size_t count, int64_t now_ms,
                          struct store_comparison *comparison, store_done *done, void *argument);

/* The mailbox's Maildir was compared. */
void store_mailbox_checked(struct store *store, struct store_mailbox mailbox, store_done *done,
                           void *argument);

#endif

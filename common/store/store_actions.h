/* What administrators change: it lasts over restarts, and over reloads and renamings too.
 *
 *   switched off  a direction of a mailbox in which no cycle starts, whatever is configured
 *   paused        a profile on which no cycle starts
 *   redelivery    the ledger forgets what was delivered, so that it is found and delivered again
 *   held          a queued message that is not tried, and holds up no other
 *   removal       a queued message on its way to failed/: marked, moved, and then settled, so that
 *                 a kill in between loses nothing and sends nothing
 *
 * The rules of store.h hold. `user` is the user id of who asked for it. */
#ifndef EXSYNC_STORE_STORE_ACTIONS_H
#define EXSYNC_STORE_STORE_ACTIONS_H

#include "store/store.h"

/* --- switches --- */

/* Switches directions (bits of enum store_direction) on or off. What went wrong with one that is
 * switched off is over, as by store_failure_resolve; `*resolved` (may be NULL) counts it. One that
 * is off already stays as it is, since when and by whom. store_register_mailboxes tells which are
 * off. */
void store_mailbox_switch(struct store *store, struct store_mailbox mailbox, unsigned directions,
                          bool on, uint32_t user, int64_t now_ms, struct store_resolved *resolved,
                          store_done *done, void *argument);

/* --- pauses --- */

struct store_pause {
    const char *profile; /* valid during the call only */
    int64_t since_ms;
    uint32_t user;
};

/* Called for each profile that is paused, on the loop, then `done`. Read. */
void store_pauses_load(struct store *store,
                       void (*each)(void *argument, const struct store_pause *pause),
                       store_done *done, void *argument);

/* One that is paused already stays as it is. */
void store_profile_pause(struct store *store, const struct store_pause *pause, store_done *done,
                         void *argument);
void store_profile_resume(struct store *store, const char *profile, store_done *done,
                          void *argument);

/* --- redelivery: of items received since some time, a slice of the ledger in each call --- */

struct store_redelivery {
    int64_t since_ms; /* in; out: no earlier than the first mail that any folder's cycles take */
    uint64_t count;   /* 0 at first; each call adds what its slice holds */
    bool more;        /* out: call again */
    bool begun;       /* private, as the next; false at first */
    struct digest position;
};

/* Counts them. Read. */
void store_redelivery_count(struct store *store, struct store_mailbox mailbox,
                            struct store_redelivery *redelivery, store_done *done, void *argument);

/* Forgets them, and asks for a complete pass of all folders in the same transaction: whoever
 * remembers folders forgets them, too, and no cycle of the mailbox runs meanwhile. */
void store_redelivery_forget(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                             struct store_redelivery *redelivery, store_done *done, void *argument);

/* --- the queue --- */

struct store_queued {
    struct store_submission submission;
    int64_t held_since_ms; /* 0: it is not held */
    const char *removal;   /* why it is being removed; NULL: it is not */
    int64_t finished_ms;   /* 0: it is on its way */
    struct store_mailbox mailbox;
    const char *address; /* of the mailbox */
    const char *profile;
    bool mailbox_removed; /* it has left the configuration */
    /* What went wrong with it last and is not over; all NULL: nothing did. */
    const char *code;
    const char *sentence;
    const char *text;
    const char *remedy;
    /* When a person was done with what it had failed of for good, and its sentence; 0 and NULL:
     * nobody was, or it is one of a list. */
    int64_t dealt_with_ms;
    const char *dealt_with;
};

enum store_queue_part {
    STORE_QUEUE_WAITING, /* neither sent nor failed */
    STORE_QUEUE_FAILED,
    STORE_QUEUE_REMOVING,
};

/* Where a list goes on: behind this message. All zero at first. */
struct store_queue_position {
    int64_t mailbox;
    int64_t order;
};

/* The rows are valid during the call; NULL after a failure. */
typedef void store_queue_done(void *argument, const struct failure *failure,
                              const struct store_queued *rows, size_t count);

/* `limit` messages of one mailbox (its number; 0: of all), by mailbox and then in the order in
 * which they came. Read. */
void store_queue_list(struct store *store, int64_t mailbox, enum store_queue_part part,
                      struct store_queue_position behind, size_t limit, store_queue_done *done,
                      void *argument);

/* The message of that id, whatever its state; none when it is not known. Read. */
void store_queue_find(struct store *store, const char *id, store_queue_done *done, void *argument);

/* Calls `each` on the loop for each mailbox that has messages that are held, then `done`. Read. */
void store_queue_held(struct store *store,
                      void (*each)(void *argument, int64_t mailbox, uint64_t held),
                      store_done *done, void *argument);

/* Holds a message that waits, or releases it: it is due at once then, and the time that it was held
 * does not count. No cycle works on it meanwhile. `*changed` is false, and nothing was changed,
 * when it does not wait in that mailbox (any more), or is held already, or not, or being removed.
 */
void store_queue_hold(struct store *store, struct store_mailbox mailbox, const char *id,
                      int64_t now_ms, bool *changed, store_done *done, void *argument);
void store_queue_release(struct store *store, struct store_mailbox mailbox, const char *id,
                         int64_t now_ms, bool *changed, store_done *done, void *argument);

/* Makes a message that waits, and is not held, due at once. */
void store_queue_retry(struct store *store, struct store_mailbox mailbox, const char *id,
                       bool *changed, store_done *done, void *argument);

/* Makes all messages that wait (of one mailbox; 0: of all), and are not held, due at once. */
void store_queue_flush(struct store *store, int64_t mailbox, uint64_t *count, store_done *done,
                       void *argument);

/* The message is to go to failed/ for this reason: it is held from now on, and cannot be released.
 * No cycle works on it meanwhile. */
void store_queue_removal(struct store *store, struct store_mailbox mailbox, const char *id,
                         const char *reason, int64_t now_ms, bool *changed, store_done *done,
                         void *argument);

/* The same, of one that is not held, for it has waited too long. */
void store_queue_lapsed(struct store *store, struct store_mailbox mailbox, const char *id,
                        const char *reason, int64_t now_ms, bool *changed, store_done *done,
                        void *argument);

/* It is there: state failed, what was recorded about it is over. `stray`: a draft may exist. */
void store_queue_removed(struct store *store, struct store_mailbox mailbox, const char *id,
                         bool stray, int64_t now_ms, bool *changed, store_done *done,
                         void *argument);

#endif

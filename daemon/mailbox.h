/* A mailbox while the daemon runs: its configuration, its number in the store, and each direction's
 * place in the schedule. There are tens of thousands of them: what only a running cycle needs lives
 * in the cycle. */
#ifndef EXSYNC_DAEMON_MAILBOX_H
#define EXSYNC_DAEMON_MAILBOX_H

#include "base/failure.h"
#include "base/heap.h"
#include "config/config.h"
#include "daemon/backoff.h"
#include "daemon/configuration.h"
#include "daemon/cycle.h"
#include "daemon/status.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct profile;
struct mailbox;

enum direction_state {
    DIRECTION_OFF,     /* not configured, switched off, claimed, or nothing to do */
    DIRECTION_WAITING, /* in the scheduler's heap until it is due */
    DIRECTION_READY,   /* due; queued in its profile */
    DIRECTION_RUNNING, /* a cycle runs */
};

/* What went wrong last, kept only while it does. */
struct direction_trouble {
    struct failure failure; /* permanent, too, when it might have passed but has come too often */
    uint32_t failures;      /* in a row */
    struct backoff_tries tries;
    uint64_t since_ms; /* monotonic; that of an earlier process may lie before the clock's 0, and
                          has wrapped then: differences are right */
    uint64_t probe_ms; /* monotonic: when the next probe is due by itself, though an administrator's
                          own try comes before; 0: none does */
};

/* What an earlier process has left, until the first cycle of this one ends. */
struct direction_past {
    uint32_t failures; /* in a row */
    int64_t since_ms;  /* wall time */
};

struct direction {
    struct heap_entry due;        /* key: monotonic milliseconds; kept while it is claimed */
    TAILQ_ENTRY(direction) ready; /* in the profile's queue, or among those that run */
    struct mailbox *mailbox;
    enum cycle_direction kind;
    struct cycle *cycle;               /* while running */
    struct direction_trouble *trouble; /* NULL while all is well */
    struct direction_past *past;       /* NULL: none that failed, or it is part of the trouble */
    struct status status;
    uint32_t resolves_lost_seen; /* of the profile's, when the store was told that this one works */
    uint32_t outages_seen; /* of the profile's, those after which the folders were looked through */
    uint32_t gate_generation;     /* of the profile's gate, when the running cycle started */
    struct store_switch switched; /* since when and by whom it is switched off */
    enum direction_state state;
    bool switched_off; /* by an administrator, whatever the configuration says */
    uint16_t claims;   /* that keep it out of the schedule (claim.h) */
    bool suspect;      /* the running cycle follows a failure */
    bool probed;       /* the last probe passed, and the cycle that was missed has not ended yet */
    bool again;        /* another cycle is wanted right behind the one that runs */
    bool resolved;     /* the store knows of no failure any more */
};

TAILQ_HEAD(direction_queue, direction);

/* What is remembered of one folder. The names are the settings'. */
struct mailbox_folder {
    struct store_folder state;
    char *folder_id;               /* the server's; NULL until it was looked up */
    struct backend_mark last_page; /* of the first page after the last complete look */
    bool has_last_page;
    int64_t
        backlog_offset;    /* where the next look begins while newer items wait; 0: at the newest */
    int64_t backlog_items; /* new items taken since the backlog was seen */
    int64_t pass_total; /* items in the folder when the last part of a pass was read; 0: unknown */
    bool pass_gap;      /* the pass under way may have missed something: another follows */
    bool pass_complete; /* the part just read ended a pass that missed nothing */
    bool pass_again;    /* another pass is wanted after the one under way */
};

struct mailbox {
    const struct config_mailbox *config;
    struct configuration *configuration; /* that `config` belongs to */
    struct profile *profile;
    struct store_mailbox id;
    int64_t enabled_ms;
    int64_t open_position; /* where the store goes on with what is left to acknowledge */
    int64_t check_from_ms; /* with `unchecked`, as the next; see store_restore.h */
    uint64_t check_above;
    char *cookies;
    struct mailbox_folder *folders; /* as many as the settings name; NULL until loaded */
    size_t folder_count;
    char *move_folder_id; /* where processed items go; NULL until it was looked up */
    struct direction incoming;
    struct direction outgoing;                /* off while the store has nothing to send */
    const struct config_mailbox *next_config; /* taken over when no cycle runs any more */
    struct configuration *next_configuration;
    struct profile *next_profile;
    bool removed;      /* no longer configured; goes with the next reload, or at the end */
    bool sink_ready;   /* the sink was set up before, says the store; with `folders` */
    bool sink_checked; /* the sink at the configured path was opened, with recovery, in this
                        * process, and nothing was left open in it since */
    bool unchecked;    /* a backup was put back, and the Maildir was not compared with the ledger */
    bool may_have_open; /* the store may hold items with something left to do */
    bool stopped;       /* a failure that stays has stopped a direction */
    bool tried;         /* a cycle has ended in this process, or hangs (outcome_hangs) */
    bool counted;       /* in the profile's mailbox_count and, when it is, in its stopped */
    bool awaited;       /* in the profile's untried */
    bool redelivers;    /* a redelivery forgets what was delivered (redelivery.h) */
    bool move_refused;  /* an undeliverable item could not be moved, which was said */
};

/* `profile` gains a user, so does `configuration`. */
struct mailbox *mailbox_create(const struct config_mailbox *config,
                               struct configuration *configuration, struct profile *profile);
/* Whether a cycle runs, in either direction. */
bool mailbox_runs(const struct mailbox *mailbox);

/* The same, or one is claimed: somebody holds a pointer to it. */
bool mailbox_is_busy(const struct mailbox *mailbox);

/* Not while it is busy. */
void mailbox_free(struct mailbox *mailbox);

/* Puts another configuration in place, at once or when no cycle runs any more. Directions that do
 * not run are out of the schedule. What was remembered of folders and the sink is read anew when the
 * settings differ. */
void mailbox_reconfigure(struct mailbox *mailbox, const struct config_mailbox *config,
                         struct configuration *configuration, struct profile *profile);

/* When no cycle runs: takes over what mailbox_reconfigure left waiting. */
void mailbox_settle(struct mailbox *mailbox);

const char *mailbox_address(const struct mailbox *mailbox);
const struct config_mailbox_settings *mailbox_settings(const struct mailbox *mailbox);

/* Whether the mailbox is configured, and for this direction. */
bool mailbox_is_configured(const struct mailbox *mailbox, enum cycle_direction direction);

/* The same, and nobody has switched the direction off. */
bool mailbox_wants(const struct mailbox *mailbox, enum cycle_direction direction);

/* Whether the direction of a cycle that runs will be off when it has ended. */
bool mailbox_leaves(const struct mailbox *mailbox, enum cycle_direction direction);

struct direction *mailbox_direction(struct mailbox *mailbox, enum cycle_direction direction);

/* An administrator tries a direction now that would be due at `due_ms` (monotonic): one that has
 * stopped is probed then all the same, unless the try shows that it works. */
void mailbox_note_own_try(struct direction *direction, uint64_t due_ms);

/* An earlier process has met trouble that is not over. failures 0: none. */
void mailbox_recall_trouble(struct direction *direction, uint32_t failures, int64_t since_ms);

/* The first cycle since all was well, or since the start, has failed at `now` (monotonic). What an
 * earlier process has met goes on in it: how often it has failed, and since when. How long it waits
 * begins anew. Needs that there is no trouble. */
void mailbox_begin_trouble(struct direction *direction, uint64_t now);

/* A direction that is switched off, and whose cycle does not run, is in no trouble any more. */
void mailbox_forget_trouble(struct mailbox *mailbox, enum cycle_direction direction);

/* A cycle has ended, or hangs, and what it says of its direction's trouble is noted: counts the
 * mailbox in its profile as tried, and as stopped or not. */
void mailbox_note_end(struct mailbox *mailbox);

/* It has left the configuration, or is back: `removed`, and what its profile counts. */
void mailbox_set_removed(struct mailbox *mailbox, bool removed);

/* Makes the store's and the server's part of the folders be read again. */
void mailbox_forget_folders(struct mailbox *mailbox);

#endif

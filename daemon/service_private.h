/* The service from within: for its own files, for reloads, and for what runs inside it (control's
 * commands, views, tests of mailboxes, verifications). Whoever is given a `context` alone needs
 * none of this. Everything is called on the loop, unless it says otherwise.
 *
 *   service.c               the start, signals, the end
 *   service_cycles.c        from the schedule to a cycle and back
 *   service_mailboxes.c     which mailbox is meant
 *   service_profiles.c      profiles that come and go, and are tried
 *   service_outgoing.c      what was submitted
 *   service_try.c           an administrator's word
 *   service_restore.c       a backup that was put back
 *   service_housekeeping.c  the summary, and what need not be remembered any more
 *   service_clock.c         a clock that is set back
 *   service_stop.c          an orderly stop
 *   service_state.c         what the service manager is told (service_state.h) */
#ifndef EXSYNC_DAEMON_SERVICE_PRIVATE_H
#define EXSYNC_DAEMON_SERVICE_PRIVATE_H

#include "daemon/configuration.h"
#include "daemon/context.h"
#include "daemon/disks.h"
#include "daemon/intake.h"
#include "daemon/job_watch.h"
#include "daemon/mailbox.h"
#include "daemon/orphans.h"
#include "daemon/pauses.h"
#include "daemon/reload.h"
#include "daemon/restoration.h"
#include "daemon/scheduler.h"
#include "daemon/service.h"
#include "daemon/service_state.h"
#include "daemon/summary.h"

struct control;
struct reload;

struct service_watcher {
    /* A cycle, or a probe, has ended, and its direction is off for now. The watcher may end its own
     * watch in it, but no other's. */
    void (*cycle_ended)(struct service_watcher *watcher, const struct direction *direction,
                        const struct cycle *cycle);
    LIST_ENTRY(service_watcher) entries; /* LIST_REMOVE ends the watch */
};

LIST_HEAD(service_watchers, service_watcher);

struct service {
    struct context context;
    struct disks disks;
    struct executor_pool *files;  /* everything on file systems */
    struct executor_pool *loader; /* reading the configuration */
    struct scheduler scheduler;
    struct service_state state;
    struct control *control; /* NULL: nobody can ask */
    char *config_path;
    int exit_status;

    /* The configuration in use. */
    struct configuration *configuration; /* NULL until the first one is */
    struct mailbox **mailboxes;          /* sorted by number */
    size_t mailbox_count;
    struct mailbox **by_config; /* in the order of the configuration's mailboxes */
    struct pauses *pauses;

    /* The next one. */
    struct config *first_config; /* until it is in use */
    struct reload *reload;       /* under way; NULL */
    bool reload_again;
    int64_t reload_refused_ms;     /* since when the configuration that was read last is not in use,
                                      because it was refused; 0: it is */
    struct failure reload_failure; /* why it was, the last time; not set: it has mistakes */
    struct reload_waiters reload_waiters; /* for the reload that begins next */

    /* Outgoing mail. */
    struct intake *intake;
    struct orphans *orphans;
    bool sends; /* some mailbox has outgoing = yes, or had */

    /* A backup that was put back. */
    struct restoration restoration;
    bool unchecked;         /* some mailbox may be (mailbox.h) */
    size_t unchecked_index; /* of the one that was found last; any number after a reload */

    /* Administrators' questions that are under way. */
    struct service_watchers watchers;
    struct job_watches tracings;

    struct summary summary;
    struct executor_timer summary_timer;
    struct executor_timer housekeeping_timer;
    bool more_to_prune;
    struct executor_timer clock_timer;
    int64_t clock_offset_ms; /* from the monotonic clock to the wall's, as far as the store knows */
    int64_t clock_back_ms;   /* by how much the clock was set back, while the store is told */

    struct executor_timer stop_timer;
    struct executor_timer idle_timer;
    bool stopping;
    bool cancelling;  /* the running cycles are to end at once */
    bool left_behind; /* something hung at the stop */
};

/* --- service.c --- */

/* The first configuration is in use, or could not be taken into use (`failure`): the daemon begins
 * its work, or ends. */
void service_started(struct service *service, const struct failure *failure);

/* --- service_cycles.c --- */

/* Puts a direction that is off into the schedule if its mailbox is configured for it; of one that
 * is claimed, its time is kept for then. */
void service_schedule(struct service *service, struct direction *direction, uint64_t delay_ms);

/* The scheduler's: a direction is due, and there is room. */
void service_start_cycle(struct scheduler *scheduler, struct direction *direction);

/* --- service_clock.c --- */

/* From here on notices that the clock was set back. */
void service_watch_clock(struct service *service);

/* --- service_mailboxes.c --- */

/* The index of the first mailbox with that number or a higher one, as some may have come or gone
 * since; the count: none has. */
size_t service_mailbox_from(const struct service *service, int64_t number);

/* The mailbox of that number, whether it is still configured or not; NULL: none. */
struct mailbox *service_mailbox_by_number(const struct service *service, int64_t number);

/* The mailbox that is configured under the address, which is in lower case; NULL: none. */
struct mailbox *service_mailbox(const struct service *service, const char *address);

/* The notifier's (notify.h); `argument` is the service. */
size_t service_list_stopped(void *argument, const struct profile *profile, const char **addresses,
                            size_t room);

/* --- service_profiles.c --- */

/* Makes the profiles of a configuration those in use, with their connections and gates where
 * nothing has changed that reaches the server. */
void service_take_profiles(struct service *service, struct configuration *configuration);

/* When the mailboxes have changed over: profiles that are not configured any more, or were
 * replaced. Mailboxes that are still busy hold them until they have changed over, too. */
void service_retire_profiles(struct service *service, const struct config *config);

/* The profile in use of that name; NULL: none. */
struct profile *service_profile(struct service *service, const char *name);

/* Somebody has mended something, perhaps: one try of a closed gate, unless the account's password
 * was refused. */
void service_try_profile(struct profile *profile);

/* --- service_outgoing.c --- */

/* The outbox and its intake, which begin with the first configuration in which somebody sends. */
void service_create_outgoing(struct service *service, const char *state_directory);

/* Another configuration is in use: what is queued finds its mailbox. */
void service_configure_outgoing(struct service *service);

/* STATE/outbox; NULL: there is none. The caller frees. */
char *service_outbox_path(const struct service *service);

/* The mailbox has something to send; `now`: also when it waits because of trouble. */
void service_hasten(struct service *service, struct mailbox *mailbox, bool now);

/* --- service_try.c --- */

/* A direction that waits, for its time or because of trouble, is due at once. */
void service_try_direction(struct service *service, struct direction *direction);

/* The same for one in any state: one whose cycle runs gets another right behind it, one that is
 * claimed is due when it is not any more. False when there is nothing to do: it is off. */
bool service_make_due(struct service *service, struct direction *direction);

/* --- service_restore.c --- */

/* Looks whether the database is a backup that was put back, and takes the first configuration into
 * use. */
void service_restore(struct service *service);

/* A cycle has ended: says when no mailbox is left that is to be compared. */
void service_note_checked(struct service *service, const struct cycle *cycle);

/* --- service_housekeeping.c --- */

/* The first configuration is in use: begins. */
void service_begin_housekeeping(struct service *service);

/* --- service_stop.c --- */

/* `argument` is the service. The first time running cycles may finish what they have begun, within
 * SERVICE_STOP_SOON_MS; the second time they are cancelled at once. */
void service_stop(void *argument);

/* While it stops: ends the loop as soon as nothing is under way. */
void service_stop_if_idle(struct service *service);

/* Whether nothing is under way that the end would have to wait for. */
bool service_is_idle(const struct service *service);

#endif

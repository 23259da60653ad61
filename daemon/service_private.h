/* Shared by service.c (start and stop), reload.c (taking a configuration into use),
 * service_profiles.c (its profiles), service_outgoing.c (what was submitted), service_clock.c (a
 * clock that is set back) and service_try.c (an administrator's word). */
#ifndef EXSYNC_DAEMON_SERVICE_PRIVATE_H
#define EXSYNC_DAEMON_SERVICE_PRIVATE_H

#include "base/buffer.h"
#include "daemon/configuration.h"
#include "daemon/context.h"
#include "daemon/disks.h"
#include "daemon/intake.h"
#include "daemon/job_watch.h"
#include "daemon/mailbox.h"
#include "daemon/orphans.h"
#include "daemon/pauses.h"
#include "daemon/restoration.h"
#include "daemon/scheduler.h"
#include "daemon/service.h"
#include "daemon/service_state.h"
#include "daemon/summary.h"

struct control;
struct reload;

/* What came of a reload that was asked for. */
struct reload_result {
    bool taken;                    /* the configuration is in use now */
    const char *report;            /* mistakes and warnings, a line each (config_load) */
    const struct failure *failure; /* why it is not in use though it has no mistake; NULL */
};

struct reload_waiter {
    /* Once, on the loop; not when the daemon stops before. The waiter is free then. */
    void (*done)(struct reload_waiter *waiter, const struct reload_result *result);
    LIST_ENTRY(reload_waiter) entries; /* LIST_REMOVE ends the wait */
};

LIST_HEAD(reload_waiters, reload_waiter);

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
    struct configuration *configuration; /* NULL until the first one is in use */
    struct mailbox **mailboxes;          /* sorted by number */
    size_t mailbox_count;
    struct mailbox **by_config; /* in the order of the configuration's mailboxes */
    struct pauses *pauses;
    struct intake *intake;
    struct orphans *orphans;
    bool sends; /* some mailbox has outgoing = yes, or had */
    char *config_path;
    struct config *first_config; /* until it is in use */
    struct restoration restoration;
    bool unchecked;         /* some mailbox was, perhaps (store_restore.h) */
    size_t unchecked_index; /* of the one that was found last; any number after a reload */
    struct reload *reload;  /* under way; NULL */
    bool reload_again;
    int64_t reload_refused_ms; /* since when the configuration that was read last is not in use,
                                  because it was refused; 0: it is */
    struct control *control;   /* NULL: nobody can ask */
    struct reload_waiters reload_waiters; /* for the reload that begins next */
    struct service_watchers watchers;
    struct job_watches tracings; /* of all that are under way */
    struct summary summary;
    struct executor_timer summary_timer;
    struct executor_timer housekeeping_timer;
    struct executor_timer clock_timer;
    int64_t clock_offset_ms; /* from the monotonic clock to the wall's, at the last look */
    bool more_to_prune;
    struct executor_timer stop_timer;
    struct executor_timer idle_timer;
    bool stopping;
    bool cancelling;  /* the running cycles are to end at once */
    bool left_behind; /* something hung at the stop */
    int exit_status;
    struct service_state state;
};

/* Takes a configuration into use: numbers from the store, profiles, mailboxes; in short turns of
 * the loop. Takes `config` over. */
void reload_apply(struct service *service, struct config *config);

/* After the loop has stopped, and no thread reads the configuration any more: a reload that is
 * under way is carried through, or dropped if nothing has been changed yet. */
void reload_end(struct service *service);

/* Reads the configuration again, off the loop, and applies it if it is right. */
void reload_start(struct service *service);

/* The same, and tells what came of it: of a reload that begins from now on. */
void reload_start_and_tell(struct service *service, struct reload_waiter *waiter);

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

/* The index of the first mailbox with that number or a higher one, as some may have come or gone
 * since; the count: none has. */
size_t service_mailbox_from(const struct service *service, int64_t number);

/* The mailbox of that number, whether it is still configured or not; NULL: none. */
struct mailbox *service_mailbox_by_number(const struct service *service, int64_t number);

/* The mailbox that is configured under the address, which is in lower case; NULL: none. */
struct mailbox *service_mailbox(const struct service *service, const char *address);

/* Puts a direction that is off into the schedule if its mailbox is configured for it; of one that
 * is claimed, its time is kept for then. */
void service_schedule(struct service *service, struct direction *direction, uint64_t delay_ms);

/* From here on notices that the clock was set back (service_clock.c). */
void service_watch_clock(struct service *service);

/* An administrator tries a direction that waits: it is due at once. */
void service_try_direction(struct service *service, struct direction *direction);

/* Makes a direction due at once, whether it waits for its time or because of trouble; one whose
 * cycle runs gets another right behind it. False when there is nothing to do: it is off. */
bool service_make_due(struct service *service, struct direction *direction);

/* Calls the watchers. */
void service_tell_cycle_ended(struct service *service, const struct direction *direction,
                              const struct cycle *cycle);

/* The outbox and its intake, which begin with the first configuration in which somebody sends. */
void service_create_outgoing(struct service *service, const char *state_directory);

/* STATE/outbox; NULL: there is none. The caller frees. */
char *service_outbox_path(const struct service *service);

/* The mailbox has something to send; `now`: also when it waits because of trouble. */
void service_hasten(struct service *service, struct mailbox *mailbox, bool now);

/* Another configuration is in use: what is queued finds its mailbox. */
void service_configure_outgoing(struct service *service);

/* Looks whether the database is a backup that was put back, and takes the first configuration into
 * use. */
void service_restore(struct service *service);

/* A cycle has ended: says when no mailbox is left that is to be compared. */
void service_note_checked(struct service *service, const struct cycle *cycle);

/* The first configuration is in use, or could not be. */
void service_started(struct service *service, const struct failure *failure);

#endif

/* Shared by service.c (start and stop), reload.c (taking a configuration into use),
 * service_profiles.c (its profiles), service_outgoing.c (what was submitted) and service_try.c (an
 * administrator's word). */
#ifndef EXSYNC_DAEMON_SERVICE_PRIVATE_H
#define EXSYNC_DAEMON_SERVICE_PRIVATE_H

#include "base/buffer.h"
#include "daemon/configuration.h"
#include "daemon/context.h"
#include "daemon/disks.h"
#include "daemon/intake.h"
#include "daemon/mailbox.h"
#include "daemon/orphans.h"
#include "daemon/scheduler.h"
#include "daemon/service.h"
#include "daemon/summary.h"

struct reload;

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
    struct intake *intake;
    struct orphans *orphans;
    bool sends; /* some mailbox has outgoing = yes, or had */
    char *config_path;
    struct config *first_config; /* until it is in use */
    struct reload *reload;       /* under way; NULL */
    bool reload_again;
    struct summary summary;
    struct executor_timer summary_timer;
    struct executor_timer housekeeping_timer;
    bool more_to_prune;
    struct executor_timer stop_timer;
    struct executor_timer idle_timer;
    bool stopping;
    bool cancelling;  /* the running cycles are to end at once */
    bool left_behind; /* something hung at the stop */
    int exit_status;
};

/* Takes a configuration into use: numbers from the store, profiles, mailboxes; in short turns of
 * the loop. Takes `config` over. */
void reload_apply(struct service *service, struct config *config);

/* After the loop has stopped, and no thread reads the configuration any more: a reload that is
 * under way is carried through, or dropped if nothing has been changed yet. */
void reload_end(struct service *service);

/* Reads the configuration again, off the loop, and applies it if it is right. */
void reload_start(struct service *service);

/* Makes the profiles of a configuration those in use, with their connections and gates where
 * nothing has changed that reaches the server. */
void service_take_profiles(struct service *service, struct configuration *configuration);

/* When the mailboxes have changed over: profiles that are not configured any more, or were
 * replaced. Mailboxes that are still busy hold them until they have changed over, too. */
void service_retire_profiles(struct service *service, const struct config *config);

/* The profile in use of that name; NULL: none. */
struct profile *service_profile(struct service *service, const char *name);

/* Puts a direction that is off into the schedule if its mailbox is configured for it. */
void service_schedule(struct service *service, struct direction *direction, uint64_t delay_ms);

/* The outbox and its intake, which begin with the first configuration in which somebody sends. */
void service_create_outgoing(struct service *service, const char *state_directory);

/* Another configuration is in use: what is queued finds its mailbox. */
void service_configure_outgoing(struct service *service);

/* The first configuration is in use, or could not be. */
void service_started(struct service *service, const struct failure *failure);

#endif

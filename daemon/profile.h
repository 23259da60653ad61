/* An email server profile while the daemon runs: its connections, its back end, its gate, and the
 * directions of its mailboxes that are due.
 *
 * Directions that failed last time ("suspect") have a queue of their own and never take more than
 * half of the places, so that mailboxes on a dead database cannot hold up the others. */
#ifndef EXSYNC_DAEMON_PROFILE_H
#define EXSYNC_DAEMON_PROFILE_H

#include "config/config.h"
#include "daemon/backoff.h"
#include "daemon/configuration.h"
#include "daemon/context.h"
#include "daemon/gate.h"
#include "daemon/mailbox.h"
#include "ews/backend.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
    PROFILE_BUSY_MAILBOXES = 3,     /* so many mailboxes busy ... */
    PROFILE_BUSY_WITHIN_MS = 10000, /* ... within so long slow the profile */
    PROFILE_GROW_AFTER_MS = 60000,  /* one connection more after so long without a busy answer */
    PROFILE_ALIKE_MAX =
        5, /* so many mailboxes that fail alike are the server's trouble, not theirs */
};

struct profile_list;

/* Whether an alert is open that stands for most of the profile's mailboxes (alerts.h). */
enum profile_group {
    PROFILE_GROUP_UNKNOWN, /* an earlier process may have left one */
    PROFILE_GROUP_OPEN,
    PROFILE_GROUP_NONE,
};

struct profile {
    const struct context *context;
    const struct config_profile *config;
    struct configuration *configuration; /* that `config` belongs to */
    struct http_pool *pool;
    struct backend *backend;
    struct gate gate;
    struct backoff_tries tries; /* that closed the gate, since it was open */
    struct direction_queue ready;
    struct direction_queue ready_suspect;
    uint32_t ready_count;
    uint32_t running;
    uint32_t running_suspect;
    uint32_t users;         /* mailboxes, the service's list, and who works for it */
    uint32_t mailbox_count; /* on this profile, with a direction that is on */
    uint32_t stopped;       /* of these, those that a failure has stopped that stays */
    uint32_t untried; /* of these, those that receive and of which no cycle has ended so far */
    enum profile_group group;
    enum failure_category group_category; /* of that alert */
    uint64_t group_raised_ms;             /* monotonic: when it was told to the store last */
    bool group_again;                     /* it is to be told again: who owns the profile may have
                                             changed */
    bool signed_in;                       /* the server was reached, and that was told */
    bool hurried;           /* a mailbox that has come to it by a reload tries it at once */
    bool resolved;          /* the store knows of no failure of the profile any more */
    uint32_t resolves_lost; /* how often the store could not be told that a mailbox works again */
    uint32_t running_stuck; /* of `running`, those that wait for a disk that does not answer */
    uint32_t outages;       /* long ones that are over */
    uint32_t alike; /* mailboxes in a row that met the same failure, with no success between */
    struct failure last_failure;
    uint64_t busy_at[PROFILE_BUSY_MAILBOXES];
    struct executor_timer grow;
    bool cannot_send_drafts; /* the server has shown it */
    bool paused;             /* an administrator wants that no cycle starts */
    int64_t paused_since_ms; /* wall time; while it is paused */
    bool current;            /* what its name means now; false: replaced or removed */
    bool retired; /* the list of profiles is no user any more: it goes with its last mailbox */
    void *owner;
    struct profile_list *list;
    TAILQ_ENTRY(profile) entries;
};

TAILQ_HEAD(profile_list, profile);

/* Created with one user, the caller, at the end of `list`, which it leaves when it is freed.
 * `on_trying` is the gate's; `owner` is for the caller's use. */
struct profile *profile_create(const struct context *context, const struct config_profile *config,
                               struct configuration *configuration, struct profile_list *list,
                               void (*on_trying)(void *profile), void *owner);

/* Puts a configuration in place that profile_matches. */
void profile_adopt(struct profile *profile, const struct config_profile *config,
                   struct configuration *configuration);

/* One user more, one less; freed with the last. */
void profile_use(struct profile *profile);
void profile_release(struct profile *profile);

/* Whether `config` can take this profile's place without new connections: all that reaches the
 * server is the same, and so is the secret. */
bool profile_matches(const struct profile *profile, const struct config_profile *config);

/* Whether no mailbox is stopped, as far as each of them has been tried. When an alert that stood
 * for many is over, those that are still stopped have none of their own before they are tried
 * again. */
bool profile_is_well(const struct profile *profile);

/* Whether a mailbox that a reload has brought here from another profile (`before`), to receive by
 * it, is to try it at once: the first one is, once. A new password that is wrong is known now, not
 * after an interval. */
bool profile_hurry(struct profile *profile, const struct profile *before);

/* What it calls itself in requests. Valid as long as `config`. */
const char *profile_user_agent(const struct config_profile *config);

/* How the profile waits between tries. */
struct backoff profile_backoff(const struct profile *profile);

/* Cycles that may run at a time: some more than connections, so that none idles while a cycle waits
 * for the disk. */
uint32_t profile_places(const struct profile *profile);

void profile_enqueue(struct profile *profile, struct direction *direction);
/* Takes a direction that is ready out of the queue. */
void profile_dequeue(struct profile *profile, struct direction *direction);

/* The next direction that may start now; NULL when none may. Taken out of its queue. */
struct direction *profile_next(struct profile *profile);

/* Whether messages are sent in one step (send_method, and what the server has shown). */
bool profile_sends_directly(const struct profile *profile);

/* The server has shown that it cannot send drafts. False when send_method = draft wants it all the
 * same. */
bool profile_note_no_drafts(struct profile *profile);

/* A mailbox failed in a way that the server as a whole may be the cause of. Returns true when so
 * many failed alike that it must be. */
bool profile_note_alike(struct profile *profile, const struct failure *failure);

/* A mailbox of this profile was told that the server is busy. Returns true when the profile was
 * slowed. */
bool profile_note_busy(struct profile *profile);

#endif

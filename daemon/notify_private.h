/* Shared by notify.c (composing) and notify_deliver.c (delivering). */
#ifndef EXSYNC_DAEMON_NOTIFY_PRIVATE_H
#define EXSYNC_DAEMON_NOTIFY_PRIVATE_H

#include "base/buffer.h"
#include "daemon/delivery.h"
#include "daemon/notify.h"
#include "store/store_alerts.h"

enum { NOTIFIER_THREADS = 4 };

enum watch_part {
    WATCH_IDLE,    /* nothing to tell, or a message is on its way */
    WATCH_WAITING, /* for more of the same, or because of notify_limit */
    WATCH_LOOKING, /* the store is asked */
    WATCH_ADDING,  /* the store gets the message */
};

/* A channel of a profile. */
struct watch_channel {
    struct watch *watch;
    unsigned number;
    struct delivery *delivery; /* under way */
    char id[STORE_NOTIFICATION_ID_SIZE];
    uint32_t attempts; /* before this one */

    /* What came of it, until the store has written that down. */
    bool reporting;
    bool at_once; /* the next one is taken whether it is due or not */
    enum store_notice_outcome outcome;
    int64_t next_try_ms;
    char *reason;
    struct executor_timer report_timer; /* the store could not: it is told again */
};

struct watch {
    struct notifier *notifier;
    char *name; /* the profile's */
    enum watch_part part;
    bool again;      /* something has come while the store was at work */
    bool well_waits; /* nothing that was told is open, but mailboxes are stopped or not tried yet */
    char *owner;     /* whom the store is asked about, or gets the message for; NULL otherwise */
    struct executor_timer timer;

    /* The message that is being written to the store. */
    struct store_notification notification;
    struct buffer message;
    char *json;
    bool added;

    struct executor_timer deliver_timer;
    bool loading;
    bool load_again;
    struct watch_channel channels[STORE_CHANNELS];
    TAILQ_ENTRY(watch) entries;
};

struct notifier {
    const struct context *context;
    struct profile_list *profiles;
    notifier_list_stopped *list_stopped;
    void *argument;
    struct executor_pool *pool; /* smtp and commands */
    TAILQ_HEAD(watch_list, watch) watches;
    bool stopping;
};

/* The profile as it is configured now; NULL: it is not. */
struct profile *watch_profile(const struct watch *watch);

/* Something is to be told. */
void watch_wake(struct watch *watch);

/* Looks for what waits to be delivered. */
void watch_deliver(struct watch *watch);
/* What the store could not write down is written now, or never. */
void watch_stop_deliveries(struct watch *watch);
bool watch_is_delivering(const struct watch *watch);
void watch_cancel_deliveries(struct watch *watch);

#endif

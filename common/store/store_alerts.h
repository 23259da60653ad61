/* Alerts and notifications: what people are told of what went wrong.
 *
 *   alert         what a person is told about a failure; it opens, repeats, is raised, and is
 *                 resolved. Of each kind (scope, profile, mailbox, direction, category, code, and
 *                 submission for scope item) one at most is open
 *   absorbing     a profile's alert that stands for the alerts of its mailboxes with the same
 *                 category, whatever their codes: those are resolved, grouped into it, and while
 *                 it is open no new ones are opened
 *   notification  one message to a profile's owner about one or more alerts (trouble), or that all
 *                 of what was told is over (well)
 *   channel       a way to the owner; a number that the daemon chose
 *   notice        one notification on its way by one channel
 *   told          whether the owner knows of an alert. As soon as the first channel has handed its
 *                 notification over, the owner does
 *   over          an alert that the owner knows of, that is resolved, and of which nobody has told
 *                 the owner so yet. Grouped ones are not over: the one that absorbed them will be,
 *                 unless the owner never came to know of that one
 *
 * An alert opens together with the row of its failure, by store_failure_record; how operations are
 * started, ordered and ended is said in store.h. Ids of alerts are for people (journal, exsyncctl):
 * they are never used again, and nothing else is to be concluded from them.
 *
 *   tell, no notification -> BEING -> in a notification -> DONE            a channel handed it over
 *                                                       -> NOT -> DONE     all have failed so far
 *                                                       -> NOT             all were given up
 */
#ifndef EXSYNC_STORE_STORE_ALERTS_H
#define EXSYNC_STORE_STORE_ALERTS_H

#include "store/store.h"

/* --- alerts --- */

enum store_alert_level { STORE_ALERT_INFORMATION = 1, STORE_ALERT_WARNING, STORE_ALERT_ERROR };

/* Whether the owner knows. */
enum store_alert_told {
    STORE_TOLD_NOBODY, /* nobody is to be told, or it was resolved before anybody was */
    STORE_TOLD_BEING,  /* the owner is to be told */
    STORE_TOLD_DONE,   /* has been */
    STORE_TOLD_NOT,    /* could not be so far, and why */
};

enum store_alert_change {
    STORE_ALERT_UNCHANGED, /* one that absorbs stands for it: `id` is that one's; 0: it is of a
                              mailbox that is gone */
    STORE_ALERT_OPENED,
    STORE_ALERT_REPEATED,
    STORE_ALERT_RAISED, /* it was open with a lower level: told like one that opens */
};

/* Goes with a failure that is recorded (struct store_failure).
 *
 * An alert of a mailbox (scope mailbox) with level error takes the place of other open errors of
 * the same mailbox and direction: those are resolved. Warnings do not. One that repeats keeps its
 * subject and opening; as long as no notification tells of it, the last call says whether one is
 * to, so that an owner who is configured later is told of what is still wrong. */
struct store_alert {
    enum store_alert_level level;
    const char *subject;    /* of the message that was being sent; NULL: none */
    const char *opening;    /* its sentence up to where the owner's part begins */
    bool tell;              /* the owner is to be told */
    const char *untellable; /* with `tell`: why the owner cannot be (no owner, no channel): it is
                             * STORE_TOLD_NOT at once; NULL: nothing is in the way */
    bool absorbs;           /* scope profile only */
    int64_t id;             /* out */
    enum store_alert_change change; /* out */
};

/* The alerts of the profile that absorb are over, and so are their failures. Their mailboxes open
 * alerts of their own again. `*resolved` may be NULL. */
void store_alert_resolve_grouped(struct store *store, const char *profile, int64_t now_ms,
                                 struct store_resolved *resolved, store_done *done, void *argument);

/* An alert to be read, with its failure as it was last seen. Strings are valid during `done`; none
 * is NULL but `subject`. */
struct store_alert_row {
    int64_t id;
    enum store_alert_level level;
    enum store_alert_told told;
    const char *told_reason; /* "" unless STORE_TOLD_NOT */
    const char *scope;
    const char *profile;
    const char *mailbox;   /* its address; "" for a profile's */
    const char *direction; /* "": both */
    const char *category;
    const char *code;
    const char *step;
    const char *subject;    /* NULL: none */
    const char *submission; /* the outgoing message's id; "": it is of none */
    const char *opening;
    const char *sentence;
    const char *remedy;
    const char *text;     /* the server's words */
    const char *activity; /* of the cycle that saw the failure last */
    const char *trace;    /* lines; "": none */
    int http_status;      /* 0: none */
    int64_t opened_ms;
    int64_t last_seen_ms;
    int64_t resolved_ms; /* 0: open */
    uint32_t count;      /* how often it was met */
    bool absorbs;
};

struct store_alert_rows {
    const struct store_alert_row *rows;
    size_t count;
    uint64_t total; /* with those beyond the limit */
};

/* `alerts` is NULL after a failure, and valid during the call only. */
typedef void store_alerts_done(void *argument, const struct failure *failure,
                               const struct store_alert_rows *alerts);

/* For people: the newest first, `limit` at most; open ones only unless `all`. `before` is 0 at
 * first and then the id of the last one that was told. Read. */
void store_alerts_list(struct store *store, bool all, int64_t before, size_t limit,
                       store_alerts_done *done, void *argument);

/* The alert of that id, open or not; no row when there is none. Read. */
void store_alert_find(struct store *store, int64_t id, store_alerts_done *done, void *argument);

/* Open alerts of one profile and its mailboxes. */
struct store_alert_count {
    const char *profile; /* valid during the call only */
    enum store_alert_level level;
    uint64_t count;
    uint64_t items; /* of these: of messages and items, each */
};

/* How many are open: called for each profile and level that has some, on the loop, then `done`.
 * Read. */
void store_alerts_count(struct store *store,
                        void (*each)(void *argument, const struct store_alert_count *count),
                        store_done *done, void *argument);

/* --- notifications --- */

enum { STORE_CHANNELS = 3 }; /* their numbers: 0 to 2 */

enum { STORE_NOTIFICATION_ID_SIZE = 37 }; /* a UUID */

enum store_notification_kind { STORE_NOTIFICATION_TROUBLE = 1, STORE_NOTIFICATION_WELL };

/* What is to be told to a profile's owner. */
struct store_notify_state {
    /* Open, to be told, and in no notification yet; the oldest first. `untold_last` is for
     * alerts_up_to. */
    struct store_alert_rows untold;
    int64_t untold_last;
    /* Over; the oldest first. `over_last` is for alerts_up_to. */
    struct store_alert_rows over;
    int64_t over_last;
    uint64_t open_told;      /* open, and known to the owner or in a notification */
    bool pending;            /* a notification waits that no channel has handed over yet */
    uint32_t recent;         /* notifications made for `owner` since `since_ms` (of any profile) */
    int64_t recent_first_ms; /* when the first of these was; 0: none */
};

/* `state` is NULL after a failure, and valid during the call only. */
typedef void store_notify_done(void *argument, const struct failure *failure,
                               const struct store_notify_state *state);

/* At most `limit` rows of each kind. Strings are copied. Read. */
void store_notify_look(struct store *store, const char *profile, const char *owner,
                       int64_t since_ms, size_t limit, store_notify_done *done, void *argument);

struct store_notification {
    char id[STORE_NOTIFICATION_ID_SIZE];
    const char *profile;
    const char *owner;
    enum store_notification_kind kind;
    const char *message;  /* the whole mail, RFC 5322 with CRLF, its Message-ID made of `id` */
    const char *json;     /* for a command */
    unsigned channels;    /* bit n: channel n; at least one */
    int64_t alerts_up_to; /* of store_notify_look. TROUBLE: it tells of all untold ones up to there
                           * that are still open; WELL: of all that are over up to there */
};

/* `*added` is false, and nothing was written, when there is nothing left to tell: TROUBLE: none of
 * the alerts is open and untold any more; WELL: none is over any more, or one that the owner knows
 * of or is to be told of is open. */
void store_notification_add(struct store *store, const struct store_notification *notification,
                            int64_t now_ms, bool *added, store_done *done, void *argument);

/* --- notices --- */

struct store_notice {
    char id[STORE_NOTIFICATION_ID_SIZE]; /* the notification's */
    unsigned channel;
    enum store_notification_kind kind;
    unsigned channels;   /* of the notification: bit n: channel n */
    bool handed;         /* some channel has handed it over */
    uint32_t attempts;   /* that failed */
    int64_t created_ms;  /* the notification */
    int64_t next_try_ms; /* 0: at once */
    const char *owner;
    const char *message;
    const char *json;
};

/* `notices` is valid during the call only. */
typedef void store_notices_done(void *argument, const struct failure *failure,
                                const struct store_notice *notices, size_t count);

/* The oldest notice of the profile that waits on each channel, due or not: the others of a channel
 * come after it. STORE_CHANNELS at most. The profile is copied. Read. */
void store_notices_waiting(struct store *store, const char *profile, store_notices_done *done,
                           void *argument);

enum store_notice_outcome {
    STORE_NOTICE_HANDED,  /* the channel has taken it */
    STORE_NOTICE_FAILED,  /* to be tried again */
    STORE_NOTICE_DROPPED, /* given up */
};

struct store_notice_result {
    const char *id;
    unsigned channel;
    enum store_notice_outcome outcome;
    const char *reason;  /* failed, dropped: why, for people. NULL: the last one stays */
    int64_t next_try_ms; /* failed */
};

/* What came of one try. Handed over: the notification's alerts are told, unless another channel had
 * handed it over before. Failed and dropped: they are STORE_TOLD_NOT with the reason, unless
 * another channel has handed it over or has not tried yet, and so are those that wait behind it
 * (untold), until it is handed over or they are in a notification of their own. Once all channels
 * have dropped it, they are in no notification any more: one of them that repeats is told anew.
 * `done` gets the notification's alerts whose `told` has become another by this (a new reason alone
 * does not count), `limit` rows at most. A notice that is unknown or does not wait any more changes
 * nothing. Strings are copied. */
void store_notice_result(struct store *store, const struct store_notice_result *result,
                         int64_t now_ms, size_t limit, store_alerts_done *done, void *argument);

/* --- sign-ins that were refused --- */

struct store_sign_in {
    uint32_t mark;    /* the daemon's: what was tried */
    uint32_t refused; /* how often; 0: nothing is remembered */
    int64_t last_ms;
};

/* Called for each profile of which something is remembered, on the loop, then `done`. Read. */
void store_sign_ins_load(struct store *store,
                         void (*each)(void *argument, const char *profile,
                                      const struct store_sign_in *sign_in),
                         store_done *done, void *argument);

/* Strings are copied, as is `sign_in`. */
void store_sign_in_save(struct store *store, const char *profile,
                        const struct store_sign_in *sign_in, store_done *done, void *argument);

#endif

/* What must survive: SQLite behind named operations.
 *
 *   mailbox   a number that stands for a mailbox for good, whatever its address becomes
 *   lease     the generation of the claim on a mailbox, checked in each write (always 1 for now)
 *   folder    what is remembered of one folder of a mailbox: how far it was read
 *   ledger    the items already taken over; what makes a second delivery impossible
 *   key       an item's digest (of its ItemId) and the digest of its fingerprint, by which it is
 *             known when it comes back under another ItemId
 *   reference the back end's own name for an item, kept only as long as something is to be done to
 *             it
 *   failure   a row about something that went wrong; the same again raises its count
 *
 * Every operation is asynchronous: writes go to one writer thread that makes one transaction of all
 * that wait (group commit; `done` comes after COMMIT, on the loop), reads to one reader thread on a
 * connection of its own. A write that fails does not spoil the others of its transaction.
 * Operations complete in the order in which they were started, reads and writes each for
 * themselves (but store_ledger_forget, which lets others pass); a read started after a write's
 * `done` sees it. Nothing can be cancelled: operations are short; inputs and outputs that a caller
 * passes stay valid until `done`, which may be NULL. A write that failed has changed nothing; what
 * it put into outputs means nothing.
 *
 * Failures have the category storage and the scope server; code is SQLite's name ("SQLITE_FULL").
 * A lost lease has the scope mailbox and the code "LEASE". When the disk is full or fails, all
 * writes of the transaction fail; the same calls work once it has recovered.
 * Times are wall-clock milliseconds. WAL, synchronous=FULL, foreign keys, STRICT tables; migrations
 * by user_version; a database of a newer program is refused. */
#ifndef EXSYNC_STORE_STORE_H
#define EXSYNC_STORE_STORE_H

#include "base/digest.h"
#include "base/executor.h"
#include "base/failure.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Called now and then, on the thread that opens, while a long upgrade gets on. */
struct store_progress {
    /* `silent_ms`: what begins now may take so long, by the size of the database on a slow disk,
     * and tells nothing meanwhile; 0: nothing of the kind. */
    void (*tell)(void *argument, uint64_t silent_ms);
    void *argument;
};

/* Opens or creates DIRECTORY/exsyncd.db (mode 0600), takes the state directory's lock, and upgrades
 * a database of an older program in one transaction, having copied it to exsyncd.db.vN (N: its
 * version) unless it is large and little of it will be written.
 * Blocks, for minutes when a large database is copied: called before the loop runs. `progress` may
 * be NULL. Returns NULL and sets `failure` (another daemon holds the lock, newer schema, damage,
 * permission, disk, no room for the copy); the text names the file, which is as it was. */
struct store *store_open(const char *directory, struct executor *executor, struct log *log,
                         const struct store_progress *progress, struct failure *failure);

/* The same for a look into the database while the daemon does not run: creates nothing and upgrades
 * nothing; one of an older version is refused as well. */
struct store *store_open_as_it_is(const char *directory, struct executor *executor,
                                  struct failure *failure);

/* Finishes what was started (their `done` is still called if the loop runs), closes. */
void store_close(struct store *store);

/* A database had to be created though the state directory was used before: when that was for the
 * last time, in wall-clock milliseconds; 0: there was one, or the directory is new. */
int64_t store_lost(const struct store *store);

/* Random and fixed at creation: 32 hexadecimal digits. */
const char *store_instance(const struct store *store);

/* Operations that were started and are not done. */
size_t store_pending(const struct store *store);

/* For how long the store's threads have not got on with what they do now, the longer one, in
 * milliseconds; 0: they wait for work. One that hangs (a disk that does not answer) shows by it;
 * one that has much to do does not, nor a database that another program keeps locked, as patience
 * with it ends. */
uint64_t store_busy_ms(const struct store *store);

/* `failure` is NULL on success. */
typedef void store_done(void *argument, const struct failure *failure);

struct store_mailbox {
    int64_t number;
    uint32_t lease;
};

/* --- mailboxes --- */

/* Bits. */
enum store_direction { STORE_INCOMING = 1, STORE_OUTGOING = 2 };

/* Since when and by whom a direction is switched off. */
struct store_switch {
    int64_t since_ms;
    uint32_t user;
};

/* A direction that has failed and has not worked since. */
struct store_trouble {
    uint32_t failures; /* in a row; 0: it works */
    int64_t since_ms;
};

struct store_registration {
    const char *address;      /* in, lower case */
    const char *renamed_from; /* in; NULL: none. The old address's number is kept if it is known */
    const char *profile;      /* in */
    bool incoming_off;        /* in: what went wrong with it in this direction is over */
    bool outgoing_off;
    struct store_mailbox mailbox; /* out */
    int64_t enabled_ms;    /* out: when it was first enabled: the default of process_email_from */
    unsigned switched_off; /* out: bits of enum store_direction, see store_actions.h */
    struct store_switch incoming_switch; /* out, of those bits, as the next */
    struct store_switch outgoing_switch;
    struct store_trouble incoming_trouble; /* out, before this */
    struct store_trouble outgoing_trouble;
    /* out: after a backup was put back its Maildir is to be looked through, see store_restore.h */
    bool unchecked;
    int64_t check_from_ms;
    uint64_t check_above; /* 0: for its own files alone */
};

/* Gives every mailbox its number; those not named are marked as removed (their state stays until
 * store_prune), those that come back are as before. What went wrong with those that are removed,
 * with directions that are off, and with profiles that no registration names, is over; nobody is
 * told of the last any more. One transaction. A renaming is applied once, however often it is
 * named; addresses may be swapped. When both addresses have state, the new one's ledger goes into
 * the old number, and a cycle that still holds the other loses its lease; while the new one has
 * items in state "delivering", that waits for the next registration. A
 * direction that was switched off in either stays so, and what went wrong with one that is switched
 * off is over. */
void store_register_mailboxes(struct store *store, struct store_registration *registrations,
                              size_t count, int64_t now_ms, store_done *done, void *argument);

/* Remembers that the mailbox's sink was set up at `path`. */
void store_sink_ready(struct store *store, struct store_mailbox mailbox, const char *path,
                      store_done *done, void *argument);

/* --- folders --- */

struct store_folder {
    int64_t watermark_ms; /* everything received up to here was delivered or recorded as failed */
    int64_t process_from_ms; /* nothing before */
    int64_t total;           /* items in the folder after the last look; -1 unknown */
    int64_t pass_started_ms; /* complete pass under way: when it began; 0: none is */
    int64_t pass_offset;     /* complete pass under way: the next page */
    int64_t pass_done_ms;    /* when the last complete pass ended; 0: never */
};

/* Reads what is remembered; folders seen for the first time are created with process_from_ms as
 * given in `folders` and that as their watermark. `*sink_path` is where the mailbox's sink was set
 * up (store_sink_ready), for the caller to free with memory_free; NULL: nowhere yet, or after a
 * failure. */
void store_folders_load(struct store *store, struct store_mailbox mailbox, const char *const *names,
                        size_t count, struct store_folder *folders, char **sink_path,
                        store_done *done, void *argument);

void store_folder_save(struct store *store, struct store_mailbox mailbox, const char *name,
                       const struct store_folder *folder, store_done *done, void *argument);

/* --- the ledger --- */

struct store_key {
    struct digest item;
    struct digest fingerprint; /* meaningful with has_fingerprint */
    bool has_fingerprint;
};

enum store_item_state {
    STORE_ITEM_UNKNOWN,    /* never seen: take it */
    STORE_ITEM_DELIVERING, /* committed; perhaps published */
    STORE_ITEM_DELIVERED,
    STORE_ITEM_FAILED, /* recorded; tried again by its own time, not because it is listed */
    STORE_ITEM_IN_DOUBT,
};

/* For each key its state, by item or else by fingerprint. Read. */
void store_ledger_check(struct store *store, struct store_mailbox mailbox,
                        const struct store_key *keys, size_t count, uint8_t *states,
                        store_done *done, void *argument);

struct store_delivery {
    struct store_key key;
    int64_t received_ms;
    const char *name;      /* the sink's */
    uint64_t file;         /* by which the sink's file is found once its name is forgotten */
    uint64_t message;      /* the number of its Message-ID; 0: none, or not known (any more) */
    const char *activity;  /* of the cycle, a UUID; NULL: none */
    const char *reference; /* NULL: nothing is to be done to the item after delivery */
    bool duplicate;        /* out: the ledger has it already; nothing was written: abandon it */
};

/* State "delivering" for each. From here on the item is never fetched again. */
void store_ledger_deliver(struct store *store, struct store_mailbox mailbox,
                          struct store_delivery *deliveries, size_t count, int64_t now_ms,
                          store_done *done, void *argument);

/* State "delivered" for each; an item failure of the same item is resolved. */
void store_ledger_delivered(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, int64_t now_ms,
                            store_done *done, void *argument);

/* What was to be done to the items after delivery is done (or needless: the item is gone); what
 * failed in doing it is resolved. */
void store_ledger_acknowledged(struct store *store, struct store_mailbox mailbox,
                               const struct digest *items, size_t count, store_done *done,
                               void *argument);

/* Failed items that are not on the server any more: their rows go, their failures are resolved. An
 * item that comes back is new. Rows in other states are left alone. */
void store_ledger_gone(struct store *store, struct store_mailbox mailbox,
                       const struct digest *items, size_t count, int64_t now_ms, store_done *done,
                       void *argument);

/* Failed items that were to be set aside (see store_failure) have been: they are not tried again,
 * and what was recorded of them stays. One that comes back into a folder that is read, under
 * whatever ItemId, is tried again at once. */
void store_ledger_set_aside(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, store_done *done,
                            void *argument);

struct store_seen {
    struct store_key key;
    const char *reference; /* the item's present reference: replaces that of a failed item */
};

/* These items are in the folder now: keeps their rows alive; an item that was known by its
 * fingerprint alone gets a row under its new ItemId. Writes only what a week has made stale. */
void store_ledger_seen(struct store *store, struct store_mailbox mailbox,
                       const struct store_seen *items, size_t count, int64_t now_ms,
                       store_done *done, void *argument);

/* After a complete pass of all folders: forgets delivered and failed rows that were last seen
 * before; the failures of these items are resolved. */
void store_ledger_forget(struct store *store, struct store_mailbox mailbox, int64_t before_ms,
                         store_done *done, void *argument);

/* --- items with something left to do --- */

enum store_open_kind {
    STORE_OPEN_DELIVERING,     /* name is set */
    STORE_OPEN_FAILED,         /* due for another try; reference is set */
    STORE_OPEN_UNACKNOWLEDGED, /* delivered; reference is set */
    STORE_OPEN_UNDELIVERABLE,  /* failed, to be set aside; reference is set */
};

struct store_open_item {
    enum store_open_kind kind;
    struct store_key key;
    int64_t received_ms;
    uint32_t attempts;
    const char *name;
    const char *reference;
};

struct store_open_items {
    struct store_open_item *items;
    size_t count;
    bool more;        /* there are more of them than the limit */
    bool waiting;     /* there are failed items that are not due yet */
    int64_t position; /* for the next call */
};

/* All delivering items; of those that are to be set aside a quarter of `limit` at most, any of
 * them, so that those that cannot be hold up no others; then failed ones due at now_ms and
 * unacknowledged ones, `limit` of these at most. `position` is 0 at first and then what the last
 * result told: unacknowledged ones that are more than the limit take turns, so that those that can
 * never be acknowledged hold up no others. The result is valid during `done` only. Read. */
typedef void store_open_items_done(void *argument, const struct failure *failure,
                                   const struct store_open_items *items);
void store_open_items(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                      int64_t position, size_t limit, store_open_items_done *done, void *argument);

/* --- failures --- */

struct store_alert; /* store_alerts.h */

struct store_failure {
    struct failure failure;
    const char *profile;
    struct store_mailbox mailbox; /* number 0: not of one mailbox */
    const char *direction;        /* "incoming", "outgoing"; NULL: both */
    const char *activity;
    const char *trace; /* lines for people who look into it; NULL: none */
    int64_t now_ms;
    int64_t next_retry_ms; /* INT64_MAX: not tried again by itself */
    const struct store_delivery
        *item;              /* for scope item: key, received_ms and reference; else NULL */
    const char *submission; /* for scope item: the submission's id; NULL: it is of none */
    uint32_t attempts;      /* tries of the item so far */
    bool set_aside; /* the item is to be set aside instead of being tried again: next_retry_ms does
                       not count */
    struct store_alert *alert; /* opened, repeated or raised with it; NULL: none. It and its strings
                                  stay valid until `done` */
};

/* Records a failure, or counts the same one again (same scope, profile, mailbox, direction, step,
 * category, code, item and submission, not resolved). One with an item puts the item into the
 * ledger as failed in the same transaction, and so it is with its alert. What a cycle (it
 * has an activity) meets of a mailbox that is not registered any more is not kept. Strings are
 * copied, but the alert's. */
void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument);

struct store_resolved {
    uint32_t failures;
    uint32_t alerts;
    uint32_t told; /* of these alerts: those that the owner knows of or was being told of */
};

/* What went wrong with this mailbox (number 0: with this profile) in this direction is over (NULL:
 * in any, and what was recorded for both), and so are its alerts; those of items stay (their alerts
 * are resolved by store_prune), and those that absorb (store_alert_resolve_grouped). `direction` is
 * a constant. `*resolved` (may be NULL) counts the rows. */
void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument);

/* --- submissions: outgoing messages on their way ---
 *
 *   queued    taken in; its file is in the outbox's queue
 *   creating  a draft was asked for and the answer is not known: search before asking again
 *   created   the draft is there (reference), and nobody has asked to send it
 *   sending   sending it was asked for and the answer is not known: look before asking again
 *   sent      the server has taken it
 *   failed    left for a person, with its reason
 *   doubtful  sent in one step, and whether that was carried out is not known: search
 *
 * A row is added once for each id. Sent and failed rows are kept for a while, for people who ask
 * where a message is. */

enum store_submission_state {
    STORE_SUBMISSION_QUEUED = 1,
    STORE_SUBMISSION_CREATING,
    STORE_SUBMISSION_CREATED,
    STORE_SUBMISSION_SENT,
    STORE_SUBMISSION_FAILED,
    STORE_SUBMISSION_DOUBTFUL,
    STORE_SUBMISSION_SENDING,
};

enum { STORE_SUBMISSION_ID_SIZE = 37 };

struct store_submission {
    char id[STORE_SUBMISSION_ID_SIZE]; /* a UUID; the queue's file is named after it */
    enum store_submission_state state;
    int64_t order;       /* in which they came; given by store_submission_add */
    int64_t queued_ms;   /* store_submission_add: 0 means now */
    uint64_t size;       /* bytes of the queue's file; 0: it was gone when a backup was put back */
    uint32_t submitter;  /* user id of who submitted it */
    bool null_sender;    /* nobody is to be told of its fate */
    bool stray;          /* a draft too many may exist: looked for once it is sent or failed */
    uint32_t attempts;   /* that failed in a transient way */
    int64_t next_try_ms; /* not before; 0: at once */
    int64_t doubt_since_ms; /* 0: none */
    int64_t held_for_ms; /* how long it was held in all (store_actions.h): it does not age then */
    const char *message_id; /* with its angle brackets */
    const char *subject;
    const char *recipients; /* one a line: "to ADDRESS NAME", "cc ...", "bcc ..."; UTF-8 */
    const char *reference;  /* of the draft; NULL: none */
};

/* Adds one in state queued. One that is known already is left as it is. */
void store_submission_add(struct store *store, struct store_mailbox mailbox,
                          const struct store_submission *submission, int64_t now_ms,
                          store_done *done, void *argument);

/* The state of each id; 0: it is not known. Read. */
void store_submissions_states(struct store *store, const char *const *ids, size_t count,
                              uint8_t *states, store_done *done, void *argument);

/* The mailbox's open submissions (queued, creating, created, sending, doubtful, and sent or failed
 * ones with a stray draft) that are due at now_ms, in the order in which they came, `limit` at
 * most. `next_ms` is when the first of those that are not due will be; INT64_MAX: there are none.
 * One that is held is neither.
 * Valid during `done` only. Read. */
struct store_submissions {
    const struct store_submission *submissions;
    size_t count;
    bool more;
    int64_t next_ms;
};
typedef void store_submissions_done(void *argument, const struct failure *failure,
                                    const struct store_submissions *submissions);
void store_submissions_due(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                           size_t limit, store_submissions_done *done, void *argument);

/* The same of those that were neither sent nor failed and were queued before `before_ms`, due or
 * not. `next_ms` is not told. */
void store_submissions_lapsed(struct store *store, struct store_mailbox mailbox, int64_t before_ms,
                              size_t limit, store_submissions_done *done, void *argument);

/* The same of all that were neither sent nor failed, held or not, behind the one that has the order
 * `after`; 0: from the first one on. */
void store_submissions_unsent(struct store *store, struct store_mailbox mailbox, int64_t after,
                              size_t limit, store_submissions_done *done, void *argument);

/* What one mailbox, configured or not, has to send. The strings are valid during the call only. */
struct store_backlog {
    struct store_mailbox mailbox;
    const char *address;
    const char *profile;
    uint64_t waiting;  /* messages that were neither sent nor failed; 0: stray drafts alone */
    int64_t oldest_ms; /* when the first of them was queued; the time that it was held is added */
};

/* The mailboxes that have open submissions that are not held: called for each on the loop, then
 * `done`. Read, but behind all that is to be written: whoever asks what a mailbox may send is not
 * told of what an administrator has just held. */
void store_submissions_open(struct store *store,
                            void (*each)(void *argument, const struct store_backlog *backlog),
                            store_done *done, void *argument);

/* The same for people, who are told also while nothing can be written. Read. */
void store_submissions_show(struct store *store,
                            void (*each)(void *argument, const struct store_backlog *backlog),
                            store_done *done, void *argument);

struct store_submission_change {
    const char *id;
    enum store_submission_state state;
    const char *reference; /* NULL: none (any more) */
    uint32_t attempts;
    int64_t next_try_ms;
    int64_t doubt_since_ms;
    bool stray;
};
/* What became of them, in one transaction; with a final state (sent, failed) `now_ms` is when. What
 * was recorded about one that is sent is resolved.
 * Unknown ids are left alone. */
void store_submissions_change(struct store *store, struct store_mailbox mailbox,
                              const struct store_submission_change *changes, size_t count,
                              int64_t now_ms, store_done *done, void *argument);

/* --- house-keeping --- */

/* Whether the database can be written: commits something that changes nothing. */
void store_probe(struct store *store, store_done *done, void *argument);

/* The wall's clock was set back, by `by_ms`, and says `now_ms`: items and submissions that wait for
 * a later moment to be tried again wait for as long as they would have. */
void store_clock_set_back(struct store *store, int64_t by_ms, int64_t now_ms, store_done *done,
                          void *argument);

/* Forgets mailboxes that left the configuration before `removed_before_ms`, failures and alerts
 * that were resolved before `resolved_before_ms`, and notifications from before then with none of
 * their alerts left. A failure stays as long as an alert of it. Resolves the alerts of items of
 * which no failure (same mailbox, direction, category, code, submission) is open any more. A
 * bounded number of rows a call; *more tells to call again. */
void store_prune(struct store *store, int64_t removed_before_ms, int64_t resolved_before_ms,
                 bool *more, store_done *done, void *argument);

#endif

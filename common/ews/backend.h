/* A mail server as the daemon knows it: list, fetch, acknowledge, folder, probe; create, send,
 * look, search.
 *
 * The words are neutral; Exchange Web Services is the first that implements them, and only ews/
 * knows.
 *
 *   backend    one profile's server, reached through one http_pool with one account
 *   mailbox    whom an operation is for (the one who is impersonated)
 *   item       one message on the server
 *   reference  the server's own name for an item at the moment: opaque text without white space at
 *              its ends, to be kept and handed back. It changes when the item does
 *   key        digest of what names the item for good in its folder
 *   folder id  the server's own name for a folder: opaque text
 *   operation  one request under way; freed by itself after its callback, or by backend_cancel
 *
 * Every operation ends with exactly one `done` (unless cancelled), from the loop, never from within
 * its start. Its failure is NULL on success. What `done` is given is valid only during the call.
 * Strings that are passed in are copied or used up before the start returns, but for
 * struct backend_mailbox, which must stay until the end. */
#ifndef EXSYNC_EWS_BACKEND_H
#define EXSYNC_EWS_BACKEND_H

#include "base/digest.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;
struct backend_operation;

struct backend_mailbox {
    const char *address;  /* NULL: the account's own mailbox, nobody is impersonated */
    const char *identity; /* what the server knows the mailbox by, when it is not the address */
    char **cookies;       /* where this mailbox's cookies are kept; memory_free'd text or NULL */
    const char *activity; /* activity id of the cycle */
    bool alone;           /* each request on a new connection: perhaps another server answers */
};

/* Gives up; done is not called. */
void backend_cancel(struct backend_operation *operation);

/* The server's version, as its last answer told it. False when none has. */
struct backend_version {
    uint32_t major, minor, build, revision;
};
bool backend_version(const struct backend *backend, struct backend_version *version);

/* --- list: one page of a folder, newest received first --- */

struct backend_item {
    const char *reference;
    struct digest key;
    struct digest fingerprint; /* of Message-ID, DateTimeReceived, PidTagSearchKey */
    bool has_fingerprint;      /* false when the server told neither Message-ID nor search key */
    uint64_t message;          /* the number of its Message-ID (base/message_id.h); 0: none */
    int64_t received_ms;       /* wall time; INT64_MIN when the server did not tell */
    uint64_t size;             /* bytes as the server counts; 0 when it did not tell */
    bool read;
    uint64_t test; /* its number when it is a test message of this daemon's; 0: it is none */
};

/* What a page is known by when it comes again. */
struct backend_mark {
    struct digest page;   /* of all references and the total: equal pages have equal digests */
    struct digest answer; /* of the answer's bytes: the same bytes need not be read again. Zero for
                           * an answer that is too long for that */
};

struct backend_page {
    const struct backend_item *items;
    size_t count;
    int64_t total;       /* items in the folder; -1 when the server did not tell */
    int64_t next_offset; /* as the server tells; -1 when it did not */
    bool last;           /* nothing is older than this page */
    struct backend_mark mark;
    bool same; /* it is the known page, and nothing but the mark is told */
};

typedef void backend_list_done(void *argument, const struct failure *failure,
                               const struct backend_page *page);

/* `offset` counts from the newest item. `known`: the mark of the page when it was read before;
 * NULL: none. */
struct backend_operation *backend_list_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *folder_id, int64_t offset, uint32_t limit,
                                             const struct backend_mark *known,
                                             backend_list_done *done, void *argument);

/* --- fetch: the messages of a batch of items, as a stream --- */

/* Who takes the stream. Calls come from the loop: for each item in the order of the batch
 * item_begin, item_data (any number), item_end; or item_end alone when there is no message. */
struct backend_receiver {
    void (*item_begin)(void *argument, size_t index);
    /* Whether item_data may bring BACKEND_DATA_MAX more bytes. False pauses the transfer until
     * backend_fetch_resume. */
    bool (*ready)(void *argument);
    void (*item_data)(void *argument, size_t index, const char *bytes, size_t length);
    /* `failure` NULL: the message is complete. Set: nothing of it may be used; scope item, or
     * wider when the server said so for this item, and then failure->divisible when the item may
     * be the cause all the same; failure->gone when the item is not there any more
     * (ErrorItemNotFound and the like). */
    void (*item_end)(void *argument, size_t index, const struct failure *failure);
};

enum { BACKEND_DATA_MAX = 16384 };

/* `failure` set: the request failed as a whole; items whose item_end came without failure before
 * are complete all the same. failure->divisible: try again with fewer items. Items that got neither
 * item_end nor a failure of the whole do not exist: the rest is always ended. */
typedef void backend_fetch_done(void *argument, const struct failure *failure);

/* `max_message_size`: bytes; a larger message is ended with a failure. 0: no limit. */
struct backend_operation *backend_fetch_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              const char *const *references, size_t count,
                                              uint64_t max_message_size,
                                              const struct backend_receiver *receiver,
                                              backend_fetch_done *done, void *argument);
void backend_fetch_resume(struct backend_operation *operation);

/* --- acknowledge: what is done to items after they were delivered --- */

enum backend_action {
    BACKEND_MARK_READ, /* without a read receipt */
    BACKEND_MOVE,
    BACKEND_DELETE, /* to Deleted Items, without a receipt */
    BACKEND_PURGE,  /* for good, without a receipt */
};

/* One failure for each item (not set: done, or somebody had done it already). */
typedef void backend_acknowledge_done(void *argument, const struct failure *failure,
                                      const struct failure *failures, size_t count);

/* `folder_id`: where to, for BACKEND_MOVE. */
struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument);

/* --- folder: from a path to a folder id --- */

/* `created`: the folder was missing and has been made. */
typedef void backend_folder_done(void *argument, const struct failure *failure,
                                 const char *folder_id, bool created);

/* A path of one well-known name needs no request: done comes at the next turn of the loop.
 * `path`: "Inbox", "Inbox/Orders", "Projects/2026"; components are compared without case. The first
 * may be one of the well-known names (Inbox, Sent Items, Drafts, Deleted Items, Junk Email,
 * Outbox), which mean those folders in every language; any other begins below the mailbox's top.
 * `create`: makes what is missing, else a missing folder is a permanent failure of the mailbox. */
struct backend_operation *backend_folder_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *path, bool create,
                                               backend_folder_done *done, void *argument);

/* --- probe: the cheapest request that shows whether the mailbox can be used --- */

typedef void backend_probe_done(void *argument, const struct failure *failure);

struct backend_operation *backend_probe_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              backend_probe_done *done, void *argument);

/* --- sending: two steps that can be repeated, and two questions that settle a doubt ---
 *
 *   submission  one message that is to be sent, known on the server by its submission id, which the
 *               draft carries and its copy in Sent Items keeps
 *   draft       what backend_create makes: not sent, and harmless when there are two of them
 *
 * A request that failed as a whole, or a submission's own failure, says with failure->in_doubt
 * whether it may have been carried out all the same. */

/* A test message is one whose submission id is a test id. It is known again wherever it is listed,
 * by the property that holds the id and by a Message-ID that begins with it: whichever of them a
 * server keeps. The id holds a key that no sender of other mail knows. */
enum { BACKEND_TEST_ID_SIZE = sizeof "exsyncd-test-0123456789abcdef-0123456789abcdef" };
uint64_t backend_test_key(const char *instance); /* the store's; never 0 */
void backend_test_id(const struct backend *backend, uint64_t number, char id[BACKEND_TEST_ID_SIZE]);

enum backend_recipient_kind { BACKEND_TO, BACKEND_CC, BACKEND_BCC };

struct backend_recipient {
    enum backend_recipient_kind kind;
    const char *address;
    const char *name; /* NULL: none */
};

/* The message's bytes (RFC 5322, lines end in CRLF, no Bcc). The functions are those of struct
 * http_source, `size` counts bytes of the message, all of which must come; a source that returned 0
 * tells of more by backend_create_resume. BACKEND_CONTENT_FAILED ends the request with the failure
 * that `failure` gives (storage, say); nothing was carried out then. None of them may cancel the
 * operation. */
#define BACKEND_CONTENT_FAILED SIZE_MAX
struct backend_content {
    uint64_t size;
    size_t (*read)(void *argument, char *room, size_t size);
    void (*rewind)(void *argument);
    void (*failure)(void *argument, struct failure *failure);
    void *argument;
};

struct backend_submission {
    const char *id; /* a UUID */
    const struct backend_recipient *recipients;
    size_t recipient_count;
    struct backend_content content; /* its argument must stay valid until the end */
};

enum backend_create_how {
    BACKEND_CREATE_DRAFT,    /* in Drafts, for backend_send */
    BACKEND_CREATE_AND_SEND, /* in one step, with a copy in Sent Items: for servers that cannot send
                              * drafts. There is no reference. */
};

struct backend_created {
    const char *reference;  /* of the draft; valid during `done` only; NULL after a failure */
    struct failure failure; /* of this submission; not set: it is done */
};

/* `created` has `count` entries when `failure` is NULL. failure->divisible: fewer may go. */
typedef void backend_create_done(void *argument, const struct failure *failure,
                                 const struct backend_created *created, size_t count);

struct backend_operation *
backend_create_start(struct backend *backend, const struct backend_mailbox *mailbox,
                     enum backend_create_how how, const struct backend_submission *submissions,
                     size_t count, backend_create_done *done, void *argument);
void backend_create_resume(struct backend_operation *operation);

/* Bytes that a request takes for a message of `size` bytes: base64 and what stands around it. */
uint64_t backend_create_size(uint64_t size);

/* Bytes that its recipients take besides, at most: of thousands of them more than many a message.
 */
uint64_t backend_recipients_size(const struct backend_recipient *recipients, size_t count);

/* Sends drafts; their copies go into Sent Items. One failure for each; failure->gone: there is no
 * such draft (any more: it may have been sent before). A reference is good for the draft as it was
 * when it was made: when somebody has changed the draft since, the failure is in doubt, and
 * backend_look has a new reference. */
typedef void backend_send_done(void *argument, const struct failure *failure,
                               const struct failure *failures, size_t count);
struct backend_operation *backend_send_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_send_done *done, void *argument);

/* Whether a failure of backend_send means that this server cannot send drafts at all. */
bool backend_send_is_unsupported(const struct failure *failure);

enum backend_draft_state {
    BACKEND_DRAFT_UNKNOWN,   /* see the failure */
    BACKEND_DRAFT_GONE,      /* sent, when it was asked to be */
    BACKEND_DRAFT_WAITING,   /* there, and not submitted */
    BACKEND_DRAFT_SUBMITTED, /* there until Transport takes it */
};
struct backend_looked {
    enum backend_draft_state state;
    const char *reference;  /* as it is now, of a draft that is there; valid during `done` only */
    struct failure failure; /* with BACKEND_DRAFT_UNKNOWN */
};
/* failure->divisible: fewer may be looked at. */
typedef void backend_look_done(void *argument, const struct failure *failure,
                               const struct backend_looked *looked, size_t count);
struct backend_operation *backend_look_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_look_done *done, void *argument);

/* Searches Drafts, Outbox and Sent Items for submission ids (1 to BACKEND_SEARCH_MAX). A message
 * that moves on meanwhile may be found in two of them. */
enum { BACKEND_SEARCH_MAX = 20 };
enum backend_place { BACKEND_IN_DRAFTS, BACKEND_IN_OUTBOX, BACKEND_IN_SENT_ITEMS };
struct backend_match {
    size_t index; /* of the id */
    enum backend_place place;
    bool submitted;
    const char *reference; /* valid during `done` only */
};
/* `failure` NULL: all three folders were searched whole; an id without a match is in none.
 * failure->divisible: what fewer of the ids find may be told. */
typedef void backend_search_done(void *argument, const struct failure *failure,
                                 const struct backend_match *matches, size_t count);
struct backend_operation *backend_search_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *const *ids, size_t count,
                                               backend_search_done *done, void *argument);

#endif

/* A mail server as the daemon knows it: list, fetch, acknowledge, folder, probe.
 *
 * The words are neutral; Exchange Web Services is the first that implements them, and only ews/
 * knows.
 *
 *   backend    one profile's server, reached through one http_pool with one account
 *   mailbox    whom an operation is for (the one who is impersonated)
 *   item       one message on the server
 *   reference  the server's own name for an item at the moment: opaque text without white space at
 * its ends, to be kept and handed back. It changes when the item does; the key does not. key digest
 * of what names the item for good in its folder folder id  the server's own name for a folder:
 * opaque text operation  one request under way; freed by itself after its callback, or by
 * backend_cancel
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
    const char *address;
    const char *identity; /* what the server knows the mailbox by, when it is not the address */
    char **cookies;       /* where this mailbox's cookies are kept; memory_free'd text or NULL */
    const char *activity; /* activity id of the cycle */
};

/* Gives up; done is not called. */
void backend_cancel(struct backend_operation *operation);

/* --- list: one page of a folder, newest received first --- */

struct backend_item {
    const char *reference;
    struct digest key;
    struct digest fingerprint; /* of Message-ID, DateTimeReceived, PidTagSearchKey */
    bool has_fingerprint;      /* false when the server told neither Message-ID nor search key */
    int64_t received_ms;       /* wall time; INT64_MIN when the server did not tell */
    uint64_t size;             /* bytes as the server counts; 0 when it did not tell */
    bool read;
};

struct backend_page {
    const struct backend_item *items;
    size_t count;
    int64_t total;        /* items in the folder; -1 when the server did not tell */
    int64_t next_offset;  /* as the server tells; -1 when it did not */
    bool last;            /* nothing is older than this page */
    struct digest digest; /* of all references and the total: equal pages have equal digests */
};

typedef void backend_list_done(void *argument, const struct failure *failure,
                               const struct backend_page *page);

/* `offset` counts from the newest item. */
struct backend_operation *backend_list_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *folder_id, int64_t offset, uint32_t limit,
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

typedef void backend_folder_done(void *argument, const struct failure *failure,
                                 const char *folder_id);

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

#endif

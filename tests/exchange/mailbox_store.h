/* Everything that the simulated Exchange keeps: mailboxes, their folders, the items in them.
 *
 * mailbox   one address with its tree of folders
 * folder    items in the order of their received times; distinguished ones have an EWS name
 * item      one message in one folder: the ItemId names this, not the message
 *
 * One lock guards all of it: hold it for reading while you look, for writing while you change.
 * Pointers to items are valid while the lock is held; mailboxes and messages with a reference of
 * your own stay. */
#ifndef EXCHANGE_MAILBOX_STORE_H
#define EXCHANGE_MAILBOX_STORE_H

#include "entry_id.h"
#include "extended_property.h"
#include "message.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a test has made an item fail. */
enum item_breakage { ITEM_SOUND, ITEM_HTTP_500, ITEM_MALFORMED, ITEM_TRUNCATED, ITEM_CLOSES };

/* What few items have. */
struct item_details {
    char *item_class; /* instead of the message's */
    char *subject;    /* instead of the message's */
    char *importance;
    char *sensitivity;
    char *flag_status;
    char **categories;
    size_t category_count;
    struct extended_property *properties;
    char *error;     /* response code that it always answers; NULL: none */
    char *operation; /* where `error` and `breakage` apply: an operation, or "any" */
    enum item_breakage breakage;
    bool has_no_mime;
    unsigned illegal_character; /* 0: none; else reference to it in the subject, +1 */
};

struct item {
    uint64_t number; /* in its ItemId; changes on a move */
    uint64_t change; /* in its ChangeKey */
    struct folder *folder;
    struct message *message;      /* a reference */
    struct item_details *details; /* NULL for most */
    struct item *next_of_bucket;
    int64_t received;
    int64_t created;
    int64_t modified;
    uint8_t search_key[16]; /* PidTagSearchKey: stays on a move, a copy has the same */
    bool is_read;
    bool is_draft;
    bool is_submitted;
    bool receipt_due; /* its author has asked for a read receipt and has got none yet */
};

struct folder {
    uint32_t number; /* in its FolderId */
    uint64_t change;
    struct mailbox *mailbox;
    struct folder *parent;
    const char *distinguished; /* its EWS name, or NULL */
    const char *folder_class;
    char *name;
    struct item **items; /* by received time, then number */
    size_t count;
    size_t capacity;
    size_t unread;
};

struct mailbox {
    uint32_t index;
    uint32_t generation; /* how often all ids were renewed */
    char *address;
    struct folder **folders; /* the root first, parents before children */
    size_t folder_count;
    atomic_uint running;      /* requests in progress */
    atomic_uint running_peak; /* the most there ever were */
};

struct store;

struct store *store_create(void);
void store_free(struct store *store);
void store_lock_for_reading(struct store *store);
void store_lock_for_writing(struct store *store);
void store_unlock(struct store *store);

/* A mailbox with its default folders; the one that is there when the address exists. */
struct mailbox *store_add_mailbox(struct store *store, const char *address);
/* NULL when there is none; case does not matter. */
struct mailbox *store_find_mailbox(struct store *store, const char *address);
struct mailbox *store_find_mailbox_by_sid(struct store *store, const char *sid);
size_t store_mailbox_count(const struct store *store);
struct mailbox *store_mailbox(const struct store *store, size_t index);

/* The mailbox's Windows security identifier. */
void mailbox_append_sid(const struct mailbox *mailbox, struct buffer *buffer);
struct entry_owner mailbox_owner(const struct mailbox *mailbox);

/* By EWS name (inbox, sentitems ...); NULL when there is none. */
struct folder *mailbox_distinguished(const struct mailbox *mailbox, const char *name);
/* By path under the visible root (Inbox/Project) or EWS name; NULL when there is none. */
struct folder *mailbox_folder(const struct mailbox *mailbox, const char *path);
/* By FolderId; NULL when there is none in this mailbox. */
struct folder *mailbox_folder_by_id(const struct mailbox *mailbox, const char *id);
struct folder *folder_child(const struct folder *parent, const char *name);
size_t folder_child_count(const struct folder *folder);
/* True when `folder` lies somewhere below `ancestor`. */
bool folder_is_below(const struct folder *folder, const struct folder *ancestor);
struct folder *store_create_folder(struct store *store, struct folder *parent, const char *name);
/* Like mailbox_folder, but makes what is missing. */
struct folder *store_make_folder(struct store *store, struct mailbox *mailbox, const char *path);
/* Deletes a folder without children, with its items. */
void store_delete_folder(struct store *store, struct folder *folder);
/* Appends the path as mailbox_folder reads it. */
void folder_append_path(const struct folder *folder, struct buffer *path);

/* Adds an unread item; takes a reference of its own to the message. */
struct item *store_add_item(struct store *store, struct folder *folder, struct message *message,
                            int64_t received);
/* Moves the item: it has another ItemId afterwards. */
void store_move_item(struct store *store, struct item *item, struct folder *to);
struct item *store_copy_item(struct store *store, const struct item *item, struct folder *to);
void store_delete_item(struct store *store, struct item *item);
/* The item of that ItemId, whatever its mailbox; NULL when there is none (any more). */
struct item *store_find_item(struct store *store, const char *id);
/* The item of that number; NULL when it was deleted, or moved since. */
struct item *store_item_of_number(const struct store *store, uint64_t number);
/* The number that the next item gets. */
uint64_t store_next_number(const struct store *store);
/* Gives the item a new ChangeKey. */
void store_change_item(struct store *store, struct item *item);
/* All ItemIds and FolderIds of the mailbox become others. */
void store_renew_ids(struct store *store, struct mailbox *mailbox);

void item_set_read(struct item *item, bool is_read);
void item_set_received(struct item *item, int64_t received);
struct item_details *item_details(struct item *item); /* makes them when there are none */
const char *item_class(const struct item *item);
const char *item_subject(const struct item *item);
/* What Exchange calls its size: it is not the size of the MIME, and changes with every change. */
size_t item_size(const struct item *item);
void item_append_id(const struct item *item, struct buffer *buffer);
void item_append_change_key(const struct item *item, struct buffer *buffer);
void folder_append_id(const struct folder *folder, struct buffer *buffer);

#endif

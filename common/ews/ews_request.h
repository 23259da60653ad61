/* The requests, written as XML by libxml2's xmlTextWriter.
 *
 * Each is a whole SOAP envelope for Exchange2013_SP1, valid against Exchange's schema. Folder ids
 * are this back end's: ":NAME" is a well-known folder (DistinguishedFolderId), anything else the Id
 * of a FolderId. A reference is "ID CHANGEKEY", or "ID" when the server gave no change key; the
 * change key is only sent where it is needed, since an old one can be refused. Sources:
 * MS-OXWSCORE, MS-OXWSMSG, MS-OXWSSRCH, MS-OXWSFOLD. */
#ifndef EXSYNC_EWS_EWS_REQUEST_H
#define EXSYNC_EWS_EWS_REQUEST_H

#include "base/buffer.h"
#include "ews/ews.h"

struct ews_sender {
    const struct ews_settings *settings;
    const struct backend_mailbox *mailbox;
};

#define EWS_WELL_KNOWN ':'
#define EWS_DRAFTS     ":drafts"
#define EWS_OUTBOX     ":outbox"
#define EWS_SENT_ITEMS ":sentitems"

/* Each appends to `body`. */
void ews_request_find_item(struct buffer *body, const struct ews_sender *sender,
                           const char *folder_id, int64_t offset, uint32_t limit);
void ews_request_get_item(struct buffer *body, const struct ews_sender *sender,
                          const char *const *references, size_t count);
void ews_request_mark_read(struct buffer *body, const struct ews_sender *sender,
                           const char *const *references, size_t count);
void ews_request_move(struct buffer *body, const struct ews_sender *sender, const char *folder_id,
                      const char *const *references, size_t count);
void ews_request_delete(struct buffer *body, const struct ews_sender *sender, bool purge,
                        const char *const *references, size_t count);
void ews_request_get_folder(struct buffer *body, const struct ews_sender *sender,
                            const char *folder_id);
void ews_request_find_folder(struct buffer *body, const struct ews_sender *sender,
                             const char *parent_id, int64_t offset, uint32_t limit);
void ews_request_create_folder(struct buffer *body, const struct ews_sender *sender,
                               const char *parent_id, const char *name);

/* The submission id stands in this property of the program's own, by name; Exchange keeps it with
 * the item and puts it into no header. */
#define EWS_SUBMISSION_SET  "PublicStrings"
#define EWS_SUBMISSION_NAME "exsyncd-submission-id"

struct ews_writer;
void ews_write_submission_field(struct ews_writer *writer);

/* CreateItem; each message's bytes go into a gap of the body. */
struct ews_body;
void ews_request_create_item(struct ews_body *body, const struct ews_sender *sender,
                             enum backend_create_how how,
                             const struct backend_submission *submissions, size_t count);
void ews_request_send_item(struct buffer *body, const struct ews_sender *sender,
                           const char *const *references, size_t count);
void ews_request_look(struct buffer *body, const struct ews_sender *sender,
                      const char *const *references, size_t count);

/* In Drafts, Outbox and Sent Items, in the order in which a message passes through them: one that
 * moves on meanwhile may be found twice, but is not missed. */
void ews_request_search(struct buffer *body, const struct ews_sender *sender,
                        const char *const *ids, size_t count, int64_t offset, uint32_t limit);

#endif

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

/* How long the Id of a reference is. */
size_t ews_reference_id_length(const char *reference);

#endif

/* A request being written: the envelope and the parts that requests share. Everything that can fail
 * here is a lack of memory, which ends the process as it does elsewhere. */
#ifndef EXSYNC_EWS_EWS_WRITER_H
#define EXSYNC_EWS_EWS_WRITER_H

#include "base/buffer.h"
#include "ews/ews_request.h"

#include <libxml/xmlwriter.h>
#include <stdint.h>

struct ews_writer {
    xmlTextWriter *xml;
    struct buffer scratch; /* a part of a string that needs a NUL behind it */
};

/* The envelope up to and with the start of `operation`; what follows is appended to `body`. */
void ews_write_begin(struct ews_writer *writer, struct buffer *body,
                     const struct ews_sender *sender, const char *operation);
void ews_write_finish(struct ews_writer *writer);

void ews_write_start(struct ews_writer *writer, const char *name);
void ews_write_end(struct ews_writer *writer);
void ews_write_attribute(struct ews_writer *writer, const char *name, const char *value);
void ews_write_element(struct ews_writer *writer, const char *name, const char *text);

/* Closes the start tag of the element that is open: all of it stands in the body now. */
void ews_write_settle(struct ews_writer *writer);

/* A FolderId or DistinguishedFolderId. */
void ews_write_folder(struct ews_writer *writer, const struct ews_sender *sender,
                      const char *folder_id);
void ews_write_parent_folders(struct ews_writer *writer, const struct ews_sender *sender,
                              const char *folder_id);
void ews_write_item_id(struct ews_writer *writer, const char *reference, bool with_change_key);
void ews_write_item_ids(struct ews_writer *writer, const char *const *references, size_t count,
                        bool with_change_key);
void ews_write_field(struct ews_writer *writer, const char *uri);

/* An indexed view; `name` is its element. */
void ews_write_page(struct ews_writer *writer, const char *name, int64_t offset, uint32_t limit);

/* Newest received first. */
void ews_write_order(struct ews_writer *writer);

#endif

#include "ews/ews_request.h"

#include "ews/ews_writer.h"

enum { REFERENCE_SIZE_USUAL = 256 };

/* --- finding and reading --- */

static void listed_properties(struct ews_writer *writer)
{
    ews_write_start(writer, "m:ItemShape");
    ews_write_element(writer, "t:BaseShape", "IdOnly");
    ews_write_start(writer, "t:AdditionalProperties");
    ews_write_field(writer, "item:DateTimeReceived");
    ews_write_field(writer, "item:Size");
    ews_write_field(writer, "message:InternetMessageId");
    ews_write_field(writer, "message:IsRead");
    ews_write_start(writer, "t:ExtendedFieldURI"); /* PidTagSearchKey */
    ews_write_attribute(writer, "PropertyTag", "0x300B");
    ews_write_attribute(writer, "PropertyType", "Binary");
    ews_write_end(writer);
    ews_write_submission_field(writer);
    ews_write_end(writer);
    ews_write_end(writer);
}

void ews_request_find_item(struct buffer *body, const struct ews_sender *sender,
                           const char *folder_id, int64_t offset, uint32_t limit)
{
    struct ews_writer writer;
    ews_write_begin(&writer, body, sender, "m:FindItem");
    ews_write_attribute(&writer, "Traversal", "Shallow");
    listed_properties(&writer);
    ews_write_page(&writer, "m:IndexedPageItemView", offset, limit);
    ews_write_order(&writer);
    ews_write_parent_folders(&writer, sender, folder_id);
    ews_write_finish(&writer);
}

void ews_request_get_item(struct buffer *body, const struct ews_sender *sender,
                          const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:GetItem");
    ews_write_start(&writer, "m:ItemShape");
    ews_write_element(&writer, "t:BaseShape", "IdOnly");
    ews_write_element(&writer, "t:IncludeMimeContent", "true");
    ews_write_end(&writer);
    ews_write_item_ids(&writer, references, count, false);
    ews_write_finish(&writer);
}

/* --- changing --- */

static void set_read(struct ews_writer *writer)
{
    ews_write_start(writer, "t:Updates");
    ews_write_start(writer, "t:SetItemField");
    ews_write_field(writer, "message:IsRead");
    ews_write_start(writer, "t:Message"); /* also for kinds of items that are derived from it */
    ews_write_element(writer, "t:IsRead", "true");
    ews_write_end(writer);
    ews_write_end(writer);
    ews_write_end(writer);
}

/* What is only needed for calendar items and tasks is always said: nothing may ever be sent because
 * of a change that this program makes, and without it such an item is refused. */
void ews_request_mark_read(struct buffer *body, const struct ews_sender *sender,
                           const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, 1024 + count * 2 * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:UpdateItem");
    ews_write_attribute(&writer, "ConflictResolution", "AlwaysOverwrite");
    ews_write_attribute(&writer, "MessageDisposition", "SaveOnly");
    ews_write_attribute(&writer, "SendMeetingInvitationsOrCancellations", "SendToNone");
    ews_write_attribute(&writer, "SuppressReadReceipts", "true");
    ews_write_start(&writer, "m:ItemChanges");
    for (size_t i = 0; i < count; i++) {
        ews_write_start(&writer, "t:ItemChange");
        ews_write_item_id(&writer, references[i], true);
        set_read(&writer);
        ews_write_end(&writer);
    }
    ews_write_end(&writer);
    ews_write_finish(&writer);
}

void ews_request_move(struct buffer *body, const struct ews_sender *sender, const char *folder_id,
                      const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:MoveItem");
    ews_write_start(&writer, "m:ToFolderId");
    ews_write_folder(&writer, sender, folder_id);
    ews_write_end(&writer);
    ews_write_item_ids(&writer, references, count, false);
    ews_write_element(&writer, "m:ReturnNewItemIds", "false");
    ews_write_finish(&writer);
}

void ews_request_delete(struct buffer *body, const struct ews_sender *sender, bool purge,
                        const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:DeleteItem");
    ews_write_attribute(&writer, "DeleteType", purge ? "HardDelete" : "MoveToDeletedItems");
    ews_write_attribute(&writer, "SendMeetingCancellations", "SendToNone");
    ews_write_attribute(&writer, "AffectedTaskOccurrences", "SpecifiedOccurrenceOnly");
    ews_write_attribute(&writer, "SuppressReadReceipts", "true");
    ews_write_item_ids(&writer, references, count, false);
    ews_write_finish(&writer);
}

/* --- folders --- */

static void folder_shape(struct ews_writer *writer, bool with_name)
{
    ews_write_start(writer, "m:FolderShape");
    ews_write_element(writer, "t:BaseShape", "IdOnly");
    if (with_name) {
        ews_write_start(writer, "t:AdditionalProperties");
        ews_write_field(writer, "folder:DisplayName");
        ews_write_end(writer);
    }
    ews_write_end(writer);
}

void ews_request_get_folder(struct buffer *body, const struct ews_sender *sender,
                            const char *folder_id)
{
    struct ews_writer writer;
    ews_write_begin(&writer, body, sender, "m:GetFolder");
    folder_shape(&writer, false);
    ews_write_start(&writer, "m:FolderIds");
    ews_write_folder(&writer, sender, folder_id);
    ews_write_end(&writer);
    ews_write_finish(&writer);
}

void ews_request_find_folder(struct buffer *body, const struct ews_sender *sender,
                             const char *parent_id, int64_t offset, uint32_t limit)
{
    struct ews_writer writer;
    ews_write_begin(&writer, body, sender, "m:FindFolder");
    ews_write_attribute(&writer, "Traversal", "Shallow");
    folder_shape(&writer, true);
    ews_write_page(&writer, "m:IndexedPageFolderView", offset, limit);
    ews_write_parent_folders(&writer, sender, parent_id);
    ews_write_finish(&writer);
}

void ews_request_create_folder(struct buffer *body, const struct ews_sender *sender,
                               const char *parent_id, const char *name)
{
    struct ews_writer writer;
    ews_write_begin(&writer, body, sender, "m:CreateFolder");
    ews_write_start(&writer, "m:ParentFolderId");
    ews_write_folder(&writer, sender, parent_id);
    ews_write_end(&writer);
    ews_write_start(&writer, "m:Folders");
    ews_write_start(&writer, "t:Folder");
    ews_write_element(&writer, "t:FolderClass", "IPF.Note");
    ews_write_element(&writer, "t:DisplayName", name);
    ews_write_end(&writer);
    ews_write_end(&writer);
    ews_write_finish(&writer);
}

/* The requests that send mail and find out what became of it. */
#include "ews/ews_request.h"

#include "base/memory.h"
#include "base/text.h"
#include "ews/ews_body.h"
#include "ews/ews_writer.h"

#include <string.h>

enum { REQUEST_SIZE_USUAL = 2048, REFERENCE_SIZE_USUAL = 256 };

uint64_t backend_create_size(uint64_t size)
{
    return BASE64_ENCODED_LENGTH(size) + REQUEST_SIZE_USUAL;
}

/* What XML makes of `text`: at most five bytes of one (&amp;). */
static uint64_t text_size(const char *text)
{
    uint64_t size = 0;
    for (; text != NULL && *text != '\0'; text++)
        size += strchr("&<>\r", *text) != NULL ? sizeof "&amp;" - 1 : 1;
    return size;
}

uint64_t backend_recipients_size(const struct backend_recipient *recipients, size_t count)
{
    static const char around[] = "<t:Mailbox><t:Name></t:Name><t:EmailAddress></t:EmailAddress>"
                                 "</t:Mailbox>";
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size +=
            sizeof around - 1 + text_size(recipients[i].name) + text_size(recipients[i].address);
    return size;
}

/* --- parts --- */

void ews_write_submission_field(struct ews_writer *writer)
{
    ews_write_start(writer, "t:ExtendedFieldURI");
    ews_write_attribute(writer, "DistinguishedPropertySetId", EWS_SUBMISSION_SET);
    ews_write_attribute(writer, "PropertyName", EWS_SUBMISSION_NAME);
    ews_write_attribute(writer, "PropertyType", "String");
    ews_write_end(writer);
}

/* Words of a message's header: what XML cannot hold would spoil the request for all the others. */
static void words(struct ews_writer *writer, const char *name, const char *text)
{
    size_t length = strlen(text);
    char *line = memory_allocate(length + 1);
    text_copy_line(line, length + 1, text, length);
    ews_write_element(writer, name, line);
    memory_free(line);
}

static void saved_item_folder(struct ews_writer *writer, const struct ews_sender *sender,
                              const char *folder_id)
{
    ews_write_start(writer, "m:SavedItemFolderId");
    ews_write_folder(writer, sender, folder_id);
    ews_write_end(writer);
}

/* --- CreateItem --- */

static void recipients(struct ews_writer *writer, const char *name,
                       const struct backend_submission *submission,
                       enum backend_recipient_kind kind)
{
    bool open = false;
    for (size_t i = 0; i < submission->recipient_count; i++) {
        const struct backend_recipient *recipient = &submission->recipients[i];
        if (recipient->kind != kind)
            continue;
        if (!open)
            ews_write_start(writer, name);
        open = true;
        ews_write_start(writer, "t:Mailbox");
        if (recipient->name != NULL)
            words(writer, "t:Name", recipient->name);
        words(writer, "t:EmailAddress", recipient->address);
        ews_write_end(writer);
    }
    if (open)
        ews_write_end(writer);
}

/* The parts stand in the order of the schema. */
static void message(struct ews_writer *writer, struct ews_body *body,
                    const struct backend_submission *submission)
{
    ews_write_start(writer, "t:Message");
    ews_write_start(writer, "t:MimeContent");
    ews_write_attribute(writer, "CharacterSet", "UTF-8");
    ews_write_settle(writer);
    ews_body_add_gap(body, &submission->content);
    ews_write_end(writer);
    ews_write_start(writer, "t:ExtendedProperty");
    ews_write_submission_field(writer);
    ews_write_element(writer, "t:Value", submission->id);
    ews_write_end(writer);
    recipients(writer, "t:ToRecipients", submission, BACKEND_TO);
    recipients(writer, "t:CcRecipients", submission, BACKEND_CC);
    recipients(writer, "t:BccRecipients", submission, BACKEND_BCC);
    ews_write_end(writer);
}

void ews_request_create_item(struct ews_body *body, const struct ews_sender *sender,
                             enum backend_create_how how,
                             const struct backend_submission *submissions, size_t count)
{
    struct ews_writer writer;
    bool sends = how == BACKEND_CREATE_AND_SEND;
    ews_write_begin(&writer, &body->text, sender, "m:CreateItem");
    ews_write_attribute(&writer, "MessageDisposition", sends ? "SendAndSaveCopy" : "SaveOnly");
    saved_item_folder(&writer, sender, sends ? EWS_SENT_ITEMS : EWS_DRAFTS);
    ews_write_start(&writer, "m:Items");
    for (size_t i = 0; i < count; i++)
        message(&writer, body, &submissions[i]);
    ews_write_finish(&writer);
}

/* --- SendItem --- */

/* The change key is required: Exchange sends the version of the draft that it names. */
void ews_request_send_item(struct buffer *body, const struct ews_sender *sender,
                           const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, REQUEST_SIZE_USUAL + count * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:SendItem");
    ews_write_attribute(&writer, "SaveItemToFolder", "true");
    ews_write_item_ids(&writer, references, count, true);
    saved_item_folder(&writer, sender, EWS_SENT_ITEMS);
    ews_write_finish(&writer);
}

/* --- the questions --- */

void ews_request_look(struct buffer *body, const struct ews_sender *sender,
                      const char *const *references, size_t count)
{
    struct ews_writer writer;
    buffer_reserve(body, REQUEST_SIZE_USUAL + count * REFERENCE_SIZE_USUAL);
    ews_write_begin(&writer, body, sender, "m:GetItem");
    ews_write_start(&writer, "m:ItemShape");
    ews_write_element(&writer, "t:BaseShape", "IdOnly");
    ews_write_start(&writer, "t:AdditionalProperties");
    ews_write_field(&writer, "item:IsDraft");
    ews_write_field(&writer, "item:IsSubmitted");
    ews_write_end(&writer);
    ews_write_end(&writer);
    ews_write_item_ids(&writer, references, count, false);
    ews_write_finish(&writer);
}

static void has_submission_id(struct ews_writer *writer, const char *id)
{
    ews_write_start(writer, "t:IsEqualTo");
    ews_write_submission_field(writer);
    ews_write_start(writer, "t:FieldURIOrConstant");
    ews_write_start(writer, "t:Constant");
    ews_write_attribute(writer, "Value", id);
    ews_write_end(writer);
    ews_write_end(writer);
    ews_write_end(writer);
}

static void has_one_of(struct ews_writer *writer, const char *const *ids, size_t count)
{
    ews_write_start(writer, "m:Restriction");
    if (count > 1)
        ews_write_start(writer, "t:Or");
    for (size_t i = 0; i < count; i++)
        has_submission_id(writer, ids[i]);
    if (count > 1)
        ews_write_end(writer);
    ews_write_end(writer);
}

void ews_request_search(struct buffer *body, const struct ews_sender *sender,
                        const char *const *ids, size_t count, int64_t offset, uint32_t limit)
{
    static const char *const folders[] = {EWS_DRAFTS, EWS_OUTBOX, EWS_SENT_ITEMS};
    struct ews_writer writer;
    ews_write_begin(&writer, body, sender, "m:FindItem");
    ews_write_attribute(&writer, "Traversal", "Shallow");
    ews_write_start(&writer, "m:ItemShape");
    ews_write_element(&writer, "t:BaseShape", "IdOnly");
    ews_write_start(&writer, "t:AdditionalProperties");
    ews_write_field(&writer, "item:IsSubmitted");
    ews_write_submission_field(&writer);
    ews_write_end(&writer);
    ews_write_end(&writer);
    ews_write_page(&writer, "m:IndexedPageItemView", offset, limit);
    has_one_of(&writer, ids, count);
    ews_write_order(&writer);
    ews_write_start(&writer, "m:ParentFolderIds");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        ews_write_folder(&writer, sender, folders[i]);
    ews_write_end(&writer);
    ews_write_finish(&writer);
}

#include "ews/ews_request.h"

#include "base/memory.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#define SOAP_NAMESPACE     "http://schemas.xmlsoap.org/soap/envelope/"
#define TYPES_NAMESPACE    "http://schemas.microsoft.com/exchange/services/2006/types"
#define MESSAGES_NAMESPACE "http://schemas.microsoft.com/exchange/services/2006/messages"
#define SERVER_VERSION     "Exchange2013_SP1"

enum { REFERENCE_SIZE_USUAL = 256 };

/* --- writing: everything that can fail here is a lack of memory --- */

struct request {
    xmlTextWriter *xml;
    struct buffer scratch; /* a part of a string that needs a NUL behind it */
};

static void require(bool succeeded)
{
    if (!succeeded)
        memory_resize(NULL, SIZE_MAX); /* ends the process as any other lack of memory does */
}

static void start(struct request *request, const char *name)
{
    require(xmlTextWriterStartElement(request->xml, BAD_CAST name) >= 0);
}

static void end(struct request *request)
{
    require(xmlTextWriterEndElement(request->xml) >= 0);
}

static void attribute(struct request *request, const char *name, const char *value)
{
    require(xmlTextWriterWriteAttribute(request->xml, BAD_CAST name, BAD_CAST value) >= 0);
}

static void number_attribute(struct request *request, const char *name, int64_t value)
{
    char text[24];
    int64_t fitting = value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : value; /* xs:int */
    snprintf(text, sizeof text, "%" PRId64, fitting);
    attribute(request, name, text);
}

static void element(struct request *request, const char *name, const char *text)
{
    start(request, name);
    require(xmlTextWriterWriteString(request->xml, BAD_CAST text) >= 0);
    end(request);
}

static int write_bytes(void *argument, const char *bytes, int length)
{
    buffer_append(argument, bytes, (size_t)length);
    return length;
}

/* --- the envelope --- */

static void impersonate(struct request *request, const struct ews_sender *sender)
{
    static const char *const names[] = {
        [EWS_SID_PRIMARY_SMTP] = "t:PrimarySmtpAddress",
        [EWS_SID_SMTP] = "t:SmtpAddress",
        [EWS_SID_UPN] = "t:PrincipalName",
        [EWS_SID_SID] = "t:SID",
    };
    const struct backend_mailbox *mailbox = sender->mailbox;
    start(request, "t:ExchangeImpersonation");
    start(request, "t:ConnectingSID");
    element(request, names[sender->settings->connecting_sid],
            mailbox->identity == NULL ? mailbox->address : mailbox->identity);
    end(request);
    end(request);
}

static void begin(struct request *request, struct buffer *body, const struct ews_sender *sender,
                  const char *operation)
{
    xmlOutputBuffer *output = xmlOutputBufferCreateIO(write_bytes, NULL, body, NULL);
    require(output != NULL);
    *request = (struct request){.xml = xmlNewTextWriter(output)};
    require(request->xml != NULL);
    require(xmlTextWriterStartDocument(request->xml, NULL, "UTF-8", NULL) >= 0);
    start(request, "s:Envelope");
    attribute(request, "xmlns:s", SOAP_NAMESPACE);
    attribute(request, "xmlns:t", TYPES_NAMESPACE);
    attribute(request, "xmlns:m", MESSAGES_NAMESPACE);
    start(request, "s:Header");
    start(request, "t:RequestServerVersion");
    attribute(request, "Version", SERVER_VERSION);
    end(request);
    if (sender->settings->impersonation)
        impersonate(request, sender);
    end(request);
    start(request, "s:Body");
    start(request, operation);
}

static void finish(struct request *request)
{
    require(xmlTextWriterEndDocument(request->xml) >= 0);
    xmlFreeTextWriter(request->xml);
    buffer_release(&request->scratch);
}

/* --- parts --- */

/* A well-known folder is that of whoever asks: of the impersonated user, or else of the account, so
 * that then it must say whose. */
static void folder(struct request *request, const struct ews_sender *sender, const char *folder_id)
{
    if (folder_id[0] != EWS_WELL_KNOWN) {
        start(request, "t:FolderId");
        attribute(request, "Id", folder_id);
        end(request);
        return;
    }
    start(request, "t:DistinguishedFolderId");
    attribute(request, "Id", folder_id + 1);
    if (!sender->settings->impersonation) {
        start(request, "t:Mailbox");
        element(request, "t:EmailAddress", sender->mailbox->address);
        end(request);
    }
    end(request);
}

static void parent_folders(struct request *request, const struct ews_sender *sender,
                           const char *folder_id)
{
    start(request, "m:ParentFolderIds");
    folder(request, sender, folder_id);
    end(request);
}

size_t ews_reference_id_length(const char *reference)
{
    return strcspn(reference, " ");
}

static void item_id(struct request *request, const char *reference, bool with_change_key)
{
    size_t length = ews_reference_id_length(reference);
    buffer_clear(&request->scratch);
    buffer_append(&request->scratch, reference, length);
    start(request, "t:ItemId");
    attribute(request, "Id", request->scratch.data);
    if (with_change_key && reference[length] == ' ')
        attribute(request, "ChangeKey", reference + length + 1);
    end(request);
}

static void item_ids(struct request *request, const char *const *references, size_t count)
{
    start(request, "m:ItemIds");
    for (size_t i = 0; i < count; i++)
        item_id(request, references[i], false);
    end(request);
}

static void field(struct request *request, const char *uri)
{
    start(request, "t:FieldURI");
    attribute(request, "FieldURI", uri);
    end(request);
}

static void page(struct request *request, const char *name, int64_t offset, uint32_t limit)
{
    start(request, name);
    number_attribute(request, "MaxEntriesReturned", limit);
    number_attribute(request, "Offset", offset);
    attribute(request, "BasePoint", "Beginning");
    end(request);
}

/* --- finding and reading --- */

static void listed_properties(struct request *request)
{
    start(request, "m:ItemShape");
    element(request, "t:BaseShape", "IdOnly");
    start(request, "t:AdditionalProperties");
    field(request, "item:DateTimeReceived");
    field(request, "item:Size");
    field(request, "message:InternetMessageId");
    field(request, "message:IsRead");
    start(request, "t:ExtendedFieldURI"); /* PidTagSearchKey */
    attribute(request, "PropertyTag", "0x300B");
    attribute(request, "PropertyType", "Binary");
    end(request);
    end(request);
    end(request);
}

void ews_request_find_item(struct buffer *body, const struct ews_sender *sender,
                           const char *folder_id, int64_t offset, uint32_t limit)
{
    struct request request;
    begin(&request, body, sender, "m:FindItem");
    attribute(&request, "Traversal", "Shallow");
    listed_properties(&request);
    page(&request, "m:IndexedPageItemView", offset, limit);
    start(&request, "m:SortOrder");
    start(&request, "t:FieldOrder");
    attribute(&request, "Order", "Descending");
    field(&request, "item:DateTimeReceived");
    end(&request);
    end(&request);
    parent_folders(&request, sender, folder_id);
    finish(&request);
}

void ews_request_get_item(struct buffer *body, const struct ews_sender *sender,
                          const char *const *references, size_t count)
{
    struct request request;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    begin(&request, body, sender, "m:GetItem");
    start(&request, "m:ItemShape");
    element(&request, "t:BaseShape", "IdOnly");
    element(&request, "t:IncludeMimeContent", "true");
    end(&request);
    item_ids(&request, references, count);
    finish(&request);
}

/* --- changing --- */

static void set_read(struct request *request)
{
    start(request, "t:Updates");
    start(request, "t:SetItemField");
    field(request, "message:IsRead");
    start(request, "t:Message"); /* also for kinds of items that are derived from it */
    element(request, "t:IsRead", "true");
    end(request);
    end(request);
    end(request);
}

/* What is only needed for calendar items and tasks is always said: nothing may ever be sent because
 * of a change that this program makes, and without it such an item is refused. */
void ews_request_mark_read(struct buffer *body, const struct ews_sender *sender,
                           const char *const *references, size_t count)
{
    struct request request;
    buffer_reserve(body, 1024 + count * 2 * REFERENCE_SIZE_USUAL);
    begin(&request, body, sender, "m:UpdateItem");
    attribute(&request, "ConflictResolution", "AlwaysOverwrite");
    attribute(&request, "MessageDisposition", "SaveOnly");
    attribute(&request, "SendMeetingInvitationsOrCancellations", "SendToNone");
    attribute(&request, "SuppressReadReceipts", "true");
    start(&request, "m:ItemChanges");
    for (size_t i = 0; i < count; i++) {
        start(&request, "t:ItemChange");
        item_id(&request, references[i], true);
        set_read(&request);
        end(&request);
    }
    end(&request);
    finish(&request);
}

void ews_request_move(struct buffer *body, const struct ews_sender *sender, const char *folder_id,
                      const char *const *references, size_t count)
{
    struct request request;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    begin(&request, body, sender, "m:MoveItem");
    start(&request, "m:ToFolderId");
    folder(&request, sender, folder_id);
    end(&request);
    item_ids(&request, references, count);
    element(&request, "m:ReturnNewItemIds", "false");
    finish(&request);
}

void ews_request_delete(struct buffer *body, const struct ews_sender *sender, bool purge,
                        const char *const *references, size_t count)
{
    struct request request;
    buffer_reserve(body, 1024 + count * REFERENCE_SIZE_USUAL);
    begin(&request, body, sender, "m:DeleteItem");
    attribute(&request, "DeleteType", purge ? "HardDelete" : "MoveToDeletedItems");
    attribute(&request, "SendMeetingCancellations", "SendToNone");
    attribute(&request, "AffectedTaskOccurrences", "SpecifiedOccurrenceOnly");
    attribute(&request, "SuppressReadReceipts", "true");
    item_ids(&request, references, count);
    finish(&request);
}

/* --- folders --- */

static void folder_shape(struct request *request, bool with_name)
{
    start(request, "m:FolderShape");
    element(request, "t:BaseShape", "IdOnly");
    if (with_name) {
        start(request, "t:AdditionalProperties");
        field(request, "folder:DisplayName");
        end(request);
    }
    end(request);
}

void ews_request_get_folder(struct buffer *body, const struct ews_sender *sender,
                            const char *folder_id)
{
    struct request request;
    begin(&request, body, sender, "m:GetFolder");
    folder_shape(&request, false);
    start(&request, "m:FolderIds");
    folder(&request, sender, folder_id);
    end(&request);
    finish(&request);
}

void ews_request_find_folder(struct buffer *body, const struct ews_sender *sender,
                             const char *parent_id, int64_t offset, uint32_t limit)
{
    struct request request;
    begin(&request, body, sender, "m:FindFolder");
    attribute(&request, "Traversal", "Shallow");
    folder_shape(&request, true);
    page(&request, "m:IndexedPageFolderView", offset, limit);
    parent_folders(&request, sender, parent_id);
    finish(&request);
}

void ews_request_create_folder(struct buffer *body, const struct ews_sender *sender,
                               const char *parent_id, const char *name)
{
    struct request request;
    begin(&request, body, sender, "m:CreateFolder");
    start(&request, "m:ParentFolderId");
    folder(&request, sender, parent_id);
    end(&request);
    start(&request, "m:Folders");
    start(&request, "t:Folder");
    element(&request, "t:FolderClass", "IPF.Note");
    element(&request, "t:DisplayName", name);
    end(&request);
    end(&request);
    finish(&request);
}

#include "ews/ews_writer.h"

#include "base/memory.h"
#include "ews/ews_reference.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#define SOAP_NAMESPACE     "http://schemas.xmlsoap.org/soap/envelope/"
#define TYPES_NAMESPACE    "http://schemas.microsoft.com/exchange/services/2006/types"
#define MESSAGES_NAMESPACE "http://schemas.microsoft.com/exchange/services/2006/messages"
#define SERVER_VERSION     "Exchange2013_SP1"

static void require(bool succeeded)
{
    if (!succeeded)
        memory_resize(NULL, SIZE_MAX); /* ends the process as any other lack of memory does */
}

void ews_write_start(struct ews_writer *writer, const char *name)
{
    require(xmlTextWriterStartElement(writer->xml, BAD_CAST name) >= 0);
}

void ews_write_end(struct ews_writer *writer)
{
    require(xmlTextWriterEndElement(writer->xml) >= 0);
}

void ews_write_attribute(struct ews_writer *writer, const char *name, const char *value)
{
    require(xmlTextWriterWriteAttribute(writer->xml, BAD_CAST name, BAD_CAST value) >= 0);
}

static void write_number_attribute(struct ews_writer *writer, const char *name, int64_t value)
{
    char text[24];
    int64_t fitting = value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : value; /* xs:int */
    snprintf(text, sizeof text, "%" PRId64, fitting);
    ews_write_attribute(writer, name, text);
}

void ews_write_element(struct ews_writer *writer, const char *name, const char *text)
{
    ews_write_start(writer, name);
    require(xmlTextWriterWriteString(writer->xml, BAD_CAST text) >= 0);
    ews_write_end(writer);
}

void ews_write_settle(struct ews_writer *writer)
{
    require(xmlTextWriterWriteString(writer->xml, BAD_CAST "") >= 0);
    require(xmlTextWriterFlush(writer->xml) >= 0);
}

static int write_bytes(void *argument, const char *bytes, int length)
{
    buffer_append(argument, bytes, (size_t)length);
    return length;
}

/* --- the envelope --- */

static void impersonate(struct ews_writer *writer, const struct ews_sender *sender)
{
    static const char *const names[] = {
        [EWS_SID_PRIMARY_SMTP] = "t:PrimarySmtpAddress",
        [EWS_SID_SMTP] = "t:SmtpAddress",
        [EWS_SID_UPN] = "t:PrincipalName",
        [EWS_SID_SID] = "t:SID",
    };
    const struct backend_mailbox *mailbox = sender->mailbox;
    ews_write_start(writer, "t:ExchangeImpersonation");
    ews_write_start(writer, "t:ConnectingSID");
    ews_write_element(writer, names[sender->settings->connecting_sid],
                      mailbox->identity == NULL ? mailbox->address : mailbox->identity);
    ews_write_end(writer);
    ews_write_end(writer);
}

void ews_write_begin(struct ews_writer *writer, struct buffer *body,
                     const struct ews_sender *sender, const char *operation)
{
    xmlOutputBuffer *output = xmlOutputBufferCreateIO(write_bytes, NULL, body, NULL);
    require(output != NULL);
    *writer = (struct ews_writer){.xml = xmlNewTextWriter(output)};
    require(writer->xml != NULL);
    require(xmlTextWriterStartDocument(writer->xml, NULL, "UTF-8", NULL) >= 0);
    ews_write_start(writer, "s:Envelope");
    ews_write_attribute(writer, "xmlns:s", SOAP_NAMESPACE);
    ews_write_attribute(writer, "xmlns:t", TYPES_NAMESPACE);
    ews_write_attribute(writer, "xmlns:m", MESSAGES_NAMESPACE);
    ews_write_start(writer, "s:Header");
    ews_write_start(writer, "t:RequestServerVersion");
    ews_write_attribute(writer, "Version", SERVER_VERSION);
    ews_write_end(writer);
    if (sender->settings->impersonation && sender->mailbox->address != NULL)
        impersonate(writer, sender);
    ews_write_end(writer);
    ews_write_start(writer, "s:Body");
    ews_write_start(writer, operation);
}

void ews_write_finish(struct ews_writer *writer)
{
    require(xmlTextWriterEndDocument(writer->xml) >= 0);
    xmlFreeTextWriter(writer->xml);
    buffer_release(&writer->scratch);
}

/* --- parts --- */

/* A well-known folder is that of whoever asks: of the impersonated user, or else of the account, so
 * that then it must say whose. */
void ews_write_folder(struct ews_writer *writer, const struct ews_sender *sender,
                      const char *folder_id)
{
    if (folder_id[0] != EWS_WELL_KNOWN) {
        ews_write_start(writer, "t:FolderId");
        ews_write_attribute(writer, "Id", folder_id);
        ews_write_end(writer);
        return;
    }
    ews_write_start(writer, "t:DistinguishedFolderId");
    ews_write_attribute(writer, "Id", folder_id + 1);
    if (!sender->settings->impersonation && sender->mailbox->address != NULL) {
        ews_write_start(writer, "t:Mailbox");
        ews_write_element(writer, "t:EmailAddress", sender->mailbox->address);
        ews_write_end(writer);
    }
    ews_write_end(writer);
}

void ews_write_parent_folders(struct ews_writer *writer, const struct ews_sender *sender,
                              const char *folder_id)
{
    ews_write_start(writer, "m:ParentFolderIds");
    ews_write_folder(writer, sender, folder_id);
    ews_write_end(writer);
}

void ews_write_item_id(struct ews_writer *writer, const char *reference, bool with_change_key)
{
    size_t length = ews_reference_id_length(reference);
    buffer_clear(&writer->scratch);
    buffer_append(&writer->scratch, reference, length);
    ews_write_start(writer, "t:ItemId");
    ews_write_attribute(writer, "Id", writer->scratch.data);
    if (with_change_key && reference[length] == ' ')
        ews_write_attribute(writer, "ChangeKey", reference + length + 1);
    ews_write_end(writer);
}

void ews_write_item_ids(struct ews_writer *writer, const char *const *references, size_t count,
                        bool with_change_key)
{
    ews_write_start(writer, "m:ItemIds");
    for (size_t i = 0; i < count; i++)
        ews_write_item_id(writer, references[i], with_change_key);
    ews_write_end(writer);
}

void ews_write_field(struct ews_writer *writer, const char *uri)
{
    ews_write_start(writer, "t:FieldURI");
    ews_write_attribute(writer, "FieldURI", uri);
    ews_write_end(writer);
}

void ews_write_page(struct ews_writer *writer, const char *name, int64_t offset, uint32_t limit)
{
    ews_write_start(writer, name);
    write_number_attribute(writer, "MaxEntriesReturned", limit);
    write_number_attribute(writer, "Offset", offset);
    ews_write_attribute(writer, "BasePoint", "Beginning");
    ews_write_end(writer);
}

void ews_write_order(struct ews_writer *writer)
{
    ews_write_start(writer, "m:SortOrder");
    ews_write_start(writer, "t:FieldOrder");
    ews_write_attribute(writer, "Order", "Descending");
    ews_write_field(writer, "item:DateTimeReceived");
    ews_write_end(writer);
    ews_write_end(writer);
}

#include "reply.h"

#include "base/memory.h"
#include "response_codes.h"
#include "soap.h"
#include "xml_text.h"

#include <string.h>

static const char envelope_start[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<s:Envelope xmlns:s=\"" SOAP_ENVELOPE "\"><s:Header>"
    "<h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"1\" MajorBuildNumber=\"2507\" "
    "MinorBuildNumber=\"35\" Version=\"V2017_07_11\" xmlns:h=\"" EWS_TYPES "\"/>"
    "</s:Header><s:Body>";
static const char envelope_end[] = "</s:Body></s:Envelope>";

void reply_append_content(struct reply *reply, struct message *message)
{
    if (reply->insertion_count == reply->insertion_capacity) {
        reply->insertion_capacity =
            reply->insertion_capacity < 8 ? 8 : reply->insertion_capacity * 2;
        reply->insertions =
            memory_resize(reply->insertions, reply->insertion_capacity * sizeof *reply->insertions);
    }
    reply->insertions[reply->insertion_count++] =
        (struct reply_insertion){reply->text.length, message_reference(message)};
}

size_t reply_length(const struct reply *reply)
{
    size_t length = reply->text.length;
    for (size_t i = 0; i < reply->insertion_count; i++)
        length += message_content_length(reply->insertions[i].message);
    return length;
}

static void add_run(struct reply_run *runs, size_t *count, const char *bytes, size_t length)
{
    if (length > 0)
        runs[(*count)++] = (struct reply_run){bytes, length};
}

struct reply_run *reply_runs(const struct reply *reply, size_t *count)
{
    size_t most = 1;
    for (size_t i = 0; i < reply->insertion_count; i++)
        most += 3 + reply->insertions[i].message->content.block_count;
    struct reply_run *runs = memory_allocate_array(most, sizeof *runs);
    size_t done = 0;
    *count = 0;
    for (size_t i = 0; i < reply->insertion_count; i++) {
        const struct reply_insertion *insertion = &reply->insertions[i];
        const struct message_content *content = &insertion->message->content;
        add_run(runs, count, reply->text.data + done, insertion->offset - done);
        add_run(runs, count, content->head, content->head_length);
        for (size_t k = 0; k < content->block_count; k++)
            add_run(runs, count, content->block, content->block_length);
        add_run(runs, count, content->tail, content->tail_length);
        done = insertion->offset;
    }
    add_run(runs, count, buffer_string(&reply->text) + done, reply->text.length - done);
    return runs;
}

void reply_flatten(const struct reply *reply, struct buffer *buffer)
{
    size_t count;
    struct reply_run *runs = reply_runs(reply, &count);
    buffer_reserve(buffer, reply_length(reply));
    for (size_t i = 0; i < count; i++)
        buffer_append(buffer, runs[i].bytes, runs[i].length);
    memory_free(runs);
}

void reply_clear(struct reply *reply)
{
    for (size_t i = 0; i < reply->insertion_count; i++)
        message_release(reply->insertions[i].message);
    reply->insertion_count = 0;
    buffer_clear(&reply->text);
    reply->status = 200;
}

void reply_release(struct reply *reply)
{
    reply_clear(reply);
    memory_free(reply->insertions);
    buffer_release(&reply->text);
    *reply = (struct reply){0};
}

/* -- SOAP ------------------------------------------------------------------ */

void reply_open(struct reply *reply, const char *operation)
{
    reply_clear(reply);
    struct buffer *text = &reply->text;
    buffer_append(text, envelope_start, sizeof envelope_start - 1);
    buffer_append_format(text,
                         "<m:%sResponse xmlns:m=\"" EWS_MESSAGES "\" xmlns:t=\"" EWS_TYPES "\">"
                         "<m:ResponseMessages>",
                         operation);
}

void reply_close(struct reply *reply, const char *operation)
{
    buffer_append_format(&reply->text, "</m:ResponseMessages></m:%sResponse>", operation);
    buffer_append(&reply->text, envelope_end, sizeof envelope_end - 1);
}

void reply_open_message(struct reply *reply, const char *operation)
{
    buffer_append_string(&reply->text, "<m:");
    buffer_append_string(&reply->text, operation);
    buffer_append_string(&reply->text, "ResponseMessage ResponseClass=\"Success\">"
                                       "<m:ResponseCode>NoError</m:ResponseCode>");
}

void reply_close_message(struct reply *reply, const char *operation)
{
    buffer_append_string(&reply->text, "</m:");
    buffer_append_string(&reply->text, operation);
    buffer_append_string(&reply->text, "ResponseMessage>");
}

/* What an error message must still hold, after MS-OXWSCDATA. */
static const char *empty_container(const char *operation)
{
    static const char *const containers[][2] = {
        {"GetItem", "<m:Items/>"},       {"CreateItem", "<m:Items/>"},
        {"UpdateItem", "<m:Items/>"},    {"MoveItem", "<m:Items/>"},
        {"CopyItem", "<m:Items/>"},      {"GetFolder", "<m:Folders/>"},
        {"CreateFolder", "<m:Folders/>"}};
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (strcmp(containers[i][0], operation) == 0)
            return containers[i][1];
    return "";
}

static void append_back_off(struct buffer *text, const char *element, unsigned back_off_ms)
{
    buffer_append_format(text,
                         "<%s xmlns:t=\"" EWS_TYPES "\"><t:Value "
                         "Name=\"BackOffMilliseconds\">%u</t:Value></%s>",
                         element, back_off_ms, element);
}

void reply_error_message(struct reply *reply, const char *operation,
                         const struct reply_error *error)
{
    struct buffer *text = &reply->text;
    const char *sentence = error->text != NULL ? error->text : response_code_text(error->code);
    buffer_append_format(text, "<m:%sResponseMessage ResponseClass=\"Error\"><m:MessageText>",
                         operation);
    xml_append_escaped(text, sentence, strlen(sentence));
    buffer_append_string(text, "</m:MessageText><m:ResponseCode>");
    xml_append_escaped(text, error->code, strlen(error->code));
    buffer_append_string(text, "</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>");
    if (error->back_off_ms > 0)
        append_back_off(text, "m:MessageXml", error->back_off_ms);
    buffer_append_string(text, empty_container(operation));
    reply_close_message(reply, operation);
}

static void append_fault_detail(struct buffer *text, const struct reply_fault *fault,
                                const char *sentence)
{
    buffer_append_string(text, "<detail><e:ResponseCode xmlns:e=\"" EWS_ERRORS "\">");
    buffer_append_string(text, fault->code);
    buffer_append_string(text, "</e:ResponseCode><e:Message xmlns:e=\"" EWS_ERRORS "\">");
    xml_append_escaped(text, sentence, strlen(sentence));
    buffer_append_string(text, "</e:Message>");
    if (fault->violation != NULL) {
        buffer_append_format(text,
                             "<t:MessageXml xmlns:t=\"" EWS_TYPES "\">"
                             "<t:LineNumber>%ld</t:LineNumber><t:LinePosition>1</t:LinePosition>"
                             "<t:Violation>",
                             fault->line);
        xml_append_escaped(text, fault->violation, strlen(fault->violation));
        buffer_append_string(text, "</t:Violation></t:MessageXml>");
    } else if (fault->back_off_ms > 0) {
        append_back_off(text, "t:MessageXml", fault->back_off_ms);
    }
    buffer_append_string(text, "</detail>");
}

void reply_soap_fault(struct reply *reply, const struct reply_fault *fault)
{
    reply_clear(reply);
    struct buffer *text = &reply->text;
    const char *sentence = fault->text != NULL ? fault->text : response_code_text(fault->code);
    const char *prefix = fault->prefix != NULL ? fault->prefix : "s";
    buffer_append_format(text,
                         "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
                         "<%s:Envelope xmlns:%s=\"" SOAP_ENVELOPE "\"><%s:Body><%s:Fault>"
                         "<faultcode xmlns:a=\"" EWS_TYPES "\">a:%s</faultcode>"
                         "<faultstring xml:lang=\"en-US\">",
                         prefix, prefix, prefix, prefix, fault->code);
    xml_append_escaped(text, sentence, strlen(sentence));
    buffer_append_string(text, "</faultstring>");
    if (!fault->without_detail)
        append_fault_detail(text, fault, sentence);
    buffer_append_format(text, "</%s:Fault></%s:Body></%s:Envelope>", prefix, prefix, prefix);
    reply->status = fault->status == 0 ? 500 : fault->status;
}

#include "http_answer.h"

#include "base/memory.h"

#include <string.h>

enum { ENDLESS_BLOCK = 65536, STREAM_BLOCK = 65536, DEFAULT_DEPTH = 100000, GARBAGE_SIZE = 4096 };

/* -- Sound answers --------------------------------------------------------- */

static void free_reply(void *context)
{
    struct reply *reply = context;
    reply_release(reply);
    memory_free(reply);
}

/* The runs of the reply go to the socket from where they are. */
static struct MHD_Response *scattered_answer(struct reply *reply)
{
    struct reply *kept = memory_allocate(sizeof *kept);
    *kept = *reply;
    *reply = (struct reply){0};
    size_t count;
    struct reply_run *runs = reply_runs(kept, &count);
    struct MHD_IoVec *vector = memory_allocate_array(count, sizeof *vector);
    for (size_t i = 0; i < count; i++)
        vector[i] = (struct MHD_IoVec){runs[i].bytes, runs[i].length};
    memory_free(runs);
    struct MHD_Response *response =
        MHD_create_response_from_iovec(vector, (unsigned)count, free_reply, kept);
    memory_free(vector);
    return response;
}

/* A reply on its way out, in full blocks: the library asks for its bytes in their order. */
struct stream {
    struct reply reply;
    struct reply_run *runs;
    size_t count;
    size_t run;  /* the one that is next */
    size_t done; /* bytes of it that have gone */
};

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t most)
{
    (void)position;
    struct stream *stream = context;
    size_t length = 0;
    while (length < most && stream->run < stream->count) {
        const struct reply_run *run = &stream->runs[stream->run];
        size_t left = run->length - stream->done;
        size_t part = left < most - length ? left : most - length;
        memcpy(out + length, run->bytes + stream->done, part);
        length += part;
        stream->done += part;
        if (stream->done == run->length) {
            stream->run++;
            stream->done = 0;
        }
    }
    return (ssize_t)length;
}

static void free_stream(void *context)
{
    struct stream *stream = context;
    memory_free(stream->runs);
    reply_release(&stream->reply);
    memory_free(stream);
}

/* For TLS: every run by itself would be a record, and a system call. */
static struct MHD_Response *streamed_answer(struct reply *reply)
{
    struct stream *stream = memory_allocate(sizeof *stream);
    uint64_t length = reply_length(reply);
    stream->reply = *reply;
    *reply = (struct reply){0};
    stream->runs = reply_runs(&stream->reply, &stream->count);
    return MHD_create_response_from_callback(length, STREAM_BLOCK, read_stream, stream,
                                             free_stream);
}

static struct MHD_Response *whole_answer(struct reply *reply, bool in_blocks)
{
    return in_blocks ? streamed_answer(reply) : scattered_answer(reply);
}

static void free_buffer(void *context)
{
    memory_free(context);
}

/* An answer of these bytes, that are taken over. */
static struct MHD_Response *buffer_answer(struct buffer *bytes)
{
    size_t length = bytes->length;
    return MHD_create_response_from_buffer_with_free_callback(length, buffer_take(bytes),
                                                              free_buffer);
}

static struct MHD_Response *text_answer(const char *text)
{
    struct buffer bytes = {0};
    buffer_append_string(&bytes, text);
    return buffer_answer(&bytes);
}

/* -- Spoiled ones ---------------------------------------------------------- */

/* The first half of the answer, as if that were all of it. */
static struct MHD_Response *truncated_answer(const struct reply *reply)
{
    struct buffer bytes = {0};
    reply_flatten(reply, &bytes);
    bytes.length /= 2;
    return buffer_answer(&bytes);
}

/* What is sent before the connection breaks. */
struct broken_answer {
    struct buffer bytes;
};

static ssize_t read_broken(void *context, uint64_t position, char *out, size_t most)
{
    const struct broken_answer *answer = context;
    if (position >= answer->bytes.length / 2)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t left = answer->bytes.length / 2 - position;
    size_t length = left < most ? left : most;
    memcpy(out, answer->bytes.data + position, length);
    return (ssize_t)length;
}

static void free_broken(void *context)
{
    struct broken_answer *answer = context;
    buffer_release(&answer->bytes);
    memory_free(answer);
}

static struct MHD_Response *broken_answer(const struct reply *reply)
{
    struct broken_answer *answer = memory_allocate(sizeof *answer);
    reply_flatten(reply, &answer->bytes);
    return MHD_create_response_from_callback(answer->bytes.length, ENDLESS_BLOCK, read_broken,
                                             answer, free_broken);
}

static const char endless_start[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
    "<m:GetItemResponse "
    "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
    "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>"
    "<m:GetItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>"
    "<m:Items><t:Message><t:Subject>";

static ssize_t read_endless(void *context, uint64_t position, char *out, size_t most)
{
    (void)context;
    size_t start = sizeof endless_start - 1;
    if (position < start) {
        size_t length = start - position < most ? start - position : most;
        memcpy(out, endless_start + position, length);
        return (ssize_t)length;
    }
    memset(out, 'x', most);
    return (ssize_t)most;
}

static struct MHD_Response *garbage_answer(void)
{
    struct buffer bytes = {0};
    uint32_t state = 2463534242U; /* the same garbage every time */
    for (size_t i = 0; i < GARBAGE_SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        buffer_append_char(&bytes, (char)(state >> 24));
    }
    return buffer_answer(&bytes);
}

static struct MHD_Response *deep_answer(unsigned depth)
{
    struct buffer bytes = {0};
    buffer_append_string(&bytes, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    unsigned levels = depth == 0 ? DEFAULT_DEPTH : depth;
    for (unsigned i = 0; i < levels; i++)
        buffer_append_string(&bytes, "<a>");
    for (unsigned i = 0; i < levels; i++)
        buffer_append_string(&bytes, "</a>");
    return buffer_answer(&bytes);
}

static const char doctype_answer[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<!DOCTYPE s:Envelope [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
    "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
    "<!ENTITY e SYSTEM \"file:///etc/hostname\">]>"
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>&d;&e;</faultstring></s:Fault>"
    "</s:Body></s:Envelope>";

static struct MHD_Response *soap_fault_answer(const struct fault *fault, unsigned *status)
{
    struct reply reply = {0};
    reply_soap_fault(&reply, &(struct reply_fault){.code = fault->soap_code,
                                                   .text = fault->message,
                                                   .prefix = fault->prefix,
                                                   .without_detail = fault->without_detail,
                                                   .status = fault->status,
                                                   .back_off_ms = fault->back_off_ms});
    *status = reply.status;
    return whole_answer(&reply, false);
}

static struct MHD_Response *http_status_answer(const struct fault *fault, unsigned *status)
{
    struct MHD_Response *response = text_answer(fault->text == NULL ? "" : fault->text);
    for (size_t i = 0; i < fault->header_count; i++)
        MHD_add_response_header(response, fault->headers[i].name, fault->headers[i].value);
    *status = fault->status;
    return response;
}

static struct MHD_Response *faulty_answer(struct reply *reply, const struct fault *fault,
                                          bool in_blocks, unsigned *status)
{
    switch (fault->action) {
    case FAULT_HTTP:
        return http_status_answer(fault, status);
    case FAULT_SOAP:
        return soap_fault_answer(fault, status);
    case FAULT_CLOSE_BEFORE:
    case FAULT_CLOSE_AFTER:
        return NULL;
    case FAULT_CLOSE_MIDDLE:
        return broken_answer(reply);
    case FAULT_TRUNCATED:
        return truncated_answer(reply);
    case FAULT_GARBAGE:
        return garbage_answer();
    case FAULT_HTML:
        return text_answer("<!doctype html><html><head><title>Sign in</title></head>"
                           "<body><p>This is not Exchange.<br></body></html>");
    case FAULT_EMPTY:
        return text_answer("");
    case FAULT_ENDLESS:
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, ENDLESS_BLOCK, read_endless,
                                                 NULL, NULL);
    case FAULT_DEEP:
        return deep_answer(fault->depth);
    case FAULT_DOCTYPE:
        return text_answer(doctype_answer);
    case FAULT_DELAY_ONLY:
    case FAULT_ITEM:
        break;
    }
    return whole_answer(reply, in_blocks);
}

static struct MHD_Response *answer_with_broken_item(struct reply *reply,
                                                    enum item_breakage breakage, bool in_blocks,
                                                    unsigned *status)
{
    switch (breakage) {
    case ITEM_HTTP_500:
        *status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        return text_answer("");
    case ITEM_MALFORMED:
        buffer_append_string(&reply->text, "</t:MimeContent>");
        return whole_answer(reply, in_blocks);
    case ITEM_TRUNCATED:
        return truncated_answer(reply);
    case ITEM_CLOSES:
        return broken_answer(reply);
    case ITEM_SOUND:
        break;
    }
    return whole_answer(reply, in_blocks);
}

struct MHD_Response *http_answer(struct reply *reply, const struct fault *fault,
                                 enum item_breakage breakage, bool in_blocks, unsigned *status)
{
    *status = reply->status;
    if (fault != NULL && fault->action != FAULT_DELAY_ONLY && fault->action != FAULT_ITEM)
        return faulty_answer(reply, fault, in_blocks, status);
    return answer_with_broken_item(reply, breakage, in_blocks, status);
}

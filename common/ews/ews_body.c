#include "ews/ews_body.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

void ews_body_add_gap(struct ews_body *body, const struct backend_content *content)
{
    body->gaps = memory_resize(body->gaps, (body->count + 1) * sizeof *body->gaps);
    body->gaps[body->count++] = (struct ews_gap){body->text.length, *content};
}

/* --- reading --- */

static size_t smaller(uint64_t left, size_t right)
{
    return left < right ? (size_t)left : right;
}

static size_t take_text(struct ews_body *body, char *room, size_t size)
{
    size_t end = body->current < body->count ? body->gaps[body->current].place : body->text.length;
    size_t length = smaller(end - body->offset, size);
    memcpy(room, body->text.data + body->offset, length);
    body->offset += length;
    return length;
}

static size_t take_coded(struct ews_body *body, char *room, size_t size)
{
    size_t length = smaller(body->coded_length - body->coded_offset, size);
    memcpy(room, body->coded + body->coded_offset, length);
    body->coded_offset += length;
    return length;
}

/* Whether the text stands at the gap that comes next. */
static bool is_at_gap(const struct ews_body *body)
{
    return body->current < body->count && body->offset == body->gaps[body->current].place;
}

/* Encodes the next piece of the current message, or goes on behind it when it is over. What its
 * `read` returned; 1 when there was nothing to read. */
static size_t fill(struct ews_body *body)
{
    char bytes[EWS_BODY_PIECE];
    const struct backend_content *content = &body->gaps[body->current].content;
    uint64_t left = content->size - body->taken;
    if (left == 0) {
        body->current++;
        body->taken = 0;
        return 1;
    }
    size_t wanted = smaller(left, sizeof bytes);
    size_t length = content->read(content->argument, bytes, wanted);
    if (length == 0)
        return 0;
    if (length == BACKEND_CONTENT_FAILED) {
        content->failure(content->argument, body->failure);
        return length;
    }
    assert(length <= wanted);
    body->taken += length;
    body->coded_offset = 0;
    body->coded_length = base64_encode(&body->encoder, bytes, length, body->coded);
    if (body->taken == content->size)
        body->coded_length += base64_encode_end(&body->encoder, body->coded + body->coded_length);
    return length;
}

static size_t read_body(void *argument, char *room, size_t size)
{
    struct ews_body *body = argument;
    size_t total = 0;
    while (total < size) {
        size_t taken = take_coded(body, room + total, size - total);
        if (taken == 0)
            taken = take_text(body, room + total, size - total);
        total += taken;
        if (taken > 0)
            continue;
        if (!is_at_gap(body))
            break; /* the end */
        size_t got = fill(body);
        if (got == BACKEND_CONTENT_FAILED)
            return HTTP_SOURCE_FAILED;
        if (got == 0)
            break;
    }
    return total;
}

static void rewind_body(void *argument)
{
    struct ews_body *body = argument;
    for (size_t i = 0; i < body->count && i <= body->current; i++) {
        const struct backend_content *content = &body->gaps[i].content;
        if (i < body->current || body->taken > 0)
            content->rewind(content->argument);
    }
    body->offset = 0;
    body->current = 0;
    body->taken = 0;
    body->encoder = (struct base64_encoder){0};
    body->coded_offset = body->coded_length = 0;
}

void ews_body_seal(struct ews_body *body, struct failure *failure)
{
    uint64_t length = body->text.length;
    for (size_t i = 0; i < body->count; i++)
        length += BASE64_ENCODED_LENGTH(body->gaps[i].content.size);
    body->failure = failure;
    body->source = (struct http_source){
        .length = length,
        .read = read_body,
        .rewind = rewind_body,
        .argument = body,
    };
}

void ews_body_release(struct ews_body *body)
{
    buffer_release(&body->text);
    memory_free(body->gaps);
    body->gaps = NULL;
}

/* A GetItem answer from a hostile server: the receiver's calls come in order and bounded whatever
 * it is, and they are the same when it is fed in pieces (of the size that the first byte says). */
#include "base/buffer.h"
#include "ews/ews_messages.h"
#include "ews/ews_response.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 3, SIZE_MAX_USEFUL = 8192 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* --- the receiver --- */

struct recorder {
    struct buffer log;
    size_t next;
    bool begun;
};

static void item_begin(void *argument, size_t index)
{
    struct recorder *recorder = argument;
    require(index == recorder->next && index < ITEMS && !recorder->begun);
    recorder->begun = true;
    buffer_append_format(&recorder->log, "\n%zu ", index);
}

static void item_data(void *argument, size_t index, const char *bytes, size_t length)
{
    struct recorder *recorder = argument;
    require(index == recorder->next && recorder->begun);
    require(length > 0 && length <= BACKEND_DATA_MAX);
    buffer_append(&recorder->log, bytes, length);
}

static void item_end(void *argument, size_t index, const struct failure *failure)
{
    struct recorder *recorder = argument;
    require(index == recorder->next && index < ITEMS);
    require(failure != NULL || recorder->begun);
    require(failure == NULL || (failure->sentence != NULL && failure->code[0] != '\0'));
    recorder->begun = false;
    recorder->next++;
    buffer_append_format(&recorder->log, " end %s", failure == NULL ? "" : failure->code);
}

static const struct backend_receiver receiver = {
    .item_begin = item_begin,
    .item_data = item_data,
    .item_end = item_end,
};

/* --- the reader --- */

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    ews_messages_start(argument, element, attributes);
}

static void on_mime(void *argument, const char *text, size_t length)
{
    ews_messages_mime(argument, text, length);
}

static void on_mime_damaged(void *argument)
{
    ews_messages_mime_damaged(argument);
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    ews_messages_message_end(argument, index, failure);
}

static const struct ews_reader reader = {
    .start = on_start,
    .mime = on_mime,
    .mime_damaged = on_mime_damaged,
    .message_end = on_message_end,
};

/* Empty when the answer has failed. */
static struct buffer read_answer(struct ews_parsers *parsers, const char *bytes, size_t size,
                                 size_t piece)
{
    static const char *const references[ITEMS] = {"AAA 1", "BBB 2", "CCC"};
    static const bool cancelled = false;
    struct ews_response response;
    struct ews_messages messages;
    struct recorder recorder = {0};
    const struct ews_limits limits = ews_messages_limits(ITEMS, 4096);
    const struct ews_exchange exchange = {.status = 200};
    ews_messages_begin(&messages, &receiver, &recorder, &cancelled, references, ITEMS, 4096);
    ews_response_begin(&response, "GetItem", &reader, &messages, &limits, ITEMS, true);
    for (size_t at = 0; at < size; at += piece)
        ews_response_feed(&response, parsers, bytes + at, piece < size - at ? piece : size - at);
    struct failure failure = ews_response_finish(&response, &exchange);
    if (failure_is_set(&failure)) {
        buffer_clear(&recorder.log);
    } else {
        ews_messages_finish(&messages);
        require(recorder.next == ITEMS);
    }
    ews_response_release(&response, parsers);
    ews_messages_release(&messages);
    return recorder.log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ews_parsers parsers; /* kept: what one answer leaves must not change the next */
    if (size < 1 || size > SIZE_MAX_USEFUL)
        return 0;
    const char *bytes = (const char *)data + 1;
    struct buffer whole = read_answer(&parsers, bytes, size - 1, size);
    struct buffer pieces = read_answer(&parsers, bytes, size - 1, (size_t)data[0] + 1);
    require(whole.length == pieces.length);
    require(whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0);
    buffer_release(&whole);
    buffer_release(&pieces);
    return 0;
}

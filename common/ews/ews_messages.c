#include "ews/ews_messages.h"

#include "base/memory.h"
#include "ews/response_codes.h"

#include <string.h>

/* A piece of text decodes to fewer bytes than it has. */
enum { ANSWER_BYTES = 262144, ITEM_BYTES = 65536, PIECE = BACKEND_DATA_MAX };

static const char STEP[] = "GetItem";

void ews_messages_begin(struct ews_messages *messages, const struct backend_receiver *receiver,
                        void *argument, const bool *cancelled, const char *const *references,
                        size_t count, uint64_t max_message_size)
{
    *messages = (struct ews_messages){
        .receiver = receiver,
        .argument = argument,
        .cancelled = cancelled,
        .count = count,
        .max_message_size = max_message_size == 0 ? UINT64_MAX : max_message_size,
    };
    ews_asked_init(&messages->asked, references, count);
}

void ews_messages_release(struct ews_messages *messages)
{
    ews_asked_release(&messages->asked);
}

/* --- one item --- */

static void end_item(struct ews_messages *messages, const struct failure *failure)
{
    size_t index = messages->ended++;
    messages->receiver->item_end(messages->argument, index, failure);
    messages->begun = false;
    messages->has_mime = false;
    messages->too_large = false;
    messages->damaged = false;
    messages->wrong = false;
    messages->size = 0;
    messages->base64 = (struct base64){0};
}

static void end_with_fault(struct ews_messages *messages, enum response_item_fault fault)
{
    const struct failure failure = response_item_failure(STEP, fault);
    end_item(messages, &failure);
}

static void begin_mime(struct ews_messages *messages)
{
    /* A second one in the same response message: which is the item's cannot be known. */
    messages->damaged = messages->damaged || messages->has_mime;
    messages->has_mime = true;
    if (messages->begun)
        return;
    messages->begun = true;
    messages->receiver->item_begin(messages->argument, messages->ended);
}

void ews_messages_start(struct ews_messages *messages, enum ews_element element,
                        const struct ews_attributes *attributes)
{
    if (messages->ended == messages->count)
        return;
    if (element == EWS_ELEMENT_ITEM_ID)
        messages->wrong =
            messages->wrong || ews_asked_is_another(&messages->asked, messages->ended, attributes);
    else if (element == EWS_ELEMENT_MIME_CONTENT)
        begin_mime(messages);
}

/* `text` is libxml2's and gone when the receiver has cancelled. */
void ews_messages_mime(struct ews_messages *messages, const char *text, size_t length)
{
    char bytes[BASE64_DECODED_MAX(PIECE)];
    while (length > 0 && !messages->damaged && !messages->too_large && !*messages->cancelled) {
        size_t piece = length < PIECE ? length : PIECE;
        size_t decoded = base64_decode(&messages->base64, text, piece, bytes);
        messages->damaged = messages->base64.invalid;
        messages->size += decoded;
        messages->too_large = messages->size > messages->max_message_size;
        if (!messages->too_large && decoded > 0)
            messages->receiver->item_data(messages->argument, messages->ended, bytes, decoded);
        text += piece;
        length -= piece;
    }
}

void ews_messages_mime_damaged(struct ews_messages *messages)
{
    messages->damaged = true;
}

void ews_messages_message_end(struct ews_messages *messages, size_t index,
                              const struct failure *failure)
{
    (void)index; /* they are told one after the other */
    if (failure != NULL)
        end_item(messages, failure);
    else if (!messages->has_mime)
        end_with_fault(messages, RESPONSE_NO_MIME);
    else if (messages->too_large)
        end_with_fault(messages, RESPONSE_TOO_LARGE);
    else if (messages->wrong)
        end_with_fault(messages, RESPONSE_WRONG_ITEM);
    else if (messages->damaged || !base64_complete(&messages->base64))
        end_with_fault(messages, RESPONSE_BAD_BASE64);
    else if (messages->size == 0)
        end_with_fault(messages, RESPONSE_NO_MIME);
    else
        end_item(messages, NULL);
}

void ews_messages_finish(struct ews_messages *messages)
{
    while (messages->ended < messages->count && !*messages->cancelled)
        end_with_fault(messages, RESPONSE_MISSING);
}

void ews_messages_break(struct ews_messages *messages)
{
    if (messages->too_large && messages->ended < messages->count && !*messages->cancelled)
        end_with_fault(messages, RESPONSE_TOO_LARGE);
}

/* Base64 takes four thirds, with line ends a little more. */
struct ews_limits ews_messages_limits(size_t count, uint64_t max_message_size)
{
    uint64_t most = UINT64_MAX / 4 / (count + 1);
    uint64_t message = max_message_size == 0 || max_message_size > most ? most : max_message_size;
    return (struct ews_limits){
        .total_bytes = ANSWER_BYTES + count * (ITEM_BYTES + message / 2 * 3),
        .text_bytes = ANSWER_BYTES + count * (uint64_t)ITEM_BYTES,
    };
}

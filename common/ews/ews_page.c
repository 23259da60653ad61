#include "ews/ews_page.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/message_id.h"
#include "ews/base64.h"
#include "ews/ews_reference.h"
#include "ews/ews_test_id.h"
#include "ews/ews_value.h"
#include "ews/response_codes.h"

#include <string.h>

/* Servers are known to answer with more items than they were asked for, but none with more than
 * this. */
enum { PAGE_ITEMS_MAX = 4096, ANSWER_BYTES = 262144, ITEM_BYTES = 16384, ITEM_TEXT = 4096 };

static const char STEP[] = "FindItem";

/* --- items --- */

static struct backend_item *current(struct ews_page *page)
{
    return &page->items[page->count - 1];
}

static void begin_item(struct ews_page *page)
{
    if (page->count == PAGE_ITEMS_MAX) {
        ews_response_stop(page->response, "XmlTooLarge", "the page has too many items");
        return;
    }
    if (page->count == page->capacity) {
        size_t capacity = page->capacity == 0 ? 32 : 2 * page->capacity;
        page->items = memory_resize(page->items, capacity * sizeof *page->items);
        page->places = memory_resize(page->places, capacity * sizeof *page->places);
        page->capacity = capacity;
    }
    page->count++;
    *current(page) = (struct backend_item){.received_ms = INT64_MIN};
    page->has_id = false;
    buffer_clear(&page->message_id);
    buffer_clear(&page->search_key);
}

static void take_item_id(struct ews_page *page, const struct ews_attributes *attributes)
{
    size_t place = page->references.length;
    if (page->has_id || !ews_reference_append(&page->references, attributes)) {
        ews_response_stop(page->response, "InvalidItemId",
                          "an item of the page has no valid ItemId");
        return;
    }
    page->has_id = true;
    page->places[page->count - 1] = place;
    const char *reference = page->references.data + place;
    const struct digest_part part = {.bytes = reference,
                                     .length = ews_reference_id_length(reference)};
    current(page)->key = digest_of(&part, 1);
}

/* The key is compared as bytes, since base64 can be written in several ways. */
static size_t search_key_bytes(struct ews_page *page, char *bytes, size_t size)
{
    struct base64 decoder = {0};
    if (BASE64_DECODED_MAX(page->search_key.length) > size)
        return 0;
    size_t length =
        base64_decode(&decoder, buffer_string(&page->search_key), page->search_key.length, bytes);
    return base64_complete(&decoder) ? length : 0;
}

static void make_fingerprint(struct ews_page *page, struct backend_item *item)
{
    char key[512];
    uint8_t received[8];
    for (size_t i = 0; i < sizeof received; i++)
        received[i] = (uint8_t)((uint64_t)item->received_ms >> (56 - 8 * i));
    size_t key_length = search_key_bytes(page, key, sizeof key);
    item->message = message_id_number(buffer_string(&page->message_id), page->message_id.length);
    item->has_fingerprint = page->message_id.length > 0 || key_length > 0;
    if (!item->has_fingerprint)
        return;
    const struct digest_part parts[] = {
        {.bytes = buffer_string(&page->message_id), .length = page->message_id.length},
        {.bytes = received, .length = sizeof received},
        {.bytes = key, .length = key_length},
    };
    item->fingerprint = digest_of(parts, 3);
}

/* Behind the angle bracket of the Message-ID. */
static void look_for_test_id(struct ews_page *page)
{
    const struct buffer *id = &page->message_id;
    if (current(page)->test == 0 && id->length > 0 && id->data[0] == '<')
        current(page)->test = ews_test_id_read(page->test_key, id->data + 1, id->length - 1);
}

static void end_item(struct ews_page *page)
{
    look_for_test_id(page);
    if (!page->has_id)
        ews_response_stop(page->response, "InvalidItemId", "an item of the page has no ItemId");
    else
        make_fingerprint(page, current(page));
}

/* --- the reader --- */

static void take_root(struct ews_page *page, const struct ews_attributes *attributes)
{
    size_t length = 0;
    const char *last = ews_attribute(attributes, "IncludesLastItemInRange", &length);
    page->has_root = true;
    page->told_last = last != NULL;
    page->last = last != NULL && ews_value_boolean(last, length);
    page->total = ews_value_number_attribute(attributes, "TotalItemsInView");
    page->next_offset = ews_value_number_attribute(attributes, "IndexedPagingOffset");
}

static void take_field(struct ews_page *page, const struct ews_attributes *attributes)
{
    size_t length = 0;
    const char *tag = ews_attribute(attributes, "PropertyTag", &length);
    page->is_search_key = tag != NULL && length == 6 && strncasecmp(tag, "0x300b", length) == 0;
    page->is_submission_id = ews_submission_field_is(attributes);
}

void ews_page_start(struct ews_page *page, enum ews_element element,
                    const struct ews_attributes *attributes)
{
    switch (element) {
    case EWS_ELEMENT_ROOT_FOLDER:
        take_root(page, attributes);
        break;
    case EWS_ELEMENT_ITEM:
        begin_item(page);
        break;
    case EWS_ELEMENT_ITEM_ID:
        take_item_id(page, attributes);
        break;
    case EWS_ELEMENT_EXTENDED_PROPERTY:
        page->is_search_key = page->is_submission_id = false;
        break;
    case EWS_ELEMENT_EXTENDED_FIELD:
        take_field(page, attributes);
        break;
    default:
        break;
    }
}

void ews_page_end(struct ews_page *page, enum ews_element element, const char *text, size_t length)
{
    int64_t received;
    ews_value_trim(&text, &length);
    switch (element) {
    case EWS_ELEMENT_RECEIVED:
        if (clock_parse_utc(text, length, &received) == 0)
            current(page)->received_ms = received;
        break;
    case EWS_ELEMENT_SIZE:
        current(page)->size = (uint64_t)ews_value_number(text, length, 0);
        break;
    case EWS_ELEMENT_IS_READ:
        current(page)->read = ews_value_boolean(text, length);
        break;
    case EWS_ELEMENT_INTERNET_MESSAGE_ID:
        buffer_append(&page->message_id, text, length);
        break;
    case EWS_ELEMENT_EXTENDED_VALUE:
        if (page->is_search_key)
            buffer_append(&page->search_key, text, length);
        else if (page->is_submission_id)
            current(page)->test = ews_test_id_read(page->test_key, text, length);
        break;
    case EWS_ELEMENT_ITEM:
        end_item(page);
        break;
    default:
        break;
    }
}

void ews_page_message_end(struct ews_page *page, const struct failure *failure)
{
    page->answered = true;
    if (failure != NULL)
        page->failure = *failure;
}

void ews_page_begin(struct ews_page *page, struct ews_response *response, int64_t offset,
                    uint32_t limit)
{
    *page = (struct ews_page){
        .response = response,
        .offset = offset,
        .limit = limit,
        .total = -1,
        .next_offset = -1,
    };
}

void ews_page_release(struct ews_page *page)
{
    memory_free(page->items);
    memory_free(page->places);
    buffer_release(&page->references);
    buffer_release(&page->message_id);
    buffer_release(&page->search_key);
}

struct ews_limits ews_page_limits(uint32_t limit)
{
    uint64_t items = limit < PAGE_ITEMS_MAX ? limit : PAGE_ITEMS_MAX;
    return (struct ews_limits){
        .total_bytes = ANSWER_BYTES + items * ITEM_BYTES,
        .text_bytes = ANSWER_BYTES + items * ITEM_TEXT,
    };
}

/* --- the result --- */

/* A page without items has nothing behind it, whatever the server says; else nobody could stop. */
static bool is_last(const struct ews_page *page)
{
    if (page->count == 0)
        return true;
    if (page->told_last)
        return page->last;
    return page->total >= 0 && page->offset + (int64_t)page->count >= page->total;
}

static struct digest digest_of_page(const struct ews_page *page)
{
    uint64_t total = (uint64_t)page->total;
    const struct digest_part parts[] = {
        {.bytes = buffer_string(&page->references), .length = page->references.length},
        {.bytes = &total, .length = sizeof total},
    };
    return digest_of(parts, 2);
}

struct failure ews_page_finish(struct ews_page *page, struct backend_page *result)
{
    if (failure_is_set(&page->failure))
        return page->failure;
    if (!page->answered || !page->has_root)
        return response_protocol_failure(STEP, "NoRootFolder", "the answer has no page in it",
                                         RESPONSE_OF_MAILBOX);
    for (size_t i = 0; i < page->count; i++)
        page->items[i].reference = page->references.data + page->places[i];
    *result = (struct backend_page){
        .items = page->items,
        .count = page->count,
        .total = page->total,
        .next_offset = page->next_offset,
        .last = is_last(page),
        .mark.page = digest_of_page(page),
    };
    return (struct failure){0};
}

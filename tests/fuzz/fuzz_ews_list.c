/* A FindItem answer from a hostile server. The first byte says in pieces of what size it is fed;
 * the page must be the same as when it is fed whole. */
#include "base/buffer.h"
#include "ews/ews_page.h"
#include "ews/ews_response.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ITEMS = 25, SIZE_MAX_USEFUL = 8192 };

static void on_start(void *argument, enum ews_element element,
                     const struct ews_attributes *attributes)
{
    ews_page_start(argument, element, attributes);
}

static void on_end(void *argument, enum ews_element element, const char *text, size_t length)
{
    ews_page_end(argument, element, text, length);
}

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    (void)index;
    ews_page_message_end(argument, failure);
}

static const struct ews_reader reader = {
    .start = on_start,
    .end = on_end,
    .message_end = on_message_end,
};

static void describe(struct buffer *text, const struct backend_page *page)
{
    buffer_append_format(text, "%lld %lld %d", (long long)page->total, (long long)page->next_offset,
                         page->last);
    buffer_append(text, page->mark.page.bytes, DIGEST_SIZE);
    for (size_t i = 0; i < page->count; i++) {
        const struct backend_item *item = &page->items[i];
        if (item->reference[0] == '\0' || strpbrk(item->reference, "\t\r\n") != NULL)
            abort();
        buffer_append_format(text, "%s %lld %llu %d %d", item->reference,
                             (long long)item->received_ms, (unsigned long long)item->size,
                             item->read, item->has_fingerprint);
        buffer_append(text, item->key.bytes, DIGEST_SIZE);
        buffer_append(text, item->fingerprint.bytes, DIGEST_SIZE);
    }
}

/* Empty when the answer has failed. */
static struct buffer read_answer(struct ews_parsers *parsers, const char *bytes, size_t size,
                                 size_t piece)
{
    struct ews_response response;
    struct ews_page page;
    struct backend_page result;
    struct buffer text = {0};
    const struct ews_limits limits = ews_page_limits(PAGE_ITEMS);
    const struct ews_exchange exchange = {.status = 200};
    ews_page_begin(&page, &response, 0, PAGE_ITEMS);
    ews_response_begin(&response, "FindItem", &reader, &page, &limits, 1, false);
    for (size_t at = 0; at < size; at += piece)
        ews_response_feed(&response, parsers, bytes + at, piece < size - at ? piece : size - at);
    struct failure failure = ews_response_finish(&response, &exchange);
    if (!failure_is_set(&failure))
        failure = ews_page_finish(&page, &result);
    if (!failure_is_set(&failure))
        describe(&text, &result);
    else if (failure.sentence == NULL || failure.code[0] == '\0' || failure.remedy == NULL)
        abort();
    ews_response_release(&response, parsers);
    ews_page_release(&page);
    return text;
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
    if (whole.length != pieces.length ||
        (whole.length > 0 && memcmp(whole.data, pieces.data, whole.length) != 0))
        abort();
    buffer_release(&whole);
    buffer_release(&pieces);
    return 0;
}

#include "ews_feed.h"

#include "base/clock.h"

/* --- a page as text, so that two of them can be compared --- */

struct reading {
    struct ews_response response;
    struct ews_page page;
};

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

static void describe_digest(struct buffer *text, const struct digest *digest)
{
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        buffer_append_format(text, "%02x", digest->bytes[i]);
    buffer_append_char(text, ' ');
}

static void describe_page(struct buffer *text, const struct backend_page *page)
{
    buffer_append_format(text, "total %lld next %lld last %d count %zu digest ",
                         (long long)page->total, (long long)page->next_offset, page->last,
                         page->count);
    describe_digest(text, &page->digest);
    for (size_t i = 0; i < page->count; i++) {
        const struct backend_item *item = &page->items[i];
        buffer_append_format(text, "\n%s received %lld size %llu read %d ", item->reference,
                             (long long)item->received_ms, (unsigned long long)item->size,
                             item->read);
        describe_digest(text, &item->key);
        if (item->has_fingerprint)
            describe_digest(text, &item->fingerprint);
    }
}

static void describe_failure(struct buffer *text, const struct failure *failure)
{
    buffer_append_format(
        text, "%s %s %s%s%s%s: %s", failure_category_name(failure->category),
        failure_scope_name(failure->scope), failure->code, failure->permanent ? " permanent" : "",
        failure->divisible ? " divisible" : "", failure->gone ? " gone" : "", failure->text);
}

/* What is read when the first piece has `first` bytes and the others `piece`. */
static struct buffer read_pieces(struct ews_parsers *parsers, const char *bytes, size_t length,
                                 size_t first, size_t piece)
{
    struct reading reading;
    struct backend_page page;
    struct buffer text = {0};
    const struct ews_limits limits = ews_page_limits(25);
    ews_page_begin(&reading.page, &reading.response, 0, 25);
    ews_response_begin(&reading.response, "FindItem", &reader, &reading.page, &limits, 1, false);
    feed_pieces(&reading.response, parsers, bytes, length, first, piece);
    struct failure failure = finish_with(&reading.response, 200);
    if (!failure_is_set(&failure))
        failure = ews_page_finish(&reading.page, &page);
    if (failure_is_set(&failure))
        describe_failure(&text, &failure);
    else
        describe_page(&text, &page);
    ews_response_release(&reading.response, parsers);
    ews_page_release(&reading.page);
    return text;
}

static void assert_read(const char *answer, const char *expected_part)
{
    struct ews_parsers parsers = {0};
    struct buffer text = read_pieces(&parsers, answer, strlen(answer), 0, 16384);
    if (strstr(buffer_string(&text), expected_part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", expected_part, buffer_string(&text));
    buffer_release(&text);
    ews_parsers_free(&parsers);
}

/* --- answers --- */

#define PAGE(attributes, items)                                                            \
    ANSWER("FindItem", "<m:FindItemResponseMessage ResponseClass=\"Success\">"             \
                       "<m:ResponseCode>NoError</m:ResponseCode><m:RootFolder " attributes \
                       "><t:Items>" items "</t:Items></m:RootFolder>"                      \
                       "</m:FindItemResponseMessage>")
#define SEARCH_KEY(value)                                                                      \
    "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x300b\" PropertyType=\"Binary\"/>" \
    "<t:Value>" value "</t:Value></t:ExtendedProperty>"

static const char full_page[] = PAGE(
    "IndexedPagingOffset=\"3\" TotalItemsInView=\"8\" IncludesLastItemInRange=\"false\"",
    "<t:Message><t:ItemId Id=\"AAMkAGE=\" ChangeKey=\"CQAA\"/>"
    "<t:DateTimeReceived>2026-01-31T10:00:00Z</t:DateTimeReceived><t:Size>2345</t:Size>" SEARCH_KEY(
        "AQIDBA==") "<t:InternetMessageId>&lt;1\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@example.com&gt;"
                    "</t:InternetMessageId><t:IsRead>true</t:IsRead></t:Message>"
                    "<t:MeetingRequest><t:IsRead>0</t:IsRead>"
                    "<t:InternetMessageId>&#60;2@example.com></t:InternetMessageId>"
                    "<t:Size>1</t:Size><t:DateTimeReceived>2026-01-31T09:59:59.5Z</"
                    "t:DateTimeReceived>"
                    "<t:Unknown><t:ItemId Id=\"not this\"/></t:Unknown><t:ItemId Id=\"BBB\"/>"
                    "</t:MeetingRequest><t:SomethingNew><t:ItemId Id=\"CCC\" ChangeKey=\"K\"/>"
                    "<![CDATA[ ignored ]]><!-- this, too --></t:SomethingNew>");

static void a_page_is_read_with_all_that_the_server_tells(void **state)
{
    (void)state;
    assert_read(full_page, "total 8 next 3 last 0 count 3 ");
    assert_read(full_page, "\nAAMkAGE= CQAA received 1769853600000 size 2345 read 1 ");
    assert_read(full_page, "\nBBB received 1769853599500 size 1 read 0 ");
    assert_read(full_page, "\nCCC K received -9223372036854775808 size 0 read 0 ");
}

static void every_way_to_cut_an_answer_gives_the_same_page(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    size_t length = sizeof full_page - 1;
    struct buffer expected = read_pieces(&parsers, full_page, length, 0, length);
    for (size_t first = 1; first < length; first++) {
        struct buffer text = read_pieces(&parsers, full_page, length, first, length);
        assert_string_equal(buffer_string(&text), buffer_string(&expected));
        buffer_release(&text);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        struct buffer text = read_pieces(&parsers, full_page, length, 0, piece);
        assert_string_equal(buffer_string(&text), buffer_string(&expected));
        buffer_release(&text);
    }
    buffer_release(&expected);
    ews_parsers_free(&parsers);
}

static void a_truncated_answer_never_succeeds(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    for (size_t length = 0; length < sizeof full_page - 1; length++) {
        for (size_t piece = 1; piece <= 16384; piece = piece == 1   ? 7
                                                       : piece == 7 ? 16384
                                                                    : 20000) {
            struct buffer text = read_pieces(&parsers, full_page, length, 0, piece);
            if (strncmp(buffer_string(&text), "protocol mailbox XmlMalformed", 29) != 0)
                fail_msg("cut at %zu: %s", length, buffer_string(&text));
            buffer_release(&text);
        }
    }
    ews_parsers_free(&parsers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_with_all_that_the_server_tells),
        cmocka_unit_test(every_way_to_cut_an_answer_gives_the_same_page),
        cmocka_unit_test(a_truncated_answer_never_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

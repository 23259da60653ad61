#include "ews_feed.h"

#include "base/clock.h"

#define TEST_KEY UINT64_C(0x0123456789abcdef)

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
    describe_digest(text, &page->mark.page);
    for (size_t i = 0; i < page->count; i++) {
        const struct backend_item *item = &page->items[i];
        buffer_append_format(text, "\n%s received %lld size %llu read %d ", item->reference,
                             (long long)item->received_ms, (unsigned long long)item->size,
                             item->read);
        if (item->test != 0)
            buffer_append_format(text, "test %llx ", (unsigned long long)item->test);
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
    reading.page.test_key = TEST_KEY;
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

/* They go into sums: EWS ends at 2^31 - 1, 2^48 is far beyond all that there is. */
static void numbers_that_cannot_be_are_none(void **state)
{
    (void)state;
    static const char item[] = "<t:Message><t:ItemId Id=\"A\"/><t:Size>%s</t:Size></t:Message>";
    static const struct {
        const char *number;
        const char *page;
        const char *item;
    } cases[] = {
        {"281474976710656", "total 281474976710656 next 281474976710656 ", "size 281474976710656 "},
        {"281474976710657", "total -1 next -1 ", "size 0 "},
        {"9223372036854775719", "total -1 next -1 ", "size 0 "},
        {"99999999999999999999999", "total -1 next -1 ", "size 0 "},
        {"-1", "total -1 next -1 ", "size 0 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *number = cases[i].number;
        struct buffer size = {0}, answer = {0};
        buffer_append_format(&size, item, number);
        buffer_append_format(&answer,
                             PAGE("IndexedPagingOffset=\"%s\" TotalItemsInView=\"%s\"", "%s"),
                             number, number, size.data);
        assert_read(answer.data, cases[i].page);
        assert_read(answer.data, cases[i].item);
        buffer_release(&size);
        buffer_release(&answer);
    }
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

static void a_page_says_whether_it_is_the_last(void **state)
{
    (void)state;
#define ONE "<t:Message><t:ItemId Id=\"A\"/></t:Message>"
    assert_read(PAGE("TotalItemsInView=\"9\" IncludesLastItemInRange=\"true\"", ONE), "last 1");
    assert_read(PAGE("TotalItemsInView=\"9\" IncludesLastItemInRange=\"false\"", ONE), "last 0");
    assert_read(PAGE("TotalItemsInView=\"9\"", ONE), "last 0");
    assert_read(PAGE("TotalItemsInView=\"1\"", ONE), "last 1");
    assert_read(PAGE("", ONE), "total -1 next -1 last 0");
    assert_read(PAGE("IncludesLastItemInRange=\"false\"", ""), "last 1 count 0");
    assert_read(PAGE("TotalItemsInView=\"99999999999999999999\"", ONE), "total -1");
    assert_read(PAGE("TotalItemsInView=\"-5\"", ONE), "total -1");
}

static void an_item_without_a_usable_id_fails_the_page(void **state)
{
    (void)state;
    assert_read(PAGE("", "<t:Message><t:Size>1</t:Size></t:Message>"), "InvalidItemId");
    assert_read(PAGE("", "<t:Message><t:ItemId Id=\"\"/></t:Message>"), "InvalidItemId");
    assert_read(PAGE("", "<t:Message><t:ItemId Id=\"A B\"/></t:Message>"), "InvalidItemId");
    assert_read(PAGE("", "<t:Message><t:ItemId Id=\"A\" ChangeKey=\"&#10;\"/></t:Message>"),
                "InvalidItemId");
    assert_read(PAGE("", "<t:Message><t:ItemId Id=\"A\"/><t:ItemId Id=\"B\"/></t:Message>"),
                "InvalidItemId");
}

/* The only item's line of a page. */
static struct buffer read_item(const char *answer)
{
    struct ews_parsers parsers = {0};
    struct buffer text = read_pieces(&parsers, answer, strlen(answer), 0, 16384);
    const char *line = strchr(buffer_string(&text), '\n');
    assert_non_null(line);
    struct buffer item = {0};
    buffer_append_string(&item, line + 1);
    buffer_release(&text);
    ews_parsers_free(&parsers);
    return item;
}

static void assert_same_item(const char *answer, const char *other, bool same)
{
    struct buffer a = read_item(answer), b = read_item(other);
    assert_int_equal(strcmp(buffer_string(&a), buffer_string(&b)) == 0, same);
    buffer_release(&a);
    buffer_release(&b);
}

#define TIME(value)       "<t:DateTimeReceived>" value "</t:DateTimeReceived>"
#define MESSAGE_ID(value) "<t:InternetMessageId>" value "</t:InternetMessageId>"
#define ITEM(content)     PAGE("", "<t:Message><t:ItemId Id=\"A\"/>" content "</t:Message>")

static void an_item_is_recognised_by_message_id_time_and_search_key(void **state)
{
    (void)state;
    const char *item =
        ITEM(MESSAGE_ID("&lt;a@b&gt;") TIME("2026-01-31T10:00:00Z") SEARCH_KEY("AQIDBA=="));
    assert_same_item(item,
                     ITEM(SEARCH_KEY("\n AQID\n BA== ") TIME(" 2026-01-31T11:00:00.000+01:00 ")
                              MESSAGE_ID(" &lt;a@b>\n")),
                     true);
    assert_same_item(
        item, ITEM(MESSAGE_ID("&lt;a@b&gt;") TIME("2026-01-31T10:00:00.5Z") SEARCH_KEY("AQIDBA==")),
        false);
    assert_same_item(
        item, ITEM(MESSAGE_ID("&lt;a@c&gt;") TIME("2026-01-31T10:00:00Z") SEARCH_KEY("AQIDBA==")),
        false);
    assert_same_item(
        item, ITEM(MESSAGE_ID("&lt;a@b&gt;") TIME("2026-01-31T10:00:00Z") SEARCH_KEY("AQIDBQ==")),
        false);
}

static void an_item_without_message_id_and_search_key_has_no_fingerprint(void **state)
{
    (void)state;
    struct buffer item = read_item(ITEM(TIME("2026-01-31T10:00:00Z")));
    assert_int_equal(strlen(strstr(buffer_string(&item), "read 0 ")), 7 + 33);
    buffer_release(&item);
    assert_same_item(ITEM(""), ITEM(SEARCH_KEY("!!!")), true);
    assert_same_item(ITEM(""), ITEM(SEARCH_KEY("AQ==")), false);
}

/* --- test messages --- */

#define SUBMISSION(name, value)                                                   \
    "<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId=\"Public" \
    "Strings\" PropertyName=\"" name "\" PropertyType=\"String\"/>"               \
    "<t:Value>" value "</t:Value></t:ExtendedProperty>"
#define TEST_ID "exsyncd-test-0123456789abcdef-00000000000000a7"

static void a_test_message_is_known_by_its_property_or_its_message_id(void **state)
{
    (void)state;
    assert_read(ITEM(SUBMISSION("exsyncd-submission-id", TEST_ID)), "test a7 ");
    assert_read(ITEM(SUBMISSION("EXSYNCD-Submission-ID", " " TEST_ID "\n")), "test a7 ");
    assert_read(ITEM(MESSAGE_ID("&lt;" TEST_ID "@example.com&gt;")), "test a7 ");
    assert_read(ITEM(MESSAGE_ID("&lt;Exsyncd-Test-0123456789ABCDEF-00000000000000A7@x&gt;")),
                "test a7 ");
    assert_read(ITEM(SUBMISSION("exsyncd-submission-id", TEST_ID) MESSAGE_ID("&lt;a@b&gt;")),
                "test a7 ");
}

static void assert_no_test(const char *answer)
{
    struct buffer item = read_item(answer);
    if (strstr(buffer_string(&item), "test") != NULL)
        fail_msg("taken for a test message: %s", buffer_string(&item));
    buffer_release(&item);
}

static void nothing_else_is_taken_for_a_test_message(void **state)
{
    (void)state;
    assert_no_test(ITEM(""));
    assert_no_test(ITEM(MESSAGE_ID("&lt;a@b&gt;")));
    assert_no_test(ITEM(MESSAGE_ID(TEST_ID))); /* no angle bracket */
    assert_no_test(ITEM(MESSAGE_ID("&lt;x" TEST_ID "@b&gt;")));
    assert_no_test(ITEM(MESSAGE_ID("&lt;exsyncd-test-0123456789abcdef")));
    assert_no_test(ITEM(MESSAGE_ID("&lt;exsyncd-test-0123456789abcdee-00000000000000a7@b&gt;")));
    assert_no_test(ITEM(MESSAGE_ID("&lt;exsyncd-test-0123456789abcdef_00000000000000a7@b&gt;")));
    assert_no_test(ITEM(MESSAGE_ID("&lt;exsyncd-test-0123456789abcdef-00000000000000g7@b&gt;")));
    assert_no_test(ITEM(MESSAGE_ID("&lt;exsyncd-test-0000000000000000-00000000000000a7@b&gt;")));
    assert_no_test(
        ITEM(SUBMISSION("exsyncd-submission-id", "de305d54-75b4-431b-adb2-eb6b9e546014")));
    assert_no_test(ITEM(SUBMISSION("somebody-else", TEST_ID)));
}

/* --- what Exchange really sends, and other makers' servers --- */

static void invalid_characters_are_left_out(void **state)
{
    (void)state;
    static const char *const subjects[] = {"a&#x0;b",
                                           "a&#x1A;b",
                                           "a&#xB;b",
                                           "a&#xFFFF;b",
                                           "a\x1A"
                                           "b",
                                           "a\x0B\x01\x1F"
                                           "b"};
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        struct buffer answer = {0};
        buffer_append_format(&answer,
                             PAGE("", "<t:Message><t:Subject>%s</t:Subject><t:ItemId Id=\"A\"/>"
                                      "<t:InternetMessageId>%s</t:InternetMessageId>"
                                      "</t:Message>"),
                             subjects[i], subjects[i]);
        assert_same_item(answer.data, ITEM(MESSAGE_ID("ab")), true);
        buffer_release(&answer);
    }
}

static void a_nul_is_an_invalid_character_like_others(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    static const char answer[] = PAGE("", "<t:Message><t:Subject>a\0\0b</t:Subject>"
                                          "<t:ItemId Id=\"A\"/></t:Message>");
    struct buffer text = read_pieces(&parsers, answer, sizeof answer - 1, 0, 16384);
    assert_non_null(strstr(buffer_string(&text), "count 1"));
    for (size_t piece = 1; piece < 20; piece++) {
        struct buffer again = read_pieces(&parsers, answer, sizeof answer - 1, 0, piece);
        assert_string_equal(buffer_string(&again), buffer_string(&text));
        buffer_release(&again);
    }
    buffer_release(&text);
    static const char in_tag[] = PAGE("", "<t:Mess\0age><t:ItemId Id=\"A\"/></t:Message>");
    text = read_pieces(&parsers, in_tag, sizeof in_tag - 1, 0, 16384);
    assert_non_null(strstr(buffer_string(&text), "XmlMalformed"));
    buffer_release(&text);
    ews_parsers_free(&parsers);
}

static void any_prefix_and_the_default_namespace_are_read(void **state)
{
    (void)state;
    assert_read("<x:Envelope xmlns:x=\"http://schemas.xmlsoap.org/soap/envelope/\"><x:Body>"
                "<FindItemResponse "
                "xmlns=\"http://schemas.microsoft.com/exchange/services/2006/messages\">"
                "<ResponseMessages><FindItemResponseMessage ResponseClass='Success'>"
                "<RootFolder TotalItemsInView='1' IncludesLastItemInRange='1'>"
                "<Items xmlns=\"http://schemas.microsoft.com/exchange/services/2006/types\">"
                "<Message><ItemId Id='Q'/></Message></Items></RootFolder>"
                "<ResponseCode> NoError\n</ResponseCode>"
                "</FindItemResponseMessage></ResponseMessages></FindItemResponse></x:Body>"
                "</x:Envelope>\n",
                "total 1 next -1 last 1 count 1");
}

static void other_namespaces_are_not_taken_for_ours(void **state)
{
    (void)state;
    assert_read("<x:Envelope xmlns:x=\"http://example.com/\"><x:Body/></x:Envelope>",
                "NoRootFolder");
    assert_read(PAGE("", "<t:Message><t:ItemId Id=\"A\"/><o:Size xmlns:o=\"urn:o\">7</o:Size>"
                         "</t:Message>"),
                "size 0");
}

static void assert_documented(const char *name, const char *expected)
{
    struct buffer path = {0};
    buffer_append_format(&path, "tests/data/ews/%s.xml", name);
    struct buffer answer = load_file(path.data);
    assert_read(answer.data, expected);
    buffer_release(&answer);
    buffer_release(&path);
}

static void documented_answers_are_read(void **state)
{
    (void)state;
    assert_documented("finditem-operation-2-resp", "total 10 next -1 last 1 count 2");
    assert_documented("finditem-operation-2-resp", "\nAS4AUn= fsVU4== received");
    assert_documented("finditem-operation-3-resp",
                      "item mailbox ErrorInvalidIdMalformed permanent: Id is malformed.");
    assert_documented("how-to-perform-paged-searches-by-using-ews-in-exchange-2-resp",
                      "total 8 next 6 last 0 count 6");
    assert_documented("how-to-perform-paged-searches-by-using-ews-in-exchange-4-resp",
                      "total 8 next 8 last 1 count 3");
}

/* --- what must not be accepted --- */

static void other_errors_of_xml_fail_the_answer(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "<t:Message><t:ItemId Id=\"A\"/></t:Massage>",
        "<t:Message><t:ItemId Id=A/></t:Message>",
        "<t:Message><t:ItemId Id=\"A\" Id=\"B\"/></t:Message>",
        "<t:Message><t:ItemId Id=\"A<\"/></t:Message>",
        "<t:Message><t:Subject>&nbsp;</t:Subject><t:ItemId Id=\"A\"/></t:Message>",
        "<t:Message><t:Subject>a & b;</t:Subject><t:ItemId Id=\"A\"/></t:Message>",
        "<t:Message><t:Subject>\xff\xfe</t:Subject><t:ItemId Id=\"A\"/></t:Message>",
        "<t:Message><t:Subject>\xc3</t:Subject><t:ItemId Id=\"A\"/></t:Message>",
        "<t:Message><t:Subject>]]></t:Subject><t:ItemId Id=\"A\"/></t:Message>",
        "<u:Message><t:ItemId Id=\"A\"/></u:Message>",
        "<!-- a -- b --><t:Message><t:ItemId Id=\"A\"/></t:Message>",
        "<!ELEMENT a EMPTY>",
        "<?xml version=\"1.0\"?>",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct buffer answer = {0};
        buffer_append_format(&answer, PAGE("", "%s"), broken[i]);
        assert_read(answer.data, "protocol mailbox XmlMalformed: line ");
        buffer_release(&answer);
    }
    assert_read("", "protocol mailbox XmlMalformed: the answer is empty");
    assert_read("a", "protocol mailbox XmlMalformed: the answer is not XML");
    assert_read(PAGE("", "<t:Message><t:Subject>a & b</t:Subject><t:ItemId Id=\"A\"/></t:Message>"),
                "protocol mailbox XmlMalformed: the answer ends too early");
    assert_read("<html><body>Wait a moment<br></body></html>", "XmlMalformed");
    assert_read("not XML at all", "XmlMalformed");
    struct buffer twice = {0};
    buffer_append_format(&twice, "%s%s", full_page, full_page);
    assert_read(twice.data, "XmlMalformed");
    buffer_release(&twice);
}

static void a_document_type_ends_the_answer(void **state)
{
    (void)state;
    assert_read(XML_HEAD "<!DOCTYPE a>" SOAP_OPEN SOAP_CLOSE, "protocol mailbox XmlDoctype");
    assert_read(XML_HEAD "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" SOAP_OPEN SOAP_CLOSE,
                "XmlDoctype");
    assert_read(XML_HEAD "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
                         "\"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
                         "<!ENTITY % d SYSTEM \"http://127.0.0.1:1/\">%d;]>" SOAP_OPEN
                         "&c;" SOAP_CLOSE,
                "XmlDoctype");
}

static void repeat(struct buffer *buffer, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buffer_append_string(buffer, text);
}

static void assert_too_much(const char *begin, const char *text, size_t times, const char *expected)
{
    struct buffer answer = {0};
    buffer_append_string(&answer, begin);
    repeat(&answer, text, times);
    assert_read(answer.data, expected);
    buffer_release(&answer);
}

static void everything_has_a_limit(void **state)
{
    (void)state;
    assert_too_much(XML_HEAD, "<a>", 100000, "XmlTooDeep");
    assert_too_much(XML_HEAD SOAP_OPEN, "x", 4000000, "XmlTooLarge: the answer has too much text");
    assert_too_much(XML_HEAD SOAP_OPEN, "<a/>", 1000000, "XmlTooLarge: the answer is too large");
    assert_too_much(XML_HEAD "<", "a", 100000, "XmlTooLarge");
    assert_too_much(XML_HEAD "<a b=\"", "a", 100000, "XmlTooLarge");
    assert_too_much(XML_HEAD "<a ", "b ", 100000, "Xml");
    assert_too_much(XML_HEAD "<!--", "a ", 100000, "XmlTooLarge");
    assert_too_much(XML_HEAD "<a><?a ", "a ", 100000, "XmlTooLarge");
    assert_too_much(XML_HEAD "<!DOCTYPE ", "a", 100000, "Xml");
    assert_too_much(XML_HEAD "<a>", "&#1;", 100000, "too many invalid characters");
    assert_too_much(XML_HEAD SOAP_OPEN "<m:FindItemResponse" EWS_NAMESPACES
                                       "><m:ResponseMessages><m:FindItemResponseMessage "
                                       "ResponseClass=\"Success\"><m:RootFolder><t:Items>",
                    "<t:M><t:ItemId Id=\"A\"/></t:M>", 5000, "too many items");
    assert_too_much(XML_HEAD SOAP_OPEN "<m:FindItemResponse" EWS_NAMESPACES
                                       "><m:ResponseMessages><m:FindItemResponseMessage "
                                       "ResponseClass=\"Success\"><m:ResponseCode>",
                    "x", 100000, "a text in the answer is too long");
    struct buffer name = {0};
    buffer_append_string(&name, XML_HEAD "<a");
    repeat(&name, "n", 300);
    assert_too_much(name.data, "/>", 1, "an element of the answer is too large");
    buffer_clear(&name);
    buffer_append_string(&name, XML_HEAD SOAP_OPEN);
    for (unsigned i = 0; i < 20000; i++)
        buffer_append_format(&name, "<a%u/>", i);
    assert_too_much(name.data, SOAP_CLOSE, 1, "the answer has too many different names");
    buffer_release(&name);
}

static void the_server_answers_once(void **state)
{
    (void)state;
    assert_read(ANSWER("FindItem", "<m:FindItemResponseMessage ResponseClass=\"Success\"/>"
                                   "<m:FindItemResponseMessage ResponseClass=\"Success\"/>"),
                "UnexpectedMessage");
    assert_read(ANSWER("FindItem", ""), "NoRootFolder");
    assert_read(ANSWER("FindItem", "<m:FindItemResponseMessage ResponseClass=\"Success\"/>"),
                "NoRootFolder");
    assert_read(XML_HEAD SOAP_OPEN SOAP_CLOSE, "NoRootFolder");
}

static void equal_pages_have_equal_digests(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    static const char *const pages[] = {
        PAGE("TotalItemsInView=\"2\"", "<t:M><t:ItemId Id=\"A\"/></t:M>"),
        PAGE("TotalItemsInView=\"3\"", "<t:M><t:ItemId Id=\"A\"/></t:M>"),
        PAGE("TotalItemsInView=\"2\"", "<t:M><t:ItemId Id=\"B\"/></t:M>"),
        PAGE("TotalItemsInView=\"2\"", "<t:M><t:ItemId Id=\"A\" ChangeKey=\"C\"/></t:M>"),
        PAGE("TotalItemsInView=\"2\"", ""),
        PAGE("TotalItemsInView=\"2\"", "<t:Other><t:Size>7</t:Size><t:ItemId Id=\"A\"/></t:Other>"),
    };
    char digests[6][33];
    for (size_t i = 0; i < 6; i++) {
        struct buffer text = read_pieces(&parsers, pages[i], strlen(pages[i]), 0, 100);
        snprintf(digests[i], sizeof digests[i], "%s", strstr(buffer_string(&text), "digest ") + 7);
        buffer_release(&text);
    }
    ews_parsers_free(&parsers);
    for (size_t i = 1; i < 5; i++)
        assert_string_not_equal(digests[0], digests[i]);
    assert_string_equal(digests[0], digests[5]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_with_all_that_the_server_tells),
        cmocka_unit_test(numbers_that_cannot_be_are_none),
        cmocka_unit_test(every_way_to_cut_an_answer_gives_the_same_page),
        cmocka_unit_test(a_truncated_answer_never_succeeds),
        cmocka_unit_test(a_page_says_whether_it_is_the_last),
        cmocka_unit_test(an_item_without_a_usable_id_fails_the_page),
        cmocka_unit_test(an_item_is_recognised_by_message_id_time_and_search_key),
        cmocka_unit_test(an_item_without_message_id_and_search_key_has_no_fingerprint),
        cmocka_unit_test(a_test_message_is_known_by_its_property_or_its_message_id),
        cmocka_unit_test(nothing_else_is_taken_for_a_test_message),
        cmocka_unit_test(invalid_characters_are_left_out),
        cmocka_unit_test(a_nul_is_an_invalid_character_like_others),
        cmocka_unit_test(any_prefix_and_the_default_namespace_are_read),
        cmocka_unit_test(other_namespaces_are_not_taken_for_ours),
        cmocka_unit_test(documented_answers_are_read),
        cmocka_unit_test(other_errors_of_xml_fail_the_answer),
        cmocka_unit_test(a_document_type_ends_the_answer),
        cmocka_unit_test(everything_has_a_limit),
        cmocka_unit_test(the_server_answers_once),
        cmocka_unit_test(equal_pages_have_equal_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

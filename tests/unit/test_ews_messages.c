#include "ews_feed.h"

/* --- a receiver that writes down what it is told --- */

struct recorder {
    struct buffer log;      /* one line for each item that ended */
    struct buffer messages; /* the bytes of all items, one behind the other */
    size_t item_bytes;
    size_t fed_bytes; /* since it was asked last */
    size_t fed_most;
    size_t begun;  /* index + 1 of the item that is under way; 0 for none */
    size_t begins; /* how often item_begin came for it */
    size_t next;   /* the item that must come next */
    bool cancelled;
    size_t cancel_at; /* calls until it cancels; 0 for never */
    struct ews_response *response;
};

static void count_call(struct recorder *recorder)
{
    assert_false(recorder->cancelled);
    if (recorder->cancel_at == 0 || --recorder->cancel_at > 0)
        return;
    recorder->cancelled = true;
    if (recorder->response->parser != NULL)
        ews_response_stop(recorder->response, "Cancelled", "");
}

static void item_begin(void *argument, size_t index)
{
    struct recorder *recorder = argument;
    assert_int_equal(index, recorder->next);
    assert_int_equal(recorder->begun, 0);
    recorder->begun = index + 1;
    recorder->item_bytes = 0;
    count_call(recorder);
}

static void item_data(void *argument, size_t index, const char *bytes, size_t length)
{
    struct recorder *recorder = argument;
    assert_int_equal(index + 1, recorder->begun);
    assert_true(length > 0 && length <= BACKEND_DATA_MAX);
    buffer_append(&recorder->messages, bytes, length);
    recorder->item_bytes += length;
    recorder->fed_bytes += length;
    if (recorder->fed_bytes > recorder->fed_most)
        recorder->fed_most = recorder->fed_bytes;
    count_call(recorder);
}

static void item_end(void *argument, size_t index, const struct failure *failure)
{
    struct recorder *recorder = argument;
    assert_int_equal(index, recorder->next);
    assert_true(recorder->begun == 0 || recorder->begun == index + 1);
    assert_true(failure != NULL || recorder->begun == index + 1);
    if (failure == NULL)
        buffer_append_format(&recorder->log, "%zu: %zu bytes\n", index, recorder->item_bytes);
    else
        buffer_append_format(&recorder->log, "%zu: %s %s%s%s\n", index,
                             failure_scope_name(failure->scope), failure->code,
                             failure->permanent ? " permanent" : "", failure->gone ? " gone" : "");
    recorder->begun = 0;
    recorder->next++;
    count_call(recorder);
}

static const struct backend_receiver receiver = {
    .item_begin = item_begin,
    .item_data = item_data,
    .item_end = item_end,
};

/* --- reading --- */

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

static const char *const references[] = {"AAA CK1", "BBB CK2", "CCC", "DDD CK4"};

struct pieces {
    size_t count; /* items asked for */
    uint64_t max_message_size;
    size_t first;
    size_t piece;
    size_t cancel_at;
};

/* What was told of the items, then the failure of the whole. The caller frees both buffers. */
static struct recorder read_answer(struct ews_parsers *parsers, const char *answer, size_t length,
                                   const struct pieces *pieces)
{
    struct ews_response response;
    struct ews_messages messages;
    struct recorder recorder = {.cancel_at = pieces->cancel_at, .response = &response};
    const struct ews_limits limits = ews_messages_limits(pieces->count, pieces->max_message_size);
    ews_messages_begin(&messages, &receiver, &recorder, &recorder.cancelled, references,
                       pieces->count, pieces->max_message_size);
    ews_response_begin(&response, "GetItem", &reader, &messages, &limits, pieces->count, true);
    size_t next = pieces->first == 0 ? pieces->piece : pieces->first;
    for (size_t at = 0; at < length;) {
        size_t now = next < length - at ? next : length - at;
        recorder.fed_bytes = 0;
        if (!feed_exactly(&response, parsers, answer + at, now))
            break;
        at += now;
        next = pieces->piece;
    }
    struct failure failure = finish_with(&response, 200);
    if (!failure_is_set(&failure))
        ews_messages_finish(&messages);
    else
        buffer_append_format(&recorder.log, "%s %s%s: %s\n", failure.code,
                             failure_scope_name(failure.scope),
                             failure.divisible ? " divisible" : "", failure.text);
    ews_response_release(&response, parsers);
    ews_messages_release(&messages);
    return recorder;
}

static void recorder_release(struct recorder *recorder)
{
    buffer_release(&recorder->log);
    buffer_release(&recorder->messages);
}

static void assert_answer(const char *answer, size_t count, uint64_t max, const char *log,
                          const char *bytes)
{
    struct ews_parsers parsers = {0};
    const struct pieces whole = {.count = count, .max_message_size = max, .piece = 16384};
    struct recorder recorder = read_answer(&parsers, answer, strlen(answer), &whole);
    assert_string_equal(buffer_string(&recorder.log), log);
    if (bytes != NULL)
        assert_string_equal(buffer_string(&recorder.messages), bytes);
    recorder_release(&recorder);
    ews_parsers_free(&parsers);
}

#define MESSAGE(content)                                                                           \
    "<m:GetItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>" \
    "<m:Items>" content "</m:Items></m:GetItemResponseMessage>"
#define MIME(id, base64)                                               \
    MESSAGE("<t:Message><t:MimeContent CharacterSet=\"UTF-8\">" base64 \
            "</t:MimeContent><t:ItemId Id=\"" id "\" ChangeKey=\"x\"/></t:Message>")
#define ERROR(class, code, more)                                                                 \
    "<m:GetItemResponseMessage ResponseClass=\"" class "\"><m:MessageText>words</m:MessageText>" \
                                                       "<m:ResponseCode>" code                   \
                                                       "</m:ResponseCode>" more                  \
                                                       "<m:Items/></m:GetItemResponseMessage>"
#define GET(messages) ANSWER("GetItem", messages)

static const char four[] = GET(MIME("AAA", "QUJD") ERROR("Error", "ErrorItemNotFound", "")
                                   MIME("CCC", "\r\nREVG&#x3D;\r\n") MIME("DDD", "R0hJSg=="));

static void messages_come_in_the_order_of_the_batch(void **state)
{
    (void)state;
    assert_answer(GET(MIME("AAA", "QUJD") MIME("BBB", "REVG") MIME("CCC", "R0hJSg==")), 3, 0,
                  "0: 3 bytes\n1: 3 bytes\n2: 4 bytes\n", "ABCDEFGHIJ");
}

static void one_bad_item_does_not_spoil_the_others(void **state)
{
    (void)state;
    assert_answer(four, 4, 0,
                  "0: 3 bytes\n1: item ErrorItemNotFound permanent gone\n"
                  "2: item InvalidBase64\n3: 4 bytes\n",
                  NULL);
    assert_answer(GET(MIME("AAA", "QUJD") ERROR("Error", "ErrorServerBusy", "")
                          ERROR("Warning", "ErrorBatchProcessingStopped", "")
                              ERROR("Error", "ErrorNoSuchCodeYet", "")),
                  4, 0,
                  "0: 3 bytes\n1: mailbox ErrorServerBusy\n2: item ErrorBatchProcessingStopped\n"
                  "3: item ErrorNoSuchCodeYet\n",
                  NULL);
}

static void an_item_without_mime_is_told_as_such(void **state)
{
    (void)state;
    assert_answer(GET(MESSAGE("<t:Message><t:ItemId Id=\"AAA\"/></t:Message>")
                          MESSAGE("<t:Message><t:MimeContent/><t:ItemId Id=\"BBB\"/></t:Message>")
                              MESSAGE("") ERROR("Error", "ErrorUnsupportedMimeConversion", "")),
                  4, 0,
                  "0: item NoMimeContent permanent\n1: item NoMimeContent permanent\n"
                  "2: item NoMimeContent permanent\n"
                  "3: item ErrorUnsupportedMimeConversion permanent\n",
                  "");
}

static void damaged_base64_is_the_failure_of_its_item(void **state)
{
    (void)state;
    static const char *const damaged[] = {"QUJ",      "QUJ!",         "QUJD=",    "QU&#x1A;JD",
                                          "QU\x01JD", "Q\x1AUJDQUJD", "QUJD&amp;"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct buffer answer = {0};
        buffer_append_format(&answer, GET(MIME("AAA", "%s") MIME("BBB", "REVG")), damaged[i]);
        assert_answer(answer.data, 2, 0, "0: item InvalidBase64\n1: 3 bytes\n", NULL);
        buffer_release(&answer);
    }
}

static void a_nul_in_the_mime_content_is_damage(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    static const char answer[] = GET(MIME("AAA", "QU\0JD") MIME("BBB", "REVG"));
    for (size_t piece = 1; piece < 30; piece++) {
        const struct pieces pieces = {.count = 2, .piece = piece};
        struct recorder recorder = read_answer(&parsers, answer, sizeof answer - 1, &pieces);
        assert_string_equal(buffer_string(&recorder.log), "0: item InvalidBase64\n1: 3 bytes\n");
        recorder_release(&recorder);
    }
    ews_parsers_free(&parsers);
}

static void another_items_message_is_not_taken(void **state)
{
    (void)state;
    assert_answer(GET(MIME("BBB", "QUJD") MIME("AAA", "REVG") MIME("ZZZ", "R0hJSg==")), 3, 0,
                  "0: item WrongItem\n1: item WrongItem\n2: 4 bytes\n", NULL);
    assert_answer(GET(MESSAGE("<t:Message><t:MimeContent>QUJD</t:MimeContent></t:Message>"
                              "<t:Message><t:MimeContent>REVG</t:MimeContent></t:Message>")),
                  1, 0, "0: item InvalidBase64\n", NULL);
}

static void items_that_the_server_leaves_out_are_ended(void **state)
{
    (void)state;
    assert_answer(GET(MIME("AAA", "QUJD")), 3, 0,
                  "0: 3 bytes\n1: item NoResponseMessage\n2: item NoResponseMessage\n", NULL);
    assert_answer(GET(""), 1, 0, "0: item NoResponseMessage\n", NULL);
    assert_answer(GET(MIME("AAA", "QUJD") MIME("BBB", "QUJD")), 1, 0,
                  "0: 3 bytes\nUnexpectedMessage mailbox divisible: the server answered more than "
                  "it was asked\n",
                  NULL);
}

static void a_message_that_is_too_large_ends_alone(void **state)
{
    (void)state;
    const char *answer = GET(MIME("AAA", "QUJDREVGR0g=") MIME("BBB", "QUJD"));
    assert_answer(answer, 2, 8, "0: 8 bytes\n1: 3 bytes\n", "ABCDEFGHABC");
    assert_answer(answer, 2, 7, "0: item MessageTooLarge permanent\n1: 3 bytes\n", NULL);
}

static void every_way_to_cut_an_answer_gives_the_same_messages(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    static const char answer[] =
        GET(MIME("AAA", "QUJDREVGR0g=") MIME("BBB", "<![CDATA[QUJDREVG]]>R0g=")
                MIME("CCC", "\r\nQUJD\r\nRE<!-- VGR0 -->VG&#x52;0g&#61;\r\n")
                    ERROR("Error", "ErrorItemNotFound", ""));
    const char *expected = "0: 8 bytes\n1: 8 bytes\n2: 8 bytes\n"
                           "3: item ErrorItemNotFound permanent gone\n";
    for (size_t cut = 1; cut < sizeof answer; cut++) {
        const struct pieces two = {.count = 4, .first = cut, .piece = 100000};
        const struct pieces many = {.count = 4, .piece = cut};
        struct recorder a = read_answer(&parsers, answer, sizeof answer - 1, &two);
        struct recorder b = read_answer(&parsers, answer, sizeof answer - 1, &many);
        assert_string_equal(buffer_string(&a.log), expected);
        assert_string_equal(buffer_string(&b.log), expected);
        assert_string_equal(buffer_string(&a.messages), "ABCDEFGHABCDEFGHABCDEFGH");
        assert_string_equal(buffer_string(&b.messages), "ABCDEFGHABCDEFGHABCDEFGH");
        recorder_release(&a);
        recorder_release(&b);
    }
    ews_parsers_free(&parsers);
}

/* A text that is long enough to go past libxml2, with something in its middle. */
static struct buffer long_answer(const char *middle)
{
    struct buffer text = {0};
    struct buffer answer = {0};
    for (size_t i = 0; i < 300; i++)
        buffer_append_string(&text, i == 150 ? middle : "QUJDREVGR0hJSktM");
    buffer_append_format(&answer, GET(MIME("AAA", "%s") MIME("BBB", "REVG")), text.data);
    buffer_release(&text);
    return answer;
}

static void a_long_text_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    static const struct {
        const char *middle;
        const char *log;
    } cases[] = {
        {"QUJD", "0: 3591 bytes\n1: 3 bytes\n"},
        {"\r\n", "0: 3588 bytes\n1: 3 bytes\n"},
        {"&#xD;\nQUJD", "0: 3591 bytes\n1: 3 bytes\n"},
        {"<![CDATA[QUJD]]>", "0: 3591 bytes\n1: 3 bytes\n"},
        {"<!-- QUJD -->", "0: 3588 bytes\n1: 3 bytes\n"},
        {"<t:Other>QUJD</t:Other>", "0: 3588 bytes\n1: 3 bytes\n"},
        {"&#x1A;", "0: item InvalidBase64\n1: 3 bytes\n"},
        {">", "0: item InvalidBase64\n1: 3 bytes\n"},
        {"-", "0: item InvalidBase64\n1: 3 bytes\n"},
        {"\xC3\xA9", "0: item InvalidBase64\n1: 3 bytes\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer answer = long_answer(cases[i].middle);
        for (size_t piece = 1; piece < 16384; piece += 1 + piece / 5) {
            const struct pieces pieces = {.count = 2, .piece = piece};
            struct recorder recorder = read_answer(&parsers, answer.data, answer.length, &pieces);
            assert_string_equal(buffer_string(&recorder.log), cases[i].log);
            recorder_release(&recorder);
        }
        buffer_release(&answer);
    }
    ews_parsers_free(&parsers);
}

static void a_truncated_answer_never_succeeds(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    for (size_t length = 0; length < sizeof four - 1; length++) {
        for (size_t i = 0; i < 3; i++) {
            const struct pieces pieces = {.count = 4, .piece = (size_t[]){1, 13, 16384}[i]};
            struct recorder recorder = read_answer(&parsers, four, length, &pieces);
            const char *whole = strstr(buffer_string(&recorder.log), "XmlMalformed mailbox");
            assert_non_null(whole);
            assert_non_null(strstr(whole, "divisible"));
            recorder_release(&recorder);
        }
    }
    ews_parsers_free(&parsers);
}

static void nothing_is_told_after_a_cancel(void **state)
{
    (void)state;
    struct ews_parsers parsers = {0};
    for (size_t call = 1; call < 12; call++) {
        for (size_t piece = 1; piece < 16384; piece = piece * 3 + 1) {
            const struct pieces pieces = {.count = 4, .piece = piece, .cancel_at = call};
            struct recorder recorder = read_answer(&parsers, four, sizeof four - 1, &pieces);
            recorder_release(&recorder); /* count_call has watched */
        }
    }
    ews_parsers_free(&parsers);
}

/* A long message, as libxml2 cuts it, in every shape of text that it keeps back. */
static void a_receiver_never_gets_more_than_it_was_asked_for(void **state)
{
    (void)state;
    static const char *const shapes[][2] = {
        {"", ""}, {"<![CDATA[", "]]>"}, {"<!-- comment -->", ""}, {"&#x51;UJD", ""}};
    struct ews_parsers parsers = {0};
    for (size_t shape = 0; shape < 4; shape++) {
        struct buffer answer = {0};
        buffer_append_string(&answer, XML_HEAD SOAP_OPEN "<m:GetItemResponse" EWS_NAMESPACES
                                                         "><m:ResponseMessages>");
        for (size_t item = 0; item < 3; item++) {
            buffer_append_string(&answer, "<m:GetItemResponseMessage ResponseClass=\"Success\">"
                                          "<m:Items><t:Message><t:MimeContent>");
            buffer_append_string(&answer, shapes[shape][0]);
            for (size_t i = 0; i < 100000; i++)
                buffer_append_string(&answer, "QUJD");
            buffer_append_string(&answer, shapes[shape][1]);
            buffer_append_string(&answer, "</t:MimeContent></t:Message></m:Items>"
                                          "</m:GetItemResponseMessage>");
        }
        buffer_append_string(&answer, "</m:ResponseMessages></m:GetItemResponse>" SOAP_CLOSE);
        const struct pieces pieces = {.count = 3, .piece = 16384};
        struct recorder recorder = read_answer(&parsers, answer.data, answer.length, &pieces);
        assert_int_equal(recorder.messages.length, 3 * (300000 + (shape == 3 ? 3 : 0)));
        assert_true(recorder.fed_most <= BACKEND_DATA_MAX);
        recorder_release(&recorder);
        buffer_release(&answer);
    }
    ews_parsers_free(&parsers);
}

static void the_documented_answer_is_read(void **state)
{
    (void)state;
    struct buffer answer = load_file("tests/data/ews/getitem-operation-email-message-3-resp.xml");
    assert_answer(answer.data, 1, 0, "0: item ErrorInvalidPropertyRequest permanent\n", "");
    buffer_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_the_order_of_the_batch),
        cmocka_unit_test(one_bad_item_does_not_spoil_the_others),
        cmocka_unit_test(an_item_without_mime_is_told_as_such),
        cmocka_unit_test(damaged_base64_is_the_failure_of_its_item),
        cmocka_unit_test(a_nul_in_the_mime_content_is_damage),
        cmocka_unit_test(another_items_message_is_not_taken),
        cmocka_unit_test(items_that_the_server_leaves_out_are_ended),
        cmocka_unit_test(a_message_that_is_too_large_ends_alone),
        cmocka_unit_test(every_way_to_cut_an_answer_gives_the_same_messages),
        cmocka_unit_test(a_long_text_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_truncated_answer_never_succeeds),
        cmocka_unit_test(nothing_is_told_after_a_cancel),
        cmocka_unit_test(a_receiver_never_gets_more_than_it_was_asked_for),
        cmocka_unit_test(the_documented_answer_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

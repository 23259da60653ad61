#include "ews_feed.h"

/* --- an answer without items of interest: the failure of the whole is what counts --- */

static void on_message_end(void *argument, size_t index, const struct failure *failure)
{
    (void)index;
    if (failure != NULL)
        *(struct failure *)argument = *failure;
}

static const struct ews_reader reader = {.message_end = on_message_end};

struct asked {
    uint16_t status;
    uint32_t retry_after_ms;
    uint64_t sent_bytes;
    bool items;
    size_t piece;
};

/* The failure of the whole, or else that of the response message. */
static struct failure read_answer(const char *answer, size_t length, const struct asked *asked)
{
    struct ews_parsers parsers = {0};
    struct ews_response response;
    struct failure of_message = {0};
    const struct ews_limits limits = {.total_bytes = 1000000, .text_bytes = 100000};
    ews_response_begin(&response, "GetItem", &reader, &of_message, &limits, 3, asked->items);
    feed_pieces(&response, &parsers, answer, length, 0, asked->piece == 0 ? 16384 : asked->piece);
    const struct ews_exchange exchange = {.status = asked->status,
                                          .retry_after_ms = asked->retry_after_ms,
                                          .sent_bytes = asked->sent_bytes};
    struct failure failure = ews_response_finish(&response, &exchange);
    ews_response_release(&response, &parsers);
    ews_parsers_free(&parsers);
    return failure_is_set(&failure) ? failure : of_message;
}

static struct failure read_items(const char *answer, uint16_t status)
{
    const struct asked asked = {.status = status, .items = true};
    return read_answer(answer, strlen(answer), &asked);
}

static struct failure read_mailbox(const char *answer, uint16_t status)
{
    const struct asked asked = {.status = status};
    return read_answer(answer, strlen(answer), &asked);
}

/* --- faults --- */

#define ERRORS       "http://schemas.microsoft.com/exchange/services/2006/errors"
#define TYPES        "http://schemas.microsoft.com/exchange/services/2006/types"
#define DENIED_WORDS "The account does not have permission to impersonate the requested user."

/* As Exchange sends it. */
static const char denied[] = XML_HEAD
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
    "<s:Fault><faultcode xmlns:a=\"" TYPES "\">a:ErrorImpersonateUserDenied</faultcode>\n"
    "<faultstring xml:lang=\"en-US\">" DENIED_WORDS "</faultstring>\n"
    "<detail><e:ResponseCode xmlns:e=\"" ERRORS "\">ErrorImpersonateUserDenied</e:ResponseCode>\n"
    "<e:Message xmlns:e=\"" ERRORS "\">" DENIED_WORDS "</e:Message></detail></s:Fault>"
    "</s:Body></s:Envelope>";

static void a_refused_impersonation_is_known_exactly(void **state)
{
    (void)state;
    static const uint16_t statuses[] = {200, 403, 500, 503};
    for (size_t i = 0; i < 4; i++) {
        struct failure failure = read_items(denied, statuses[i]);
        assert_int_equal(failure.category, FAILURE_IMPERSONATION);
        assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
        assert_true(failure.permanent);
        assert_false(failure.divisible);
        assert_int_equal(failure.http_status, statuses[i]);
        assert_string_equal(failure.code, "ErrorImpersonateUserDenied");
        assert_string_equal(failure.step, "GetItem");
        assert_string_equal(failure.text, DENIED_WORDS);
        assert_non_null(strstr(failure.remedy, "ApplicationImpersonation"));
        assert_non_null(strstr(failure.remedy, "exsyncd tests again by itself."));
    }
}

static void a_fault_is_read_in_every_form(void **state)
{
    (void)state;
    static const char *const forms[] = {
        /* no detail */
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body><S:Fault>"
        "<faultcode>q:ErrorServerBusy</faultcode><faultstring>busy</faultstring></S:Fault></S:Body>"
        "</S:Envelope>",
        /* detail first, code without a prefix, strange order, unknown elements */
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">"
        "<SOAP-ENV:Body><SOAP-ENV:Fault><detail><other/><Message xmlns=\"" ERRORS
        "\">busy</Message><x:ResponseCode xmlns:x=\"" ERRORS "\"> ErrorServerBusy </x:ResponseCode>"
        "</detail><faultactor>x</faultactor><faultstring>less</faultstring>"
        "<faultcode>SOAP-ENV:Server</faultcode></SOAP-ENV:Fault></SOAP-ENV:Body>"
        "</SOAP-ENV:Envelope>",
        /* SOAP's namespace as the default one, also for the parts */
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><Fault>"
        "<faultcode>ErrorServerBusy</faultcode><faultstring>\n busy\n</faultstring></Fault></Body>"
        "</Envelope>",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        for (size_t piece = 1; piece < 20; piece++) {
            const struct asked asked = {.status = 500, .piece = piece};
            struct failure failure = read_answer(forms[i], strlen(forms[i]), &asked);
            assert_string_equal(failure.code, "ErrorServerBusy");
            assert_string_equal(failure.text, "busy");
            assert_int_equal(failure.category, FAILURE_THROTTLING);
        }
    }
}

static void a_truncated_fault_is_a_failure_all_the_same(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof denied - 1; length++) {
        for (size_t piece = 1; piece < 20000; piece = piece == 1 ? 16384 : 20000) {
            const struct asked asked = {.status = 200, .piece = piece};
            struct failure failure = read_answer(denied, length, &asked);
            assert_true(failure_is_set(&failure));
            assert_true(failure.category == FAILURE_PROTOCOL ||
                        failure.category == FAILURE_IMPERSONATION);
        }
    }
}

static void a_fault_without_a_known_code_is_transient(void **state)
{
    (void)state;
    struct failure failure = read_items(
        XML_HEAD SOAP_OPEN "<s:Fault><faultcode>s:Server</faultcode>"
                           "<faultstring>Out of cheese</faultstring></s:Fault>" SOAP_CLOSE,
        500);
    assert_string_equal(failure.code, "Server");
    assert_string_equal(failure.text, "Out of cheese");
    assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_false(failure.permanent);
    assert_true(failure.divisible);
    failure = read_items(XML_HEAD SOAP_OPEN "<s:Fault/>" SOAP_CLOSE, 200);
    assert_string_equal(failure.code, "NoResponseCode");
    assert_true(failure_is_set(&failure));
    failure = read_items(
        XML_HEAD SOAP_OPEN "<s:Fault><faultcode>NoError</faultcode></s:Fault>" SOAP_CLOSE, 200);
    assert_true(failure_is_set(&failure));
}

/* --- waiting as long as the server asks --- */

#define BUSY_FAULT(more)                                                                          \
    XML_HEAD SOAP_OPEN "<s:Fault><faultcode>x</faultcode><faultstring>busy</faultstring><detail>" \
                       "<e:ResponseCode xmlns:e=\"" ERRORS                                        \
                       "\">ErrorServerBusy</e:ResponseCode>" more "</detail></s:Fault>" SOAP_CLOSE
#define XML_VALUE(name, value)                                                 \
    "<t:MessageXml xmlns:t=\"" TYPES "\"><t:Value Name=\"Other\">77</t:Value>" \
    "<t:Value Name=\"" name "\">" value "</t:Value><t:Value>88</t:Value></t:MessageXml>"

static uint32_t back_off_of(const char *answer, uint32_t retry_after_ms)
{
    const struct asked asked = {.status = 200, .retry_after_ms = retry_after_ms};
    return read_answer(answer, strlen(answer), &asked).retry_after_ms;
}

static void the_server_says_how_long_to_wait(void **state)
{
    (void)state;
#define OF(value) BUSY_FAULT(XML_VALUE("BackOffMilliseconds", value))
    assert_int_equal(back_off_of(OF("297749"), 0), 297749);
    assert_int_equal(back_off_of(OF(" 1500 "), 0), 1500);
    assert_int_equal(back_off_of(OF("1500.7"), 0), 1500);
    /* Nobody but a person takes a mailbox out of service for longer than a day. */
    assert_int_equal(back_off_of(OF("86400000"), 0), 86400000);
    assert_int_equal(back_off_of(OF("4294967295"), 0), 86400000);
    assert_int_equal(back_off_of(OF("99999999999999999999999"), 0), 86400000);
    assert_int_equal(back_off_of(OF("99999999999999999999999x"), 0), 0);
    assert_int_equal(back_off_of(OF("-5"), 0), 0);
    assert_int_equal(back_off_of(OF("soon"), 0), 0);
    assert_int_equal(back_off_of(OF(""), 0), 0);
    assert_int_equal(back_off_of(BUSY_FAULT(XML_VALUE("Something", "5")), 0), 0);
    assert_int_equal(back_off_of(OF("1500"), 30000), 30000);
    assert_int_equal(back_off_of(OF("60000"), 30000), 60000);
    assert_int_equal(back_off_of("nothing of XML", 30000), 30000);
    assert_int_equal(
        back_off_of(ANSWER("GetItem",
                           "<m:GetItemResponseMessage ResponseClass=\"Error\">"
                           "<m:ResponseCode>ErrorServerBusy</m:ResponseCode>" XML_VALUE(
                               "BackOffMilliseconds", "4321") "</m:GetItemResponseMessage>"),
                    0),
        4321);
}

/* --- encodings --- */

static void the_encoding_that_an_answer_names_is_not_heeded(void **state)
{
    (void)state;
    static const char *const names[] = {"utf-8", "us-ascii", "ISO-2022-KR", "UTF-16", "nonsense"};
    static const char fault[] = "<?xml version=\"1.0\" encoding=\"%s\"?>" SOAP_OPEN
                                "<s:Fault><faultcode>a:ErrorServerBusy</faultcode>"
                                "<faultstring>%s</faultstring></s:Fault>" SOAP_CLOSE;
    struct buffer answer = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        buffer_clear(&answer);
        buffer_append_format(&answer, fault, names[i], "gr\xc3\xbc\xc3\x9f");
        struct failure failure = read_mailbox(answer.data, 200);
        assert_string_equal(failure.code, "ErrorServerBusy");
        assert_string_equal(failure.text, "gr\xc3\xbc\xc3\x9f");
    }
    buffer_clear(&answer);
    buffer_append_format(&answer, fault, "iso-8859-1", "gr\xfc\xdf");
    assert_string_equal(read_mailbox(answer.data, 200).code, "XmlMalformed");
    buffer_release(&answer);
}

/* --- response messages --- */

#define MESSAGE(class, code)                                                          \
    ANSWER("GetItem",                                                                 \
           "<m:GetItemResponseMessage " class "><m:MessageText>words</m:MessageText>" \
                                              "<m:ResponseCode>" code                 \
                                              "</m:ResponseCode></m:GetItemResponseMessage>")

static void a_code_says_more_than_a_class(void **state)
{
    (void)state;
    struct failure failure = read_items(MESSAGE("ResponseClass=\"Success\"", "NoError"), 200);
    assert_false(failure_is_set(&failure));
    failure = read_items(MESSAGE("ResponseClass=\"Warning\"", "NoError"), 200);
    assert_false(failure_is_set(&failure));
    failure = read_items(MESSAGE("ResponseClass=\"Success\"", ""), 200);
    assert_false(failure_is_set(&failure));
    failure = read_items(MESSAGE("", "NoError"), 200);
    assert_false(failure_is_set(&failure));

    failure = read_items(MESSAGE("ResponseClass=\"Success\"", "ErrorServerBusy"), 200);
    assert_string_equal(failure.code, "ErrorServerBusy");
    failure = read_items(MESSAGE("ResponseClass=\"Error\"", "NoError"), 200);
    assert_string_equal(failure.code, "NoResponseCode");
    assert_string_equal(failure.text, "words");
    failure = read_items(MESSAGE("", ""), 200);
    assert_string_equal(failure.code, "NoResponseCode");
    failure = read_items(MESSAGE("ResponseClass=\"Warning\"", "ErrorQuiteNew"), 200);
    assert_string_equal(failure.code, "ErrorQuiteNew");
    assert_int_equal(failure.scope, FAILURE_SCOPE_ITEM);
    assert_false(failure.permanent);
}

static void words_from_outside_become_one_clean_line(void **state)
{
    (void)state;
    struct failure failure = read_items(
        ANSWER("GetItem", "<m:GetItemResponseMessage ResponseClass=\"Error\">"
                          "<m:MessageText>\n  one\r\n\ttwo&#x1B;[31m&#x7F; </m:MessageText>"
                          "<m:ResponseCode>Error&#xA;Evil</m:ResponseCode>"
                          "</m:GetItemResponseMessage>"),
        200);
    assert_null(strpbrk(failure.text, "\r\n\t\x1b\x7f"));
    assert_null(strpbrk(failure.code, "\r\n"));
    assert_string_equal(failure.text, "one  two[31m ");
}

static void codes_reach_as_far_as_their_place_says(void **state)
{
    (void)state;
    struct failure failure =
        read_items(MESSAGE("ResponseClass=\"Error\"", "ErrorItemNotFound"), 200);
    assert_int_equal(failure.scope, FAILURE_SCOPE_ITEM);
    assert_true(failure.gone);
    failure = read_mailbox(MESSAGE("ResponseClass=\"Error\"", "ErrorItemNotFound"), 200);
    assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_false(failure.gone || failure.divisible);
    failure = read_items(XML_HEAD SOAP_OPEN "<s:Fault><faultcode>ErrorItemCorrupt</faultcode>"
                                            "</s:Fault>" SOAP_CLOSE,
                         500);
    assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_true(failure.divisible);
}

/* --- without a fault the status decides --- */

static void statuses_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        uint16_t status;
        enum failure_category category;
        enum failure_scope scope;
        bool permanent;
        bool divisible;
    } expected[] = {
        {204, FAILURE_PROTOCOL, FAILURE_SCOPE_MAILBOX, false, true},
        {301, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, true, false},
        {302, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, false, false},
        {307, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, false, false},
        {308, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, true, false},
        {399, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, false, false},
        {401, FAILURE_AUTHENTICATION, FAILURE_SCOPE_PROFILE, true, false},
        {403, FAILURE_AUTHORIZATION, FAILURE_SCOPE_MAILBOX, true, false},
        {404, FAILURE_CONFIGURATION, FAILURE_SCOPE_PROFILE, true, false},
        {413, FAILURE_ITEM, FAILURE_SCOPE_MAILBOX, true, true},
        {418, FAILURE_PROTOCOL, FAILURE_SCOPE_MAILBOX, false, true},
        {429, FAILURE_THROTTLING, FAILURE_SCOPE_MAILBOX, false, false},
        {451, FAILURE_MAILBOX, FAILURE_SCOPE_MAILBOX, true, false},
        {500, FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, false, true},
        {502, FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, false, true},
        {503, FAILURE_THROTTLING, FAILURE_SCOPE_MAILBOX, false, false},
        {504, FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, false, true},
        {599, FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, false, true},
    };
    static const char *const bodies[] = {"", "<html><body>Sorry<br></body></html>", denied + 200};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        for (size_t body = 0; body < 3; body++) {
            struct failure failure = read_items(bodies[body], expected[i].status);
            char code[16];
            snprintf(code, sizeof code, "HTTP %u", expected[i].status);
            assert_string_equal(failure.code, code);
            assert_int_equal(failure.category, expected[i].category);
            assert_int_equal(failure.scope, expected[i].scope);
            assert_int_equal(failure.permanent, expected[i].permanent);
            assert_int_equal(failure.divisible, expected[i].divisible);
            assert_int_equal(failure.http_status, expected[i].status);
            assert_true(strlen(failure.sentence) > 0);
        }
        assert_false(read_mailbox("", expected[i].status).divisible);
    }
}

static void a_large_request_may_be_what_is_refused(void **state)
{
    (void)state;
    static const uint16_t statuses[] = {404, 413};
    for (size_t i = 0; i < 2; i++) {
        const struct asked large = {.status = statuses[i], .sent_bytes = 2000000, .items = true};
        struct failure failure = read_answer("", 0, &large);
        assert_int_equal(failure.category, FAILURE_ITEM);
        assert_true(failure.divisible);
    }
}

static void a_status_with_a_good_body_is_a_failure(void **state)
{
    (void)state;
    struct failure failure = read_items(MESSAGE("ResponseClass=\"Success\"", "NoError"), 500);
    assert_string_equal(failure.code, "HTTP 500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_impersonation_is_known_exactly),
        cmocka_unit_test(a_fault_is_read_in_every_form),
        cmocka_unit_test(a_truncated_fault_is_a_failure_all_the_same),
        cmocka_unit_test(a_fault_without_a_known_code_is_transient),
        cmocka_unit_test(the_server_says_how_long_to_wait),
        cmocka_unit_test(the_encoding_that_an_answer_names_is_not_heeded),
        cmocka_unit_test(a_code_says_more_than_a_class),
        cmocka_unit_test(words_from_outside_become_one_clean_line),
        cmocka_unit_test(codes_reach_as_far_as_their_place_says),
        cmocka_unit_test(statuses_are_told_apart),
        cmocka_unit_test(a_large_request_may_be_what_is_refused),
        cmocka_unit_test(a_status_with_a_good_body_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

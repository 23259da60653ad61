#include "ews/response_codes.h"

#include "base/buffer.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- the schema's list --- */

static xmlNode *child_named(xmlNode *parent, const char *element, const char *name)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, element) != 0)
            continue;
        xmlChar *value = xmlGetProp(node, BAD_CAST "name");
        bool found = name == NULL || (value != NULL && strcmp((const char *)value, name) == 0);
        xmlFree(value);
        if (found)
            return node;
    }
    return NULL;
}

static bool in_table(const char *name)
{
    size_t count;
    const struct response_code *codes = response_code_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(codes[i].name, name) == 0)
            return true;
    }
    return false;
}

static void every_code_of_the_schema_has_its_line(void **state)
{
    (void)state;
    xmlDoc *schema = xmlReadFile("tests/schema/messages.xsd", NULL, XML_PARSE_NONET);
    assert_non_null(schema);
    xmlNode *type = child_named(xmlDocGetRootElement(schema), "simpleType", "ResponseCodeType");
    assert_non_null(type);
    xmlNode *restriction = child_named(type, "restriction", NULL);
    assert_non_null(restriction);
    size_t listed = 0;
    for (xmlNode *node = restriction->children; node != NULL; node = node->next) {
        xmlChar *value = node->type == XML_ELEMENT_NODE ? xmlGetProp(node, BAD_CAST "value") : NULL;
        if (value == NULL)
            continue;
        listed++;
        if (!in_table((const char *)value))
            fail_msg("%s is not in the table", (const char *)value);
        xmlFree(value);
    }
    xmlFreeDoc(schema);
    size_t count;
    response_code_table(&count);
    assert_true(listed > 500);
    assert_int_equal(listed, count);
}

static void the_table_is_sorted_so_that_it_can_be_searched(void **state)
{
    (void)state;
    size_t count;
    const struct response_code *codes = response_code_table(&count);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(codes[i - 1].name, codes[i].name) < 0);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static void every_line_is_complete(void **state)
{
    (void)state;
    size_t count;
    const struct response_code *codes = response_code_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct response_meaning *meaning = codes[i].meaning;
        if (strcmp(codes[i].name, "NoError") == 0)
            continue;
        assert_true(strlen(codes[i].name) < FAILURE_CODE_SIZE);
        assert_int_not_equal(meaning->category, FAILURE_NONE);
        assert_int_not_equal(meaning->scope, FAILURE_SCOPE_NONE);
        assert_true(ends_with(meaning->sentence, "."));
        assert_non_null(meaning->remedy);
        assert_true(meaning->remedy[0] == '\0' || ends_with(meaning->remedy, "."));
        /* What stops a mailbox or a profile says how it goes on. */
        if (meaning->permanent && meaning->scope != FAILURE_SCOPE_ITEM)
            assert_true(ends_with(meaning->remedy, "exsyncd tests again by itself."));
        assert_false(meaning->permanent && meaning->category == FAILURE_THROTTLING);
        if (meaning->gone)
            assert_int_equal(meaning->scope, FAILURE_SCOPE_ITEM);
    }
}

static void faults_of_account_and_mailbox_are_never_divided(void **state)
{
    (void)state;
    size_t count;
    const struct response_code *codes = response_code_table(&count);
    for (size_t i = 0; i < count; i++) {
        struct failure failure = response_code_failure("GetItem", codes[i].name, RESPONSE_OF_ITEMS);
        assert_int_not_equal(failure.scope, FAILURE_SCOPE_ITEM);
        assert_false(failure.gone);
        switch (failure.category) {
        case FAILURE_IMPERSONATION:
        case FAILURE_AUTHENTICATION:
        case FAILURE_MAILBOX:
            assert_false(failure.divisible);
            break;
        case FAILURE_ITEM:
            assert_true(failure.divisible);
            break;
        default:
            break;
        }
        assert_false(
            response_code_failure("FindItem", codes[i].name, RESPONSE_OF_MAILBOX).divisible);
    }
}

static void assert_meaning(const char *code, enum failure_category category,
                           enum failure_scope scope, bool permanent)
{
    struct failure failure = response_code_failure("GetItem", code, RESPONSE_OF_ITEM);
    if (failure.category != category || failure.scope != scope || failure.permanent != permanent)
        fail_msg("%s is %s %s %d", code, failure_category_name(failure.category),
                 failure_scope_name(failure.scope), failure.permanent);
    assert_string_equal(failure.code, code);
}

static void the_codes_that_decide_most_are_what_they_should_be(void **state)
{
    (void)state;
    const enum failure_scope item = FAILURE_SCOPE_ITEM, mailbox = FAILURE_SCOPE_MAILBOX,
                             profile = FAILURE_SCOPE_PROFILE;
    assert_meaning("ErrorImpersonateUserDenied", FAILURE_IMPERSONATION, mailbox, true);
    assert_meaning("ErrorImpersonationDenied", FAILURE_IMPERSONATION, profile, true);
    assert_meaning("ErrorImpersonationFailed", FAILURE_IMPERSONATION, mailbox, false);
    assert_meaning("ErrorNonExistentMailbox", FAILURE_MAILBOX, mailbox, true);
    assert_meaning("ErrorCannotFindUser", FAILURE_MAILBOX, mailbox, true);
    assert_meaning("ErrorPasswordExpired", FAILURE_AUTHENTICATION, profile, true);
    assert_meaning("ErrorAccountDisabled", FAILURE_MAILBOX, mailbox, true);
    assert_meaning("ErrorAccessDenied", FAILURE_AUTHORIZATION, mailbox, true);
    assert_meaning("ErrorServerBusy", FAILURE_THROTTLING, mailbox, false);
    assert_meaning("ErrorExceededConnectionCount", FAILURE_THROTTLING, mailbox, false);
    assert_meaning("ErrorTooManyObjectsOpened", FAILURE_THROTTLING, mailbox, false);
    assert_meaning("ErrorTimeoutExpired", FAILURE_SERVER, mailbox, false);
    assert_meaning("ErrorInternalServerError", FAILURE_SERVER, mailbox, false);
    assert_meaning("ErrorInternalServerTransientError", FAILURE_SERVER, mailbox, false);
    assert_meaning("ErrorMailboxStoreUnavailable", FAILURE_MAILBOX, mailbox, false);
    assert_meaning("ErrorMailboxMoveInProgress", FAILURE_MAILBOX, mailbox, false);
    assert_meaning("ErrorQuotaExceeded", FAILURE_MAILBOX, mailbox, true);
    assert_meaning("ErrorFolderNotFound", FAILURE_CONFIGURATION, mailbox, true);
    assert_meaning("ErrorInvalidServerVersion", FAILURE_CONFIGURATION, profile, true);
    assert_meaning("ErrorSchemaValidation", FAILURE_PROTOCOL, item, true);
    assert_meaning("ErrorItemNotFound", FAILURE_ITEM, item, true);
    assert_meaning("ErrorUnsupportedMimeConversion", FAILURE_ITEM, item, true);
    assert_meaning("ErrorCorruptData", FAILURE_ITEM, item, true);
    assert_meaning("ErrorIrresolvableConflict", FAILURE_ITEM, item, false);
    assert_meaning("ErrorBatchProcessingStopped", FAILURE_ITEM, item, false);
    assert_meaning("ErrorSendAsDenied", FAILURE_AUTHORIZATION, item, true);
    assert_meaning("ErrorSubmissionQuotaExceeded", FAILURE_THROTTLING, mailbox, false);
}

static struct failure said(const char *code)
{
    return response_code_failure("SendItem", code, RESPONSE_OF_ITEM);
}

static void a_refusal_promises_that_nothing_was_done_and_a_breakdown_does_not(void **state)
{
    (void)state;
    static const char *const refusals[] = {
        "ErrorImpersonateUserDenied", "ErrorAccessDenied",       "ErrorServerBusy",
        "ErrorSchemaValidation",      "ErrorSendAsDenied",       "ErrorMessageSizeExceeded",
        "ErrorInvalidRecipients",     "ErrorQuotaExceeded",      "ErrorExceededMessageLimit",
        "ErrorMimeContentInvalid",    "ErrorNonExistentMailbox", "ErrorItemNotFound",
        "ErrorBatchProcessingStopped"};
    static const char *const breakdowns[] = {"ErrorTimeoutExpired",
                                             "ErrorInternalServerError",
                                             "ErrorInternalServerTransientError",
                                             "ErrorStaleObject",
                                             "ErrorItemSave",
                                             "ErrorNobodyKnows",
                                             "",
                                             "NoError",
                                             "ErrorMailboxStoreUnavailable"};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct failure failure = said(refusals[i]);
        if (!response_promises_nothing_done(&failure))
            fail_msg("%s", refusals[i]);
    }
    for (size_t i = 0; i < sizeof breakdowns / sizeof breakdowns[0]; i++) {
        const struct failure failure = said(breakdowns[i]);
        if (response_promises_nothing_done(&failure))
            fail_msg("%s", breakdowns[i]);
    }
    for (uint16_t status = 200; status < 600; status++) {
        static const uint16_t promises[] = {401, 403, 404, 413, 429};
        static const uint16_t doubts[] = {200, 202, 303, 408, 418, 500, 502, 503, 504, 599};
        const struct failure failure =
            response_status_failure("SendItem", status, 2 << 20, 0, RESPONSE_OF_ITEMS);
        for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++)
            assert_true(status != promises[i] || response_promises_nothing_done(&failure));
        for (size_t i = 0; i < sizeof doubts / sizeof doubts[0]; i++)
            assert_true(status != doubts[i] || !response_promises_nothing_done(&failure));
    }
    const struct failure unreadable =
        response_protocol_failure("SendItem", "XmlMalformed", "", RESPONSE_OF_ITEMS);
    assert_false(response_promises_nothing_done(&unreadable));
}

static void a_server_that_cannot_send_drafts_is_known_by_its_words(void **state)
{
    (void)state;
    static const char *const codes[] = {"ErrorInvalidRequest", "ErrorInvalidOperation"};
    static const char *const others[] = {"ErrorServerBusy", "ErrorStaleObject", "ErrorSendAsDenied",
                                         "ErrorInternalServerError", "ErrorNobodyKnows"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const struct failure failure = said(codes[i]);
        assert_true(response_is_unsupported(&failure));
        assert_true(response_promises_nothing_done(&failure));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct failure failure = said(others[i]);
        assert_false(response_is_unsupported(&failure));
    }
    const struct failure not_implemented =
        response_status_failure("SendItem", 501, 0, 0, RESPONSE_OF_ITEMS);
    assert_true(response_is_unsupported(&not_implemented));
}

static void only_a_missing_item_is_taken_for_one(void **state)
{
    (void)state;
    const struct failure missing = said("ErrorItemNotFound");
    const struct failure deleted = said("ErrorVirusMessageDeleted");
    assert_true(response_is_item_missing(&missing));
    assert_true(deleted.gone && !response_is_item_missing(&deleted));
}

static void an_unknown_code_is_transient_and_named(void **state)
{
    (void)state;
    assert_meaning("ErrorOfNextYear", FAILURE_SERVER, FAILURE_SCOPE_ITEM, false);
    struct failure failure = response_code_failure("FindItem", "", RESPONSE_OF_MAILBOX);
    assert_string_equal(failure.code, "NoResponseCode");
    assert_int_equal(failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_false(failure.permanent);
}

static void only_the_folder_that_exists_is_taken_for_one(void **state)
{
    (void)state;
    struct failure exists = response_code_failure("x", "ErrorFolderExists", RESPONSE_OF_MAILBOX);
    struct failure other = response_code_failure("x", "ErrorFolderSave", RESPONSE_OF_MAILBOX);
    assert_true(response_folder_exists(&exists));
    assert_false(response_folder_exists(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_schema_has_its_line),
        cmocka_unit_test(the_table_is_sorted_so_that_it_can_be_searched),
        cmocka_unit_test(every_line_is_complete),
        cmocka_unit_test(faults_of_account_and_mailbox_are_never_divided),
        cmocka_unit_test(the_codes_that_decide_most_are_what_they_should_be),
        cmocka_unit_test(a_refusal_promises_that_nothing_was_done_and_a_breakdown_does_not),
        cmocka_unit_test(a_server_that_cannot_send_drafts_is_known_by_its_words),
        cmocka_unit_test(only_a_missing_item_is_taken_for_one),
        cmocka_unit_test(an_unknown_code_is_transient_and_named),
        cmocka_unit_test(only_the_folder_that_exists_is_taken_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

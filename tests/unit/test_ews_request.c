#include "ews/ews_request.h"

#include "ews_schema.h"
#include "ews_supply.h"

static const char *const references[] = {
    "AAMkAGE+/= CQAAABYAAAA=",
    "AAA&\"<>' C&\"<>'",
    "NoChangeKey",
    "",
};

/* Writes each request that there is, one after the other; false behind the last. */
static bool write_request(unsigned number, struct buffer *body, const struct ews_sender *sender,
                          const char *folder)
{
    buffer_clear(body);
    switch (number) {
    case 0:
        ews_request_find_item(body, sender, folder, 250, 1000);
        return true;
    case 1:
        ews_request_get_item(body, sender, references, 4);
        return true;
    case 2:
        ews_request_mark_read(body, sender, references, 4);
        return true;
    case 3:
        ews_request_move(body, sender, folder, references, 4);
        return true;
    case 4:
        ews_request_delete(body, sender, false, references, 4);
        return true;
    case 5:
        ews_request_delete(body, sender, true, references, 4);
        return true;
    case 6:
        ews_request_get_folder(body, sender, folder);
        return true;
    case 7:
        ews_request_find_folder(body, sender, folder, 0, 500);
        return true;
    case 8:
        ews_request_create_folder(body, sender, folder, "\xc3\x84rger & <Co>");
        return true;
    case 9:
        ews_request_send_item(body, sender, references, 4);
        return true;
    case 10:
        ews_request_look(body, sender, references, 4);
        return true;
    case 11:
        ews_request_search(body, sender, references, 1, 0, 500);
        return true;
    case 12:
        ews_request_search(body, sender, references, 4, 500, 500);
        return true;
    default:
        return false;
    }
}

static void every_request_is_valid_in_every_setting(void **state)
{
    static const char *const folders[] = {":inbox", ":msgfolderroot", "AAMk&\"<>"};
    static const char *const identities[] = {NULL, "S-1-5-21-1-2-3-500", "o'neill@example.com"};
    struct buffer body = {0};
    for (unsigned setting = 0; setting < 8; setting++) {
        const struct ews_settings settings = {
            .impersonation = setting < 4, .connecting_sid = (enum ews_connecting_sid)(setting % 4)};
        for (size_t i = 0; i < 3; i++) {
            const struct backend_mailbox mailbox = {.address = "ann@example.com",
                                                    .identity = identities[i]};
            const struct ews_sender sender = {.settings = &settings, .mailbox = &mailbox};
            for (unsigned number = 0; write_request(number, &body, &sender, folders[i]); number++)
                assert_valid(*state, &body);
        }
    }
    buffer_release(&body);
}

static void every_well_known_folder_is_valid(void **state)
{
    static const char *const folders[] = {":inbox",        ":sentitems", ":drafts",
                                          ":deleteditems", ":junkemail", ":outbox"};
    const struct ews_settings settings = {.impersonation = true};
    const struct backend_mailbox mailbox = {.address = "ann@example.com"};
    const struct ews_sender sender = {.settings = &settings, .mailbox = &mailbox};
    struct buffer body = {0};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        buffer_clear(&body);
        ews_request_get_folder(&body, &sender, folders[i]);
        assert_valid(*state, &body);
    }
    buffer_release(&body);
}

/* --- what they say --- */

static void write_with(struct buffer *body, unsigned number, const struct ews_settings *settings,
                       const char *identity)
{
    const struct backend_mailbox mailbox = {.address = "ann@example.com", .identity = identity};
    const struct ews_sender sender = {.settings = settings, .mailbox = &mailbox};
    assert_true(write_request(number, body, &sender, ":inbox"));
}

static void the_mailbox_is_impersonated_by_the_name_that_is_configured(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "<t:PrimarySmtpAddress>ann@example.com</t:PrimarySmtpAddress>",
        "<t:SmtpAddress>ann@example.com</t:SmtpAddress>",
        "<t:PrincipalName>ann@example.com</t:PrincipalName>",
        "<t:SID>S-1-5</t:SID>",
    };
    struct buffer body = {0};
    for (unsigned i = 0; i < 4; i++) {
        const struct ews_settings settings = {.impersonation = true,
                                              .connecting_sid = (enum ews_connecting_sid)i};
        write_with(&body, 0, &settings, i == EWS_SID_SID ? "S-1-5" : NULL);
        assert_has(&body, "<t:RequestServerVersion Version=\"Exchange2013_SP1\"/>");
        assert_has(&body, expected[i]);
        assert_null(strstr(body.data, "t:Mailbox"));
    }
    buffer_release(&body);
}

static void without_impersonation_the_folder_says_whose_it_is(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = false};
    struct buffer body = {0};
    write_with(&body, 0, &settings, NULL);
    assert_null(strstr(body.data, "ExchangeImpersonation"));
    assert_has(&body, "<t:DistinguishedFolderId Id=\"inbox\"><t:Mailbox>"
                      "<t:EmailAddress>ann@example.com</t:EmailAddress></t:Mailbox>");
    buffer_release(&body);
}

static void the_own_mailbox_of_the_account_is_asked_for_without_a_name(void **state)
{
    struct buffer body = {0};
    for (unsigned i = 0; i < 2; i++) {
        const struct ews_settings settings = {.impersonation = i == 0};
        const struct backend_mailbox own = {0};
        const struct ews_sender sender = {.settings = &settings, .mailbox = &own};
        for (unsigned number = 0; write_request(number, &body, &sender, ":inbox"); number++) {
            assert_valid(*state, &body);
            assert_null(strstr(body.data, "ExchangeImpersonation"));
            assert_null(strstr(body.data, "t:Mailbox"));
        }
    }
    buffer_release(&body);
}

static void nothing_is_sent_because_of_a_change(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = true};
    struct buffer body = {0};
    for (unsigned number = 2; number <= 5; number++) {
        write_with(&body, number, &settings, NULL);
        if (number == 3) /* a move reads nothing */
            continue;
        assert_has(&body, "SuppressReadReceipts=\"true\"");
        assert_has(&body, "=\"SendToNone\"");
    }
    write_with(&body, 2, &settings, NULL);
    assert_has(&body, "ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"");
    assert_has(&body, "<t:IsRead>true</t:IsRead>");
    write_with(&body, 4, &settings, NULL);
    assert_has(&body, "DeleteType=\"MoveToDeletedItems\"");
    write_with(&body, 5, &settings, NULL);
    assert_has(&body, "DeleteType=\"HardDelete\"");
    buffer_release(&body);
}

static void references_are_taken_apart(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = true};
    struct buffer body = {0};
    write_with(&body, 2, &settings, NULL);
    assert_has(&body, "<t:ItemId Id=\"AAMkAGE+/=\" ChangeKey=\"CQAAABYAAAA=\"/>");
    assert_has(&body, "<t:ItemId Id=\"NoChangeKey\"/>");
    write_with(&body, 1, &settings, NULL);
    assert_has(&body, "<t:ItemId Id=\"AAMkAGE+/=\"/>");
    assert_null(strstr(body.data, "ChangeKey="));
    assert_has(&body, "<t:IncludeMimeContent>true</t:IncludeMimeContent>");
    buffer_release(&body);
}

static void pages_are_asked_for_from_the_newest_item(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = true};
    const struct backend_mailbox mailbox = {.address = "ann@example.com"};
    const struct ews_sender sender = {.settings = &settings, .mailbox = &mailbox};
    struct buffer body = {0};
    ews_request_find_item(&body, &sender, ":inbox", 7, 25);
    assert_has(&body, "MaxEntriesReturned=\"25\" Offset=\"7\" BasePoint=\"Beginning\"");
    assert_has(&body, "<t:FieldOrder Order=\"Descending\"><t:FieldURI "
                      "FieldURI=\"item:DateTimeReceived\"/></t:FieldOrder>");
    assert_has(&body, "<t:ExtendedFieldURI PropertyTag=\"0x300B\" PropertyType=\"Binary\"/>");
    assert_null(strstr(body.data, "Restriction"));
    buffer_clear(&body);
    ews_request_find_item(&body, &sender, ":inbox", INT64_MAX, UINT32_MAX);
    assert_has(&body, "MaxEntriesReturned=\"2147483647\" Offset=\"2147483647\"");
    buffer_release(&body);
}

static void a_draft_is_sent_as_the_version_that_is_known(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = true};
    struct buffer body = {0};
    write_with(&body, 9, &settings, NULL);
    assert_has(&body, "<m:SendItem SaveItemToFolder=\"true\">");
    assert_has(&body, "<t:ItemId Id=\"AAMkAGE+/=\" ChangeKey=\"CQAAABYAAAA=\"/>");
    assert_has(&body, "<m:SavedItemFolderId><t:DistinguishedFolderId Id=\"sentitems\"/>");
    buffer_release(&body);
}

#define SUBMISSION_FIELD                                                \
    "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" " \
    "PropertyName=\"exsyncd-submission-id\" PropertyType=\"String\"/>"

static void submissions_are_searched_for_on_their_way(void **state)
{
    (void)state;
    const struct ews_settings settings = {.impersonation = true};
    struct buffer body = {0};
    write_with(&body, 11, &settings, NULL);
    assert_has(&body, "<m:Restriction><t:IsEqualTo>" SUBMISSION_FIELD "<t:FieldURIOrConstant>"
                      "<t:Constant Value=\"AAMkAGE+/= CQAAABYAAAA=\"/>");
    assert_has(&body, "<t:FieldURI FieldURI=\"item:IsSubmitted\"/>" SUBMISSION_FIELD);
    assert_has(&body, "<t:DistinguishedFolderId Id=\"drafts\"/><t:DistinguishedFolderId "
                      "Id=\"outbox\"/><t:DistinguishedFolderId Id=\"sentitems\"/>");
    write_with(&body, 12, &settings, NULL);
    assert_has(&body, "<m:Restriction><t:Or><t:IsEqualTo>");
    assert_has(&body, "Offset=\"500\"");
    buffer_release(&body);
}

/* --- the request for new messages --- */

static const char *const submission_ids[] = {"11111111-aaaa-4000-8000-000000000001",
                                             "22222222-bbbb-4000-8000-000000000002"};

static void is_written_whole(struct ews_body *body, xmlSchema *schema)
{
    struct buffer whole = {0};
    struct failure failure = {0};
    ews_body_seal(body, &failure);
    assert_true(drain(&body->source, 1000, &whole));
    assert_valid(schema, &whole);
    buffer_release(&body->text);
    body->text = whole;
}

static void a_request_is_not_larger_than_was_reckoned_with_thousands_of_recipients(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const struct backend_recipient patterns[] = {
        {BACKEND_TO, "somebody.with.a.long.name@department.example.com",
         "Research & <Development>"},
        {BACKEND_CC, "a@b.example", NULL},
        {BACKEND_BCC, "b@b.example",
         "Gr\xc3\xbc\xc3\x9f"
         "e\x01\r\xff"},
    };
    struct backend_recipient recipients[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        recipients[i] = patterns[i % 3];
    struct supply empty = {.text = ""};
    const struct backend_submission submission = {submission_ids[0], recipients, COUNT,
                                                  supply_content(&empty)};
    const struct ews_settings settings = {.impersonation = true};
    const struct backend_mailbox mailbox = {.address = "ann@example.com"};
    const struct ews_sender sender = {.settings = &settings, .mailbox = &mailbox};
    struct ews_body body = {0};
    ews_request_create_item(&body, &sender, BACKEND_CREATE_DRAFT, &submission, 1);
    uint64_t reckoned = backend_create_size(0) + backend_recipients_size(recipients, COUNT);
    assert_in_range(body.text.length, reckoned / 10 * 8, reckoned);
    ews_body_release(&body);
}

static void new_messages_are_valid_in_every_setting(void **state)
{
    struct supply first = {.text = "Subject: 1\r\n\r\nText\r\n"};
    struct supply second = {.text = ""};
    const struct backend_recipient recipients[] = {
        {BACKEND_BCC, "secret@example.com", NULL},
        {BACKEND_TO, "bob@example.com",
         "B\xc3\xb6"
         "b & <Co>\x01\xff"},
        {BACKEND_CC, "carol@example.com", ""},
        {BACKEND_TO, "dave@example.com", NULL},
    };
    const struct backend_submission submissions[] = {
        {submission_ids[0], recipients, 4, supply_content(&first)},
        {submission_ids[1], recipients, 1, supply_content(&second)},
        {submission_ids[1], NULL, 0, supply_content(&second)},
    };
    for (unsigned setting = 0; setting < 4; setting++) {
        bool sends = setting % 2 == 1;
        const struct ews_settings settings = {.impersonation = setting < 2};
        const struct backend_mailbox mailbox = {.address = "ann@example.com"};
        const struct ews_sender sender = {.settings = &settings, .mailbox = &mailbox};
        struct ews_body body = {0};
        first.at = 0;
        ews_request_create_item(
            &body, &sender, sends ? BACKEND_CREATE_AND_SEND : BACKEND_CREATE_DRAFT, submissions, 3);
        assert_true(body.text.length < 3 * backend_create_size(0));
        is_written_whole(&body, *state);
        assert_has(&body.text, sends ? "MessageDisposition=\"SendAndSaveCopy\""
                                     : "MessageDisposition=\"SaveOnly\"");
        assert_has(&body.text, sends ? "<m:SavedItemFolderId><t:DistinguishedFolderId "
                                       "Id=\"sentitems\""
                                     : "<m:SavedItemFolderId><t:DistinguishedFolderId "
                                       "Id=\"drafts\"");
        assert_has(&body.text, "U3ViamVjdDogMQ0KDQpUZXh0DQo=</t:MimeContent><t:ExtendedProperty>"
                               "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" "
                               "PropertyName=\"exsyncd-submission-id\" PropertyType=\"String\"/>"
                               "<t:Value>11111111-aaaa-4000-8000-000000000001</t:Value>");
        assert_has(&body.text,
                   "<t:ToRecipients><t:Mailbox><t:Name>B\xc3\xb6"
                   "b &amp; &lt;Co&gt; ?</t:Name>"
                   "<t:EmailAddress>bob@example.com</t:EmailAddress></t:Mailbox><t:Mailbox>"
                   "<t:EmailAddress>dave@example.com</t:EmailAddress></t:Mailbox>"
                   "</t:ToRecipients><t:CcRecipients>");
        assert_has(&body.text, "<t:BccRecipients><t:Mailbox><t:EmailAddress>secret@example.com<");
        ews_body_release(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_valid_in_every_setting),
        cmocka_unit_test(every_well_known_folder_is_valid),
        cmocka_unit_test(the_mailbox_is_impersonated_by_the_name_that_is_configured),
        cmocka_unit_test(without_impersonation_the_folder_says_whose_it_is),
        cmocka_unit_test(the_own_mailbox_of_the_account_is_asked_for_without_a_name),
        cmocka_unit_test(nothing_is_sent_because_of_a_change),
        cmocka_unit_test(references_are_taken_apart),
        cmocka_unit_test(new_messages_are_valid_in_every_setting),
        cmocka_unit_test(a_request_is_not_larger_than_was_reckoned_with_thousands_of_recipients),
        cmocka_unit_test(a_draft_is_sent_as_the_version_that_is_known),
        cmocka_unit_test(submissions_are_searched_for_on_their_way),
        cmocka_unit_test(pages_are_asked_for_from_the_newest_item),
    };
    int failed = cmocka_run_group_tests(tests, schema_set_up, schema_tear_down);
    xmlCleanupParser();
    return failed;
}

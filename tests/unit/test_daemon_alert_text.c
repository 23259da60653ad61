/* The words of an alert, compared as whole strings: people search for them. */
#include "daemon/alert_text.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void assert_opening(const struct alert_text *what, const char *wanted)
{
    struct buffer text = {0};
    alert_write_opening(&text, what);
    assert_string_equal(buffer_string(&text), wanted);
    buffer_release(&text);
}

static void assert_sentence(const struct alert_text *what, enum store_alert_told told,
                            const char *reason, const char *wanted)
{
    struct buffer opening = {0}, text = {0};
    alert_write_opening(&opening, what);
    alert_write_sentence(&text, opening.data, what->profile, told, reason);
    assert_string_equal(buffer_string(&text), wanted);
    buffer_release(&opening);
    buffer_release(&text);
}

static const struct alert_text receiving = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .direction = CYCLE_INCOMING,
    .profile = "contoso",
    .mailbox = "carla@contoso.com",
};

static const struct alert_text sending = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .direction = CYCLE_OUTGOING,
    .profile = "contoso",
    .mailbox = "carla@contoso.com",
    .subject = "Offer 4711",
};

static void receiving_is_told_in_the_documented_sentence(void **state)
{
    (void)state;
    assert_sentence(&receiving, STORE_TOLD_DONE, NULL,
                    "An impersonation error occurred in accessing the mailbox while receiving "
                    "email. carla@contoso.com didn't synchronize. The owner of the associated "
                    "email server profile contoso has been notified.");
}

static void sending_is_told_in_the_documented_sentence(void **state)
{
    (void)state;
    assert_sentence(&sending, STORE_TOLD_DONE, NULL,
                    "An impersonation error occurred in accessing the mailbox while sending the "
                    "email message \"Offer 4711\". Mailbox carla@contoso.com didn't synchronize. "
                    "The owner of the associated email server profile contoso has been notified.");
}

static void the_details_are_the_documented_ones(void **state)
{
    (void)state;
    struct buffer text = {0};
    alert_write_details(&text, "6f0c2c1e-0000-4000-8000-000000000000",
                        "The account does not have permission to impersonate the requested user.",
                        "   at FindItem\n   at incoming\n");
    assert_string_equal(
        buffer_string(&text),
        "ActivityId: 6f0c2c1e-0000-4000-8000-000000000000\n"
        ">Error : The account does not have permission to impersonate the requested user.\n"
        "   at FindItem\n   at incoming\n");
    buffer_clear(&text);
    alert_write_details(&text, "id", "two\nlines", "one step");
    assert_string_equal(buffer_string(&text), "ActivityId: id\n>Error : two lines\none step\n");
    buffer_clear(&text);
    alert_write_details(&text, "id", "error", NULL);
    assert_string_equal(buffer_string(&text), "ActivityId: id\n>Error : error\n");
    buffer_release(&text);
}

#define RECEIVING                                                               \
    "An impersonation error occurred in accessing the mailbox while receiving " \
    "email. carla@contoso.com didn't synchronize."
#define OWNER " The owner of the associated email server profile contoso "

static void the_sentence_says_whether_the_owner_knows(void **state)
{
    (void)state;
    assert_sentence(&receiving, STORE_TOLD_NOBODY, NULL, RECEIVING);
    assert_sentence(&receiving, STORE_TOLD_BEING, NULL, RECEIVING OWNER "is being notified.");
    assert_sentence(&receiving, STORE_TOLD_NOT, "The server is down",
                    RECEIVING OWNER "could not be notified: The server is down.");
    assert_sentence(&receiving, STORE_TOLD_NOT, "It\nsays 550.",
                    RECEIVING OWNER "could not be notified: It says 550.");
    assert_sentence(&receiving, STORE_TOLD_NOT, "", RECEIVING OWNER "could not be notified.");
    assert_sentence(&receiving, STORE_TOLD_NOT, NULL, RECEIVING OWNER "could not be notified.");
}

static void each_category_has_its_word(void **state)
{
    (void)state;
    static const struct {
        enum failure_category category;
        const char *begin;
    } words[] = {
        {FAILURE_IMPERSONATION, "An impersonation error "},
        {FAILURE_AUTHENTICATION, "An authentication error "},
        {FAILURE_AUTHORIZATION, "An authorization error "},
        {FAILURE_THROTTLING, "A throttling error "},
        {FAILURE_MAILBOX, "A mailbox error "},
        {FAILURE_ITEM, "An item error "},
        {FAILURE_NETWORK, "A network error "},
        {FAILURE_TLS, "A TLS error "},
        {FAILURE_PROTOCOL, "A protocol error "},
        {FAILURE_CONFIGURATION, "A configuration error "},
        {FAILURE_SERVER, "A server error "},
        {FAILURE_STORAGE, "A storage error "},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct alert_text what = receiving;
        what.category = words[i].category;
        struct buffer text = {0};
        alert_write_opening(&text, &what);
        assert_memory_equal(text.data, words[i].begin, strlen(words[i].begin));
        buffer_release(&text);
        assert_int_equal(alert_category_of(failure_category_name(words[i].category)),
                         words[i].category);
    }
    assert_int_equal(alert_category_of("no such"), FAILURE_NONE);
    assert_int_equal(alert_scope_of("profile"), FAILURE_SCOPE_PROFILE);
    assert_int_equal(alert_scope_of("no such"), FAILURE_SCOPE_NONE);
}

static void without_a_subject_sending_is_told_all_the_same(void **state)
{
    (void)state;
    struct alert_text what = sending;
    what.subject = NULL;
    assert_opening(&what, "An impersonation error occurred in accessing the mailbox while sending "
                          "email. Mailbox carla@contoso.com didn't synchronize.");
    what.subject = "";
    assert_opening(&what, "An impersonation error occurred in accessing the mailbox while sending "
                          "email. Mailbox carla@contoso.com didn't synchronize.");
}

static void one_message_does_not_stop_its_mailbox(void **state)
{
    (void)state;
    struct alert_text what = sending;
    what.category = FAILURE_ITEM;
    what.scope = FAILURE_SCOPE_ITEM;
    assert_opening(&what, "An item error occurred while sending the email message \"Offer 4711\". "
                          "Mailbox carla@contoso.com synchronizes its other mail.");
    what.subject = NULL;
    assert_opening(&what, "An item error occurred while sending email. Mailbox carla@contoso.com "
                          "synchronizes its other mail.");
    what.direction = CYCLE_INCOMING;
    assert_opening(&what, "An item error occurred while receiving an email message. "
                          "carla@contoso.com synchronizes its other mail.");
}

static void a_profile_is_told_with_its_mailboxes(void **state)
{
    (void)state;
    struct alert_text what = {
        .category = FAILURE_AUTHENTICATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .profile = "contoso",
        .mailboxes = 1000,
    };
    assert_opening(&what, "An authentication error occurred in accessing the server of the email "
                          "server profile contoso. Its 1000 mailboxes didn't synchronize.");
    what.mailboxes = 1;
    assert_opening(&what, "An authentication error occurred in accessing the server of the email "
                          "server profile contoso. Its mailbox didn't synchronize.");
    what.scope = FAILURE_SCOPE_SERVER;
    what.category = FAILURE_STORAGE;
    what.mailboxes = 2;
    assert_opening(&what, "A storage error occurred on the machine that synchronizes the email "
                          "server profile contoso. Its 2 mailboxes didn't synchronize.");
}

static void most_of_a_profile_is_told_as_one(void **state)
{
    (void)state;
    struct alert_text what = {
        .category = FAILURE_IMPERSONATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .profile = "contoso",
        .absorbs = true,
        .mailboxes = 500,
    };
    assert_opening(&what, "An impersonation error occurred in accessing more than half of the 500 "
                          "mailboxes of the email server profile contoso. They didn't "
                          "synchronize.");
}

static void a_subject_keeps_its_quotes_and_stays_on_its_line(void **state)
{
    (void)state;
    struct alert_text what = sending;
    what.subject = "\"so\"\r\nBcc: x\t\x1b[2J\xff \xe2\x80\xa9z";
    assert_opening(&what, "An impersonation error occurred in accessing the mailbox while sending "
                          "the email message \"\"so\"  Bcc: x  [2J?  z\". Mailbox "
                          "carla@contoso.com didn't synchronize.");
}

#define BEFORE                                                                    \
    "An impersonation error occurred in accessing the mailbox while sending the " \
    "email message \""
#define AFTER "\". Mailbox carla@contoso.com didn't synchronize."

static void a_long_subject_is_cut_at_a_character(void **state)
{
    (void)state;
    struct alert_text what = sending;
    for (size_t length = 198; length <= 203; length++) {
        char subject[301] = {0}, wanted[600] = BEFORE;
        memset(subject, 'a', length - 2);
        memcpy(subject + length - 2, "\xc3\xbc", 2);
        bool cut = length > ALERT_SUBJECT_BYTES;
        size_t kept = !cut ? length : length == 201 ? 199 : 200;
        strncat(wanted, subject, kept);
        strcat(wanted, cut ? "..." AFTER : AFTER);
        what.subject = subject;
        assert_opening(&what, wanted);
    }
    char *endless = memory_allocate(1 << 20);
    memset(endless, '\n', (1 << 20) - 1);
    what.subject = endless;
    struct buffer text = {0};
    alert_write_opening(&text, &what);
    assert_int_equal(text.length, strlen(BEFORE AFTER) + ALERT_SUBJECT_BYTES + 3);
    buffer_release(&text);
    memory_free(endless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receiving_is_told_in_the_documented_sentence),
        cmocka_unit_test(sending_is_told_in_the_documented_sentence),
        cmocka_unit_test(the_details_are_the_documented_ones),
        cmocka_unit_test(the_sentence_says_whether_the_owner_knows),
        cmocka_unit_test(each_category_has_its_word),
        cmocka_unit_test(without_a_subject_sending_is_told_all_the_same),
        cmocka_unit_test(one_message_does_not_stop_its_mailbox),
        cmocka_unit_test(a_profile_is_told_with_its_mailboxes),
        cmocka_unit_test(most_of_a_profile_is_told_as_one),
        cmocka_unit_test(a_subject_keeps_its_quotes_and_stays_on_its_line),
        cmocka_unit_test(a_long_subject_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

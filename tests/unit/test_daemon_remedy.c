/* What a person is told to do: commands that can be pasted, and always how it goes on. */
#include "daemon/remedy.h"

#include "ews/response_codes.h"
#include "http/http_failure.h"
#include "http/http_ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#define TESTS_AGAIN "exsyncd tests again by itself."
#define ROLE_TAKES_A_WHILE                                                      \
    "Exchange may take a while, and differ between servers, before a new role " \
    "works; exsyncd tests again by itself."

static const struct remedy_place carla = {
    .account = "CONTOSO\\svc-sync",
    .profile = "contoso",
    .url = "https://mail.contoso.com/EWS/Exchange.asmx",
    .mailbox = "carla@contoso.com",
    .scope = FAILURE_SCOPE_MAILBOX,
};

static void assert_commands(enum failure_category category, const struct remedy_place *place,
                            const char *wanted)
{
    struct buffer text = {0};
    remedy_write_commands(&text, category, place);
    assert_string_equal(buffer_string(&text), wanted);
    buffer_release(&text);
}

/* --- commands --- */

static void impersonation_is_granted_to_this_account_and_checked_for_this_mailbox(void **state)
{
    (void)state;
    assert_commands(
        FAILURE_IMPERSONATION, &carla,
        "# What the account has:\n"
        "Get-ManagementRoleAssignment -Role:ApplicationImpersonation "
        "-RoleAssignee:\"CONTOSO\\svc-sync\" | Format-List Name,CustomRecipientWriteScope\n"
        "# If that shows nothing:\n"
        "New-ManagementRoleAssignment -Name:exsyncd -Role:ApplicationImpersonation "
        "-User:\"CONTOSO\\svc-sync\"\n"
        "# or only for some mailboxes, those of a group (write its distinguished name):\n"
        "New-ManagementScope -Name:exsyncd-mailboxes -RecipientRestrictionFilter:"
        "{MemberOfGroup -eq \"CN=exsyncd,OU=Groups,DC=contoso,DC=com\"}\n"
        "New-ManagementRoleAssignment -Name:exsyncd -Role:ApplicationImpersonation "
        "-User:\"CONTOSO\\svc-sync\" -CustomRecipientWriteScope:exsyncd-mailboxes\n"
        "# If it shows a scope, put the mailbox into its group (write the group's name):\n"
        "Add-DistributionGroupMember -Identity:exsyncd -Member:\"carla@contoso.com\"\n"
        "# to check:\n"
        "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers "
        "-WritableRecipient:\"carla@contoso.com\"\n");
}

static void authorization_asks_for_the_role_and_for_the_web_services(void **state)
{
    (void)state;
    assert_commands(
        FAILURE_AUTHORIZATION, &carla,
        "# Whether the account may impersonate:\n"
        "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers "
        "-WritableRecipient:\"carla@contoso.com\"\n"
        "# Whether Exchange Web Services are enabled:\n"
        "Get-OrganizationConfig | Format-List "
        "EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n"
        "Get-CASMailbox -Identity:\"carla@contoso.com\" | Format-List "
        "EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n"
        "# To enable them for this mailbox:\n"
        "Set-CASMailbox -Identity:\"carla@contoso.com\" -EwsEnabled:$true\n");
}

#define STATE                                                                             \
    " -Properties LockedOut,PasswordExpired,AccountExpirationDate,Enabled | Format-List " \
    "LockedOut,PasswordExpired,AccountExpirationDate,Enabled\n"

static void authentication_shows_the_state_of_the_account(void **state)
{
    (void)state;
    struct remedy_place place = carla;
    assert_commands(FAILURE_AUTHENTICATION, &place,
                    "# Whether the account is locked, expired or disabled:\n"
                    "Get-ADUser -Identity:\"svc-sync\" -Server:\"CONTOSO\"" STATE
                    "# To unlock it:\n"
                    "Get-ADUser -Identity:\"svc-sync\" -Server:\"CONTOSO\" | Unlock-ADAccount\n");
    place.account = "svc(1)*@contoso.com";
    assert_commands(
        FAILURE_AUTHENTICATION, &place,
        "# Whether the account is locked, expired or disabled:\n"
        "Get-ADUser -LDAPFilter:\"(userPrincipalName=svc\\281\\29\\2a@contoso.com)\"" STATE
        "# To unlock it:\n"
        "Get-ADUser -LDAPFilter:\"(userPrincipalName=svc\\281\\29\\2a@contoso.com)\" | "
        "Unlock-ADAccount\n");
    place.account = "svc-sync";
    assert_commands(FAILURE_AUTHENTICATION, &place,
                    "# Whether the account is locked, expired or disabled:\n"
                    "Get-ADUser -Identity:\"svc-sync\"" STATE "# To unlock it:\n"
                    "Get-ADUser -Identity:\"svc-sync\" | Unlock-ADAccount\n");
}

static void of_a_message_the_commands_name_it(void **state)
{
    (void)state;
    struct remedy_place place = carla;
    place.scope = FAILURE_SCOPE_ITEM;
    assert_commands(FAILURE_AUTHENTICATION, &place, "");
    place.message = "ID";
    assert_commands(FAILURE_AUTHENTICATION, &place,
                    "# The message, its file, and how it is sent again:\n"
                    "exsyncctl queue show ID\n"
                    "# To throw it away when it has failed, which ends this alert:\n"
                    "exsyncctl queue discard ID\n");
}

static void a_refused_sign_in_tells_how_it_is_tried_at_once(void **state)
{
    static const char words[] = "Check the password. exsyncd tests again by itself.";
    struct remedy_place place = {
        .account = "svc", .profile = "Contoso Ltd", .scope = FAILURE_SCOPE_PROFILE};
    struct buffer text = {0};
    (void)state;
    remedy_write_words(&text, FAILURE_AUTHENTICATION, words, &place);
    assert_string_equal(
        buffer_string(&text),
        "Check the password. A new password goes into the file that password_file of "
        "[profile Contoso Ltd] names: exsyncctl reload takes it into use and tries "
        "it (one from password_credential: systemctl restart exsyncd). Where the "
        "account was mended and nothing here has changed, exsyncctl test --profile "
        "\"Contoso Ltd\" --sign-in tries it at once. exsyncd tests again by "
        "itself.");
    buffer_clear(&text);
    place.account = NULL;
    remedy_write_words(&text, FAILURE_AUTHENTICATION, words, &place);
    assert_null(strstr(text.data, "password_file"));
    buffer_clear(&text);
    place.mailbox = "carla@contoso.com";
    remedy_write_words(&text, FAILURE_AUTHENTICATION, words, &place);
    assert_non_null(strstr(text.data, "exsyncctl test carla@contoso.com --sign-in tries"));
    buffer_clear(&text);
    place.scope = FAILURE_SCOPE_MAILBOX; /* the server's trouble, not the account's */
    remedy_write_words(&text, FAILURE_AUTHENTICATION, words, &place);
    assert_null(strstr(text.data, "--sign-in"));
    buffer_release(&text);
}

static void a_refused_impersonation_names_what_finds_its_cause(void **state)
{
    struct remedy_place place = carla;
    struct buffer text = {0};
    (void)state;
    remedy_write_words(&text, FAILURE_IMPERSONATION, "Grant the role.", &place);
    assert_string_equal(buffer_string(&text),
                        "Grant the role. Which of the possible causes it is, exsyncctl diagnose "
                        "carla@contoso.com finds out. " ROLE_TAKES_A_WHILE);
    buffer_clear(&text);
    place.mailbox = NULL;
    remedy_write_words(&text, FAILURE_IMPERSONATION, NULL, &place);
    assert_non_null(strstr(text.data, "exsyncctl diagnose ADDRESS finds out"));
    buffer_clear(&text);
    place.scope = FAILURE_SCOPE_ITEM;
    remedy_write_words(&text, FAILURE_IMPERSONATION, NULL, &place);
    assert_null(strstr(text.data, "diagnose"));
    buffer_release(&text);
}

static void assert_written(void (*write)(struct buffer *, const struct remedy_place *),
                           const char *wanted)
{
    struct buffer text = {0};
    write(&text, &carla);
    assert_string_equal(buffer_string(&text), wanted);
    buffer_release(&text);
}

#define CHECK                                                                         \
    "# Who may impersonate the mailbox:\n"                                            \
    "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers " \
    "-WritableRecipient:\"carla@contoso.com\"\n"

static void a_scope_is_shown_and_widened_by_a_group_or_left_out(void **state)
{
    (void)state;
    assert_written(remedy_write_check, CHECK);
    assert_written(
        remedy_write_scope,
        "# The scope of the account's role, and which mailboxes it has:\n"
        "Get-ManagementRoleAssignment -Role:ApplicationImpersonation "
        "-RoleAssignee:\"CONTOSO\\svc-sync\" | Format-List Name,CustomRecipientWriteScope\n"
        "Get-ManagementScope | Format-List Name,RecipientFilter\n"
        "# If it is a group, put the mailbox into it (write its name):\n"
        "Add-DistributionGroupMember -Identity:exsyncd -Member:\"carla@contoso.com\"\n"
        "# or grant the role without a scope:\n"
        "New-ManagementRoleAssignment -Name:exsyncd-all -Role:ApplicationImpersonation "
        "-User:\"CONTOSO\\svc-sync\"\n" CHECK);
}

static void a_wrong_server_is_looked_up(void **state)
{
    (void)state;
    assert_written(remedy_write_server,
                   "# Where Exchange Web Services are:\n"
                   "Get-WebServicesVirtualDirectory | Format-List Server,InternalUrl,ExternalUrl\n"
                   "# On which server the mailbox is:\n"
                   "Get-Mailbox -Identity:\"carla@contoso.com\" | Format-List "
                   "PrimarySmtpAddress,Database,ServerName\n");
}

static void a_mailbox_is_looked_for(void **state)
{
    (void)state;
    assert_commands(FAILURE_MAILBOX, &carla,
                    "Get-Mailbox -Identity:\"carla@contoso.com\" | Format-List\n"
                    "# If there is none, the mailbox may be somewhere else:\n"
                    "Get-MailUser -Identity:\"carla@contoso.com\" | Format-List\n");
}

static void throttling_shows_the_policy(void **state)
{
    (void)state;
    assert_commands(FAILURE_THROTTLING, &carla,
                    "# Which policy applies (none: the default one), and its values:\n"
                    "Get-ThrottlingPolicyAssociation -Identity:\"carla@contoso.com\" | Format-List "
                    "ThrottlingPolicyId\n"
                    "Get-ThrottlingPolicy | Format-List Name,Ews*\n");
}

static void other_causes_have_no_commands(void **state)
{
    (void)state;
    static const enum failure_category others[] = {
        FAILURE_ITEM,   FAILURE_NETWORK,       FAILURE_TLS,    FAILURE_PROTOCOL,
        FAILURE_SERVER, FAILURE_CONFIGURATION, FAILURE_STORAGE};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_commands(others[i], &carla, "");
    struct remedy_place place = carla;
    place.scope = FAILURE_SCOPE_ITEM;
    assert_commands(FAILURE_AUTHORIZATION, &place, "");
}

static void a_profile_has_commands_without_a_mailbox(void **state)
{
    (void)state;
    struct remedy_place place = carla;
    place.scope = FAILURE_SCOPE_PROFILE;
    place.mailbox = NULL;
    assert_commands(
        FAILURE_AUTHORIZATION, &place,
        "# Whether the account may impersonate:\n"
        "Get-ManagementRoleAssignment -Role:ApplicationImpersonation -GetEffectiveUsers\n"
        "# Whether Exchange Web Services are enabled:\n"
        "Get-OrganizationConfig | Format-List "
        "EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n");
    place.mailbox = "";
    assert_commands(FAILURE_MAILBOX, &place, "");
    assert_commands(FAILURE_THROTTLING, &place,
                    "# Which policy applies (none: the default one), and its values:\n"
                    "Get-ThrottlingPolicyAssociation -Identity:\"CONTOSO\\svc-sync\" | Format-List "
                    "ThrottlingPolicyId\n"
                    "Get-ThrottlingPolicy | Format-List Name,Ews*\n");
}

static void an_account_that_is_not_known_is_said_to_be(void **state)
{
    (void)state;
    struct remedy_place place = carla;
    place.account = NULL;
    struct buffer text = {0};
    remedy_write_commands(&text, FAILURE_IMPERSONATION, &place);
    assert_non_null(strstr(text.data, "# In the place of ACCOUNT: the owner of the Kerberos"));
    assert_non_null(strstr(text.data, "klist -k FILE"));
    assert_non_null(strstr(text.data, " -User:\"ACCOUNT\"\n"));
    buffer_release(&text);
}

static void no_name_is_more_than_a_name(void **state)
{
    (void)state;
    struct remedy_place place = carla;
    place.mailbox =
        "a\"; $(Remove-Mailbox) `n\n\xe2\x80\x9c\xe2\x80\x9d\xe2\x80\x9e\xe2\x80\x9f\xc3\xbc'@x";
    assert_commands(FAILURE_MAILBOX, &place,
                    "Get-Mailbox -Identity:\"a`\"; `$(Remove-Mailbox) ``n "
                    "`\xe2\x80\x9c`\xe2\x80\x9d`\xe2\x80\x9e\xe2\x80\x9f\xc3\xbc'@x\" | "
                    "Format-List\n"
                    "# If there is none, the mailbox may be somewhere else:\n"
                    "Get-MailUser -Identity:\"a`\"; `$(Remove-Mailbox) ``n "
                    "`\xe2\x80\x9c`\xe2\x80\x9d`\xe2\x80\x9e\xe2\x80\x9f\xc3\xbc'@x\" | "
                    "Format-List\n");
}

/* --- how it goes on --- */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), ending_length = strlen(ending);
    return length >= ending_length && strcmp(text + length - ending_length, ending) == 0;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool is_ones_own_way(const char *text)
{
    return has(text, "submit it again") || has(text, "submit the message again") ||
           has(text, "Nothing needs to be done") || has(text, "nothing else is held up") ||
           ends_with(text, "Other mail goes on.");
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

static void assert_goes_on(const struct failure *failure)
{
    struct remedy_place place = carla;
    place.scope = failure->scope;
    struct buffer text = {0};
    remedy_write(&text, failure->category, failure->remedy, &place);
    const char *words = buffer_string(&text);
    bool is_item = failure->scope == FAILURE_SCOPE_ITEM;
    bool is_role =
        failure->category == FAILURE_IMPERSONATION || failure->category == FAILURE_AUTHORIZATION;
    bool holds = is_role && !is_item
                     ? ends_with(words, ROLE_TAKES_A_WHILE)
                     : ends_with(words, TESTS_AGAIN) || has(words, "tries again by itself") ||
                           (is_item && is_ones_own_way(words));
    if (!holds)
        fail_msg("%s does not say how it goes on: %s", failure->code, words);
    if (count_of(words, "by itself.") > 1 || has(words, "..") || has(words, "  "))
        fail_msg("%s does not read well: %s", failure->code, words);
    buffer_release(&text);
}

static void each_response_code_says_how_it_goes_on(void **state)
{
    (void)state;
    size_t count;
    const struct response_code *codes = response_code_table(&count);
    assert_true(count > 400);
    for (size_t i = 0; i < count; i++) {
        if (codes[i].meaning->category == FAILURE_NONE)
            continue;
        for (enum response_place place = RESPONSE_OF_ITEM; place <= RESPONSE_OF_MAILBOX; place++) {
            struct failure failure = response_code_failure("GetItem", codes[i].name, place);
            assert_goes_on(&failure);
        }
    }
    struct failure unknown = response_code_failure("GetItem", "ErrorNew", RESPONSE_OF_MAILBOX);
    assert_goes_on(&unknown);
}

static void each_http_status_says_how_it_goes_on(void **state)
{
    (void)state;
    for (uint16_t status = 100; status < 1000; status++) {
        for (uint64_t sent = 0; sent <= 1 << 24; sent += 1 << 24) {
            struct failure failure =
                response_status_failure("GetItem", status, sent, 0, RESPONSE_OF_MAILBOX);
            assert_goes_on(&failure);
        }
    }
}

static void each_answer_that_is_not_understood_says_how_it_goes_on(void **state)
{
    (void)state;
    struct failure failure =
        response_protocol_failure("GetItem", "XmlMalformed", "", RESPONSE_OF_MAILBOX);
    assert_goes_on(&failure);
    failure = response_folder_missing("FindItem", "Inbox");
    assert_goes_on(&failure);
    for (enum response_item_fault fault = RESPONSE_NO_MIME; fault <= RESPONSE_NO_STATE; fault++) {
        failure = response_item_failure("GetItem", fault);
        assert_goes_on(&failure);
    }
}

static void each_failure_of_the_network_says_how_it_goes_on(void **state)
{
    (void)state;
    struct http_failure_detail detail = {.error = "no"};
    for (int code = 1; code < CURL_LAST; code++) {
        for (int performing = 0; performing < 2; performing++) {
            detail.performing = performing != 0;
            struct failure failure = http_failure_of_curl((CURLcode)code, &detail);
            assert_goes_on(&failure);
        }
    }
    struct failure others[] = {
        http_failure_idle(1000, &detail),
        http_failure_trickle(1, &detail),
        http_failure_long_head(&detail),
        http_failure_coded(&detail),
        http_failure_refused(HTTP_AUTH_NTLM, 0, &detail),
        http_failure_refused(HTTP_AUTH_NTLM, (long)CURLAUTH_BASIC, &detail),
        http_failure_resolve("mail", true, "no"),
        http_failure_resolve_timeout("mail", 1000),
        http_failure_trust("file", "no"),
        http_ticket_failure(KRB5KDC_ERR_PREAUTH_FAILED, false, "no"),
        http_ticket_failure(KRB5KDC_ERR_CLIENT_REVOKED, false, "no"),
        http_ticket_failure(KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, false, "no"),
        http_ticket_failure(KRB5_KDC_UNREACH, false, "no"),
        http_ticket_failure(KRB5KRB_AP_ERR_SKEW, false, "no"),
        http_ticket_failure(1, false, "no"),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_goes_on(&others[i]);
}

static void each_failure_of_this_machine_says_how_it_goes_on(void **state)
{
    (void)state;
    for (int error = 1; error < 134; error++) {
        struct failure failure =
            failure_from_errno(FAILURE_SCOPE_MAILBOX, "deliver", error, "create x");
        assert_goes_on(&failure);
        failure.scope = FAILURE_SCOPE_SERVER;
        assert_goes_on(&failure);
    }
}

static void assert_remedy(enum failure_category category, enum failure_scope scope,
                          const char *remedy, const char *wanted)
{
    struct remedy_place place = carla;
    place.scope = scope;
    struct buffer text = {0};
    remedy_write_words(&text, category, remedy, &place);
    assert_string_equal(buffer_string(&text), wanted);
    buffer_release(&text);
}

static void how_it_goes_on_is_said_once(void **state)
{
    (void)state;
    assert_remedy(FAILURE_TLS, FAILURE_SCOPE_PROFILE, NULL, TESTS_AGAIN);
    assert_remedy(FAILURE_TLS, FAILURE_SCOPE_PROFILE, "Renew it", "Renew it. " TESTS_AGAIN);
    assert_remedy(FAILURE_TLS, FAILURE_SCOPE_PROFILE, "Renew it. " TESTS_AGAIN,
                  "Renew it. " TESTS_AGAIN);
    assert_remedy(FAILURE_NETWORK, FAILURE_SCOPE_PROFILE, "Look. Sync resumes by itself.",
                  "Look. " TESTS_AGAIN);
    assert_remedy(FAILURE_AUTHORIZATION, FAILURE_SCOPE_MAILBOX, "Ask. " TESTS_AGAIN,
                  "Ask. " ROLE_TAKES_A_WHILE);
    assert_remedy(FAILURE_IMPERSONATION, FAILURE_SCOPE_MAILBOX, "Grant. " ROLE_TAKES_A_WHILE,
                  "Grant. Which of the possible causes it is, exsyncctl diagnose "
                  "carla@contoso.com finds out. " ROLE_TAKES_A_WHILE);
    assert_remedy(FAILURE_ITEM, FAILURE_SCOPE_ITEM, "See the log.",
                  "See the log. Other mail goes on.");
    assert_remedy(FAILURE_ITEM, FAILURE_SCOPE_ITEM, "", "Other mail goes on.");
}

static void commands_come_first(void **state)
{
    (void)state;
    struct buffer text = {0};
    remedy_write(&text, FAILURE_MAILBOX, "Check the address.", &carla);
    assert_memory_equal(text.data, "Get-Mailbox ", 12);
    assert_true(ends_with(text.data, " | Format-List\n\nCheck the address. " TESTS_AGAIN));
    buffer_clear(&text);
    remedy_write(&text, FAILURE_NETWORK, "Look.", &carla);
    assert_string_equal(text.data, "Look. " TESTS_AGAIN);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impersonation_is_granted_to_this_account_and_checked_for_this_mailbox),
        cmocka_unit_test(authorization_asks_for_the_role_and_for_the_web_services),
        cmocka_unit_test(authentication_shows_the_state_of_the_account),
        cmocka_unit_test(of_a_message_the_commands_name_it),
        cmocka_unit_test(a_refused_sign_in_tells_how_it_is_tried_at_once),
        cmocka_unit_test(a_refused_impersonation_names_what_finds_its_cause),
        cmocka_unit_test(a_scope_is_shown_and_widened_by_a_group_or_left_out),
        cmocka_unit_test(a_wrong_server_is_looked_up),
        cmocka_unit_test(a_mailbox_is_looked_for),
        cmocka_unit_test(throttling_shows_the_policy),
        cmocka_unit_test(other_causes_have_no_commands),
        cmocka_unit_test(a_profile_has_commands_without_a_mailbox),
        cmocka_unit_test(an_account_that_is_not_known_is_said_to_be),
        cmocka_unit_test(no_name_is_more_than_a_name),
        cmocka_unit_test(each_response_code_says_how_it_goes_on),
        cmocka_unit_test(each_http_status_says_how_it_goes_on),
        cmocka_unit_test(each_answer_that_is_not_understood_says_how_it_goes_on),
        cmocka_unit_test(each_failure_of_the_network_says_how_it_goes_on),
        cmocka_unit_test(each_failure_of_this_machine_says_how_it_goes_on),
        cmocka_unit_test(how_it_goes_on_is_said_once),
        cmocka_unit_test(commands_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

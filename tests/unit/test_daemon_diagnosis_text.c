/* What a diagnosis says: which case it is, and the commands for it. */
#include "daemon/diagnosis_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct config_profile contoso = {
    .name = "contoso",
    .url = "https://mail.contoso.com/EWS/Exchange.asmx",
    .username = "CONTOSO\\svc-sync",
    .impersonation = true,
};

static const struct diagnosis_other others[] = {
    {"ann@contoso.com", DIAGNOSIS_OTHER_WORKS, FAILURE_NONE},
    {"ben@contoso.com", DIAGNOSIS_OTHER_REFUSED, FAILURE_IMPERSONATION},
    {"dora@contoso.com", DIAGNOSIS_OTHER_WORKS, FAILURE_NONE},
};

static struct diagnosis_result found(enum diagnosis_finding finding)
{
    return (struct diagnosis_result){
        .finding = finding,
        .profile = &contoso,
        .address = "carla@contoso.com",
        .failure = {.category = FAILURE_IMPERSONATION,
                    .scope = FAILURE_SCOPE_MAILBOX,
                    .code = "ErrorImpersonateUserDenied",
                    .text = "The account does not have permission.",
                    .sentence = "The account may not impersonate the user.",
                    .remedy = "Grant the role."},
        .tries = 6,
        .refused = 6,
    };
}

static void assert_says(const struct diagnosis_result *result, const char *const *words)
{
    struct buffer text = {0};
    diagnosis_write_finding(&text, result);
    for (; *words != NULL; words++) {
        if (strstr(buffer_string(&text), *words) == NULL)
            fail_msg("\"%s\" is not in: %s", *words, buffer_string(&text));
    }
    assert_null(strchr(buffer_string(&text), '\n'));
    buffer_release(&text);
}

static void assert_commands(const struct diagnosis_result *result, const char *with,
                            const char *without)
{
    struct buffer text = {0};
    diagnosis_write_commands(&text, result);
    if (with != NULL && strstr(buffer_string(&text), with) == NULL)
        fail_msg("\"%s\" is not in: %s", with, buffer_string(&text));
    if (without != NULL && strstr(buffer_string(&text), without) != NULL)
        fail_msg("\"%s\" is in: %s", without, buffer_string(&text));
    buffer_release(&text);
}

#define SAYS(result, ...) assert_says(result, (const char *const[]){__VA_ARGS__, NULL})

static void a_role_that_is_missing_and_a_scope_are_told_apart(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_NO_ROLE);
    SAYS(&result, "CONTOSO\\svc-sync", "may not impersonate carla@contoso.com",
         "no other mailbox that could tell");
    result.others = &others[1];
    result.other_count = 1;
    result.others_configured = 1;
    SAYS(&result, "the one other mailbox of profile contoso", "no role ApplicationImpersonation");
    result.other_count = 2;
    result.others_configured = 480;
    SAYS(&result, "2 of the 480 other mailboxes of profile contoso, chosen at random");
    assert_commands(&result, "New-ManagementRoleAssignment", "Get-ManagementScope |");

    result = found(DIAGNOSIS_SCOPE);
    result.others = others;
    result.other_count = result.others_configured = 3;
    SAYS(&result, "the role has a scope", "2 work (ann@contoso.com, dora@contoso.com)",
         "1 does not (ben@contoso.com)");
    assert_commands(&result, "Get-ManagementScope |", NULL);
}

static void an_account_without_a_mailbox_is_a_finding_and_no_proof(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_NO_ROLE);
    struct buffer text = {0};
    result.own = ACCOUNT_MAILBOX_NONE;
    SAYS(&result, "no mailbox of its own", "proves nothing");
    result.own = ACCOUNT_MAILBOX_THERE;
    diagnosis_write_finding(&text, &result);
    assert_null(strstr(buffer_string(&text), "of its own"));
    buffer_release(&text);
}

static void servers_that_disagree_are_waited_for(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_SPREADING);
    result.refused = 1;
    SAYS(&result, "do not agree", "of 6 requests for carla@contoso.com",
         "1 was refused and 5 were not.", "an hour");
    assert_commands(&result, "-GetEffectiveUsers", "New-ManagementRoleAssignment");
}

static void other_findings_bring_their_own_cause(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_SIGN_IN_REFUSED);
    result.failure.category = FAILURE_AUTHENTICATION;
    snprintf(result.detail, sizeof result.detail, "not tried now");
    SAYS(&result, "cannot sign in", ". This is no matter of impersonation.",
         " The test of signing in: not tried now. Grant the role.");
    assert_commands(&result, "Get-ADUser", "ApplicationImpersonation");
    assert_commands(&result, NULL, "Grant the role.");
    result.failure.account_unasked = true;
    assert_commands(&result, NULL, "Get-ADUser");
    result = found(DIAGNOSIS_NO_MAILBOX);
    result.failure.category = FAILURE_MAILBOX;
    result.others = others;
    result.other_count = 2;
    result.others_configured = 9;
    SAYS(&result, "impersonation is not the cause",
         "Of 2 of the 9 other mailboxes of profile contoso, chosen at random, 1 can be used.");
    assert_commands(&result, "Get-Mailbox -Identity:\"carla@contoso.com\"", NULL);
    result = found(DIAGNOSIS_WRONG_SERVER);
    result.failure.category = FAILURE_MAILBOX;
    result.others = others;
    result.other_count = result.others_configured = 2;
    SAYS(&result, "the wrong one", "neither carla@contoso.com nor any of the 2 other mailboxes");
    assert_commands(&result, "Get-WebServicesVirtualDirectory", NULL);
    result = found(DIAGNOSIS_UNREACHABLE);
    SAYS(&result, "cannot be used", "ErrorImpersonateUserDenied: The account does not",
         "). Grant the role.");
    assert_commands(&result, "exsyncctl diagnose", "Grant the role.");
}

static void who_has_no_name_is_the_owner_of_the_ticket(void **state)
{
    (void)state;
    struct config_profile ticket = contoso;
    struct diagnosis_result result = found(DIAGNOSIS_NO_ROLE);
    ticket.username = NULL;
    result.profile = &ticket;
    SAYS(&result, "the owner of the Kerberos ticket");
    assert_commands(&result, "ACCOUNT", NULL);
}

static void a_mailbox_that_works_needs_no_commands(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_WORKS);
    struct buffer text = {0};
    result.failure = (struct failure){0};
    result.refused = 0;
    SAYS(&result, "carla@contoso.com works", "6 times");
    diagnosis_write_commands(&text, &result);
    assert_int_equal(text.length, 0);
}

static void each_finding_ends_with_the_command_that_verifies_it(void **state)
{
    (void)state;
    static const char last[] = "\nexsyncctl diagnose carla@contoso.com\n";
    for (int finding = DIAGNOSIS_UNREACHABLE; finding <= DIAGNOSIS_OTHER; finding++) {
        const struct diagnosis_result result = found((enum diagnosis_finding)finding);
        struct buffer text = {0};
        diagnosis_write_commands(&text, &result);
        assert_true(text.length > strlen(last));
        assert_string_equal(text.data + text.length - strlen(last), last);
        buffer_release(&text);
    }
}

static void the_command_can_be_pasted_whatever_the_address(void **state)
{
    (void)state;
    struct diagnosis_result result = found(DIAGNOSIS_NO_MAILBOX);
    struct buffer text = {0};
    result.address = "o'brien@contoso.com";
    diagnosis_write_commands(&text, &result);
    assert_non_null(strstr(text.data, "\nexsyncctl diagnose \"o'brien@contoso.com\"\n"));
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_that_is_missing_and_a_scope_are_told_apart),
        cmocka_unit_test(an_account_without_a_mailbox_is_a_finding_and_no_proof),
        cmocka_unit_test(servers_that_disagree_are_waited_for),
        cmocka_unit_test(other_findings_bring_their_own_cause),
        cmocka_unit_test(who_has_no_name_is_the_owner_of_the_ticket),
        cmocka_unit_test(a_mailbox_that_works_needs_no_commands),
        cmocka_unit_test(each_finding_ends_with_the_command_that_verifies_it),
        cmocka_unit_test(the_command_can_be_pasted_whatever_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

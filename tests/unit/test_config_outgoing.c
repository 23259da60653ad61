/* Who may send as which mailbox, and which mailbox sends for whom. */
#include "config_folder.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define SERVER \
    "[profile contoso]\nurl = https://mail.contoso.com/EWS/Exchange.asmx\nauth = negotiate\n"
#define ANNA "[mailbox anna@contoso.com]\noutgoing = yes\n"
#define BEN  "[mailbox ben@contoso.com]\noutgoing = yes\n"

static void root_alone_may_submit_by_default(void **state)
{
    struct config *config = assert_taken(*state, SERVER ANNA, "");
    const struct config_mailbox_settings *settings = config->mailboxes[0].settings;
    assert_true(config_may_submit(settings, 0, NULL, 0));
    assert_false(config_may_submit(settings, 1, NULL, 0));
    config_free(config);
}

static void submitters_are_users_and_members_of_groups_by_name_and_number(void **state)
{
    struct config *config =
        assert_taken(*state, SERVER ANNA "submitters = daemon, 4711, @sys\nsubmitters = @99\n", "");
    const struct config_mailbox_settings *settings = config->mailboxes[0].settings;
    const gid_t sys[] = {50, getgrnam("sys")->gr_gid}, other[] = {50}, by_number[] = {99};
    assert_true(config_may_submit(settings, getpwnam("daemon")->pw_uid, NULL, 0));
    assert_true(config_may_submit(settings, 4711, NULL, 0));
    assert_true(config_may_submit(settings, 5000, sys, 2));
    assert_true(config_may_submit(settings, 5000, by_number, 1));
    assert_false(config_may_submit(settings, 5000, other, 1));
    assert_false(config_may_submit(settings, 0, NULL, 0));
    config_free(config);
}

static void alike_lists_are_stored_once(void **state)
{
    struct config *config =
        assert_taken(*state, SERVER "[mailbox-defaults]\nsubmitters = daemon, bin\n" ANNA BEN, "");
    assert_ptr_equal(config->mailboxes[0].settings, config->mailboxes[1].settings);
    config_free(config);
}

static void different_lists_are_kept_apart(void **state)
{
    struct config *config =
        assert_taken(*state, SERVER ANNA "submitters = daemon\n" BEN "submitters = bin\n", "");
    assert_true(
        config_may_submit(config->mailboxes[0].settings, getpwnam("daemon")->pw_uid, NULL, 0));
    assert_false(
        config_may_submit(config->mailboxes[0].settings, getpwnam("bin")->pw_uid, NULL, 0));
    assert_true(config_may_submit(config->mailboxes[1].settings, getpwnam("bin")->pw_uid, NULL, 0));
    config_free(config);
}

static void an_unknown_submitter_is_a_mistake(void **state)
{
    assert_refused(*state, SERVER ANNA "submitters = root, no-such-user\n",
                   "exsyncd.conf:6: [mailbox anna@contoso.com] submitters: there is no user "
                   "'no-such-user'; name another, or @GROUP for the members of a group\n");
    assert_refused(*state, SERVER ANNA "submitters = @no-such-group\n",
                   "exsyncd.conf:6: [mailbox anna@contoso.com] submitters: there is no group "
                   "'no-such-group'; make it (groupadd --system) or name another\n");
}

#define MAP                                          \
    "[exsyncd]\ndefault_sender = anna@contoso.com\n" \
    "sender_map = Backup: ben@contoso.com\nsender_map = root@db7.contoso.com: ben@contoso.com\n"

static void local_senders_are_given_a_mailbox(void **state)
{
    char host[256] = "", from[300];
    struct config *config = assert_taken(*state, MAP SERVER ANNA BEN, "");
    gethostname(host, sizeof host - 1);
    snprintf(from, sizeof from, "cron@%s", host);
    assert_string_equal(config_map_sender(config, from), "anna@contoso.com");
    assert_string_equal(config_map_sender(config, "cron"), "anna@contoso.com");
    assert_string_equal(config_map_sender(config, "cron@localhost"), "anna@contoso.com");
    assert_string_equal(config_map_sender(config, "backup@localhost"), "ben@contoso.com");
    assert_string_equal(config_map_sender(config, "root@db7.contoso.com"), "ben@contoso.com");
    assert_null(config_map_sender(config, "root@db8.contoso.com"));
    assert_null(config_map_sender(config, "backup@elsewhere.example"));
    config_free(config);
}

static void without_a_default_only_those_of_the_map_are_given_one(void **state)
{
    struct config *config =
        assert_taken(*state, "[exsyncd]\nsender_map = backup: anna@contoso.com\n" SERVER ANNA, "");
    assert_null(config_map_sender(config, "cron@localhost"));
    assert_string_equal(config_map_sender(config, "backup"), "anna@contoso.com");
    config_free(config);
}

static void a_sender_must_be_a_mailbox_that_sends(void **state)
{
    assert_refused(*state, "[exsyncd]\ndefault_sender = ana@contoso.com\n" SERVER ANNA,
                   "exsyncd.conf:2: [exsyncd] default_sender: there is no mailbox ana@contoso.com; "
                   "did you mean anna@contoso.com?\n");
    assert_refused(*state,
                   "[exsyncd]\nsender_map = www-data: anna@contoso.com\n" SERVER
                   "[mailbox anna@contoso.com]\n",
                   "exsyncd.conf:2: [exsyncd] sender_map: anna@contoso.com does not send; write "
                   "outgoing = yes in [mailbox anna@contoso.com]\n");
    assert_refused(*state, "[exsyncd]\nsender_map = www-data anna@contoso.com\n" SERVER ANNA,
                   "exsyncd.conf:2: [exsyncd] sender_map: 'www-data anna@contoso.com' is no USER: "
                   "ADDRESS; write it such as www-data: web@contoso.com\n");
}

static void recipients_of_this_machine_are_given_an_address(void **state)
{
    struct config *config =
        assert_taken(*state,
                     "[exsyncd]\nrecipient_map = Root: admin@elsewhere.example, ops@db1: "
                     "anna@contoso.com\n" SERVER ANNA,
                     "");
    assert_string_equal(config_map_recipient(config, "root"), "admin@elsewhere.example");
    assert_string_equal(config_map_recipient(config, "ROOT@localhost"), "admin@elsewhere.example");
    assert_string_equal(config_map_recipient(config, "ops@DB1"), "anna@contoso.com");
    assert_null(config_map_recipient(config, "roo"));
    assert_null(config_map_recipient(config, "ops"));
    assert_null(config_map_recipient(config, "root@contoso.com"));
    config_free(config);
}

static void a_star_stands_for_all_other_local_recipients(void **state)
{
    char host[256] = "", recipient[300];
    struct config *config =
        assert_taken(*state,
                     "[exsyncd]\nrecipient_map = *: all@contoso.com\nrecipient_map = root: "
                     "r@contoso.com\n" SERVER ANNA,
                     "");
    gethostname(host, sizeof host - 1);
    snprintf(recipient, sizeof recipient, "bob@%s", host);
    assert_string_equal(config_map_recipient(config, "root"), "r@contoso.com");
    assert_string_equal(config_map_recipient(config, "bob"), "all@contoso.com");
    assert_string_equal(config_map_recipient(config, "bob@localhost"), "all@contoso.com");
    assert_null(config_map_recipient(config, "bob@example.org"));
    assert_null(config_map_recipient(config, recipient));
    config_free(config);
}

static void without_a_recipient_map_nobody_is_given_an_address(void **state)
{
    struct config *config = assert_taken(*state, SERVER ANNA, "");
    assert_null(config_map_recipient(config, "root"));
    config_free(config);
}

static void a_recipient_must_be_given_an_address(void **state)
{
    assert_refused(*state, "[exsyncd]\nrecipient_map = root anna@contoso.com\n" SERVER ANNA,
                   "exsyncd.conf:2: [exsyncd] recipient_map: 'root anna@contoso.com' is no USER: "
                   "ADDRESS; write it such as www-data: web@contoso.com\n");
}

static void a_star_that_would_match_nobody_is_a_mistake(void **state)
{
    static const char *const words[] = {"*@db1", "ro*", "*@*", "**"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[512], mistake[512];
        snprintf(text, sizeof text, "[exsyncd]\nrecipient_map = %s: anna@contoso.com\n" SERVER ANNA,
                 words[i]);
        snprintf(
            mistake, sizeof mistake,
            "exsyncd.conf:2: [exsyncd] recipient_map: '%s' matches nobody: a star stands alone, "
            "as '*: ADDRESS', for all other recipients without a domain or @localhost; name the "
            "others one by one, as USER or USER@HOST\n",
            words[i]);
        assert_refused(*state, text, mistake);
    }
    assert_refused(
        *state, "[exsyncd]\nsender_map = *: anna@contoso.com\n" SERVER ANNA,
        "exsyncd.conf:2: [exsyncd] sender_map: '*' matches nobody: name senders one by "
        "one, as USER or USER@HOST; all others are given the mailbox of default_sender\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(root_alone_may_submit_by_default),
        folder_test(submitters_are_users_and_members_of_groups_by_name_and_number),
        folder_test(alike_lists_are_stored_once),
        folder_test(different_lists_are_kept_apart),
        folder_test(an_unknown_submitter_is_a_mistake),
        folder_test(local_senders_are_given_a_mailbox),
        folder_test(without_a_default_only_those_of_the_map_are_given_one),
        folder_test(a_sender_must_be_a_mailbox_that_sends),
        folder_test(recipients_of_this_machine_are_given_an_address),
        folder_test(a_star_stands_for_all_other_local_recipients),
        folder_test(without_a_recipient_map_nobody_is_given_an_address),
        folder_test(a_recipient_must_be_given_an_address),
        folder_test(a_star_that_would_match_nobody_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who is told of failures, how, and when what has stopped is tried again: [smtp], notify and their
 * like. */
#include "config_folder.h"

#include "config/config_value.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define OWNED        PROFILE "owner = Admins@Contoso.com\n"
#define MAILBOX      "[mailbox a@x]\n"
#define SMTP         "[smtp]\nurl = smtp://localhost\n"
#define BY_SMTP      OWNED "notify = smtp\n" MAILBOX

struct mistake {
    const char *text;
    const char *report;
};

static void check_refused(struct config_folder *folder, const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(folder, cases[i].text, cases[i].report);
}

/* --- what is taken --- */

static void without_any_key_the_defaults_hold(void **state)
{
    struct config *config = assert_taken(*state, OWNED MAILBOX, "");
    const struct config_profile *profile = &config->profiles[0];
    assert_string_equal(profile->owner, "admins@contoso.com");
    assert_int_equal(profile->notify_channels, CONFIG_NOTIFY_EXCHANGE);
    assert_null(profile->notify_command);
    assert_int_equal(profile->notify_delay_ms, 60000);
    assert_int_equal(profile->notify_limit, 6);
    assert_int_equal(profile->transient_attempts, 8);
    assert_int_equal(profile->probe_interval_count, 3);
    assert_int_equal(profile->probe_intervals_ms[0], 300000);
    assert_int_equal(profile->probe_intervals_ms[1], 900000);
    assert_int_equal(profile->probe_intervals_ms[2], 3600000);
    assert_int_equal(config->failure_keep_ms, UINT64_C(90) * 24 * 3600 * 1000);
    assert_null(config->smtp);
    config_free(config);
}

static void without_an_owner_nobody_is_told_and_that_is_said(void **state)
{
    struct config *config = assert_taken(
        *state, PROFILE MAILBOX,
        "exsyncd.conf:1: warning: [profile contoso] owner: is missing; nobody is told when its "
        "mailboxes fail; write owner = ADDRESS\n");
    assert_null(config->profiles[0].owner);
    assert_int_equal(config->profiles[0].notify_channels, 0);
    config_free(config);
}

static void several_ways_may_be_named_in_one_line_or_several(void **state)
{
    static const char *const texts[] = {
        OWNED "notify = exchange,smtp , command\nnotify_command = /bin/true\n" MAILBOX SMTP,
        OWNED
        "notify = command\nnotify_command = /bin/true\nnotify = smtp, exchange\n" MAILBOX SMTP,
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct config *config = assert_taken(*state, texts[i], "");
        assert_int_equal(config->profiles[0].notify_channels,
                         CONFIG_NOTIFY_EXCHANGE | CONFIG_NOTIFY_SMTP | CONFIG_NOTIFY_COMMAND);
        config_free(config);
    }
}

static void a_command_is_split_at_spaces_and_nothing_else(void **state)
{
    struct config *config = assert_taken(
        *state,
        OWNED "notify = command\n"
              "notify_command = /bin/sh   -x\t--team=mail http://page/?a=b&c=d it's 50%\n" MAILBOX,
        "");
    static const char *const words[] = {"/bin/sh", "-x", "--team=mail", "http://page/?a=b&c=d",
                                        "it's",    "50%"};
    const char *const *command = config->profiles[0].notify_command;
    for (size_t i = 0; i < COUNT(words); i++)
        assert_string_equal(command[i], words[i]);
    assert_null(command[COUNT(words)]);
    config_free(config);
}

static void the_probes_have_their_own_waits(void **state)
{
    struct config *config =
        assert_taken(*state, OWNED "probe_intervals = 1s,1h 30m , 1w\n" MAILBOX, "");
    const struct config_profile *profile = &config->profiles[0];
    assert_int_equal(profile->probe_interval_count, 3);
    assert_int_equal(profile->probe_intervals_ms[0], 1000);
    assert_int_equal(profile->probe_intervals_ms[1], 5400000);
    assert_int_equal(profile->probe_intervals_ms[2], UINT64_C(604800000));
    config_free(config);
}

static void the_limits_of_each_key_are_taken(void **state)
{
    static const char *const lowest =
        "[exsyncd]\nfailure_keep = 1h\n" OWNED "notify_delay = 0\nnotify_limit = 1\n"
        "transient_attempts = 2\nprobe_intervals = 1s\n" MAILBOX;
    static const char *const highest =
        "[exsyncd]\nfailure_keep = 3650d\n" OWNED "notify_delay = 1h\nnotify_limit = 60\n"
        "transient_attempts = 1000\nprobe_intervals = 7d\n" MAILBOX;
    struct config *config = assert_taken(*state, lowest, "");
    assert_int_equal(config->failure_keep_ms, 3600000);
    assert_int_equal(config->profiles[0].notify_delay_ms, 0);
    assert_int_equal(config->profiles[0].notify_limit, 1);
    assert_int_equal(config->profiles[0].transient_attempts, 2);
    assert_int_equal(config->profiles[0].probe_interval_count, 1);
    config_free(config);
    config = assert_taken(*state, highest, "");
    assert_int_equal(config->profiles[0].notify_delay_ms, 3600000);
    assert_int_equal(config->profiles[0].notify_limit, 60);
    assert_int_equal(config->profiles[0].transient_attempts, 1000);
    config_free(config);
}

static void every_key_of_smtp_is_taken(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "pem", "-----BEGIN CERTIFICATE-----\n");
    struct config *config = assert_taken(
        folder,
        BY_SMTP "[smtp]\nurl = smtp://mail.contoso.com:587\nstarttls = required\n"
                "username = exsyncd\npassword_file = $DIR/password\ntls_ca_file = $DIR/pem\n"
                "tls_verification = dangerously-disabled\nfrom = Sync@Contoso.com\n",
        "exsyncd.conf:14: warning: [smtp] tls_verification: the server's certificate is not "
        "checked; anybody in between can take the password and the notifications\n");
    const struct config_smtp *smtp = config->smtp;
    assert_string_equal(smtp->url, "smtp://mail.contoso.com:587");
    assert_int_equal(smtp->starttls, CONFIG_STARTTLS_REQUIRED);
    assert_string_equal(smtp->username, "exsyncd");
    assert_string_equal(secret_reveal(smtp->password), "correct horse");
    assert_non_null(strstr(smtp->tls_ca_file, "/pem"));
    assert_false(smtp->tls_verify);
    assert_string_equal(smtp->from, "sync@contoso.com");
    config_free(config);
}

static void smtp_has_defaults(void **state)
{
    struct config *config = assert_taken(*state, BY_SMTP SMTP, "");
    assert_int_equal(config->smtp->starttls, CONFIG_STARTTLS_REQUIRED);
    assert_null(config->smtp->username);
    assert_null(config->smtp->password);
    assert_null(config->smtp->tls_ca_file);
    assert_true(config->smtp->tls_verify);
    assert_int_equal(strncmp(config->smtp->from, "exsyncd@", 8), 0);
    assert_true(strlen(config->smtp->from) > 8);
    config_free(config);
}

static void the_password_of_smtp_may_be_a_credential(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "smtp.password", "battery\n");
    setenv("CREDENTIALS_DIRECTORY", folder->path, 1);
    struct config *config = assert_taken(
        folder, BY_SMTP SMTP "username = u\npassword_credential = smtp.password\n", "");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_string_equal(secret_reveal(config->smtp->password), "battery");
    config_free(config);
}

static void smtp_is_one_section_in_however_many_files(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "conf.d/smtp.conf", "[smtp]\nfrom = sync@contoso.com\n");
    struct config *config = assert_taken(folder, BY_SMTP SMTP, "");
    assert_string_equal(config->smtp->url, "smtp://localhost");
    assert_string_equal(config->smtp->from, "sync@contoso.com");
    config_free(config);
}

static void a_password_may_go_to_this_machine_without_encryption(void **state)
{
    static const char *const hosts[] = {"localhost:2525", "127.0.0.1", "[::1]:25"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 BY_SMTP "[smtp]\nurl = smtp://%s\nstarttls = never\nusername = u\n"
                         "password_file = $DIR/password\n",
                 hosts[i]);
        struct config *config = assert_taken(*state, text, "");
        assert_int_equal(config->smtp->starttls, CONFIG_STARTTLS_NEVER);
        config_free(config);
    }
    config_free(assert_taken(
        *state, BY_SMTP "[smtp]\nurl = smtp://mail.contoso.com\nstarttls = offered\n", ""));
    config_free(assert_taken(
        *state,
        BY_SMTP
        "[smtp]\nurl = smtps://mail.contoso.com\nusername = u\npassword_file = $DIR/password\n",
        ""));
}

/* --- what is refused --- */

static void a_way_must_be_there_to_be_used(void **state)
{
    static const struct mistake cases[] = {
        {OWNED "notify = mail\n" MAILBOX, "exsyncd.conf:6: [profile contoso] notify: 'mail' is not "
                                          "known; it can be exchange, smtp and command\n"},
        {OWNED "notify = exchange, comand\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify: 'comand' is not known; did you mean command? "
         "It "
         "can be exchange, smtp and command\n"},
        {OWNED "notify = ,\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify: names no way; write exchange, smtp or command, "
         "or several of them\n"},
        {OWNED "notify = exchange, exchange\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify: 'exchange' is there twice; delete one of "
         "them\n"},
        {OWNED "notify = smtp\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify: names smtp, and there is no section [smtp]; "
         "write one with url = smtp://HOST:PORT\n"},
        {OWNED "notify = command\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify: names command, and there is no notify_command; "
         "write notify_command = /PATH/OF/PROGRAM\n"},
        {OWNED "notify_command = /bin/true\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] notify_command: is not run, since notify does not name "
         "command; write notify = command, or delete it\n"},
        {PROFILE "notify = exchange\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] notify: has no owner who could be told; write owner = "
         "ADDRESS, too\n"},
        {PROFILE "notify_command = /bin/true\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] notify_command: has no owner who could be told; write "
         "owner = ADDRESS, too\n"},
    };
    check_refused(*state, cases, COUNT(cases));
}

static void a_command_must_be_a_program(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "script", "#!/bin/sh\n"); /* mode 0600 */
    static const struct mistake cases[] = {
        {"page-admins", "does not begin with the absolute path of a program; write one that begins "
                        "with /\n"},
        {"$DIR/nothing", "'nothing' cannot be executed: No such file or directory; write the path "
                         "of a program, and words for it behind a space\n"},
        {"$DIR/script", "'script' cannot be executed: Permission denied; chmod 755 it, or let the "
                        "user who runs exsyncd execute it in another way\n"},
        {"/bin", "'/bin' is no regular file; write the path of a program\n"},
        {"/bin/true | cat", "'|' needs a shell, and none is there; put the command into a script "
                            "and name that\n"},
        {"/bin/true \"a b\"", "'\"a' needs a shell, and none is there; put the command into a "
                              "script and name that\n"},
        {"/bin/true $HOME", "'$HOME' needs a shell, and none is there; put the command into a "
                            "script and name that\n"},
        {"/bin/true 2>&1", "'2>&1' needs a shell, and none is there; put the command into a script "
                           "and name that\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1024], report[512];
        snprintf(text, sizeof text, OWNED "notify = command\nnotify_command = %s\n" MAILBOX,
                 cases[i].text);
        snprintf(report, sizeof report, "exsyncd.conf:7: [profile contoso] notify_command: %s",
                 cases[i].report);
        assert_refused(folder, text, report);
    }
}

static void what_is_beyond_the_limits_is_refused(void **state)
{
    static const struct mistake cases[] = {
        {"[exsyncd]\nfailure_keep = 59m\n" OWNED MAILBOX,
         "exsyncd.conf:2: [exsyncd] failure_keep: '59m' is too short; 1h to 3650d can be given\n"},
        {"[exsyncd]\nfailure_keep = 3651d\n" OWNED MAILBOX,
         "exsyncd.conf:2: [exsyncd] failure_keep: '3651d' is too long; 1h to 3650d can be given\n"},
        {OWNED "notify_delay = 61m\n" MAILBOX, "exsyncd.conf:6: [profile contoso] notify_delay: "
                                               "'61m' is too long; 0 to 1h can be given\n"},
        {OWNED "notify_limit = 0\n" MAILBOX, "exsyncd.conf:6: [profile contoso] notify_limit: '0' "
                                             "is too small; 1 to 60 can be given\n"},
        {OWNED "notify_limit = 61\n" MAILBOX, "exsyncd.conf:6: [profile contoso] notify_limit: "
                                              "'61' is too large; 1 to 60 can be given\n"},
        {OWNED "transient_attempts = 1\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] transient_attempts: '1' is too small; 2 to 1000 can be "
         "given\n"},
        {OWNED "transient_attempts = 1001\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] transient_attempts: '1001' is too large; 2 to 1000 can "
         "be given\n"},
        {OWNED "probe_intervals = 5m, 999ms\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] probe_intervals: '999ms' is too short; 1s to 1w can be "
         "given\n"},
        {OWNED "probe_intervals = 8d\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] probe_intervals: '8d' is too long; 1s to 1w can be "
         "given\n"},
        {OWNED "probe_intervals = 5m, 15\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] probe_intervals: '15' has no unit; write 15s for "
         "seconds, 15m for minutes\n"},
        {OWNED "probe_intervals = 5m,, 1h\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] probe_intervals: '' is no duration; write one such as "
         "30s, 5m, 1h or 90d\n"},
        {OWNED "probe_intervals = 5m\nprobe_intervals = 1h\n" MAILBOX,
         "exsyncd.conf:7: [profile contoso] probe_intervals: is given twice, first at "
         "exsyncd.conf:6; delete one of them\n"},
    };
    check_refused(*state, cases, COUNT(cases));
}

static void smtp_must_fit_together(void **state)
{
    static const struct mistake cases[] = {
        {BY_SMTP "[smtp]\n", "exsyncd.conf:8: [smtp] url: is missing; write url = "
                             "smtp://HOST:PORT\n"},
        {BY_SMTP "[smtp main]\n", "exsyncd.conf:6: [profile contoso] notify: names smtp, and there "
                                  "is no section [smtp]; write one with url = smtp://HOST:PORT\n"
                                  "exsyncd.conf:8: [smtp main]: takes no name; write [smtp]\n"},
        {BY_SMTP SMTP "username = u\n",
         "exsyncd.conf:10: [smtp] username: has no password; write password_file or "
         "password_credential, too\n"},
        {BY_SMTP SMTP "password_file = $DIR/password\n",
         "exsyncd.conf:10: [smtp] password_file: has no username; write username = NAME, too\n"},
        {BY_SMTP SMTP "username = u\npassword_file = $DIR/password\npassword_credential = p\n",
         "exsyncd.conf:12: [smtp] password_credential: is given beside password_file; delete one "
         "of "
         "them\n"},
        {BY_SMTP SMTP "username = u\npassword_file = $DIR/nothing\n",
         "exsyncd.conf:11: [smtp] password_file: cannot be read: No such file or directory; write "
         "the password into that file, for exsyncd alone to read (chown root:exsyncd and chmod "
         "640)\n"},
        {BY_SMTP SMTP "password = hunter2\n",
         "exsyncd.conf:10: [smtp] password: is no key; a password is not written here but into a "
         "file of its own (chmod 600) that password_file names\n"},
        {BY_SMTP SMTP "tls_ca_file = $DIR/nothing\n",
         "exsyncd.conf:10: [smtp] tls_ca_file: 'nothing' cannot be read: No such file or "
         "directory; name a file that the user who runs exsyncd can read\n"},
        {BY_SMTP SMTP "starttls = yes\n",
         "exsyncd.conf:10: [smtp] starttls: 'yes' is not known; it can be required, offered or "
         "never\n"},
        {BY_SMTP SMTP "tls_verification = off\n",
         "exsyncd.conf:10: [smtp] tls_verification: 'off' is not known; it can be full or "
         "dangerously-disabled\n"},
        {BY_SMTP SMTP "from = exsyncd\n",
         "exsyncd.conf:10: [smtp] from: 'exsyncd' is no address: it has no @; write one such as "
         "anna@contoso.com\n"},
        {BY_SMTP "[smtp]\nurl = smtps://m\nstarttls = required\n",
         "exsyncd.conf:10: [smtp] starttls: is of no use with smtps://, which is encrypted from "
         "the start; delete it\n"},
        {BY_SMTP "[smtp]\nurl = smtp://m\nstarttls = never\nusername = u\n"
                 "password_file = $DIR/password\n",
         "exsyncd.conf:10: [smtp] starttls: could send the password without encryption to another "
         "machine; write required, or delete username\n"},
        {BY_SMTP "[smtp]\nurl = smtp://127.0.0.1.x\nstarttls = offered\nusername = u\n"
                 "password_file = $DIR/password\n",
         "exsyncd.conf:10: [smtp] starttls: could send the password without encryption to another "
         "machine; write required, or delete username\n"},
        {OWNED "starttls = never\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] starttls: is no key of this section; it belongs into "
         "[smtp]\n"},
    };
    check_refused(*state, cases, COUNT(cases));
}

static void a_server_that_no_profile_uses_is_odd(void **state)
{
    config_free(assert_taken(*state, OWNED MAILBOX SMTP,
                             "exsyncd.conf:7: warning: [smtp]: no profile uses it; write notify = "
                             "smtp in one, or delete it\n"));
}

static void urls_of_smtp_are_a_server_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {"smtp://localhost", "SMTP://mail.contoso.com:25",
                                       "smtps://mail:465", "smtp://[2001:db8::1]:587",
                                       "smtp://10.0.0.1:25"};
    static const struct mistake bad[] = {
        {"mail.contoso.com", "does not begin with smtp:// or smtps://; write "
                             "smtp://mail.contoso.com"},
        {"https://mail:25", "does not begin with smtp:// or smtps://; write smtp://mail:25"},
        {"smtp://mail:25/", "has something behind its host and port; write smtp://mail:25"},
        {"smtps://mail/name", "has something behind its host and port; write smtps://mail"},
        {"smtp://", "has a wrong host or port; write smtp://HOST:PORT or smtps://HOST:PORT"},
        {"smtp://mail:0", "has a wrong host or port; write smtp://HOST:PORT or smtps://HOST:PORT"},
        {"smtp://mail:x", "has a wrong host or port; write smtp://HOST:PORT or smtps://HOST:PORT"},
        {"smtp://ma il", "has a wrong host or port; write smtp://HOST:PORT or smtps://HOST:PORT"},
        {"smtp://mail?x", "has a wrong host or port; write smtp://HOST:PORT or smtps://HOST:PORT"},
        {"smtp://u:hunter2@mail", "names an account; write smtp://HOST:PORT, and the account in "
                                  "username and password_file"},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct buffer wrong = {0};
        assert_true(config_read_smtp_url(good[i], &wrong));
        buffer_release(&wrong);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buffer wrong = {0};
        assert_false(config_read_smtp_url(bad[i].text, &wrong));
        assert_string_equal(buffer_string(&wrong), bad[i].report);
        buffer_release(&wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(without_any_key_the_defaults_hold),
        folder_test(without_an_owner_nobody_is_told_and_that_is_said),
        folder_test(several_ways_may_be_named_in_one_line_or_several),
        folder_test(a_command_is_split_at_spaces_and_nothing_else),
        folder_test(the_probes_have_their_own_waits),
        folder_test(the_limits_of_each_key_are_taken),
        folder_test(every_key_of_smtp_is_taken),
        folder_test(smtp_has_defaults),
        folder_test(the_password_of_smtp_may_be_a_credential),
        folder_test(smtp_is_one_section_in_however_many_files),
        folder_test(a_password_may_go_to_this_machine_without_encryption),
        folder_test(a_way_must_be_there_to_be_used),
        folder_test(a_command_must_be_a_program),
        folder_test(what_is_beyond_the_limits_is_refused),
        folder_test(smtp_must_fit_together),
        folder_test(a_server_that_no_profile_uses_is_odd),
        cmocka_unit_test(urls_of_smtp_are_a_server_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What must hold between keys and sections; and that one run tells of every mistake. */
#include "config_folder.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define URL          "url = https://m/EWS/Exchange.asmx\n"
#define MAILBOX      "[mailbox a@x]\n"

struct mistake {
    const char *text;
    const char *report;
};

static void check_all(struct config_folder *folder, const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(folder, cases[i].text, cases[i].report);
}

static void a_key_in_the_wrong_place_is_told(void **state)
{
    static const struct mistake cases[] = {
        {"[exsyncd]\nsumary_interval = 1h\n",
         "exsyncd.conf:2: [exsyncd] sumary_interval: is no key; did you mean summary_interval?\n"},
        {"[exsyncd]\nbogus = 1h\n",
         "exsyncd.conf:2: [exsyncd] bogus: is no key; exsyncd.conf(5) lists them\n"},
        {"[exsyncd]\nbo\u202egus = 1h\n", /* what follows would stand before it */
         "exsyncd.conf:2: [exsyncd] bo gus: is no key; exsyncd.conf(5) lists them\n"},
        {"[exsyncd]\npoll_interval = 1h\n",
         "exsyncd.conf:2: [exsyncd] poll_interval: is no key of this section; it belongs into "
         "[profile NAME]\n"},
        {PROFILE "folders = Inbox\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] folders: is no key of this section; it belongs into "
         "[mailbox-defaults]\n"},
        {"[mailbox-defaults]\nrenamed_from = a@x\n",
         "exsyncd.conf:2: [mailbox-defaults] renamed_from: is no key of this section; it belongs "
         "into [mailbox ADDRESS]\n"},
        {"[exsyncd]\nlog_level = info\nfile_threads = 2\nlog_level = debug\n",
         "exsyncd.conf:4: [exsyncd] log_level: is given twice, first at exsyncd.conf:2; delete one "
         "of them\n"},
        {"[exsyncd]\nlog_level =\n",
         "exsyncd.conf:2: [exsyncd] log_level: has no value; write one, or delete the line for the "
         "default\n"},
        {"[exsyncd]\nlog_level = ; info\n",
         "exsyncd.conf:2: [exsyncd] log_level: has no value; write one, or delete the line for the "
         "default\n"},
        {"[exsyncd]\nlog_level\n= info\n",
         "exsyncd.conf:2: [exsyncd]: the line has no =; write KEY = VALUE, and begin a comment "
         "with "
         "#\n"
         "exsyncd.conf:3: [exsyncd]: nothing stands before the =; write KEY = VALUE\n"},
    };
    check_all(*state, cases, COUNT(cases));
}

static void a_profile_must_be_able_to_sign_in(void **state)
{
    static const struct mistake cases[] = {
        {"[profile p]\n" MAILBOX, "exsyncd.conf:1: [profile p] url: is missing; write url = "
                                  "https://HOST/EWS/Exchange.asmx\n"},
        {"[profile p]\n" URL "auth = ntlm\n" MAILBOX,
         "exsyncd.conf:1: [profile p] username: is missing; auth = ntlm and auth = basic need a "
         "username and a password_file or password_credential\n"},
        {"[profile p]\n" URL "username = u\n" MAILBOX,
         "exsyncd.conf:3: [profile p] username: has no password; write password_file or "
         "password_credential, too\n"},
        {"[profile p]\n" URL "password_file = $DIR/password\n" MAILBOX,
         "exsyncd.conf:3: [profile p] password_file: has no username; write username = "
         "DOMAIN\\NAME or NAME@DOMAIN, too\n"},
        {PROFILE "password_credential = x\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] password_credential: is given beside password_file; "
         "delete one of them\n"},
        {"[profile p]\n" URL
         "auth = basic\nusername = a:b\npassword_file = $DIR/password\n" MAILBOX,
         "exsyncd.conf:4: [profile p] username: has a colon, which auth = basic cannot carry; "
         "write "
         "the name only\n"},
        {PROFILE MAILBOX PROFILE,
         "exsyncd.conf:6: [profile contoso]: is there twice, first at exsyncd.conf:1; delete or "
         "rename one of them\n"},
        {PROFILE "retry_max = 10s\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] retry_max: is shorter than retry_min (30s); make it "
         "longer\n"},
        {PROFILE "retry_min = 2h\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] retry_min: is longer than retry_max (1h); make it "
         "shorter\n"},
        {PROFILE "retry_min = 2h\nretry_max = 90m\n" MAILBOX,
         "exsyncd.conf:6: [profile contoso] retry_max: is shorter than retry_min (2h); make it "
         "longer\n"},
        {PROFILE "owner = me\n" MAILBOX,
         "exsyncd.conf:5: [profile contoso] owner: 'me' is no address: it has no @; write one such "
         "as anna@contoso.com\n"},
    };
    check_all(*state, cases, COUNT(cases));
}

static void certificates_are_read_when_the_configuration_is(void **state)
{
    struct config_folder *folder = *state;
    folder_write_bytes(folder, "der", "\x30\x82\x01\x00", 4, 0644);
    folder_write(folder, "empty", "");
    folder_write(folder, "pem", "Contoso\n-----BEGIN CERTIFICATE-----\n");
    assert_refused(folder, PROFILE "tls_ca_file = $DIR/nowhere\n" MAILBOX,
                   "exsyncd.conf:5: [profile contoso] tls_ca_file: 'nowhere' cannot be read: No "
                   "such file or directory; name a file that the user who runs exsyncd can read\n");
    assert_refused(folder, PROFILE "tls_ca_file = $DIR/der\n" MAILBOX,
                   "exsyncd.conf:5: [profile contoso] tls_ca_file: 'der' holds no certificate in "
                   "PEM; convert it: openssl x509 -inform DER -in FILE -out FILE.pem\n");
    assert_refused(folder, PROFILE "tls_ca_file = $DIR/empty\n" MAILBOX,
                   "exsyncd.conf:5: [profile contoso] tls_ca_file: 'empty' holds no certificate in "
                   "PEM; name a file with BEGIN CERTIFICATE lines\n");
    assert_refused(folder, PROFILE "tls_ca_file = /dev/zero\n" MAILBOX,
                   "exsyncd.conf:5: [profile contoso] tls_ca_file: '/dev/zero' is no regular file; "
                   "name one with certificates\n");
    config_free(assert_taken(folder, PROFILE "tls_ca_file = $DIR/pem\n" MAILBOX, ""));
}

static void a_mailbox_needs_a_profile(void **state)
{
    static const struct mistake cases[] = {
        {MAILBOX "[mailbox b@x]\n",
         "exsyncd.conf:1: [mailbox a@x] profile: there is no profile at all; write a section "
         "[profile NAME]\n"},
        {PROFILE "[profile p]\n" URL MAILBOX "[mailbox b@x]\nprofile = contosso\n",
         "exsyncd.conf:7: [mailbox a@x] profile: is missing, and there are several profiles; write "
         "profile = contoso here or in [mailbox-defaults]\n"
         "exsyncd.conf:9: [mailbox b@x] profile: there is no profile 'contosso'; did you mean "
         "contoso?\n"},
        {PROFILE "[mailbox-defaults]\nprofile = fabrikam\n[mailbox b@x]\n" MAILBOX,
         "exsyncd.conf:6: [mailbox-defaults] profile: there is no profile 'fabrikam'; write a "
         "section [profile fabrikam], or name one that there is\n"},
    };
    check_all(*state, cases, COUNT(cases));
}

static void mailboxes_must_not_get_into_each_others_way(void **state)
{
    static const struct mistake cases[] = {
        {PROFILE MAILBOX "[mailbox A@X]\n",
         "exsyncd.conf:6: [mailbox A@X]: is there twice, first at exsyncd.conf:5; delete one of "
         "them\n"},
        {PROFILE "[mailbox-defaults]\ndeliver = maildir:/srv/%n\n" MAILBOX "[mailbox a@y]\n"
                 "[mailbox b@y]\ndeliver = maildir:/srv//a/\n",
         "exsyncd.conf:8: [mailbox a@y] deliver: the Maildir /srv/a is also that of a@x at "
         "exsyncd.conf:7; give each mailbox its own, with %u or %d/%n in the path\n"
         "exsyncd.conf:9: [mailbox b@y] deliver: the Maildir /srv/a is also that of a@y at "
         "exsyncd.conf:8; give each mailbox its own, with %u or %d/%n in the path\n"},
        {PROFILE MAILBOX "renamed_from = A@x\n",
         "exsyncd.conf:6: [mailbox a@x] renamed_from: is the mailbox's own address; write the one "
         "that it had before\n"},
        {PROFILE MAILBOX "renamed_from = b@x\n[mailbox b@x]\n",
         "exsyncd.conf:6: [mailbox a@x] renamed_from: b@x is still a mailbox at exsyncd.conf:7; "
         "delete that section, or this key\n"},
        {PROFILE MAILBOX "renamed_from = old@x\n[mailbox b@x]\nrenamed_from = Old@x\n",
         "exsyncd.conf:8: [mailbox b@x] renamed_from: old@x was renamed to a@x already, at "
         "exsyncd.conf:6; delete one of them\n"},
    };
    check_all(*state, cases, COUNT(cases));
}

static void a_mailbox_twice_in_two_files_names_both(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "conf.d/a.conf", MAILBOX);
    folder_write(folder, "conf.d/b.conf", "\n" MAILBOX);
    assert_refused(folder, PROFILE,
                   "conf.d/b.conf:2: [mailbox a@x]: is there twice, first at conf.d/a.conf:1; "
                   "delete one of them\n");
}

static void folders_and_what_follows_must_fit(void **state)
{
    static const struct mistake cases[] = {
        {PROFILE MAILBOX "folders = Inbox, Inbox/Orders\nafter_processing = move:inbox/orders\n",
         "exsyncd.conf:7: [mailbox a@x] after_processing: 'inbox/orders' is one of the folders "
         "that "
         "mail is taken from; name another\n"},
        {PROFILE "[mailbox-defaults]\nafter_processing = move:Inbox\n" MAILBOX "[mailbox b@x]\n",
         "exsyncd.conf:6: [mailbox-defaults] after_processing: 'Inbox' is one of the folders that "
         "mail is taken from; name another\n"},
        {PROFILE MAILBOX "folders = Inbox, INBOX\n",
         "exsyncd.conf:6: [mailbox a@x] folders: 'Inbox' is there twice; delete one of them\n"},
        {PROFILE MAILBOX "folders = Inbox, undeliverable\nundeliverable_folder = yes\n",
         "exsyncd.conf:7: [mailbox a@x] undeliverable_folder: 'Undeliverable' is one of the "
         "folders "
         "that mail is taken from; take it out of them, or write no\n"},
        {PROFILE MAILBOX "deliver_group = no-such-group\n",
         "exsyncd.conf:6: [mailbox a@x] deliver_group: there is no group 'no-such-group'; make it "
         "(groupadd --system) or name another\n"},
        {PROFILE MAILBOX "deliver_group = 99999999999\n",
         "exsyncd.conf:6: [mailbox a@x] deliver_group: '99999999999' is too large for a group; "
         "write its name\n"},
        {PROFILE "connecting_sid = sid\n" MAILBOX "[mailbox b@x]\nidentity = b@x\n",
         "exsyncd.conf:6: [mailbox a@x] identity: is missing; the profile 'contoso' has "
         "connecting_sid = sid, so write the mailbox's SID, such as "
         "S-1-5-21-1004336348-1177238915-682003330-1103\n"
         "exsyncd.conf:8: [mailbox b@x] identity: 'b@x' is no SID; write one such as "
         "S-1-5-21-1004336348-1177238915-682003330-1103\n"},
        {PROFILE "connecting_sid = upn\n" MAILBOX "identity = anna\n",
         "exsyncd.conf:7: [mailbox a@x] identity: 'anna' is no user principal name; write one such "
         "as anna@contoso.com\n"},
        {PROFILE MAILBOX "identity = anna@x\n",
         "exsyncd.conf:6: [mailbox a@x] identity: is of no use here; the profile 'contoso' names "
         "mailboxes by their address, so delete it, or give the profile connecting_sid = upn or "
         "sid\n"},
    };
    check_all(*state, cases, COUNT(cases));
}

static void what_is_odd_but_possible_is_a_warning(void **state)
{
    static const struct mistake cases[] = {
        {"[exsyncd]\n", "exsyncd.conf: warning: there is no mailbox; write a section [mailbox "
                        "ADDRESS] for each\n"},
        {PROFILE MAILBOX "incoming = no\n", "exsyncd.conf:5: warning: [mailbox a@x]: neither "
                                            "incoming nor outgoing mail is on; nothing "
                                            "is done for it\n"},
        {PROFILE "tls_verification = dangerously-disabled\n" MAILBOX,
         "exsyncd.conf:5: warning: [profile contoso] tls_verification: the server's certificate is "
         "not checked; anybody in between can take the password and the mail\n"},
        {PROFILE "process_email_from = 2999-01-01\n" MAILBOX,
         "exsyncd.conf:5: warning: [profile contoso] process_email_from: is still to come; mail "
         "that is received before then is left alone\n"},
        {PROFILE MAILBOX "deliver_mode = 0644\n",
         "exsyncd.conf:6: warning: [mailbox a@x] deliver_mode: everybody on this machine can read "
         "the mail; 0640 with a deliver_group keeps it to some\n"},
        {PROFILE MAILBOX "deliver_group = 0\ndeliver_mode = 0600\n",
         "exsyncd.conf:7: warning: [mailbox a@x] deliver_mode: the deliver_group cannot read the "
         "mail; 0640 lets it\n"},
        {PROFILE "[profile p]\n" URL MAILBOX "profile = contoso\n",
         "exsyncd.conf:5: warning: [profile p]: no mailbox is on it; write profile = p in a "
         "mailbox's section, or delete it\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        config_free(assert_taken(*state, cases[i].text, cases[i].report));
}

static void one_run_tells_of_every_mistake_in_the_order_of_the_files(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "conf.d/more.conf",
                 "[mailbox bob@contoso.com]\nprocess_email_from = yesterday\n"
                 "[mailbox anna@contoso.com]\n[anna@b.de]\n");
    assert_refused(
        folder,
        "stray = 1\n"
        "[exsyncd]\n"
        "log_level = inof\n"
        "forget_after = 30\n"
        "foo\n"
        "[profil x]\n"
        "a = b\n"
        "[profile c]\n"
        "url = mail.contoso.com\n"
        "username = svc\n"
        "password = hunter2\n"
        "password_file = hunter2\n"
        "max_connections = 1000\n"
        "[mailbox-defaults]\n"
        "profile = cc\n"
        "deliver_group = no-such-group\n"
        "after_processing = move:INBOX\n"
        "[mailbox anna@contoso.com]\n"
        "outgoing = yes\n"
        "deliver = maildir:/srv/%x\n",
        "exsyncd.conf:1: a key stands before the first section; write [exsyncd] or another section "
        "above it\n"
        "exsyncd.conf:3: [exsyncd] log_level: 'inof' is not known; did you mean info? It can be "
        "error, warning, notice, info or debug\n"
        "exsyncd.conf:4: [exsyncd] forget_after: '30' has no unit; write 30s for seconds, 30m for "
        "minutes\n"
        "exsyncd.conf:5: [exsyncd]: the line has no =; write KEY = VALUE, and begin a comment with "
        "#\n"
        "exsyncd.conf:6: [profil x]: is no section; did you mean [profile x]? The sections are "
        "[exsyncd], [profile NAME], [smtp], [mailbox-defaults] and [mailbox ADDRESS]\n"
        "exsyncd.conf:9: [profile c] url: does not begin with https://; write "
        "https://mail.contoso.com/EWS/Exchange.asmx\n"
        "exsyncd.conf:11: [profile c] password: is no key; a password is not written here but into "
        "a file of its own (chmod 600) that password_file names\n"
        "exsyncd.conf:12: [profile c] password_file: is no absolute path; write one that begins "
        "with /\n"
        "exsyncd.conf:13: [profile c] max_connections: '1000' is too large; 1 to 100 can be given\n"
        "exsyncd.conf:15: [mailbox-defaults] profile: there is no profile 'cc'; did you mean c?\n"
        "exsyncd.conf:16: [mailbox-defaults] deliver_group: there is no group 'no-such-group'; "
        "make "
        "it (groupadd --system) or name another\n"
        "exsyncd.conf:17: [mailbox-defaults] after_processing: 'INBOX' is one of the folders that "
        "mail is taken from; name another\n"
        "exsyncd.conf:20: [mailbox anna@contoso.com] deliver: '%x' is not known; the letters are "
        "%u "
        "(the address), %n (before its @), %d (behind it) and %% (a percent sign)\n"
        "conf.d/more.conf:2: [mailbox bob@contoso.com] process_email_from: 'yesterday' is no time; "
        "write now, a date such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z\n"
        "conf.d/more.conf:3: [mailbox anna@contoso.com]: is there twice, first at exsyncd.conf:18; "
        "delete one of them\n"
        "conf.d/more.conf:4: [anna@b.de]: is no section; did you mean [mailbox anna@b.de]? The "
        "sections are [exsyncd], [profile NAME], [smtp], [mailbox-defaults] and [mailbox "
        "ADDRESS]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(a_key_in_the_wrong_place_is_told),
        folder_test(a_profile_must_be_able_to_sign_in),
        folder_test(certificates_are_read_when_the_configuration_is),
        folder_test(a_mailbox_needs_a_profile),
        folder_test(mailboxes_must_not_get_into_each_others_way),
        folder_test(a_mailbox_twice_in_two_files_names_both),
        folder_test(folders_and_what_follows_must_fit),
        folder_test(what_is_odd_but_possible_is_a_warning),
        folder_test(one_run_tells_of_every_mistake_in_the_order_of_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files, lines and sections: what is read, and what is refused, before values are looked at. */
#include "config_folder.h"

static void a_small_configuration_gets_every_default(void **state)
{
    struct config *config = assert_taken(*state, PROFILE "[mailbox Anna@Contoso.com]\n", "");
    assert_int_equal(config->log_level, 6);
    assert_null(config->state_directory);
    assert_null(config->control_socket);
    assert_int_equal(config->forget_after_ms, UINT64_C(90) * 24 * 3600 * 1000);
    assert_int_equal(config->ledger_keep_ms, UINT64_C(90) * 24 * 3600 * 1000);
    assert_int_equal(config->summary_interval_ms, 3600 * 1000);
    assert_int_equal(config->file_threads, 16);

    assert_int_equal(config->profile_count, 1);
    const struct config_profile *profile = config_find_profile(config, "contoso");
    assert_string_equal(profile->url, "https://mail.contoso.com/EWS/Exchange.asmx");
    assert_string_equal(profile->username, "CONTOSO\\svc-sync");
    assert_string_equal(secret_reveal(profile->password), "correct horse");
    assert_int_equal(profile->auth, CONFIG_AUTH_NEGOTIATE);
    assert_int_equal(profile->connecting_sid, CONFIG_SID_PRIMARY_SMTP);
    assert_true(profile->impersonation);
    assert_true(profile->tls_verify);
    assert_false(profile->has_process_from);
    assert_int_equal(profile->max_connections, 10);
    assert_int_equal(profile->page_size, 250);
    assert_int_equal(profile->batch_size, 20);
    assert_int_equal(profile->batch_bytes, 16000000);
    assert_int_equal(profile->max_message_size, 0);
    assert_int_equal(profile->poll_interval_ms, 300000);
    assert_int_equal(profile->request_timeout_ms, 60000);
    assert_int_equal(profile->connect_timeout_ms, 15000);
    assert_int_equal(profile->retry_min_ms, 30000);
    assert_int_equal(profile->retry_max_ms, 3600000);
    assert_int_equal(profile->item_attempts, 5);
    assert_null(profile->owner);
    assert_null(profile->tls_ca_file);

    const struct config_mailbox *mailbox = config_find_mailbox(config, "anna@contoso.com");
    assert_non_null(mailbox);
    assert_null(mailbox->rare);
    const struct config_mailbox_settings *settings = mailbox->settings;
    assert_ptr_equal(settings->profile, profile);
    assert_true(settings->incoming);
    assert_false(settings->outgoing);
    assert_string_equal(settings->folders[0], "Inbox");
    assert_null(settings->folders[1]);
    assert_string_equal(settings->maildir, "/var/lib/exsyncd/mail/%d/%n");
    assert_false(settings->has_deliver_group);
    assert_int_equal(settings->deliver_mode, 0600);
    assert_int_equal(settings->line_endings, CONFIG_LINE_ENDINGS_LF);
    assert_int_equal(settings->after_processing, CONFIG_AFTER_LEAVE);
    assert_null(settings->move_folder);
    assert_false(settings->has_process_from);
    assert_null(config_find_mailbox(config, "anna@contoso.co"));
    assert_null(config_find_profile(config, "Contoso"));
    config_free(config);
}

static void comments_white_space_and_line_ends_do_not_matter(void **state)
{
    struct config *config = assert_taken(*state,
                                         "\xef\xbb\xbf; comment\r\n# comment\r\n\r\n"
                                         "  [profile  My Exchange ]  ; comment\r\n"
                                         "\turl\t=\thttps://m/EWS/Exchange.asmx ; comment\r\n"
                                         "  max_connections: 5\r\n"
                                         "   page_size=20\r\n"
                                         "[mailbox a@x] # comment",
                                         "");
    const struct config_profile *profile = config_find_profile(config, "My Exchange");
    assert_non_null(profile);
    assert_string_equal(profile->url, "https://m/EWS/Exchange.asmx");
    assert_int_equal(profile->max_connections, 5);
    assert_int_equal(profile->page_size, 20);
    config_free(config);
}

static void percent_semicolon_and_hash_stay_in_values(void **state)
{
    struct config *config = assert_taken(*state,
                                         PROFILE "[mailbox a@x]\n"
                                                 "folders = 100%, a;b, Order #1, a=b, [x]\n",
                                         "");
    const char *const *folders = config->mailboxes[0].settings->folders;
    assert_string_equal(folders[0], "100%");
    assert_string_equal(folders[1], "a;b");
    assert_string_equal(folders[2], "Order #1");
    assert_string_equal(folders[3], "a=b");
    assert_string_equal(folders[4], "[x]");
    assert_null(folders[5]);
    config_free(config);
}

/* libinih would cut the title at 49 bytes. */
static void a_long_address_is_not_cut(void **state)
{
    static const char address[] =
        "a.very.long.name.of.somebody.with.many.names@mailboxes.department.contoso.example.com";
    struct buffer text = {0};
    buffer_append_format(&text, PROFILE "[mailbox %s]\n", address);
    struct config *config = assert_taken(*state, text.data, "");
    assert_non_null(config_find_mailbox(config, address));
    config_free(config);
    buffer_release(&text);
}

/* libinih would split it into two lines. */
static void a_line_is_refused_when_libinih_cannot_take_it(void **state)
{
    struct buffer text = {0};
    buffer_append_string(&text, PROFILE "[mailbox a@x]\nfolders = ");
    size_t start = text.length - strlen("folders = ");
    while (text.length < start + 198)
        buffer_append_char(&text, 'f');
    struct buffer longest = {0};
    buffer_append_format(&longest, "%s\r\n", text.data);
    struct config *config = assert_taken(*state, longest.data, "");
    assert_int_equal(strlen(config->mailboxes[0].settings->folders[0]), 198 - strlen("folders = "));
    config_free(config);
    buffer_append_string(&text, "f\nfolders = Inbox\nbogus = 1\n");
    assert_refused(
        *state, text.data,
        "exsyncd.conf:6: the line is too long; at most 198 bytes are read, and a list of "
        "folders may be given in several lines of folders\n"
        "exsyncd.conf:8: [mailbox a@x] bogus: is no key; exsyncd.conf(5) lists them\n");
    buffer_release(&text);
    buffer_release(&longest);
}

static void a_long_comment_is_no_mistake(void **state)
{
    struct buffer text = {0};
    buffer_append_string(&text, PROFILE "[mailbox a@x]\n   # ");
    for (int i = 0; i < 5000; i++)
        buffer_append_string(&text, "word = ");
    buffer_append_string(&text, "\nincoming = no\n");
    struct config *config = assert_taken(
        *state, text.data,
        "exsyncd.conf:5: warning: [mailbox a@x]: neither incoming nor outgoing mail is "
        "on; nothing is done for it\n");
    config_free(config);
    buffer_release(&text);
}

/* libinih would take an indented line for more of the value above it. */
static void an_indented_line_is_a_line_of_its_own(void **state)
{
    assert_refused(
        *state,
        PROFILE "[mailbox a@x]\nfolders = Inbox,\n    Inbox/Orders\n    line_endings = crlf\n",
        "exsyncd.conf:6: [mailbox a@x] folders: a folder has no name; write folders such "
        "as Inbox or Inbox/Orders\n"
        "exsyncd.conf:7: [mailbox a@x]: the line has no =; write KEY = VALUE, and begin a "
        "comment with #\n");
}

static void folders_may_be_given_in_several_lines(void **state)
{
    struct config *config =
        assert_taken(*state,
                     PROFILE "[mailbox-defaults]\nfolders = Archive\n[mailbox a@x]\n"
                             "folders = Inbox\nincoming = yes\nfolders = Inbox/A, Inbox/B\n"
                             "[mailbox b@x]\n",
                     "");
    const char *const *folders = config->mailboxes[0].settings->folders;
    assert_string_equal(folders[0], "Inbox");
    assert_string_equal(folders[1], "Inbox/A");
    assert_string_equal(folders[2], "Inbox/B");
    assert_null(folders[3]);
    assert_string_equal(config->mailboxes[1].settings->folders[0], "Archive");
    assert_null(config->mailboxes[1].settings->folders[1]);
    config_free(config);
}

static void what_is_no_text_is_refused(void **state)
{
    struct config_folder *folder = *state;
    static const char zero[] = "[exsyncd]\nlog_level = info\0\nbogus = 1\n";
    static const char utf16[] = "\xff\xfe[\0e\0x\0\n\0";
    folder_write_bytes(folder, "exsyncd.conf", zero, sizeof zero - 1, 0600);
    assert_null(folder_load(folder));
    assert_string_equal(folder->report.data,
                        "exsyncd.conf:2: [exsyncd]: the line has a zero byte, or the file is in "
                        "UTF-16; the rest is not read; write the file in UTF-8\n");
    folder_write_bytes(folder, "exsyncd.conf", utf16, sizeof utf16 - 1, 0600);
    assert_null(folder_load(folder));
    assert_string_equal(folder->report.data,
                        "exsyncd.conf:1: the line has a zero byte, or the file is in UTF-16; the "
                        "rest is not read; write the file in UTF-8\n");
    assert_refused(folder, "[exsyncd]\nlog_level = in\x1b[31mfo\n[mailbox m\xfc@x]\nincoming = x\n",
                   "exsyncd.conf:2: [exsyncd]: the line has a control character or is not UTF-8; "
                   "write the file in UTF-8\n"
                   "exsyncd.conf:3: [exsyncd]: the line has a control character or is not UTF-8; "
                   "write the file in UTF-8\n");
}

static void wrong_titles_are_told_once_and_their_keys_passed_over(void **state)
{
#define KNOWN                                                                              \
    "The sections are [exsyncd], [profile NAME], [smtp], [mailbox-defaults] and [mailbox " \
    "ADDRESS]\n"
    assert_refused(
        *state,
        "x = 1\ny = 2\n[exsyncd eins]\nx = 1\n[profile]\nx = 1\n[profile \"a\"]\nx = 1\n"
        "[mailboxes a@x]\nx = 1\n[mailbox-default]\n[a@x]\n[Exsyncd]\n[network]\n[mailbox a@x\n"
        "[mailbox ../a@x]\nx = 1\n[exsyncd] log_level = info\nx = 1\n[]\n",
        "exsyncd.conf:1: a key stands before the first section; write [exsyncd] or another section "
        "above it\n"
        "exsyncd.conf:3: [exsyncd eins]: takes no name; write [exsyncd]\n"
        "exsyncd.conf:5: [profile]: has no name; write [profile contoso]\n"
        "exsyncd.conf:7: [profile \"a\"]: has quotes in its name; write it without\n"
        "exsyncd.conf:9: [mailboxes a@x]: is no section; did you mean [mailbox a@x]? " KNOWN
        "exsyncd.conf:11: [mailbox-default]: is no section; did you mean [mailbox-defaults]? " KNOWN
        "exsyncd.conf:12: [a@x]: is no section; did you mean [mailbox a@x]? " KNOWN
        "exsyncd.conf:13: [Exsyncd]: is no section; did you mean [exsyncd]? " KNOWN
        "exsyncd.conf:14: [network]: is no section; the sections are [exsyncd], [profile NAME], "
        "[smtp], "
        "[mailbox-defaults] and [mailbox ADDRESS]\n"
        "exsyncd.conf:15: the title of a section has no ]; write [mailbox a@x]\n"
        "exsyncd.conf:16: [mailbox ../a@x]: '../a@x' is no address: a dot stands before its @ "
        "where "
        "none can be; write one such as anna@contoso.com\n"
        "exsyncd.conf:18: [exsyncd]: something stands behind the ]; write keys in lines of their "
        "own\n"
        "exsyncd.conf:20: []: is no section; the sections are [exsyncd], [profile NAME], [smtp], "
        "[mailbox-defaults] and [mailbox ADDRESS]\n");
}

static void drop_ins_are_read_in_the_order_of_their_names(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "conf.d/20.conf", "[mailbox b@x]\nbogus = 1\n");
    folder_write(folder, "conf.d/10.conf", "[mailbox a@x]\nbogus = 1\n");
    folder_write(folder, "conf.d/.hidden.conf", "bogus\n");
    folder_write(folder, "conf.d/30.conf.dpkg-old", "bogus\n");
    folder_write(folder, "conf.d/40.conf", "bogus = 1\n");
    char path[128], null[128];
    snprintf(path, sizeof path, "%s/conf.d/50.conf", folder->path);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(null, sizeof null, "%s/conf.d/60.conf", folder->path);
    assert_int_equal(symlink("/dev/null", null), 0); /* a masked file */
    snprintf(null, sizeof null, "%s/conf.d/70.conf", folder->path);
    assert_int_equal(symlink("nowhere", null), 0);
    assert_refused(folder, PROFILE,
                   "conf.d/10.conf:2: [mailbox a@x] bogus: is no key; exsyncd.conf(5) lists them\n"
                   "conf.d/20.conf:2: [mailbox b@x] bogus: is no key; exsyncd.conf(5) lists them\n"
                   "conf.d/40.conf:1: a key stands before the first section; write [exsyncd] or "
                   "another section above it\n"
                   "conf.d/50.conf: is no file; take it away or name it so that it does not end in "
                   ".conf\n"
                   "conf.d/70.conf: cannot be read: No such file or directory; write it, or name "
                   "another with --config\n");
}

static void sections_without_a_name_go_on_in_other_files(void **state)
{
    struct config_folder *folder = *state;
    folder_write(folder, "conf.d/a.conf",
                 "[exsyncd]\nfile_threads = 4\nlog_level = debug\n"
                 "[mailbox-defaults]\nline_endings = crlf\n");
    struct config *config =
        assert_taken(folder, "[exsyncd]\nsummary_interval = 2h\n" PROFILE "[mailbox a@x]\n", "");
    assert_int_equal(config->file_threads, 4);
    assert_int_equal(config->summary_interval_ms, 7200000);
    assert_int_equal(config->mailboxes[0].settings->line_endings, CONFIG_LINE_ENDINGS_CRLF);
    config_free(config);
    assert_refused(folder, "[exsyncd]\nlog_level = info\n" PROFILE "[mailbox a@x]\n",
                   "conf.d/a.conf:3: [exsyncd] log_level: is given twice, first at "
                   "exsyncd.conf:2; delete one of them\n");
}

static void a_missing_file_is_told(void **state)
{
    struct config_folder *folder = *state;
    assert_null(folder_load(folder));
    assert_string_equal(
        folder->report.data,
        "exsyncd.conf: cannot be read: No such file or directory; write it, or name "
        "another with --config\n");
    struct buffer report = {0};
    assert_null(config_load(folder->path, &report));
    assert_non_null(strstr(report.data, ": the file cannot be read: Is a directory; "));
    buffer_release(&report);
}

/* --- the socket, or the state directory, alone --- */

/* What is told of it, or the last line of the report behind "?"; until the next one. */
typedef bool read_alone(const char *main_path, char **path, struct buffer *report);

static const char *read_by(read_alone *read, struct config_folder *folder, const char *text)
{
    static char told[512];
    char path[128], *found = NULL;
    struct buffer report = {0};
    folder_write(folder, "exsyncd.conf", text);
    snprintf(path, sizeof path, "%s/exsyncd.conf", folder->path);
    bool known = read(path, &found, &report);
    if (known)
        snprintf(told, sizeof told, "%s", found == NULL ? "not given" : found);
    else
        snprintf(told, sizeof told, "?%s", strrchr(buffer_string(&report), '/') + 1);
    assert_true(known || found == NULL);
    assert_int_equal(report.length > 0, !known);
    memory_free(found);
    buffer_release(&report);
    return told;
}

static const char *socket_of(struct config_folder *folder, const char *text)
{
    return read_by(config_read_control_socket, folder, text);
}

static void the_socket_is_told_whatever_else_is_wrong(void **state)
{
    assert_string_equal(socket_of(*state, "[exsyncd]\ncontrol_socket = /run/x.sock\n"),
                        "/run/x.sock");
    assert_string_equal(socket_of(*state, "[exsyncd]\ncontrol_socket = none\n"), "none");
    assert_string_equal(socket_of(*state, "[exsyncd]\n"), "not given");
    /* A password that cannot be read, and what only a whole configuration has, do not matter. */
    assert_string_equal(
        socket_of(*state, "[profile contoso]\npassword_file = /nonexistent/password\n"),
        "not given");
    assert_string_equal(socket_of(*state, "[nonsense]\n[exsyncd]\ncontrol_socket = /run/x.sock\n"),
                        "/run/x.sock");
    folder_write(*state, "conf.d/socket.conf", "[exsyncd]\ncontrol_socket = /run/y.sock\n");
    assert_string_equal(socket_of(*state, "[exsyncd]\n"), "/run/y.sock");
}

static void the_socket_is_not_guessed_where_a_mistake_may_hide_it(void **state)
{
    assert_string_equal(socket_of(*state, "[exsyncd]\ncontrol_sockt = /run/x.sock\n"),
                        "?exsyncd.conf:2: [exsyncd] control_sockt: is no key; did you mean "
                        "control_socket?\n");
    const char *wrong = socket_of(*state, "[exsyncd]\ncontrol_socket = x.sock\n");
    assert_int_equal(wrong[0], '?');
}

static void the_state_directory_is_told_in_the_same_way(void **state)
{
    assert_string_equal(read_by(config_read_state_directory, *state,
                                "[nonsense]\n[exsyncd]\nstate_directory = /srv/state\n"),
                        "/srv/state");
    assert_string_equal(read_by(config_read_state_directory, *state, "[exsyncd]\n"), "not given");
}

/* --- the report --- */

static void only_the_word_behind_the_place_makes_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool warning;
    } samples[] = {
        {"/etc/exsyncd.conf:3: warning: [profile a] tls_verification: anybody can read", true},
        {"/etc/exsyncd.conf: warning: it is empty", true},
        {"/etc/exsyncd.conf:3: [a: warning: b]: is no section", false},
        {"/etc/exsyncd.conf:3: warnings: is no key", false},
        {"", false},
        {": warning", false},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        assert_int_equal(config_is_warning(samples[i].line, strlen(samples[i].line)),
                         samples[i].warning);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(a_small_configuration_gets_every_default),
        folder_test(comments_white_space_and_line_ends_do_not_matter),
        folder_test(percent_semicolon_and_hash_stay_in_values),
        folder_test(a_long_address_is_not_cut),
        folder_test(a_line_is_refused_when_libinih_cannot_take_it),
        folder_test(a_long_comment_is_no_mistake),
        folder_test(an_indented_line_is_a_line_of_its_own),
        folder_test(folders_may_be_given_in_several_lines),
        folder_test(what_is_no_text_is_refused),
        folder_test(wrong_titles_are_told_once_and_their_keys_passed_over),
        folder_test(drop_ins_are_read_in_the_order_of_their_names),
        folder_test(sections_without_a_name_go_on_in_other_files),
        folder_test(a_missing_file_is_told),
        folder_test(the_socket_is_told_whatever_else_is_wrong),
        folder_test(the_socket_is_not_guessed_where_a_mistake_may_hide_it),
        folder_test(the_state_directory_is_told_in_the_same_way),
        folder_test(only_the_word_behind_the_place_makes_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Values as people write them, each kind by itself. */
#include "config_folder.h"

#include "config/config_suggest.h"
#include "config/config_value.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Reads the value of a key; returns false with the sentence in `wrong`. */
static bool read_value(enum config_key_id id, const char *text, struct config_value *value,
                       struct buffer *wrong)
{
    static char copy[512];
    snprintf(copy, sizeof copy, "%s", text);
    buffer_clear(wrong);
    return config_value_read(&config_keys[id], copy, value, wrong);
}

struct good {
    enum config_key_id key;
    const char *text;
    uint64_t number;
};

struct bad {
    enum config_key_id key;
    const char *text;
    const char *sentence;
};

static void check_good(const struct good *cases, size_t count)
{
    struct buffer wrong = {0};
    for (size_t i = 0; i < count; i++) {
        struct config_value value;
        if (!read_value(cases[i].key, cases[i].text, &value, &wrong))
            fail_msg("%s: %s", cases[i].text, buffer_string(&wrong));
        assert_int_equal(value.number, cases[i].number);
    }
    buffer_release(&wrong);
}

static void check_bad(const struct bad *cases, size_t count)
{
    struct buffer wrong = {0};
    for (size_t i = 0; i < count; i++) {
        struct config_value value;
        if (read_value(cases[i].key, cases[i].text, &value, &wrong))
            fail_msg("'%s' was taken", cases[i].text);
        assert_string_equal(buffer_string(&wrong), cases[i].sentence);
    }
    buffer_release(&wrong);
}

static void numbers_with_units_are_read(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {CONFIG_KEY_POLL_INTERVAL, "30s", 30000},
        {CONFIG_KEY_POLL_INTERVAL, "5m", 300000},
        {CONFIG_KEY_POLL_INTERVAL, "5min", 300000},
        {CONFIG_KEY_POLL_INTERVAL, "1h", 3600000},
        {CONFIG_KEY_POLL_INTERVAL, "1h 30m", 5400000},
        {CONFIG_KEY_POLL_INTERVAL, "1h30m", 5400000},
        {CONFIG_KEY_POLL_INTERVAL, "1500ms", 1500},
        {CONFIG_KEY_POLL_INTERVAL, "2 d", UINT64_C(172800000)},
        {CONFIG_KEY_POLL_INTERVAL, "1w", UINT64_C(604800000)},
        {CONFIG_KEY_FORGET_AFTER, "90d", UINT64_C(7776000000)},
        {CONFIG_KEY_BATCH_BYTES, "25MB", 25000000},
        {CONFIG_KEY_BATCH_BYTES, "25 MiB", 26214400},
        {CONFIG_KEY_BATCH_BYTES, "1M", 1048576},
        {CONFIG_KEY_BATCH_BYTES, "64K", 65536},
        {CONFIG_KEY_BATCH_BYTES, "1GB", 1000000000},
        {CONFIG_KEY_BATCH_BYTES, "5000", 5000},
        {CONFIG_KEY_BATCH_BYTES, "5000B", 5000},
        {CONFIG_KEY_MAX_MESSAGE_SIZE, "0", 0},
        {CONFIG_KEY_MAX_MESSAGE_SIZE, "1G", 1073741824},
        {CONFIG_KEY_MAX_CONNECTIONS, "1", 1},
        {CONFIG_KEY_MAX_CONNECTIONS, "100", 100},
        {CONFIG_KEY_DELIVER_MODE, "0640", 0640},
        {CONFIG_KEY_DELIVER_MODE, "600", 0600},
    };
    check_good(cases, COUNT(cases));
}

static void yes_and_no_have_four_spellings_each(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {CONFIG_KEY_INCOMING, "yes", 1},  {CONFIG_KEY_INCOMING, "no", 0},
        {CONFIG_KEY_INCOMING, "true", 1}, {CONFIG_KEY_INCOMING, "false", 0},
        {CONFIG_KEY_INCOMING, "on", 1},   {CONFIG_KEY_INCOMING, "off", 0},
        {CONFIG_KEY_INCOMING, "1", 1},    {CONFIG_KEY_INCOMING, "0", 0},
        {CONFIG_KEY_INCOMING, "Yes", 1},
    };
    check_good(cases, COUNT(cases));
}

static void wrong_durations_and_sizes_are_told(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {CONFIG_KEY_POLL_INTERVAL, "30",
         "'30' has no unit; write 30s for seconds, 30m for minutes"},
        {CONFIG_KEY_POLL_INTERVAL, "1h 30",
         "'1h 30' has no unit; write 30s for seconds, 30m for minutes"},
        {CONFIG_KEY_POLL_INTERVAL, "5 minutes",
         "'5 minutes' has an unknown unit; the units are ms, s, m, h, d and w"},
        {CONFIG_KEY_POLL_INTERVAL, "soon",
         "'soon' is no duration; write one such as 30s, 5m, 1h or 90d"},
        {CONFIG_KEY_POLL_INTERVAL, "-5m",
         "'-5m' is no duration; write one such as 30s, 5m, 1h or 90d"},
        {CONFIG_KEY_POLL_INTERVAL, "1.5h",
         "'1.5h' is no duration; write one such as 30s, 5m, 1h or 90d"},
        {CONFIG_KEY_POLL_INTERVAL, "0", "'0' is too short; 1s to 1w can be given"},
        {CONFIG_KEY_POLL_INTERVAL, "0m 0s", "'0m 0s' is too short; 1s to 1w can be given"},
        {CONFIG_KEY_POLL_INTERVAL, "999ms", "'999ms' is too short; 1s to 1w can be given"},
        {CONFIG_KEY_POLL_INTERVAL, "8d", "'8d' is too long; 1s to 1w can be given"},
        {CONFIG_KEY_POLL_INTERVAL, "99999999999999999999d",
         "'99999999999999999999d' is too long; 1s to 1w can be given"},
        {CONFIG_KEY_POLL_INTERVAL, "18446744073709551615w",
         "'18446744073709551615w' is too long; 1s to 1w can be given"},
        {CONFIG_KEY_BATCH_BYTES, "999", "'999' is too small; 1KB to 1GB can be given"},
        {CONFIG_KEY_BATCH_BYTES, "2GB", "'2GB' is too large; 1KB to 1GB can be given"},
        {CONFIG_KEY_BATCH_BYTES, "18446744073709551616",
         "'18446744073709551616' is too large; 1KB to 1GB can be given"},
        {CONFIG_KEY_BATCH_BYTES, "25 megabytes",
         "'25 megabytes' has an unknown unit; the units are KB, MB, GB (thousands) and KiB, MiB, "
         "GiB (1024s)"},
        {CONFIG_KEY_BATCH_BYTES, "big", "'big' is no size; write one such as 500KB, 25MB or 1GiB"},
        {CONFIG_KEY_BATCH_BYTES, "1MB 2KB",
         "'1MB 2KB' is no size; write one such as 500KB, 25MB or 1GiB"},
    };
    check_bad(cases, COUNT(cases));
}

static void wrong_words_and_numbers_are_told(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {CONFIG_KEY_INCOMING, "ja", "'ja' is neither yes nor no; write yes or no"},
        {CONFIG_KEY_LOG_LEVEL, "inof",
         "'inof' is not known; did you mean info? It can be error, warning, notice, info or debug"},
        {CONFIG_KEY_LOG_LEVEL, "loud",
         "'loud' is not known; it can be error, warning, notice, info or debug"},
        {CONFIG_KEY_AUTH, "NTLM",
         "'NTLM' is not known; did you mean ntlm? It can be negotiate, ntlm or basic"},
        {CONFIG_KEY_CONNECTING_SID, "primary-smtp",
         "'primary-smtp' is not known; did you mean primary_smtp? It can be primary_smtp, smtp, "
         "upn or sid"},
        {CONFIG_KEY_AFTER_PROCESSING, "move",
         "names no folder; write move: and a folder, such as move:Inbox/Done"},
        {CONFIG_KEY_AFTER_PROCESSING, "move:FOLDER",
         "names no folder; write move: and a folder, such as move:Inbox/Done"},
        {CONFIG_KEY_AFTER_PROCESSING,
         "move:", "a folder has no name; write folders such as Inbox or Inbox/Orders"},
        {CONFIG_KEY_AFTER_PROCESSING, "mark-read",
         "'mark-read' is not known; did you mean mark_read? It can be leave, mark_read, "
         "move:FOLDER, delete or purge"},
        {CONFIG_KEY_MAX_CONNECTIONS, "ten", "'ten' is no whole number; 1 to 100 can be given"},
        {CONFIG_KEY_MAX_CONNECTIONS, "+5", "'+5' is no whole number; 1 to 100 can be given"},
        {CONFIG_KEY_MAX_CONNECTIONS, "0", "'0' is too small; 1 to 100 can be given"},
        {CONFIG_KEY_MAX_CONNECTIONS, "101", "'101' is too large; 1 to 100 can be given"},
        {CONFIG_KEY_MAX_CONNECTIONS, "99999999999999999999999",
         "'99999999999999999999999' is too large; 1 to 100 can be given"},
        {CONFIG_KEY_MAX_CONNECTIONS, "10 # ten",
         "'10 # ten' is no whole number; 1 to 100 can be given (a comment behind a value begins "
         "with a semicolon)"},
        {CONFIG_KEY_DELIVER_MODE, "rw", "'rw' is no mode; write an octal one such as 0600 or 0640"},
        {CONFIG_KEY_DELIVER_MODE, "0680",
         "'0680' is no mode; write an octal one such as 0600 or 0640"},
        {CONFIG_KEY_DELIVER_MODE, "0777",
         "'0777' is no mode for mail; the owner must be able to read and write (0600), and nobody "
         "to execute it; write 0600 or 0640"},
        {CONFIG_KEY_DELIVER_MODE, "0440",
         "'0440' is no mode for mail; the owner must be able to read and write (0600), and nobody "
         "to execute it; write 0600 or 0640"},
        {CONFIG_KEY_USERNAME, "\"svc\"", "is written in quotes; write it without"},
        {CONFIG_KEY_FOLDERS, "Inbox, \\",
         "ends in a backslash; a value ends with its line and is not carried on in the next"},
        {CONFIG_KEY_FOLDERS, "Inbox,,Sent",
         "a folder has no name; write folders such as Inbox or Inbox/Orders"},
        {CONFIG_KEY_FOLDERS, "/Inbox",
         "a folder begins with a slash; write folders such as Inbox or Inbox/Orders"},
        {CONFIG_KEY_FOLDERS, "Inbox/",
         "a folder ends in a slash; write folders such as Inbox or Inbox/Orders"},
        {CONFIG_KEY_FOLDERS, "Inbox//Orders",
         "a folder has two slashes in a row; write folders such as Inbox or Inbox/Orders"},
        {CONFIG_KEY_MAILBOX_PROCESS_FROM, "2026-02-30",
         "'2026-02-30' is no time; write now, a date such as 2026-01-31 or a time such as "
         "2026-01-31T08:00:00Z"},
        {CONFIG_KEY_STATE_DIRECTORY, "state", "is no absolute path; write one that begins with /"},
        {CONFIG_KEY_PASSWORD_CREDENTIAL, "/etc/password",
         "is not the name of a credential; write the name that stands in LoadCredential=NAME:FILE, "
         "and use password_file for a path"},
    };
    check_bad(cases, COUNT(cases));
}

static void times_are_utc_unless_they_say_otherwise(void **state)
{
    (void)state;
    struct buffer wrong = {0};
    struct config_value value;
    assert_true(read_value(CONFIG_KEY_PROFILE_PROCESS_FROM, "now", &value, &wrong));
    assert_true(value.now);
    assert_true(read_value(CONFIG_KEY_PROFILE_PROCESS_FROM, "2024-02-29", &value, &wrong));
    assert_false(value.now);
    assert_int_equal(value.time_ms, INT64_C(1709164800000));
    assert_true(
        read_value(CONFIG_KEY_PROFILE_PROCESS_FROM, "2024-02-29T01:00:00+01:00", &value, &wrong));
    assert_int_equal(value.time_ms, INT64_C(1709164800000));
    buffer_release(&wrong);
}

static void addresses_are_checked_and_made_lower_case(void **state)
{
    (void)state;
    static const char *const good[] = {"Anna@Contoso.com", "a.b+c=d@x", "o'neil@x-y.example",
                                       "svc_1@corp_int.local", "%u@x"};
    static const char *const bad[] = {
        "anna",        "@x",          "anna@",        "a@b@c",    "../x@y",        ".a@x",
        "a.@x",        "a..b@x",      "a/b@x",        "a b@x",    "a@x..y",        "a@.x",
        "a@x.",        "a@-x",        "a@x-",         "a@x/y",    "\"a b\"@x",     "a\\b@x",
        "m\xc3\xbc@x", "a@m\xc3\xbc", "anna@x@y.com", "<anna@x>", "anna@[1.2.3.4]"};
    struct buffer wrong = {0};
    struct config_value value;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(read_value(CONFIG_KEY_OWNER, good[i], &value, &wrong));
    assert_true(read_value(CONFIG_KEY_OWNER, good[0], &value, &wrong));
    assert_string_equal(value.text, "anna@contoso.com");
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(read_value(CONFIG_KEY_OWNER, bad[i], &value, &wrong));
    char length[300] = {0};
    memset(length, 'a', 64);
    strcpy(length + 64, "@x");
    assert_true(read_value(CONFIG_KEY_OWNER, length, &value, &wrong));
    memset(length, 'a', 65);
    strcpy(length + 65, "@x");
    assert_false(read_value(CONFIG_KEY_OWNER, length, &value, &wrong));
    assert_true(config_is_sid("S-1-5-21-1004336348-1177238915-682003330-1103"));
    assert_false(config_is_sid("S-1-5"));
    assert_false(config_is_sid("S-1-5-"));
    assert_false(config_is_sid("s-1-5-21"));
    assert_false(config_is_sid("S-1-5-21-x"));
    buffer_release(&wrong);
}

static void urls_are_https_or_stay_on_this_machine(void **state)
{
    (void)state;
    static const char *const good[] = {"https://mail.contoso.com/EWS/Exchange.asmx",
                                       "HTTPS://mail:8443/EWS/Exchange.asmx",
                                       "https://[2001:db8::1]/EWS/Exchange.asmx",
                                       "http://localhost:8080/EWS/Exchange.asmx",
                                       "http://127.0.0.1:80/EWS/Exchange.asmx",
                                       "http://[::1]:80/EWS/Exchange.asmx",
                                       "http://127.200.30.4/EWS/Exchange.asmx",
                                       "https://mail.contoso.com/some/where/else.asp"};
    static const struct bad bad[] = {
        {CONFIG_KEY_URL, "mail.contoso.com",
         "does not begin with https://; write https://mail.contoso.com/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "http://mail.contoso.com/EWS/Exchange.asmx",
         "is not encrypted, and http:// is for this machine only; write "
         "https://mail.contoso.com/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "http://127.0.0.1.contoso.com/x",
         "is not encrypted, and http:// is for this machine only; write "
         "https://127.0.0.1.contoso.com/x"},
        {CONFIG_KEY_URL, "http://127.0.0.1.5/x",
         "is not encrypted, and http:// is for this machine only; write https://127.0.0.1.5/x"},
        {CONFIG_KEY_URL, "http://127.0.0.256/x",
         "is not encrypted, and http:// is for this machine only; write https://127.0.0.256/x"},
        {CONFIG_KEY_URL, "ftp://mail.contoso.com",
         "does not begin with https://; write https://mail.contoso.com/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://mail.contoso.com",
         "has no path; write https://mail.contoso.com/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://mail.contoso.com:8443/",
         "has no path; write https://mail.contoso.com:8443/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https:///EWS/Exchange.asmx",
         "has a wrong host or port; write https://HOST/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://mail:0/EWS",
         "has a wrong host or port; write https://HOST/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://mail:70000/EWS",
         "has a wrong host or port; write https://HOST/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://[::1/EWS",
         "has a wrong host or port; write https://HOST/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://mail/EWS?x=y",
         "has a character in its path that cannot be there; write https://mail/EWS/Exchange.asmx"},
        {CONFIG_KEY_URL, "https://svc:hunter2@mail/EWS",
         "names an account; write https://HOST/EWS/Exchange.asmx, and the account in username and "
         "password_file"},
    };
    struct buffer wrong = {0};
    struct config_value value;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(read_value(CONFIG_KEY_URL, good[i], &value, &wrong));
    buffer_release(&wrong);
    check_bad(bad, COUNT(bad));
}

static void maildir_paths_are_absolute_and_without_traversal(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"maildir:/srv/mail/%d/%n", "/srv/mail/%d/%n"},
        {"maildir:/srv//mail/./%u/", "/srv/mail/%u"},
        {"maildir:/srv/100%%/%u", "/srv/100%%/%u"},
        {"maildir:/srv/..mail", "/srv/..mail"},
    };
    static const struct bad bad[] = {
        {CONFIG_KEY_DELIVER, "/srv/mail",
         "'/srv/mail' does not begin with maildir:; write maildir:/srv/mail"},
        {CONFIG_KEY_DELIVER, "mbox:/srv/mail",
         "'mbox:/srv/mail' does not begin with maildir:; write "
         "maildir:/var/lib/exsyncd/mail/%d/%n"},
        {CONFIG_KEY_DELIVER, "maildir:mail/%u",
         "'mail/%u' is no absolute path; write one such as maildir:/var/lib/exsyncd/mail/%d/%n"},
        {CONFIG_KEY_DELIVER, "maildir:/srv/%x",
         "'%x' is not known; the letters are %u (the address), %n (before its @), %d (behind it) "
         "and %% (a percent sign)"},
        {CONFIG_KEY_DELIVER, "maildir:/srv/100%",
         "'%' is not known; the letters are %u (the address), %n (before its @), %d (behind it) "
         "and %% (a percent sign)"},
        {CONFIG_KEY_DELIVER, "maildir:/srv/../etc",
         "'/srv/../etc' has .. in it; write the path without"},
        {CONFIG_KEY_DELIVER, "maildir:/./",
         "names the root of the file system; write a path such as "
         "maildir:/var/lib/exsyncd/mail/%d/%n"},
    };
    struct buffer wrong = {0};
    struct config_value value;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(read_value(CONFIG_KEY_DELIVER, good[i][0], &value, &wrong));
        assert_string_equal(value.text, good[i][1]);
    }
    buffer_release(&wrong);
    check_bad(bad, COUNT(bad));
}

static void near_words_are_suggested_and_far_ones_are_not(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"max_conections", "max_connections", "max_connections"},
        {"MaxConnections", "max_connections", "max_connections"},
        {"max-connections", "max_connections", "max_connections"},
        {"user", "username", "username"},
        {"ulr", "url", "url"},
        {"x", "url", NULL},
        {"colour", "folders", NULL},
        {"", "url", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config_suggestion suggestion = config_suggestion_start(cases[i][0]);
        config_suggestion_consider(&suggestion, "summary_interval");
        config_suggestion_consider(&suggestion, cases[i][1]);
        if (cases[i][2] == NULL)
            assert_null(suggestion.best);
        else
            assert_string_equal(suggestion.best, cases[i][2]);
    }
    char endless[4000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    struct config_suggestion suggestion = config_suggestion_start(endless);
    config_suggestion_consider(&suggestion, "url");
    assert_null(suggestion.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_with_units_are_read),
        cmocka_unit_test(yes_and_no_have_four_spellings_each),
        cmocka_unit_test(wrong_durations_and_sizes_are_told),
        cmocka_unit_test(wrong_words_and_numbers_are_told),
        cmocka_unit_test(times_are_utc_unless_they_say_otherwise),
        cmocka_unit_test(addresses_are_checked_and_made_lower_case),
        cmocka_unit_test(urls_are_https_or_stay_on_this_machine),
        cmocka_unit_test(maildir_paths_are_absolute_and_without_traversal),
        cmocka_unit_test(near_words_are_suggested_and_far_ones_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

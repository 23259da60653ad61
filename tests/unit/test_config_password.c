/* Passwords: which files are taken, and that no report ever holds a part of one. */
#include "config_folder.h"

#include "config/config_password.h"

#include <grp.h>
#include <pwd.h>

#define KEY "exsyncd.conf:4: [profile contoso] password_file: "

static const char text[] = PROFILE "[mailbox a@x]\n";

/* Writes the file, loads, and returns the sentence about it. */
static const char *sentence_about(struct config_folder *folder, const char *bytes, size_t length,
                                  mode_t mode)
{
    folder_write_bytes(folder, "password", bytes, length, mode);
    folder_write(folder, "exsyncd.conf", text);
    assert_null(folder_load(folder));
    assert_null(strstr(folder->report.data, "hunter2"));
    assert_memory_equal(folder->report.data, KEY, strlen(KEY));
    return folder->report.data + strlen(KEY);
}

static void check_taken(struct config_folder *folder, const char *bytes, size_t length, mode_t mode,
                        const char *password)
{
    folder_write_bytes(folder, "password", bytes, length, mode);
    struct config *config = assert_taken(folder, text, "");
    assert_string_equal(secret_reveal(config->profiles[0].password), password);
    config_free(config);
}

static void one_line_end_is_taken_off(void **state)
{
    struct config_folder *folder = *state;
    check_taken(folder, "hunter2", 7, 0600, "hunter2");
    check_taken(folder, "hunter2\n", 8, 0400, "hunter2");
    check_taken(folder, "hunter2\r\n", 9, 0600, "hunter2");
    check_taken(folder, " hun ter2 \n", 11, 0600, " hun ter2 ");
    check_taken(folder, "hunter2\r", 8, 0600, "hunter2\r");
}

static void what_cannot_be_a_password_is_told(void **state)
{
    struct config_folder *folder = *state;
    char longest[514];
    memset(longest, 'x', sizeof longest);
    longest[512] = '\n';
    assert_string_equal(sentence_about(folder, "", 0, 0600),
                        "is empty; write the password into the file\n");
    assert_string_equal(sentence_about(folder, "\n", 1, 0600),
                        "is empty; write the password into the file\n");
    assert_string_equal(sentence_about(folder, "hunter2\0x\n", 10, 0600),
                        "holds a zero byte; write the password as plain text in UTF-8 into the "
                        "file\n");
    assert_string_equal(sentence_about(folder, "hunter2\n\n", 9, 0600),
                        "holds more than one line; write the password and nothing else into the "
                        "file\n");
    longest[512] = 'x';
    assert_string_equal(sentence_about(folder, longest, 513, 0600),
                        "holds more than 512 bytes; write the password and nothing else into the "
                        "file\n");
    longest[512] = '\n';
    folder_write_bytes(folder, "password", longest, 513, 0600);
    config_free(assert_taken(folder, text, ""));
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0644, 0620, 0602, 0601, 0610};
    struct config_folder *folder = *state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char expected[256];
        snprintf(expected, sizeof expected,
                 "can be read or changed by others (mode %04o); chmod 600 password, and change the "
                 "password if somebody could have seen it\n",
                 (unsigned)modes[i]);
        assert_string_equal(sentence_about(folder, "hunter2\n", 8, modes[i]), expected);
    }
}

/* "daemon" is a user with a group of its own wherever there is one; "adm" is a group, and no user.
 */
static void a_file_of_root_may_be_read_by_a_group_of_one(void **state)
{
    struct config_folder *folder = *state;
    const struct passwd *user = getpwnam("daemon");
    const struct group *group = getgrnam("adm"); /* overwritten by the next one */
    if (geteuid() != 0 || user == NULL || group == NULL)
        skip();
    const gid_t shared = group->gr_gid;
    group = getgrnam("daemon");
    if (group == NULL || user->pw_gid != group->gr_gid || group->gr_mem[0] != NULL)
        skip();
    char path[128];
    snprintf(path, sizeof path, "%s/password", folder->path);
    folder_write_bytes(folder, "password", "hunter2\n", 8, 0600);
    const struct {
        uid_t owner;
        gid_t group;
        mode_t mode;
        bool taken;
    } cases[] = {
        {0, group->gr_gid, 0640, true},
        {0, group->gr_gid, 0440, true},
        {0, group->gr_gid, 0660, false},
        {0, group->gr_gid, 0644, false},
        {0, group->gr_gid, 0650, false},
        {0, shared, 0640, false},
        {user->pw_uid, group->gr_gid, 0640, false},
        {0, 0, 0640, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer wrong = {0};
        assert_int_equal(chown(path, cases[i].owner, cases[i].group), 0);
        assert_int_equal(chmod(path, cases[i].mode), 0);
        struct secret *password = config_password_from_file(path, &wrong);
        assert_int_equal(password != NULL, cases[i].taken);
        secret_free(password);
        buffer_release(&wrong);
    }
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    struct config_folder *folder = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/password", folder->path);
    unlink(path);
    folder_write(folder, "exsyncd.conf", text);
    assert_null(folder_load(folder));
    assert_string_equal(
        folder->report.data,
        KEY "cannot be read: No such file or directory; write the password into "
            "that file, for exsyncd alone to read (chown root:exsyncd and chmod 640)\n");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(folder_load(folder));
    assert_string_equal(folder->report.data,
                        KEY "is no regular file; write the password into one\n");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(folder_load(folder));
    assert_string_equal(folder->report.data,
                        KEY "is no regular file; write the password into one\n");
}

static void a_file_of_somebody_else_is_not_to_be_had(void **state)
{
    struct config_folder *folder = *state;
    char path[128];
    struct buffer wrong = {0};
    if (geteuid() != 0)
        skip();
    snprintf(path, sizeof path, "%s/password", folder->path);
    assert_int_equal(chmod(folder->path, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    struct secret *password = config_password_from_file(path, &wrong);
    assert_int_equal(seteuid(0), 0);
    assert_null(password);
    assert_string_equal(wrong.data, "cannot be read: Permission denied; give it to the one that "
                                    "runs exsyncd (user nobody) and chmod 600 it");
    buffer_release(&wrong);
}

static void credentials_come_from_systemd(void **state)
{
#define WITH_CREDENTIAL                                              \
    "[profile p]\nurl = https://m/EWS/Exchange.asmx\nusername = u\n" \
    "password_credential = exchange\n[mailbox a@x]\n"
    struct config_folder *folder = *state;
    assert_refused(folder, WITH_CREDENTIAL,
                   "exsyncd.conf:4: [profile p] password_credential: cannot be read: "
                   "$CREDENTIALS_DIRECTORY is not set, so systemd gave no credentials; put "
                   "LoadCredential=NAME:FILE into a drop-in of exsyncd.service, or, to check by "
                   "hand, set CREDENTIALS_DIRECTORY to a folder that holds the file\n");
    setenv("CREDENTIALS_DIRECTORY", folder->path, 1);
    assert_refused(
        folder, WITH_CREDENTIAL,
        "exsyncd.conf:4: [profile p] password_credential: cannot be read from "
        "$CREDENTIALS_DIRECTORY: No such file or directory; put LoadCredential=NAME:FILE "
        "into a drop-in of exsyncd.service\n");
    /* systemd's access list shows as a bit of the group. */
    folder_write_bytes(folder, "exchange", "hunter2\n", 8, 0440);
    struct config *config = assert_taken(folder, WITH_CREDENTIAL, "");
    assert_string_equal(secret_reveal(config->profiles[0].password), "hunter2");
    config_free(config);
    unsetenv("CREDENTIALS_DIRECTORY");
}

/* People put passwords where they do not belong; the report goes into logs. */
static void a_password_in_the_wrong_place_is_never_repeated(void **state)
{
    static const char *const lines[] = {
        "password = hunter2",
        "Password: hunter2",
        "passwd = hunter2",
        "secret = hunter2",
        "password_file = hunter2",
        "password_file = \"hunter2\"",
        "password_file = /hunter2",
        "password_credential = hunter2",
        "password_credential = ./hunter2",
        "url = https://svc:hunter2@m/EWS/Exchange.asmx",
        "url = https://svc:hunt/er2hunter2@m/EWS/Exchange.asmx",
        "url = svc:hunter2",
        "username = svc:hunter2",
        "username = hunter2\\",
        "hunter2",
    };
    struct config_folder *folder = *state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buffer file = {0};
        buffer_append_format(&file, "[profile p]\nauth = basic\n%s\n[mailbox a@x]\n", lines[i]);
        folder_write(folder, "exsyncd.conf", file.data);
        assert_null(folder_load(folder));
        assert_non_null(strstr(folder->report.data, "exsyncd.conf:3: [profile p]"));
        assert_null(strstr(folder->report.data, "hunter2"));
        buffer_release(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(one_line_end_is_taken_off),
        folder_test(what_cannot_be_a_password_is_told),
        folder_test(a_file_that_others_can_read_is_refused),
        folder_test(a_file_of_root_may_be_read_by_a_group_of_one),
        folder_test(what_is_no_file_is_refused_without_waiting),
        folder_test(a_file_of_somebody_else_is_not_to_be_had),
        folder_test(credentials_come_from_systemd),
        folder_test(a_password_in_the_wrong_place_is_never_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

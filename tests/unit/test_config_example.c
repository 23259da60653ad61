/* conf/exsyncd.conf says what the table of keys says, and can be used. With --write FILE this
 * program writes the file instead. */
#include "config_folder.h"

#include "config/config_example.h"

static char *read_example(void)
{
    struct buffer text = {0};
    char block[4096];
    FILE *stream = fopen("conf/exsyncd.conf", "r");
    if (stream == NULL)
        fail_msg("conf/exsyncd.conf cannot be read; run this in the root of the tree");
    for (size_t count; (count = fread(block, 1, sizeof block, stream)) > 0;)
        buffer_append(&text, block, count);
    fclose(stream);
    return buffer_take(&text);
}

static void the_example_is_what_the_table_says(void **state)
{
    (void)state;
    struct buffer expected = {0};
    config_example_write(&expected);
    char *example = read_example();
    if (strcmp(example, expected.data) != 0)
        fail_msg("conf/exsyncd.conf differs from the table of keys; write it anew with "
                 "test_config_example --write conf/exsyncd.conf");
    memory_free(example);
    buffer_release(&expected);
}

static void every_key_stands_in_the_example_once(void **state)
{
    (void)state;
    char *example = read_example();
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char line[64];
        size_t count = 0, wanted = 0;
        snprintf(line, sizeof line, "\n#%s = ", config_keys[i].name);
        for (const char *at = example; (at = strstr(at, line)) != NULL; at++)
            count++;
        for (size_t j = 0; j < CONFIG_KEY_COUNT; j++)
            wanted += strcmp(config_keys[i].name, config_keys[j].name) == 0;
        assert_int_equal(count, wanted);
    }
    memory_free(example);
}

static void every_key_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        assert_non_null(key->name);
        assert_non_null(key->text);
        assert_true((key->initial == NULL) != (key->example == NULL));
        assert_ptr_equal(config_key_find(key->section, key->name), key);
    }
}

static void the_example_as_it_is_has_no_mistakes(void **state)
{
    char *example = read_example();
    config_free(assert_taken(*state, example,
                             "exsyncd.conf: warning: there is no mailbox; write a section [mailbox "
                             "ADDRESS] for each\n"));
    memory_free(example);
}

/* Takes the # off every line that is a setting; comments for people have a space behind it. */
static char *uncomment(const char *example)
{
    struct buffer text = {0};
    for (const char *at = example; *at != '\0'; at++) {
        bool line_start = at == example || at[-1] == '\n';
        if (line_start && *at == '#' && at[1] != ' ' && at[1] != '\n')
            continue;
        buffer_append_char(&text, *at);
    }
    return buffer_take(&text);
}

static void every_key_can_be_given_as_the_example_shows_it(void **state)
{
    static const char *const replacements[][2] = {
        {"/etc/exsyncd/contoso.password", "$DIR/password"},
        {"/etc/ssl/certs/contoso-ca.pem", "$DIR/pem"},
        {"/etc/exsyncd/smtp.password", "$DIR/password"},
        {"/etc/ssl/certs/contoso-smtp-ca.pem", "$DIR/pem"},
        {"/usr/local/bin/page-admins", "/bin/true"},
        {"notify = exchange", "notify = exchange, smtp, command"},
        {"\npassword_credential", "\n#password_credential"},
        {"connecting_sid = primary_smtp", "connecting_sid = sid"},
        {"deliver_group = mail", "deliver_group = 8"},
        {"deliver_mode = 0600", "deliver_mode = 0640"},
        {"outgoing = no", "outgoing = yes"},
    };
    struct config_folder *folder = *state;
    char *example = read_example();
    char *text = uncomment(example);
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++) {
        assert_non_null(strstr(text, replacements[i][0]));
        char *replaced = replace_all(text, replacements[i][0], replacements[i][1]);
        memory_free(text);
        text = replaced;
    }
    folder_write(folder, "pem", "-----BEGIN CERTIFICATE-----\n");
    struct config *config = assert_taken(folder, text, "");
    assert_string_equal(config->state_directory, "/var/lib/exsyncd");
    assert_string_equal(config->control_socket, "/run/exsyncd/control.sock");
    assert_string_equal(config->profiles[0].http_user_agent, "exsyncd");
    assert_string_equal(config->smtp->from, "exsyncd@contoso.com");
    assert_string_equal(config->mailboxes[0].rare->renamed_from, "anna.old@contoso.com");
    config_free(config);
    memory_free(text);
    memory_free(example);
}

static int write_example(const char *path)
{
    struct buffer text = {0};
    config_example_write(&text);
    FILE *stream = fopen(path, "w");
    bool good = stream != NULL && fputs(text.data, stream) >= 0;
    good = stream != NULL && fclose(stream) == 0 && good;
    buffer_release(&text);
    return good ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--write") == 0)
        return write_example(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_complete),
        cmocka_unit_test(the_example_is_what_the_table_says),
        cmocka_unit_test(every_key_stands_in_the_example_once),
        folder_test(the_example_as_it_is_has_no_mistakes),
        folder_test(every_key_can_be_given_as_the_example_shows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

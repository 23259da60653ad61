/* Mailboxes: what they take from [mailbox-defaults], what they share, where their mail goes. */
#include "config_folder.h"

#include <grp.h>

static void a_mailbox_overlays_the_defaults(void **state)
{
    struct config *config = assert_taken(
        *state,
        PROFILE "process_email_from = 2024-02-29\n"
                "[mailbox-defaults]\ndeliver = maildir:/srv/mail/%u\nline_endings = crlf\n"
                "after_processing = move:Inbox/Done\ndeliver_group = 0\nfolders = Inbox, Orders\n"
                "[mailbox c@x]\n"
                "[mailbox b@x]\nline_endings = lf\ndeliver_mode = 0660\nprocess_email_from = now\n"
                "[mailbox a@x]\nafter_processing = purge\nprocess_email_from = 2025-01-01\n"
                "renamed_from = Old@x\n",
        "");
    const struct config_mailbox *a = &config->mailboxes[0], *b = a + 1, *c = a + 2;
    assert_int_equal(config->mailbox_count, 3);
    assert_string_equal(c->settings->maildir, "/srv/mail/%u");
    assert_int_equal(c->settings->line_endings, CONFIG_LINE_ENDINGS_CRLF);
    assert_int_equal(c->settings->after_processing, CONFIG_AFTER_MOVE);
    assert_string_equal(c->settings->move_folder, "Inbox/Done");
    assert_true(c->settings->has_deliver_group);
    assert_int_equal(c->settings->deliver_group, 0);
    assert_int_equal(c->settings->deliver_mode, 0640);
    assert_string_equal(c->settings->folders[1], "Orders");
    assert_true(c->settings->has_process_from);
    assert_int_equal(c->settings->process_from_ms, INT64_C(1709164800000));
    assert_null(c->rare);

    assert_int_equal(b->settings->line_endings, CONFIG_LINE_ENDINGS_LF);
    assert_int_equal(b->settings->deliver_mode, 0660);
    assert_false(b->settings->has_process_from);

    assert_int_equal(a->settings->after_processing, CONFIG_AFTER_PURGE);
    assert_null(a->settings->move_folder);
    assert_int_equal(a->settings->process_from_ms, INT64_C(1735689600000));
    assert_string_equal(a->rare->renamed_from, "old@x");
    assert_null(a->rare->identity);
    config_free(config);
}

static void a_group_is_found_by_name(void **state)
{
    const struct group *group = getgrgid(0);
    if (group == NULL)
        skip();
    struct buffer text = {0};
    buffer_append_format(&text, PROFILE "[mailbox a@x]\ndeliver_group = %s\n", group->gr_name);
    struct config *config = assert_taken(*state, text.data, "");
    assert_true(config->mailboxes[0].settings->has_deliver_group);
    assert_int_equal(config->mailboxes[0].settings->deliver_group, 0);
    config_free(config);
    buffer_release(&text);
}

static void an_identity_names_a_mailbox_to_exchange(void **state)
{
    struct config *config = assert_taken(
        *state,
        PROFILE "connecting_sid = upn\n"
                "[profile s]\nurl = https://m/EWS/Exchange.asmx\nconnecting_sid = sid\n"
                "[mailbox-defaults]\nprofile = s\n"
                "[mailbox a@x]\nidentity = S-1-5-21-1-2-3-1103\n"
                "[mailbox b@x]\nprofile = contoso\nidentity = Bob@Corp.local\n"
                "[mailbox c@x]\nprofile = contoso\n",
        "");
    assert_string_equal(config->mailboxes[0].rare->identity, "S-1-5-21-1-2-3-1103");
    assert_string_equal(config->mailboxes[1].rare->identity, "Bob@Corp.local");
    assert_null(config->mailboxes[2].rare);
    config_free(config);
}

static void the_path_of_a_maildir_is_its_template_filled_in(void **state)
{
    static const char *const cases[][3] = {
        {"maildir:/srv/mail/%d/%n", "/srv/mail/contoso.com/anna.%u", "/srv/mail"},
        {"maildir:/srv/mail/%u", "/srv/mail/anna.%u@contoso.com", "/srv/mail"},
        {"maildir:/srv/mail-%n/x", "/srv/mail-anna.%u/x", "/srv"},
        {"maildir:/srv/100%%/%n/Maildir", "/srv/100%/anna.%u/Maildir", "/srv/100%"},
        {"maildir:/srv/one//", "/srv/one", "/srv/one"},
        {"maildir:/%d", "/contoso.com", "/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer text = {0};
        buffer_append_format(&text, PROFILE "[mailbox Anna.%%u@contoso.com]\ndeliver = %s\n",
                             cases[i][0]);
        struct config *config = assert_taken(*state, text.data, "");
        char *path = config_maildir_path(&config->mailboxes[0]);
        char *root = config_maildir_root(config->mailboxes[0].settings);
        assert_string_equal(path, cases[i][1]);
        assert_string_equal(root, cases[i][2]);
        memory_free(path);
        memory_free(root);
        config_free(config);
        buffer_release(&text);
    }
}

static void mailboxes_configured_alike_share_their_settings(void **state)
{
    struct config *config =
        assert_taken(*state,
                     PROFILE "[mailbox a@x]\n[mailbox b@x]\nincoming = on\nfolders =  Inbox\n"
                             "[mailbox c@x]\nincoming = yes\nprofile = contoso\n"
                             "deliver = maildir:/var/lib/exsyncd//mail/%d/%n\ndeliver_mode = 600\n"
                             "[mailbox d@x]\nfolders = Inbox, Sent Items\n"
                             "[mailbox e@x]\nfolders = Inbox\nfolders = Sent Items\n"
                             "[mailbox f@x]\nafter_processing = mark_read\n",
                     "");
    const struct config_mailbox *mailboxes = config->mailboxes;
    assert_ptr_equal(mailboxes[0].settings, mailboxes[1].settings);
    assert_ptr_equal(mailboxes[0].settings, mailboxes[2].settings);
    assert_ptr_not_equal(mailboxes[0].settings, mailboxes[3].settings);
    assert_ptr_equal(mailboxes[3].settings, mailboxes[4].settings);
    assert_ptr_not_equal(mailboxes[0].settings, mailboxes[5].settings);
    config_free(config);
}

static void ten_thousand_mailboxes_are_small(void **state)
{
    enum { COUNT = 10000 };
    struct config_folder *folder = *state;
    struct buffer text = {0};
    for (int i = 0; i < COUNT; i++) {
        buffer_append_format(&text, "[mailbox First%05d.Lastname@department%d.contoso.com]\n", i,
                             i % 7);
        if (i % 3 == 0)
            buffer_append_string(&text, "after_processing = mark_read\nline_endings = crlf\n");
    }
    folder_write(folder, "conf.d/mailboxes.conf", text.data);
    struct config *config = assert_taken(folder, PROFILE, "");
    assert_int_equal(config->mailbox_count, COUNT);
    const struct config_mailbox_settings *plain =
        config_find_mailbox(config, "first00001.lastname@department1.contoso.com")->settings;
    const struct config_mailbox_settings *other =
        config_find_mailbox(config, "first00000.lastname@department0.contoso.com")->settings;
    assert_ptr_not_equal(plain, other);
    for (int i = 0; i < COUNT; i++) {
        const struct config_mailbox_settings *settings = config->mailboxes[i].settings;
        assert_true(settings == plain || settings == other);
        assert_null(config->mailboxes[i].rare);
    }
    assert_in_range(config_memory(config), COUNT * sizeof(struct config_mailbox), 1000000);
    config_free(config);

    /* All different: still compact, and each is found again. */
    buffer_clear(&text);
    for (int i = 0; i < COUNT; i++)
        buffer_append_format(&text, "[mailbox u%d@x]\nfolders = Inbox/%d\n", i, i);
    folder_write(folder, "conf.d/mailboxes.conf", text.data);
    config = assert_taken(folder, PROFILE, "");
    for (int i = 0; i < COUNT; i++) {
        char address[32], wanted[32];
        snprintf(address, sizeof address, "u%d@x", i);
        snprintf(wanted, sizeof wanted, "Inbox/%d", i);
        const struct config_mailbox *mailbox = config_find_mailbox(config, address);
        assert_string_equal(mailbox->settings->folders[0], wanted);
    }
    assert_in_range(config_memory(config), 1, 3000000);
    config_free(config);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(a_mailbox_overlays_the_defaults),
        folder_test(a_group_is_found_by_name),
        folder_test(an_identity_names_a_mailbox_to_exchange),
        folder_test(the_path_of_a_maildir_is_its_template_filled_in),
        folder_test(mailboxes_configured_alike_share_their_settings),
        folder_test(ten_thousand_mailboxes_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

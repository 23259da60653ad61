/* A message is found among files, whatever else lies there. */
#include "base/buffer.h"
#include "base/memory.h"
#include "daemon/failed_file.h"
#include "daemon/mail_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int make_folder(void **state)
{
    char template[] = "/tmp/exsyncd-search-XXXXXX";
    char *folder = memory_copy_string(mkdtemp(template));
    *state = folder;
    return folder == NULL;
}

static int remove_folder(void **state)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    int status = system(command);
    memory_free(*state);
    return status;
}

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static struct mail_search search(const char *folder, const char *message_id, const char *subject)
{
    struct mail_search search = {.message_id = message_id, .subject = subject};
    mail_search_folder(&search, folder);
    return search;
}

static void check_found(const char *folder, const char *message_id, const char *subject,
                        size_t count)
{
    struct mail_search found = search(folder, message_id, subject);
    assert_int_equal(found.count, count);
    mail_search_release(&found);
}

static void a_message_is_found_by_its_header_alone(void **state)
{
    write_file(*state, "1",
               "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n an Anna\nMessage-ID:\n <a@b>\n\n"
               "Subject: other\n");
    write_file(*state, "2", "Message-ID: <c@d>\r\nSubject: hello\r\n\r\nGr\u00fc\u00dfe\r\n");
    check_found(*state, "a@b", NULL, 1);
    check_found(*state, "<a@b>", NULL, 1);
    check_found(*state, NULL, "\u00fc\u00dfe AN", 1);
    check_found(*state, NULL, "HELLO", 1);
    check_found(*state, NULL, "other", 0);
    check_found(*state, "a@", NULL, 0);
    struct mail_search found = search(*state, "c@d", NULL);
    assert_string_equal(found.matches[0].name, "2");
    assert_string_equal(found.matches[0].subject, "hello");
    assert_string_equal(found.matches[0].message_id, "<c@d>");
    assert_int_equal(found.files, 2);
    assert_false(found.partly);
    mail_search_release(&found);
}

static void what_is_no_message_is_passed_over(void **state)
{
    char path[512];
    write_file(*state, "empty", "");
    write_file(*state, ".hidden", "Subject: hello\n\n");
    write_file(*state, "outside", "Subject: elsewhere\n\n");
    snprintf(path, sizeof path, "%s/link", (char *)*state);
    assert_int_equal(symlink("outside", path), 0);
    snprintf(path, sizeof path, "%s/pipe", (char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/folder", (char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    check_found(*state, NULL, "hello", 0);
    check_found(*state, NULL, "elsewhere", 1);
    check_found("/nonexistent", NULL, "hello", 0);
}

static void of_many_files_the_newest_are_read(void **state)
{
    char name[32];
    for (unsigned i = 0; i < MAIL_SEARCH_NEWEST + 50; i++) {
        snprintf(name, sizeof name, "%010u", (i * 7919) % (MAIL_SEARCH_NEWEST + 50));
        write_file(*state, name,
                   strcmp(name, "0000000049") == 0   ? "Subject: just too old\n\n"
                   : strcmp(name, "0000000050") == 0 ? "Subject: just not\n\n"
                                                     : "Subject: other\n\n");
    }
    struct mail_search found = search(*state, NULL, "just");
    assert_int_equal(found.count, 1);
    assert_string_equal(found.matches[0].subject, "just not");
    assert_int_equal(found.files, MAIL_SEARCH_NEWEST);
    assert_true(found.partly);
    mail_search_release(&found);

    found = search(*state, NULL, "other");
    assert_int_equal(found.count, MAIL_SEARCH_FOUND);
    assert_true(found.partly);
    mail_search_release(&found);
}

static void a_search_that_nobody_waits_for_ends(void **state)
{
    atomic_bool stop = true;
    struct mail_search search = {.subject = "hello", .stop = &stop};
    write_file(*state, "1", "Subject: hello\n\n");
    mail_search_folder(&search, *state);
    assert_int_equal(search.count, 0);
}

static void a_delivered_file_is_found_by_its_number(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/cur", (char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(path, "1700000000.0123456789abb1r00000000000000ff.host,S=5:2,S",
               "Subject: order 7\nMessage-ID: <a@b>\n\nx");
    struct mail_search_file file;
    char *found = mail_search_delivered(*state, 255, &file, NULL);
    assert_non_null(strstr(found, "/cur/1700000000."));
    assert_string_equal(file.subject, "order 7");
    assert_string_equal(file.message_id, "<a@b>");
    memory_free(found);
    memory_free(file.subject);
    memory_free(file.message_id);
    assert_null(mail_search_delivered(*state, 254, &file, NULL));
    assert_null(mail_search_delivered(*state, 0, &file, NULL));
}

/* Where the Maildir is, is the administrator's choice; what is in it may be a consumer's doing. */
static void links_are_followed_to_a_maildir_and_not_within_it(void **state)
{
    static const char name[] = "1700000000.0123456789abb1r00000000000000ff.host,S=5";
    char real[512], link[512], new[512], elsewhere[512];
    struct mail_search_file file;
    snprintf(real, sizeof real, "%s/real", (char *)*state);
    snprintf(link, sizeof link, "%s/link", (char *)*state);
    snprintf(new, sizeof new, "%s/real/new", (char *)*state);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", (char *)*state);
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(mkdir(new, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    write_file(new, name, "Subject: hello\n\n");
    char *found = mail_search_delivered(link, 255, &file, NULL);
    assert_non_null(found);
    memory_free(found);
    memory_free(file.subject);
    assert_int_equal(rename(new, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, new), 0);
    assert_null(mail_search_delivered(link, 255, &file, NULL));
    check_found(new, NULL, "hello", 0);
    check_found(elsewhere, NULL, "hello", 1);
}

static void one_file_is_told_with_its_header_and_owner(void **state)
{
    char path[512], link[512];
    struct mail_search_file file;
    snprintf(path, sizeof path, "%s/one", (char *)*state);
    snprintf(link, sizeof link, "%s/link", (char *)*state);
    write_file(*state, "one", "Subject: hello\n\n");
    assert_true(mail_search_file(path, &file));
    assert_string_equal(file.subject, "hello");
    assert_null(file.message_id);
    assert_int_equal(file.size, 16);
    assert_int_equal(file.owner, getuid());
    memory_free(file.subject);
    assert_int_equal(symlink(path, link), 0);
    assert_false(mail_search_file(link, &file));
    assert_false(mail_search_file(*state, &file));
}

static void a_reason_is_one_line(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/reason", (char *)*state);
    write_file(*state, "reason", "No.\nBcc: a@b\n");
    char *line = mail_search_first_line(path);
    assert_string_equal(line, "No.");
    memory_free(line);
    write_file(*state, "reason", "");
    assert_null(mail_search_first_line(path));
    assert_null(mail_search_first_line("/nonexistent"));
}

static void the_command_that_sends_a_failed_message_again_can_be_pasted(void **state)
{
    (void)state;
    struct buffer text = {0};
    char *path = failed_file_path("/srv/ex sync/outbox", "ID");
    failed_file_explain(&text, path, "ID", false);
    assert_non_null(strstr(buffer_string(&text),
                           "(exsync-submit -t -i < \"/srv/ex sync/outbox/failed/ID.eml\")"));
    assert_non_null(strstr(buffer_string(&text), "(exsyncctl queue discard ID)"));
    memory_free(path);
    buffer_release(&text);
}

static void a_copy_is_sent_again_to_its_bcc_recipients_too(void **state)
{
    (void)state;
    struct buffer text = {0};
    assert_false(failed_file_is_copy(NULL));
    assert_false(failed_file_is_copy("No."));
    assert_true(failed_file_is_copy(FAILED_FILE_COPY_REASON));
    failed_file_explain(&text, "/outbox/failed/ID.eml", "ID", true);
    const char *look = strstr(buffer_string(&text), "look for it in Sent Items");
    assert_non_null(look);
    assert_non_null(strstr(look, "(exsync-submit -t -i BCC-RECIPIENT ... < "));
    assert_non_null(strstr(look, "(exsyncctl queue discard ID)"));
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
        TEST(a_message_is_found_by_its_header_alone),
        TEST(what_is_no_message_is_passed_over),
        TEST(of_many_files_the_newest_are_read),
        TEST(a_search_that_nobody_waits_for_ends),
        TEST(a_delivered_file_is_found_by_its_number),
        TEST(links_are_followed_to_a_maildir_and_not_within_it),
        TEST(a_reason_is_one_line),
        TEST(one_file_is_told_with_its_header_and_owner),
        cmocka_unit_test(the_command_that_sends_a_failed_message_again_can_be_pasted),
        cmocka_unit_test(a_copy_is_sent_again_to_its_bcc_recipients_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

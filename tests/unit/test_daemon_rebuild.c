/* After a backup was put back a Maildir is compared with the ledger before anything is fetched. */
#define _GNU_SOURCE
#include "daemon_recover_world.h"

enum { MANY = SINK_LIST_MAX + 20 };

static void recovered(struct recovery *recovery, const struct failure *failure)
{
    struct fixture *fixture = recovery->argument;
    fixture->ends++;
    fixture->end = failure == NULL ? (struct failure){0} : *failure;
    sink_free(recovery->sink);
}

static void recover_cancelled_at(struct fixture *fixture, const char *maildir, unsigned call)
{
    fixture->ends = fixture->calls = fixture->files_told = 0;
    fixture->cancel_at = call;
    fixture->mailbox->sink_ready = true;
    fixture->recovery = (struct recovery){.cycle = &fixture->cycle,
                                          .maildir = maildir,
                                          .former_maildir = maildir,
                                          .done = recovered,
                                          .argument = fixture};
    recovery_start(&fixture->recovery);
    run(fixture);
}

static void recover(struct fixture *fixture, const char *maildir)
{
    recover_cancelled_at(fixture, maildir, UINT32_MAX);
}

static void put(const struct fixture *fixture, const char *maildir, unsigned owner, unsigned number)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/new/1700000000.%.12sb%ur%016xm%032x.host,S=3", maildir,
             fixture->files.sinks->instance, owner, number, number);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* A Maildir with so many files of the mailbox, which is unchecked. */
static char *maildir_with(struct fixture *fixture, unsigned count)
{
    char *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, maildir, 0);
    for (unsigned i = 0; i < count; i++)
        put(fixture, maildir, OWNER, i + 1);
    fixture->mailbox->unchecked = true;
    return maildir;
}

static void all_its_files_are_told_to_the_ledger(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, MANY);
    put(fixture, maildir, OWNER + 1, 9999);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(fixture->files_told, MANY);
    assert_true(fixture->last_file.is_fingerprint);
    assert_int_equal(fixture->last_file.published_ms, 1700000000000);
    assert_int_equal(fixture->checked, 1);
    assert_false(fixture->mailbox->unchecked);
    assert_true(fixture->mailbox->sink_checked);
    assert_true(fixture->mailbox->may_have_open);
    assert_int_equal(logged_count(MESSAGE_RESTORE_CHECKED), 1);
    memory_free(maildir);
}

static void what_was_delivered_long_before_the_backup_is_known(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, 3);
    fixture->mailbox->check_from_ms = 1700000000000 + 2LL * 24 * 60 * 60 * 1000;
    recover(fixture, maildir);
    assert_int_equal(fixture->files_told, 0);
    assert_int_equal(fixture->checked, 1);
    memory_free(maildir);
}

static void a_mailbox_that_was_not_put_back_is_not_compared(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, 3);
    fixture->mailbox->unchecked = false;
    recover(fixture, maildir);
    assert_int_equal(fixture->files_told + fixture->checked, 0);
    assert_true(fixture->mailbox->sink_checked);
    memory_free(maildir);
}

static void a_maildir_that_is_not_mounted_stays_unchecked(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, 3), *away = path_of(fixture, "away");
    assert_int_equal(rename(maildir, away), 0);
    recover(fixture, maildir);
    assert_true(failure_is_set(&fixture->end));
    assert_true(fixture->mailbox->unchecked);
    assert_int_equal(fixture->files_told + fixture->checked, 0);
    memory_free(maildir);
    memory_free(away);
}

static void what_the_store_refuses_is_told_again(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, 3);
    fixture->mark_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    recover(fixture, maildir);
    assert_string_equal(fixture->end.code, "SQLITE_FULL");
    assert_true(fixture->mailbox->unchecked);
    assert_false(fixture->mailbox->sink_checked);
    fixture->mark_failure = (struct failure){0};
    recover(fixture, maildir);
    assert_false(fixture->mailbox->unchecked);
    assert_int_equal(fixture->files_told, 3);
    memory_free(maildir);
}

static void cancelled_at_any_moment_the_next_compares_all_of_it(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = maildir_with(fixture, MANY);
    for (unsigned call = 1; call <= 2; call++) { /* of the store: the first page, the second */
        recover_cancelled_at(fixture, maildir, call);
        assert_int_equal(fixture->end.category, FAILURE_CANCELLED);
        assert_true(fixture->mailbox->unchecked);
        assert_false(fixture->mailbox->sink_checked);
        assert_int_equal(fixture->checked, 0);
    }
    recover(fixture, maildir);
    assert_int_equal(fixture->files_told, MANY);
    assert_false(fixture->mailbox->unchecked);
    memory_free(maildir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_maildirs(all_its_files_are_told_to_the_ledger),
        with_maildirs(what_was_delivered_long_before_the_backup_is_known),
        with_maildirs(a_mailbox_that_was_not_put_back_is_not_compared),
        with_maildirs(a_maildir_that_is_not_mounted_stays_unchecked),
        with_maildirs(what_the_store_refuses_is_told_again),
        with_maildirs(cancelled_at_any_moment_the_next_compares_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Recovery: what was committed is published where it lies, before anything else, and nothing is
 * concluded from a Maildir that is not there. */
#define _GNU_SOURCE /* nftw */
#include "daemon_recover_world.h"

#include "daemon/scheduler.h"

static void recovered(struct recovery *recovery, const struct failure *failure)
{
    struct fixture *fixture = recovery->argument;
    fixture->ends++;
    fixture->end = failure == NULL ? (struct failure){0} : *failure;
    assert_int_equal(failure == NULL, recovery->sink != NULL);
}

/* The names and keys as the cycle reads them from the store. */
static void recover_cancelled_at(struct fixture *fixture, const char *maildir, unsigned call)
{
    char *names[COMMITTED_MAX];
    struct digest keys[COMMITTED_MAX];
    size_t count = fixture->committed_count;
    for (size_t i = 0; i < count; i++) {
        names[i] = memory_copy_string(fixture->committed[i]);
        keys[i] = key_of(i);
    }
    char *former = memory_copy_string(fixture->sink_path);
    fixture->ends = fixture->calls = 0;
    fixture->cancel_at = call;
    fixture->mailbox->sink_ready = former != NULL && strcmp(former, maildir) == 0;
    fixture->recovery = (struct recovery){
        .cycle = &fixture->cycle,
        .maildir = maildir,
        .former_maildir = former,
        .names = names,
        .keys = keys,
        .count = count,
        .done = recovered,
        .argument = fixture,
    };
    recovery_start(&fixture->recovery);
    if (call == 0)
        recovery_cancel(&fixture->recovery);
    if (fixture->ends == 0)
        run(fixture);
    assert_null(fixture->cycle.disk.sink);
    sink_free(fixture->recovery.sink);
    for (size_t i = 0; i < count; i++)
        memory_free(names[i]);
    memory_free(former);
}

static void recover(struct fixture *fixture, const char *maildir)
{
    recover_cancelled_at(fixture, maildir, UINT32_MAX);
}

static void what_was_committed_is_published(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, maildir, 2);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, maildir, "new"), 2);
    assert_int_equal(fixture->marked, 2);
    assert_int_equal(fixture->cycle.moved, 2);
    assert_true(fixture->mailbox->sink_checked);
    assert_int_equal(logged_count(MESSAGE_SINK_RECOVERED), 1);
    memory_free(maildir);
}

static void a_former_maildir_is_settled_before_the_configured_one_is_opened(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 2);
    fixture->must_not_exist = maildir;
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 2);
    assert_int_equal(fixture->marked, 2);
    assert_int_equal(count_in(fixture, maildir, "new"), 0);
    assert_true(exists(maildir, SINK_SPOOL "/" SINK_MARKER));
    assert_string_equal(fixture->sink_path, maildir);
    assert_true(fixture->mailbox->sink_checked);
    memory_free(former);
    memory_free(maildir);
}

static void with_nothing_committed_a_former_maildir_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "gone"), *maildir = path_of(fixture, "ann@example.com");
    fixture->sink_path = memory_copy_string(former);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(access(former, F_OK), -1);
    assert_true(exists(maildir, SINK_SPOOL "/" SINK_MARKER));
    memory_free(former);
    memory_free(maildir);
}

static void nothing_is_concluded_from_a_former_maildir_that_is_gone(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    char *away = path_of(fixture, "away");
    leave_committed(fixture, former, 1);
    assert_int_equal(rename(former, away), 0); /* as if it were not mounted */
    recover(fixture, maildir);
    assert_nothing_concluded(fixture, maildir);
    assert_int_equal(access(former, F_OK), -1); /* and nothing is created there */
    assert_int_equal(mkdir(former, 0700), 0);   /* a bare mount point */
    recover(fixture, maildir);
    assert_nothing_concluded(fixture, maildir);
    assert_int_equal(count_in(fixture, former, "."), 0);
    assert_int_equal(rmdir(former), 0);
    assert_int_equal(rename(away, former), 0);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    memory_free(former);
    memory_free(maildir);
    memory_free(away);
}

/* What must exist of a former path is the path, whatever the configured template begins with. */
static void a_former_maildir_does_not_depend_on_the_configured_root(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former");
    char *maildir = path_of(fixture, "a/root/that/is/not/mounted/ann@example.com");
    char *root = path_of(fixture, "a/root/that/is/not/mounted");
    leave_committed(fixture, former, 1);
    snprintf(fixture->template, sizeof fixture->template, "%s/%%u", root);
    recover(fixture, maildir);
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    assert_true(failure_is_set(&fixture->end)); /* of the configured one */
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(access(root, F_OK), -1);
    memory_free(former);
    memory_free(maildir);
    memory_free(root);
}

static void marks_that_the_store_refuses_are_made_by_the_next_recovery(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 1);
    fixture->mark_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    recover(fixture, maildir);
    assert_string_equal(fixture->end.code, "SQLITE_FULL");
    assert_false(fixture->mailbox->sink_checked);
    fixture->mark_failure = (struct failure){0};
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 1); /* once */
    assert_int_equal(fixture->marked, 1);
    memory_free(former);
    memory_free(maildir);
}

static void give_up(void *argument)
{
    disk_watch_give_up(argument);
}

static void a_disk_that_is_known_to_hang_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    struct sink *sink = recovery_create_sink(&fixture->cycle, maildir);
    disk_watch_begin(&fixture->cycle.disk, &fixture->cycle, sink, give_up, &fixture->cycle.disk);
    struct scheduler scheduler = {.context = &fixture->context};
    fixture->profile.owner = &scheduler;
    struct executor_timer *timer = &fixture->cycle.disk.timer;
    executor_cancel_timer(fixture->files.executor, timer);
    timer->callback(timer->argument); /* its time is over */
    executor_cancel_call(fixture->files.executor, &scheduler.dispatch);
    sink_free(sink);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.code, "DiskHangs");
    assert_int_equal(access(maildir, F_OK), -1);
    assert_false(fixture->mailbox->sink_checked);
    memory_free(maildir);
}

static void cancelled_at_any_moment_it_ends_once_and_the_next_goes_on(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    for (unsigned call = 0; call <= 2; call++) {
        leave_committed(fixture, former, 1);
        recover_cancelled_at(fixture, maildir, call);
        assert_int_equal(fixture->end.category, FAILURE_CANCELLED);
        assert_false(fixture->mailbox->sink_checked);
        recover(fixture, maildir);
        assert_string_equal(fixture->end.text, "");
        assert_true(fixture->mailbox->sink_checked);
        assert_int_equal(count_in(fixture, former, "new"), (int)call + 1);
        assert_int_equal(fixture->marked, call + 1);
        fixture->mailbox->sink_checked = false;
        world_remove_tree(maildir);
    }
    memory_free(former);
    memory_free(maildir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_maildirs(what_was_committed_is_published),
        with_maildirs(a_former_maildir_is_settled_before_the_configured_one_is_opened),
        with_maildirs(with_nothing_committed_a_former_maildir_is_left_alone),
        with_maildirs(nothing_is_concluded_from_a_former_maildir_that_is_gone),
        with_maildirs(a_former_maildir_does_not_depend_on_the_configured_root),
        with_maildirs(marks_that_the_store_refuses_are_made_by_the_next_recovery),
        with_maildirs(a_disk_that_is_known_to_hang_is_not_opened),
        with_maildirs(cancelled_at_any_moment_it_ends_once_and_the_next_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

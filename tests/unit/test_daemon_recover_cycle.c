/* Recovery as a part of the whole cycle: when it is due again, and where a renamed mailbox and one
 * whose Maildir was moved go on. */
#define _GNU_SOURCE /* nftw */
#include "daemon_recover_world.h"

#include "daemon/incoming.h"

static void cycle_ended(struct cycle *cycle)
{
    world->ends++;
    world->end = cycle->failure;
    struct direction *direction = &cycle->mailbox->incoming;
    cycle->operations->free(cycle);
    direction->state = DIRECTION_OFF;
    direction->cycle = NULL;
    mailbox_settle(direction->mailbox);
}

static void run_cycle(struct fixture *fixture)
{
    fixture->ends = 0;
    fixture->cancel_at = UINT32_MAX;
    fixture->mailbox->incoming.state = DIRECTION_RUNNING;
    incoming_start(&fixture->context, &fixture->mailbox->incoming, cycle_ended);
    run(fixture);
}

static void assert_cycle_went_through(const struct fixture *fixture)
{
    assert_string_equal(fixture->end.text, "");
    assert_string_equal(fixture->end.code, "");
    assert_false(failure_is_set(&fixture->end));
}

static void an_idle_cycle_leaves_a_maildir_alone_that_was_checked(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(fixture->mailbox->sink_checked);
    assert_string_equal(fixture->sink_path, maildir);
    world_remove_tree(maildir);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(access(maildir, F_OK), -1);
    memory_free(maildir);
}

static void a_renamed_mailbox_is_recovered_where_it_was_and_opened_where_it_is(void **state)
{
    struct fixture *fixture = *state;
    char *old = path_of(fixture, "ann@example.com"), *new = path_of(fixture, "miller@example.com");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    leave_committed(fixture, old, 1); /* a publishing that failed, say */
    mailbox_reconfigure(fixture->mailbox, &fixture->miller, &fixture->configuration,
                        &fixture->profile);
    assert_false(fixture->mailbox->sink_checked);
    assert_true(fixture->mailbox->may_have_open);
    assert_null(fixture->mailbox->folders);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(count_in(fixture, old, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    assert_true(exists(new, SINK_SPOOL "/" SINK_MARKER));
    assert_string_equal(fixture->sink_path, new);
    assert_true(fixture->mailbox->sink_checked);

    memory_free(old);
    memory_free(new);
}

static void a_mailbox_that_is_renamed_while_a_cycle_runs_is_opened_anew_by_the_next(void **state)
{
    struct fixture *fixture = *state;
    char *new = path_of(fixture, "miller@example.com");
    fixture->ends = 0;
    fixture->cancel_at = UINT32_MAX;
    fixture->mailbox->incoming.state = DIRECTION_RUNNING;
    incoming_start(&fixture->context, &fixture->mailbox->incoming, cycle_ended);
    mailbox_reconfigure(fixture->mailbox, &fixture->miller, &fixture->configuration,
                        &fixture->profile);
    assert_string_equal(mailbox_address(fixture->mailbox), "ann@example.com");
    run(fixture);
    assert_cycle_went_through(fixture);
    assert_string_equal(mailbox_address(fixture->mailbox), "miller@example.com");
    assert_false(fixture->mailbox->sink_checked);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(exists(new, SINK_SPOOL "/" SINK_MARKER));
    memory_free(new);
}

static void a_template_that_changes_makes_the_maildir_be_opened_anew(void **state)
{
    struct fixture *fixture = *state;
    char *other = path_of(fixture, "other");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    struct config_mailbox_settings settings = fixture->settings;
    settings.maildir = other;
    const struct config_mailbox moved = {.address = "ann@example.com", .settings = &settings};
    mailbox_reconfigure(fixture->mailbox, &moved, &fixture->configuration, &fixture->profile);
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(mkdir(other, 0700), 0); /* what is written out must exist */
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(exists(other, SINK_SPOOL "/" SINK_MARKER));
    mailbox_reconfigure(fixture->mailbox, &fixture->ann, &fixture->configuration,
                        &fixture->profile);
    memory_free(other);
}

static void a_configuration_that_is_the_same_keeps_what_was_checked(void **state)
{
    struct fixture *fixture = *state;
    run_cycle(fixture);
    struct config_mailbox_settings settings = fixture->settings;
    const struct config_mailbox same = {.address = "ann@example.com", .settings = &settings};
    mailbox_reconfigure(fixture->mailbox, &same, &fixture->configuration, &fixture->profile);
    assert_true(fixture->mailbox->sink_checked);
    assert_non_null(fixture->mailbox->folders);
    mailbox_reconfigure(fixture->mailbox, &fixture->ann, &fixture->configuration,
                        &fixture->profile);
}

static void a_cycle_goes_on_with_a_former_maildir_when_it_is_back(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *away = path_of(fixture, "away");
    char *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 1);
    assert_int_equal(rename(former, away), 0);
    for (int i = 0; i < 3; i++) {
        run_cycle(fixture);
        assert_nothing_concluded(fixture, maildir);
        assert_string_equal(fixture->sink_path, former);
    }
    assert_int_equal(rename(away, former), 0);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_string_equal(fixture->sink_path, maildir);
    memory_free(former);
    memory_free(away);
    memory_free(maildir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_maildirs(an_idle_cycle_leaves_a_maildir_alone_that_was_checked),
        with_maildirs(a_renamed_mailbox_is_recovered_where_it_was_and_opened_where_it_is),
        with_maildirs(a_mailbox_that_is_renamed_while_a_cycle_runs_is_opened_anew_by_the_next),
        with_maildirs(a_template_that_changes_makes_the_maildir_be_opened_anew),
        with_maildirs(a_configuration_that_is_the_same_keeps_what_was_checked),
        with_maildirs(a_cycle_goes_on_with_a_former_maildir_when_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

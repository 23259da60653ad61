/* House-keeping: stray drafts are removed, and never at the cost of mail. */
#include "daemon_send_mailbox.h"

#include "daemon/given_up.h"

/* A submission that has ended, with a stray draft on the server. */
static void leave_stray(int number, enum store_submission_state state)
{
    draft_make(number, false);
    leave(number, state);
    world.messages[number].row.stray = true;
    world.messages[number].queued_file = false;
}

/* The request was not lost, only late. */
static void a_draft_that_turns_up_late_is_removed(void **state)
{
    (void)state;
    fixture_create(1);
    leave(0, STORE_SUBMISSION_CREATING);
    cycle_run();
    assert_int_equal(world.messages[0].sent, 1);
    assert_true(world.messages[0].row.stray);
    draft_make(0, false);
    run();
    assert_sent(0);
    fixture_free();
}

static void of_several_drafts_one_is_sent_and_the_others_are_removed(void **state)
{
    (void)state;
    fixture_create(1);
    leave(0, STORE_SUBMISSION_CREATING);
    for (int i = 0; i < 3; i++)
        draft_make(0, false);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_PURGE], 1);
    assert_int_equal(world.last_count[ASK_PURGE], 2);
    fixture_free();
}

static void what_is_found_in_sent_items_is_sent_and_its_drafts_are_removed(void **state)
{
    (void)state;
    fixture_create(1);
    leave(0, STORE_SUBMISSION_CREATING);
    draft_make(0, true);
    draft_make(0, false);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_SEND], 0);
    fixture_free();
}

static void a_stray_draft_that_is_not_let_go_is_left_after_days(void **state)
{
    (void)state;
    fixture_create(2);
    world.purge_stuck = true;
    leave_stray(0, STORE_SUBMISSION_SENT);
    leave_stray(1, STORE_SUBMISSION_FAILED);
    int64_t begun_ms = world.now_ms;
    run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENT);
    assert_int_equal(state_of(1), STORE_SUBMISSION_FAILED);
    assert_true(world.now_ms - begun_ms >= SUBMISSION_LIFETIME_MS);
    assert_true(world.requests < 200);
    assert_true(world.messages[0].strays_told > 0);
    assert_int_equal(world.messages[0].sent + world.messages[1].sent, 0);
    fixture_free();
}

/* --- trouble --- */

static void mail_goes_before_strays_are_looked_for(void **state)
{
    (void)state;
    fixture_create(2);
    leave_stray(0, STORE_SUBMISSION_SENT);
    fault_at(1, FAULT_REFUSED); /* creating the new one */
    cycle_run();
    assert_string_equal(fixture.end.code, "HTTP 500");
    assert_int_equal(world.kinds[ASK_CREATE], 1);
    assert_int_equal(world.kinds[ASK_SEARCH], 0);
    run();
    assert_sent(1);
    assert_int_equal(draft_count(0), 0);
    fixture_free();
}

static void a_search_for_strays_that_fails_stops_no_mail(void **state)
{
    (void)state;
    fixture_create(3);
    world.searches_fail = true;
    leave_stray(0, STORE_SUBMISSION_SENT);
    leave_stray(1, STORE_SUBMISSION_FAILED);
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_sent(2);
    for (int i = 0; i < 2; i++) {
        assert_true(world.messages[i].row.stray);
        assert_true(world.messages[i].row.next_try_ms > world.now_ms);
        assert_int_equal(world.messages[i].strays_told, 1);
        assert_int_equal(draft_count(i), 1);
    }
    world.searches_fail = false;
    run();
    assert_int_equal(draft_count(0) + draft_count(1), 0);
    fixture_free();
}

/* For however long: the server was not asked whether it lets the draft go. */
static void a_stray_draft_stays_one_while_removing_fails(void **state)
{
    (void)state;
    fixture_create(1);
    world.purges_fail = true;
    leave_stray(0, STORE_SUBMISSION_SENT);
    for (int64_t end_ms = world.now_ms + 3 * DOUBT_WINDOW_MS; world.now_ms < end_ms;) {
        wait_until(cycle_run());
        assert_false(failure_is_set(&fixture.end));
        assert_true(world.messages[0].row.stray);
    }
    assert_true(world.requests < 40);
    world.purges_fail = false;
    run();
    assert_int_equal(draft_count(0), 0);
    fixture_free();
}

static void one_that_spoils_a_search_for_strays_holds_up_no_other(void **state)
{
    (void)state;
    fixture_create(6);
    for (int i = 0; i < 6; i++)
        leave_stray(i, STORE_SUBMISSION_SENT);
    world.messages[3].treatment = TREAT_POISON_SEARCH;
    cycle_run();
    wait_until(world.now_ms + 10 * RETRY_MIN_MS); /* all of them are due again */
    cycle_run();
    for (int i = 0; i < 6; i++)
        assert_int_equal(draft_count(i), i == 3);
    run(); /* it is left to its owner */
    assert_true(world.requests < 300);
    fixture_free();
}

static void what_the_server_asks_for_counts_all_the_same(void **state)
{
    (void)state;
    fixture_create(1);
    world.retry_after_ms = 60000;
    leave_stray(0, STORE_SUBMISSION_SENT);
    for (unsigned at = 1; at <= 2; at++) { /* searching, removing */
        world.messages[0].row.next_try_ms = 0;
        fault_at(at + (at - 1), at == 1 ? FAULT_REFUSED : FAULT_FIRST_BUSY);
        cycle_run();
        assert_int_equal(fixture.end.retry_after_ms, 60000);
        assert_true(world.messages[0].row.stray);
        assert_true(world.messages[0].row.next_try_ms >= world.now_ms + 60000);
    }
    fixture_free();
}

/* And for as long, from then on, however old the message is. */
static void a_stray_draft_of_an_old_message_is_not_left_at_once(void **state)
{
    (void)state;
    fixture_create(1);
    leave_stray(0, STORE_SUBMISSION_FAILED);
    world.messages[0].row.queued_ms -= INT64_C(2) * SUBMISSION_LIFETIME_MS;
    fault_at(1, FAULT_LOST_BEFORE);
    cycle_run();
    assert_true(world.messages[0].row.stray);
    run();
    assert_int_equal(draft_count(0), 0);
    fixture_free();
}

static void a_refused_message_whose_draft_cannot_be_removed_stops_no_mail(void **state)
{
    (void)state;
    fixture_create(3);
    fixture.profile_config.batch_size = 1;
    world.messages[0].treatment = TREAT_NO_SENDING;
    world.purges_fail = true;
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_failed(0);
    assert_sent_from_to(1, 2);
    assert_true(world.messages[0].row.stray);
    world.purges_fail = false;
    run();
    assert_int_equal(draft_count(0), 0);
    fixture_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_that_turns_up_late_is_removed),
        cmocka_unit_test(of_several_drafts_one_is_sent_and_the_others_are_removed),
        cmocka_unit_test(what_is_found_in_sent_items_is_sent_and_its_drafts_are_removed),
        cmocka_unit_test(a_stray_draft_that_is_not_let_go_is_left_after_days),
        cmocka_unit_test(mail_goes_before_strays_are_looked_for),
        cmocka_unit_test(a_search_for_strays_that_fails_stops_no_mail),
        cmocka_unit_test(a_stray_draft_stays_one_while_removing_fails),
        cmocka_unit_test(one_that_spoils_a_search_for_strays_holds_up_no_other),
        cmocka_unit_test(what_the_server_asks_for_counts_all_the_same),
        cmocka_unit_test(a_stray_draft_of_an_old_message_is_not_left_at_once),
        cmocka_unit_test(a_refused_message_whose_draft_cannot_be_removed_stops_no_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

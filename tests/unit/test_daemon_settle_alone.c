/* Settling: one submission that cannot be looked at or searched for holds up no other, and is not
 * waited for without end. */
#include "daemon_send_mailbox.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* --- one that spoils a request --- */

static void one_that_spoils_a_look_is_found_and_holds_up_no_other(void **state)
{
    (void)state;
    fixture_create(42);
    for (int i = 0; i < 40; i++)
        leave_with_draft(i, STORE_SUBMISSION_SENDING);
    world.messages[17].treatment = TREAT_POISON_LOOK;
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    for (int i = 0; i < 42; i++) {
        if (i != 17)
            assert_sent(i);
    }
    assert_int_equal(state_of(17), STORE_SUBMISSION_SENDING);
    assert_int_equal(world.messages[17].row.attempts, 1);
    assert_int_equal(world.messages[17].recorded, 1);
    assert_true(world.messages[17].row.next_try_ms > world.now_ms);
    assert_true(world.kinds[ASK_LOOK] < 20);
    world.messages[17].treatment = TREAT_WELL;
    run();
    assert_sent(17);
    fixture_free();
}

static void one_that_spoils_a_search_is_found_and_holds_up_no_other(void **state)
{
    (void)state;
    fixture_create(22);
    for (int i = 0; i < 20; i++)
        leave(i, STORE_SUBMISSION_CREATING);
    world.messages[5].treatment = TREAT_POISON_SEARCH;
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    for (int i = 0; i < 22; i++)
        assert_int_equal(world.messages[i].sent, i == 5 ? 0 : 1);
    assert_int_equal(state_of(5), STORE_SUBMISSION_CREATING);
    assert_int_equal(world.messages[5].recorded, 1);
    assert_true(world.kinds[ASK_SEARCH] < 20);
    world.messages[5].treatment = TREAT_WELL;
    run();
    assert_sent_from_to(0, 21);
    fixture_free();
}

/* Not every half minute, and not without a word. */
static void a_draft_that_can_never_be_looked_at_is_looked_at_less_and_less_often(void **state)
{
    (void)state;
    for (int whole = 0; whole <= 1; whole++) {
        fixture_create(1);
        world.unknown_looks = whole ? 0 : 1000;
        world.messages[0].treatment = whole ? TREAT_POISON_LOOK : TREAT_WELL;
        leave_with_draft(0, STORE_SUBMISSION_SENDING);
        for (int64_t end_ms = world.now_ms + DAY_MS; world.now_ms < end_ms;)
            wait_until(cycle_run());
        assert_true(world.requests < 40);
        assert_int_equal(world.messages[0].recorded, world.requests);
        assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
        fixture_free();
    }
}

/* When nothing can be looked at, it is not the drafts. */
static void several_in_a_row_are_no_fault_of_theirs(void **state)
{
    (void)state;
    fixture_create(11);
    for (int i = 0; i < 10; i++) {
        leave_with_draft(i, STORE_SUBMISSION_SENDING);
        world.messages[i].treatment = TREAT_POISON_LOOK;
    }
    cycle_run();
    assert_string_equal(fixture.end.code, "HTTP 500");
    assert_int_equal(world.kinds[ASK_CREATE] + world.kinds[ASK_SEND], 0);
    unsigned waiting = 0;
    for (int i = 0; i < 10; i++)
        waiting += world.messages[i].row.next_try_ms > world.now_ms;
    assert_int_equal(waiting, SETTLE_BAD_MAX);
    for (int i = 0; i < 4; i++) /* and bad ones in great number stop nothing for ever */
        cycle_run();
    assert_sent(10);
    fixture_free();
}

/* Nor when nothing can be sent; one that can be in between shows that it is. */
static void several_that_cannot_be_sent_are_no_fault_of_theirs(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++) {
        fixture_create(7);
        for (int i = 0; i < 7; i++)
            world.messages[i].treatment = good && i == 2 ? TREAT_WELL : TREAT_POISON;
        world.messages[5].treatment = TREAT_WELL;
        cycle_run();
        if (good) {
            assert_false(failure_is_set(&fixture.end));
            assert_sent(2);
            assert_sent(5);
        } else {
            assert_string_equal(fixture.end.code, "HTTP 500");
            assert_int_equal(world.messages[5].sent, 0);
            cycle_run(); /* and bad ones in great number stop nothing for ever */
            assert_sent(5);
        }
        fixture_free();
    }
}

/* A cycle that went through without an answer is no sign that the mailbox is well. */
static void what_fails_alone_proves_nothing(void **state)
{
    (void)state;
    static const enum treatment treatments[] = {TREAT_POISON_LOOK, TREAT_POISON_SEARCH,
                                                TREAT_POISON, TREAT_WELL};
    for (int i = 0; i < 5; i++) {
        fixture_create(1);
        if (i < 4)
            world.messages[0].treatment = treatments[i];
        if (i == 0)
            leave_with_draft(0, STORE_SUBMISSION_SENDING);
        else if (i == 1)
            leave(0, STORE_SUBMISSION_CREATING);
        world.searches_fail = i == 3; /* for a stray draft, and nothing else is asked */
        if (i == 3)
            leave(0, STORE_SUBMISSION_SENT);
        world.messages[0].row.stray = i == 3;
        cycle_run();
        assert_false(failure_is_set(&fixture.end));
        assert_int_equal(fixture.proves_nothing, i < 4);
        fixture_free();
    }
}

/* --- answers that concern more than one --- */

static void an_answer_to_a_look_that_concerns_the_mailbox_ends_the_cycle(void **state)
{
    (void)state;
    fixture_create(3);
    world.retry_after_ms = 90000;
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    leave_with_draft(1, STORE_SUBMISSION_SENDING);
    fault_at(1, FAULT_FIRST_WHOLE);
    cycle_run();
    assert_string_equal(fixture.end.code, "ErrorServerBusy");
    assert_int_equal(fixture.end.retry_after_ms, 90000);
    assert_int_equal(world.requests, 1);
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
    assert_int_equal(world.messages[0].row.attempts, 0);
    assert_int_equal(world.messages[0].row.next_try_ms, 0);
    run();
    assert_sent_from_to(0, 2);
    fixture_free();
}

static void a_look_that_fails_and_asks_for_time_is_not_looked_into(void **state)
{
    (void)state;
    fixture_create(2);
    world.retry_after_ms = 90000;
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    leave_with_draft(1, STORE_SUBMISSION_SENDING);
    fault_at(1, FAULT_DIVISIBLE);
    cycle_run();
    assert_int_equal(fixture.end.retry_after_ms, 90000);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.messages[0].row.attempts, 0);
    run();
    assert_sent_from_to(0, 1);
    fixture_free();
}

static void what_the_server_asks_for_one_draft_is_waited(void **state)
{
    (void)state;
    fixture_create(1);
    world.retry_after_ms = 90000;
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    fault_at(1, FAULT_FIRST_BUSY);
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_true(world.messages[0].row.next_try_ms >= world.now_ms + 90000);
    run();
    assert_sent(0);
    fixture_free();
}

/* --- days --- */

/* Five days, and some of the last wait. */
static void assert_given_up_after_days(int number, bool in_doubt, const char *words)
{
    const struct message *message = &world.messages[number];
    assert_int_equal(state_of(number), STORE_SUBMISSION_FAILED);
    assert_true(message->failed_file);
    assert_int_equal(message->told, 1);
    assert_int_equal(message->reason.in_doubt, in_doubt);
    assert_false(message->reason.permanent);
    assert_non_null(strstr(message->reason.sentence, words));
    assert_non_null(strstr(message->reason_file, words));
    assert_non_null(strstr(message->reason_file, "5 days"));
    assert_in_range(world.now_ms - message->row.queued_ms, 5 * DAY_MS, 6 * DAY_MS);
}

static void a_draft_that_cannot_be_looked_at_for_days_is_given_up(void **state)
{
    (void)state;
    static const struct {
        enum store_submission_state left;
        const char *words;
        bool in_doubt;
    } cases[] = {
        {STORE_SUBMISSION_SENDING, "It is not known whether", true},
        {STORE_SUBMISSION_CREATED, "It was not sent", false},
    };
    for (int i = 0; i < 4; i++) {
        fixture_create(1);
        world.unknown_looks = i / 2 == 0 ? 1000 : 0;
        world.messages[0].treatment = i / 2 == 0 ? TREAT_WELL : TREAT_POISON_LOOK;
        leave_with_draft(0, cases[i % 2].left);
        run();
        assert_given_up_after_days(0, cases[i % 2].in_doubt, cases[i % 2].words);
        assert_non_null(strstr(world.messages[0].reason_file, "the last reason: "));
        assert_int_equal(draft_count(0), 0); /* nobody sends it afterwards */
        assert_int_equal(world.messages[0].sent, 0);
        fixture_free();
    }
}

static void one_that_cannot_be_searched_for_for_days_is_given_up(void **state)
{
    (void)state;
    for (int direct = 0; direct <= 1; direct++) {
        fixture_create(1);
        world.messages[0].treatment = TREAT_POISON_SEARCH;
        leave(0, direct ? STORE_SUBMISSION_DOUBTFUL : STORE_SUBMISSION_CREATING);
        run();
        assert_int_equal(state_of(0), STORE_SUBMISSION_FAILED);
        assert_int_equal(world.messages[0].reason.in_doubt, direct);
        assert_non_null(strstr(world.messages[0].reason_file, "5 days"));
        fixture_free();
    }
}

static void what_transport_does_not_take_for_days_is_given_up(void **state)
{
    (void)state;
    fixture_create(1);
    struct draft *draft = leave_with_draft(0, STORE_SUBMISSION_SENDING);
    draft->submitted = true;
    draft->leaves_ms = INT64_MAX;
    run();
    assert_given_up_after_days(0, true, "waited there for Transport");
    assert_int_equal(world.kinds[ASK_PURGE], 0);
    assert_int_equal(draft_count(0), 1); /* it may go yet */
    fixture_free();
}

/* Each try may have done it; each look says that it has not. */
static void one_whose_every_try_is_in_doubt_is_given_up(void **state)
{
    (void)state;
    for (enum treatment how = TREAT_POISON; how <= TREAT_POISON_DRAFT; how++) {
        fixture_create(1);
        world.poison_in_doubt = true;
        world.messages[0].treatment = how;
        run();
        assert_given_up_after_days(0, false, "tried for 5 days");
        assert_true(world.requests < 200);
        assert_int_equal(draft_count(0), 0);
        fixture_free();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_spoils_a_look_is_found_and_holds_up_no_other),
        cmocka_unit_test(one_that_spoils_a_search_is_found_and_holds_up_no_other),
        cmocka_unit_test(a_draft_that_can_never_be_looked_at_is_looked_at_less_and_less_often),
        cmocka_unit_test(several_in_a_row_are_no_fault_of_theirs),
        cmocka_unit_test(several_that_cannot_be_sent_are_no_fault_of_theirs),
        cmocka_unit_test(what_fails_alone_proves_nothing),
        cmocka_unit_test(an_answer_to_a_look_that_concerns_the_mailbox_ends_the_cycle),
        cmocka_unit_test(a_look_that_fails_and_asks_for_time_is_not_looked_into),
        cmocka_unit_test(what_the_server_asks_for_one_draft_is_waited),
        cmocka_unit_test(a_draft_that_cannot_be_looked_at_for_days_is_given_up),
        cmocka_unit_test(one_that_cannot_be_searched_for_for_days_is_given_up),
        cmocka_unit_test(what_transport_does_not_take_for_days_is_given_up),
        cmocka_unit_test(one_whose_every_try_is_in_doubt_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

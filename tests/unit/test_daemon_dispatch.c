/* Sending what is queued: batches, refusals, and what each answer leads to. */
#include "daemon_send_mailbox.h"

/* --- batches --- */

static void messages_go_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    fixture_create(50);
    run();
    assert_sent_from_to(0, 49);
    assert_in_order();
    assert_int_equal(fixture.cycles, 1);
    assert_int_equal(fixture.moved, 50);
    assert_int_equal(world.kinds[ASK_CREATE], 3); /* 20, 20, 10 */
    assert_int_equal(world.kinds[ASK_SEND], 3);
    assert_int_equal(world.requests, 6);
    fixture_free();
}

static void a_batch_is_cut_by_its_bytes_and_by_its_count(void **state)
{
    (void)state;
    fixture_create(4);
    fixture.profile_config.batch_bytes = 25; /* two of 10 */
    run();
    assert_sent_from_to(0, 3);
    assert_int_equal(world.kinds[ASK_CREATE], 2);
    fixture_free();

    fixture_create(3);
    fixture.profile_config.batch_bytes = 5; /* none fits: each goes alone */
    run();
    assert_sent_from_to(0, 2);
    assert_int_equal(world.kinds[ASK_CREATE], 3);
    fixture_free();

    fixture_create(4);
    fixture.profile_config.batch_size = 3;
    run();
    assert_sent_from_to(0, 3);
    assert_int_equal(world.kinds[ASK_CREATE], 2);
    fixture_free();
}

static void one_that_has_failed_before_goes_alone(void **state)
{
    (void)state;
    fixture_create(4);
    world.messages[1].row.attempts = 1;
    run();
    assert_sent_from_to(0, 3);
    assert_in_order();
    assert_int_equal(world.kinds[ASK_CREATE], 3);
    fixture_free();
}

static void a_cycle_that_is_to_end_ends_after_its_batch(void **state)
{
    (void)state;
    fixture_create(4);
    fixture.profile_config.batch_size = 2;
    struct cycle *cycle = cycle_begin();
    while (world.requests == 0 && answer_next())
        continue;
    cycle->operations->end_soon(cycle);
    answer_all();
    assert_true(fixture.ended->cut_short);
    cycle_close();
    assert_sent_from_to(0, 1);
    assert_int_equal(state_of(2), STORE_SUBMISSION_QUEUED);
    run();
    assert_sent_from_to(0, 3);
    fixture_free();
}

/* --- refusals --- */

static void a_message_that_is_refused_is_left_to_a_person_and_stops_no_other(void **state)
{
    (void)state;
    for (enum treatment how = TREAT_NO_DRAFT; how <= TREAT_NO_SENDING; how++) {
        fixture_create(3);
        world.messages[1].treatment = how;
        run();
        assert_sent(0);
        assert_failed(1);
        assert_int_equal(world.messages[1].told, 1);
        assert_int_equal(draft_count(1), 0);
        assert_sent(2);
        assert_int_equal(fixture.cycles, 1);
        assert_int_equal(fixture.failed, 1);
        assert_int_equal(world.kinds[ASK_PURGE], how == TREAT_NO_SENDING ? 1 : 0);
        fixture_free();
    }
}

static void nobody_is_told_of_a_message_without_a_sender(void **state)
{
    (void)state;
    fixture_create(1);
    world.messages[0].treatment = TREAT_NO_DRAFT;
    world.messages[0].row.null_sender = true;
    run();
    assert_int_equal(world.messages[0].told, 0);
    assert_true(world.messages[0].failed_file);
    fixture_free();
}

/* It is sent alone, so that it is known to be the one. */
static void one_that_spoils_a_request_is_found_and_holds_up_no_other(void **state)
{
    (void)state;
    for (enum treatment how = TREAT_POISON; how <= TREAT_POISON_DRAFT; how++) {
        fixture_create(4);
        world.messages[2].treatment = how;
        cycle_run();
        assert_sent_from_to(0, 1);
        assert_sent(3);
        assert_int_equal(world.messages[2].row.attempts, 2);
        assert_true(world.messages[2].row.next_try_ms > world.now_ms);
        assert_int_equal(world.messages[2].recorded, 1);
        fixture_free();
    }
}

static void one_that_cannot_be_sent_for_days_is_given_up(void **state)
{
    (void)state;
    fixture_create(1);
    world.messages[0].treatment = TREAT_POISON;
    run();
    assert_failed(0);
    assert_true(world.now_ms - world.messages[0].row.queued_ms > INT64_C(4) * 24 * 3600 * 1000);
    assert_false(world.messages[0].reason.in_doubt);
    assert_non_null(strstr(world.messages[0].reason.sentence, "tried for 5 days"));
    assert_non_null(strstr(world.messages[0].reason_file,
                           "It was tried for 5 days and could not be sent (HTTP 500): \"the last "
                           "reason: It went wrong."));
    fixture_free();
}

/* It waited behind an outage, or the clock was set forward. */
static void one_that_is_days_old_is_tried_more_than_once(void **state)
{
    (void)state;
    for (int good = 0; good <= 1; good++) {
        fixture_create(1);
        world.messages[0].row.queued_ms = world.now_ms - INT64_C(6) * 24 * 3600 * 1000;
        world.messages[0].treatment = good ? TREAT_WELL : TREAT_POISON;
        fault_at(1, FAULT_DIVISIBLE);
        run();
        if (good)
            assert_sent(0);
        else
            assert_failed(0);
        assert_int_equal(world.kinds[ASK_CREATE], 2);
        fixture_free();
    }
}

static void a_draft_of_a_refused_message_that_stays_is_removed_later(void **state)
{
    (void)state;
    fixture_create(2);
    world.messages[0].treatment = TREAT_NO_SENDING;
    world.purge_stuck = true;
    cycle_run();
    assert_failed(0);
    assert_int_equal(draft_count(0), 1);
    world.purge_stuck = false;
    run();
    assert_failed(0);
    assert_int_equal(draft_count(0), 0);
    assert_int_equal(world.messages[0].told, 1);
    fixture_free();
}

/* --- failures of more than one message --- */

static void a_request_that_failed_for_good_reason_puts_everything_back(void **state)
{
    (void)state;
    fixture_create(3);
    fault_at(1, FAULT_REFUSED);
    cycle_run();
    assert_string_equal(fixture.end.code, "HTTP 500");
    assert_int_equal(world.requests, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(state_of(i), STORE_SUBMISSION_QUEUED);
        assert_int_equal(world.messages[i].row.attempts, 0);
        assert_int_equal(world.messages[i].row.next_try_ms, 0);
    }
    fault_at(3, FAULT_REFUSED); /* sending */
    cycle_run();
    for (int i = 0; i < 3; i++)
        assert_int_equal(state_of(i), STORE_SUBMISSION_CREATED);
    run();
    assert_sent_from_to(0, 2);
    assert_in_order();
    for (int i = 0; i < 3; i++)
        assert_int_equal(world.messages[i].asked_create, 2); /* once in vain */
    fixture_free();
}

/* One message's own answer says that the mailbox is in trouble. */
static void an_answer_that_concerns_the_mailbox_ends_the_cycle(void **state)
{
    (void)state;
    fixture_create(3);
    fault_at(2, FAULT_FIRST_WHOLE);
    cycle_run();
    assert_string_equal(fixture.end.code, "ErrorServerBusy");
    assert_int_equal(state_of(0), STORE_SUBMISSION_CREATED);
    assert_sent_from_to(1, 2);
    fixture_free();
}

/* It says so for that message each time, and for no other. */
static void an_answer_whose_cause_may_be_the_message_ends_no_cycle(void **state)
{
    (void)state;
    fixture_create(4);
    world.messages[1].treatment = TREAT_NO_SENSE;
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_sent(0);
    assert_sent_from_to(2, 3);
    assert_int_equal(world.messages[1].recorded, 1);
    run();
    assert_failed(1);
    assert_non_null(strstr(world.messages[1].reason_file, "5 days"));
    assert_true(world.requests < 200);
    fixture_free();
}

/* A draft that is gone counts as sent, if sending it was asked for: so it must not look like it. */
static void nothing_is_marked_as_being_sent_that_is_not_asked_for(void **state)
{
    (void)state;
    fixture_create(3);
    fault_at(1, FAULT_FIRST_WHOLE); /* two drafts are made */
    cycle_run();
    assert_int_equal(world.kinds[ASK_SEND], 0);
    assert_int_equal(state_of(0), STORE_SUBMISSION_QUEUED);
    assert_int_equal(state_of(1), STORE_SUBMISSION_CREATED);
    assert_int_equal(state_of(2), STORE_SUBMISSION_CREATED);
    for (int i = 0; i < world.draft_count; i++) /* by a person */
        world.drafts[i].there = false;
    run();
    assert_sent_from_to(0, 2);
    fixture_free();
}

/* --- doubt --- */

static void what_may_have_been_done_is_not_asked_for_again_at_once(void **state)
{
    (void)state;
    fixture_create(2);
    fault_at(1, FAULT_LOST_AFTER);
    cycle_run();
    assert_int_equal(world.requests, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(state_of(i), STORE_SUBMISSION_CREATING);
        assert_true(world.messages[i].row.next_try_ms > world.now_ms);
        assert_int_equal(world.messages[i].row.doubt_since_ms, world.now_ms);
        assert_int_equal(world.messages[i].recorded, 1);
    }
    run();
    assert_sent_from_to(0, 1);
    assert_int_equal(world.messages[0].asked_create, 1);
    fixture_free();
}

static void one_in_doubt_holds_up_no_other(void **state)
{
    (void)state;
    fixture_create(3);
    fault_at(2, FAULT_FIRST_IN_DOUBT);
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
    assert_sent_from_to(1, 2);
    run();
    assert_sent(0);
    fixture_free();
}

/* A rule, or a program, that takes each draft away. */
static void drafts_that_vanish_are_not_made_without_end(void **state)
{
    (void)state;
    fixture_create(2);
    world.drafts_vanish = true;
    run();
    for (int i = 0; i < 2; i++) {
        assert_failed(i);
        assert_non_null(strstr(world.messages[i].reason_file, "5 days"));
    }
    fixture_free();
}

/* --- files --- */

static void a_file_that_cannot_be_read_holds_up_no_other(void **state)
{
    (void)state;
    fixture_create(3);
    world.messages[1].read_failure = failure_named(FAILURE_STORAGE, FAILURE_SCOPE_SERVER, "EIO");
    cycle_run();
    assert_false(failure_is_set(&fixture.end));
    assert_sent(0);
    assert_sent(2);
    assert_int_equal(state_of(1), STORE_SUBMISSION_QUEUED);
    assert_true(world.messages[1].row.next_try_ms > world.now_ms);
    world.messages[1].read_failure = (struct failure){0};
    run();
    assert_sent(1);
    fixture_free();
}

static void a_file_that_is_not_there_is_not_waited_for(void **state)
{
    (void)state;
    fixture_create(3);
    world.messages[1].queued_file = false;
    cycle_run();
    assert_sent(0);
    assert_sent(2);
    assert_int_equal(state_of(1), STORE_SUBMISSION_FAILED);
    assert_true(world.messages[1].recorded >= 1);
    assert_false(failure_is_set(&fixture.end));
    fixture_free();
}

/* --- servers that cannot send drafts --- */

static void a_server_that_cannot_send_drafts_is_sent_to_in_one_step(void **state)
{
    (void)state;
    fixture_create(3);
    fixture.profile_config.batch_size = 2;
    world.cannot_send = true;
    cycle_run();
    assert_int_equal(logged_count(MESSAGE_SENDS_DIRECTLY), 1);
    assert_sent_from_to(0, 2);
    assert_in_order();
    assert_int_equal(world.kinds[ASK_SEND], 1);
    run();
    assert_int_equal(world.kinds[ASK_SEARCH], 0); /* the drafts are known to be gone */
    fixture_free();
}

static void what_was_sent_beside_a_draft_that_cannot_be_is_not_sent_again(void **state)
{
    (void)state;
    fixture_create(3);
    world.cannot_send_below = 1;
    run();
    assert_sent_from_to(0, 2);
    assert_int_equal(world.messages[1].asked_create, 1);
    fixture_free();
}

static void a_profile_that_wants_drafts_gets_them_or_nothing(void **state)
{
    (void)state;
    fixture_create(1);
    fixture.profile_config.send_method = CONFIG_SEND_DRAFT;
    world.cannot_send = true;
    cycle_run();
    assert_int_equal(world.kinds[ASK_CREATE], 1);
    assert_false(profile_sends_directly(&fixture.profile));
    assert_int_equal(world.messages[0].sent, 0);
    assert_int_equal(logged_count(MESSAGE_SENDS_DIRECTLY), 0);
    fixture_free();
}

static void in_one_step_nothing_is_asked_twice(void **state)
{
    (void)state;
    fixture_create(2);
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
    run();
    assert_sent_from_to(0, 1);
    assert_int_equal(world.requests, 1);
    fixture_free();
}

/* --- the store --- */

static void nothing_is_asked_of_the_server_that_the_store_does_not_know(void **state)
{
    (void)state;
    fixture_create(2);
    world.write_fault_at = 1; /* "creating" */
    cycle_run();
    assert_string_equal(fixture.end.code, "SQLITE_FULL");
    assert_int_equal(world.requests, 0);
    world.write_fault_at = 3; /* "sending" */
    cycle_run();
    assert_string_equal(fixture.end.code, "SQLITE_FULL");
    assert_int_equal(world.kinds[ASK_SEND], 0);
    run();
    assert_sent_from_to(0, 1);
    fixture_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_in_the_order_in_which_they_came),
        cmocka_unit_test(a_batch_is_cut_by_its_bytes_and_by_its_count),
        cmocka_unit_test(one_that_has_failed_before_goes_alone),
        cmocka_unit_test(a_cycle_that_is_to_end_ends_after_its_batch),
        cmocka_unit_test(a_message_that_is_refused_is_left_to_a_person_and_stops_no_other),
        cmocka_unit_test(nobody_is_told_of_a_message_without_a_sender),
        cmocka_unit_test(one_that_spoils_a_request_is_found_and_holds_up_no_other),
        cmocka_unit_test(one_that_cannot_be_sent_for_days_is_given_up),
        cmocka_unit_test(one_that_is_days_old_is_tried_more_than_once),
        cmocka_unit_test(a_draft_of_a_refused_message_that_stays_is_removed_later),
        cmocka_unit_test(a_request_that_failed_for_good_reason_puts_everything_back),
        cmocka_unit_test(an_answer_that_concerns_the_mailbox_ends_the_cycle),
        cmocka_unit_test(an_answer_whose_cause_may_be_the_message_ends_no_cycle),
        cmocka_unit_test(nothing_is_marked_as_being_sent_that_is_not_asked_for),
        cmocka_unit_test(what_may_have_been_done_is_not_asked_for_again_at_once),
        cmocka_unit_test(one_in_doubt_holds_up_no_other),
        cmocka_unit_test(drafts_that_vanish_are_not_made_without_end),
        cmocka_unit_test(a_file_that_cannot_be_read_holds_up_no_other),
        cmocka_unit_test(a_file_that_is_not_there_is_not_waited_for),
        cmocka_unit_test(a_server_that_cannot_send_drafts_is_sent_to_in_one_step),
        cmocka_unit_test(what_was_sent_beside_a_draft_that_cannot_be_is_not_sent_again),
        cmocka_unit_test(a_profile_that_wants_drafts_gets_them_or_nothing),
        cmocka_unit_test(in_one_step_nothing_is_asked_twice),
        cmocka_unit_test(nothing_is_asked_of_the_server_that_the_store_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

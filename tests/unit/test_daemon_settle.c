/* Settling doubts: what is found on the server decides, and nothing is sent before it was looked
 * for. */
#include "daemon_send_mailbox.h"

#include <limits.h>

/* --- creating --- */

static void a_draft_that_was_made_after_all_is_sent(void **state)
{
    (void)state;
    fixture_create(2);
    leave(0, STORE_SUBMISSION_CREATING);
    leave(1, STORE_SUBMISSION_CREATING);
    draft_make(0, false);
    run();
    assert_sent_from_to(0, 1);
    assert_in_order();
    assert_int_equal(world.messages[0].asked_create, 0);
    assert_int_equal(world.messages[1].asked_create, 1);
    fixture_free();
}

/* Even when no copy is left of it by then. */
static void a_draft_that_is_found_submitted_counts_as_sent_once_it_is_gone(void **state)
{
    (void)state;
    fixture_create(1);
    world.transport_ms = 3600 * 1000;
    world.copies_vanish = true;
    leave(0, STORE_SUBMISSION_CREATING);
    draft_make(0, true);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_CREATE], 0);
    fixture_free();
}

/* When a backup was put back: the file is removed when it is known that the message was sent, but
 * it may have been lost as well. */
static void what_had_no_file_is_sent_as_its_draft_or_left_to_a_person(void **state)
{
    (void)state;
    fixture_create(2);
    leave(0, STORE_SUBMISSION_CREATING);
    leave(1, STORE_SUBMISSION_CREATING);
    world.messages[0].row.size = world.messages[1].row.size = 0;
    draft_make(1, false);
    run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_FAILED);
    assert_true(world.messages[0].reason.in_doubt);
    assert_string_equal(world.messages[0].reason.code, "NoFile");
    assert_int_equal(world.messages[0].asked_create, 0);
    assert_sent(1);
    assert_int_equal(world.kinds[ASK_CREATE], 0);
    fixture_free();
}

static void what_had_no_file_and_is_in_sent_items_was_sent(void **state)
{
    (void)state;
    fixture_create(1);
    leave(0, STORE_SUBMISSION_CREATING);
    world.messages[0].row.size = 0;
    draft_make(0, true);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_CREATE], 0);
    fixture_free();
}

static void nothing_is_created_while_a_search_fails(void **state)
{
    (void)state;
    fixture_create(2);
    leave(0, STORE_SUBMISSION_CREATING);
    for (unsigned i = 1; i < 5; i++) {
        fault_at(i, FAULT_REFUSED);
        cycle_run();
        assert_string_equal(fixture.end.code, "HTTP 500");
        assert_int_equal(world.kinds[ASK_CREATE], 0);
        assert_int_equal(state_of(0), STORE_SUBMISSION_CREATING);
    }
    run();
    assert_sent_from_to(0, 1);
    fixture_free();
}

static void many_are_searched_for_in_several_requests(void **state)
{
    (void)state;
    fixture_create(45);
    for (int i = 0; i < 45; i++)
        leave(i, STORE_SUBMISSION_CREATING);
    for (int i = 0; i < 45; i += 2)
        draft_make(i, false);
    cycle_run();
    assert_int_equal(world.kinds[ASK_SEARCH], 3);
    assert_int_equal(world.last_count[ASK_SEARCH], 5);
    run();
    assert_sent_from_to(0, 44);
    assert_in_order();
    fixture_free();
}

/* --- created --- */

static void a_draft_that_is_there_is_sent(void **state)
{
    (void)state;
    fixture_create(1);
    leave_with_draft(0, STORE_SUBMISSION_CREATED);
    run();
    assert_sent(0);
    assert_int_equal(world.messages[0].asked_create, 0);
    fixture_free();
}

/* It goes as it is now, by the reference that it has now. */
static void a_draft_that_somebody_changed_is_sent(void **state)
{
    (void)state;
    fixture_create(2);
    leave_with_draft(0, STORE_SUBMISSION_CREATED)->version++;
    leave_with_draft(1, STORE_SUBMISSION_SENDING)->version++;
    cycle_run();
    assert_sent_from_to(0, 1);
    assert_int_equal(world.messages[0].asked_create, 0);
    assert_int_equal(world.kinds[ASK_SEND], 1);
    fixture_free();
}

static void a_draft_that_somebody_removed_before_it_was_sent_is_made_again(void **state)
{
    (void)state;
    fixture_create(1);
    leave_with_draft(0, STORE_SUBMISSION_CREATED)->there = false;
    run();
    assert_sent(0);
    assert_int_equal(world.messages[0].asked_create, 1);
    assert_true(world.kinds[ASK_SEARCH] >= 1);
    fixture_free();
}

static void a_draft_that_somebody_sent_is_not_sent_again(void **state)
{
    (void)state;
    for (int vanish = 0; vanish <= 1; vanish++) {
        fixture_create(1);
        world.transport_ms = 60000;
        world.copies_vanish = vanish != 0;
        struct draft *draft = leave_with_draft(0, STORE_SUBMISSION_CREATED);
        draft->submitted = true;
        draft->leaves_ms = world.now_ms + 60000;
        run();
        assert_sent(0);
        assert_int_equal(world.kinds[ASK_CREATE], 0);
        assert_int_equal(world.kinds[ASK_SEND], 0);
        fixture_free();
    }
}

/* --- sending --- */

static void what_was_being_sent_and_is_not_submitted_is_sent(void **state)
{
    (void)state;
    fixture_create(1);
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_SEND], 1);
    fixture_free();
}

static void what_was_being_sent_and_is_gone_was_sent(void **state)
{
    (void)state;
    fixture_create(1);
    world.copies_vanish = true;
    struct draft *draft = leave_with_draft(0, STORE_SUBMISSION_SENDING);
    draft->submitted = true;
    transport_run();
    run();
    assert_sent(0);
    assert_int_equal(world.requests, 1);
    fixture_free();
}

/* The first request arrives after the look that saw the draft not submitted. The second names the
 * draft as it was at that look: it is gone, or has been changed by being submitted. */
static void a_request_to_send_that_arrives_late_makes_no_second_copy(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        fixture_create(1);
        world.transport_ms = i % 2 == 0 ? 0 : 60000;
        world.submission_changes = i / 2;
        fault_at(2, FAULT_LOST_LATE);
        run();
        assert_sent(0);
        assert_int_equal(world.messages[0].asked_send, 2);
        assert_int_equal(world.messages[0].asked_create, 1);
        assert_int_equal(fixture.moved, 1);
        fixture_free();
    }
}

/* The second request is refused before the server looks at the draft, and somebody removes the copy
 * that the first one left. */
static void
a_draft_that_is_gone_after_doubt_was_sent_even_if_the_last_request_was_refused(void **state)
{
    (void)state;
    for (int transport = 0; transport <= 1; transport++) {
        fixture_create(1);
        world.copies_vanish = true;
        world.transport_ms = transport * 60000;
        fault_at(2, FAULT_LOST_LATE);
        world.second_fault_at = 4;
        world.second_fault = FAULT_REFUSED;
        run();
        assert_sent(0);
        assert_int_equal(world.messages[0].asked_send, 2);
        assert_int_equal(world.messages[0].asked_create, 1);
        fixture_free();
    }
}

/* What was asked of the server in doubt and then refused for good was not sent: a kill after its
 * draft was removed does not make it look so. */
static void a_refusal_after_doubt_is_told_in_spite_of_a_kill(void **state)
{
    (void)state;
    bool killed = true;
    for (unsigned at = 1; killed; at++) {
        fixture_create(1);
        world.messages[0].treatment = TREAT_NO_SENDING;
        leave_with_draft(0, STORE_SUBMISSION_SENDING);
        world.messages[0].row.doubt_since_ms = world.now_ms - 1000;
        killed = cycle_interrupted(at, INTERRUPT_KILL_ARRIVED);
        run();
        assert_failed(0);
        assert_int_equal(draft_count(0), 0);
        fixture_free();
    }
}

/* It waits longer and longer, and asks nothing but that. */
static void what_is_submitted_is_waited_for(void **state)
{
    (void)state;
    fixture_create(1);
    world.transport_ms = 3600 * 1000;
    struct draft *draft = leave_with_draft(0, STORE_SUBMISSION_SENDING);
    draft->submitted = true;
    draft->leaves_ms = world.now_ms + world.transport_ms;
    run();
    assert_sent(0);
    assert_int_equal(world.requests, world.kinds[ASK_LOOK]);
    assert_true(world.requests < 40);
    fixture_free();
}

/* From the first request on: the one to send it is not answered, and Transport is stopped. */
static void an_hour_without_transport_is_waited_out(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600 * 1000 };
    fixture_create(1);
    world.transport_ms = HOUR_MS;
    fault_at(2, FAULT_LOST_AFTER);
    int64_t begun_ms = world.now_ms, waited_ms = 0;
    int64_t due_ms = cycle_run();
    while (due_ms < begun_ms + HOUR_MS) {
        wait_until(due_ms);
        due_ms = cycle_run();
        assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
        assert_int_equal(draft_count(0), 1);
        assert_true(due_ms - world.now_ms >= waited_ms); /* longer and longer */
        waited_ms = due_ms - world.now_ms;
    }
    assert_true(waited_ms > 10 * RETRY_MIN_MS);
    assert_in_range(world.kinds[ASK_LOOK], 2, 30);
    assert_int_equal(fixture.moved, 0);
    run();
    assert_true(world.now_ms >= begun_ms + HOUR_MS);
    assert_sent(0);
    assert_int_equal(fixture.moved, 1);
    assert_int_equal(world.messages[0].asked_create, 1);
    assert_int_equal(world.messages[0].asked_send, 1);
    fixture_free();
}

static void a_look_that_finds_out_nothing_sends_nothing(void **state)
{
    (void)state;
    fixture_create(2);
    world.unknown_looks = 3;
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    cycle_run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
    assert_int_equal(world.messages[0].sent, 0);
    assert_sent(1); /* holds up no other */
    run();
    assert_sent(0);
    fixture_free();
}

static void nothing_is_sent_while_looking_fails(void **state)
{
    (void)state;
    fixture_create(1);
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    fault_at(1, FAULT_REFUSED);
    cycle_run();
    assert_int_equal(world.requests, 1);
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
    run();
    assert_sent(0);
    fixture_free();
}

static void many_are_looked_at_in_several_requests(void **state)
{
    (void)state;
    fixture_create(60);
    for (int i = 0; i < 60; i++)
        leave_with_draft(i, STORE_SUBMISSION_SENDING);
    cycle_run();
    assert_int_equal(world.kinds[ASK_LOOK], 2);
    assert_sent_from_to(0, 59);
    assert_in_order();
    fixture_free();
}

/* --- sent in one step, and not known whether --- */

static void a_copy_that_appears_late_settles_the_doubt(void **state)
{
    (void)state;
    fixture_create(1);
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
    world.transport_ms = DOUBT_WINDOW_MS / 2;
    fault_at(1, FAULT_LOST_AFTER);
    run();
    assert_sent(0);
    assert_int_equal(world.kinds[ASK_CREATE], 1);
    fixture_free();
}

static void a_doubt_that_stays_is_left_to_a_person(void **state)
{
    (void)state;
    fixture_create(2);
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
    fixture.profile_config.batch_size = 1;
    fault_at(1, FAULT_LOST_BEFORE);
    int64_t begun_ms = world.now_ms;
    run();
    assert_failed(0);
    assert_int_equal(world.messages[0].told, 1);
    assert_int_equal(world.messages[0].asked_create, 1);
    assert_true(world.now_ms - begun_ms >= DOUBT_WINDOW_MS);
    assert_sent(1);
    fixture_free();
}

/* However long the server cannot be searched: nothing is given up that was not looked for. */
static void the_window_of_a_doubt_begins_with_the_first_search_that_is_answered(void **state)
{
    (void)state;
    fixture_create(1);
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
    fault_at(1, FAULT_LOST_LATE);
    cycle_run();
    world.late_at = UINT_MAX;
    world.searches_fail = true;
    for (int64_t end_ms = world.now_ms + 3 * DOUBT_WINDOW_MS; world.now_ms < end_ms;) {
        wait_until(world.now_ms + DOUBT_WINDOW_MS / 4);
        cycle_run();
    }
    world.searches_fail = false;
    cycle_run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_DOUBTFUL);
    assert_int_equal(world.messages[0].row.doubt_since_ms, world.now_ms);
    world.late_at = world.requests + 1;
    run();
    assert_sent(0);
    fixture_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_that_was_made_after_all_is_sent),
        cmocka_unit_test(a_draft_that_is_found_submitted_counts_as_sent_once_it_is_gone),
        cmocka_unit_test(what_had_no_file_is_sent_as_its_draft_or_left_to_a_person),
        cmocka_unit_test(what_had_no_file_and_is_in_sent_items_was_sent),
        cmocka_unit_test(nothing_is_created_while_a_search_fails),
        cmocka_unit_test(many_are_searched_for_in_several_requests),
        cmocka_unit_test(a_draft_that_is_there_is_sent),
        cmocka_unit_test(a_draft_that_somebody_changed_is_sent),
        cmocka_unit_test(a_draft_that_somebody_removed_before_it_was_sent_is_made_again),
        cmocka_unit_test(a_draft_that_somebody_sent_is_not_sent_again),
        cmocka_unit_test(what_was_being_sent_and_is_not_submitted_is_sent),
        cmocka_unit_test(what_was_being_sent_and_is_gone_was_sent),
        cmocka_unit_test(a_request_to_send_that_arrives_late_makes_no_second_copy),
        cmocka_unit_test(
            a_draft_that_is_gone_after_doubt_was_sent_even_if_the_last_request_was_refused),
        cmocka_unit_test(a_refusal_after_doubt_is_told_in_spite_of_a_kill),
        cmocka_unit_test(what_is_submitted_is_waited_for),
        cmocka_unit_test(an_hour_without_transport_is_waited_out),
        cmocka_unit_test(a_look_that_finds_out_nothing_sends_nothing),
        cmocka_unit_test(nothing_is_sent_while_looking_fails),
        cmocka_unit_test(many_are_looked_at_in_several_requests),
        cmocka_unit_test(a_copy_that_appears_late_settles_the_doubt),
        cmocka_unit_test(a_doubt_that_stays_is_left_to_a_person),
        cmocka_unit_test(the_window_of_a_doubt_begins_with_the_first_search_that_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Settling doubts: what is found on the server decides, and nothing is sent before it was looked
 * for. */
#include "daemon_send_mailbox.h"

/* A message that an earlier cycle left in this state. */
static void leave(int number, enum store_submission_state state)
{
    world.messages[number].row.state = state;
}

/* The same, with a draft on the server; returns it. */
static struct draft *leave_with_draft(int number, enum store_submission_state state)
{
    int draft = draft_make(number, false);
    struct message *message = &world.messages[number];
    leave(number, state);
    reference_of(draft, message->reference);
    message->row.reference = message->reference;
    return &world.drafts[draft];
}

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

/* Not every half minute, and not without a word. */
static void a_draft_that_can_never_be_looked_at_is_looked_at_less_and_less_often(void **state)
{
    (void)state;
    enum { DAY_MS = 24 * 3600 * 1000 };
    fixture_create(1);
    world.unknown_looks = 1000;
    leave_with_draft(0, STORE_SUBMISSION_SENDING);
    for (int64_t end_ms = world.now_ms + DAY_MS; world.now_ms < end_ms;)
        wait_until(cycle_run());
    assert_true(world.requests < 40);
    assert_int_equal(world.messages[0].recorded, world.requests);
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENDING);
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

/* --- stray drafts --- */

static void a_stray_draft_that_cannot_be_removed_is_left_after_a_while(void **state)
{
    (void)state;
    fixture_create(2);
    world.purge_stuck = true;
    for (int i = 0; i < 2; i++) {
        draft_make(i, false);
        world.messages[i].row.stray = true;
        world.messages[i].queued_file = false;
    }
    leave(0, STORE_SUBMISSION_SENT);
    leave(1, STORE_SUBMISSION_FAILED);
    run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_SENT);
    assert_int_equal(state_of(1), STORE_SUBMISSION_FAILED);
    assert_true(world.requests < 60);
    assert_int_equal(world.messages[0].sent + world.messages[1].sent, 0);
    fixture_free();
}

static void a_failure_while_strays_are_removed_changes_nothing(void **state)
{
    (void)state;
    fixture_create(1);
    leave(0, STORE_SUBMISSION_CREATING);
    draft_make(0, false);
    draft_make(0, false);
    fault_at(2, FAULT_LOST_AFTER); /* the removal */
    cycle_run();
    assert_int_equal(state_of(0), STORE_SUBMISSION_CREATING);
    assert_int_equal(world.kinds[ASK_SEND], 0);
    run();
    assert_sent(0);
    fixture_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_that_was_made_after_all_is_sent),
        cmocka_unit_test(of_several_drafts_one_is_sent_and_the_others_are_removed),
        cmocka_unit_test(what_is_found_in_sent_items_is_sent_and_its_drafts_are_removed),
        cmocka_unit_test(a_draft_that_is_found_submitted_counts_as_sent_once_it_is_gone),
        cmocka_unit_test(a_draft_that_turns_up_late_is_removed),
        cmocka_unit_test(nothing_is_created_while_a_search_fails),
        cmocka_unit_test(many_are_searched_for_in_several_requests),
        cmocka_unit_test(a_draft_that_is_there_is_sent),
        cmocka_unit_test(a_draft_that_somebody_changed_is_sent),
        cmocka_unit_test(a_draft_that_somebody_removed_before_it_was_sent_is_made_again),
        cmocka_unit_test(a_draft_that_somebody_sent_is_not_sent_again),
        cmocka_unit_test(what_was_being_sent_and_is_not_submitted_is_sent),
        cmocka_unit_test(what_was_being_sent_and_is_gone_was_sent),
        cmocka_unit_test(what_is_submitted_is_waited_for),
        cmocka_unit_test(a_look_that_finds_out_nothing_sends_nothing),
        cmocka_unit_test(a_draft_that_can_never_be_looked_at_is_looked_at_less_and_less_often),
        cmocka_unit_test(nothing_is_sent_while_looking_fails),
        cmocka_unit_test(many_are_looked_at_in_several_requests),
        cmocka_unit_test(a_copy_that_appears_late_settles_the_doubt),
        cmocka_unit_test(a_doubt_that_stays_is_left_to_a_person),
        cmocka_unit_test(a_stray_draft_that_cannot_be_removed_is_left_after_a_while),
        cmocka_unit_test(a_failure_while_strays_are_removed_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The taker on a disk that fails or hangs: what it took before is delivered, what is committed is
 * left to recovery, and neither a request nor a place in the profile waits for the disk. */
#include "daemon_take_mailbox.h"

/* --- a disk that fails --- */

static struct failure disk_failure(const char *code, bool divisible)
{
    struct failure failure = {
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_MAILBOX, .divisible = divisible};
    failure_set_code(&failure, code);
    return failure;
}

static void a_message_that_the_disk_has_no_room_for_is_recorded_and_others_delivered(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    world.fates[3].sync_failure = disk_failure("EFBIG", true);
    take(fixture, false);
    assert_went_through();
    assert_recorded(3);
    assert_delivered_from_to(0, 2);
    assert_delivered_from_to(4, 7);
    assert_true(fixture->mailbox.sink_checked);
    assert_int_equal(world.fates[3].sent, 2); /* in the batch, and alone */
    fixture_free(fixture);
}

static void a_full_disk_ends_the_cycle_and_hardly_anything_is_recorded(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(50);
    for (int i = 0; i < 50; i++)
        world.fates[i].sync_failure = disk_failure("ENOSPC", true);
    take(fixture, false);
    assert_int_equal(world.end.category, FAILURE_STORAGE);
    assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
    assert_in_range(world.records, 0, TAKE_BAD_ITEMS_MAX);
    assert_in_range(world.requests, 1, 12);
    fixture_free(fixture);
}

static void a_disk_that_fails_ends_the_cycle_after_what_it_took(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.fates[2].sync_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_int_equal(world.records, 0);
    assert_int_equal(world.requests, 1);
    assert_delivered_from_to(0, 1);
    assert_delivered(3);
    assert_false(item_numbered(fixture, 2)->settled);
    fixture_free(fixture);
}

static void a_message_that_is_committed_and_not_published_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.fates[1].publish_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_left_to_recovery(fixture);
    assert_int_equal(world.fates[1].left, 1);
    assert_int_equal(world.fates[1].marked, 0);
    assert_true(item_numbered(fixture, 1)->settled); /* it is never fetched again */
    assert_delivered(0);
    assert_delivered_from_to(2, 3);
    assert_int_equal(fixture->cycle.moved, 3);
    assert_int_equal(world.requests, 1);
    fixture_free(fixture);
}

static void a_batch_of_which_nothing_is_published_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.fates[0].publish_failure = world.fates[1].publish_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_left_to_recovery(fixture);
    assert_int_equal(world.fates[0].left + world.fates[1].left, 2);
    fixture_free(fixture);
}

/* --- a disk that hangs --- */

/* The watch's time is over: the timer is what runs out, so the test need not wait for it. */
static void run_out_of_patience(struct fixture *fixture)
{
    struct executor_timer *timer = &fixture->cycle.disk.timer;
    assert_true(executor_timer_pending(timer));
    assert_int_equal(timer->entry.key - executor_now(fixture->executor), DISK_PATIENCE_MS);
    executor_cancel_timer(fixture->executor, timer);
    timer->callback(timer->argument);
}

static void a_disk_that_hangs_while_the_server_sends_gives_the_request_up(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    fixture->profile.running = 1;
    start(fixture, false);
    answer_next(); /* the first item arrives whole */
    world.disk_full = true;
    answer_all(); /* the second waits */
    assert_int_equal(world.ends, 0);
    run_out_of_patience(fixture);
    assert_int_equal(world.ends, 1);
    assert_int_equal(cancelled_operations, 1);
    assert_string_equal(world.end.code, "DiskHangs");
    assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
    assert_int_equal(fixture->profile.running_stuck, 0);
    struct failure why;
    uint64_t now = executor_now(fixture->executor);
    assert_false(disks_admit(&fixture->disks, now, the_sink, &why));
    assert_string_equal(why.code, "DiskHangs");
    assert_true(disks_admit(&fixture->disks, now + DISK_SUSPECT_MS, the_sink, &why));
    fixture_free(fixture);
}

static void a_disk_that_hangs_is_given_up_when_what_was_to_be_recorded_is(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    treat(0, 0, TREAT_REFUSED);
    world.disk_full = true;
    start(fixture, false);
    store_slow = true;
    answer_all(); /* the first is refused, the second waits for the disk */
    assert_int_equal(fixture->taker.outstanding, 1);
    run_out_of_patience(fixture);
    assert_int_equal(cancelled_operations, 1);
    assert_int_equal(world.ends, 0);
    store_slow = false;
    finish();
    assert_string_equal(world.end.code, "DiskHangs");
    fixture_free(fixture);
}

static void a_disk_that_answers_in_time_lets_the_server_go_on(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.disk_full = true;
    start(fixture, false);
    answer_all();
    assert_true(executor_timer_pending(&fixture->cycle.disk.timer));
    world.disk_full = false;
    world.messages->on_ready(world.messages->argument);
    assert_false(executor_timer_pending(&fixture->cycle.disk.timer));
    finish();
    assert_went_through();
    assert_delivered_from_to(0, 1);
    fixture_free(fixture);
}

/* For whoever looks, though the cycle has not ended. */
static void assert_in_trouble(const struct fixture *fixture, unsigned times)
{
    const struct direction_trouble *trouble = fixture->mailbox.incoming.trouble;
    assert_non_null(trouble);
    assert_string_equal(trouble->failure.code, "DiskHangs");
    assert_int_equal(trouble->failures, times);
    assert_int_equal(world.hangs, times);
    assert_true(executor_timer_pending(&fixture->cycle.disk.timer));
}

static void a_disk_that_hangs_in_a_sync_gives_its_place_back_and_takes_it_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    fixture->profile.running = 1;
    start(fixture, false);
    while (fixture->taker.state != TAKE_SYNCING)
        assert_true(answer_next());
    run_out_of_patience(fixture);
    assert_int_equal(fixture->profile.running_stuck, 1);
    assert_int_equal(world.ends, 0);
    assert_in_trouble(fixture, 1);
    struct executor_timer *again = &fixture->cycle.disk.timer;
    executor_cancel_timer(fixture->executor, again);
    again->callback(again->argument);
    assert_in_trouble(fixture, 2);
    assert_int_equal(fixture->profile.running_stuck, 1);
    finish();
    assert_false(executor_timer_pending(again));
    assert_int_equal(fixture->profile.running_stuck, 0);
    memory_free(fixture->mailbox.incoming.trouble); /* the cycle's end would tell what came of it */
    assert_went_through();
    assert_int_equal(logged_count(MESSAGE_DISK_STUCK), 1);
    assert_int_equal(logged_count(MESSAGE_DISK_ANSWERS), 1);
    fixture_free(fixture);
}

static void cancelled_while_the_disk_hangs_it_ends_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(3);
    world.disk_full = true;
    start(fixture, false);
    answer_all();
    taker_cancel(&fixture->taker);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.end.category, FAILURE_CANCELLED);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_the_disk_has_no_room_for_is_recorded_and_others_delivered),
        cmocka_unit_test(a_full_disk_ends_the_cycle_and_hardly_anything_is_recorded),
        cmocka_unit_test(a_disk_that_fails_ends_the_cycle_after_what_it_took),
        cmocka_unit_test(a_message_that_is_committed_and_not_published_is_left_to_recovery),
        cmocka_unit_test(a_batch_of_which_nothing_is_published_is_left_to_recovery),
        cmocka_unit_test(a_disk_that_hangs_while_the_server_sends_gives_the_request_up),
        cmocka_unit_test(a_disk_that_hangs_is_given_up_when_what_was_to_be_recorded_is),
        cmocka_unit_test(a_disk_that_answers_in_time_lets_the_server_go_on),
        cmocka_unit_test(a_disk_that_hangs_in_a_sync_gives_its_place_back_and_takes_it_again),
        cmocka_unit_test(cancelled_while_the_disk_hangs_it_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

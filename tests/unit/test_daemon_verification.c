/* A verification whose parts answer when the test says so: all is looked at, and whoever goes away,
 * or whatever hangs, leaves nothing claimed and nothing behind. */
#include "daemon_verification_world.h"

static void all_messages_are_looked_at_however_many(void **state)
{
    (void)state;
    world.messages = MESSAGES_MAX;
    world.lost = 3;
    start(false);
    run();
    assert_over();
    assert_string_equal(world.end.code, "");
    assert_int_equal(world.result.waiting, MESSAGES_MAX);
    assert_int_equal(world.result.searched, MESSAGES_MAX);
    assert_int_equal(world.result.searches, world.searches);
    assert_int_equal(world.result.missing, 3);
    assert_int_equal(world.result.files, 10 * PAGES);
    assert_null(world.result.maildir_not_compared);
    assert_null(world.result.exchange_not_asked);
}

static void why_exchange_was_not_asked_is_told(void **state)
{
    (void)state;
    start(false);
    run();
    assert_string_equal(world.result.exchange_not_asked, "nothing waits to be sent");
    set_up(state);
    world.messages = 5;
    world.in_doubt = true;
    start(false);
    run();
    assert_non_null(strstr(world.result.exchange_not_asked, "in doubt"));
    assert_int_equal(world.searches, 0);
    set_up(state);
    world.messages = 5;
    world.exchange_refuses = true;
    start(false);
    run();
    assert_string_equal(world.end.code, "ErrorAccessDenied");
    assert_string_equal(world.result.exchange_not_asked, "the request failed");
    assert_int_equal(world.result.searched, 0);
    assert_over();
}

static void a_maildir_that_was_not_compared_is_told_as_such(void **state)
{
    (void)state;
    mailbox.unchecked = true;
    start(false);
    run();
    assert_over();
    assert_non_null(world.result.maildir_not_compared);
    assert_int_equal(world.pages, 0);
}

static void what_differs_is_repaired_when_that_is_wanted(void **state)
{
    (void)state;
    world.messages = 1;
    world.lost = 1;
    start(true);
    run();
    assert_over();
    assert_int_equal(world.restored, 1);
    assert_int_equal(world.lists, 2);
    assert_true(world.result.repaired);
    assert_true(mailbox.unchecked);
}

static void cancelled_at_any_moment_it_gives_everything_back(void **state)
{
    unsigned moment;
    for (moment = 0;; moment++) {
        set_up(state);
        world.messages = 30;
        world.lost = 1;
        struct verification *verification = start(true);
        bool goes_on = true;
        for (unsigned i = 0; i < moment && goes_on; i++)
            goes_on = step() && world.ends == 0;
        if (!goes_on)
            break;
        verification_cancel(verification);
        run();
        assert_over();
        assert_int_equal(world.end.category, FAILURE_CANCELLED);
    }
    assert_in_range(moment, 10, 1000); /* those that there are */
}

/* The disk's answer waits in the same turn of the loop, behind the one who went away. */
static void the_disk_may_answer_after_it_was_cancelled(void **state)
{
    (void)state;
    struct verification *verification = at_the_disk();
    verification_cancel(verification);
    disk_answers();
    assert_int_equal(world.asked, ASKED_NOTHING);
    run();
    assert_over();
    assert_int_equal(world.end.category, FAILURE_CANCELLED);
}

static void a_disk_that_hangs_gives_the_claims_back(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        set_up(state);
        at_the_disk();
        struct executor_timer *timer = world.timer;
        assert_non_null(timer);
        world.timer = NULL;
        timer->callback(timer->argument);
        if (late) /* it answers just then */
            disk_answers();
        while (world.call_count > 0)
            turn();
        assert_over();
        assert_string_equal(world.end.code, "DiskHangs");
        assert_non_null(world.result.maildir_not_compared);
    }
}

static void a_disk_that_is_known_to_hang_is_not_asked(void **state)
{
    (void)state;
    world.disk_refuses = true;
    start(false);
    run();
    assert_over();
    assert_string_equal(world.end.code, "DiskHangs");
    assert_int_equal(world.pages, 0);
}

static void a_disk_that_answers_is_waited_for_page_by_page(void **state)
{
    (void)state;
    at_the_disk();
    assert_non_null(world.timer);
    disk_answers();
    assert_null(world.timer); /* the store is asked */
    run();
    assert_over();
}

int main(void)
{
#define with_world(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        with_world(all_messages_are_looked_at_however_many),
        with_world(why_exchange_was_not_asked_is_told),
        with_world(a_maildir_that_was_not_compared_is_told_as_such),
        with_world(what_differs_is_repaired_when_that_is_wanted),
        with_world(cancelled_at_any_moment_it_gives_everything_back),
        with_world(the_disk_may_answer_after_it_was_cancelled),
        with_world(a_disk_that_hangs_gives_the_claims_back),
        with_world(a_disk_that_is_known_to_hang_is_not_asked),
        with_world(a_disk_that_answers_is_waited_for_page_by_page),
    };
    return cmocka_run_group_tests_name("daemon: verification", tests, NULL, NULL);
}

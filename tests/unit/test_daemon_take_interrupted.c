/* The taker when the store fails under it or it is cancelled, at any moment: it ends once, and
 * nothing is lost. */
#include "daemon_take_mailbox.h"

/* --- a store that fails --- */

static void a_commit_that_failed_leaves_the_files_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.commit_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_FULL");
    assert_left_to_recovery(fixture);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(world.fates[i].left, 1);
        assert_int_equal(world.fates[i].published, 0);
    }
    assert_int_equal(world.requests, 1);
    assert_int_equal(fixture->cycle.moved, 0);
    fixture_free(fixture);
}

static void what_is_published_and_not_marked_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.mark_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_IOERR"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_IOERR");
    assert_left_to_recovery(fixture);
    assert_int_equal(fixture->cycle.moved, 2);
    fixture_free(fixture);
}

static void a_failure_that_cannot_be_recorded_ends_the_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    treat(1, 1, TREAT_REFUSED);
    world.record_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_FULL");
    assert_delivered(0);
    assert_delivered_from_to(2, 3);
    fixture_free(fixture);
}

/* --- at any moment --- */

enum { STEPS_MAX = 4096 };

/* Something of everything. */
static struct fixture *eventful(void)
{
    struct fixture *fixture = fixture_create(12);
    fixture->profile_config.batch_size = 4;
    fixture->settings.after_processing = CONFIG_AFTER_MARK_READ;
    treat(1, 1, TREAT_REFUSED);
    treat(5, 5, TREAT_GONE);
    treat(10, 10, TREAT_POISON);
    item_numbered(fixture, 5)->attempts = 1;
    world.fates[2].known = true;
    return fixture;
}

/* Each item is in one of the few states that a later cycle can go on from. */
static void assert_nothing_lost(struct fixture *fixture)
{
    for (int i = 0; i < (int)fixture->items.count; i++) {
        const struct fate *fate = &world.fates[i];
        assert_in_range(fate->published, 0, 1);
        /* What is committed is published, or its file is there and recovery is due. */
        if (fate->committed > fate->published) {
            assert_int_equal(fate->left, 1);
            assert_left_to_recovery(fixture);
        }
        assert_int_equal(fate->marked, fate->published);
        if (item_numbered(fixture, i)->settled)
            assert_true(fate->published + fate->recorded + fate->known + fate->left == 1 ||
                        fate->treatment == TREAT_GONE);
    }
}

static unsigned committed_count(void)
{
    unsigned count = 0;
    for (int i = 0; i < ITEMS_MAX; i++)
        count += world.fates[i].committed;
    return count;
}

static void cancelled_in_any_state_it_ends_once_and_loses_nothing(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct fixture *fixture = eventful();
        start(fixture, false);
        for (unsigned i = 0; i < steps && answer_next(); i++)
            continue;
        bool over = world.ends > 0;
        seen |= 1U << fixture->taker.state;
        unsigned requests = world.requests, committed = committed_count();
        bool uncommitted = fixture->taker.state < TAKE_COMMITTING;
        taker_cancel(&fixture->taker);
        finish();
        taker_cancel(&fixture->taker); /* one that does not run is left alone */
        finish();
        assert_nothing_lost(fixture);
        assert_int_equal(world.requests, requests);
        if (uncommitted) /* nothing more is begun */
            assert_int_equal(committed_count(), committed);
        if (!over)
            assert_int_equal(world.end.category, FAILURE_CANCELLED);
        fixture_free(fixture);
        if (over) {
            for (enum take_state each = TAKE_IDLE; each <= TAKE_ACKNOWLEDGING; each++) {
                if ((seen & 1U << each) == 0)
                    fail_msg("the state %d was never cancelled", (int)each);
            }
            return;
        }
    }
    fail_msg("it never came to an end");
}

/* The store fails from a moment on; whatever that hits, it ends once. */
static void a_store_that_begins_to_fail_at_any_moment_loses_nothing(void **state)
{
    (void)state;
    const struct failure full = {
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct fixture *fixture = eventful();
        start(fixture, false);
        for (unsigned i = 0; i < steps && answer_next(); i++)
            continue;
        bool over = world.ends > 0;
        world.commit_failure = world.record_failure = full;
        finish();
        assert_nothing_lost(fixture);
        fixture_free(fixture);
        if (over)
            return;
    }
    fail_msg("it never came to an end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_failed_leaves_the_files_to_recovery),
        cmocka_unit_test(what_is_published_and_not_marked_is_left_to_recovery),
        cmocka_unit_test(a_failure_that_cannot_be_recorded_ends_the_cycle),
        cmocka_unit_test(cancelled_in_any_state_it_ends_once_and_loses_nothing),
        cmocka_unit_test(a_store_that_begins_to_fail_at_any_moment_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

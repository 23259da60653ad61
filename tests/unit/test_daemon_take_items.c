/* The taker against a server with bad items: in which order and in how many requests it asks, and
 * that the others are delivered. */
#include "daemon_take_mailbox.h"

/* --- the order, and the size of requests --- */

static void the_oldest_are_taken_first(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(7);
    fixture->profile_config.batch_size = 3;
    take(fixture, false);
    assert_went_through();
    for (int i = 0; i < 7; i++)
        assert_int_equal(world.fates[i].publication, i + 1);
    assert_int_equal(world.requests, 3);
    assert_int_equal(fixture->cycle.moved, 7);
    assert_int_equal(fixture->cycle.moved_bytes, 7 * strlen("message 0"));
    fixture_free(fixture);
}

static void a_request_is_cut_where_the_sizes_exceed_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    fixture->profile_config.batch_bytes = 1000;
    const uint64_t sizes[] = {400, 400, 400, 5000, 100, 100};
    for (int i = 0; i < 6; i++)
        item_numbered(fixture, i)->size = sizes[i];
    take(fixture, false);
    assert_int_equal(world.requests, 4);
    const size_t counts[] = {2, 1, 1, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(world.request_sizes[i], counts[i]);
    assert_delivered_from_to(0, 5);
    fixture_free(fixture);
}

static void a_request_is_cut_before_the_sink_would_hold_too_much(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(9);
    for (int i = 0; i < 9; i++)
        item_numbered(fixture, i)->size = 10 * 1024 * 1024;
    take(fixture, false);
    for (size_t i = 0; i < world.requests; i++)
        assert_true(world.request_sizes[i] <= TAKE_BUFFERED_MAX / SINK_MESSAGE_BUFFER);
    assert_int_equal(world.requests, 3);
    fixture_free(fixture);
}

static void a_cycle_that_is_to_end_finishes_the_batch_under_way(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    fixture->profile_config.batch_size = 2;
    start(fixture, false);
    answer_next();
    fixture->cycle.ending = true;
    finish();
    assert_went_through();
    assert_int_equal(world.requests, 1);
    assert_delivered_from_to(0, 1);
    assert_false(item_numbered(fixture, 2)->settled);
    fixture_free(fixture);
}

/* --- bad items --- */

static void a_bad_item_is_found_by_halving_and_the_others_are_delivered(void **state)
{
    (void)state;
    for (int bad = 0; bad < 16; bad++) {
        struct fixture *fixture = fixture_create(16);
        treat(bad, bad, TREAT_POISON);
        take(fixture, false);
        assert_went_through();
        for (int i = 0; i < 16; i++) {
            if (i == bad)
                assert_recorded(i);
            else
                assert_delivered(i);
        }
        assert_int_equal(fixture->cycle.failed, 1);
        assert_int_equal(fixture->cycle.moved, 15);
        assert_true(fixture->mailbox.may_have_open);
        assert_in_range(world.requests, 2, 20);
        fixture_free(fixture);
    }
}

static void what_arrived_before_a_request_broke_is_kept(void **state)
{
    (void)state;
    for (int bad = 0; bad < 16; bad++) {
        struct fixture *fixture = fixture_create(16);
        treat(bad, bad, TREAT_POISON);
        world.cut = true;
        take(fixture, false);
        assert_went_through();
        for (int i = 0; i < 16; i++) {
            if (i != bad) {
                assert_delivered(i);
                assert_int_equal(world.fates[i].sent, 1);
            }
        }
        assert_recorded(bad);
        fixture_free(fixture);
    }
}

static void sixty_bad_items_do_not_hold_up_a_good_newer_one(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(61);
    treat(0, 59, TREAT_POISON);
    take(fixture, false);
    assert_delivered(60);
    assert_int_equal(fixture->cycle.moved, 1);
    assert_in_range(world.records, 1, 2 * TAKE_BAD_ITEMS_MAX);
    assert_in_range(world.requests, 1, 40);
    fixture_free(fixture);
}

static void bad_items_between_good_ones_are_all_recorded_in_one_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(60);
    for (int i = 0; i < 60; i += 3)
        treat(i, i, TREAT_POISON);
    take(fixture, false);
    assert_went_through();
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 0)
            assert_recorded(i);
        else
            assert_delivered(i);
    }
    fixture_free(fixture);
}

static void when_every_item_fails_it_is_the_mailbox_and_hardly_any_is_recorded(void **state)
{
    (void)state;
    for (int count = 4; count <= 100; count += 32) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, false);
        assert_true(failure_is_set(&world.end));
        assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
        assert_string_equal(world.end.code, "HTTP 500");
        assert_in_range(world.records, 0, TAKE_BAD_ITEMS_MAX);
        assert_in_range(world.requests, 1, 12);
        assert_false(item_numbered(fixture, count - 1)->settled);
        fixture_free(fixture);
    }
}

static void a_lone_bad_item_is_recorded_and_the_cycle_goes_on(void **state)
{
    (void)state;
    for (int count = 1; count <= TAKE_BAD_ITEMS_MAX; count++) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, false);
        assert_went_through();
        assert_int_equal(world.records, (unsigned)count);
        fixture_free(fixture);
    }
}

static void retries_never_end_with_a_failure_because_of_bad_items(void **state)
{
    (void)state;
    for (int count = 1; count <= 100; count += 11) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, true);
        assert_went_through();
        assert_in_range(world.records, 1, TAKE_BAD_ITEMS_MAX);
        fixture_free(fixture);
    }
}

static void an_item_that_the_server_refuses_by_name_costs_no_request(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(2, 7, TREAT_REFUSED);
    take(fixture, false);
    assert_went_through();
    assert_int_equal(world.requests, 1);
    for (int i = 2; i <= 7; i++)
        assert_recorded(i);
    assert_delivered_from_to(0, 1);
    assert_delivered_from_to(8, 9);
    fixture_free(fixture);
}

/* Refused for good by the server: at once. Suspected: after all attempts. Not wanted: never. */
static void what_cannot_be_delivered_is_set_aside_when_that_is_wanted(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        struct fixture *fixture = fixture_create(10);
        bool wanted = round % 2 != 0;
        fixture->settings.undeliverable_folder = wanted;
        world.refused_for_good = round >= 2;
        treat(1, 2, TREAT_REFUSED);
        treat(4, 5, TREAT_POISON);
        item_numbered(fixture, 4)->attempts = 3;
        item_numbered(fixture, 5)->attempts = 4;
        take(fixture, false);
        assert_went_through();
        for (int i = 0; i < 10; i++) {
            bool refused = world.refused_for_good && (i == 1 || i == 2);
            assert_int_equal(world.fates[i].set_aside, wanted && (refused || i == 5));
        }
        assert_recorded(4);
        fixture_free(fixture);
    }
}

static void trouble_told_for_an_item_that_may_be_its_cause_is_looked_into(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(4, 4, TREAT_SUSPECT);
    take(fixture, false);
    assert_went_through();
    assert_recorded(4);
    assert_delivered_from_to(0, 3);
    assert_delivered_from_to(5, 9);
    fixture_free(fixture);
}

static void trouble_told_for_an_item_that_cannot_be_its_cause_ends_the_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(4, 4, TREAT_SUSPECT);
    world.suspect_failure.divisible = false;
    take(fixture, false);
    assert_true(failure_is_set(&world.end));
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_delivered_from_to(0, 3);
    assert_delivered_from_to(5, 9);
    assert_false(item_numbered(fixture, 4)->settled);
    fixture_free(fixture);
}

static void a_server_that_asks_for_patience_is_not_asked_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(20);
    world.request_failure = whole_failure;
    world.request_failure.retry_after_ms = 5000;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_int_equal(world.end.retry_after_ms, 5000);
    fixture_free(fixture);
}

static void a_server_that_asks_for_patience_with_one_item_is_not_asked_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(1);
    treat(0, 0, TREAT_SUSPECT);
    world.suspect_failure.retry_after_ms = 5000;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_int_equal(world.end.retry_after_ms, 5000);
    fixture_free(fixture);
}

static void a_failure_that_no_item_can_cause_ends_the_cycle_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(20);
    world.request_failure = whole_failure;
    world.request_failure.divisible = false;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_true(failure_is_set(&world.end));
    fixture_free(fixture);
}

static void items_that_are_gone_are_told_to_the_ledger_if_it_knows_them_as_failed(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    treat(1, 3, TREAT_GONE);
    item_numbered(fixture, 2)->attempts = 2;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(world.fates[1].told_gone, 0);
    assert_int_equal(world.fates[2].told_gone, 1);
    assert_int_equal(world.fates[3].told_gone, 0);
    assert_int_equal(world.records, 0);
    assert_int_equal(fixture->cycle.moved, 3);
    fixture_free(fixture);
}

static void what_the_ledger_has_already_is_thrown_away_and_not_counted(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    world.fates[1].known = world.fates[2].known = true;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(fixture->cycle.moved, 2);
    assert_delivered(0);
    assert_delivered(3);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(world.fates[i].published, 0);
        assert_int_equal(world.fates[i].abandoned, 1);
        assert_true(item_numbered(fixture, i)->settled);
    }
    assert_int_equal(world.requests, 1);
    fixture_free(fixture);
}

static void a_batch_of_nothing_but_duplicates_is_no_trouble(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(3);
    for (int i = 0; i < 3; i++)
        world.fates[i].known = true;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(fixture->cycle.moved, 0);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_are_taken_first),
        cmocka_unit_test(a_request_is_cut_where_the_sizes_exceed_the_limit),
        cmocka_unit_test(a_request_is_cut_before_the_sink_would_hold_too_much),
        cmocka_unit_test(a_cycle_that_is_to_end_finishes_the_batch_under_way),
        cmocka_unit_test(a_bad_item_is_found_by_halving_and_the_others_are_delivered),
        cmocka_unit_test(what_arrived_before_a_request_broke_is_kept),
        cmocka_unit_test(sixty_bad_items_do_not_hold_up_a_good_newer_one),
        cmocka_unit_test(bad_items_between_good_ones_are_all_recorded_in_one_cycle),
        cmocka_unit_test(when_every_item_fails_it_is_the_mailbox_and_hardly_any_is_recorded),
        cmocka_unit_test(a_lone_bad_item_is_recorded_and_the_cycle_goes_on),
        cmocka_unit_test(retries_never_end_with_a_failure_because_of_bad_items),
        cmocka_unit_test(an_item_that_the_server_refuses_by_name_costs_no_request),
        cmocka_unit_test(what_cannot_be_delivered_is_set_aside_when_that_is_wanted),
        cmocka_unit_test(trouble_told_for_an_item_that_may_be_its_cause_is_looked_into),
        cmocka_unit_test(trouble_told_for_an_item_that_cannot_be_its_cause_ends_the_cycle),
        cmocka_unit_test(a_server_that_asks_for_patience_is_not_asked_again),
        cmocka_unit_test(a_server_that_asks_for_patience_with_one_item_is_not_asked_again),
        cmocka_unit_test(a_failure_that_no_item_can_cause_ends_the_cycle_at_once),
        cmocka_unit_test(items_that_are_gone_are_told_to_the_ledger_if_it_knows_them_as_failed),
        cmocka_unit_test(what_the_ledger_has_already_is_thrown_away_and_not_counted),
        cmocka_unit_test(a_batch_of_nothing_but_duplicates_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

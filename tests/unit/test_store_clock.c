/* A clock that was set back: what waits to be tried again does not wait longer for it. */
#include "store_submissions.h"

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

static void set_back(struct fixture *fixture, int64_t by_ms)
{
    MUST_SUCCEED(fixture,
                 store_clock_set_back(fixture->store, by_ms, NOW - by_ms, support_done, &outcome));
}

static void submissions_are_due_when_they_would_have_been(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    postpone(fixture, mailbox, 1, NOW + 30000);
    add(fixture, mailbox, 2); /* due at once, and so it stays */
    set_back(fixture, DAY_MS);
    int64_t now = NOW - DAY_MS;
    struct listing listing = list(fixture, mailbox, now + 29999, 10);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.numbers[0], 2);
    assert_int_equal(listing.next_ms, now + 30000);
    assert_int_equal(list(fixture, mailbox, now + 30000, 10).count, 2);
}

static void what_is_in_doubt_is_not_so_for_a_day_longer(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    change_at(fixture, mailbox,
              (struct store_submission_change){
                  .id = id_of(1), .state = STORE_SUBMISSION_DOUBTFUL, .doubt_since_ms = NOW - 1000},
              NOW);
    set_back(fixture, DAY_MS);
    assert_int_equal(list(fixture, mailbox, NOW, 10).first.doubt_since_ms, NOW - DAY_MS - 1000);
}

static void what_was_is_left_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    postpone(fixture, mailbox, 1, NOW - 2 * DAY_MS);
    set_back(fixture, DAY_MS);
    struct listing listing = list(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.first.next_try_ms, NOW - 2 * DAY_MS);
    assert_int_equal(listing.first.doubt_since_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(submissions_are_due_when_they_would_have_been),
        TEST(what_is_in_doubt_is_not_so_for_a_day_longer),
        TEST(what_was_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

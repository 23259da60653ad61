/* Items that could not be delivered and are set aside: listed until they were, and again when they
 * come back. */
#include "store_listing.h"

static void mark(struct fixture *fixture, struct store_mailbox mailbox, struct store_key key,
                 const char *reference)
{
    fail_item_as(fixture, mailbox, key, reference, 5, NOW, true);
}

static void set_aside(struct fixture *fixture, struct store_mailbox mailbox, struct store_key key)
{
    MUST_SUCCEED(fixture, store_ledger_set_aside(fixture->store, mailbox, &key.item, 1,
                                                 support_done, &outcome));
}

static void what_is_to_be_set_aside_is_listed_until_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_key key = support_key(1, 10);
    mark(fixture, mailbox, key, "ref");
    struct listing open = list(fixture, mailbox, NOW, 10);
    assert_int_equal(open.count, 1);
    assert_int_equal(open.items[0].kind, STORE_OPEN_UNDELIVERABLE);
    assert_int_equal(open.items[0].attempts, 5);
    assert_string_equal(open.items[0].reference, "ref");
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure WHERE next_retry IS"
                                             " NULL AND resolved_at IS NULL"),
                     1);

    set_aside(fixture, mailbox, key);
    open = list(fixture, mailbox, NOW + 100 * DAY, 10);
    assert_int_equal(open.count, 0);
    assert_false(open.waiting);
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_FAILED);
    assert_int_equal(open_failures(fixture), 1);

    /* Nothing else is: not what is due, not what was delivered. */
    fail_item(fixture, mailbox, support_key(2, 20), "due", 1, NOW);
    assert_true(support_deliver(fixture, mailbox, support_key(3, 30), "done"));
    set_aside(fixture, mailbox, support_key(2, 20));
    set_aside(fixture, mailbox, support_key(3, 30));
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 2);
}

static void what_cannot_be_set_aside_holds_up_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    bool met[20] = {false};
    for (unsigned i = 0; i < 20; i++) {
        char reference[16];
        snprintf(reference, sizeof reference, "%u", i);
        mark(fixture, mailbox, support_key((uint8_t)(i + 1), 0), reference);
    }
    for (unsigned i = 0; i < 8; i++)
        fail_item(fixture, mailbox, support_key((uint8_t)(100 + i), 0), "due", 1, NOW);
    unsigned missing = 20;
    for (unsigned round = 0; round < 1000 && missing > 0; round++) {
        struct listing open = list(fixture, mailbox, NOW, 8);
        assert_int_equal(open.count, 2 + 8);
        assert_true(open.more);
        for (size_t i = 0; i < open.count; i++) {
            bool aside = open.items[i].kind == STORE_OPEN_UNDELIVERABLE;
            assert_int_equal(aside, i < 2);
            if (!aside)
                continue;
            int number = atoi(open.items[i].reference);
            missing -= !met[number];
            met[number] = true;
        }
    }
    assert_int_equal(missing, 0);
}

static void what_was_set_aside_and_comes_back_is_due_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    mark(fixture, mailbox, support_key(1, 10), "old");
    mark(fixture, mailbox, support_key(2, 0), "same");
    set_aside(fixture, mailbox, support_key(1, 10));
    set_aside(fixture, mailbox, support_key(2, 0));
    see(fixture, mailbox, support_key(3, 10), "new", NOW);
    see(fixture, mailbox, support_key(2, 0), "same", NOW);
    struct listing open = list(fixture, mailbox, NOW, 10);
    assert_int_equal(open.count, 2);
    for (size_t i = 0; i < open.count; i++) {
        assert_int_equal(open.items[i].kind, STORE_OPEN_FAILED);
        assert_int_equal(open.items[i].attempts, 5);
    }
    /* What is there under another ItemId is told of once. */
    assert_int_equal(open_failures(fixture), 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_UNKNOWN);
    assert_true(support_deliver(fixture, mailbox, support_key(3, 10), NULL));
    support_delivered(fixture, mailbox, support_key(3, 10));
    assert_false(support_deliver(fixture, mailbox, support_key(4, 10), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_is_to_be_set_aside_is_listed_until_it_was),
        TEST(what_cannot_be_set_aside_holds_up_nothing),
        TEST(what_was_set_aside_and_comes_back_is_due_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

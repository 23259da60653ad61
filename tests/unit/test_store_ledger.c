#include "store_listing.h"

/* --- once --- */

static void an_item_is_taken_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_key key = support_key(1, 10);
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_UNKNOWN);
    assert_true(support_deliver(fixture, mailbox, key, "ref"));
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_DELIVERING);
    assert_false(support_deliver(fixture, mailbox, key, "ref"));
    support_delivered(fixture, mailbox, key);
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_DELIVERED);
    assert_false(support_deliver(fixture, mailbox, key, "ref"));
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_DELIVERED);
}

static void an_item_under_a_new_id_is_known_by_its_fingerprint(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 10), NULL));
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 10)), STORE_ITEM_DELIVERING);
    assert_false(support_deliver(fixture, mailbox, support_key(2, 10), NULL));
    assert_true(support_deliver(fixture, mailbox, support_key(3, 0), NULL));
    assert_true(support_deliver(fixture, mailbox, support_key(4, 0), NULL));
}

static void another_mailbox_gets_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    MUST_SUCCEED(fixture,
                 store_register_mailboxes(fixture->store, all, 2, NOW, support_done, &outcome));
    assert_true(support_deliver(fixture, all[0].mailbox, support_key(1, 10), NULL));
    assert_int_equal(support_check(fixture, all[1].mailbox, support_key(1, 10)),
                     STORE_ITEM_UNKNOWN);
    assert_true(support_deliver(fixture, all[1].mailbox, support_key(1, 10), NULL));
}

static void duplicates_within_one_call_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery all[] = {
        {.key = support_key(1, 10), .name = "n1", .duplicate = true},
        {.key = support_key(1, 11), .name = "n2"},
        {.key = support_key(2, 10), .name = "n3"},
        {.key = support_key(3, 12), .name = "n4", .duplicate = true},
    };
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, all, 4, NOW, support_done,
                                               &outcome));
    assert_false(all[0].duplicate);
    assert_true(all[1].duplicate);
    assert_true(all[2].duplicate);
    assert_false(all[3].duplicate);
    struct listing listing = list(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 2);
}

/* --- failed items --- */

static void a_failed_item_is_taken_later_and_its_failure_ends(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_key key = support_key(1, 10);
    fail_item(fixture, mailbox, key, "ref", 3, NOW + 100);
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_FAILED);
    struct listing early = list(fixture, mailbox, NOW + 99, 10);
    assert_int_equal(early.count, 0);
    assert_true(early.waiting);
    struct listing due = list(fixture, mailbox, NOW + 100, 10);
    assert_int_equal(due.count, 1);
    assert_false(due.waiting);
    assert_int_equal(due.items[0].kind, STORE_OPEN_FAILED);
    assert_int_equal(due.items[0].attempts, 3);
    assert_int_equal(due.items[0].received_ms, NOW - 5);
    assert_string_equal(due.items[0].reference, "ref");
    assert_memory_equal(&due.items[0].key.item, &key.item, DIGEST_SIZE);
    assert_true(due.items[0].key.has_fingerprint);

    /* The next try brings no fingerprint: the one that is known stays. */
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    assert_int_equal(support_check(fixture, mailbox, support_key(7, 10)), STORE_ITEM_DELIVERING);
    assert_int_equal(open_failures(fixture), 1);
    support_delivered(fixture, mailbox, key);
    assert_int_equal(open_failures(fixture), 0);
    assert_int_equal(list(fixture, mailbox, NOW + DAY, 10).count, 0);
}

static void a_failure_never_undoes_a_delivery(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    fail_item(fixture, mailbox, support_key(1, 0), "ref", 1, NOW);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_DELIVERING);
    support_delivered(fixture, mailbox, support_key(1, 0));
    fail_item(fixture, mailbox, support_key(1, 0), "ref", 1, NOW);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_DELIVERED);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
}

static void a_failed_item_that_is_gone_is_new_when_it_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct digest items[] = {support_digest(1), support_digest(2), support_digest(3)};
    fail_item(fixture, mailbox, support_key(1, 10), "ref", 1, NOW);
    assert_true(support_deliver(fixture, mailbox, support_key(2, 0), NULL));
    MUST_SUCCEED(fixture,
                 store_ledger_gone(fixture->store, mailbox, items, 3, NOW, support_done, &outcome));
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 10)), STORE_ITEM_UNKNOWN);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 0)), STORE_ITEM_DELIVERING);
    assert_int_equal(open_failures(fixture), 0);
}

static void a_failed_item_that_never_retries_is_not_listed(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    fail_item(fixture, mailbox, support_key(1, 0), "ref", 1, INT64_MAX);
    assert_int_equal(list(fixture, mailbox, INT64_MAX, 10).count, 0);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_FAILED);
}

/* Moved while it had failed: two rows, of which the first to be delivered is the last. */
static void a_failed_item_under_two_ids_is_delivered_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    fail_item(fixture, mailbox, support_key(1, 10), "ref1", 2, NOW + 100);
    see(fixture, mailbox, support_key(2, 10), "ref2", NOW);
    struct listing due = list(fixture, mailbox, NOW + 100, 10);
    assert_int_equal(due.count, 2);
    assert_int_equal(due.items[0].attempts, 2);
    assert_int_equal(due.items[1].attempts, 2);

    fail_item(fixture, mailbox, support_key(2, 10), "ref2", 3, NOW + 100);
    assert_int_equal(open_failures(fixture), 2);
    assert_true(support_deliver(fixture, mailbox, support_key(1, 10), NULL));
    support_delivered(fixture, mailbox, support_key(1, 10));
    assert_false(support_deliver(fixture, mailbox, support_key(2, 10), "ref2"));
    assert_int_equal(open_failures(fixture), 0);
    assert_int_equal(list(fixture, mailbox, NOW + DAY, 10).count, 0);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 0)), STORE_ITEM_DELIVERED);
}

/* --- seen and forgotten --- */

static void an_alias_is_known_without_its_fingerprint(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 10), "ref"));
    see(fixture, mailbox, support_key(2, 10), "ref2", NOW);
    see(fixture, mailbox, support_key(3, 11), "ref3", NOW);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 0)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_check(fixture, mailbox, support_key(3, 11)), STORE_ITEM_UNKNOWN);
    /* Only the row itself is published and acknowledged. */
    struct listing open = list(fixture, mailbox, NOW, 10);
    assert_int_equal(open.count, 1);
    assert_int_equal(open.items[0].kind, STORE_OPEN_DELIVERING);
    support_delivered(fixture, mailbox, support_key(1, 10));
    open = list(fixture, mailbox, NOW, 10);
    assert_int_equal(open.count, 1);
    assert_string_equal(open.items[0].reference, "ref");
}

static void seeing_writes_only_after_a_week(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 10), NULL));
    see(fixture, mailbox, support_key(1, 10), "r", NOW + 7 * DAY);
    assert_int_equal(support_number(fixture, "SELECT last_seen FROM ledger"), NOW);
    see(fixture, mailbox, support_key(1, 10), "r", NOW + 7 * DAY + 1);
    assert_int_equal(support_number(fixture, "SELECT last_seen FROM ledger"), NOW + 7 * DAY + 1);
}

static void a_clock_that_was_ahead_is_made_up_for(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    fail_item(fixture, mailbox, support_key(1, 0), "ref", 1, NOW + 1000);
    see(fixture, mailbox, support_key(1, 0), "ref", NOW - 300 * DAY);
    assert_int_equal(support_number(fixture, "SELECT last_seen FROM ledger"), NOW - 300 * DAY);
    assert_int_equal(list(fixture, mailbox, NOW - 300 * DAY, 10).count, 1);
}

static void a_failed_item_gets_its_present_reference(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    fail_item(fixture, mailbox, support_key(1, 0), "old", 1, NOW);
    see(fixture, mailbox, support_key(1, 0), "new", NOW);
    assert_string_equal(list(fixture, mailbox, NOW, 10).items[0].reference, "new");
    see(fixture, mailbox, support_key(1, 0), NULL, NOW);
    assert_string_equal(list(fixture, mailbox, NOW, 10).items[0].reference, "new");
}

static void what_was_not_seen_for_long_is_forgotten_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    enum { ITEMS = 1700 };
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery *all = memory_allocate_array(ITEMS, sizeof *all);
    struct digest *items = memory_allocate_array(ITEMS, sizeof *items);
    for (size_t i = 0; i < ITEMS; i++) {
        all[i] = (struct store_delivery){.key = support_key(i + 1, 0), .name = "n"};
        items[i] = all[i].key.item;
    }
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, all, ITEMS, NOW,
                                               support_done, &outcome));
    /* The last one is still on its way, the one before is in the folder. */
    MUST_SUCCEED(fixture, store_ledger_delivered(fixture->store, mailbox, items, ITEMS - 1, NOW,
                                                 support_done, &outcome));
    see(fixture, mailbox, all[ITEMS - 2].key, NULL, NOW + 20 * DAY);
    fail_item(fixture, mailbox, support_key(ITEMS + 1, 0), "ref", 1, INT64_MAX);

    MUST_SUCCEED(fixture,
                 store_ledger_forget(fixture->store, mailbox, NOW, support_done, &outcome));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), ITEMS + 1);
    size_t before = atomic_load(&fixture->store->transactions);
    MUST_SUCCEED(fixture,
                 store_ledger_forget(fixture->store, mailbox, NOW + 1, support_done, &outcome));
    assert_true(atomic_load(&fixture->store->transactions) - before > 3);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 2);
    assert_int_equal(support_check(fixture, mailbox, all[ITEMS - 1].key), STORE_ITEM_DELIVERING);
    assert_int_equal(support_check(fixture, mailbox, all[ITEMS - 2].key), STORE_ITEM_DELIVERED);
    assert_int_equal(open_failures(fixture), 0);
    memory_free(items);
    memory_free(all);
}

/* --- what is left to do --- */

static void open_items_are_listed_up_to_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(support_deliver(fixture, mailbox, support_key(i, 0), NULL));
    for (uint64_t i = 11; i <= 14; i++)
        fail_item(fixture, mailbox, support_key(i, 0), "failed", 1, NOW - (int64_t)i);
    for (uint64_t i = 21; i <= 25; i++) {
        assert_true(support_deliver(fixture, mailbox, support_key(i, 0), "unread"));
        support_delivered(fixture, mailbox, support_key(i, 0));
    }
    struct listing all = list(fixture, mailbox, NOW, 9);
    assert_int_equal(all.count, 12);
    assert_false(all.more);
    assert_string_equal(all.items[0].name, "name.S=1");
    assert_string_equal(all.items[0].reference, "(none)");
    /* Those that are due for longest come first. */
    assert_int_equal(all.items[3].kind, STORE_OPEN_FAILED);
    struct digest longest = support_digest(14);
    assert_memory_equal(&all.items[3].key.item, &longest, DIGEST_SIZE);
    assert_int_equal(all.items[11].kind, STORE_OPEN_UNACKNOWLEDGED);
    assert_string_equal(all.items[11].name, "(none)");

    static const struct {
        size_t limit, count;
        bool more;
    } cases[] = {{0, 3, true},  {3, 6, true},   {4, 7, true},
                 {8, 11, true}, {9, 12, false}, {SIZE_MAX, 12, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listing some = list(fixture, mailbox, NOW, cases[i].limit);
        assert_int_equal(some.count, cases[i].count);
        assert_int_equal(some.more, cases[i].more);
    }
}

static void deliver_unacknowledged(struct fixture *fixture, struct store_mailbox mailbox,
                                   uint64_t number)
{
    assert_true(support_deliver(fixture, mailbox, support_key(number, 0), "unread"));
    support_delivered(fixture, mailbox, support_key(number, 0));
}

/* Which items a listing has, as "3 4 5". */
static void expect_listed(const struct listing *listing, const char *wanted)
{
    char found[256] = "";
    for (size_t i = 0; i < listing->count; i++) {
        uint64_t number = 1;
        struct digest item = support_digest(number);
        while (memcmp(&listing->items[i].key.item, &item, DIGEST_SIZE) != 0)
            item = support_digest(++number);
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, "%s%llu", i == 0 ? "" : " ",
                 (unsigned long long)number);
    }
    assert_string_equal(found, wanted);
}

static void items_that_are_never_acknowledged_take_turns_with_others(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_mailbox other = support_mailbox(fixture, "b@x");
    for (uint64_t number = 1; number <= 5; number++) {
        deliver_unacknowledged(fixture, mailbox, number);
        deliver_unacknowledged(fixture, other, number);
    }
    struct listing some = {.position = 0};
    const char *turns[] = {"1 2", "3 4", "5 1", "2 3"};
    for (size_t i = 0; i < 4; i++) {
        some = list_from(fixture, mailbox, NOW, some.position, 2);
        expect_listed(&some, turns[i]);
        assert_true(some.more);
    }

    /* What fails meanwhile takes its share, and the turn goes on behind it. */
    fail_item(fixture, mailbox, support_key(9, 0), "failed", 1, NOW);
    some = list_from(fixture, mailbox, NOW, some.position, 1);
    expect_listed(&some, "9");
    assert_true(some.more);
    some = list_from(fixture, mailbox, NOW, some.position, 2);
    expect_listed(&some, "9 4");

    /* All that fit are listed, wherever the turn is. */
    deliver_unacknowledged(fixture, mailbox, 6);
    some = list_from(fixture, mailbox, NOW, some.position, 7);
    expect_listed(&some, "9 5 6 1 2 3 4");
    assert_false(some.more);
    some = list_from(fixture, mailbox, NOW, some.position, 7);
    expect_listed(&some, "9 1 2 3 4 5 6");
}

static void an_acknowledged_item_is_not_listed(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_key key = support_key(1, 0);
    assert_true(support_deliver(fixture, mailbox, key, "ref"));
    support_delivered(fixture, mailbox, key);
    fail_item(fixture, mailbox, key, "ref", 1, NOW); /* marking it as read was refused */
    assert_int_equal(open_failures(fixture), 1);
    MUST_SUCCEED(fixture, store_ledger_acknowledged(fixture->store, mailbox, &key.item, 1,
                                                    support_done, &outcome));
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
    assert_int_equal(open_failures(fixture), 0);
    assert_int_equal(support_check(fixture, mailbox, key), STORE_ITEM_DELIVERED);
}

static void an_item_that_was_acknowledged_before_delivery_was_noted_is_done(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_key key = support_key(1, 0);
    assert_true(support_deliver(fixture, mailbox, key, "ref"));
    MUST_SUCCEED(fixture, store_ledger_acknowledged(fixture->store, mailbox, &key.item, 1,
                                                    support_done, &outcome));
    support_delivered(fixture, mailbox, key);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
}

static void every_write_of_a_lost_lease_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_mailbox lost = {.number = mailbox.number, .lease = mailbox.lease + 1};
    struct store *store = fixture->store;
    struct store_key key = support_key(1, 0);
    struct store_delivery delivery = {.key = key, .name = "n"};
    struct store_seen seen = {.key = key};
    struct store_folder folder = {.process_from_ms = NOW};
    struct store_failure failure = {.profile = "p", .mailbox = lost};
    const char *names[] = {"Inbox"};
    char *sink_path = NULL;
#define LOST(call) MUST_FAIL(fixture, "LEASE", call)
    LOST(store_ledger_deliver(store, lost, &delivery, 1, NOW, support_done, &outcome));
    LOST(store_ledger_delivered(store, lost, &key.item, 1, NOW, support_done, &outcome));
    LOST(store_ledger_acknowledged(store, lost, &key.item, 1, support_done, &outcome));
    LOST(store_ledger_gone(store, lost, &key.item, 1, NOW, support_done, &outcome));
    LOST(store_ledger_set_aside(store, lost, &key.item, 1, support_done, &outcome));
    LOST(store_ledger_seen(store, lost, &seen, 1, NOW, support_done, &outcome));
    LOST(store_ledger_forget(store, lost, NOW, support_done, &outcome));
    LOST(store_folders_load(store, lost, names, 1, &folder, &sink_path, support_done, &outcome));
    LOST(store_folder_save(store, lost, "Inbox", &folder, support_done, &outcome));
    LOST(store_sink_ready(store, lost, "/m", support_done, &outcome));
    LOST(store_failure_record(store, &failure, support_done, &outcome));
    LOST(store_failure_resolve(store, "p", lost, NULL, NOW, NULL, support_done, &outcome));
    lost.number = 99;
    lost.lease = 1;
    LOST(store_ledger_deliver(store, lost, &delivery, 1, NOW, support_done, &outcome));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM folder"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(an_item_is_taken_once),
        TEST(an_item_under_a_new_id_is_known_by_its_fingerprint),
        TEST(another_mailbox_gets_its_own),
        TEST(duplicates_within_one_call_are_told),
        TEST(a_failed_item_is_taken_later_and_its_failure_ends),
        TEST(a_failure_never_undoes_a_delivery),
        TEST(a_failed_item_that_is_gone_is_new_when_it_comes_back),
        TEST(a_failed_item_that_never_retries_is_not_listed),
        TEST(a_failed_item_under_two_ids_is_delivered_once),
        TEST(an_alias_is_known_without_its_fingerprint),
        TEST(seeing_writes_only_after_a_week),
        TEST(a_clock_that_was_ahead_is_made_up_for),
        TEST(a_failed_item_gets_its_present_reference),
        TEST(what_was_not_seen_for_long_is_forgotten_and_no_more),
        TEST(open_items_are_listed_up_to_the_limit),
        TEST(items_that_are_never_acknowledged_take_turns_with_others),
        TEST(an_acknowledged_item_is_not_listed),
        TEST(an_item_that_was_acknowledged_before_delivery_was_noted_is_done),
        TEST(every_write_of_a_lost_lease_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What was delivered can be forgotten, so that it is delivered again. */
#include "store/store_actions.h"
#include "store_support.h"

enum { MANY = 2500 }; /* more than two slices */

static void load_folder(struct fixture *fixture, struct store_mailbox mailbox,
                        struct store_folder *folder)
{
    const char *name = "Inbox";
    char *sink_path = NULL;
    MUST_SUCCEED(fixture, store_folders_load(fixture->store, mailbox, &name, 1, folder, &sink_path,
                                             support_done, &outcome));
    memory_free(sink_path);
}

static void deliver_at(struct fixture *fixture, struct store_mailbox mailbox, uint64_t item,
                       int64_t received_ms)
{
    struct store_delivery delivery = {
        .key = support_key(item, item), .received_ms = received_ms, .name = "n", .reference = "r"};
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW,
                                               support_done, &outcome));
    support_delivered(fixture, mailbox, delivery.key);
}

static struct store_redelivery count(struct fixture *fixture, struct store_mailbox mailbox,
                                     int64_t since_ms)
{
    struct store_redelivery redelivery = {.since_ms = since_ms, .more = true};
    while (redelivery.more)
        MUST_SUCCEED(fixture, store_redelivery_count(fixture->store, mailbox, &redelivery,
                                                     support_done, &outcome));
    return redelivery;
}

static struct store_redelivery forget(struct fixture *fixture, struct store_mailbox mailbox,
                                      int64_t since_ms)
{
    struct store_redelivery redelivery = {.since_ms = since_ms, .more = true};
    while (redelivery.more)
        MUST_SUCCEED(fixture, store_redelivery_forget(fixture->store, mailbox, NOW + 1, &redelivery,
                                                      support_done, &outcome));
    return redelivery;
}

static void what_was_received_since_then_is_forgotten_and_looked_for(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_folder folder = {.process_from_ms = NOW - DAY};
    load_folder(fixture, mailbox, &folder);
    deliver_at(fixture, mailbox, 1, NOW - 20);
    deliver_at(fixture, mailbox, 2, NOW - 10);
    deliver_at(fixture, mailbox, 3, NOW);

    assert_int_equal(count(fixture, mailbox, NOW - 10).count, 2);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 2)), STORE_ITEM_DELIVERED);
    load_folder(fixture, mailbox, &folder);
    assert_int_equal(folder.pass_started_ms, 0);

    assert_int_equal(forget(fixture, mailbox, NOW - 10).count, 2);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 1)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 2)), STORE_ITEM_UNKNOWN);
    assert_int_equal(support_check(fixture, mailbox, support_key(3, 3)), STORE_ITEM_UNKNOWN);
    load_folder(fixture, mailbox, &folder);
    assert_int_equal(folder.pass_started_ms, NOW + 1);
    assert_int_equal(folder.pass_offset, 0);
    assert_int_equal(count(fixture, mailbox, NOW - 10).count, 0);
}

static void what_was_not_delivered_stays_known(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[] = {support_mailbox(fixture, "a@x"), {0}};
    struct store_registration registrations[] = {{.address = "a@x", .profile = "p"},
                                                 {.address = "b@x", .profile = "p"}};
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, registrations, 2, NOW,
                                                   support_done, &outcome));
    two[1] = registrations[1].mailbox;
    support_deliver(fixture, two[0], support_key(1, 0), NULL);
    deliver_at(fixture, two[1], 2, NOW);
    struct store_delivery item = {.key = support_key(3, 0), .received_ms = NOW, .reference = "r"};
    struct store_failure failure = {.profile = "p",
                                    .mailbox = two[0],
                                    .direction = "incoming",
                                    .item = &item,
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW,
                                    .failure = store_failure_of("GetItem", "X", false, "s", "")};
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
    assert_int_equal(forget(fixture, two[0], 0).count, 0);
    assert_int_equal(support_check(fixture, two[0], support_key(1, 0)), STORE_ITEM_DELIVERING);
    assert_int_equal(support_check(fixture, two[0], support_key(3, 0)), STORE_ITEM_FAILED);
    assert_int_equal(support_check(fixture, two[1], support_key(2, 2)), STORE_ITEM_DELIVERED);
}

static void nothing_is_forgotten_that_would_not_be_taken_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_folder folder = {.process_from_ms = NOW - 15};
    load_folder(fixture, mailbox, &folder);
    deliver_at(fixture, mailbox, 1, NOW - 20);
    deliver_at(fixture, mailbox, 2, NOW - 10);
    struct store_redelivery counted = count(fixture, mailbox, 0);
    assert_int_equal(counted.count, 1);
    assert_int_equal(counted.since_ms, NOW - 15);
    assert_int_equal(forget(fixture, mailbox, 0).count, 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 1)), STORE_ITEM_DELIVERED);
}

static void a_large_ledger_is_gone_through_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct outcome outcome = {.fixture = fixture};
    char sql[400];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             " INSERT INTO ledger (mailbox, item, state, received_at, last_seen)"
             " SELECT %d, randomblob(16), 2, i, 0 FROM n",
             MANY, (int)mailbox.number);
    support_sql_start(fixture, sql, &outcome);
    support_wait(&outcome);
    assert_false(outcome.failed);
    assert_int_equal(count(fixture, mailbox, 501).count, MANY - 500);
    assert_int_equal(forget(fixture, mailbox, 501).count, MANY - 500);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 500);
    assert_int_equal(support_number(fixture, "SELECT max(received_at) FROM ledger"), 500);
}

static void a_mailbox_without_mail_has_none_to_deliver_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_int_equal(count(fixture, mailbox, 0).count, 0);
    assert_int_equal(forget(fixture, mailbox, 0).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_was_received_since_then_is_forgotten_and_looked_for),
        TEST(what_was_not_delivered_stays_known),
        TEST(nothing_is_forgotten_that_would_not_be_taken_again),
        TEST(a_large_ledger_is_gone_through_in_slices),
        TEST(a_mailbox_without_mail_has_none_to_deliver_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

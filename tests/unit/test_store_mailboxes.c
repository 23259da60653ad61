#include "store_support.h"

#include <time.h>

static void register_all(struct fixture *fixture, struct store_registration *registrations,
                         size_t count, int64_t now_ms)
{
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, registrations, count, now_ms,
                                                   support_done, &outcome));
}

static struct store_registration as(const char *address, const char *renamed_from)
{
    return (struct store_registration){
        .address = address, .renamed_from = renamed_from, .profile = "p"};
}

static void mailboxes_keep_their_number_and_the_time_they_were_enabled(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration first[] = {as("a@x", NULL), as("b@x", NULL)};
    register_all(fixture, first, 2, NOW);
    assert_int_not_equal(first[0].mailbox.number, first[1].mailbox.number);
    assert_int_equal(first[0].mailbox.lease, 1);
    assert_int_equal(first[0].enabled_ms, NOW);

    support_close(fixture);
    support_open(fixture);
    struct store_registration again[] = {as("b@x", NULL), as("a@x", NULL)};
    register_all(fixture, again, 2, NOW + DAY);
    assert_int_equal(again[0].mailbox.number, first[1].mailbox.number);
    assert_int_equal(again[1].mailbox.number, first[0].mailbox.number);
    assert_int_equal(again[1].enabled_ms, NOW);
}

static void a_mailbox_that_leaves_and_comes_back_is_as_before(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    register_all(fixture, NULL, 0, NOW + DAY);
    assert_int_equal(support_number(fixture, "SELECT removed_at FROM mailbox"), NOW + DAY);
    register_all(fixture, NULL, 0, NOW + 2 * DAY);
    assert_int_equal(support_number(fixture, "SELECT removed_at FROM mailbox"), NOW + DAY);

    struct store_registration back = as("a@x", NULL);
    register_all(fixture, &back, 1, NOW + 2 * DAY);
    assert_int_equal(back.mailbox.number, mailbox.number);
    assert_int_equal(back.enabled_ms, NOW);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"
                                             " WHERE removed_at IS NOT NULL"),
                     0);
    assert_int_equal(support_check(fixture, back.mailbox, support_key(1, 0)),
                     STORE_ITEM_DELIVERING);
}

static void registering_the_same_again_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {as("a@x", NULL), as("b@x", "old@x")};
    register_all(fixture, all, 2, NOW);
    char wal[128];
    struct stat first, second;
    snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    assert_int_equal(stat(wal, &first), 0);
    register_all(fixture, all, 2, NOW + DAY);
    assert_int_equal(stat(wal, &second), 0);
    assert_int_equal(first.st_size, second.st_size);
    assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

static void a_renamed_mailbox_keeps_its_number(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "old@x");
    for (int i = 0; i < 2; i++) {
        struct store_registration renamed = as("new@x", "old@x");
        register_all(fixture, &renamed, 1, NOW + i);
        assert_int_equal(renamed.mailbox.number, mailbox.number);
        assert_int_equal(renamed.enabled_ms, NOW);
    }
}

static void the_old_address_may_be_given_to_somebody_else(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "old@x");
    int64_t other = 0;
    for (int i = 0; i < 3; i++) {
        struct store_registration all[] = {as("old@x", NULL), as("new@x", "old@x")};
        register_all(fixture, all, 2, NOW + i);
        assert_int_equal(all[1].mailbox.number, mailbox.number);
        assert_int_not_equal(all[0].mailbox.number, mailbox.number);
        if (i > 0)
            assert_int_equal(all[0].mailbox.number, other);
        other = all[0].mailbox.number;
    }
}

static void addresses_may_be_swapped_and_handed_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration first[] = {as("a@x", NULL), as("b@x", NULL), as("c@x", NULL)};
    register_all(fixture, first, 3, NOW);
    assert_true(support_deliver(fixture, first[0].mailbox, support_key(1, 0), NULL));
    assert_true(support_deliver(fixture, first[1].mailbox, support_key(1, 0), NULL));
    for (int i = 0; i < 2; i++) {
        struct store_registration all[] = {as("a@x", "b@x"), as("b@x", "a@x"), as("d@x", "c@x"),
                                           as("c@x", "e@x")};
        register_all(fixture, all, 4, NOW + i);
        assert_int_equal(all[0].mailbox.number, first[1].mailbox.number);
        assert_int_equal(all[1].mailbox.number, first[0].mailbox.number);
        assert_int_equal(all[2].mailbox.number, first[2].mailbox.number);
        assert_true(all[3].mailbox.number > first[2].mailbox.number);
    }
}

/* The administrator notices the renaming only after the new address has been at work. */
static void a_late_renaming_forgets_nothing_of_either(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration both[] = {as("old@x", NULL), as("new@x", NULL)};
    register_all(fixture, both, 2, NOW);
    struct store_mailbox old = both[0].mailbox;
    struct store_mailbox new = both[1].mailbox;
    assert_true(support_deliver(fixture, old, support_key(1, 0), NULL));
    assert_true(support_deliver(fixture, new, support_key(2, 20), NULL));
    assert_true(support_deliver(fixture, new, support_key(3, 0), NULL));
    struct store_delivery item = {.key = support_key(3, 0), .reference = "r"};
    struct store_failure failure = {.profile = "p",
                                    .mailbox = old,
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW,
                                    .item = &item,
                                    .failure = store_failure_of("GetItem", "X", false, "s", "")};
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));

    /* What is on its way lies in the spool of the new one's Maildir: that comes first. */
    struct store_registration renamed = as("new@x", "old@x");
    register_all(fixture, &renamed, 1, NOW + 1);
    assert_int_equal(renamed.mailbox.number, new.number);
    support_delivered(fixture, new, support_key(2, 20));
    support_delivered(fixture, new, support_key(3, 0));

    renamed = as("new@x", "old@x");
    register_all(fixture, &renamed, 1, NOW + 1);
    assert_int_equal(renamed.mailbox.number, old.number);
    assert_int_equal(support_check(fixture, old, support_key(1, 0)), STORE_ITEM_DELIVERING);
    assert_int_equal(support_check(fixture, old, support_key(9, 20)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_check(fixture, old, support_key(3, 0)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure"
                                             " WHERE resolved_at IS NULL"),
                     0);
    /* A cycle that still holds the number that was given up must not write. */
    MUST_FAIL(fixture, "LEASE",
              store_ledger_delivered(fixture->store, new, &item.key.item, 1, NOW, support_done,
                                     &outcome));
}

static void a_removed_mailbox_is_forgotten_in_bounded_steps(void **state)
{
    struct fixture *fixture = *state;
    enum { ITEMS = 2500 };
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery *deliveries = memory_allocate_array(ITEMS, sizeof *deliveries);
    for (size_t i = 0; i < ITEMS; i++)
        deliveries[i] = (struct store_delivery){.key = support_key(i + 1, 0), .name = "n"};
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, deliveries, ITEMS, NOW,
                                               support_done, &outcome));
    memory_free(deliveries);
    register_all(fixture, NULL, 0, NOW);

    bool more = true;
    MUST_SUCCEED(fixture, store_prune(fixture->store, NOW, NOW, &more, support_done, &outcome));
    assert_false(more);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), ITEMS);
    size_t steps = 0;
    for (more = true; more; steps++)
        MUST_SUCCEED(fixture,
                     store_prune(fixture->store, NOW + 1, NOW, &more, support_done, &outcome));
    assert_true(steps >= 3 && steps <= 5);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), 0);
    assert_true(support_mailbox(fixture, "a@x").number > mailbox.number);
}

static void a_mailbox_that_returns_half_forgotten_is_new(void **state)
{
    struct fixture *fixture = *state;
    enum { ITEMS = 1500 };
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery *deliveries = memory_allocate_array(ITEMS, sizeof *deliveries);
    for (size_t i = 0; i < ITEMS; i++)
        deliveries[i] = (struct store_delivery){.key = support_key(i + 1, 0), .name = "n"};
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, deliveries, ITEMS, NOW,
                                               support_done, &outcome));
    memory_free(deliveries);
    register_all(fixture, NULL, 0, NOW);
    bool more;
    MUST_SUCCEED(fixture, store_prune(fixture->store, NOW + 1, NOW, &more, support_done, &outcome));
    assert_true(more);
    struct store_registration back = as("a@x", NULL);
    register_all(fixture, &back, 1, NOW + 5);
    assert_int_not_equal(back.mailbox.number, mailbox.number);
    assert_int_equal(back.enabled_ms, NOW + 5);
    while (more)
        MUST_SUCCEED(fixture,
                     store_prune(fixture->store, NOW + 1, NOW, &more, support_done, &outcome));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), 1);
}

static void ten_thousand_mailboxes_register_in_one_quick_transaction(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 10000 };
    struct store_registration *all = memory_allocate_array(COUNT, sizeof *all);
    char(*addresses)[32] = memory_allocate_array(COUNT, sizeof *addresses);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(addresses[i], sizeof *addresses, "user%zu@example.org", i);
        all[i] = as(addresses[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        size_t before = atomic_load(&fixture->store->transactions);
        register_all(fixture, all, COUNT, NOW + i);
        clock_gettime(CLOCK_MONOTONIC, &end);
        assert_int_equal(atomic_load(&fixture->store->transactions), before + 1);
        long ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
        print_message("%s: %ld ms\n", i == 0 ? "new" : "known", ms);
        assert_int_equal(all[COUNT - 1].enabled_ms, NOW);
    }
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), COUNT);
    memory_free(addresses);
    memory_free(all);
}

/* --- folders --- */

static bool load(struct fixture *fixture, struct store_mailbox mailbox, struct store_folder *folder,
                 const char *expected_sink)
{
    static const char *const names[] = {"Inbox"};
    char *sink_path = NULL;
    MUST_SUCCEED(fixture, store_folders_load(fixture->store, mailbox, names, 1, folder, &sink_path,
                                             support_done, &outcome));
    bool known = sink_path != NULL && strcmp(sink_path, expected_sink) == 0;
    memory_free(sink_path);
    return known;
}

static void a_folder_begins_at_process_from_and_keeps_what_was_saved(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_folder folder = {.process_from_ms = NOW, .pass_offset = 77};
    assert_false(load(fixture, mailbox, &folder, "/m"));
    assert_int_equal(folder.watermark_ms, NOW);
    assert_int_equal(folder.process_from_ms, NOW);
    assert_int_equal(folder.total, -1);
    assert_int_equal(folder.pass_offset, 0);

    struct store_folder saved = {.watermark_ms = NOW + 9,
                                 .process_from_ms = 5,
                                 .total = 12,
                                 .pass_started_ms = 3,
                                 .pass_offset = 4,
                                 .pass_done_ms = 2};
    MUST_SUCCEED(fixture, store_folder_save(fixture->store, mailbox, "Inbox", &saved, support_done,
                                            &outcome));
    folder = (struct store_folder){.process_from_ms = NOW + DAY};
    load(fixture, mailbox, &folder, "/m");
    assert_memory_equal(&folder, &saved, sizeof folder);
}

static void a_sink_is_ready_at_the_path_where_it_was_set_up(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_folder folder = {.process_from_ms = NOW};
    assert_false(load(fixture, mailbox, &folder, "/mail/a"));
    MUST_SUCCEED(fixture,
                 store_sink_ready(fixture->store, mailbox, "/mail/a", support_done, &outcome));
    assert_true(load(fixture, mailbox, &folder, "/mail/a"));
    assert_false(load(fixture, mailbox, &folder, "/mail/b"));
}

static void idle_polling_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_folder folder = {.process_from_ms = NOW};
    load(fixture, mailbox, &folder, "/m");
    MUST_SUCCEED(fixture, store_sink_ready(fixture->store, mailbox, "/m", support_done, &outcome));
    struct store_seen seen = {.key = support_key(1, 2), .reference = "r"};
    assert_true(support_deliver(fixture, mailbox, seen.key, NULL));
    support_delivered(fixture, mailbox, seen.key);

    char wal[128];
    struct stat first, second;
    snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    assert_int_equal(stat(wal, &first), 0);
    for (int i = 1; i < 20; i++) {
        struct store_resolved resolved;
        load(fixture, mailbox, &folder, "/m");
        MUST_SUCCEED(fixture,
                     store_sink_ready(fixture->store, mailbox, "/m", support_done, &outcome));
        assert_int_equal(support_check(fixture, mailbox, seen.key), STORE_ITEM_DELIVERED);
        MUST_SUCCEED(fixture, store_ledger_seen(fixture->store, mailbox, &seen, 1, NOW + i * 1000,
                                                support_done, &outcome));
        MUST_SUCCEED(fixture, store_folder_save(fixture->store, mailbox, "Inbox", &folder,
                                                support_done, &outcome));
        MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", mailbox, "incoming", NOW,
                                                    &resolved, support_done, &outcome));
        assert_int_equal(resolved.failures, 0);
        support_delivered(fixture, mailbox, seen.key);
        MUST_SUCCEED(fixture, store_ledger_forget(fixture->store, mailbox, NOW - DAY, support_done,
                                                  &outcome));
    }
    assert_int_equal(stat(wal, &second), 0);
    assert_int_equal(first.st_mtim.tv_sec, second.st_mtim.tv_sec);
    assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

static void record(struct fixture *fixture, struct store_mailbox mailbox, const char *direction,
                   const char *code, int64_t now_ms)
{
    struct store_failure failure = {
        .profile = "p",
        .mailbox = mailbox,
        .direction = direction,
        .activity = "activity",
        .now_ms = now_ms,
        .next_retry_ms = now_ms + 60000,
        .failure = {.category = FAILURE_THROTTLING, .scope = FAILURE_SCOPE_MAILBOX},
    };
    failure_set_code(&failure.failure, code);
    failure_set_step(&failure.failure, "FindItem");
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
}

static void what_has_failed_before_is_told_at_the_registration(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {as("a@x", NULL), as("b@x", NULL), as("c@x", NULL)};
    register_all(fixture, all, 3, NOW);
    for (int i = 0; i < 2; i++)
        record(fixture, all[2].mailbox, "incoming", "ErrorServerBusy", NOW + 5 + i);
    record(fixture, all[2].mailbox, "incoming", "ErrorTimeout", NOW + 9);
    record(fixture, all[0].mailbox, "outgoing", "ErrorServerBusy", NOW + 7);
    record(fixture, all[1].mailbox, "incoming", "ErrorServerBusy", NOW + 8);
    MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", all[1].mailbox, "incoming",
                                                NOW + 10, NULL, support_done, &outcome));
    support_close(fixture);
    support_open(fixture);
    struct store_registration again[] = {as("c@x", NULL), as("b@x", NULL), as("a@x", NULL)};
    register_all(fixture, again, 3, NOW + DAY);
    assert_int_equal(again[0].incoming_trouble.failures, 3);
    assert_int_equal(again[0].incoming_trouble.since_ms, NOW + 5);
    assert_int_equal(again[0].outgoing_trouble.failures, 0);
    assert_int_equal(again[1].incoming_trouble.failures, 0);
    assert_int_equal(again[2].incoming_trouble.failures, 0);
    assert_int_equal(again[2].outgoing_trouble.failures, 1);
    assert_int_equal(again[2].outgoing_trouble.since_ms, NOW + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(mailboxes_keep_their_number_and_the_time_they_were_enabled),
        TEST(a_mailbox_that_leaves_and_comes_back_is_as_before),
        TEST(registering_the_same_again_writes_nothing),
        TEST(a_renamed_mailbox_keeps_its_number),
        TEST(the_old_address_may_be_given_to_somebody_else),
        TEST(addresses_may_be_swapped_and_handed_on),
        TEST(a_late_renaming_forgets_nothing_of_either),
        TEST(a_removed_mailbox_is_forgotten_in_bounded_steps),
        TEST(a_mailbox_that_returns_half_forgotten_is_new),
        TEST(ten_thousand_mailboxes_register_in_one_quick_transaction),
        TEST(what_has_failed_before_is_told_at_the_registration),
        TEST(a_folder_begins_at_process_from_and_keeps_what_was_saved),
        TEST(a_sink_is_ready_at_the_path_where_it_was_set_up),
        TEST(idle_polling_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

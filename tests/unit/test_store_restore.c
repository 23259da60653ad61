/* A backup that is put back: what it has open is in doubt, and its ledger learns from Maildirs. */
#include "store/store_restore.h"
#include "store_submissions.h"

static void run_sql(struct fixture *fixture, const char *sql)
{
    MUST_SUCCEED(fixture, support_sql_start(fixture, sql, &outcome));
}

/* As a copy that is opened by another process. */
static void put_back(struct fixture *fixture, int64_t copied_ms)
{
    char sql[96];
    snprintf(sql, sizeof sql, "UPDATE instance SET copied_at = %lld", (long long)copied_ms);
    run_sql(fixture, sql);
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(store_copied(fixture->store), copied_ms);
}

static void restore(struct fixture *fixture, struct store_restoration *restoration)
{
    restoration->now_ms = NOW;
    MUST_SUCCEED(fixture, store_restore(fixture->store, restoration, support_done, &outcome));
}

static int64_t state_of(struct fixture *fixture, unsigned number)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT state FROM submission WHERE id = '%s'", id_of(number));
    return support_number(fixture, sql);
}

static int64_t size_of(struct fixture *fixture, unsigned number)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT size FROM submission WHERE id = '%s'", id_of(number));
    return support_number(fixture, sql);
}

static struct store_published file_of(uint64_t fingerprint)
{
    return (struct store_published){.digest = support_digest(fingerprint),
                                    .is_fingerprint = true,
                                    .file = fingerprint + 1000,
                                    .published_ms = NOW - 77000};
}

static struct store_comparison rebuild(struct fixture *fixture, struct store_mailbox mailbox,
                                       const struct store_published *files, size_t count)
{
    struct store_comparison comparison = {0};
    MUST_SUCCEED(fixture, store_ledger_rebuild(fixture->store, mailbox, files, count, NOW,
                                               &comparison, support_done, &outcome));
    return comparison;
}

static struct store_comparison compare(struct fixture *fixture, struct store_mailbox mailbox,
                                       const struct store_published *files, size_t count)
{
    struct store_comparison comparison = {0};
    MUST_SUCCEED(fixture, store_ledger_compare(fixture->store, mailbox, files, count, &comparison,
                                               support_done, &outcome));
    return comparison;
}

static void a_database_that_was_not_copied_is_no_copy(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(store_copied(fixture->store), 0);
}

static void what_is_open_is_searched_for_before_it_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned number = 1; number <= 7; number++)
        add(fixture, mailbox, number);
    set_state(fixture, mailbox, 3, STORE_SUBMISSION_SENDING);
    set_state(fixture, mailbox, 4, STORE_SUBMISSION_DOUBTFUL);
    set_state(fixture, mailbox, 5, STORE_SUBMISSION_SENT);
    set_state(fixture, mailbox, 6, STORE_SUBMISSION_FAILED);
    postpone(fixture, mailbox, 7, NOW + DAY);
    put_back(fixture, NOW - DAY);
    char ids[8][STORE_SUBMISSION_ID_SIZE];
    const char *queued[] = {ids[1], ids[2], ids[3], ids[4]}, *failed[] = {ids[2]};
    for (unsigned number = 0; number < 8; number++)
        snprintf(ids[number], sizeof ids[number], "%s", id_of(number));
    struct store_restoration restoration = {.since_ms = NOW - DAY,
                                            .queued = queued,
                                            .queued_count = 4,
                                            .failed = failed,
                                            .failed_count = 1};
    restore(fixture, &restoration);
    assert_int_equal(restoration.doubtful, 4);
    assert_int_equal(restoration.gone, 1);
    assert_int_equal(restoration.given_up, 1);
    assert_int_equal(state_of(fixture, 1), STORE_SUBMISSION_CREATING);
    assert_int_equal(state_of(fixture, 2), STORE_SUBMISSION_FAILED); /* it lies in failed/ */
    assert_int_equal(state_of(fixture, 3), STORE_SUBMISSION_CREATING);
    assert_int_equal(state_of(fixture, 4), STORE_SUBMISSION_DOUBTFUL);
    assert_int_equal(state_of(fixture, 5), STORE_SUBMISSION_SENT);
    assert_int_equal(state_of(fixture, 6), STORE_SUBMISSION_FAILED);
    assert_int_equal(state_of(fixture, 7), STORE_SUBMISSION_CREATING);
    assert_int_equal(size_of(fixture, 1), 5000000000);
    assert_int_equal(size_of(fixture, 7), 0);                   /* it has no file */
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 5); /* due; one with a stray draft */
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(store_copied(fixture->store), 0); /* once */
}

static void of_one_mailbox_others_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration both[] = {{.address = "a@x", .profile = "p"},
                                        {.address = "b@x", .profile = "p"}};
    register_all(fixture, both, 2);
    add(fixture, both[0].mailbox, 1);
    add(fixture, both[1].mailbox, 2);
    struct store_restoration restoration = {.mailbox = both[1].mailbox.number};
    restore(fixture, &restoration);
    assert_int_equal(state_of(fixture, 1), STORE_SUBMISSION_QUEUED);
    assert_int_equal(state_of(fixture, 2), STORE_SUBMISSION_CREATING);
    register_all(fixture, both, 2);
    assert_false(both[0].unchecked);
    assert_true(both[1].unchecked);
}

static void what_was_taken_in_before_is_searched_for_when_it_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_restoration restoration = {.mailbox = STORE_RESTORE_NONE, .last_id = id_of(5)};
    restore(fixture, &restoration);
    add(fixture, mailbox, 5);
    add(fixture, mailbox, 6);
    assert_int_equal(state_of(fixture, 5), STORE_SUBMISSION_CREATING);
    assert_int_equal(state_of(fixture, 6), STORE_SUBMISSION_QUEUED);
}

static void mailboxes_are_unchecked_until_they_were_compared(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    put_back(fixture, NOW - DAY);
    struct store_restoration restoration = {.since_ms = NOW - DAY};
    restore(fixture, &restoration);
    struct store_registration registration = {.address = "a@x", .profile = "p"};
    register_all(fixture, &registration, 1);
    assert_true(registration.unchecked);
    assert_int_equal(registration.check_from_ms, NOW - DAY);
    assert_int_equal(registration.check_above, 0);
    MUST_SUCCEED(fixture, store_mailbox_checked(fixture->store, mailbox, support_done, &outcome));
    register_all(fixture, &registration, 1);
    assert_false(registration.unchecked);
}

static void a_mailbox_that_the_backup_does_not_have_is_enabled_since_then(void **state)
{
    struct fixture *fixture = *state;
    support_mailbox(fixture, "a@x");
    put_back(fixture, NOW - DAY);
    struct store_restoration restoration = {.since_ms = NOW - DAY};
    restore(fixture, &restoration);
    struct store_registration both[] = {{.address = "a@x", .profile = "p"},
                                        {.address = "b@x", .profile = "p"}};
    register_all(fixture, both, 2);
    assert_int_equal(both[0].enabled_ms, NOW);
    assert_int_equal(both[1].enabled_ms, NOW - DAY);
    assert_true(both[1].unchecked);
    assert_int_equal(both[1].check_above, both[0].mailbox.number);
    struct store_registration later[] = {both[0], both[1], {.address = "c@x", .profile = "p"}};
    register_all(fixture, later, 3);
    assert_int_equal(later[2].enabled_ms, NOW);
    assert_false(later[2].unchecked);
}

static void of_a_copy_of_unknown_age_new_mailboxes_begin_now(void **state)
{
    struct fixture *fixture = *state;
    put_back(fixture, STORE_COPIED_UNKNOWN);
    struct store_restoration restoration = {.since_ms = STORE_COPIED_UNKNOWN};
    restore(fixture, &restoration);
    struct store_registration registration = {.address = "b@x", .profile = "p"};
    register_all(fixture, &registration, 1);
    assert_int_equal(registration.enabled_ms, NOW);
}

static void what_lies_in_the_maildir_is_known_and_gets_its_item_when_it_is_seen(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    support_deliver(fixture, mailbox, support_key(1, 11), NULL);
    support_delivered(fixture, mailbox, support_key(1, 11));
    const struct store_published files[] = {file_of(11), file_of(12)};
    assert_int_equal(compare(fixture, mailbox, files, 2).unknown, 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 12)), STORE_ITEM_UNKNOWN);
    assert_int_equal(rebuild(fixture, mailbox, files, 2).unknown, 1);
    assert_int_equal(compare(fixture, mailbox, files, 2).unknown, 0);
    assert_int_equal(rebuild(fixture, mailbox, files, 2).unknown, 0);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 12)), STORE_ITEM_DELIVERED);
    assert_false(support_deliver(fixture, mailbox, support_key(2, 12), NULL));
    /* What is to be done to it after delivery may not have been done. */
    struct store_seen seen = {.key = support_key(2, 12), .reference = "ref"};
    MUST_SUCCEED(fixture,
                 store_ledger_seen(fixture->store, mailbox, &seen, 1, NOW, support_done, &outcome));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 2);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger WHERE state = 2"
                                             " AND reference = 'ref' AND item <> fingerprint"),
                     1);
    assert_int_equal(support_number(fixture, "SELECT file FROM ledger WHERE reference = 'ref'"),
                     1012);
}

static void a_second_file_of_a_message_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_published files[] = {
        file_of(11), {.digest = support_digest(3), .file = 7, .published_ms = NOW}};
    rebuild(fixture, mailbox, files, 2);
    assert_int_equal(compare(fixture, mailbox, files, 2).doubled, 0);
    files[0].file = 99;
    files[1].file = UINT64_MAX;
    const struct store_comparison found = compare(fixture, mailbox, files, 2);
    assert_int_equal(found.unknown + found.failed, 0);
    assert_int_equal(found.doubled, 2);
    assert_int_equal(found.doubled_files[0], 99);
    assert_true(found.doubled_files[1] == UINT64_MAX);
    /* The ledger does not know the file of this one. */
    support_deliver(fixture, mailbox, support_key(1, 15), NULL);
    support_delivered(fixture, mailbox, support_key(1, 15));
    files[0] = file_of(15);
    assert_int_equal(compare(fixture, mailbox, files, 1).doubled, 0);
}

static void a_message_without_a_fingerprint_is_known_by_its_item(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_published file = {.digest = support_digest(3), .published_ms = NOW};
    assert_int_equal(rebuild(fixture, mailbox, &file, 1).unknown, 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(3, 0)), STORE_ITEM_DELIVERED);
}

/* Whoever may write into a Maildir may give its files any names. */
static void the_same_digest_of_a_message_and_of_an_item_holds_up_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    const struct store_published files[] = {
        {.digest = support_digest(3), .published_ms = NOW}, file_of(3), file_of(12)};
    rebuild(fixture, mailbox, files, 3);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 12)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 2);
}

static void what_had_failed_and_lies_in_the_maildir_was_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery item = {.key = support_key(4, 14), .received_ms = NOW, .reference = "r"};
    struct store_failure failure = {.failure = {.category = FAILURE_ITEM,
                                                .scope = FAILURE_SCOPE_ITEM,
                                                .sentence = "s",
                                                .remedy = "r"},
                                    .profile = "p",
                                    .mailbox = mailbox,
                                    .direction = "incoming",
                                    .activity = "",
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW,
                                    .item = &item,
                                    .attempts = 1};
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
    const struct store_published file = file_of(14);
    assert_int_equal(compare(fixture, mailbox, &file, 1).failed, 1);
    assert_int_equal(rebuild(fixture, mailbox, &file, 1).failed, 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(4, 14)), STORE_ITEM_DELIVERED);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM failure WHERE resolved_at IS NULL"), 0);
}

int main(void)
{
#define with_store(test) cmocka_unit_test_setup_teardown(test, support_setup, support_teardown)
    const struct CMUnitTest tests[] = {
        with_store(a_database_that_was_not_copied_is_no_copy),
        with_store(what_is_open_is_searched_for_before_it_is_sent),
        with_store(of_one_mailbox_others_are_left_alone),
        with_store(what_was_taken_in_before_is_searched_for_when_it_comes_back),
        with_store(mailboxes_are_unchecked_until_they_were_compared),
        with_store(a_mailbox_that_the_backup_does_not_have_is_enabled_since_then),
        with_store(of_a_copy_of_unknown_age_new_mailboxes_begin_now),
        with_store(what_lies_in_the_maildir_is_known_and_gets_its_item_when_it_is_seen),
        with_store(a_second_file_of_a_message_is_told),
        with_store(a_message_without_a_fingerprint_is_known_by_its_item),
        with_store(the_same_digest_of_a_message_and_of_an_item_holds_up_nothing),
        with_store(what_had_failed_and_lies_in_the_maildir_was_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

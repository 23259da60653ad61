#include "store_support.h"

static struct store_failure failure_of(struct store_mailbox mailbox, const char *direction,
                                       const char *code)
{
    struct store_failure failure = {
        .profile = "p",
        .mailbox = mailbox,
        .direction = direction,
        .activity = "activity",
        .now_ms = NOW,
        .next_retry_ms = NOW + 60000,
        .failure = {.category = FAILURE_THROTTLING,
                    .scope = mailbox.number != 0 ? FAILURE_SCOPE_MAILBOX : FAILURE_SCOPE_PROFILE,
                    .http_status = 503,
                    .sentence = "The server is busy.",
                    .remedy = "Wait."},
    };
    failure_set_code(&failure.failure, code);
    failure_set_step(&failure.failure, "FindItem");
    failure_set_text(&failure.failure, "busy", 4);
    return failure;
}

static void record(struct fixture *fixture, struct store_failure failure)
{
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
}

static uint32_t resolve(struct fixture *fixture, struct store_mailbox mailbox,
                        const char *direction)
{
    struct store_resolved resolved;
    MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", mailbox, direction, NOW + 7,
                                                &resolved, support_done, &outcome));
    return resolved.failures;
}

static int64_t rows(struct fixture *fixture)
{
    return support_number(fixture, "SELECT count(*) FROM failure");
}

static void the_same_failure_raises_its_count(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_failure failure = failure_of(mailbox, "incoming", "ErrorServerBusy");
    record(fixture, failure);
    failure.now_ms = NOW + 5;
    failure_set_text(&failure.failure, "busier", 6);
    record(fixture, failure);
    assert_int_equal(rows(fixture), 1);
    assert_int_equal(
        support_number(fixture, "SELECT count = 2 AND first_seen = 1700000000000"
                                " AND last_seen = 1700000000005 AND text = 'busier'"
                                " AND scope = 'mailbox' AND category = 'throttling'"
                                " AND code = 'ErrorServerBusy' AND step = 'FindItem'"
                                " AND http_status = 503 AND sentence = 'The server is busy.'"
                                " AND remedy = 'Wait.' AND activity = 'activity'"
                                " AND direction = 'incoming' AND profile = 'p'"
                                " AND next_retry = 1700000060000 AND permanent = 0 FROM failure"),
        1);
}

static void whatever_differs_makes_another_failure(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_mailbox none = {0};
    struct store_failure all[8];
    for (size_t i = 0; i < 8; i++)
        all[i] = failure_of(mailbox, "incoming", "ErrorServerBusy");
    all[1].direction = NULL;
    failure_set_code(&all[2].failure, "HTTP 503");
    failure_set_step(&all[3].failure, "GetItem");
    all[4].failure.category = FAILURE_NETWORK;
    all[5].failure.scope = FAILURE_SCOPE_PROFILE;
    all[6].profile = "q";
    all[7].mailbox = none;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < 8; i++)
            record(fixture, all[i]);
        assert_int_equal(rows(fixture), 8);
    }
    assert_int_equal(support_number(fixture, "SELECT min(count) FROM failure"), 2);
}

static void a_failure_that_comes_back_after_its_end_is_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    record(fixture, failure_of(mailbox, "incoming", "X"));
    assert_int_equal(resolve(fixture, mailbox, "incoming"), 1);
    assert_int_equal(resolve(fixture, mailbox, "incoming"), 0);
    assert_int_equal(support_number(fixture, "SELECT resolved_at FROM failure"), NOW + 7);
    record(fixture, failure_of(mailbox, "incoming", "X"));
    assert_int_equal(rows(fixture), 2);
}

static void resolving_reaches_no_further_than_asked(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    MUST_SUCCEED(fixture,
                 store_register_mailboxes(fixture->store, two, 2, NOW, support_done, &outcome));
    struct store_mailbox none = {0};
    struct store_delivery item = {.key = support_key(1, 0), .reference = "r"};
    struct store_failure of_item = failure_of(two[0].mailbox, "incoming", "Y");
    of_item.failure.scope = FAILURE_SCOPE_ITEM;
    of_item.item = &item;
    struct store_failure of_other_profile = failure_of(none, NULL, "X");
    of_other_profile.profile = "q";
    record(fixture, failure_of(two[0].mailbox, "incoming", "X"));
    record(fixture, failure_of(two[0].mailbox, "incoming", "Z"));
    record(fixture, failure_of(two[0].mailbox, "outgoing", "X"));
    record(fixture, failure_of(two[0].mailbox, NULL, "X"));
    record(fixture, failure_of(two[1].mailbox, "incoming", "X"));
    record(fixture, failure_of(none, "incoming", "X"));
    record(fixture, of_other_profile);
    record(fixture, of_item);

    assert_int_equal(resolve(fixture, two[0].mailbox, "incoming"), 2);
    assert_int_equal(resolve(fixture, two[0].mailbox, NULL), 2);
    assert_int_equal(resolve(fixture, none, NULL), 1);
    assert_int_equal(resolve(fixture, two[1].mailbox, "incoming"), 1);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure WHERE resolved_at"
                                             " IS NULL AND (profile = 'q' OR scope = 'item')"),
                     2);
}

static void the_strings_of_a_failure_are_copied(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    char profile[] = "p";
    char direction[] = "incoming";
    char activity[] = "act";
    char reference[] = "ref";
    struct store_delivery item = {.key = support_key(1, 2), .reference = reference};
    struct store_failure failure = failure_of(mailbox, direction, "X");
    failure.profile = profile;
    failure.activity = activity;
    failure.item = &item;
    struct outcome outcome = {.fixture = fixture};
    store_failure_record(fixture->store, &failure, support_done, &outcome);
    profile[0] = direction[0] = activity[0] = reference[0] = '?';
    item = (struct store_delivery){0};
    failure = (struct store_failure){0};
    support_wait(&outcome);
    assert_false(outcome.failed);
    assert_int_equal(support_number(fixture, "SELECT profile = 'p' AND direction = 'incoming'"
                                             " AND activity = 'act' FROM failure"),
                     1);
    assert_int_equal(support_number(fixture, "SELECT reference = 'ref' FROM ledger"), 1);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_FAILED);
}

static void resolved_failures_are_pruned_in_bounded_steps(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    enum { FAILURES = 2300 };
    struct outcome *outcomes = memory_allocate_array(FAILURES, sizeof *outcomes);
    for (size_t i = 0; i < FAILURES; i++) {
        char code[16];
        snprintf(code, sizeof code, "E%zu", i);
        struct store_failure failure = failure_of(mailbox, "incoming", code);
        outcomes[i].fixture = fixture;
        store_failure_record(fixture->store, &failure, support_done, &outcomes[i]);
    }
    for (size_t i = 0; i < FAILURES; i++)
        support_wait(&outcomes[i]);
    memory_free(outcomes);
    assert_int_equal(resolve(fixture, mailbox, NULL), FAILURES);
    record(fixture, failure_of(mailbox, "incoming", "open"));

    bool more = true;
    MUST_SUCCEED(fixture, store_prune(fixture->store, NOW, NOW + 7, &more, support_done, &outcome));
    assert_false(more);
    assert_int_equal(rows(fixture), FAILURES + 1);
    MUST_SUCCEED(fixture, store_prune(fixture->store, NOW, NOW + 8, &more, support_done, &outcome));
    assert_true(more);
    assert_int_equal(rows(fixture), FAILURES - 1000 + 1);
    while (more)
        MUST_SUCCEED(fixture,
                     store_prune(fixture->store, NOW, NOW + 8, &more, support_done, &outcome));
    assert_int_equal(rows(fixture), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(the_same_failure_raises_its_count),
        TEST(whatever_differs_makes_another_failure),
        TEST(a_failure_that_comes_back_after_its_end_is_a_new_one),
        TEST(resolving_reaches_no_further_than_asked),
        TEST(the_strings_of_a_failure_are_copied),
        TEST(resolved_failures_are_pruned_in_bounded_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

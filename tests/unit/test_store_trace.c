/* What the store can say of one message. */
#include "store_submissions.h"

#include "base/message_id.h"
#include "store/store_trace.h"

static const char ACTIVITY[] = "0123abcd-4567-4890-abcd-ef0123456789";
static const uint64_t FILE_NUMBER = UINT64_C(0xfedcba9876543210); /* too large for a signed one */

enum { MESSAGE = 77 };

/* --- incoming --- */

struct traced_items {
    struct outcome outcome;
    struct store_traced_item items[4]; /* their strings are gone */
    size_t count;
    char address[64];
    char code[64];
    bool more;
};

static void items_traced(void *argument, const struct failure *failure,
                         const struct store_traced_item *items, size_t count, bool more)
{
    struct traced_items *traced = argument;
    traced->count = count;
    traced->more = more;
    memcpy(traced->items, items, (count < 4 ? count : 4) * sizeof *items);
    if (count > 0)
        snprintf(traced->address, sizeof traced->address, "%s", items[0].address);
    if (count > 0 && items[0].failure.step != NULL)
        snprintf(traced->code, sizeof traced->code, "%s", items[0].failure.code);
    support_done(&traced->outcome, failure);
}

static struct traced_items trace(struct fixture *fixture, uint64_t message)
{
    struct traced_items traced = {.outcome.fixture = fixture};
    store_trace_message(fixture->store, message, items_traced, &traced);
    support_wait(&traced.outcome);
    assert_false(traced.outcome.failed);
    return traced;
}

static void deliver(struct fixture *fixture, struct store_mailbox mailbox, unsigned item)
{
    struct store_delivery delivery = {
        .key = support_key(item, 0),
        .received_ms = NOW - 5,
        .name = "name",
        .file = FILE_NUMBER,
        .message = MESSAGE,
        .activity = ACTIVITY,
    };
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW,
                                               support_done, &outcome));
}

static void record_failed(struct fixture *fixture, struct store_mailbox mailbox, unsigned item)
{
    const struct store_delivery delivery = {
        .key = support_key(item, 0), .received_ms = NOW - 5, .message = MESSAGE, .reference = "r"};
    const struct store_failure failure = {
        .failure = {.scope = FAILURE_SCOPE_ITEM,
                    .category = FAILURE_ITEM,
                    .step = "GetItem",
                    .code = "ErrorCorruptData",
                    .sentence = "s"},
        .profile = "p",
        .mailbox = mailbox,
        .direction = "incoming",
        .activity = ACTIVITY,
        .now_ms = NOW,
        .next_retry_ms = NOW + 9,
        .item = &delivery,
        .attempts = 2,
    };
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
}

static void a_delivered_message_is_found_with_its_cycle_and_its_file(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    deliver(fixture, mailbox, 1);
    struct traced_items traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, 1);
    assert_int_equal(traced.items[0].state, STORE_ITEM_DELIVERING);
    support_delivered(fixture, mailbox, support_key(1, 0));
    traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, 1);
    assert_false(traced.more);
    assert_string_equal(traced.address, "a@x");
    const struct store_traced_item *item = &traced.items[0];
    assert_int_equal(item->mailbox.number, mailbox.number);
    assert_int_equal(item->state, STORE_ITEM_DELIVERED);
    assert_int_equal(item->received_ms, NOW - 5);
    assert_int_equal(item->taken_ms, NOW);
    assert_true(item->file == FILE_NUMBER);
    assert_null(item->name);
    assert_string_equal(item->activity, ACTIVITY);
    assert_int_equal(item->next_try_ms, INT64_MAX);
    assert_null(item->failure.step);
    assert_int_equal(trace(fixture, MESSAGE + 1).count, 0);
}

static void a_failed_message_is_found_with_its_failure(void **state)
{
    struct fixture *fixture = *state;
    record_failed(fixture, support_mailbox(fixture, "a@x"), 1);
    struct traced_items traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, 1);
    assert_int_equal(traced.items[0].state, STORE_ITEM_FAILED);
    assert_int_equal(traced.items[0].attempts, 2);
    assert_int_equal(traced.items[0].next_try_ms, NOW + 9);
    assert_int_equal(traced.items[0].taken_ms, 0);
    assert_string_equal(traced.code, "ErrorCorruptData");
}

/* The cycle that tries again has no Message-ID from the store. */
static void a_failed_message_that_is_delivered_keeps_its_number(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    record_failed(fixture, mailbox, 1);
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    support_delivered(fixture, mailbox, support_key(1, 0));
    struct traced_items traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, 1);
    assert_int_equal(traced.items[0].state, STORE_ITEM_DELIVERED);
    assert_string_equal(traced.items[0].activity, "");
}

static void a_message_in_many_mailboxes_is_found_in_so_many(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= STORE_TRACE_ITEMS; i++)
        deliver(fixture, mailbox, i);
    struct traced_items traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, STORE_TRACE_ITEMS);
    assert_false(traced.more);
    deliver(fixture, mailbox, STORE_TRACE_ITEMS + 1);
    traced = trace(fixture, MESSAGE);
    assert_int_equal(traced.count, STORE_TRACE_ITEMS);
    assert_true(traced.more);
}

/* --- outgoing --- */

struct traced_submissions {
    struct outcome outcome;
    size_t count;
    int64_t before;
    char newest[STORE_SUBMISSION_ID_SIZE];
    enum store_submission_state state;
    char address[64];
};

static void submissions_traced(void *argument, const struct failure *failure,
                               const struct store_traced_submission *submissions, size_t count,
                               int64_t before)
{
    struct traced_submissions *traced = argument;
    traced->count = count;
    traced->before = before;
    if (count > 0) {
        memcpy(traced->newest, submissions[0].submission.id, sizeof traced->newest);
        traced->state = submissions[0].submission.state;
        snprintf(traced->address, sizeof traced->address, "%s", submissions[0].address);
    }
    support_done(&traced->outcome, failure);
}

static struct traced_submissions trace_sent(struct fixture *fixture,
                                            struct store_trace_wanted wanted, int64_t before)
{
    struct traced_submissions traced = {.outcome.fixture = fixture};
    store_trace_submissions(fixture->store, &wanted, before, submissions_traced, &traced);
    support_wait(&traced.outcome);
    assert_false(traced.outcome.failed);
    return traced;
}

static void submissions_are_found_by_id_message_id_and_subject(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    set_state(fixture, mailbox, 2, STORE_SUBMISSION_SENT);
    static const struct store_trace_wanted wanted[] = {
        {.message_id = "1@x"}, {.subject = "Gr"}, {.subject = "gR"}};
    for (size_t i = 0; i < 3; i++) {
        struct traced_submissions traced = trace_sent(fixture, wanted[i], INT64_MAX);
        assert_int_equal(traced.count, 2);
        assert_int_equal(traced.before, 0);
        assert_string_equal(traced.newest, id_of(2));
        assert_int_equal(traced.state, STORE_SUBMISSION_SENT);
        assert_string_equal(traced.address, "a@x");
    }
    struct traced_submissions one =
        trace_sent(fixture, (struct store_trace_wanted){.id = id_of(1)}, INT64_MAX);
    assert_int_equal(one.count, 1);
    assert_int_equal(one.state, STORE_SUBMISSION_QUEUED);
    assert_int_equal(
        trace_sent(fixture, (struct store_trace_wanted){.subject = "Grz"}, INT64_MAX).count, 0);
    assert_int_equal(
        trace_sent(fixture, (struct store_trace_wanted){.message_id = "1@"}, INT64_MAX).count, 0);
}

static void old_submissions_are_read_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    const struct store_trace_wanted wanted = {.message_id = "1@x"};
    add(fixture, mailbox, 1);
    /* As if many had come and gone since. */
    MUST_SUCCEED(fixture, support_sql_start(fixture,
                                            "UPDATE sqlite_sequence SET seq = 25000"
                                            " WHERE name = 'submission'",
                                            &outcome));
    add(fixture, mailbox, 2);
    struct traced_submissions traced = trace_sent(fixture, wanted, INT64_MAX);
    assert_int_equal(traced.count, 1);
    assert_string_equal(traced.newest, id_of(2));
    assert_int_equal(traced.before, 25002 - STORE_TRACE_ROWS);
    traced = trace_sent(fixture, wanted, traced.before);
    assert_int_equal(traced.count, 0);
    traced = trace_sent(fixture, wanted, traced.before);
    assert_int_equal(traced.count, 1);
    assert_string_equal(traced.newest, id_of(1));
    assert_int_equal(traced.before, 0);
}

static void a_message_id_has_one_number_however_it_is_written(void **state)
{
    (void)state;
    static const char *const same[] = {"<a@b>", "a@b", " <a@b>\r\n", "\ta@b "};
    for (size_t i = 0; i < 4; i++)
        assert_true(message_id_number(same[i], strlen(same[i])) == message_id_number("a@b", 3));
    assert_true(message_id_number("a@b", 3) != message_id_number("A@b", 3));
    assert_true(message_id_number("", 0) == 0);
    assert_true(message_id_number(" <> ", 4) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(a_delivered_message_is_found_with_its_cycle_and_its_file),
        TEST(a_failed_message_is_found_with_its_failure),
        TEST(a_failed_message_that_is_delivered_keeps_its_number),
        TEST(a_message_in_many_mailboxes_is_found_in_so_many),
        TEST(submissions_are_found_by_id_message_id_and_subject),
        TEST(old_submissions_are_read_in_slices),
        cmocka_unit_test(a_message_id_has_one_number_however_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

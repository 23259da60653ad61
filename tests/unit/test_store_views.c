/* What people read of alerts and failures: page by page, one alone, and how many there are. */
#include "store/store_failures.h"
#include "store_alerting.h"

/* --- alerts --- */

static struct rows page(struct fixture *fixture, bool all, int64_t before, size_t limit)
{
    struct rows_outcome read = {.outcome.fixture = fixture};
    store_alerts_list(fixture->store, all, before, limit, rows_done, &read);
    support_wait(&read.outcome);
    assert_false(read.outcome.failed);
    return read.rows;
}

static struct rows find(struct fixture *fixture, int64_t id)
{
    struct rows_outcome read = {.outcome.fixture = fixture};
    store_alert_find(fixture->store, id, rows_done, &read);
    support_wait(&read.outcome);
    assert_false(read.outcome.failed);
    return read.rows;
}

static void alerts_are_read_page_by_page_the_newest_first(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox none = {0};
    int64_t ids[5];
    for (size_t i = 0; i < 5; i++) {
        char code[8];
        snprintf(code, sizeof code, "C%zu", i);
        ids[i] = open_alert(fixture, none, code);
    }
    struct rows first = page(fixture, false, 0, 2);
    assert_int_equal(first.count, 2);
    assert_int_equal(first.total, 5);
    assert_int_equal(first.rows[0].row.id, ids[4]);
    assert_int_equal(first.rows[1].row.id, ids[3]);
    struct rows second = page(fixture, false, ids[3], 2);
    assert_int_equal(second.rows[0].row.id, ids[2]);
    struct rows last = page(fixture, true, ids[1], 2);
    assert_int_equal(last.count, 1);
    assert_int_equal(last.total, 5);
    assert_int_equal(last.rows[0].row.id, ids[0]);
    assert_int_equal(page(fixture, false, ids[0], 2).count, 0);
}

static void one_alert_is_found_open_or_not(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "Denied");
    struct rows found = find(fixture, id);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.rows[0].mailbox, "a@x");
    resolve(fixture, mailbox, "incoming");
    found = find(fixture, id);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.rows[0].row.resolved_ms, NOW + 7);
    assert_int_equal(find(fixture, id + 1).count, 0);
}

struct counts {
    struct outcome outcome;
    uint64_t errors, warnings, others;
};

static void counted(void *argument, const struct store_alert_count *count)
{
    struct counts *counts = argument;
    if (strcmp(count->profile, "p") != 0)
        counts->others += count->count;
    else if (count->level == STORE_ALERT_ERROR)
        counts->errors += count->count;
    else
        counts->warnings += count->count;
}

static struct counts count(struct fixture *fixture)
{
    struct counts counts = {.outcome.fixture = fixture};
    store_alerts_count(fixture->store, counted, support_done, &counts);
    support_wait(&counts.outcome);
    assert_false(counts.outcome.failed);
    return counts;
}

static void open_alerts_are_counted_by_profile_and_level(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_int_equal(count(fixture).errors, 0);
    open_alert(fixture, two[0], "X");
    open_alert(fixture, two[1], "X");
    struct trouble warning = trouble_of(two[0], FAILURE_NETWORK, "W");
    warning.alert.level = STORE_ALERT_WARNING;
    record(fixture, &warning);
    struct store_mailbox none = {0};
    struct trouble other = trouble_of(none, FAILURE_TLS, "O");
    other.failure.profile = "q";
    record(fixture, &other);
    struct counts counts = count(fixture);
    assert_int_equal(counts.errors, 2);
    assert_int_equal(counts.warnings, 1);
    assert_int_equal(counts.others, 1);
    resolve(fixture, two[1], "incoming");
    assert_int_equal(count(fixture).errors, 1);
}

/* --- failures --- */

struct failure_page {
    struct outcome outcome;
    size_t count;
    uint64_t total;
    int64_t position;
    struct store_failure_row first; /* its strings are gone */
    char codes[8][16];
};

static void failures_read(void *argument, const struct failure *failure,
                          const struct store_failure_rows *failures)
{
    struct failure_page *read = argument;
    assert_null(failure);
    assert_true(failures->count <= 8);
    read->count = failures->count;
    read->total = failures->total;
    read->position = failures->position;
    for (size_t i = 0; i < failures->count; i++)
        snprintf(read->codes[i], sizeof read->codes[i], "%s", failures->rows[i].code);
    if (failures->count > 0)
        read->first = failures->rows[0];
    support_done(&read->outcome, failure);
}

static struct failure_page failures(struct fixture *fixture, bool all, int64_t position,
                                    size_t limit)
{
    struct failure_page read = {.outcome.fixture = fixture};
    store_failures_list(fixture->store, all, position, limit, failures_read, &read);
    support_wait(&read.outcome);
    return read;
}

static void fail_with(struct fixture *fixture, struct store_mailbox mailbox, const char *code)
{
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, code);
    trouble.failure.failure.permanent = false;
    MUST_SUCCEED(fixture,
                 store_failure_record(fixture->store, &trouble.failure, support_done, &outcome));
}

static void failures_are_read_page_by_page_the_newest_first(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    fail_with(fixture, two[0], "A");
    fail_with(fixture, two[1], "B");
    fail_with(fixture, two[0], "C");
    struct failure_page first = failures(fixture, false, 0, 2);
    assert_int_equal(first.count, 2);
    assert_int_equal(first.total, 3);
    assert_int_not_equal(first.position, 0);
    assert_string_equal(first.codes[0], "C");
    assert_string_equal(first.codes[1], "B");
    struct failure_page second = failures(fixture, false, first.position, 2);
    assert_int_equal(second.count, 1);
    assert_int_equal(second.position, 0);
    assert_string_equal(second.codes[0], "A");
    assert_int_equal(failures(fixture, false, 0, 3).position, 0);
}

static void failures_that_are_over_are_listed_on_request_only(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    fail_with(fixture, two[0], "A");
    fail_with(fixture, two[1], "B");
    resolve(fixture, two[0], "incoming");
    struct failure_page now_open = failures(fixture, false, 0, 8);
    assert_int_equal(now_open.count, 1);
    assert_int_equal(now_open.total, 1);
    assert_string_equal(now_open.codes[0], "B");
    assert_int_equal(failures(fixture, true, 0, 8).total, 2);
    assert_int_equal(failures(fixture, true, 0, 8).first.resolved_ms, 0);
}

static void refuse(struct fixture *fixture, const char *id, const char *code)
{
    struct store_mailbox none = {0};
    struct trouble trouble = trouble_of(none, FAILURE_ITEM, code);
    trouble.failure.failure.scope = FAILURE_SCOPE_ITEM;
    trouble.failure.submission = id;
    trouble.failure.profile = "";
    MUST_SUCCEED(fixture,
                 store_failure_record(fixture->store, &trouble.failure, support_done, &outcome));
}

static struct failure_page refused(struct fixture *fixture, const char *id, int64_t position,
                                   size_t limit)
{
    struct failure_page read = {.outcome.fixture = fixture};
    store_failures_refused(fixture->store, id, position, limit, failures_read, &read);
    support_wait(&read.outcome);
    return read;
}

static void messages_that_were_refused_are_told_apart_from_other_failures(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_int_equal(refused(fixture, NULL, 0, 8).count, 0);
    refuse(fixture, "id-1", "A");
    fail_with(fixture, two[0], "B");
    refuse(fixture, "id-2", "C");
    refuse(fixture, "id-3", "D");
    struct failure_page first = refused(fixture, NULL, 0, 2);
    assert_int_equal(first.count, 2);
    assert_string_equal(first.codes[0], "D");
    assert_string_equal(first.codes[1], "C");
    struct failure_page second = refused(fixture, NULL, first.position, 2);
    assert_int_equal(second.count, 1);
    assert_int_equal(second.position, 0);
    assert_string_equal(second.codes[0], "A");
    assert_int_equal(refused(fixture, "id-2", 0, 2).count, 1);
    assert_int_equal(refused(fixture, "id-4", 0, 2).count, 0);

    uint64_t count = 99;
    MUST_SUCCEED(fixture,
                 store_failures_count_refused(fixture->store, &count, support_done, &outcome));
    assert_int_equal(count, 3);
    const char *const over[] = {"id-1", "id-3", "id-4"};
    MUST_SUCCEED(fixture, store_failures_resolve_messages(fixture->store, over, 3, NOW + 9,
                                                          support_done, &outcome));
    assert_string_equal(refused(fixture, NULL, 0, 2).codes[0], "C");
    assert_int_equal(refused(fixture, "id-1", 0, 2).count, 1); /* asked for, it is told still */
    MUST_SUCCEED(fixture,
                 store_failures_count_refused(fixture->store, &count, support_done, &outcome));
    assert_int_equal(count, 1);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM failure WHERE resolved_at IS NULL"), 2);
}

/* In the queue, and perhaps left to a person then. */
static void fail_message(struct fixture *fixture, struct store_mailbox mailbox, const char *id,
                         const char *code, enum store_submission_state state)
{
    struct store_submission submission = {.queued_ms = NOW, .subject = "", .recipients = ""};
    snprintf(submission.id, sizeof submission.id, "%s", id);
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
    const struct store_submission_change change = {.id = id, .state = state};
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, mailbox, &change, 1, NOW,
                                                   support_done, &outcome));
    struct trouble trouble = trouble_of(mailbox, FAILURE_ITEM, code);
    trouble.failure.failure.scope = FAILURE_SCOPE_ITEM;
    trouble.failure.submission = id;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
}

static struct failure_page left(struct fixture *fixture)
{
    struct failure_page read = {.outcome.fixture = fixture};
    store_failures_left(fixture->store, 0, 8, failures_read, &read);
    support_wait(&read.outcome);
    return read;
}

/* One that waits is tried again, and of one that was lost no file can tell anything. */
static void messages_that_were_left_to_a_person_are_told_and_end_with_their_alerts(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    fail_message(fixture, mailbox, "id-1", "Failed", STORE_SUBMISSION_FAILED);
    fail_message(fixture, mailbox, "id-2", "Waits", STORE_SUBMISSION_QUEUED);
    fail_message(fixture, mailbox, "id-3", "NoFile", STORE_SUBMISSION_FAILED);
    fail_with(fixture, mailbox, "Other");
    refuse(fixture, "id-4", "Refused");
    struct failure_page page = left(fixture);
    assert_int_equal(page.count, 2);
    assert_string_equal(page.codes[0], "Refused");
    assert_string_equal(page.codes[1], "Failed");

    const char *const over[] = {"id-1", "id-4"};
    MUST_SUCCEED(fixture, store_failures_resolve_messages(fixture->store, over, 2, NOW + 9,
                                                          support_done, &outcome));
    assert_int_equal(left(fixture).count, 0);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM alert WHERE resolved_at IS NULL"), 2);
}

static void whole_read(void *argument, const struct failure *failure,
                       const struct store_failure_rows *failures)
{
    assert_null(failure);
    assert_int_equal(failures->count, 1);
    const struct store_failure_row *row = &failures->rows[0];
    assert_string_equal(row->scope, "profile");
    assert_string_equal(row->profile, "p");
    assert_string_equal(row->mailbox, "");
    assert_string_equal(row->direction, "");
    assert_string_equal(row->step, "FindItem");
    assert_string_equal(row->category, "authentication");
    assert_string_equal(row->code, "HTTP 401");
    assert_string_equal(row->submission, "");
    assert_string_equal(row->sentence, "It was refused.");
    assert_string_equal(row->remedy, "Grant it.");
    assert_string_equal(row->text, "denied");
    assert_string_equal(row->activity, "activity");
    assert_int_equal(row->http_status, 200);
    assert_true(row->permanent);
    assert_int_equal(row->count, 2);
    assert_int_equal(row->first_seen_ms, NOW);
    assert_int_equal(row->last_seen_ms, NOW + 5);
    assert_int_equal(row->next_retry_ms, INT64_MAX);
    assert_int_equal(row->resolved_ms, 0);
    support_done(argument, failure);
}

static void a_failure_is_told_as_it_was_recorded(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox none = {0};
    struct trouble trouble = trouble_of(none, FAILURE_AUTHENTICATION, "HTTP 401");
    trouble.failure.next_retry_ms = INT64_MAX;
    record(fixture, &trouble);
    trouble.failure.now_ms = NOW + 5;
    record(fixture, &trouble);
    struct outcome outcome = {.fixture = fixture};
    store_failures_list(fixture->store, false, 0, 8, whole_read, &outcome);
    support_wait(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(alerts_are_read_page_by_page_the_newest_first),
        TEST(one_alert_is_found_open_or_not),
        TEST(open_alerts_are_counted_by_profile_and_level),
        TEST(failures_are_read_page_by_page_the_newest_first),
        TEST(failures_that_are_over_are_listed_on_request_only),
        TEST(messages_that_were_refused_are_told_apart_from_other_failures),
        TEST(messages_that_were_left_to_a_person_are_told_and_end_with_their_alerts),
        TEST(a_failure_is_told_as_it_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

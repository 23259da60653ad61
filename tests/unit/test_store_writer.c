#include "store_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static size_t transactions(const struct fixture *fixture)
{
    return atomic_load(&fixture->store->transactions);
}

/* Keeps the writer busy, so that what is started meanwhile waits for it. */
static void hold_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)connection;
    (void)operation;
    usleep(100000);
}

static void hold_writer(struct fixture *fixture)
{
    store_start_write(fixture->store,
                      store_operation_create(sizeof(struct store_operation), hold_run, NULL, NULL));
    usleep(20000);
}

static void what_waits_becomes_one_transaction(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 500 };
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct outcome *outcomes = memory_allocate_array(COUNT, sizeof *outcomes);
    struct store_delivery *deliveries = memory_allocate_array(COUNT, sizeof *deliveries);
    hold_writer(fixture);
    size_t before = transactions(fixture);
    size_t first = support_ended;
    for (size_t i = 0; i < COUNT; i++) {
        outcomes[i].fixture = fixture;
        deliveries[i] = (struct store_delivery){.key = support_key(i + 1, 0), .name = "n"};
        store_ledger_deliver(fixture->store, mailbox, &deliveries[i], 1, NOW, support_done,
                             &outcomes[i]);
    }
    assert_int_equal(store_pending(fixture->store), COUNT + 1);
    for (size_t i = 0; i < COUNT; i++) {
        support_wait(&outcomes[i]);
        assert_false(outcomes[i].failed);
        assert_int_equal(outcomes[i].order, first + i);
    }
    assert_int_equal(store_pending(fixture->store), 0);
    assert_int_equal(transactions(fixture) - before, 2);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), COUNT);
    memory_free(deliveries);
    memory_free(outcomes);
}

static void an_operation_that_fails_fails_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_mailbox lost = {.number = mailbox.number, .lease = 7};
    struct store_delivery good[] = {{.key = support_key(1, 0), .name = "n"},
                                    {.key = support_key(2, 0), .name = "n"}};
    struct store_delivery bad = {.key = support_key(3, 0), .name = "n"};
    struct outcome outcomes[5];
    for (size_t i = 0; i < 5; i++)
        outcomes[i] = (struct outcome){.fixture = fixture};
    hold_writer(fixture);
    size_t before = transactions(fixture);
    store_ledger_deliver(fixture->store, mailbox, &good[0], 1, NOW, support_done, &outcomes[0]);
    /* Fails after it has written: that is undone. */
    support_sql_start(fixture,
                      "INSERT INTO folder VALUES (1, 'x', 1, 1, 1, 1, 1, 1);"
                      "INSERT INTO folder VALUES (99, 'y', 1, 1, 1, 1, 1, 1)",
                      &outcomes[1]);
    store_ledger_deliver(fixture->store, lost, &bad, 1, NOW, support_done, &outcomes[2]);
    support_sql_start(fixture, "nonsense", &outcomes[3]);
    store_ledger_deliver(fixture->store, mailbox, &good[1], 1, NOW, support_done, &outcomes[4]);
    for (size_t i = 0; i < 5; i++)
        support_wait(&outcomes[i]);
    assert_int_equal(transactions(fixture) - before, 2);
    assert_false(outcomes[0].failed);
    assert_false(outcomes[4].failed);
    assert_string_equal(outcomes[2].failure.code, "LEASE");
    assert_string_equal(outcomes[3].failure.code, "SQLITE_ERROR");
    assert_string_equal(outcomes[1].failure.code, "SQLITE_CONSTRAINT");
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 2);
    assert_int_equal(support_check(fixture, mailbox, support_key(3, 0)), STORE_ITEM_UNKNOWN);
}

/* Immediate constraints fail the operation that breaks them, not the COMMIT. */
static void a_broken_rule_of_the_schema_fails_the_operation(void **state)
{
    struct fixture *fixture = *state;
    struct outcome outcome = {.fixture = fixture};
    support_sql_start(fixture, "INSERT INTO folder VALUES (99, 'y', 1, 1, 1, 1, 1, 1)", &outcome);
    support_wait(&outcome);
    assert_string_equal(outcome.failure.code, "SQLITE_CONSTRAINT");
    outcome = (struct outcome){.fixture = fixture};
    support_sql_start(fixture, "INSERT INTO folder VALUES ('text', 'y', 1, 1, 1, 1, 1, 1)",
                      &outcome);
    support_wait(&outcome);
    assert_string_equal(outcome.failure.code, "SQLITE_CONSTRAINT");
}

static void a_commit_that_fails_fails_all_and_the_next_one_works(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery delivery = {.key = support_key(1, 0), .name = "n"};
    struct outcome outcomes[3] = {{.fixture = fixture}, {.fixture = fixture}, {.fixture = fixture}};
    struct store_folder folder = {.process_from_ms = NOW};
    const char *const names[] = {"Inbox"};
    char *sink_path = NULL;
    MUST_SUCCEED(fixture, store_sink_ready(fixture->store, mailbox, "/m", support_done, &outcome));
    hold_writer(fixture);
    store_folders_load(fixture->store, mailbox, names, 1, &folder, &sink_path, support_done,
                       &outcomes[2]);
    store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcomes[0]);
    /* A deferred constraint is checked by COMMIT. */
    support_sql_start(fixture,
                      "PRAGMA defer_foreign_keys = ON;"
                      "INSERT INTO folder VALUES (99, 'y', 1, 1, 1, 1, 1, 1)",
                      &outcomes[1]);
    support_wait(&outcomes[0]);
    support_wait(&outcomes[1]);
    support_wait(&outcomes[2]);
    assert_null(sink_path);
    assert_string_equal(outcomes[0].failure.code, "SQLITE_CONSTRAINT");
    assert_string_equal(outcomes[1].failure.code, "SQLITE_CONSTRAINT");
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_UNKNOWN);
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
}

/* --- the disk --- */

static bool fill(struct fixture *fixture, struct store_mailbox mailbox, uint64_t *next,
                 struct failure *failure)
{
    struct store_delivery deliveries[20];
    for (size_t i = 0; i < 20; i++)
        deliveries[i] = (struct store_delivery){.key = support_key(++*next, 0), .name = "name"};
    struct outcome outcome = {.fixture = fixture};
    store_ledger_deliver(fixture->store, mailbox, deliveries, 20, NOW, support_done, &outcome);
    support_wait(&outcome);
    *failure = outcome.failure;
    return !outcome.failed;
}

static void a_full_database_fails_clearly_and_works_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct failure failure;
    uint64_t next = 0;
    MUST_SUCCEED(fixture, support_sql_start(fixture, "PRAGMA max_page_count = 40", &outcome));
    int64_t taken = 0;
    while (fill(fixture, mailbox, &next, &failure))
        taken += 20;
    assert_string_equal(failure.code, "SQLITE_FULL");
    assert_false(failure.permanent);
    assert_non_null(strstr(failure.text, fixture->path));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), taken);
    assert_int_equal(support_check(fixture, mailbox, support_key(next, 0)), STORE_ITEM_UNKNOWN);
    MUST_SUCCEED(fixture, support_sql_start(fixture, "PRAGMA max_page_count = 4000", &outcome));
    assert_true(fill(fixture, mailbox, &next, &failure));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), taken + 20);
}

/* In a process of its own: the limit is the process's. The write-ahead log cannot grow, in the
 * middle of a transaction. */
static int with_limited_files(struct fixture *fixture)
{
    support_open(fixture);
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct failure failure;
    uint64_t next = 0;
    int64_t taken = 0;
    struct rlimit limit = {.rlim_cur = 300000, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    while (fill(fixture, mailbox, &next, &failure))
        taken += 20;
    if (strcmp(failure.code, "SQLITE_IOERR") != 0 && strcmp(failure.code, "SQLITE_FULL") != 0)
        return 1;
    print_message("%s %s: %s\n", failure.sentence, failure.remedy, failure.text);
    for (int i = 0; i < 3; i++)
        if (fill(fixture, mailbox, &next, &failure))
            taken += 20; /* smaller ones may still fit */
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (!fill(fixture, mailbox, &next, &failure))
        return 2;
    if (support_number(fixture, "SELECT count(*) FROM ledger") != taken + 20)
        return 3;
    support_close(fixture);
    support_open(fixture);
    if (support_number(fixture, "SELECT count(*) FROM ledger") != taken + 20)
        return 4;
    if (support_number(fixture, "SELECT count(*) FROM pragma_integrity_check"
                                " WHERE integrity_check = 'ok'") != 1)
        return 5;
    support_close(fixture);
    return 0;
}

static void a_log_that_cannot_grow_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    support_close(fixture);
    pid_t child = fork();
    if (child == 0)
        _exit(with_limited_files(fixture));
    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_lock_held_by_another_program_fails_all_that_waits(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery deliveries[2] = {{.key = support_key(1, 0), .name = "n"},
                                           {.key = support_key(2, 0), .name = "n"}};
    struct outcome outcomes[2] = {{.fixture = fixture}, {.fixture = fixture}};
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < 2; i++)
        store_ledger_deliver(fixture->store, mailbox, &deliveries[i], 1, NOW, support_done,
                             &outcomes[i]);
    /* Reading goes on meanwhile. */
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_UNKNOWN);
    for (size_t i = 0; i < 2; i++) {
        support_wait(&outcomes[i]);
        assert_string_equal(outcomes[i].failure.code, "SQLITE_BUSY");
        assert_false(outcomes[i].failure.permanent);
    }
    sqlite3_close(other);
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
}

static void a_lock_that_is_let_go_in_time_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery delivery = {.key = support_key(1, 0), .name = "n"};
    struct outcome outcome = {.fixture = fixture};
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcome);
    usleep(SUPPORT_BUSY_MS * 1000 / 4);
    sqlite3_close(other);
    support_wait(&outcome);
    assert_false(outcome.failed);
}

static void remove_beside(const struct fixture *fixture, const char *suffix)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", fixture->path, suffix);
    assert_int_equal(unlink(path), 0);
}

/* What is written into a removed log would be gone after a crash: it is not promised. */
static void a_removed_log_stops_writing_and_a_restart_has_everything(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery delivery = {.key = support_key(2, 0), .name = "n"};
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    remove_beside(fixture, "-wal");
    remove_beside(fixture, "-shm");
    MUST_FAIL(
        fixture, "SQLITE_IOERR",
        store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcome));
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_DELIVERING);
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_DELIVERING);
    assert_int_equal(support_check(fixture, mailbox, support_key(2, 0)), STORE_ITEM_UNKNOWN);
    assert_true(support_deliver(fixture, mailbox, support_key(2, 0), NULL));
}

static void a_database_that_was_exchanged_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    char aside[128];
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery delivery = {.key = support_key(2, 0), .name = "n"};
    snprintf(aside, sizeof aside, "%s.old", fixture->path);
    assert_int_equal(rename(fixture->path, aside), 0);
    MUST_FAIL(
        fixture, "SQLITE_IOERR",
        store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcome));
    assert_int_equal(rename(aside, fixture->path), 0);
    assert_true(support_deliver(fixture, mailbox, support_key(2, 0), NULL));
}

/* --- the end --- */

struct closing {
    struct fixture *fixture;
    size_t ended;
    size_t expected;
    bool close_in_first;
};

static void closing_done(void *argument, const struct failure *failure)
{
    struct closing *closing = argument;
    assert_null(failure);
    if (closing->ended++ == 0 && closing->close_in_first)
        support_close(closing->fixture);
    if (closing->ended == closing->expected)
        executor_stop(closing->fixture->executor);
}

static void closing_finishes_what_was_started(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 200 };
    static struct store_delivery deliveries[COUNT];
    static uint8_t states[COUNT];
    static struct store_key keys[COUNT];
    for (int turn = 0; turn < 2; turn++) {
        struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
        struct closing closing = {
            .fixture = fixture, .expected = 2 * COUNT, .close_in_first = turn == 1};
        for (size_t i = 0; i < COUNT; i++) {
            keys[i] = support_key(i + 1, 0);
            deliveries[i] = (struct store_delivery){.key = keys[i], .name = "n"};
            store_ledger_deliver(fixture->store, mailbox, &deliveries[i], 1, NOW, closing_done,
                                 &closing);
            store_ledger_check(fixture->store, mailbox, &keys[i], 1, &states[i], closing_done,
                               &closing);
        }
        if (turn == 0)
            support_close(fixture);
        executor_run(fixture->executor);
        assert_int_equal(closing.ended, 2 * COUNT);
        support_open(fixture);
        assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), COUNT);
    }
}

static void closing_does_not_wait_long_for_a_lock(void **state)
{
    struct fixture *fixture = *state;
    support_close(fixture);
    struct failure failure;
    fixture->store = store_open(fixture->directory, fixture->executor, NULL, NULL,
                                &failure); /* the usual patience */
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery delivery = {.key = support_key(1, 0), .name = "n"};
    struct outcome outcome = {.fixture = fixture};
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcome);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    support_close(fixture);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - start.tv_sec < 2);
    support_wait(&outcome);
    assert_string_equal(outcome.failure.code, "SQLITE_BUSY");
    sqlite3_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_waits_becomes_one_transaction),
        TEST(an_operation_that_fails_fails_alone),
        TEST(a_broken_rule_of_the_schema_fails_the_operation),
        TEST(a_commit_that_fails_fails_all_and_the_next_one_works),
        TEST(a_full_database_fails_clearly_and_works_again),
        TEST(a_log_that_cannot_grow_loses_nothing),
        TEST(a_lock_held_by_another_program_fails_all_that_waits),
        TEST(a_lock_that_is_let_go_in_time_is_waited_for),
        TEST(a_removed_log_stops_writing_and_a_restart_has_everything),
        TEST(a_database_that_was_exchanged_is_not_written),
        TEST(closing_finishes_what_was_started),
        TEST(closing_does_not_wait_long_for_a_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* For how long the store's threads are busy: what the watchdog of the daemon looks at. */
#include "store_support.h"

#include "base/clock.h"

enum { STEP_MS = 100 };

static void hold_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)connection;
    (void)operation;
    usleep(STEP_MS * 1000);
}

/* Two operations that are taken together; the second looks when the first has ended. */
static uint64_t before_second_ms, busy_in_second_ms, second_looked_ms;
static struct store *looked_at;

static void first_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)connection;
    (void)operation;
    usleep(STEP_MS * 1000);
    before_second_ms = clock_monotonic_ms();
}

static void second_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)connection;
    (void)operation;
    busy_in_second_ms = store_busy_ms(looked_at);
    second_looked_ms = clock_monotonic_ms();
}

static void check_gets_on(struct fixture *fixture,
                          void (*start)(struct store *store, struct store_operation *operation))
{
    struct outcome outcome = {.fixture = fixture};
    looked_at = fixture->store;
    start(fixture->store,
          store_operation_create(sizeof(struct store_operation), hold_run, NULL, NULL));
    usleep(20000);
    start(fixture->store,
          store_operation_create(sizeof(struct store_operation), first_run, NULL, NULL));
    start(fixture->store, store_operation_create(sizeof(struct store_operation), second_run,
                                                 support_done, &outcome));
    support_wait(&outcome);
    assert_true(busy_in_second_ms <= second_looked_ms - before_second_ms);
}

static void threads_with_much_to_do_get_on(void **state)
{
    check_gets_on(*state, store_start_read);
    check_gets_on(*state, store_start_write);
}

static void long_query_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)operation;
    before_second_ms = clock_monotonic_ms();
    sqlite3_exec(
        connection->database,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " SELECT max(i) FROM n",
        NULL, NULL, NULL);
    second_looked_ms = clock_monotonic_ms();
    busy_in_second_ms = store_busy_ms(looked_at);
}

static void a_long_query_gets_on(void **state)
{
    struct fixture *fixture = *state;
    struct outcome outcome = {.fixture = fixture};
    looked_at = fixture->store;
    store_start_read(fixture->store,
                     store_operation_create(sizeof(struct store_operation), long_query_run,
                                            support_done, &outcome));
    support_wait(&outcome);
    assert_true(busy_in_second_ms < second_looked_ms - before_second_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(threads_with_much_to_do_get_on),
        TEST(a_long_query_gets_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

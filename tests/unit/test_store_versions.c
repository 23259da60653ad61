/* Databases of earlier versions go on with what they hold. */
#include "store/store_actions.h"
#include "store_alerting.h"
#include "store_version_2.h"
#include "store_version_3.h"

/* What version 2 had that version 1 had not. */
static const char BACK_TO_VERSION_1[] =
    "DROP TABLE submission; DROP INDEX failure_same; DROP INDEX failure_submission;"
    "DROP INDEX failure_submission_age;"
    "ALTER TABLE failure DROP COLUMN submission;"
    "CREATE INDEX failure_same ON failure (mailbox, resolved_at, item, profile, direction, step,"
    " code, category, scope);"
    "PRAGMA user_version = 1";

static void write_database(struct fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    sqlite3_close(database);
}

static void write_version_2(struct fixture *fixture)
{
    write_database(fixture, STORE_VERSION_2_SCHEMA);
    write_database(fixture, STORE_VERSION_2_ROWS);
}

/* Its schema is that of a database that was created by this program. */
static void same_schema(struct fixture *fixture)
{
    static const char schema[] = "SELECT count(*) || ' ' || sum(length(replace(replace(sql, ' ', ''"
                                 "), char(10), ''))) FROM sqlite_schema";
    struct fixture fresh = {.executor = fixture->executor};
    char both[2][64];
    support_make_directory(&fresh);
    support_open(&fresh);
    struct fixture *each[] = {fixture, &fresh};
    for (size_t i = 0; i < 2; i++) {
        sqlite3 *database = NULL;
        sqlite3_stmt *query = NULL;
        assert_int_equal(sqlite3_open(each[i]->path, &database), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(database, schema, -1, &query, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(query), SQLITE_ROW);
        snprintf(both[i], sizeof both[i], "%s", (const char *)sqlite3_column_text(query, 0));
        sqlite3_finalize(query);
        sqlite3_close(database);
    }
    support_close(&fresh);
    support_remove_directory(&fresh);
    assert_string_equal(both[0], both[1]);
}

static void a_database_of_version_1_goes_on_with_what_it_holds(void **state)
{
    struct fixture *fixture = *state;
    write_version_2(fixture);
    write_database(fixture, BACK_TO_VERSION_1);
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 5);
    same_schema(fixture);
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_int_equal(two[0].number, 1);
    assert_int_equal(support_check(fixture, two[0], support_key(1, 0)), STORE_ITEM_DELIVERED);
    struct store_submission submission = {.id = "one"};
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, two[0], &submission, NOW,
                                               support_done, &outcome));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM submission"), 1);
}

static void a_database_of_version_2_goes_on_with_what_it_holds(void **state)
{
    struct fixture *fixture = *state;
    write_version_2(fixture);
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 5);
    assert_string_equal(store_instance(fixture->store), "00112233445566778899aabbccddeeff");
    same_schema(fixture);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure WHERE trace = ''"), 4);
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_int_equal(two[0].number, 1);
    assert_int_equal(two[1].number, 2);
    assert_int_equal(support_check(fixture, two[0], support_key(1, 0)), STORE_ITEM_DELIVERED);
    assert_int_equal(support_check(fixture, two[0], support_key(2, 0)), STORE_ITEM_FAILED);

    /* What was wrong before goes on being the same failure, and now has an alert. */
    struct trouble trouble =
        trouble_of(two[0], FAILURE_IMPERSONATION, "ErrorImpersonateUserDenied");
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    assert_int_equal(support_number(fixture, "SELECT count = 4 AND trace <> '' FROM failure"
                                             " WHERE id = 1"),
                     1);
    struct store_resolved resolved = resolve(fixture, two[0], "incoming");
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(resolved.alerts, 1);
}

static void a_database_of_version_3_goes_on_with_what_it_holds(void **state)
{
    struct fixture *fixture = *state;
    write_database(fixture, STORE_VERSION_3_SCHEMA);
    write_database(fixture, STORE_VERSION_3_INDICES);
    write_database(fixture, STORE_VERSION_3_ROWS);
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 5);
    same_schema(fixture);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM submission WHERE held_at IS NULL"
                                             " AND held_for = 0 AND removal IS NULL"),
                     2);
    struct store_mailbox two[2];
    register_two(fixture, two);
    assert_int_equal(two[1].number, 2);

    /* Nothing is switched off, and what was wrong can be. */
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM switched_off"), 0);
    struct store_resolved resolved = {0};
    MUST_SUCCEED(fixture, store_mailbox_switch(fixture->store, two[0], STORE_INCOMING, false, 0,
                                               NOW, &resolved, support_done, &outcome));
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(resolved.alerts, 1);
    bool changed = false;
    MUST_SUCCEED(fixture,
                 store_queue_hold(fixture->store, two[1], "00000000-0000-4000-8000-000000000002",
                                  NOW, &changed, support_done, &outcome));
    assert_true(changed);
}

static void a_migration_that_is_interrupted_is_done_again(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    write_version_2(fixture);
    /* In the way of the last thing that it does. */
    write_database(fixture, "CREATE TABLE sign_in (a)");
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                        SUPPORT_BUSY_MS, &failure);
    assert_null(fixture->store);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 2);
    assert_int_equal(
        support_number(fixture, "SELECT count(*) FROM sqlite_schema WHERE name = 'alert'"), 0);
    write_database(fixture, "DROP TABLE sign_in");
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 5);
}

static void count_call(void *argument)
{
    ++*(unsigned *)argument;
}

static void a_long_migration_tells_that_it_gets_on(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    unsigned told = 0;
    const struct store_progress progress = {.tell = count_call, .argument = &told};
    write_version_2(fixture);
    write_database(fixture,
                   "PRAGMA foreign_keys = OFF;"
                   "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number"
                   "  WHERE n < 100000)"
                   "INSERT INTO ledger (mailbox, item, state, received_at, last_seen)"
                   "  SELECT 1, CAST(printf('%016d', n) AS BLOB), 2, 0, 0 FROM number");
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, &progress,
                                        SUPPORT_BUSY_MS, &failure);
    assert_non_null(fixture->store);
    assert_int_not_equal(told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup_closed, support_teardown)
        TEST(a_database_of_version_1_goes_on_with_what_it_holds),
        TEST(a_database_of_version_2_goes_on_with_what_it_holds),
        TEST(a_database_of_version_3_goes_on_with_what_it_holds),
        TEST(a_migration_that_is_interrupted_is_done_again),
        TEST(a_long_migration_tells_that_it_gets_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

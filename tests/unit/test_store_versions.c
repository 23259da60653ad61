/* Databases of all earlier versions go on with what they hold. With --write this program writes the
 * sample of this version, from that of the one before. */
#include "store/store_actions.h"
#include "store_alerting.h"
#include "store_samples.h"

#include <limits.h>
#include <sys/stat.h>

static const char SCHEMA[] =
    "SELECT type || ' ' || name || ' ' || tbl_name || ' '"
    " || coalesce(replace(replace(sql, ' ', ''), char(10), ''), '') FROM sqlite_schema"
    " ORDER BY type, name";
static const char COLUMNS[] =
    "SELECT m.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '"
    " || coalesce(c.dflt_value, '') || ' ' || c.pk FROM sqlite_schema m,"
    " pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid";

static void same_as_fresh(struct fixture *fixture, const char *sql)
{
    struct fixture fresh = {.executor = fixture->executor};
    support_make_directory(&fresh);
    support_open(&fresh);
    char *mine = sample_query(fixture->path, sql);
    char *new = sample_query(fresh.path, sql);
    support_close(&fresh);
    support_remove_directory(&fresh);
    assert_string_equal(mine, new);
    memory_free(mine);
    memory_free(new);
}

static void each_version_becomes_this_one_and_keeps_its_rows(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t version = 1; version <= store_schema.version; version++) {
        sample_write(fixture, version);
        assert_int_equal(support_number(fixture, "PRAGMA user_version"), version);
        char *query = sample_rows_query(fixture->path);
        char *before = sample_query(fixture->path, query);
        support_open(fixture);
        assert_int_equal(support_number(fixture, "PRAGMA user_version"), store_schema.version);
        same_as_fresh(fixture, SCHEMA);
        same_as_fresh(fixture, COLUMNS);
        char *after = sample_query(fixture->path, query);
        assert_string_equal(before, after);
        assert_true(strlen(before) > 1000);
        assert_int_equal(support_number(fixture, "SELECT count(*) FROM pragma_foreign_key_check"),
                         0);
        assert_int_equal(support_number(fixture, "SELECT count(*) FROM pragma_integrity_check"
                                                 " WHERE integrity_check = 'ok'"),
                         1);
        support_close(fixture);
        support_remove_directory(fixture);
        support_make_directory(fixture);
        memory_free(query);
        memory_free(before);
        memory_free(after);
    }
}

/* Otherwise a migration that loses something would not be seen. */
static void each_sample_has_a_value_in_each_column(void **state)
{
    struct fixture *fixture = *state;
    static const char columns[] =
        "SELECT 'SELECT iif(count(*) > 0, '''', ''' || m.name || '.' || c.name || ''') FROM '"
        " || m.name || ' WHERE ' || c.name || ' NOT IN (0, '''', x'''')' FROM sqlite_schema m,"
        " pragma_table_info(m.name) c WHERE m.type = 'table'";
    for (int64_t version = 1; version <= store_schema.version; version++) {
        sample_write(fixture, version);
        char *queries = sample_query(fixture->path, columns);
        char *next = NULL;
        for (char *query = strtok_r(queries, "\n", &next); query != NULL;
             query = strtok_r(NULL, "\n", &next)) {
            char *missing = sample_query(fixture->path, query);
            if (missing[0] != '\n')
                fail_msg("tests/data/store/version_%d.sql has no row with a value in %s",
                         (int)version, missing);
            memory_free(missing);
        }
        memory_free(queries);
        unlink(fixture->path);
    }
}

static void what_version_1_knew_is_known(void **state)
{
    struct fixture *fixture = *state;
    sample_write(fixture, 1);
    support_open(fixture);
    assert_string_equal(store_instance(fixture->store), "00112233445566778899aabbccddeeff");
    struct store_registration sales = {.address = "sales@contoso.com",
                                       .renamed_from = "vertrieb@contoso.com",
                                       .profile = "Contoso"};
    MUST_SUCCEED(fixture,
                 store_register_mailboxes(fixture->store, &sales, 1, NOW, support_done, &outcome));
    assert_int_equal(sales.mailbox.number, 1);
    assert_int_equal(support_check(fixture, sales.mailbox, support_key(1, 0)),
                     STORE_ITEM_DELIVERED);
    assert_int_equal(support_check(fixture, sales.mailbox, support_key(2, 0)), STORE_ITEM_FAILED);
    /* What was wrong before goes on being the same failure, and now has an alert. */
    struct trouble trouble =
        trouble_of(sales.mailbox, FAILURE_IMPERSONATION, "ErrorImpersonateUserDenied");
    trouble.failure.profile = "Contoso";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    assert_int_equal(support_number(fixture, "SELECT count FROM failure WHERE id = 1"), 4);
    bool changed = false;
    struct store_submission submission = {.id = "one"};
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, sales.mailbox, &submission, NOW,
                                               support_done, &outcome));
    MUST_SUCCEED(fixture, store_queue_hold(fixture->store, sales.mailbox, "one", NOW, &changed,
                                           support_done, &outcome));
    assert_true(changed);
    /* A number is never given again. */
    assert_int_equal(support_mailbox(fixture, "new@x").number, 10);
}

struct told {
    unsigned count;
    uint64_t silent_ms; /* the longest */
};

static void count_call(void *argument, uint64_t silent_ms)
{
    struct told *told = argument;
    told->count++;
    if (silent_ms > told->silent_ms)
        told->silent_ms = silent_ms;
}

static void a_long_upgrade_tells_that_it_gets_on(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    struct stat database;
    struct told told = {0};
    const struct store_progress progress = {.tell = count_call, .argument = &told};
    sample_write(fixture, 2);
    sample_execute(fixture->path,
                   "PRAGMA foreign_keys = OFF;"
                   "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM"
                   "  number WHERE n < 100000)"
                   "INSERT INTO ledger (mailbox, item, state, received_at, last_seen)"
                   "  SELECT 1, CAST(printf('%016d', n) AS BLOB), 2, 0, 0 FROM number");
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, &progress,
                                        SUPPORT_BUSY_MS, &failure);
    assert_non_null(fixture->store);
    assert_in_range(told.count, 2, UINT_MAX);
    /* The check before the copy, on a disk that reads 10 MB a second. */
    assert_int_equal(stat(fixture->path, &database), 0);
    assert_in_range(told.silent_ms, (uint64_t)database.st_size / 20000, 3600000);
}

/* --- the sample of a new version --- */

static int write_sample(void)
{
    struct fixture fixture = {.executor = executor_create()};
    int64_t version = store_schema.version;
    char path[64];
    support_make_directory(&fixture);
    sample_write(&fixture, version - 1);
    support_open(&fixture);
    support_close(&fixture);
    char *schema =
        sample_query(fixture.path, "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND"
                                   " name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid");
    char *query = sample_rows_query(fixture.path);
    char *rows = sample_query(fixture.path, query);
    snprintf(path, sizeof path, "tests/data/store/version_%d.sql", (int)version);
    FILE *stream = fopen(path, "w");
    bool good = stream != NULL &&
                fprintf(stream,
                        "-- A database as version %d of its schema left it: never changed,"
                        " databases like it are opened.\nPRAGMA auto_vacuum = INCREMENTAL;\n"
                        "PRAGMA journal_mode = WAL;\nPRAGMA application_id = %d;\n"
                        "PRAGMA user_version = %d;\n%sBEGIN;\nDELETE FROM sqlite_sequence;\n"
                        "%sCOMMIT;\n",
                        (int)version, STORE_APPLICATION, (int)version, schema, rows) > 0;
    good = stream != NULL && fclose(stream) == 0 && good;
    memory_free(schema);
    memory_free(query);
    memory_free(rows);
    support_remove_directory(&fixture);
    executor_free(fixture.executor);
    printf("%s %s\n", path,
           good ? "was written: give its new tables and columns values"
                : "was "
                  "not "
                  "written");
    return good ? 0 : 1;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup_closed, support_teardown)
        TEST(each_version_becomes_this_one_and_keeps_its_rows),
        TEST(each_sample_has_a_value_in_each_column),
        TEST(what_version_1_knew_is_known),
        TEST(a_long_upgrade_tells_that_it_gets_on),
    };
    if (count == 2 && strcmp(arguments[1], "--write") == 0)
        return write_sample();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

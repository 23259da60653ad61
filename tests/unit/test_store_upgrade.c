/* The copy before an upgrade, and upgrades that something ends in the middle. */
#include "store_samples.h"

#include <signal.h>
#include <sys/wait.h>

static char *all_rows(const char *path)
{
    char *query = sample_rows_query(path);
    char *rows = sample_query(path, query);
    memory_free(query);
    return rows;
}

static void copy_of(const struct fixture *fixture, int version, char path[128])
{
    snprintf(path, 128, "%s.v%d", fixture->path, version);
}

static void upgrade_by(struct fixture *fixture, const struct store_schema *schema,
                       struct failure *failure)
{
    struct store_connection connection = {.step = "open"};
    store_connection_open(&connection, fixture->path, false);
    store_schema_accept(&connection, schema);
    store_schema_upgrade(&connection, schema, NULL, NULL);
    *failure = connection.failure;
    store_connection_close(&connection);
}

static void the_copy_is_the_database_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char copy[128];
    char left[160];
    struct stat status;
    mode_t mask = umask(0);
    copy_of(fixture, 4, copy);
    snprintf(left, sizeof left, "%s.new", copy);
    sample_execute(copy, "CREATE TABLE earlier_try (a)");
    sample_execute(left, "CREATE TABLE killed_try (a)");
    sample_write(fixture, 4);
    char *before = all_rows(fixture->path);
    support_open(fixture);
    support_close(fixture);
    umask(mask);
    assert_int_equal(stat(copy, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(access(left, F_OK), -1);
    char *kept = all_rows(copy);
    assert_string_equal(kept, before);

    /* Put back, it is upgraded again. */
    assert_int_equal(rename(copy, fixture->path), 0);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 4);
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), store_schema.version);
    memory_free(before);
    memory_free(kept);
}

static void a_copy_says_of_itself_that_it_is_one(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char copy[128], log[160];
    const char *texts[] = {store_schema.texts[0],
                           store_schema.texts[1],
                           store_schema.texts[2],
                           store_schema.texts[3],
                           store_schema.texts[4],
                           store_schema.texts[5],
                           "CREATE TABLE later (a INTEGER) STRICT"};
    const bool rewrites[7] = {false};
    struct store_schema schema = store_schema;
    schema.texts = texts;
    schema.rewrites = rewrites;
    schema.version = 7;
    copy_of(fixture, 6, copy);
    snprintf(log, sizeof log, "%s-wal", copy);
    sample_write(fixture, 6);
    sample_execute(fixture->path,
                   "PRAGMA journal_mode = WAL; UPDATE instance SET copied_at = NULL");
    upgrade_by(fixture, &schema, &failure);
    assert_string_equal(failure.text, "");
    char *told = sample_query(copy, "SELECT copied_at > 1700000000000 FROM instance");
    assert_string_equal(told, "1\n");
    memory_free(told);
    assert_int_equal(access(log, F_OK), -1);
    told = sample_query(fixture->path, "SELECT copied_at IS NULL FROM instance");
    assert_string_equal(told, "1\n");
    memory_free(told);
}

static void a_large_database_is_copied_only_when_much_is_written_anew(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char copy[128];
    bool rewrites[] = {false, false, false, false, false};
    struct store_schema schema = store_schema;
    schema.version = 5;
    schema.rewrites = rewrites;
    schema.small_bytes = 0;
    copy_of(fixture, 3, copy);
    for (int much = 0; much < 2; much++) {
        sample_write(fixture, 3);
        rewrites[3] = much;
        upgrade_by(fixture, &schema, &failure);
        assert_false(failure_is_set(&failure));
        assert_int_equal(access(copy, F_OK), much ? 0 : -1);
        unlink(fixture->path);
    }
}

static void a_damaged_database_is_neither_copied_nor_upgraded(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char copy[128];
    char noise[4096];
    sample_write(fixture, 4);
    int64_t root = support_number(fixture, "SELECT rootpage FROM sqlite_schema WHERE name ="
                                           " 'ledger'");
    FILE *file = fopen(fixture->path, "r+");
    memset(noise, 0xa5, sizeof noise);
    fseek(file, (long)(root - 1) * 4096, SEEK_SET);
    assert_int_equal(fwrite(noise, 1, sizeof noise, file), sizeof noise);
    fclose(file);
    upgrade_by(fixture, &store_schema, &failure);
    assert_string_equal(failure.code, "SQLITE_CORRUPT");
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 4);
    copy_of(fixture, 4, copy);
    assert_int_equal(access(copy, F_OK), -1);
}

/* --- ended in the middle --- */

static int steps_left;

static int kill_at_step(void *argument)
{
    (void)argument;
    if (--steps_left == 0)
        kill(getpid(), SIGKILL);
    return 0;
}

static int watch_steps(sqlite3 *database, char **error, const struct sqlite3_api_routines *routines)
{
    (void)error;
    (void)routines;
    sqlite3_progress_handler(database, 20, kill_at_step, NULL);
    return SQLITE_OK;
}

/* True: it was killed. */
static bool upgrade_killed_at(struct fixture *fixture, int step)
{
    pid_t child = fork();
    if (child == 0) {
        struct failure failure;
        steps_left = step;
        sqlite3_auto_extension((void (*)(void))watch_steps);
        upgrade_by(fixture, &store_schema, &failure);
        _exit(failure_is_set(&failure));
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void a_kill_leaves_the_old_version_whole_or_the_new_one(void **state)
{
    struct fixture *fixture = *state;
    unsigned old = 0;
    bool killed = true;
    for (int step = 1; killed; step += 1 + step / 8) {
        sample_write(fixture, 1);
        char *query = sample_rows_query(fixture->path);
        char *before = sample_query(fixture->path, query);
        killed = upgrade_killed_at(fixture, step);
        int64_t version = support_number(fixture, "PRAGMA user_version");
        assert_true(version == 1 || version == store_schema.version);
        old += version == 1;
        char *after = sample_query(fixture->path, query);
        assert_string_equal(before, after);
        assert_int_equal(
            support_number(fixture, "SELECT count(*) FROM sqlite_schema WHERE name = 'paused'"),
            version != 1);
        support_open(fixture);
        assert_int_equal(support_number(fixture, "PRAGMA user_version"), store_schema.version);
        support_close(fixture);
        support_remove_directory(fixture);
        support_make_directory(fixture);
        memory_free(query);
        memory_free(before);
        memory_free(after);
    }
    print_message("%u kills left the old version\n", old);
    assert_true(old > 10);
}

static int no_more_pages(sqlite3 *database, char **error,
                         const struct sqlite3_api_routines *routines)
{
    (void)error;
    (void)routines;
    return sqlite3_exec(database, "PRAGMA max_page_count = 1", NULL, NULL, NULL);
}

static void a_full_database_leaves_the_old_version_whole(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    struct store_schema schema = store_schema;
    schema.small_bytes = 0; /* no copy, which would be full as well */
    sample_write(fixture, 2);
    char *query = sample_rows_query(fixture->path);
    char *before = sample_query(fixture->path, query);
    sqlite3_auto_extension((void (*)(void))no_more_pages);
    upgrade_by(fixture, &schema, &failure);
    sqlite3_reset_auto_extension();
    assert_string_equal(failure.code, "SQLITE_FULL");
    char *after = sample_query(fixture->path, query);
    assert_string_equal(before, after);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 2);
    support_open(fixture);
    memory_free(query);
    memory_free(before);
    memory_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup_closed, support_teardown)
        TEST(the_copy_is_the_database_as_it_was),
        TEST(a_copy_says_of_itself_that_it_is_one),
        TEST(a_large_database_is_copied_only_when_much_is_written_anew),
        TEST(a_damaged_database_is_neither_copied_nor_upgraded),
        TEST(a_kill_leaves_the_old_version_whole_or_the_new_one),
        TEST(a_full_database_leaves_the_old_version_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "store_support.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static void refused(struct fixture *fixture, const char *code, struct failure *failure)
{
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                        SUPPORT_BUSY_MS, failure);
    assert_null(fixture->store);
    assert_string_equal(failure->code, code);
    assert_int_equal(failure->category, FAILURE_STORAGE);
    assert_int_equal(failure->scope, FAILURE_SCOPE_SERVER);
    assert_non_null(strstr(failure->text, fixture->directory));
    assert_true(strlen(failure->sentence) > 0);
    print_message("%s %s: %s (%s)\n", failure->sentence, failure->remedy, failure->text,
                  failure->code);
}

static void execute(struct fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    sqlite3_close(database);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void read_file(const char *path, struct buffer *bytes)
{
    char block[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t count; (count = fread(block, 1, sizeof block, file)) > 0;)
        buffer_append(bytes, block, count);
    fclose(file);
}

static void files_are_for_the_daemon_alone(void **state)
{
    struct fixture *fixture = *state;
    mode_t before = umask(0);
    support_open(fixture);
    support_mailbox(fixture, "a@x");
    static const char *const names[] = {"exsyncd.db", "exsyncd.db-wal", "exsyncd.db-shm",
                                        "exsyncd.lock"};
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", fixture->directory, names[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
    umask(before);
}

static void the_instance_is_fixed_at_creation(void **state)
{
    struct fixture *fixture = *state;
    char instance[STORE_INSTANCE_SIZE];
    support_open(fixture);
    snprintf(instance, sizeof instance, "%s", store_instance(fixture->store));
    assert_int_equal(strlen(instance), 32);
    assert_int_equal(strspn(instance, "0123456789abcdef"), 32);
    support_close(fixture);
    support_open(fixture);
    assert_string_equal(store_instance(fixture->store), instance);
    support_close(fixture);
    unlink(fixture->path);
    support_open(fixture);
    assert_string_not_equal(store_instance(fixture->store), instance);
}

/* --- one daemon a state directory --- */

static void a_second_daemon_is_told_who_holds_the_lock(void **state)
{
    struct fixture *fixture = *state;
    int ready[2];
    int end[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    if (child == 0) {
        support_open(fixture);
        if (write(ready[1], "r", 1) == 1 && read(end[0], &byte, 1) == 1)
            support_close(fixture);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct failure failure;
    char holder[32];
    refused(fixture, "EWOULDBLOCK", &failure);
    snprintf(holder, sizeof holder, "process %d", (int)child);
    assert_non_null(strstr(failure.text, holder));

    /* Killed, it holds nothing any more. */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    support_open(fixture);
    for (size_t i = 0; i < 2; i++) {
        close(ready[i]);
        close(end[i]);
    }
}

static void a_lock_without_a_process_id_is_told_without(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char path[128];
    snprintf(path, sizeof path, "%s/exsyncd.lock", fixture->directory);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    refused(fixture, "EWOULDBLOCK", &failure);
    assert_null(strstr(failure.text, "process"));
    close(lock);
}

static void a_store_that_was_closed_can_be_opened_by_another(void **state)
{
    struct fixture *fixture = *state;
    support_open(fixture);
    support_close(fixture);
    pid_t child = fork();
    if (child == 0) {
        struct failure failure;
        struct store *store =
            store_open(fixture->directory, fixture->executor, NULL, NULL, &failure);
        if (store == NULL)
            _exit(1);
        store_close(store);
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

/* --- databases that are refused --- */

static void a_newer_database_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    support_open(fixture);
    support_mailbox(fixture, "a@x");
    support_close(fixture);
    execute(fixture, "PRAGMA user_version = 999");
    refused(fixture, "SQLITE_MISMATCH", &failure);
    assert_true(failure.permanent);
    assert_non_null(strstr(failure.text, "999"));
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 999);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), 1);
}

static void a_database_of_another_program_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    execute(fixture, "CREATE TABLE theirs (a)");
    refused(fixture, "SQLITE_MISMATCH", &failure);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM sqlite_schema"), 1);
}

/* The file is refused and not one byte of it changes. */
static void refused_untouched(struct fixture *fixture, const char *code, const char *sentence)
{
    struct failure failure;
    struct buffer before = {0};
    struct buffer after = {0};
    read_file(fixture->path, &before);
    refused(fixture, code, &failure);
    assert_string_equal(failure.sentence, sentence);
    assert_non_null(strstr(failure.text, fixture->path));
    read_file(fixture->path, &after);
    assert_int_equal(before.length, after.length);
    if (before.length > 0)
        assert_memory_equal(before.data, after.data, before.length);
    buffer_release(&before);
    buffer_release(&after);
}

static void what_is_not_the_database_is_told_apart_and_never_altered(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, "", 0);
    refused_untouched(fixture, "SQLITE_NOTADB", "The database's file is empty.");
    unlink(fixture->path);
    execute(fixture, "PRAGMA application_id = 7; PRAGMA user_version = 3; CREATE TABLE theirs (a)");
    refused_untouched(fixture, "SQLITE_MISMATCH", "The database belongs to another program.");
    unlink(fixture->path);

    /* Of a newer version, with and without a copy that this program can use. */
    support_open(fixture);
    support_close(fixture);
    execute(fixture, "PRAGMA user_version = 7; PRAGMA journal_mode = WAL");
    const char *newer = "The database was written by a newer version of exsyncd.";
    refused_untouched(fixture, "SQLITE_MISMATCH", newer);
    char copy[128];
    struct failure failure;
    snprintf(copy, sizeof copy, "%s.v4", fixture->path);
    write_file(copy, "", 0);
    refused(fixture, "SQLITE_MISMATCH", &failure);
    assert_non_null(strstr(failure.text, "is of version 7, this program knows up to 6"));
    assert_non_null(strstr(failure.text, copy));
    assert_non_null(strstr(failure.remedy, "restore the copy"));

    /* Cut off. */
    execute(fixture, "PRAGMA user_version = 6");
    assert_int_equal(truncate(fixture->path, 3 * 4096), 0);
    refused_untouched(fixture, "SQLITE_CORRUPT", "The database is damaged.");
}

static void a_log_without_its_database_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char log[128];
    snprintf(log, sizeof log, "%s-wal", fixture->path);
    write_file(log, "frames", 6);
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                        SUPPORT_BUSY_MS, &failure);
    assert_null(fixture->store);
    assert_string_equal(failure.code, "ENOENT");
    assert_int_equal(access(log, F_OK), 0);
    assert_int_equal(access(fixture->path, F_OK), -1);
}

/* Put back without a look at the manual page, after a kill. */
static void a_copy_beside_the_log_of_another_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char log[128];
    unsigned char versions[2] = {1, 1};
    snprintf(log, sizeof log, "%s-wal", fixture->path);
    support_open(fixture);
    support_close(fixture);
    int file = open(fixture->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(file, versions, 2, 18), 2);
    write_file(log, "frames", 6);
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                        SUPPORT_BUSY_MS, &failure);
    assert_null(fixture->store);
    assert_string_equal(failure.code, "ForeignLog");
    assert_int_equal(pread(file, versions, 2, 18), 2);
    assert_int_equal(versions[1], 1);
    close(file);
    assert_int_equal(unlink(log), 0);
    support_open(fixture);
}

static void a_look_creates_nothing_and_upgrades_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    assert_null(store_open_as_it_is(fixture->directory, fixture->executor, &failure));
    assert_string_equal(failure.code, "ENOENT");
    support_open(fixture);
    support_close(fixture);
    execute(fixture, "PRAGMA user_version = 4");
    assert_null(store_open_as_it_is(fixture->directory, fixture->executor, &failure));
    assert_string_equal(failure.code, "SQLITE_MISMATCH");
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 4);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    write_file(fixture->path, noise, sizeof noise);
    refused(fixture, "SQLITE_NOTADB", &failure);
    assert_true(failure.permanent);
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_size, sizeof noise);
}

static void a_missing_directory_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    rmdir(fixture->directory);
    refused(fixture, "ENOENT", &failure);
}

static void a_file_instead_of_the_directory_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    rmdir(fixture->directory);
    write_file(fixture->directory, "", 0);
    refused(fixture, "ENOTDIR", &failure);
    unlink(fixture->directory);
}

/* As a user without rights, since tests may run as root. */
static int as_nobody(struct fixture *fixture, const char *code)
{
    pid_t child = fork();
    if (child == 0) {
        struct failure failure;
        if (geteuid() == 0 && setuid(NOBODY) != 0)
            _exit(2);
        struct store *store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                                 SUPPORT_BUSY_MS, &failure);
        if (store != NULL)
            _exit(3);
        print_message("%s %s: %s (%s)\n", failure.sentence, failure.remedy, failure.text,
                      failure.code);
        _exit(strcmp(failure.code, code) == 0 ? 0 : 4);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_database_that_can_only_be_read_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char lock[128];
    support_open(fixture);
    support_close(fixture);
    snprintf(lock, sizeof lock, "%s/exsyncd.lock", fixture->directory);
    assert_int_equal(chmod(fixture->directory, 0777), 0);
    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(chmod(lock, 0666), 0);
    assert_int_equal(as_nobody(fixture, "SQLITE_READONLY"), 0);
    assert_int_equal(chmod(lock, 0400), 0);
    assert_int_equal(as_nobody(fixture, "EACCES"), 0);
    unlink(lock);
    assert_int_equal(chmod(fixture->directory, 0555), 0);
    assert_int_equal(as_nobody(fixture, "EACCES"), 0);
    assert_int_equal(chmod(fixture->directory, 0700), 0);
}

static void a_database_that_another_keeps_locked_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    sqlite3 *other = NULL;
    support_open(fixture);
    support_close(fixture);
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
        SQLITE_OK);
    refused(fixture, "SQLITE_BUSY", &failure);
    assert_false(failure.permanent);
    sqlite3_close(other);
    support_open(fixture);
}

static void damage_is_told_and_nothing_is_made_up(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure;
    support_open(fixture);
    support_mailbox(fixture, "a@x");
    support_close(fixture);
    /* Everything behind the header: the schema is gone. */
    int file = open(fixture->path, O_RDWR | O_CLOEXEC);
    char noise[3000];
    memset(noise, 0xa5, sizeof noise);
    assert_int_equal(pwrite(file, noise, sizeof noise, 100), sizeof noise);
    close(file);
    refused(fixture, "SQLITE_CORRUPT", &failure);
    assert_true(failure.permanent);
}

static void damage_that_shows_later_fails_the_operation(void **state)
{
    struct fixture *fixture = *state;
    support_open(fixture);
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 10), NULL));
    int64_t root = support_number(fixture, "SELECT rootpage FROM sqlite_schema"
                                           " WHERE name = 'ledger'");
    support_close(fixture);
    int file = open(fixture->path, O_RDWR | O_CLOEXEC);
    char noise[4096];
    memset(noise, 0xa5, sizeof noise);
    assert_int_equal(pwrite(file, noise, sizeof noise, (root - 1) * 4096), sizeof noise);
    close(file);

    support_open(fixture);
    struct store_key key = support_key(1, 10);
    uint8_t known = 0;
    MUST_FAIL(fixture, "SQLITE_CORRUPT",
              store_ledger_check(fixture->store, mailbox, &key, 1, &known, support_done, &outcome));
    struct store_delivery delivery = {.key = key, .name = "n"};
    MUST_FAIL(
        fixture, "SQLITE_CORRUPT",
        store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW, support_done, &outcome));
    /* What is not damaged goes on. */
    assert_int_equal(support_mailbox(fixture, "a@x").number, mailbox.number);
}

/* --- how it is set up --- */

static void settings_run(struct store_connection *connection, struct store_operation *operation)
{
    (void)operation;
    static const struct {
        const char *sql;
        int64_t value;
    } settings[] = {
        {"PRAGMA synchronous", 2},  {"PRAGMA foreign_keys", 1},   {"PRAGMA mmap_size", 0},
        {"PRAGMA temp_store", 2},   {"PRAGMA cache_size", -1500}, {"PRAGMA auto_vacuum", 2},
        {"PRAGMA page_size", 4096}, {"PRAGMA trusted_schema", 0}, {"PRAGMA user_version", 6},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(store_execute_number(connection, settings[i].sql), settings[i].value);
    assert_int_equal(store_execute_number(connection, "SELECT count(*) FROM pragma_journal_mode"
                                                      " WHERE journal_mode = 'wal'"),
                     1);
    assert_int_equal(store_execute_number(connection, "SELECT count(*) FROM sqlite_schema WHERE"
                                                      " type = 'table' AND name NOT LIKE 'sqlite%'"
                                                      " AND sql NOT LIKE '%STRICT%'"),
                     0);
}

static void every_connection_has_the_settings_that_were_promised(void **state)
{
    struct fixture *fixture = *state;
    support_open(fixture);
    for (int reader = 0; reader < 2; reader++) {
        struct outcome outcome = {.fixture = fixture};
        struct store_operation *operation =
            store_operation_create(sizeof *operation, settings_run, support_done, &outcome);
        if (reader)
            store_start_read(fixture->store, operation);
        else
            store_start_write(fixture->store, operation);
        support_wait(&outcome);
        assert_false(outcome.failed);
    }
}

/* Those that are meant to read all of a small table or index, or to sort a few rows, and lists that
 * a person asks for. */
static bool may_read_whole(int sql)
{
    static const enum store_sql whole[] = {
        STORE_SQL_MAILBOX_ALL_PRESENT,
        STORE_SQL_SUBMISSION_MAILBOXES,
        STORE_SQL_OPEN_UNDELIVERABLE,
        STORE_SQL_ALERT_ROWS_OPEN,
        STORE_SQL_ALERT_ROWS_ALL,
        STORE_SQL_ALERT_COUNT_OPEN,
        STORE_SQL_ALERT_COUNT_ALL,
        STORE_SQL_SIGN_IN_ALL,
        STORE_SQL_PRUNE_SIGN_INS,
        STORE_SQL_ALERT_COUNT_PROFILES,
        STORE_SQL_FAILURE_ROWS_OPEN,
        STORE_SQL_FAILURE_ROWS_ALL,
        STORE_SQL_FAILURE_COUNT_OPEN,
        STORE_SQL_FAILURE_TROUBLES,
        STORE_SQL_FAILURE_COUNT_ALL,
        STORE_SQL_SWITCH_ANY,
        STORE_SQL_PAUSE_ALL,
        STORE_SQL_QUEUE_FLUSH,
        STORE_SQL_SUBMISSION_SET_BACK,
        STORE_SQL_LEDGER_SET_BACK,
        STORE_SQL_REDELIVERY_SLICE,
        STORE_SQL_QUEUE_WAITING,
        STORE_SQL_QUEUE_FAILED,
        STORE_SQL_QUEUE_REMOVING,
        STORE_SQL_QUEUE_FIND,
        STORE_SQL_QUEUE_HELD,
        STORE_SQL_FAILURE_ROWS_REFUSED,
        STORE_SQL_MAILBOX_LAST,
        STORE_SQL_RESTORE_MAILBOXES,
        STORE_SQL_RESTORE_OPEN,
        STORE_SQL_FAILURE_ROWS_REFUSED_ONE,
        STORE_SQL_FAILURE_COUNT_REFUSED,
        STORE_SQL_FAILURE_ROWS_LEFT,
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (whole[i] == (enum store_sql)sql)
            return true;
    return false;
}

/* A mailbox with a million delivered rows must cost an idle cycle nothing. */
static void every_statement_uses_an_index(void **state)
{
    struct fixture *fixture = *state;
    support_open(fixture);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    for (int sql = 0; sql < STORE_SQL_COUNT; sql++) {
        struct buffer explain = {0};
        sqlite3_stmt *query = NULL;
        assert_non_null(store_sql_text((enum store_sql)sql));
        buffer_append_format(&explain, "EXPLAIN QUERY PLAN %s",
                             store_sql_text((enum store_sql)sql));
        if (sqlite3_prepare_v2(database, explain.data, -1, &query, NULL) != SQLITE_OK)
            fail_msg("%s: %s", explain.data, sqlite3_errmsg(database));
        while (sqlite3_step(query) == SQLITE_ROW) {
            const char *plan = (const char *)sqlite3_column_text(query, 3);
            bool whole = strstr(plan, "SCAN") != NULL || strstr(plan, "TEMP B-TREE") != NULL;
            if (whole && !may_read_whole(sql))
                fail_msg("%s: %s", explain.data, plan);
            /* In the ledger the mailbox alone narrows nothing down, but in the partial indices. */
            bool large = strstr(plan, "ledger_item (mailbox=?)") != NULL ||
                         strstr(plan, "ledger_fingerprint (mailbox=?)") != NULL ||
                         strstr(plan, "ledger_last_seen (mailbox=?)") != NULL;
            if (large && sql != STORE_SQL_PRUNE_LEDGER && sql != STORE_SQL_MERGE_LEDGER)
                fail_msg("%s: %s", explain.data, plan);
        }
        sqlite3_finalize(query);
        buffer_release(&explain);
    }
    sqlite3_close(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup_closed, support_teardown)
        TEST(files_are_for_the_daemon_alone),
        TEST(the_instance_is_fixed_at_creation),
        TEST(a_second_daemon_is_told_who_holds_the_lock),
        TEST(a_lock_without_a_process_id_is_told_without),
        TEST(a_store_that_was_closed_can_be_opened_by_another),
        TEST(a_newer_database_is_refused_and_left_alone),
        TEST(a_database_of_another_program_is_refused),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(what_is_not_the_database_is_told_apart_and_never_altered),
        TEST(a_log_without_its_database_is_told),
        TEST(a_copy_beside_the_log_of_another_database_is_refused),
        TEST(a_look_creates_nothing_and_upgrades_nothing),
        TEST(a_missing_directory_is_told),
        TEST(a_file_instead_of_the_directory_is_told),
        TEST(a_database_that_can_only_be_read_is_refused),
        TEST(a_database_that_another_keeps_locked_is_told),
        TEST(damage_is_told_and_nothing_is_made_up),
        TEST(damage_that_shows_later_fails_the_operation),
        TEST(every_connection_has_the_settings_that_were_promised),
        TEST(every_statement_uses_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

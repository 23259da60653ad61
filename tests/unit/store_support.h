/* A store in a directory of its own, and operations that are waited for. */
#ifndef EXSYNC_TESTS_UNIT_STORE_SUPPORT_H
#define EXSYNC_TESTS_UNIT_STORE_SUPPORT_H

#include "base/buffer.h"
#include "base/memory.h"
#include "store/store.h"
#include "store/store_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUPPORT_BUSY_MS = 200 };

static const int64_t NOW = 1700000000000;
static const int64_t DAY = 24LL * 60 * 60 * 1000;

struct fixture {
    struct executor *executor;
    struct store *store;
    char directory[64];
    char path[96];
};

/* What an operation came to. */
struct outcome {
    struct fixture *fixture;
    bool done;
    bool failed;
    size_t order; /* how many had ended before */
    struct failure failure;
};

static size_t support_ended;

__attribute__((unused)) static void support_done(void *argument, const struct failure *failure)
{
    struct outcome *outcome = argument;
    assert_false(outcome->done);
    outcome->done = true;
    outcome->failed = failure != NULL;
    outcome->order = support_ended++;
    if (failure != NULL)
        outcome->failure = *failure;
    executor_stop(outcome->fixture->executor);
}

__attribute__((unused)) static void support_wait(struct outcome *outcome)
{
    while (!outcome->done)
        executor_run(outcome->fixture->executor);
}

/* Start a call that has `support_done, &outcome` as its last arguments, and wait for it. */
#define MUST_SUCCEED(fixture_, call_)                                       \
    do {                                                                    \
        struct outcome outcome = {.fixture = (fixture_)};                   \
        call_;                                                              \
        support_wait(&outcome);                                             \
        if (outcome.failed)                                                 \
            fail_msg("%s: %s", outcome.failure.code, outcome.failure.text); \
    } while (0)

#define MUST_FAIL(fixture_, code_, call_)                            \
    do {                                                             \
        struct outcome outcome = {.fixture = (fixture_)};            \
        call_;                                                       \
        support_wait(&outcome);                                      \
        assert_true(outcome.failed);                                 \
        assert_string_equal(outcome.failure.code, code_);            \
        assert_int_equal(outcome.failure.category, FAILURE_STORAGE); \
        assert_true(strlen(outcome.failure.sentence) > 0);           \
    } while (0)

__attribute__((unused)) static void support_open(struct fixture *fixture)
{
    struct failure failure;
    fixture->store = store_open_patient(fixture->directory, fixture->executor, NULL, NULL,
                                        SUPPORT_BUSY_MS, &failure);
    if (fixture->store == NULL)
        fail_msg("%s: %s", failure.code, failure.text);
}

__attribute__((unused)) static void support_close(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

__attribute__((unused)) static void support_make_directory(struct fixture *fixture)
{
    snprintf(fixture->directory, sizeof fixture->directory, "%s", "/tmp/exsyncd-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof fixture->path, "%s/exsyncd.db", fixture->directory);
}

__attribute__((unused)) static void support_remove_directory(struct fixture *fixture)
{
    DIR *directory = opendir(fixture->directory);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", fixture->directory, entry->d_name);
        unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(fixture->directory);
}

/* An executor and a directory; the store is not open yet. */
__attribute__((unused)) static int support_setup_closed(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    support_make_directory(fixture);
    fixture->executor = executor_create();
    *state = fixture;
    return 0;
}

__attribute__((unused)) static int support_setup(void **state)
{
    support_setup_closed(state);
    support_open(*state);
    return 0;
}

__attribute__((unused)) static int support_teardown(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->store != NULL)
        support_close(fixture);
    executor_free(fixture->executor);
    support_remove_directory(fixture);
    memory_free(fixture);
    return 0;
}

/* One mailbox on profile "p". */
__attribute__((unused)) static struct store_mailbox support_mailbox(struct fixture *fixture,
                                                                    const char *address)
{
    struct store_registration registration = {.address = address, .profile = "p"};
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, &registration, 1, NOW,
                                                   support_done, &outcome));
    return registration.mailbox;
}

__attribute__((unused)) static struct digest support_digest(uint64_t number)
{
    struct digest digest = {{0}};
    memcpy(digest.bytes, &number, sizeof number);
    return digest;
}

/* Item and fingerprint of one number each; fingerprint 0: none. */
__attribute__((unused)) static struct store_key support_key(uint64_t item, uint64_t fingerprint)
{
    return (struct store_key){
        .item = support_digest(item),
        .fingerprint = support_digest(fingerprint),
        .has_fingerprint = fingerprint != 0,
    };
}

__attribute__((unused)) static enum store_item_state
support_check(struct fixture *fixture, struct store_mailbox mailbox, struct store_key key)
{
    uint8_t state = 99;
    MUST_SUCCEED(fixture, store_ledger_check(fixture->store, mailbox, &key, 1, &state, support_done,
                                             &outcome));
    return (enum store_item_state)state;
}

/* True: taken. False: a duplicate. */
__attribute__((unused)) static bool support_deliver(struct fixture *fixture,
                                                    struct store_mailbox mailbox,
                                                    struct store_key key, const char *reference)
{
    struct store_delivery delivery = {
        .key = key, .received_ms = NOW - 5, .name = "name.S=1", .reference = reference};
    MUST_SUCCEED(fixture, store_ledger_deliver(fixture->store, mailbox, &delivery, 1, NOW,
                                               support_done, &outcome));
    return !delivery.duplicate;
}

__attribute__((unused)) static void
support_delivered(struct fixture *fixture, struct store_mailbox mailbox, struct store_key key)
{
    MUST_SUCCEED(fixture, store_ledger_delivered(fixture->store, mailbox, &key.item, 1, NOW,
                                                 support_done, &outcome));
}

/* One number from the database, by a connection of the test's own. */
__attribute__((unused)) static int64_t support_number(struct fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    if (sqlite3_prepare_v2(database, sql, -1, &query, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    int64_t number = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int64(query, 0) : -1;
    sqlite3_finalize(query);
    sqlite3_close(database);
    return number;
}

/* SQL that runs on the writer's thread within its transaction. */
struct support_sql {
    struct store_operation operation;
    const char *text;
};

__attribute__((unused)) static void support_sql_run(struct store_connection *connection,
                                                    struct store_operation *operation)
{
    store_execute(connection, ((struct support_sql *)operation)->text);
}

__attribute__((unused)) static void support_sql_start(struct fixture *fixture, const char *text,
                                                      struct outcome *outcome)
{
    struct support_sql *sql =
        store_operation_create(sizeof *sql, support_sql_run, support_done, outcome);
    sql->text = text;
    store_start_write(fixture->store, &sql->operation);
}

#endif

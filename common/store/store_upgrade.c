/* Which databases are taken, and how one of an older program becomes one of this program. */
#include "store/store_private.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_STEPS = 100000 }; /* of SQLite's machine: some milliseconds */

/* --- what is taken --- */

static bool upgrade_has_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* The newest copy that this program can use: of version `version` or an earlier one; 0: none. */
static int64_t upgrade_find_copy(const char *path, int64_t version)
{
    bool found = false;
    for (version++; !found && version > 1;) {
        char *copy = store_copy_path(path, --version);
        found = upgrade_has_file(copy);
        memory_free(copy);
    }
    return found ? version : 0;
}

static void upgrade_refuse_newer(struct store_connection *connection, int64_t version,
                                 int64_t known)
{
    static const char sentence[] = "The database was written by a newer version of exsyncd.";
    int64_t copy = upgrade_find_copy(connection->path, known);
    if (copy == 0) {
        connection->failure =
            store_failure_of(connection->step, "SQLITE_MISMATCH", true, sentence,
                             "Install the newer exsyncd again, or restore a backup that was made "
                             "before the upgrade; \"exsyncctl verify\" deals with mail between.");
        failure_format_text(&connection->failure,
                            "%s is of version %" PRId64 ", this program knows up to %" PRId64
                            "; no copy of an earlier version lies beside it",
                            connection->path, version, known);
        return;
    }
    connection->failure = store_failure_of(
        connection->step, "SQLITE_MISMATCH", true, sentence,
        "Install the newer exsyncd again, or restore the copy that was made before the upgrade, as "
        "exsyncd(8) says under FILES; \"exsyncctl verify\" deals with mail between.");
    failure_format_text(&connection->failure,
                        "%s is of version %" PRId64 ", this program knows up to %" PRId64
                        "; the copy is %s.v%" PRId64,
                        connection->path, version, known, connection->path, copy);
}

static void upgrade_refuse(struct store_connection *connection, const char *code,
                           const char *sentence, const char *remedy, const char *text)
{
    connection->failure = store_failure_of(connection->step, code, true, sentence, remedy);
    failure_format_text(&connection->failure, "%s %s", connection->path, text);
}

void store_schema_accept(struct store_connection *connection, const struct store_schema *schema)
{
    int64_t version = store_execute_number(connection, "PRAGMA user_version");
    int64_t application = store_execute_number(connection, "PRAGMA application_id");
    int64_t tables = store_execute_number(connection, "SELECT count(*) FROM sqlite_schema");
    if (store_failed(connection))
        return;
    if (application == 0 && version == 0 && tables == 0)
        upgrade_refuse(connection, "SQLITE_NOTADB", "The database's file is empty.",
                       "Restore the database from a backup or from a copy (exsyncd.db.vN). Remove "
                       "the file only if exsyncd has never run here: without its ledger, mail "
                       "would be delivered a second time.",
                       "holds nothing");
    else if (application != STORE_APPLICATION)
        upgrade_refuse(connection, "SQLITE_MISMATCH", "The database belongs to another program.",
                       "Move the file away, or choose another state directory.",
                       "does not have exsyncd's application id");
    else if (version < 1 || tables == 0)
        connection->failure =
            store_failure_from_sqlite(connection->step, SQLITE_CORRUPT, NULL, connection->path);
    else if (version > schema->version)
        upgrade_refuse_newer(connection, version, schema->version);
}

void store_schema_insist(struct store_connection *connection, const struct store_schema *schema)
{
    int64_t version = store_execute_number(connection, "PRAGMA user_version");
    if (store_failed(connection) || version == schema->version)
        return;
    connection->failure =
        store_failure_of(connection->step, "SQLITE_MISMATCH", true,
                         "The database was written by an older version of exsyncd.",
                         "Start exsyncd: it brings the database to its own version.");
    failure_format_text(&connection->failure,
                        "%s is of version %" PRId64 ", this program wants %" PRId64,
                        connection->path, version, schema->version);
}

/* --- how it is brought up to date --- */

static void upgrade_write_instance(struct store_connection *connection)
{
    uint8_t bytes[(STORE_INSTANCE_SIZE - 1) / 2];
    char id[STORE_INSTANCE_SIZE];
    char sql[256];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    snprintf(sql, sizeof sql,
             "PRAGMA application_id = %d;"
             "INSERT INTO instance (one, id, created_at) VALUES (1, '%s', %lld)",
             (int)STORE_APPLICATION, id, (long long)clock_wall_ms());
    store_execute(connection, sql);
}

/* All versions in one transaction: whatever ends it leaves the database as it was, or whole. */
static void upgrade_run(struct store_connection *connection, const struct store_schema *schema,
                        int64_t before)
{
    char sql[64];
    store_execute(connection, "BEGIN IMMEDIATE");
    for (int64_t version = before + 1; version <= schema->version; version++) {
        store_execute(connection, schema->texts[version - 1]);
        if (version == 1)
            upgrade_write_instance(connection);
    }
    snprintf(sql, sizeof sql, "PRAGMA user_version = %" PRId64 "; COMMIT", schema->version);
    store_execute(connection, sql);
    if (store_failed(connection) && !sqlite3_get_autocommit(connection->database))
        sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
}

static bool upgrade_wants_copy(struct store_connection *connection,
                               const struct store_schema *schema, int64_t before)
{
    bool wanted = store_execute_number(connection, "PRAGMA page_count") *
                      store_execute_number(connection, "PRAGMA page_size") <=
                  schema->small_bytes;
    for (int64_t version = before + 1; version <= schema->version; version++)
        wanted = wanted || schema->rewrites[version - 1];
    return wanted;
}

static void upgrade_log(struct log *log, const struct store_connection *connection, int64_t before,
                        int64_t after, bool copied)
{
    if (log == NULL)
        return;
    if (copied)
        log_write(log, LOG_PRIORITY_NOTICE, NULL,
                  "Brought the database %s from version %" PRId64 " to %" PRId64
                  ". What it was before is in %s.v%" PRId64
                  ", which may be removed once nobody wants the earlier exsyncd back.",
                  connection->path, before, after, connection->path, before);
    else
        log_write(log, LOG_PRIORITY_NOTICE, NULL,
                  "Brought the database %s from version %" PRId64 " to %" PRId64 ".",
                  connection->path, before, after);
}

static int upgrade_gets_on(void *argument)
{
    const struct store_progress *progress = argument;
    progress->tell(progress->argument, 0);
    return 0;
}

void store_schema_upgrade(struct store_connection *connection, const struct store_schema *schema,
                          struct log *log, const struct store_progress *progress)
{
    int64_t before = store_execute_number(connection, "PRAGMA user_version");
    if (store_failed(connection) || before == schema->version)
        return;
    struct store_progress told = {0};
    if (progress != NULL) {
        told = *progress;
        sqlite3_progress_handler(connection->database, PROGRESS_STEPS, upgrade_gets_on, &told);
    }
    bool copied = upgrade_wants_copy(connection, schema, before);
    if (copied) {
        if (log != NULL)
            log_write(log, LOG_PRIORITY_NOTICE, NULL,
                      "Copying the database %s to %s.v%" PRId64 " before its upgrade.",
                      connection->path, connection->path, before);
        store_copy_make(connection, before, progress);
    }
    upgrade_run(connection, schema, before);
    sqlite3_progress_handler(connection->database, 0, NULL, NULL);
    if (!store_failed(connection))
        upgrade_log(log, connection, before, schema->version, copied);
}

/* --- how it is created --- */

bool store_schema_create(const char *path, const struct store_schema *schema, struct log *log,
                         struct failure *failure)
{
    struct buffer part = {0};
    buffer_append_format(&part, "%s.new", path);
    struct store_connection connection = {.step = "open"};
    bool good = store_files_create(part.data, failure);
    if (good) {
        /* Not with a write-ahead log yet: what is committed is in this one file. */
        store_connection_open(&connection, part.data, false);
        store_execute(&connection, "PRAGMA auto_vacuum = INCREMENTAL");
        upgrade_run(&connection, schema, 0);
        good = !store_failed(&connection);
        *failure = connection.failure;
        store_connection_close(&connection);
        good = good && store_files_publish(part.data, path, failure);
        if (!good)
            unlink(part.data);
    }
    if (good && log != NULL)
        log_write(log, LOG_PRIORITY_NOTICE, NULL, "Created the database %s.", path);
    buffer_release(&part);
    return good;
}

#include "store/store_private.h"

#include "base/clock.h"
#include "base/random.h"

#include <stdio.h>
#include <string.h>

/* One text a version; a text that was once released is never changed.
 *
 * mailbox.renamed_from is the last renaming that was applied: the configuration goes on saying it.
 * ledger: rows lie in the order in which they came, not in that of their digests, so that an item's
 * later steps change the pages that its first one has changed (less than half is written that way).
 * Every index begins with the mailbox; the partial ones hold open rows alone, so that a mailbox
 * with a million delivered rows is asked for its open ones at no cost. ledger_last_seen is whole:
 * then the step from delivering to delivered leaves it alone. failure.item is empty for failures
 * that are not of one item. */
static const char *const migrations[] = {
    "CREATE TABLE instance ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  id TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE mailbox ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  address TEXT NOT NULL UNIQUE,"
    "  profile TEXT NOT NULL,"
    "  renamed_from TEXT,"
    "  lease INTEGER NOT NULL,"
    "  enabled_at INTEGER NOT NULL,"
    "  removed_at INTEGER,"
    "  sink_path TEXT"
    ") STRICT;"
    "CREATE INDEX mailbox_removed ON mailbox (removed_at) WHERE removed_at IS NOT NULL;"

    "CREATE TABLE folder ("
    "  mailbox INTEGER NOT NULL REFERENCES mailbox (number),"
    "  name TEXT NOT NULL,"
    "  watermark INTEGER NOT NULL,"
    "  process_from INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  pass_started INTEGER NOT NULL,"
    "  pass_offset INTEGER NOT NULL,"
    "  pass_done INTEGER NOT NULL,"
    "  PRIMARY KEY (mailbox, name)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE ledger ("
    "  row INTEGER PRIMARY KEY,"
    "  mailbox INTEGER NOT NULL REFERENCES mailbox (number),"
    "  item BLOB NOT NULL CHECK (length(item) = 16),"
    "  fingerprint BLOB CHECK (length(fingerprint) = 16),"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),"
    "  received_at INTEGER NOT NULL,"
    "  last_seen INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  next_retry INTEGER,"
    "  name TEXT,"
    "  reference TEXT"
    ") STRICT;"
    "CREATE UNIQUE INDEX ledger_item ON ledger (mailbox, item);"
    "CREATE INDEX ledger_fingerprint ON ledger (mailbox, fingerprint)"
    "  WHERE fingerprint IS NOT NULL;"
    "CREATE INDEX ledger_last_seen ON ledger (mailbox, last_seen);"
    "CREATE INDEX ledger_delivering ON ledger (mailbox) WHERE state = 1;"
    "CREATE INDEX ledger_failed ON ledger (mailbox, next_retry) WHERE state = 3;"
    "CREATE INDEX ledger_unacknowledged ON ledger (mailbox)"
    "  WHERE state = 2 AND reference IS NOT NULL;"

    "CREATE TABLE failure ("
    "  id INTEGER PRIMARY KEY,"
    "  scope TEXT NOT NULL,"
    "  profile TEXT NOT NULL,"
    "  mailbox INTEGER REFERENCES mailbox (number),"
    "  direction TEXT NOT NULL,"
    "  step TEXT NOT NULL,"
    "  category TEXT NOT NULL,"
    "  code TEXT NOT NULL,"
    "  item BLOB NOT NULL,"
    "  http_status INTEGER NOT NULL,"
    "  text TEXT NOT NULL,"
    "  sentence TEXT NOT NULL,"
    "  remedy TEXT NOT NULL,"
    "  activity TEXT NOT NULL,"
    "  permanent INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  first_seen INTEGER NOT NULL,"
    "  last_seen INTEGER NOT NULL,"
    "  next_retry INTEGER,"
    "  resolved_at INTEGER"
    ") STRICT;"
    "CREATE INDEX failure_same ON failure"
    "  (mailbox, resolved_at, item, profile, direction, step, code, category, scope);"
    "CREATE INDEX failure_resolved ON failure (resolved_at) WHERE resolved_at IS NOT NULL;",

    /* Submissions: the row's number is the order in which they came. Open are all but sent (4) and
     * failed (5), and those after which a stray draft is still to be looked for. */
    "CREATE TABLE submission ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  mailbox INTEGER NOT NULL REFERENCES mailbox (number),"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),"
    "  queued_at INTEGER NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  submitter INTEGER NOT NULL,"
    "  null_sender INTEGER NOT NULL,"
    "  stray INTEGER NOT NULL DEFAULT 0,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  next_try INTEGER NOT NULL DEFAULT 0,"
    "  doubt_since INTEGER NOT NULL DEFAULT 0,"
    "  finished_at INTEGER,"
    "  message_id TEXT,"
    "  subject TEXT NOT NULL,"
    "  recipients TEXT NOT NULL,"
    "  reference TEXT"
    ") STRICT;"
    "CREATE INDEX submission_open ON submission (mailbox, number)"
    "  WHERE state NOT IN (4, 5) OR stray;"
    "CREATE INDEX submission_next ON submission (mailbox, next_try)"
    "  WHERE state NOT IN (4, 5) OR stray;"
    "CREATE INDEX submission_mailbox ON submission (mailbox);"
    "CREATE INDEX submission_finished ON submission (finished_at) WHERE finished_at IS NOT NULL;"
    "ALTER TABLE failure ADD COLUMN submission TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX failure_submission ON failure (submission)"
    "  WHERE submission <> '' AND resolved_at IS NULL;"
    "CREATE INDEX failure_submission_age ON failure (last_seen) WHERE submission <> '';"
    "DROP INDEX failure_same;"
    "CREATE INDEX failure_same ON failure (mailbox, resolved_at, item, submission, profile,"
    "  direction, step, code, category, scope);",

    /* Alerts and notifications. instance.turn counts what happens to alerts: untold_turn is when an
     * alert came to be told, over_turn when it was over; NULL: it is not. alert.mailbox is 0 for
     * those that are of none. alert.known: a notification of it was handed over. A notification is
     * pending until a channel has handed it over or all have dropped it. notice.state is 1 while it
     * waits, 2 when it was handed over, 3 when it was dropped. */
    "ALTER TABLE instance ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE failure ADD COLUMN trace TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX failure_open ON failure"
    "  (profile, mailbox, direction, category, code, submission) WHERE resolved_at IS NULL;"

    "CREATE TABLE notification ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  profile TEXT NOT NULL,"
    "  owner TEXT NOT NULL,"
    "  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),"
    "  created_at INTEGER NOT NULL,"
    "  handed_at INTEGER,"
    "  pending INTEGER NOT NULL,"
    "  message TEXT NOT NULL,"
    "  json TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX notification_owner ON notification (owner, created_at);"
    "CREATE INDEX notification_created ON notification (created_at);"
    "CREATE INDEX notification_pending ON notification (profile) WHERE pending;"

    "CREATE TABLE notice ("
    "  notification INTEGER NOT NULL REFERENCES notification (number) ON DELETE CASCADE,"
    "  channel INTEGER NOT NULL,"
    "  profile TEXT NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  next_try INTEGER NOT NULL DEFAULT 0,"
    "  reason TEXT NOT NULL DEFAULT '',"
    "  PRIMARY KEY (notification, channel)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX notice_waiting ON notice (profile, channel, notification) WHERE state = 1;"

    "CREATE TABLE alert ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  failure INTEGER NOT NULL REFERENCES failure (id) ON DELETE CASCADE,"
    "  mailbox INTEGER NOT NULL,"
    "  submission TEXT NOT NULL,"
    "  profile TEXT NOT NULL,"
    "  direction TEXT NOT NULL,"
    "  category TEXT NOT NULL,"
    "  code TEXT NOT NULL,"
    "  scope TEXT NOT NULL,"
    "  level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),"
    "  absorbs INTEGER NOT NULL,"
    "  subject TEXT,"
    "  opening TEXT NOT NULL,"
    "  told INTEGER NOT NULL CHECK (told BETWEEN 0 AND 3),"
    "  told_reason TEXT NOT NULL,"
    "  known INTEGER NOT NULL DEFAULT 0,"
    "  untold_turn INTEGER,"
    "  over_turn INTEGER,"
    "  notification INTEGER REFERENCES notification (number),"
    "  grouped_into INTEGER REFERENCES alert (id) ON DELETE SET NULL,"
    "  opened_at INTEGER NOT NULL,"
    "  last_seen INTEGER NOT NULL,"
    "  resolved_at INTEGER,"
    "  count INTEGER NOT NULL DEFAULT 1"
    ") STRICT;"
    "CREATE UNIQUE INDEX alert_same ON alert"
    "  (mailbox, submission, profile, direction, category, code, scope) WHERE resolved_at IS NULL;"
    "CREATE INDEX alert_open ON alert (profile, category, scope) WHERE resolved_at IS NULL;"
    "CREATE INDEX alert_absorbing ON alert (profile, category)"
    "  WHERE absorbs AND resolved_at IS NULL;"
    "CREATE INDEX alert_item ON alert (id) WHERE scope = 'item' AND resolved_at IS NULL;"
    "CREATE INDEX alert_known ON alert (profile)"
    "  WHERE resolved_at IS NULL AND (known OR notification IS NOT NULL);"
    "CREATE INDEX alert_untold ON alert (profile, untold_turn) WHERE untold_turn IS NOT NULL;"
    "CREATE INDEX alert_over ON alert (profile, over_turn) WHERE over_turn IS NOT NULL;"
    "CREATE INDEX alert_resolved ON alert (resolved_at) WHERE resolved_at IS NOT NULL;"
    "CREATE INDEX alert_notification ON alert (notification) WHERE notification IS NOT NULL;"
    "CREATE INDEX alert_grouped ON alert (grouped_into) WHERE grouped_into IS NOT NULL;"
    "CREATE INDEX alert_failure ON alert (failure);"

    "CREATE TABLE sign_in ("
    "  profile TEXT PRIMARY KEY NOT NULL,"
    "  mark INTEGER NOT NULL,"
    "  refused INTEGER NOT NULL,"
    "  last_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* What administrators want. switched_off.direction is 1 for incoming, 2 for outgoing.
     * submission.held_at: since when it is held; NULL: it is not. held_for: milliseconds that it
     * was held before. removal: why it is being taken out of the queue; NULL: it is not. */
    "CREATE TABLE switched_off ("
    "  mailbox INTEGER NOT NULL REFERENCES mailbox (number),"
    "  direction INTEGER NOT NULL CHECK (direction BETWEEN 1 AND 2),"
    "  since INTEGER NOT NULL,"
    "  user INTEGER NOT NULL,"
    "  PRIMARY KEY (mailbox, direction)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE paused ("
    "  profile TEXT PRIMARY KEY NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  user INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE submission ADD COLUMN held_at INTEGER;"
    "ALTER TABLE submission ADD COLUMN held_for INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE submission ADD COLUMN removal TEXT;"
    "CREATE INDEX submission_removal ON submission (mailbox, number) WHERE removal IS NOT NULL;",

    /* What is kept for those who ask where a message is: see store_trace.h. */
    "ALTER TABLE ledger ADD COLUMN message INTEGER;"
    "ALTER TABLE ledger ADD COLUMN file INTEGER;"
    "ALTER TABLE ledger ADD COLUMN activity BLOB;"
    "ALTER TABLE ledger ADD COLUMN taken_at INTEGER;"
    "CREATE INDEX ledger_message ON ledger (message) WHERE message IS NOT NULL;",
};

enum {
    SCHEMA_VERSION = sizeof migrations / sizeof *migrations,
    PROGRESS_STEPS = 100000, /* of SQLite's machine: some milliseconds */
};

static void schema_refuse(struct store_connection *connection, const char *sentence,
                          const char *remedy, int64_t version)
{
    if (store_failed(connection))
        return;
    connection->failure =
        store_failure_of(connection->step, "SQLITE_MISMATCH", true, sentence, remedy);
    failure_format_text(&connection->failure, "%s: version %lld, this program knows version %d",
                        connection->path, (long long)version, (int)SCHEMA_VERSION);
}

static void schema_create_instance(struct store_connection *connection)
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

/* One version in one transaction: a crash leaves the database at one version or the next. */
static void schema_step(struct store_connection *connection, int64_t version)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %lld; COMMIT", (long long)version);
    store_execute(connection, "BEGIN IMMEDIATE");
    store_execute(connection, migrations[version - 1]);
    if (version == 1)
        schema_create_instance(connection);
    store_execute(connection, sql);
    if (store_failed(connection) && !sqlite3_get_autocommit(connection->database))
        sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
}

static int schema_progress(void *argument)
{
    const struct store_progress *progress = argument;
    progress->tell(progress->argument);
    return 0;
}

static void schema_steps(struct store_connection *connection, int64_t version,
                         const struct store_progress *progress)
{
    struct store_progress copy = {0};
    if (progress != NULL) {
        copy = *progress;
        sqlite3_progress_handler(connection->database, PROGRESS_STEPS, schema_progress, &copy);
    }
    while (version < SCHEMA_VERSION && !store_failed(connection))
        schema_step(connection, ++version);
    sqlite3_progress_handler(connection->database, 0, NULL, NULL);
}

void store_schema_migrate(struct store_connection *connection, struct log *log,
                          const struct store_progress *progress)
{
    int64_t version = store_execute_number(connection, "PRAGMA user_version");
    int64_t application = store_execute_number(connection, "PRAGMA application_id");
    int64_t tables = store_execute_number(connection, "SELECT count(*) FROM sqlite_schema");
    if (store_failed(connection))
        return;
    if (application != STORE_APPLICATION && (version != 0 || tables != 0)) {
        schema_refuse(connection, "The database belongs to another program.",
                      "Move the file away, or choose another state directory.", version);
        return;
    }
    if (version > SCHEMA_VERSION) {
        schema_refuse(connection, "The database was written by a newer version of exsyncd.",
                      "Install that version or a later one, or restore the database from a backup "
                      "made before the update.",
                      version);
        return;
    }
    schema_steps(connection, version, progress);
    if (store_failed(connection) || version == SCHEMA_VERSION || log == NULL)
        return;
    if (version == 0)
        log_write(log, LOG_PRIORITY_NOTICE, NULL, "Created the database %s.", connection->path);
    else
        log_write(log, LOG_PRIORITY_NOTICE, NULL,
                  "Brought the database %s from version %lld to %d.", connection->path,
                  (long long)version, (int)SCHEMA_VERSION);
}

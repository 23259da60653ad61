/* What the store's own files share.
 *
 *   connection  SQLite's, used by one thread at a time; remembers the first failure of the
 *               operation that runs, after which all its functions do nothing
 *   operation   one call of a function of store.h on its way through a thread and back
 *   worker      a thread that runs operations: the writer or the reader
 *   completions where operations wait to be ended on the loop; outlives a closed store while there
 *               are some
 */
#ifndef EXSYNC_STORE_STORE_PRIVATE_H
#define EXSYNC_STORE_STORE_PRIVATE_H

#include "store/store_alerts.h"
#include "store/store_sql.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/types.h>

enum {
    STORE_APPLICATION = 0x45585359, /* "EXSY" */
    STORE_BUSY_MS = 5000,           /* how long another program may hold the database */
    STORE_BUSY_CLOSING_MS = 300,    /* the same while the daemon stops */
    STORE_INSTANCE_SIZE = 33,
    STORE_UUID_SIZE = 37,
};

/* --- failures --- */

/* A failure of SQLite: code its name, text the file and SQLite's words. `database` may be NULL. */
struct failure store_failure_from_sqlite(const char *step, int result, sqlite3 *database,
                                         const char *path);

/* One that the store itself sees. */
struct failure store_failure_of(const char *step, const char *code, bool permanent,
                                const char *sentence, const char *remedy);

/* --- connections --- */

struct store_connection {
    sqlite3 *database;
    const char *path;
    const char *step;       /* for failures: "open", "read", "write" */
    struct failure failure; /* the first of the operation that runs */
    uint64_t busy_since_ms;
    uint32_t busy_ms;
    const atomic_bool *closing;
    sqlite3_stmt *statements[STORE_SQL_COUNT]; /* prepared when first used */
};

/* Opens and sets up, and changes nothing in the file; a failure is in connection->failure. */
void store_connection_open(struct store_connection *connection, const char *path, bool read_only);
/* Sets up for writing: the database is ours and of this program's version. */
void store_connection_begin_writing(struct store_connection *connection);
void store_connection_close(struct store_connection *connection);

bool store_failed(const struct store_connection *connection);

/* Remembers SQLite's present error unless an earlier one stands. */
void store_fail(struct store_connection *connection, int result);

/* Runs text that needs no statement kept: set-up and migrations. */
void store_execute(struct store_connection *connection, const char *sql);
int64_t store_execute_number(struct store_connection *connection, const char *sql);

/* The statement, reset and without bindings; NULL after a failure, which all others accept. */
sqlite3_stmt *store_query(struct store_connection *connection, enum store_sql sql);
void store_bind_number(struct store_connection *connection, sqlite3_stmt *query, int place,
                       int64_t number);
/* NULL binds NULL. What is bound must stay until the query has ended. */
void store_bind_text(struct store_connection *connection, sqlite3_stmt *query, int place,
                     const char *text);
void store_bind_digest(struct store_connection *connection, sqlite3_stmt *query, int place,
                       const struct digest *digest);

/* True: there is a row to read. False: no more, or a failure; the query has ended. */
bool store_row(struct store_connection *connection, sqlite3_stmt *query);
void store_end(sqlite3_stmt *query);

/* Runs a statement to its end and returns the first column of its last row; 0: there was none. */
int64_t store_run_number(struct store_connection *connection, sqlite3_stmt *query);

/* Runs a statement to its end and returns how many rows it changed; 0 after a failure. */
int64_t store_run(struct store_connection *connection, sqlite3_stmt *query);
int64_t store_run_sql(struct store_connection *connection, enum store_sql sql);

/* False when the column holds no digest. */
bool store_column_digest(sqlite3_stmt *query, int column, struct digest *digest);

/* The claim on the mailbox still holds, or the operation fails with code "LEASE". Within a write
 * transaction, so it stays true until COMMIT. */
void store_check_lease(struct store_connection *connection, struct store_mailbox mailbox);

/* --- rows that are read --- */

/* Strings that stay where they are until all are released. */
struct store_strings {
    struct store_strings_block *last;
};

/* A copy of what the column holds; NULL for NULL. */
const char *store_strings_column(struct store_strings *strings, sqlite3_stmt *query, int column);
void store_strings_release(struct store_strings *strings);

/* --- operations --- */

struct store_operation;
STAILQ_HEAD(store_operations, store_operation);

struct store_operation {
    STAILQ_ENTRY(store_operation) entries;
    /* On the worker's thread; tells a failure through the connection. May be called again when the
     * transaction could not be committed: it must not use up what it was given. */
    void (*run)(struct store_connection *connection, struct store_operation *operation);
    /* On the loop; NULL calls `done`. The operation is freed afterwards. */
    void (*finish)(struct store_operation *operation);
    store_done *done;
    void *argument;
    struct failure *failure; /* owned; NULL while all went well */
    bool again;              /* set by run: run it once more, in a later transaction */
};

/* `size` bytes of a struct that begins with a store_operation. */
void *store_operation_create(size_t size,
                             void (*run)(struct store_connection *connection,
                                         struct store_operation *operation),
                             store_done *done, void *argument);
void store_operation_fail(struct store_operation *operation, const struct failure *failure);
void store_operation_forgive(struct store_operation *operation);
void store_start_write(struct store *store, struct store_operation *operation);
void store_start_read(struct store *store, struct store_operation *operation);

/* --- completions --- */

struct store_completions {
    struct executor *executor;
    struct executor_call call;
    size_t pending;  /* loop's thread only, as the next two */
    bool delivering; /* its callback is at work */
    bool closed;     /* the store is gone; freed with the last operation */
    pthread_mutex_t mutex;
    struct store_operations finished;
    bool posted;
};

struct store_completions *store_completions_create(struct executor *executor);
/* Any thread. Takes all operations of the list. */
void store_complete(struct store_completions *completions, struct store_operations *operations);
/* Frees it now, or when the last pending operation has ended. */
void store_completions_close(struct store_completions *completions);

/* --- the state directory --- */

enum store_file { STORE_FILE_LOCK, STORE_FILE_DATABASE, STORE_FILE_WAL, STORE_FILE_COUNT };

struct store_files {
    char *paths[STORE_FILE_COUNT];
    dev_t devices[STORE_FILE_COUNT];
    ino_t inodes[STORE_FILE_COUNT];
    int lock;        /* -1: not held */
    int64_t used_ms; /* when the lock was taken the time before; 0: never */
};

void store_files_name(struct store_files *files, const char *directory);
void store_files_release(struct store_files *files);
bool store_files_lock(struct store_files *files, struct failure *failure);
/* False and a failure unset: there is no database. False and a failure: only its log is there, or
 * that of another database. */
bool store_files_exist(const struct store_files *files, struct failure *failure);
/* An empty file of mode 0600 in the place of whatever of that name is left of an earlier try. No
 * connection to it may be open: closing a file drops all locks of the process on it. */
bool store_files_create(const char *path, struct failure *failure);
/* Gives a finished file its name, in place of what has it, so that both survive a loss of power. */
bool store_files_publish(const char *part, const char *path, struct failure *failure);
/* Remembers which files they are, once they are open. */
bool store_files_remember(struct store_files *files, struct failure *failure);
/* False when one of them is not the one that is open: what is written would be lost. */
bool store_files_check(const struct store_files *files, struct failure *failure);

/* --- the store --- */

struct store_worker {
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards the next two */
    pthread_cond_t wake;
    struct store_operations waiting;
    bool closing;
    atomic_uint_fast64_t busy_since_ms; /* monotonic: it got on last; 0: it waits for work */
    struct store_connection connection;
};

void store_worker_create(struct store_worker *worker);
void store_worker_release(struct store_worker *worker);
/* Waits for operations and takes all, being busy from then on until it is called again; false: none
 * are left and the store closes. */
bool store_worker_take(struct store_worker *worker, struct store_operations *operations);
/* It gets on: what it is busy with now begins now. */
void store_worker_get_on(struct store_worker *worker);
/* From here on it gets on while its database works at a query, however long that takes. */
void store_worker_watch(struct store_worker *worker);
void store_worker_put(struct store_worker *worker, struct store_operations *operations);

struct store {
    struct log *log;
    char instance[STORE_INSTANCE_SIZE];
    int64_t copied_ms; /* see store_copied */
    int64_t lost_ms;   /* see store_lost */
    struct store_files files;
    atomic_bool closing;
    struct store_worker writer;
    struct store_worker reader;
    struct store_completions *completions;
    atomic_size_t transactions; /* write transactions that were committed, for tests */
};

void *store_writer_main(void *store);
void *store_reader_main(void *store);

/* --- versions of the schema --- */

struct store_schema {
    const char *const *texts; /* what makes version 1, 2, ... of the one before */
    const bool *rewrites;     /* the same: whether it writes much of a large database anew */
    int64_t version;          /* the highest: how many there are */
    int64_t small_bytes;      /* a database up to this size is copied before every upgrade */
};
extern const struct store_schema store_schema; /* this program's */

/* Fails, and changes nothing, unless the file is exsyncd's database, of a version up to this. */
void store_schema_accept(struct store_connection *connection, const struct store_schema *schema);
/* Fails unless an accepted database is of the schema's version. */
void store_schema_insist(struct store_connection *connection, const struct store_schema *schema);
/* Brings an accepted database to the schema's version, all in one transaction; before that, copies
 * it to exsyncd.db.vN beside it when it is small or much of it will be written anew. `progress` may
 * be NULL. */
void store_schema_upgrade(struct store_connection *connection, const struct store_schema *schema,
                          struct log *log, const struct store_progress *progress);
/* Creates the database, which is not there: whole or not at all. */
bool store_schema_create(const char *path, const struct store_schema *schema, struct log *log,
                         struct failure *failure);

/* Copies that are being made. All three return SQLite's result, extended. `open`: nobody else knows
 * the copy's name, so that it needs no locks, which some file systems do not have; and it gets no
 * journal, which a kill would leave beside it. `mark`: it says of itself that it is a copy, from
 * `copied_ms` on, unless it does already (store_restore.h). `finish`: after all pages were copied
 * it is marked and needs no write-ahead log, though the database had one. */
enum { STORE_COPIES_SINCE = 6 /* the version of the schema from which a copy can be marked */ };
int store_copy_open(const char *path, sqlite3 **copy);
int store_copy_mark(sqlite3 *copy, int64_t copied_ms);
int store_copy_finish(const char *path, int64_t copied_ms);

/* The copy of a database that is of `version`; to be freed. */
char *store_copy_path(const char *path, int64_t version);
/* Looks through the database and copies it to store_copy_path, mode 0600, in place of an earlier
 * copy; marked, when it is of a version that can be. Fails when the disk has no room for the copy
 * and for an upgrade. */
void store_copy_make(struct store_connection *connection, int64_t version,
                     const struct store_progress *progress);

/* --- opening --- */

/* store_open with another patience than STORE_BUSY_MS. */
struct store *store_open_patient(const char *directory, struct executor *executor, struct log *log,
                                 const struct store_progress *progress, uint32_t busy_ms,
                                 struct failure *failure);

/* --- between the files of operations --- */

/* What went wrong with one direction of the mailbox is over, and so are its alerts, as by
 * store_failure_resolve. `resolved` (may be NULL) counts the rows. */
void store_resolve_direction(struct store_connection *connection, int64_t mailbox,
                             const char *direction, int64_t now_ms,
                             struct store_resolved *resolved);

/* Gives each of the registrations, which have their numbers, what has failed of its directions. */
void store_read_troubles(struct store_connection *connection,
                         struct store_registration *registrations, size_t count);

/* What was recorded about a submission is over. */
void store_resolve_submission(struct store_connection *connection, const char *id, int64_t now_ms);

/* Reads the columns that lists of submissions begin with; strings go into `strings`. */
void store_submission_read(sqlite3_stmt *query, struct store_strings *strings,
                           struct store_submission *row);

/* The item's open failures are over. */
void store_failures_resolve_item(struct store_connection *connection, int64_t mailbox,
                                 const struct digest *item, int64_t now_ms);

/* What cycles of the mailbox in this direction, which is off, have met is over; items stay. */
void store_failures_resolve_off(struct store_connection *connection, int64_t mailbox,
                                const char *direction, int64_t now_ms);

/* What an alert is about; of each key one at most is open. No string is NULL. */
struct store_alert_key {
    int64_t mailbox; /* 0: none */
    const char *submission;
    const char *profile;
    const char *direction;
    const char *category;
    const char *code;
    const char *scope;
};

/* Opens, repeats or raises the alert, with `failure` as the row that it belongs to. */
void store_alert_record(struct store_connection *connection, const struct store_alert_key *key,
                        int64_t failure, int64_t now_ms, struct store_alert *alert);

/* Resolves the alerts of messages and items behind which nothing that is open is left, `limit` at
 * most: how many. */
int64_t store_alerts_resolve_gone(struct store_connection *connection, int64_t limit,
                                  int64_t now_ms);

/* Resolves the alerts that `query` (one of STORE_SQL_ALERTS_*) finds, and adds them to `resolved`
 * (may be NULL). */
void store_alerts_resolve(struct store_connection *connection, sqlite3_stmt *query, int64_t now_ms,
                          struct store_resolved *resolved);

/* Counts what happens to alerts: higher with each call. */
int64_t store_alert_turn(struct store_connection *connection);

/* Rows of alerts while they are read; all zero at first. */
struct store_alert_reader {
    struct store_alert_row *rows;
    size_t count;
    size_t capacity;
    struct store_strings strings;
};
/* Reads all that `query` (one of STORE_SQL_ALERT_ROWS_*) finds, in place of what was there. */
void store_alert_reader_fill(struct store_connection *connection, struct store_alert_reader *reader,
                             sqlite3_stmt *query);
void store_alert_reader_release(struct store_alert_reader *reader);

/* A limit as SQLite takes it. */
int64_t store_limit(size_t limit);

enum store_notice_state {
    STORE_NOTICE_STATE_WAITING = 1,
    STORE_NOTICE_STATE_HANDED,
    STORE_NOTICE_STATE_DROPPED,
};

/* What went wrong with profiles that none of the registrations names is over, and nobody is told of
 * it any more. */
void store_forget_gone_profiles(struct store_connection *connection,
                                const struct store_registration *registrations, size_t count,
                                int64_t now_ms);

/* Puts the item into the ledger as failed unless it is known in a better state. */
struct store_failed_item {
    struct store_key key;
    int64_t received_ms;
    uint64_t message; /* 0: not known */
    const char *reference;
    uint32_t attempts;
    int64_t next_retry_ms; /* STORE_SET_ASIDE: it is to be set aside instead */
};
enum { STORE_SET_ASIDE = 0 };
void store_ledger_fail(struct store_connection *connection, int64_t mailbox,
                       const struct store_failed_item *item, int64_t now_ms);

/* NULL for 0. The bits stay as they are. */
void store_bind_mark(struct store_connection *connection, sqlite3_stmt *query, int place,
                     uint64_t mark);

/* The 16 bytes that a UUID's text stands for; false when it is none. */
bool store_uuid_read(const char *text, struct digest *uuid);

/* NULL for INT64_MAX: never. */
void store_bind_retry(struct store_connection *connection, sqlite3_stmt *query, int place,
                      int64_t time_ms);

#endif

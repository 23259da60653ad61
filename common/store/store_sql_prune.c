/* Statements of house-keeping. */
#include "store/store_sql_parts.h"

const char *const store_sql_prune[STORE_SQL_COUNT] = {
    [STORE_SQL_PRUNE_ALERTS] =
        "DELETE FROM alert WHERE id IN (SELECT id FROM alert INDEXED BY alert_resolved"
        " WHERE resolved_at < ?1 ORDER BY resolved_at LIMIT ?2)",
    [STORE_SQL_PRUNE_FAILURES] =
        "DELETE FROM failure WHERE id IN (SELECT id FROM failure INDEXED BY failure_resolved"
        " WHERE resolved_at < ?1 AND NOT EXISTS (SELECT 1 FROM alert INDEXED BY alert_failure"
        " WHERE alert.failure = failure.id) ORDER BY resolved_at LIMIT ?2)",
    [STORE_SQL_PRUNE_NOTIFICATIONS] =
        "DELETE FROM notification WHERE number IN (SELECT number FROM notification"
        " INDEXED BY notification_created WHERE created_at < ?1 AND NOT EXISTS (SELECT 1 FROM alert"
        " INDEXED BY alert_notification WHERE alert.notification = number)"
        " ORDER BY created_at LIMIT ?2)",
    [STORE_SQL_PRUNE_SIGN_INS] = "DELETE FROM sign_in WHERE last_at < ?1",
    [STORE_SQL_PRUNE_SUBMISSIONS] =
        "DELETE FROM submission WHERE number IN (SELECT number FROM submission INDEXED BY"
        " submission_finished WHERE finished_at < ?1 AND NOT stray ORDER BY finished_at LIMIT ?2)",
    /* Those of submissions stay open when nobody resolves them; they go by their age, and their
     * alerts with them. */
    [STORE_SQL_PRUNE_SUBMISSION_FAILURES] =
        "DELETE FROM failure WHERE id IN (SELECT id FROM failure INDEXED BY failure_submission_age"
        " WHERE submission <> '' AND last_seen < ?1 ORDER BY last_seen LIMIT ?2)",
    [STORE_SQL_PRUNE_NEXT_MAILBOX] =
        "SELECT number FROM mailbox INDEXED BY mailbox_removed"
        " WHERE removed_at < ?1 AND NOT EXISTS"
        " (SELECT 1 FROM submission INDEXED BY submission_open"
        " WHERE mailbox = mailbox.number AND " SUBMISSION_OPEN " AND " SUBMISSION_WAITS ")"
        " ORDER BY removed_at LIMIT 1",
    [STORE_SQL_PRUNE_LEDGER] = "DELETE FROM ledger WHERE mailbox = ?1 AND item IN"
                               " (SELECT item FROM ledger WHERE mailbox = ?1 LIMIT ?2)",
    [STORE_SQL_PRUNE_MAILBOX_FAILURES] =
        "DELETE FROM failure WHERE id IN (SELECT id FROM failure WHERE mailbox = ?1 LIMIT ?2)",
    [STORE_SQL_PRUNE_FOLDERS] = "DELETE FROM folder WHERE mailbox = ?1 AND name IN"
                                " (SELECT name FROM folder WHERE mailbox = ?1 LIMIT ?2)",
    [STORE_SQL_PRUNE_MAILBOX_SUBMISSIONS] =
        "DELETE FROM submission WHERE number IN (SELECT number FROM submission"
        " INDEXED BY submission_mailbox WHERE mailbox = ?1 LIMIT ?2)",
    [STORE_SQL_PRUNE_SWITCHES] = "DELETE FROM switched_off WHERE mailbox = ?1",
    [STORE_SQL_PRUNE_MAILBOX] = "DELETE FROM mailbox WHERE number = ?1",
    [STORE_SQL_PRUNE_FREE_PAGES] = "PRAGMA freelist_count",
    [STORE_SQL_PRUNE_PAGES] = "PRAGMA page_count",
    [STORE_SQL_PRUNE_VACUUM] = "PRAGMA incremental_vacuum(250)",
};

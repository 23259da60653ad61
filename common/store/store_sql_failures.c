/* Statements of what went wrong. */
#include "store/store_sql_parts.h"

/* All columns of struct store_failure_row, behind the position. */
#define FAILURE_ROWS(failures)                                                                     \
    "SELECT failure.id, scope, failure.profile, mailbox.address, direction, step, category, code," \
    " submission, sentence, remedy, text, activity, http_status, permanent, count, first_seen,"    \
    " last_seen, next_retry, resolved_at FROM " failures                                           \
    " LEFT JOIN mailbox ON mailbox.number = failure.mailbox"

/* Of messages that were refused before they had a row of their own. */
#define FAILURE_REFUSED                                                   \
    "resolved_at IS NULL AND failure.id < ?2 AND failure.mailbox IS NULL" \
    " AND submission <> '' AND NOT EXISTS"                                \
    " (SELECT 1 FROM submission AS queued WHERE queued.id = failure.submission)"

/* Those, and of messages that have failed and whose file was not lost (when a backup was put
 * back, or under way). */
#define FAILURE_LEFT                                                                     \
    "resolved_at IS NULL AND failure.id < ?2 AND submission <> '' AND"                   \
    " coalesce((SELECT state FROM submission AS queued WHERE queued.id ="                \
    " failure.submission), iif(failure.mailbox IS NULL, " SUBMISSION_FAILED ", 0))"      \
    " = " SUBMISSION_FAILED " AND NOT EXISTS (SELECT 1 FROM failure AS lost INDEXED BY"  \
    " failure_submission WHERE lost.submission = failure.submission AND lost.submission" \
    " <> '' AND lost.resolved_at IS NULL AND lost.code IN ('NoFile', 'ENOENT'))"

/* An open alert that absorbs and was opened with this failure, or with one in another step. */
#define FAILURE_ABSORBS                                                                    \
    "SELECT 1 FROM alert INDEXED BY alert_absorbing WHERE alert.profile = failure.profile" \
    " AND alert.category = failure.category AND absorbs AND alert.resolved_at IS NULL"     \
    " AND alert.code = failure.code AND alert.direction = failure.direction"               \
    " AND alert.scope = failure.scope"

const char *const store_sql_failures[STORE_SQL_COUNT] = {
    [STORE_SQL_FAILURE_AGAIN] =
        "UPDATE failure SET count = count + 1, last_seen = ?9, http_status = ?10, text = ?11,"
        " sentence = ?12, remedy = ?13, activity = ?14, next_retry = ?15, permanent = ?16,"
        " trace = ?18"
        " WHERE mailbox IS ?1 AND resolved_at IS NULL AND item = ?2 AND direction = ?3"
        " AND step = ?4 AND code = ?5 AND category = ?6 AND scope = ?7 AND profile = ?8"
        " AND submission = ?17 RETURNING id",
    [STORE_SQL_FAILURE_INSERT] =
        "INSERT INTO failure (mailbox, item, direction, step, code, category, scope, profile,"
        " first_seen, last_seen, count, http_status, text, sentence, remedy, activity, next_retry,"
        " permanent, submission, trace) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1, ?10, "
        "?11,"
        " ?12, ?13, ?14, ?15, ?16, ?17, ?18) RETURNING id",
    [STORE_SQL_FAILURE_RESOLVE_ITEM] = "UPDATE failure SET resolved_at = ?3"
                                       " WHERE mailbox = ?1 AND resolved_at IS NULL AND item = ?2",
    [STORE_SQL_FAILURE_RESOLVE_MAILBOX] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox = ?1 AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND (?2 IS NULL OR direction = ?2)",
    /* What no cycle has met (without an activity) is resolved by whoever recorded it. */
    [STORE_SQL_FAILURE_RESOLVE_OFF] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox = ?1 AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND direction = ?2 AND activity <> ''",
    [STORE_SQL_FAILURE_RESOLVE_PROFILE] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox IS NULL AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND profile = ?1"
        " AND (?2 IS NULL OR direction = ?2) AND NOT EXISTS (" FAILURE_ABSORBS ")",
    [STORE_SQL_FAILURE_RESOLVE_GROUPED] =
        "UPDATE failure SET resolved_at = ?2 WHERE mailbox IS NULL AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND profile = ?1 AND EXISTS (" FAILURE_ABSORBS ")",
    [STORE_SQL_FAILURE_RESOLVE_GONE_MAILBOX] =
        "UPDATE failure SET resolved_at = ?2 WHERE mailbox = ?1 AND resolved_at IS NULL",
    [STORE_SQL_FAILURE_RESOLVE_GONE_PROFILE] =
        "UPDATE failure INDEXED BY failure_open SET resolved_at = ?2"
        " WHERE profile = ?1 AND resolved_at IS NULL",
    [STORE_SQL_FAILURE_RESOLVE_SUBMISSION] =
        "UPDATE failure SET resolved_at = ?2 WHERE submission = ?1 AND submission <> ''"
        " AND resolved_at IS NULL",

    /* For people; as with alerts below. */
    [STORE_SQL_FAILURE_ROWS_OPEN] =
        FAILURE_ROWS("(SELECT id AS newest FROM failure INDEXED BY failure_open WHERE resolved_at"
                     " IS NULL AND id < ?2 ORDER BY id DESC LIMIT ?1)"
                     " JOIN failure ON failure.id = newest") " ORDER BY failure.id DESC",
    [STORE_SQL_FAILURE_ROWS_ALL] =
        FAILURE_ROWS("failure") " WHERE failure.id < ?2 ORDER BY failure.id DESC LIMIT ?1",
    [STORE_SQL_FAILURE_ROWS_REFUSED] =
        FAILURE_ROWS("failure INDEXED BY failure_submission") " WHERE " FAILURE_REFUSED
                                                              " ORDER BY failure.id DESC LIMIT ?1",
    [STORE_SQL_FAILURE_ROWS_REFUSED_ONE] = FAILURE_ROWS(
        "failure INDEXED BY failure_submission_age") " WHERE failure.mailbox IS NULL AND "
                                                     "submission <> '' AND submission = ?3"
                                                     " AND failure.id < ?2 AND NOT EXISTS (SELECT "
                                                     "1 FROM submission AS queued"
                                                     " WHERE queued.id = failure.submission) ORDER "
                                                     "BY failure.id DESC LIMIT ?1",
    [STORE_SQL_FAILURE_ROWS_LEFT] =
        FAILURE_ROWS("failure INDEXED BY failure_submission") " WHERE " FAILURE_LEFT
                                                              " ORDER BY failure.id DESC LIMIT ?1",
    [STORE_SQL_FAILURE_COUNT_REFUSED] =
        "SELECT count(*) FROM failure INDEXED BY failure_submission WHERE " FAILURE_REFUSED,
    [STORE_SQL_FAILURE_COUNT_OPEN] =
        "SELECT count(*) FROM failure INDEXED BY failure_open WHERE resolved_at IS NULL",
    /* What cycles have met of their mailboxes and directions, which is over once one works. */
    [STORE_SQL_FAILURE_TROUBLES] =
        "SELECT mailbox, direction = 'incoming', sum(count), min(first_seen) FROM failure INDEXED"
        " BY failure_open WHERE resolved_at IS NULL AND mailbox IS NOT NULL AND item = x''"
        " AND submission = '' AND activity <> '' AND direction IN ('incoming', 'outgoing')"
        " GROUP BY mailbox, direction ORDER BY mailbox",
    [STORE_SQL_FAILURE_COUNT_ALL] = "SELECT count(*) FROM failure",
};

/* Statements of what people are told of failures. */
#include "store/store_sql_parts.h"

/* What a list of open alerts that are to be resolved tells of each: its id, whether the owner knows
 * or was to know of it, whether it absorbs. */
#define ALERT_RESOLVED "SELECT id, " ALERT_KNOWN " OR untold_turn IS NOT NULL, absorbs FROM alert"
#define ALERT_STAYS \
    "(notification IS NOT NULL OR (untold_turn IS NOT NULL AND ?4 = " TOLD_BEING "))"
#define ERROR_LEVEL "3"
_Static_assert(STORE_ALERT_ERROR == 3, "the database holds this number");

/* All columns of struct store_alert_row, for whatever `alerts` (a table with its index) and
 * condition. */
#define ALERT_ROWS(alerts)                                                                    \
    "SELECT alert.id, level, told, told_reason, alert.scope, alert.profile, mailbox.address," \
    " alert.direction, alert.category, alert.code, step, subject, opening, sentence, remedy," \
    " text, activity, trace, http_status, opened_at, alert.last_seen, alert.resolved_at,"     \
    " alert.count, absorbs, alert.submission FROM " alerts                                    \
    " JOIN failure ON failure.id = alert.failure"                                             \
    " LEFT JOIN mailbox ON mailbox.number = alert.mailbox"

const char *const store_sql_alerts[STORE_SQL_COUNT] = {
    /* --- alerts --- */

    [STORE_SQL_ALERT_TURN] = "UPDATE instance SET turn = turn + 1 WHERE one = 1 RETURNING turn",
    [STORE_SQL_ALERT_COVER] = "SELECT id, level, untold_turn IS NULL AND notification IS NULL"
                              " FROM alert INDEXED BY alert_absorbing WHERE profile = ?1"
                              " AND category = ?2 AND absorbs AND " ALERT_OPEN " LIMIT 1",
    [STORE_SQL_ALERT_FIND] =
        "SELECT id, level, untold_turn IS NULL AND notification IS NULL FROM alert"
        " INDEXED BY alert_same WHERE mailbox = ?1 AND submission = ?2 AND profile = ?3"
        " AND direction = ?4 AND category = ?5 AND code = ?6 AND scope = ?7 AND " ALERT_OPEN,
    [STORE_SQL_ALERT_OPEN] =
        "INSERT INTO alert (mailbox, submission, profile, direction, category, code, scope,"
        " failure, level, absorbs, subject, opening, told, told_reason, untold_turn, opened_at,"
        " last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
        " ?16, ?16) RETURNING id",
    /* One that waits behind a notification that could not be delivered stays untold for that
     * reason. */
    [STORE_SQL_ALERT_REPEAT] = "UPDATE alert SET count = count + 1, last_seen = ?2, absorbs = ?3,"
                               " told = iif(" ALERT_STAYS ", told, ?4),"
                               " told_reason = iif(" ALERT_STAYS ", told_reason, ?5),"
                               " untold_turn = iif(notification IS NULL AND ?4 = " TOLD_BEING ","
                               " coalesce(untold_turn, ?6), NULL) WHERE id = ?1",
    [STORE_SQL_ALERT_RAISE] =
        "UPDATE alert SET count = count + 1, last_seen = ?2, absorbs = ?3, told = ?4,"
        " told_reason = ?5, untold_turn = ?6, notification = NULL, failure = ?7, level = ?8,"
        " subject = ?9, opening = ?10 WHERE id = ?1",
    /* ?3: the alert into which it is grouped. */
    [STORE_SQL_ALERT_RESOLVE] =
        "UPDATE alert SET resolved_at = ?2, grouped_into = ?3,"
        " over_turn = iif(known AND ?3 IS NULL, ?4, NULL),"
        " told = iif(untold_turn IS NULL, told, iif(known, " TOLD_DONE ", " TOLD_NOBODY ")),"
        " untold_turn = NULL WHERE id = ?1",
    /* Of one that was resolved before the owner came to know of it: what was grouped into it is
     * over by itself, if the owner knows of that. */
    [STORE_SQL_ALERT_UNGROUP] =
        "UPDATE alert INDEXED BY alert_grouped SET grouped_into = NULL,"
        " over_turn = iif(known, ?2, NULL) WHERE grouped_into = ?1 AND " ALERT_KNOWN
        " AND NOT (SELECT " ALERT_KNOWN " FROM alert WHERE id = ?1)",

    /* --- open alerts that are to be resolved --- */

    [STORE_SQL_ALERTS_REPLACED] = ALERT_RESOLVED
    " INDEXED BY alert_same WHERE mailbox = ?1 AND submission = '' AND direction = ?2"
    " AND scope = 'mailbox' AND level = " ERROR_LEVEL " AND " ALERT_OPEN " AND id <> ?3",
    [STORE_SQL_ALERTS_ABSORBED] = ALERT_RESOLVED
    " INDEXED BY alert_open WHERE profile = ?1 AND category = ?2 AND scope = 'mailbox'"
    " AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_ABSORBING] =
        ALERT_RESOLVED " INDEXED BY alert_absorbing WHERE profile = ?1 AND absorbs AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_OF_MAILBOX] = ALERT_RESOLVED
    " INDEXED BY alert_same WHERE mailbox = ?1 AND submission = '' AND scope <> 'item'"
    " AND (?2 IS NULL OR direction = ?2) AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_OF_PROFILE] = ALERT_RESOLVED
    " INDEXED BY alert_same WHERE mailbox = 0 AND submission = '' AND profile = ?1"
    " AND scope <> 'item' AND NOT absorbs AND (?2 IS NULL OR direction = ?2) AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_OF_GONE_MAILBOX] =
        ALERT_RESOLVED " INDEXED BY alert_same WHERE mailbox = ?1 AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_OF_GONE_PROFILE] =
        ALERT_RESOLVED " INDEXED BY alert_open WHERE profile = ?1 AND " ALERT_OPEN,
    [STORE_SQL_ALERTS_OF_GONE_ITEMS] = ALERT_RESOLVED
    " INDEXED BY alert_item WHERE id > 0 AND scope = 'item' AND " ALERT_OPEN
    " AND NOT EXISTS (SELECT 1 FROM failure INDEXED BY failure_open"
    " WHERE failure.profile = alert.profile AND failure.mailbox IS nullif(alert.mailbox, 0)"
    " AND failure.direction = alert.direction AND failure.category = alert.category"
    " AND failure.code = alert.code AND failure.submission = alert.submission"
    " AND failure.resolved_at IS NULL) LIMIT ?1",

    /* --- alerts that are read: their columns are read by one function --- */

    [STORE_SQL_ALERT_ROWS_UNTOLD] =
        ALERT_ROWS("alert INDEXED BY alert_untold") " WHERE alert.profile = ?1 AND untold_turn IS "
                                                    "NOT NULL ORDER BY untold_turn LIMIT ?2",
    [STORE_SQL_ALERT_ROWS_OVER] =
        ALERT_ROWS("alert INDEXED BY alert_over") " WHERE alert.profile = ?1 AND over_turn IS NOT "
                                                  "NULL ORDER BY over_turn, alert.id"
                                                  " LIMIT ?2",
    [STORE_SQL_ALERT_ROWS_NOTIFIED] =
        ALERT_ROWS("alert INDEXED BY alert_notification") " WHERE notification = ?1 ORDER BY "
                                                          "alert.id LIMIT ?2",
    /* The newest of the open ones are found in the index alone, before the rows are read. */
    [STORE_SQL_ALERT_ROWS_OPEN] = ALERT_ROWS(
        "(SELECT id AS newest FROM alert INDEXED BY alert_open WHERE " ALERT_OPEN
        " AND id < ?2 ORDER BY id DESC LIMIT ?1) JOIN alert ON alert.id = newest") " ORDER BY "
                                                                                   "alert.id DESC",
    [STORE_SQL_ALERT_ROWS_ALL] =
        ALERT_ROWS("alert") " WHERE alert.id < ?2 ORDER BY alert.id DESC LIMIT ?1",
    [STORE_SQL_ALERT_ROWS_ONE] = ALERT_ROWS("alert") " WHERE alert.id = ?1",
    [STORE_SQL_ALERT_COUNT_UNTOLD] =
        "SELECT count(*), max(untold_turn) FROM alert INDEXED BY alert_untold"
        " WHERE profile = ?1 AND untold_turn IS NOT NULL",
    [STORE_SQL_ALERT_COUNT_OVER] =
        "SELECT count(*), max(over_turn) FROM alert INDEXED BY alert_over"
        " WHERE profile = ?1 AND over_turn IS NOT NULL",
    [STORE_SQL_ALERT_COUNT_KNOWN] = "SELECT count(*) FROM alert INDEXED BY alert_known"
                                    " WHERE profile = ?1 AND " ALERT_OPEN " AND " ALERT_KNOWN,
    [STORE_SQL_ALERT_COUNT_OPEN] =
        "SELECT count(*) FROM alert INDEXED BY alert_open WHERE " ALERT_OPEN,
    [STORE_SQL_ALERT_COUNT_ALL] = "SELECT count(*) FROM alert",
    [STORE_SQL_ALERT_COUNT_PROFILES] =
        "SELECT profile, level, count(*), sum(scope = 'item') FROM alert INDEXED BY alert_open"
        " WHERE " ALERT_OPEN " GROUP BY profile, level",
};

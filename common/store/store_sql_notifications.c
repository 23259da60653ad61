/* Statements of notifications and their notices, and of what gone profiles leave of them. */
#include "store/store_private.h"
#include "store/store_sql_parts.h"

#define NOTICE_WAITING "1"
#define NOTICE_HANDED  "2"
#define NOTICE_DROPPED "3"
_Static_assert(STORE_NOTICE_STATE_WAITING == 1, "the database holds this number");
_Static_assert(STORE_NOTICE_STATE_HANDED == 2, "the database holds this number");
_Static_assert(STORE_NOTICE_STATE_DROPPED == 3, "the database holds this number");

const char *const store_sql_notifications[STORE_SQL_COUNT] = {
    /* --- notifications --- */

    [STORE_SQL_NOTIFICATION_PENDING] = "SELECT 1 FROM notification INDEXED BY notification_pending"
                                       " WHERE profile = ?1 AND pending LIMIT 1",
    /* Those from the future were made while the clock was ahead. */
    [STORE_SQL_NOTIFICATION_RECENT] =
        "SELECT count(*), min(created_at) FROM notification INDEXED BY notification_owner"
        " WHERE owner = ?1 AND created_at BETWEEN ?2 AND ?3",
    [STORE_SQL_NOTIFICATION_HAS_UNTOLD] =
        "SELECT 1 FROM alert INDEXED BY alert_untold WHERE profile = ?1 AND untold_turn <= ?2"
        " LIMIT 1",
    [STORE_SQL_NOTIFICATION_HAS_OVER] =
        "SELECT 1 FROM alert INDEXED BY alert_over WHERE profile = ?1 AND over_turn <= ?2"
        " AND NOT EXISTS (SELECT 1 FROM alert INDEXED BY alert_known WHERE profile = ?1"
        " AND " ALERT_OPEN " AND " ALERT_KNOWN ")"
        " AND NOT EXISTS (SELECT 1 FROM alert INDEXED BY alert_untold WHERE profile = ?1"
        " AND untold_turn IS NOT NULL) LIMIT 1",
    [STORE_SQL_NOTIFICATION_ADD] =
        "INSERT INTO notification (id, profile, owner, kind, created_at, pending, message, json)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7) RETURNING number",
    [STORE_SQL_NOTIFICATION_TAKE_UNTOLD] =
        "UPDATE alert INDEXED BY alert_untold SET notification = ?3, untold_turn = NULL,"
        " told = " TOLD_BEING ", told_reason = ''"
        " WHERE profile = ?1 AND untold_turn <= ?2",
    [STORE_SQL_NOTIFICATION_TAKE_OVER] = "UPDATE alert INDEXED BY alert_over SET over_turn = NULL"
                                         " WHERE profile = ?1 AND over_turn <= ?2",
    /* Handed over at ?2, or given up. */
    [STORE_SQL_NOTIFICATION_SETTLE] =
        "UPDATE notification SET pending = 0, handed_at = ?2 WHERE number = ?1 AND pending",
    [STORE_SQL_NOTIFICATION_EMPTY] =
        "UPDATE notification SET message = '', json = '' WHERE number = ?1",

    /* --- notices --- */

    [STORE_SQL_NOTICE_ADD] = "INSERT INTO notice (notification, channel, profile, state)"
                             " VALUES (?1, ?2, ?3, " NOTICE_WAITING ")",
    [STORE_SQL_NOTICE_WAITING] =
        "SELECT id, kind, attempts, created_at, next_try, owner, message, json,"
        " handed_at IS NOT NULL, (SELECT sum(1 << every.channel) FROM notice AS every"
        " WHERE every.notification = notice.notification) FROM notice"
        " INDEXED BY notice_waiting JOIN notification ON number = notification"
        " WHERE notice.profile = ?1 AND channel = ?2 AND state = " NOTICE_WAITING
        " ORDER BY notification LIMIT 1",
    [STORE_SQL_NOTICE_FIND] =
        "SELECT number, pending FROM notification JOIN notice ON notice.notification = number"
        " WHERE id = ?1 AND channel = ?2 AND state = " NOTICE_WAITING,
    [STORE_SQL_NOTICE_SETTLE] =
        "UPDATE notice SET state = ?3, attempts = attempts + (?3 <> " NOTICE_HANDED "),"
        " next_try = ?4, reason = coalesce(?5, reason) WHERE notification = ?1 AND channel = ?2",
    /* How many wait, and how many of them have not been tried. */
    [STORE_SQL_NOTICE_STATES] =
        "SELECT count(*), coalesce(sum(attempts = 0), 0) FROM notice WHERE notification = ?1"
        " AND state = " NOTICE_WAITING,
    [STORE_SQL_NOTICE_TOLD] =
        "UPDATE alert SET told = " TOLD_DONE ", told_reason = '', known = 1,"
        " over_turn = iif(resolved_at IS NULL OR grouped_into IS NOT NULL, NULL, ?2)"
        " WHERE notification = ?1 AND told <> " TOLD_DONE,
    [STORE_SQL_NOTICE_NOT_TOLD] = "UPDATE alert SET told = " TOLD_NOT ", told_reason = ?2"
                                  " WHERE notification = ?1 AND told <> " TOLD_NOT,
    /* Those that wait until it is delivered. */
    [STORE_SQL_NOTICE_HOLDS_BACK] =
        "UPDATE alert INDEXED BY alert_untold SET told = ?3, told_reason = ?2"
        " WHERE profile = (SELECT profile FROM notification WHERE number = ?1)"
        " AND untold_turn IS NOT NULL AND (told <> ?3 OR told_reason <> ?2)",
    [STORE_SQL_NOTICE_REASON] = "UPDATE alert SET told_reason = ?2"
                                " WHERE notification = ?1 AND told_reason <> ?2",
    [STORE_SQL_NOTICE_UNGROUP] =
        "UPDATE alert INDEXED BY alert_grouped SET grouped_into = NULL,"
        " over_turn = iif(known, ?2, NULL) WHERE grouped_into IN (SELECT id FROM alert"
        " INDEXED BY alert_notification WHERE notification = ?1 AND absorbs AND NOT known"
        " AND resolved_at IS NOT NULL) AND " ALERT_KNOWN,
    [STORE_SQL_NOTICE_DETACH] = "UPDATE alert SET notification = NULL WHERE notification = ?1",

    /* --- profiles that left the configuration --- */

    [STORE_SQL_GONE_FAILURE] = "SELECT profile FROM failure INDEXED BY failure_open WHERE"
                               " profile > ?1 AND resolved_at IS NULL ORDER BY profile LIMIT 1",
    [STORE_SQL_GONE_ALERT] = "SELECT profile FROM alert INDEXED BY alert_open WHERE profile > ?1"
                             " AND " ALERT_OPEN " ORDER BY profile LIMIT 1",
    [STORE_SQL_GONE_OVER] = "SELECT profile FROM alert INDEXED BY alert_over WHERE profile > ?1"
                            " AND over_turn IS NOT NULL ORDER BY profile LIMIT 1",
    [STORE_SQL_GONE_NOTICE] = "SELECT profile FROM notice INDEXED BY notice_waiting WHERE profile"
                              " > ?1 AND state = " NOTICE_WAITING " ORDER BY profile LIMIT 1",
    [STORE_SQL_GONE_FORGET_OVER] = "UPDATE alert INDEXED BY alert_over SET over_turn = NULL"
                                   " WHERE profile = ?1 AND over_turn IS NOT NULL",
    [STORE_SQL_GONE_DETACH] =
        "UPDATE alert SET notification = NULL,"
        " told = iif(told = " TOLD_BEING ", " TOLD_NOBODY ", told) WHERE notification IN"
        " (SELECT number FROM notification INDEXED BY notification_pending WHERE profile = ?1"
        " AND pending)",
    [STORE_SQL_GONE_DROP_NOTICES] =
        "UPDATE notice INDEXED BY notice_waiting SET state = " NOTICE_DROPPED
        " WHERE profile = ?1 AND state = " NOTICE_WAITING,
    [STORE_SQL_GONE_SETTLE] = "UPDATE notification INDEXED BY notification_pending"
                              " SET pending = 0 WHERE profile = ?1 AND pending",
};

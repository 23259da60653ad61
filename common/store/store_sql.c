#include "store/store_sql.h"

#include "store/store_alerts.h"
#include "store/store_private.h"
#include "store/store_restore.h"

/* The states as they stand in the database; INDEXED BY needs them as literals. */
#define DELIVERING "1"
#define DELIVERED  "2"
#define FAILED     "3"
#define IN_DOUBT   "4"
/* A failed row is tried again at next_retry; it is to be set aside with this one, was with none. */
#define SET_ASIDE "0"
_Static_assert(STORE_SET_ASIDE == 0, "the database holds this number");
_Static_assert(STORE_ITEM_DELIVERING == 1, "the database holds this number");
_Static_assert(STORE_ITEM_DELIVERED == 2, "the database holds this number");
_Static_assert(STORE_ITEM_FAILED == 3, "the database holds this number");
_Static_assert(STORE_ITEM_IN_DOUBT == 4, "the database holds this number");

/* Of submissions: neither sent nor failed, or with a stray draft. */
#define SUBMISSION_OPEN  "(state NOT IN (4, 5) OR stray)" /* as in its indices, to the letter */
#define SUBMISSION_WAITS "state NOT IN (4, 5)"
#define SUBMISSION_COLUMNS                                                                   \
    "id, state, number, queued_at, size, submitter, null_sender, stray, attempts, next_try," \
    " doubt_since, message_id, subject, recipients, reference, held_for"
_Static_assert(STORE_SUBMISSION_SENT == 4, "the database holds this number");
_Static_assert(STORE_SUBMISSION_FAILED == 5, "the database holds this number");
_Static_assert(STORE_SUBMISSION_SENDING == 7, "the database holds this number");

#define SUBMISSION_QUEUED   "1"
#define SUBMISSION_CREATING "2"
#define SUBMISSION_FAILED   "5"
#define SUBMISSION_DOUBTFUL "6"
_Static_assert(STORE_SUBMISSION_QUEUED == 1, "the database holds this number");
_Static_assert(STORE_SUBMISSION_CREATING == 2, "the database holds this number");
_Static_assert(STORE_SUBMISSION_DOUBTFUL == 6, "the database holds this number");

/* All columns of struct store_queued, and the newest of what is open of failures of it. */
#define QUEUE_FAILURE(column)                                                \
    "(SELECT " column " FROM failure INDEXED BY failure_submission"          \
    " WHERE failure.submission = submission.id AND failure.submission <> ''" \
    " AND failure.resolved_at IS NULL ORDER BY failure.last_seen DESC, failure.id DESC LIMIT 1)"
#define QUEUE_ROWS                                                                             \
    "SELECT submission.id, state, submission.number, queued_at, size, submitter, null_sender," \
    " stray, attempts, next_try, doubt_since, message_id, subject, recipients, reference,"     \
    " held_for, held_at, removal, finished_at, mailbox.number, lease, address, profile,"       \
    " mailbox.removed_at IS NOT NULL, " QUEUE_FAILURE("code") ", " QUEUE_FAILURE(              \
        "sentence") ", " QUEUE_FAILURE("text") ", " QUEUE_FAILURE("remedy") " FROM submission"
#define QUEUE_BEHIND \
    "(submission.mailbox, submission.number) > (?1, ?2) AND submission.mailbox <= ?3"
#define QUEUE_ORDER "ORDER BY submission.mailbox, submission.number LIMIT ?4"

#define COPIED_UNKNOWN "1"
_Static_assert(STORE_COPIED_UNKNOWN == 1, "the database holds this number");

/* Of alerts: open; what a list of open alerts that are to be resolved tells of each: its id,
 * whether the owner knows or was to know of it, whether it absorbs. */
#define ALERT_OPEN     "resolved_at IS NULL"
#define ALERT_KNOWN    "(known OR notification IS NOT NULL)" /* as in its index, to the letter */
#define ALERT_RESOLVED "SELECT id, " ALERT_KNOWN " OR untold_turn IS NOT NULL, absorbs FROM alert"
#define ERROR_LEVEL    "3"
#define TOLD_NOBODY    "0"
#define TOLD_BEING     "1"
#define TOLD_DONE      "2"
#define TOLD_NOT       "3"
_Static_assert(STORE_ALERT_ERROR == 3, "the database holds this number");
_Static_assert(STORE_TOLD_NOBODY == 0, "the database holds this number");
_Static_assert(STORE_TOLD_BEING == 1, "the database holds this number");
_Static_assert(STORE_TOLD_DONE == 2, "the database holds this number");
_Static_assert(STORE_TOLD_NOT == 3, "the database holds this number");

/* All columns of struct store_alert_row, for whatever `alerts` (a table with its index) and
 * condition. */
#define ALERT_ROWS(alerts)                                                                    \
    "SELECT alert.id, level, told, told_reason, alert.scope, alert.profile, mailbox.address," \
    " alert.direction, alert.category, alert.code, step, subject, opening, sentence, remedy," \
    " text, activity, trace, http_status, opened_at, alert.last_seen, alert.resolved_at,"     \
    " alert.count, absorbs FROM " alerts " JOIN failure ON failure.id = alert.failure"        \
    " LEFT JOIN mailbox ON mailbox.number = alert.mailbox"

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

/* An open alert that absorbs and was opened with this failure, or with one in another step. */
#define FAILURE_ABSORBS                                                                    \
    "SELECT 1 FROM alert INDEXED BY alert_absorbing WHERE alert.profile = failure.profile" \
    " AND alert.category = failure.category AND absorbs AND alert.resolved_at IS NULL"     \
    " AND alert.code = failure.code AND alert.direction = failure.direction"               \
    " AND alert.scope = failure.scope"

#define NOTICE_WAITING "1"
#define NOTICE_HANDED  "2"
#define NOTICE_DROPPED "3"
_Static_assert(STORE_NOTICE_STATE_WAITING == 1, "the database holds this number");
_Static_assert(STORE_NOTICE_STATE_HANDED == 2, "the database holds this number");
_Static_assert(STORE_NOTICE_STATE_DROPPED == 3, "the database holds this number");

#define TRACED_FAILURE "step, code, sentence, text, remedy, activity, count, first_seen, last_seen"
#define TRACED_SUBMISSION                                                                        \
    "id, state, submission.number, queued_at, size, submitter, attempts, next_try,"              \
    " doubt_since, message_id, subject, recipients, finished_at, address, profile, held_at FROM" \
    " submission CROSS JOIN mailbox ON mailbox.number = submission.mailbox"

/* INDEXED BY where a mailbox's million delivered rows would be read if another index were taken;
 * there are no statistics (ANALYZE) that could lead the planner elsewhere. */
static const char *const texts[STORE_SQL_COUNT] = {
    [STORE_SQL_BEGIN_READ] = "BEGIN",
    /* IMMEDIATE: what an operation reads stays true until its COMMIT. */
    [STORE_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STORE_SQL_COMMIT] = "COMMIT",
    [STORE_SQL_ROLLBACK] = "ROLLBACK",
    [STORE_SQL_SAVEPOINT] = "SAVEPOINT operation",
    [STORE_SQL_ROLLBACK_TO] = "ROLLBACK TO operation",
    [STORE_SQL_RELEASE] = "RELEASE operation",

    [STORE_SQL_INSTANCE] = "SELECT id, copied_at FROM instance WHERE one = 1",

    /* --- mailboxes --- */

    [STORE_SQL_MAILBOX_LEASE] = "SELECT lease FROM mailbox WHERE number = ?1",
    [STORE_SQL_MAILBOX_BY_ADDRESS] =
        "SELECT number, lease, enabled_at, profile, removed_at, renamed_from, check_from,"
        " check_above FROM mailbox WHERE address = ?1",
    [STORE_SQL_MAILBOX_DELIVERS] = "SELECT 1 FROM ledger INDEXED BY ledger_delivering"
                                   " WHERE mailbox = ?1 AND state = " DELIVERING " LIMIT 1",
    [STORE_SQL_MAILBOX_INSERT] =
        "INSERT INTO mailbox (address, profile, renamed_from, lease, enabled_at)"
        " VALUES (?1, ?2, ?3, 1, ?4)",
    [STORE_SQL_MAILBOX_KEEP] = "UPDATE mailbox SET profile = ?2, removed_at = NULL,"
                               " renamed_from = coalesce(?3, renamed_from) WHERE number = ?1",
    /* No address looks like '#12', so a number without an address collides with none. */
    [STORE_SQL_MAILBOX_VACATE] = "UPDATE mailbox SET address = '#' || number WHERE number = ?1",
    [STORE_SQL_MAILBOX_RENAME] =
        "UPDATE mailbox SET address = ?2, renamed_from = ?3 WHERE number = ?1",
    [STORE_SQL_MAILBOX_ALL_PRESENT] = "SELECT number FROM mailbox WHERE removed_at IS NULL",
    [STORE_SQL_MAILBOX_LAST] = "SELECT seq FROM sqlite_sequence WHERE name = 'mailbox'",
    [STORE_SQL_MAILBOX_REMOVE] = "UPDATE mailbox SET removed_at = ?2 WHERE number = ?1",
    [STORE_SQL_MAILBOX_RETIRE] = "UPDATE mailbox SET address = '#' || number, lease = lease + 1,"
                                 " removed_at = coalesce(removed_at, ?2)"
                                 " WHERE number = ?1 AND address <> '#' || number",
    [STORE_SQL_MAILBOX_IS_GONE] =
        "SELECT 1 FROM mailbox WHERE number = ?1 AND removed_at IS NOT NULL",
    [STORE_SQL_MAILBOX_SINK] =
        "UPDATE mailbox SET sink_path = ?2 WHERE number = ?1 AND sink_path IS NOT ?2",
    [STORE_SQL_MAILBOX_SINK_PATH] = "SELECT sink_path FROM mailbox WHERE number = ?1",

    /* Mailbox ?1 goes into mailbox ?2 at the time ?3: what either delivered stays known. */
    [STORE_SQL_MERGE_RESOLVE] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox = ?2 AND resolved_at IS NULL"
        " AND EXISTS (SELECT 1 FROM ledger WHERE mailbox = ?1 AND item = failure.item"
        " AND state <> " FAILED ")",
    [STORE_SQL_MERGE_FAILED] =
        "DELETE FROM ledger AS old INDEXED BY ledger_failed WHERE mailbox = ?2 AND state = " FAILED
        " AND EXISTS (SELECT 1 FROM ledger WHERE mailbox = ?1 AND item = old.item"
        " AND state <> " FAILED ")",
    [STORE_SQL_MERGE_LEDGER] = "UPDATE OR IGNORE ledger SET mailbox = ?2 WHERE mailbox = ?1",
    /* Those of ?1 are resolved. */
    [STORE_SQL_MERGE_ALERTS] = "UPDATE alert SET mailbox = ?2 WHERE failure IN"
                               " (SELECT id FROM failure WHERE mailbox = ?1)",
    [STORE_SQL_MERGE_FAILURES] = "UPDATE failure SET mailbox = ?2 WHERE mailbox = ?1",
    [STORE_SQL_MERGE_SUBMISSIONS] = "UPDATE submission SET mailbox = ?2 WHERE mailbox = ?1",
    [STORE_SQL_MERGE_SWITCHES] =
        "UPDATE OR IGNORE switched_off SET mailbox = ?2 WHERE mailbox = ?1",

    /* --- folders --- */

    [STORE_SQL_FOLDER_LOAD] =
        "SELECT watermark, process_from, total, pass_started, pass_offset, pass_done FROM folder"
        " WHERE mailbox = ?1 AND name = ?2",
    [STORE_SQL_FOLDER_INSERT] = "INSERT INTO folder (mailbox, name, watermark, process_from, total,"
                                " pass_started, pass_offset, pass_done)"
                                " VALUES (?1, ?2, ?3, ?3, -1, 0, 0, 0)",
    [STORE_SQL_FOLDER_SAVE] =
        "INSERT INTO folder (mailbox, name, watermark, process_from, total,"
        " pass_started, pass_offset, pass_done) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT (mailbox, name) DO UPDATE SET watermark = ?3, process_from = ?4,"
        " total = ?5, pass_started = ?6, pass_offset = ?7, pass_done = ?8"
        " WHERE (watermark, process_from, total, pass_started, pass_offset, pass_done)"
        " IS NOT (?3, ?4, ?5, ?6, ?7, ?8)",

    /* --- the ledger --- */

    [STORE_SQL_LEDGER_BY_ITEM] =
        "SELECT state, last_seen, reference FROM ledger WHERE mailbox = ?1 AND item = ?2",
    [STORE_SQL_LEDGER_BY_FINGERPRINT] = "SELECT item, state FROM ledger INDEXED BY"
                                        " ledger_fingerprint WHERE mailbox = ?1"
                                        " AND fingerprint = ?2",
    /* Conflicts with a failed row only; its number of attempts stays. */
    [STORE_SQL_LEDGER_DELIVER] =
        "INSERT INTO ledger (mailbox, item, fingerprint, state, received_at, last_seen, name,"
        " reference, message, file, activity, taken_at)"
        " VALUES (?1, ?2, ?3, " DELIVERING ", ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?5)"
        " ON CONFLICT (mailbox, item) DO UPDATE SET state = " DELIVERING ","
        " fingerprint = coalesce(?3, fingerprint), received_at = ?4, last_seen = ?5, name = ?6,"
        " reference = ?7, next_retry = NULL, message = coalesce(?8, message), file = ?9,"
        " activity = ?10, taken_at = ?5",
    [STORE_SQL_LEDGER_SETTLE] =
        "UPDATE ledger SET state = " DELIVERED ", name = NULL, reference = NULL, next_retry = NULL"
        " WHERE mailbox = ?1 AND item = ?2 AND state = " FAILED,
    [STORE_SQL_LEDGER_DELIVERED] =
        "UPDATE ledger SET state = " DELIVERED ", name = NULL"
        " WHERE mailbox = ?1 AND item = ?2 AND state IN (" DELIVERING ", " IN_DOUBT ")",
    [STORE_SQL_LEDGER_ACKNOWLEDGED] =
        "UPDATE ledger SET reference = NULL WHERE mailbox = ?1 AND item = ?2"
        " AND state <> " FAILED " AND reference IS NOT NULL",
    [STORE_SQL_LEDGER_GONE] =
        "DELETE FROM ledger WHERE mailbox = ?1 AND item = ?2 AND state = " FAILED,
    /* A row from the future was written while the clock was ahead, and so was its next try. */
    [STORE_SQL_LEDGER_TOUCH] = "UPDATE ledger SET last_seen = ?3,"
                               " next_retry = iif(last_seen > ?3, min(next_retry, ?3), next_retry)"
                               " WHERE mailbox = ?1 AND item = ?2",
    [STORE_SQL_LEDGER_REFERENCE] = "UPDATE ledger SET reference = ?3,"
                                   " next_retry = coalesce(next_retry, ?4)"
                                   " WHERE mailbox = ?1 AND item = ?2 AND state = " FAILED,
    /* The other row goes on publishing what is delivering; for its alias it counts as delivered. */
    [STORE_SQL_LEDGER_ALIAS] =
        "INSERT INTO ledger (mailbox, item, fingerprint, state, received_at, last_seen, attempts,"
        " next_retry, reference, message)"
        " SELECT mailbox, ?3, fingerprint, iif(state = " DELIVERING ", " DELIVERED ", state),"
        " received_at, ?4, attempts, iif(state = " FAILED ", coalesce(next_retry, ?4), NULL),"
        " iif(state = " FAILED ", ?5, NULL), iif(state = " FAILED
        ", message, NULL) FROM ledger WHERE mailbox = ?1 AND item = ?2",
    /* A row that a file of the Maildir has brought gets the item's own digest. */
    [STORE_SQL_LEDGER_CLAIM] =
        "UPDATE ledger SET item = ?3, last_seen = ?4, reference = ?5"
        " WHERE mailbox = ?1 AND item = ?2 AND fingerprint = item AND state = " DELIVERED,
    /* What was set aside and has come back is there under its new ItemId alone. */
    [STORE_SQL_LEDGER_RETURNED] = "DELETE FROM ledger WHERE mailbox = ?1 AND item = ?2"
                                  " AND state = " FAILED " AND next_retry IS NULL",
    [STORE_SQL_LEDGER_SET_ASIDE] =
        "UPDATE ledger SET next_retry = NULL, reference = NULL"
        " WHERE mailbox = ?1 AND item = ?2 AND state = " FAILED " AND next_retry = " SET_ASIDE,
    [STORE_SQL_LEDGER_FAIL] =
        "INSERT INTO ledger (mailbox, item, fingerprint, state, received_at, last_seen, attempts,"
        " next_retry, reference, message)"
        " VALUES (?1, ?2, ?3, " FAILED ", ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (mailbox, item) DO UPDATE SET fingerprint = coalesce(?3, fingerprint),"
        " received_at = ?4, last_seen = ?5, attempts = ?6, next_retry = ?7,"
        " reference = coalesce(?8, reference), message = coalesce(?9, message) WHERE state "
        "= " FAILED,
    [STORE_SQL_LEDGER_FORGET_RESOLVE] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox = ?1 AND resolved_at IS NULL"
        " AND item IN (SELECT item FROM ledger INDEXED BY ledger_failed"
        " WHERE mailbox = ?1 AND state = " FAILED " AND last_seen < ?2)",
    [STORE_SQL_LEDGER_FORGET] =
        "DELETE FROM ledger WHERE mailbox = ?1 AND item IN (SELECT item FROM ledger"
        " INDEXED BY ledger_last_seen WHERE mailbox = ?1 AND last_seen < ?2"
        " AND state IN (" DELIVERED ", " FAILED ") ORDER BY last_seen LIMIT ?3)",

    /* --- items with something left to do: their columns are read by one function --- */

    [STORE_SQL_OPEN_DELIVERING] =
        "SELECT item, fingerprint, received_at, attempts, name, reference, row FROM ledger"
        " INDEXED BY ledger_delivering WHERE mailbox = ?1 AND state = " DELIVERING,
    [STORE_SQL_OPEN_UNDELIVERABLE] =
        "SELECT item, fingerprint, received_at, attempts, name, reference, row FROM ledger"
        " INDEXED BY ledger_failed WHERE mailbox = ?1 AND state = " FAILED
        " AND next_retry = " SET_ASIDE " AND reference IS NOT NULL ORDER BY random() LIMIT ?2",
    [STORE_SQL_OPEN_FAILED] =
        "SELECT item, fingerprint, received_at, attempts, name, reference, row FROM ledger"
        " INDEXED BY ledger_failed WHERE mailbox = ?1 AND state = " FAILED
        " AND next_retry > " SET_ASIDE " AND next_retry <= ?3 AND reference IS NOT NULL"
        " ORDER BY next_retry LIMIT ?2",
    [STORE_SQL_OPEN_WAITING] =
        "SELECT 1 FROM ledger INDEXED BY ledger_failed WHERE mailbox = ?1 AND state = " FAILED
        " AND next_retry > ?2 AND reference IS NOT NULL LIMIT 1",
    [STORE_SQL_OPEN_UNACKNOWLEDGED] =
        "SELECT item, fingerprint, received_at, attempts, name, reference, row FROM ledger"
        " INDEXED BY ledger_unacknowledged WHERE mailbox = ?1 AND state = " DELIVERED
        " AND reference IS NOT NULL AND row > ?3 ORDER BY row LIMIT ?2",
    [STORE_SQL_OPEN_UNACKNOWLEDGED_BEFORE] =
        "SELECT item, fingerprint, received_at, attempts, name, reference, row FROM ledger"
        " INDEXED BY ledger_unacknowledged WHERE mailbox = ?1 AND state = " DELIVERED
        " AND reference IS NOT NULL AND row <= ?3 ORDER BY row LIMIT ?2",

    /* --- failures --- */

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
                                                     "submission <> '' AND submission = ?3 AND "
                                                     "failure.id < ?2"
                                                     " AND NOT EXISTS (SELECT 1 FROM submission AS "
                                                     "queued WHERE queued.id = failure.submission)"
                                                     " ORDER BY failure.id DESC LIMIT ?1",
    [STORE_SQL_FAILURE_COUNT_REFUSED] =
        "SELECT count(*) FROM failure INDEXED BY failure_submission WHERE " FAILURE_REFUSED,
    [STORE_SQL_FAILURE_COUNT_OPEN] =
        "SELECT count(*) FROM failure INDEXED BY failure_open WHERE resolved_at IS NULL",
    [STORE_SQL_FAILURE_COUNT_ALL] = "SELECT count(*) FROM failure",

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
    [STORE_SQL_ALERT_REPEAT] = "UPDATE alert SET count = count + 1, last_seen = ?2, absorbs = ?3,"
                               " told = iif(notification IS NULL, ?4, told),"
                               " told_reason = iif(notification IS NULL, ?5, told_reason),"
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
        "SELECT profile, level, count(*) FROM alert INDEXED BY alert_open WHERE " ALERT_OPEN
        " GROUP BY profile, level",

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
        "UPDATE alert INDEXED BY alert_untold SET notification = ?3, untold_turn = NULL"
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

    /* --- sign-ins: a row a profile --- */

    [STORE_SQL_SIGN_IN_ALL] = "SELECT profile, mark, refused, last_at FROM sign_in",
    [STORE_SQL_SIGN_IN_SAVE] =
        "INSERT INTO sign_in (profile, mark, refused, last_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (profile) DO UPDATE SET mark = ?2, refused = ?3, last_at = ?4",
    [STORE_SQL_SIGN_IN_FORGET] = "DELETE FROM sign_in WHERE profile = ?1",

    /* --- submissions --- */

    [STORE_SQL_SUBMISSION_ADD] =
        "INSERT INTO submission (id, mailbox, state, queued_at, size, submitter, null_sender,"
        " message_id, subject, recipients) VALUES (?1, ?2, iif(?1 <= (SELECT restored_id FROM"
        " instance WHERE one = 1), " SUBMISSION_CREATING ", " SUBMISSION_QUEUED "),"
        " ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
    [STORE_SQL_SUBMISSION_STATE] = "SELECT state FROM submission WHERE id = ?1",
    /* One that waits for longer than is ever waited (8 days) was told to while the clock was ahead.
     */
    [STORE_SQL_SUBMISSION_DUE] =
        "SELECT " SUBMISSION_COLUMNS " FROM submission"
        " INDEXED BY submission_open WHERE mailbox = ?1 AND " SUBMISSION_OPEN
        " AND held_at IS NULL AND (next_try <= ?2 OR next_try > ?2 + 691200000) ORDER BY number",
    [STORE_SQL_SUBMISSION_LAPSED] =
        "SELECT " SUBMISSION_COLUMNS " FROM submission"
        " INDEXED BY submission_open WHERE mailbox = ?1 AND " SUBMISSION_OPEN
        " AND " SUBMISSION_WAITS
        " AND held_at IS NULL AND queued_at + held_for < ?2 ORDER BY number",
    [STORE_SQL_SUBMISSION_UNSENT] =
        "SELECT " SUBMISSION_COLUMNS " FROM submission"
        " INDEXED BY submission_open WHERE mailbox = ?1 AND " SUBMISSION_OPEN
        " AND " SUBMISSION_WAITS " AND queued_at <= ?2 ORDER BY number",
    [STORE_SQL_SUBMISSION_NEXT] =
        "SELECT next_try FROM submission INDEXED BY submission_next WHERE mailbox = ?1"
        " AND " SUBMISSION_OPEN " AND next_try > ?2 AND held_at IS NULL"
        " ORDER BY next_try LIMIT 1",
    [STORE_SQL_SUBMISSION_MAILBOXES] =
        "SELECT submission.mailbox, lease, address, profile, count(*) FILTER "
        "(WHERE " SUBMISSION_WAITS "), min(queued_at + held_for) FILTER (WHERE " SUBMISSION_WAITS
        ") FROM submission"
        " INDEXED BY submission_open CROSS JOIN mailbox ON mailbox.number = submission.mailbox"
        " WHERE " SUBMISSION_OPEN " AND held_at IS NULL GROUP BY submission.mailbox",
    [STORE_SQL_SUBMISSION_CHANGE] =
        "UPDATE submission SET state = ?3, reference = ?4, attempts = ?5, next_try = ?6,"
        " doubt_since = ?7, stray = ?8, held_at = iif(?9 IS NULL, held_at, NULL),"
        " finished_at = iif(?9 IS NULL, NULL, coalesce(finished_at, ?9)) WHERE id = ?1 AND mailbox "
        "= ?2",

    /* --- what administrators want --- */

    [STORE_SQL_SWITCH_ANY] = "SELECT 1 FROM switched_off LIMIT 1",
    [STORE_SQL_SWITCHES] = "SELECT direction, since, user FROM switched_off WHERE mailbox = ?1",
    [STORE_SQL_SWITCH_OFF] = "INSERT INTO switched_off (mailbox, direction, since, user)"
                             " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    [STORE_SQL_SWITCH_ON] = "DELETE FROM switched_off WHERE mailbox = ?1 AND direction = ?2",
    [STORE_SQL_PAUSE_ALL] = "SELECT profile, since, user FROM paused ORDER BY profile",
    [STORE_SQL_PAUSE] = "INSERT INTO paused (profile, since, user) VALUES (?1, ?2, ?3)"
                        " ON CONFLICT DO NOTHING",
    [STORE_SQL_PAUSE_END] = "DELETE FROM paused WHERE profile = ?1",

    /* A backup that was put back. ?1 of the mailboxes: a number, or NULL for all. */
    [STORE_SQL_RESTORE_INSTANCE] =
        "UPDATE instance SET enable_from = nullif(copied_at, " COPIED_UNKNOWN "), copied_at = NULL"
        " WHERE one = 1",
    [STORE_SQL_RESTORE_MAILBOXES] = "UPDATE mailbox SET check_from = ?1, check_above = NULL",
    [STORE_SQL_RESTORE_MAILBOX] =
        "UPDATE mailbox SET check_from = ?2, check_above = NULL WHERE number = ?1",
    [STORE_SQL_RESTORE_OPEN] =
        "SELECT id FROM submission INDEXED BY submission_open WHERE " SUBMISSION_OPEN
        " AND " SUBMISSION_WAITS " AND (?1 IS NULL OR mailbox = ?1) AND removal IS NULL",
    /* What was sent in one step stays so: when no copy turns up a person decides. */
    [STORE_SQL_RESTORE_DOUBT] = "UPDATE submission SET state = iif(state = " SUBMISSION_DOUBTFUL
                                ", state, " SUBMISSION_CREATING
                                "), reference = NULL, attempts = 0, next_try = 0, doubt_since = 0,"
                                " size = iif(?2, size, 0) WHERE id = ?1",
    [STORE_SQL_RESTORE_FAILED] =
        "UPDATE submission SET state = " SUBMISSION_FAILED ", reference = NULL, held_at = NULL,"
        " next_try = 0, doubt_since = 0, stray = 1, finished_at = ?2 WHERE id = ?1",
    [STORE_SQL_RESTORE_LAST_ID] =
        "UPDATE instance SET restored_id = max(restored_id, ?1) WHERE one = 1",
    [STORE_SQL_RESTORE_CHECKED] =
        "UPDATE mailbox SET check_from = NULL, check_above = NULL WHERE number = ?1",
    [STORE_SQL_RESTORE_ENABLE_FROM] = "SELECT enable_from FROM instance WHERE one = 1",
    [STORE_SQL_RESTORE_ENABLED] =
        "UPDATE instance SET enable_from = NULL WHERE one = 1 AND enable_from IS NOT NULL",
    [STORE_SQL_RESTORE_NEW_MAILBOX] =
        "UPDATE mailbox SET check_from = ?2, check_above = ?3 WHERE number = ?1",

    /* What the files of a Maildir tell of the ledger: by a fingerprint, or by an item. */
    [STORE_SQL_REBUILD_STATE] =
        "SELECT min(iif(state = " FAILED ", 9, state)) FROM ledger INDEXED BY ledger_fingerprint"
        " WHERE mailbox = ?1 AND fingerprint = ?2",
    [STORE_SQL_REBUILD_STATE_ITEM] = "SELECT min(iif(state = " FAILED ", 9, state)) FROM ledger"
                                     " INDEXED BY ledger_item WHERE mailbox = ?1 AND item = ?2",
    [STORE_SQL_REBUILD_SETTLE] =
        "UPDATE ledger INDEXED BY ledger_fingerprint SET state = " DELIVERED ", name = NULL,"
        " reference = NULL, next_retry = NULL WHERE mailbox = ?1 AND fingerprint = ?2"
        " AND state = " FAILED " RETURNING item",
    [STORE_SQL_REBUILD_SETTLE_ITEM] =
        "UPDATE ledger INDEXED BY ledger_item SET state = " DELIVERED ", name = NULL,"
        " reference = NULL, next_retry = NULL WHERE mailbox = ?1 AND item = ?2"
        " AND state = " FAILED " RETURNING item",
    /* A conflict: somebody has made a name of the fingerprint of one and the item of another. */
    [STORE_SQL_REBUILD_ADD] =
        "INSERT INTO ledger (mailbox, item, fingerprint, state, received_at, last_seen, file,"
        " taken_at) VALUES (?1, ?2, ?3, " DELIVERED ", ?4, ?5, ?6, ?4) ON CONFLICT DO NOTHING",

    /* Redelivery goes through a mailbox's rows a slice at a time: those behind the item ?2, up to
     * the last of the slice, which is the item ?3 of the statements that follow. */
    [STORE_SQL_REDELIVERY_FROM] =
        "SELECT max(?2, coalesce(min(process_from), ?2)) FROM folder WHERE mailbox = ?1",
    [STORE_SQL_REDELIVERY_SLICE] =
        "SELECT max(item), count(*) FROM (SELECT item FROM ledger INDEXED BY ledger_item"
        " WHERE mailbox = ?1 AND item > ?2 ORDER BY item LIMIT ?3)",
    [STORE_SQL_REDELIVERY_COUNT] =
        "SELECT count(*) FROM ledger INDEXED BY ledger_item WHERE mailbox = ?1 AND item > ?2"
        " AND item <= ?3 AND state = " DELIVERED " AND received_at >= ?4",
    [STORE_SQL_REDELIVERY_FORGET] =
        "DELETE FROM ledger INDEXED BY ledger_item WHERE mailbox = ?1 AND item > ?2"
        " AND item <= ?3 AND state = " DELIVERED " AND received_at >= ?4",
    [STORE_SQL_REDELIVERY_PASS] =
        "UPDATE folder SET pass_started = ?2, pass_offset = 0 WHERE mailbox = ?1",

    /* Behind the message ?2 of the mailbox ?1, of mailboxes up to ?3: their columns are read by one
     * function. */
    [STORE_SQL_QUEUE_WAITING] = QUEUE_ROWS
    " INDEXED BY submission_open JOIN mailbox ON mailbox.number = submission.mailbox"
    " WHERE " QUEUE_BEHIND " AND " SUBMISSION_OPEN " AND " SUBMISSION_WAITS " " QUEUE_ORDER,
    [STORE_SQL_QUEUE_FAILED] =
        QUEUE_ROWS " INDEXED BY submission_mailbox"
                   " JOIN mailbox ON mailbox.number = submission.mailbox"
                   " WHERE " QUEUE_BEHIND " AND state = " SUBMISSION_FAILED " " QUEUE_ORDER,
    [STORE_SQL_QUEUE_REMOVING] =
        QUEUE_ROWS " INDEXED BY submission_removal"
                   " JOIN mailbox ON mailbox.number = submission.mailbox"
                   " WHERE " QUEUE_BEHIND " AND removal IS NOT NULL " QUEUE_ORDER,
    [STORE_SQL_QUEUE_FIND] =
        QUEUE_ROWS " JOIN mailbox ON mailbox.number = submission.mailbox WHERE submission.id = ?1",
    [STORE_SQL_QUEUE_HELD] = "SELECT mailbox, count(*) FROM submission INDEXED BY submission_open"
                             " WHERE " SUBMISSION_OPEN " AND " SUBMISSION_WAITS
                             " AND held_at IS NOT NULL GROUP BY mailbox",
    [STORE_SQL_QUEUE_HOLD] = "UPDATE submission SET held_at = ?3 WHERE id = ?1 AND mailbox = ?2"
                             " AND held_at IS NULL AND " SUBMISSION_WAITS,
    /* The time that it was held does not count as time in which it was tried. */
    [STORE_SQL_QUEUE_RELEASE] =
        "UPDATE submission SET held_for = held_for + max(?3 - held_at, 0),"
        " doubt_since = iif(doubt_since = 0, 0, doubt_since + max(?3 - held_at, 0)),"
        " held_at = NULL, next_try = 0"
        " WHERE id = ?1 AND mailbox = ?2 AND held_at IS NOT NULL AND removal IS NULL"
        " AND " SUBMISSION_WAITS,
    [STORE_SQL_QUEUE_RETRY] =
        "UPDATE submission SET next_try = 0 WHERE id = ?1 AND mailbox = ?2 AND held_at IS NULL"
        " AND " SUBMISSION_WAITS,
    [STORE_SQL_QUEUE_FLUSH] = "UPDATE submission INDEXED BY submission_open SET next_try = 0"
                              " WHERE (?1 IS NULL OR mailbox = ?1) AND " SUBMISSION_OPEN
                              " AND " SUBMISSION_WAITS " AND held_at IS NULL",
    [STORE_SQL_QUEUE_REMOVAL] =
        "UPDATE submission SET removal = ?4, held_at = coalesce(held_at, ?3)"
        " WHERE id = ?1 AND mailbox = ?2 AND removal IS NULL AND " SUBMISSION_WAITS,
    [STORE_SQL_QUEUE_LAPSED] =
        "UPDATE submission SET removal = ?4, held_at = ?3 WHERE id = ?1 AND mailbox = ?2"
        " AND held_at IS NULL AND removal IS NULL AND " SUBMISSION_WAITS,
    [STORE_SQL_QUEUE_REMOVED] =
        "UPDATE submission SET state = " SUBMISSION_FAILED ", reference = NULL, held_at = NULL,"
        " removal = NULL, next_try = 0, doubt_since = 0, stray = stray OR ?4, finished_at = ?3"
        " WHERE id = ?1 AND mailbox = ?2 AND removal IS NOT NULL",

    /* --- house-keeping --- */

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

    /* --- where a message is: columns of each kind are read by one function --- */

    [STORE_SQL_TRACE_MESSAGE] =
        "SELECT ledger.mailbox, address, profile, sink_path, state, received_at, taken_at, file,"
        " name, activity, attempts, next_retry, reference IS NOT NULL, item FROM ledger"
        " INDEXED BY ledger_message CROSS JOIN mailbox ON mailbox.number = ledger.mailbox"
        " WHERE message = ?1",
    [STORE_SQL_TRACE_ITEM_FAILURE] =
        "SELECT " TRACED_FAILURE " FROM failure INDEXED BY failure_same WHERE mailbox = ?1"
        " AND resolved_at IS NULL AND item = ?2 LIMIT 1",
    [STORE_SQL_TRACE_SUBMISSION] = "SELECT " TRACED_SUBMISSION " WHERE id = ?1",
    [STORE_SQL_TRACE_SUBMISSIONS] =
        "SELECT " TRACED_SUBMISSION " WHERE submission.number < ?1 AND submission.number >= ?2"
        " AND (message_id IN (?3, '<' || ?3 || '>')"
        " OR instr(lower(subject), lower(?4)) > 0) ORDER BY submission.number DESC",
    [STORE_SQL_TRACE_SUBMISSION_NEWEST] =
        "SELECT number FROM submission WHERE number > 0 ORDER BY number DESC LIMIT 1",
    [STORE_SQL_TRACE_SUBMISSION_FAILURE] =
        "SELECT " TRACED_FAILURE " FROM failure INDEXED BY failure_submission"
        " WHERE submission = ?1 AND submission <> '' AND resolved_at IS NULL LIMIT 1",
};

const char *store_sql_text(enum store_sql sql)
{
    return texts[sql];
}

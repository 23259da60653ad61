#include "store/store_sql.h"

#include "store/store.h"
#include "store/store_private.h"

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
    " doubt_since, message_id, subject, recipients, reference"
_Static_assert(STORE_SUBMISSION_SENT == 4, "the database holds this number");
_Static_assert(STORE_SUBMISSION_FAILED == 5, "the database holds this number");
_Static_assert(STORE_SUBMISSION_SENDING == 7, "the database holds this number");

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

    [STORE_SQL_INSTANCE] = "SELECT id FROM instance WHERE one = 1",

    /* --- mailboxes --- */

    [STORE_SQL_MAILBOX_LEASE] = "SELECT lease FROM mailbox WHERE number = ?1",
    [STORE_SQL_MAILBOX_BY_ADDRESS] =
        "SELECT number, lease, enabled_at, profile, removed_at, renamed_from FROM mailbox"
        " WHERE address = ?1",
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
    [STORE_SQL_MAILBOX_REMOVE] = "UPDATE mailbox SET removed_at = ?2 WHERE number = ?1",
    [STORE_SQL_MAILBOX_RETIRE] = "UPDATE mailbox SET address = '#' || number, lease = lease + 1,"
                                 " removed_at = coalesce(removed_at, ?2)"
                                 " WHERE number = ?1 AND address <> '#' || number",
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
    [STORE_SQL_MERGE_FAILURES] = "UPDATE failure SET mailbox = ?2 WHERE mailbox = ?1",
    [STORE_SQL_MERGE_SUBMISSIONS] = "UPDATE submission SET mailbox = ?2 WHERE mailbox = ?1",

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
        " reference) VALUES (?1, ?2, ?3, " DELIVERING ", ?4, ?5, ?6, ?7)"
        " ON CONFLICT (mailbox, item) DO UPDATE SET state = " DELIVERING ","
        " fingerprint = coalesce(?3, fingerprint), received_at = ?4, last_seen = ?5, name = ?6,"
        " reference = ?7, next_retry = NULL",
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
        " next_retry, reference)"
        " SELECT mailbox, ?3, fingerprint, iif(state = " DELIVERING ", " DELIVERED ", state),"
        " received_at, ?4, attempts, iif(state = " FAILED ", coalesce(next_retry, ?4), NULL),"
        " iif(state = " FAILED ", ?5, NULL) FROM ledger WHERE mailbox = ?1 AND item = ?2",
    /* What was set aside and has come back is there under its new ItemId alone. */
    [STORE_SQL_LEDGER_RETURNED] = "DELETE FROM ledger WHERE mailbox = ?1 AND item = ?2"
                                  " AND state = " FAILED " AND next_retry IS NULL",
    [STORE_SQL_LEDGER_SET_ASIDE] =
        "UPDATE ledger SET next_retry = NULL, reference = NULL"
        " WHERE mailbox = ?1 AND item = ?2 AND state = " FAILED " AND next_retry = " SET_ASIDE,
    [STORE_SQL_LEDGER_FAIL] =
        "INSERT INTO ledger (mailbox, item, fingerprint, state, received_at, last_seen, attempts,"
        " next_retry, reference) VALUES (?1, ?2, ?3, " FAILED ", ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT (mailbox, item) DO UPDATE SET fingerprint = coalesce(?3, fingerprint),"
        " received_at = ?4, last_seen = ?5, attempts = ?6, next_retry = ?7,"
        " reference = coalesce(?8, reference) WHERE state = " FAILED,
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
        " sentence = ?12, remedy = ?13, activity = ?14, next_retry = ?15, permanent = ?16"
        " WHERE mailbox IS ?1 AND resolved_at IS NULL AND item = ?2 AND direction = ?3"
        " AND step = ?4 AND code = ?5 AND category = ?6 AND scope = ?7 AND profile = ?8"
        " AND submission = ?17",
    [STORE_SQL_FAILURE_INSERT] =
        "INSERT INTO failure (mailbox, item, direction, step, code, category, scope, profile,"
        " first_seen, last_seen, count, http_status, text, sentence, remedy, activity, next_retry,"
        " permanent, submission) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1, ?10, ?11, ?12,"
        " ?13, ?14, ?15, ?16, ?17)",
    [STORE_SQL_FAILURE_RESOLVE_ITEM] = "UPDATE failure SET resolved_at = ?3"
                                       " WHERE mailbox = ?1 AND resolved_at IS NULL AND item = ?2",
    [STORE_SQL_FAILURE_RESOLVE_MAILBOX] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox = ?1 AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND (?2 IS NULL OR direction = ?2)",
    [STORE_SQL_FAILURE_RESOLVE_PROFILE] =
        "UPDATE failure SET resolved_at = ?3 WHERE mailbox IS NULL AND resolved_at IS NULL"
        " AND item = x'' AND submission = '' AND profile = ?1"
        " AND (?2 IS NULL OR direction = ?2)",
    [STORE_SQL_FAILURE_RESOLVE_SUBMISSION] =
        "UPDATE failure SET resolved_at = ?2 WHERE submission = ?1 AND submission <> ''"
        " AND resolved_at IS NULL",

    /* --- submissions --- */

    [STORE_SQL_SUBMISSION_ADD] =
        "INSERT INTO submission (id, mailbox, state, queued_at, size, submitter, null_sender,"
        " message_id, subject, recipients) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (id) DO NOTHING",
    [STORE_SQL_SUBMISSION_STATE] = "SELECT state FROM submission WHERE id = ?1",
    /* One that waits for longer than is ever waited (8 days) was told to while the clock was ahead.
     */
    [STORE_SQL_SUBMISSION_DUE] =
        "SELECT " SUBMISSION_COLUMNS " FROM submission"
        " INDEXED BY submission_open WHERE mailbox = ?1 AND " SUBMISSION_OPEN
        " AND (next_try <= ?2 OR next_try > ?2 + 691200000) ORDER BY number",
    [STORE_SQL_SUBMISSION_LAPSED] =
        "SELECT " SUBMISSION_COLUMNS " FROM submission"
        " INDEXED BY submission_open WHERE mailbox = ?1 AND " SUBMISSION_OPEN
        " AND " SUBMISSION_WAITS " AND queued_at < ?2 ORDER BY number",
    [STORE_SQL_SUBMISSION_NEXT] =
        "SELECT next_try FROM submission INDEXED BY submission_next WHERE mailbox = ?1"
        " AND " SUBMISSION_OPEN " AND next_try > ?2 ORDER BY next_try LIMIT 1",
    [STORE_SQL_SUBMISSION_MAILBOXES] =
        "SELECT submission.mailbox, lease, address, profile, count(*) FILTER "
        "(WHERE " SUBMISSION_WAITS "), min(queued_at) FILTER (WHERE " SUBMISSION_WAITS
        ") FROM submission"
        " INDEXED BY submission_open CROSS JOIN mailbox ON mailbox.number = submission.mailbox"
        " WHERE " SUBMISSION_OPEN " GROUP BY submission.mailbox",
    [STORE_SQL_SUBMISSION_CHANGE] =
        "UPDATE submission SET state = ?3, reference = ?4, attempts = ?5, next_try = ?6,"
        " doubt_since = ?7, stray = ?8,"
        " finished_at = iif(?9 IS NULL, NULL, coalesce(finished_at, ?9)) WHERE id = ?1 AND mailbox "
        "= ?2",

    /* --- house-keeping --- */

    [STORE_SQL_PRUNE_FAILURES] =
        "DELETE FROM failure WHERE id IN (SELECT id FROM failure INDEXED BY failure_resolved"
        " WHERE resolved_at < ?1 ORDER BY resolved_at LIMIT ?2)",
    [STORE_SQL_PRUNE_SUBMISSIONS] =
        "DELETE FROM submission WHERE number IN (SELECT number FROM submission INDEXED BY"
        " submission_finished WHERE finished_at < ?1 AND NOT stray ORDER BY finished_at LIMIT ?2)",
    /* Those of submissions stay open when nobody resolves them; they go by their age. */
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
    [STORE_SQL_PRUNE_MAILBOX] = "DELETE FROM mailbox WHERE number = ?1",
    [STORE_SQL_PRUNE_FREE_PAGES] = "PRAGMA freelist_count",
    [STORE_SQL_PRUNE_PAGES] = "PRAGMA page_count",
    [STORE_SQL_PRUNE_VACUUM] = "PRAGMA incremental_vacuum(250)",
};

const char *store_sql_text(enum store_sql sql)
{
    return texts[sql];
}

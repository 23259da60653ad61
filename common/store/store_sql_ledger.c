/* Statements of what was taken over, of each item one row. */
#include "store/store_private.h"
#include "store/store_sql_parts.h"

/* A failed row is tried again at next_retry; it is to be set aside with this one, was with none. */
#define SET_ASIDE "0"
_Static_assert(STORE_SET_ASIDE == 0, "the database holds this number");

const char *const store_sql_ledger[STORE_SQL_COUNT] = {
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
    [STORE_SQL_LEDGER_SET_BACK] =
        "UPDATE ledger INDEXED BY ledger_failed SET next_retry = max(next_retry - ?1, 1)"
        " WHERE state = " FAILED " AND next_retry > ?2",
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

    /* What the files of a Maildir tell of the ledger: by a fingerprint, or by an item. */
    [STORE_SQL_REBUILD_STATE] =
        "SELECT min(iif(state = " FAILED ", 9, state)) FROM ledger INDEXED BY ledger_fingerprint"
        " WHERE mailbox = ?1 AND fingerprint = ?2",
    [STORE_SQL_REBUILD_STATE_ITEM] = "SELECT min(iif(state = " FAILED ", 9, state)) FROM ledger"
                                     " INDEXED BY ledger_item WHERE mailbox = ?1 AND item = ?2",
    /* A row of before files were remembered tells nothing. */
    [STORE_SQL_REBUILD_OTHER_FILE] =
        "SELECT coalesce(max(file = ?3) = 0, 0) FROM ledger INDEXED BY ledger_fingerprint"
        " WHERE mailbox = ?1 AND fingerprint = ?2 AND state = " DELIVERED,
    [STORE_SQL_REBUILD_OTHER_FILE_ITEM] =
        "SELECT coalesce(max(file = ?3) = 0, 0) FROM ledger INDEXED BY ledger_item"
        " WHERE mailbox = ?1 AND item = ?2 AND state = " DELIVERED,
    [STORE_SQL_REBUILD_SETTLE] =
        "UPDATE ledger INDEXED BY ledger_fingerprint SET state = " DELIVERED ", name = NULL,"
        " file = ?3, reference = NULL, next_retry = NULL WHERE mailbox = ?1 AND fingerprint = ?2"
        " AND state = " FAILED " RETURNING item",
    [STORE_SQL_REBUILD_SETTLE_ITEM] =
        "UPDATE ledger INDEXED BY ledger_item SET state = " DELIVERED ", name = NULL,"
        " file = ?3, reference = NULL, next_retry = NULL WHERE mailbox = ?1 AND item = ?2"
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
};

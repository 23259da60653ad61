/* Statements of mailboxes, their folders and switches, and of profiles. */
#include "store/store_sql_parts.h"

const char *const store_sql_mailboxes[STORE_SQL_COUNT] = {
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

    /* --- sign-ins: a row a profile --- */

    [STORE_SQL_SIGN_IN_ALL] = "SELECT profile, mark, refused, last_at FROM sign_in",
    [STORE_SQL_SIGN_IN_SAVE] =
        "INSERT INTO sign_in (profile, mark, refused, last_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (profile) DO UPDATE SET mark = ?2, refused = ?3, last_at = ?4",
    [STORE_SQL_SIGN_IN_FORGET] = "DELETE FROM sign_in WHERE profile = ?1",

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
};

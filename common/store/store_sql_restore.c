/* Statements of a backup that was put back. ?1 of the mailboxes: a number, or NULL for all. */
#include "store/store_restore.h"
#include "store/store_sql_parts.h"

#define COPIED_UNKNOWN "1"
_Static_assert(STORE_COPIED_UNKNOWN == 1, "the database holds this number");

const char *const store_sql_restore[STORE_SQL_COUNT] = {
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
};

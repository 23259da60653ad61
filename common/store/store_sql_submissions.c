/* Statements of what is sent. */
#include "store/store_sql_parts.h"

#define SUBMISSION_COLUMNS                                                                   \
    "id, state, number, queued_at, size, submitter, null_sender, stray, attempts, next_try," \
    " doubt_since, message_id, subject, recipients, reference, held_for"

const char *const store_sql_submissions[STORE_SQL_COUNT] = {
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
        " AND " SUBMISSION_WAITS " AND number > ?2 ORDER BY number",
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
    /* What is to happen later than now, ?2, does as if the clock had been back by ?1 before. */
    [STORE_SQL_SUBMISSION_SET_BACK] =
        "UPDATE submission INDEXED BY submission_open SET next_try ="
        " iif(next_try > ?2, max(next_try - ?1, 0), next_try),"
        " doubt_since = iif(doubt_since > ?2, max(doubt_since - ?1, 1), doubt_since)"
        " WHERE " SUBMISSION_OPEN " AND (next_try > ?2 OR doubt_since > ?2)",
    [STORE_SQL_SUBMISSION_CHANGE] =
        "UPDATE submission SET state = ?3, reference = ?4, attempts = ?5, next_try = ?6,"
        " doubt_since = ?7, stray = ?8, held_at = iif(?9 IS NULL, held_at, NULL),"
        " finished_at = iif(?9 IS NULL, NULL, coalesce(finished_at, ?9)) WHERE id = ?1 AND mailbox "
        "= ?2",
};

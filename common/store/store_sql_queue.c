/* Statements of what people see and do of the queue of what is to be sent. */
#include "store/store_sql_parts.h"

/* All columns of struct store_queued, and the newest of what is open of failures of it. */
#define QUEUE_FAILURE(column)                                                \
    "(SELECT " column " FROM failure INDEXED BY failure_submission"          \
    " WHERE failure.submission = submission.id AND failure.submission <> ''" \
    " AND failure.resolved_at IS NULL ORDER BY failure.last_seen DESC, failure.id DESC LIMIT 1)"
#define QUEUE_OPEN        \
    QUEUE_FAILURE("code") \
    ", " QUEUE_FAILURE("sentence") ", " QUEUE_FAILURE("text") ", " QUEUE_FAILURE("remedy")
/* The last of those that no other try could have ended, and that are over: a person is done with
 * it. For one message: no index has them by it. */
#define QUEUE_DEALT(column)                                           \
    "(SELECT " column " FROM failure INDEXED BY failure_same"         \
    " WHERE failure.mailbox = submission.mailbox AND resolved_at > 0" \
    " AND failure.submission = submission.id AND permanent"           \
    " ORDER BY failure.resolved_at DESC, failure.id DESC LIMIT 1)"
#define QUEUE_ROWS_WITH(dealt)                                                                 \
    "SELECT submission.id, state, submission.number, queued_at, size, submitter, null_sender," \
    " stray, attempts, next_try, doubt_since, message_id, subject, recipients, reference,"     \
    " held_for, held_at, removal, finished_at, mailbox.number, lease, address, profile,"       \
    " mailbox.removed_at IS NOT NULL, " QUEUE_OPEN ", " dealt " FROM submission"
#define QUEUE_ROWS QUEUE_ROWS_WITH("NULL, NULL")
#define QUEUE_BEHIND \
    "(submission.mailbox, submission.number) > (?1, ?2) AND submission.mailbox <= ?3"
#define QUEUE_ORDER "ORDER BY submission.mailbox, submission.number LIMIT ?4"

const char *const store_sql_queue[STORE_SQL_COUNT] = {
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
    [STORE_SQL_QUEUE_FIND] = QUEUE_ROWS_WITH(QUEUE_DEALT("resolved_at") ", " QUEUE_DEALT(
        "sentence")) " JOIN mailbox ON mailbox.number = submission.mailbox WHERE submission.id = "
                     "?1",
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
};

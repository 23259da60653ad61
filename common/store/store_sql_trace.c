/* Statements of where a message is: the columns of each kind are read by one function. */
#include "store/store_sql_parts.h"

#define TRACED_FAILURE "step, code, sentence, text, remedy, activity, count, first_seen, last_seen"
#define TRACED_SUBMISSION                                                                        \
    "id, state, submission.number, queued_at, size, submitter, attempts, next_try,"              \
    " doubt_since, message_id, subject, recipients, finished_at, address, profile, held_at FROM" \
    " submission CROSS JOIN mailbox ON mailbox.number = submission.mailbox"

const char *const store_sql_trace[STORE_SQL_COUNT] = {
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

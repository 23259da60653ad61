/* Parts of the list of statements, one a file, and the words that several of them are made of.
 *
 * Each part is as long as enum store_sql and holds the statements that its file is for; all others
 * are NULL. A statement stands in one part.
 *
 * INDEXED BY stands where a mailbox's million delivered rows would be read if another index were
 * taken; there are no statistics (ANALYZE) that could lead the planner elsewhere. States stand as
 * literals, as an index with a condition is taken for literals only. */
#ifndef EXSYNC_STORE_STORE_SQL_PARTS_H
#define EXSYNC_STORE_STORE_SQL_PARTS_H

#include "store/store_alerts.h"
#include "store/store_sql.h"

extern const char *const store_sql_mailboxes[STORE_SQL_COUNT];
extern const char *const store_sql_ledger[STORE_SQL_COUNT];
extern const char *const store_sql_failures[STORE_SQL_COUNT];
extern const char *const store_sql_alerts[STORE_SQL_COUNT];
extern const char *const store_sql_notifications[STORE_SQL_COUNT];
extern const char *const store_sql_submissions[STORE_SQL_COUNT];
extern const char *const store_sql_queue[STORE_SQL_COUNT];
extern const char *const store_sql_restore[STORE_SQL_COUNT];
extern const char *const store_sql_prune[STORE_SQL_COUNT];
extern const char *const store_sql_trace[STORE_SQL_COUNT];

/* --- of the ledger --- */

#define DELIVERING "1"
#define DELIVERED  "2"
#define FAILED     "3"
#define IN_DOUBT   "4"
_Static_assert(STORE_ITEM_DELIVERING == 1, "the database holds this number");
_Static_assert(STORE_ITEM_DELIVERED == 2, "the database holds this number");
_Static_assert(STORE_ITEM_FAILED == 3, "the database holds this number");
_Static_assert(STORE_ITEM_IN_DOUBT == 4, "the database holds this number");

/* --- of submissions --- */

#define SUBMISSION_QUEUED   "1"
#define SUBMISSION_CREATING "2"
#define SUBMISSION_FAILED   "5"
#define SUBMISSION_DOUBTFUL "6"
_Static_assert(STORE_SUBMISSION_QUEUED == 1, "the database holds this number");
_Static_assert(STORE_SUBMISSION_CREATING == 2, "the database holds this number");
_Static_assert(STORE_SUBMISSION_SENT == 4, "the database holds this number");
_Static_assert(STORE_SUBMISSION_FAILED == 5, "the database holds this number");
_Static_assert(STORE_SUBMISSION_DOUBTFUL == 6, "the database holds this number");
_Static_assert(STORE_SUBMISSION_SENDING == 7, "the database holds this number");

/* Neither sent nor failed, or with a stray draft. */
#define SUBMISSION_OPEN  "(state NOT IN (4, 5) OR stray)" /* as in its indices, to the letter */
#define SUBMISSION_WAITS "state NOT IN (4, 5)"

/* --- of alerts --- */

#define ALERT_OPEN  "resolved_at IS NULL"
#define ALERT_KNOWN "(known OR notification IS NOT NULL)" /* as in its index, to the letter */

#define TOLD_NOBODY "0"
#define TOLD_BEING  "1"
#define TOLD_DONE   "2"
#define TOLD_NOT    "3"
_Static_assert(STORE_TOLD_NOBODY == 0, "the database holds this number");
_Static_assert(STORE_TOLD_BEING == 1, "the database holds this number");
_Static_assert(STORE_TOLD_DONE == 2, "the database holds this number");
_Static_assert(STORE_TOLD_NOT == 3, "the database holds this number");

#endif

/* What `trace` answers, as JSON. Times are ISO 8601 in UTC; null: never, none, or not by itself.
 *
 * "kind": "incoming", a message of a mailbox of Exchange:
 *   address, profile   the mailbox
 *   state        "delivering": committed, and to be published by the next cycle; "delivered";
 *                "failed": tried again, or left for a person; "in doubt"
 *   message_id, subject   as its file has them; when that is not there the message_id that was
 *                asked for, and null
 *   received     by Exchange
 *   taken        when it was seen and taken over; null: it was not, or by an older version
 *   activity     of the cycle that did so, for the journal (EXSYNC_ACTIVITY); null
 *   path         of its file; null: it is not in the Maildir (any more)
 *   looked_for   whether its file was: false with a path of null when it has none, or the folder
 *                does not answer
 *   maildir      where it was or is to be delivered
 *   left_to_do   true: it is yet to be marked, moved or deleted in Exchange
 *   attempts     that failed
 *   failure      what went wrong and is not over; null: nothing
 *   next         what happens now, one sentence, or what it waits for (hindrance.h); null: nothing
 *                is to happen
 *   next_try     when
 *
 * "kind": "outgoing", a message that was submitted:
 *   message      the id of the submission; null while it waits to be taken in
 *   address, profile   the mailbox that sends it; null while nobody knows
 *   state        "submitted": it waits in outbox/new or outbox/intake; "refused": it was not taken;
 *                "queued"; "creating": a draft was asked for; "created"; "sending"; "doubtful";
 *                "sent"; "failed"
 *   message_id, subject
 *                "unknown": the database does not know it, and nothing is sent
 *   recipients   {kind, address, name}, the first thousand at most; null while nobody knows
 *   recipient_count   how many there are; null as above
 *   size, submitter   bytes, user id; null while nobody knows
 *   submitted, finished   when it was taken in, and sent or failed
 *   held_since   since when an administrator holds it; null: nobody does
 *   path         of its file in outbox/; null: sent
 *   reason       why it was refused or failed; null
 *   attempts, failure, next, next_try   as above
 *
 * "failure": {step, code, sentence, text, remedy, activity, count, first_seen, last_seen}
 *
 * "kind": "unseen", when a mailbox was named and nothing of it found: address, profile, incoming
 * (whether it is on), last_succeeded, next_due, trouble (a sentence; null: none), hindrance.
 *
 * "kind": "searched", last: files (whose headers were read), mailboxes (whose Maildirs were looked
 * through), complete (false: older files, or further matches, were left out), unanswered (a folder
 * that has not answered within TRACING_QUIET_MS, so that the search ended there; null). */
#ifndef EXSYNC_DAEMON_TRACE_ANSWER_H
#define EXSYNC_DAEMON_TRACE_ANSWER_H

#include "daemon/mail_search.h"
#include "daemon/mailbox.h"
#include "daemon/scheduler.h"
#include "store/store_trace.h"

#include <jansson.h>

/* `mailbox` is NULL when it is not configured any more. The callers own the objects. */
json_t *trace_answer_item(const struct store_traced_item *item, const struct mailbox *mailbox,
                          const struct scheduler *scheduler);
json_t *trace_answer_submission(const struct store_traced_submission *submission,
                                const struct mailbox *mailbox, const struct scheduler *scheduler,
                                const char *outbox);

/* Of one that is to be sent off now: many recipients at once for each of many answers would hold up
 * the loop. Returns how many there are now. */
size_t trace_answer_complete(json_t *answer);

/* A file that was found where the store knows nothing of it: in a Maildir, or in outbox/. */
json_t *trace_answer_file(const struct mail_search_match *match, const char *address,
                          const char *profile);
enum trace_file {
    TRACE_FILE_SUBMITTED,
    TRACE_FILE_REFUSED,
    TRACE_FILE_KEPT, /* as it was submitted, and the store does not know it: an older one, perhaps */
    TRACE_FILE_COPY, /* the same of a copy whose original is gone */
};
json_t *trace_answer_outbox_file(const struct mail_search_match *match, enum trace_file file,
                                 const char *reason);

/* Adds what the file of an item tells. */
void trace_answer_found(json_t *answer, const char *path, const char *message_id,
                        const char *subject);

json_t *trace_answer_unseen(const struct mailbox *mailbox, const struct scheduler *scheduler);

#endif

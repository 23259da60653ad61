/* The words of an alert.
 *
 *   opening   what happened, up to where the owner's part begins; it never changes
 *   sentence  the opening, and whether the owner of the profile knows; it changes when that does
 *   details   which cycle it was, what the server said, and where in the cycle it happened
 *
 * The sentences of a mailbox and the details are those of Dynamics 365 server-side synchronization,
 * character for character: people search for them. Names, subjects and reasons come from outside:
 * they become one line of valid UTF-8; a subject is cut after ALERT_SUBJECT_BYTES. */
#ifndef EXSYNC_DAEMON_ALERT_TEXT_H
#define EXSYNC_DAEMON_ALERT_TEXT_H

#include "base/buffer.h"
#include "base/failure.h"
#include "daemon/cycle.h"
#include "store/store_alerts.h"

#include <stdbool.h>
#include <stdint.h>

enum { ALERT_SUBJECT_BYTES = 200 }; /* of a subject; "..." stands for the rest */

struct alert_text {
    enum failure_category category;
    enum failure_scope scope; /* NONE is told like MAILBOX */
    enum cycle_direction direction;
    const char *profile;
    const char *mailbox; /* address; may be NULL for a profile or this machine */
    const char *subject; /* of the message that was being sent; NULL or "": none */
    bool absorbs;        /* a profile's alert that stands for those of its mailboxes */
    uint32_t mailboxes;  /* of the profile */
};

/* Appends the opening; it ends in a full stop. */
void alert_write_opening(struct buffer *text, const struct alert_text *what);

/* Appends the opening and what is to be said of the owner: "... is being notified.", "... has been
 * notified.", "... could not be notified: REASON", or nothing when nobody is to be told. `reason`
 * is for the last but one; NULL or "" when it is not known. */
void alert_write_sentence(struct buffer *text, const char *opening, const char *profile,
                          enum store_alert_told told, const char *reason);

/* Appends "ActivityId: GUID", ">Error : " with the server's own message (or the sentence of the
 * failure when it said nothing), and the lines of the trace, innermost first, as they are. Each
 * line ends in a line feed. `trace` may be NULL. */
void alert_write_details(struct buffer *text, const char *activity, const char *error,
                         const char *trace);

/* The category as it stands in a sentence: "impersonation", "TLS". Static. */
const char *alert_category_word(enum failure_category category);

/* From the names in the store (failure_category_name, failure_scope_name); FAILURE_NONE and
 * FAILURE_SCOPE_NONE for others. */
enum failure_category alert_category_of(const char *name);
enum failure_scope alert_scope_of(const char *name);

#endif

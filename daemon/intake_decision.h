/* Who sends a submitted message, whether the submitter may, and what is changed in its copy. Knows
 * nothing of files and the store. */
#ifndef EXSYNC_DAEMON_INTAKE_DECISION_H
#define EXSYNC_DAEMON_INTAKE_DECISION_H

#include "base/buffer.h"
#include "daemon/intake.h"
#include "mail/outbox.h"

struct intake_decision {
    bool taken;
    struct buffer reason; /* why it was not; one sentence */
    struct store_mailbox mailbox;
    struct buffer from;       /* the From field that goes out: who was checked, and nothing else */
    struct buffer message_id; /* for a message that has none; empty otherwise */
    struct buffer recipients; /* as in struct store_submission */
};

void intake_decide(struct intake_decision *decision, const struct intake_owner *owner,
                   const struct config *config, const struct outbox_envelope *envelope,
                   const char *id);
void intake_decision_release(struct intake_decision *decision);

#endif

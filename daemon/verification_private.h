/* What the parts of a verification share. */
#ifndef EXSYNC_DAEMON_VERIFICATION_PRIVATE_H
#define EXSYNC_DAEMON_VERIFICATION_PRIVATE_H

#include "daemon/service_private.h"
#include "daemon/verification.h"

const struct context *verification_context(const struct verification *verification);

/* The one way out, from wherever it is: `done` follows in this turn of the loop. */
void verification_finish(struct verification *verification, const struct failure *failure);

/* The store or the outbox has answered: true when it is over. */
bool verification_over(struct verification *verification, const struct failure *failure);

/* verification_outgoing.c: compares what is to be sent, then: */
void verification_list_submissions(struct verification *verification);

/* Repairs what differs, if that is wanted; the last part. */
void verification_repair(struct verification *verification);

#endif

/* What a request means, and the sentences for what is not there or did not work: one for each. */
#ifndef EXSYNC_DAEMON_CONTROL_MEANT_H
#define EXSYNC_DAEMON_CONTROL_MEANT_H

#include "daemon/control.h"
#include "daemon/service_private.h"

/* The mailbox that is configured under the address of the member "address". NULL with the end of
 * the request: BadRequest when there is no such member, NoSuchMailbox. */
struct mailbox *control_mailbox(struct control_request *request);

/* The profile in use of that name, which is the value of some member. NULL with the end of the
 * request: BadRequest when `name` is NULL, NoSuchProfile. */
struct profile *control_profile(struct control_request *request, const char *name);

/* The number of the mailbox of the member "address", or 0 when it has none. False with the end of
 * the request: NoSuchMailbox. */
bool control_mailbox_if_given(struct control_request *request, int64_t *number);

/* The id of a submission, of the member "message". False with the end of the request. */
bool control_submission(struct control_request *request, char id[STORE_SUBMISSION_ID_SIZE]);

/* The end of a request by a failure: what is wrong, and what to do. */
void control_fail_by(struct control_request *request, int exit, const struct failure *failure);

/* The ends alone. */
void control_fail_no_mailbox(struct control_request *request, const char *address);
void control_fail_no_profile(struct control_request *request, const char *name);

#endif

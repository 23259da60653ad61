/* An operation on several items that is told of each whether it was done: a failure, or none. */
#ifndef EXSYNC_EWS_EWS_EACH_H
#define EXSYNC_EWS_EWS_EACH_H

#include "ews/ews_operation.h"

typedef void ews_each_done(void *argument, const struct failure *failure,
                           const struct failure *failures, size_t count);

/* `settle` may change what the server says of an item; NULL: taken as it is. */
struct backend_operation *ews_each_create(struct backend *backend,
                                          const struct backend_mailbox *mailbox, size_t count,
                                          void (*settle)(struct failure *failure),
                                          ews_each_done *done, void *argument);

/* Sends what was written into operation->request.body. `step` is static. */
void ews_each_send(struct backend_operation *operation, const char *step);

#endif

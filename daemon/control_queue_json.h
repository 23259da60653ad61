/* A queued message as control tells it; the members are described in control_queue_list.c. */
#ifndef EXSYNC_DAEMON_CONTROL_QUEUE_JSON_H
#define EXSYNC_DAEMON_CONTROL_QUEUE_JSON_H

#include "daemon/mailbox.h"
#include "daemon/queue_change.h"
#include "daemon/scheduler.h"
#include "store/store_actions.h"
#include "store/store_failures.h"

#include <jansson.h>
#include <stdbool.h>

/* `mailbox`: that which sends it; NULL: it is not configured (any more). A new reference. */
json_t *queued_json(const struct store_queued *message, const struct mailbox *mailbox,
                    const struct scheduler *scheduler);

/* A message that was refused when it was submitted, with the same members. A new reference. */
json_t *queued_json_refused(const struct store_failure_row *row);

/* Adds who is to get it. */
void queued_json_recipients(json_t *object, const struct store_queued *message);

/* Adds what became of one that was removed. */
void queued_json_removed(json_t *object, const struct queue_change *change);

#endif

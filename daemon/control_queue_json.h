/* A queued message as control tells it; the members are described in control_queue.c. */
#ifndef EXSYNC_DAEMON_CONTROL_QUEUE_JSON_H
#define EXSYNC_DAEMON_CONTROL_QUEUE_JSON_H

#include "store/store_actions.h"

#include <jansson.h>
#include <stdbool.h>

/* A new reference. */
json_t *queued_json(const struct store_queued *message);

/* Adds who is to get it. */
void queued_json_recipients(json_t *object, const struct store_queued *message);

/* Adds what became of one that was removed. */
void queued_json_removed(json_t *object, const char *id, bool may_have_been_sent, bool lost);

#endif

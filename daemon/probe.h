/* Testing whether a direction that has stopped can go on, by one cheap request.
 *
 * A direction whose trouble stays until a person acts is probed instead of being run: a refused
 * mailbox is not worth reading what was left to do, opening the Maildir, and whatever else a cycle
 * does before it is refused. A probe that fails counts like a cycle that fails. One that passes
 * resolves nothing: it shows that the mailbox can be used, not that a missing folder is there again
 * or a refused message would be sent. The cycle that was missed therefore runs at once, and its own
 * success is what ends the trouble.
 *
 * What may pass by itself is not probed: its next try is a cycle. Nor is trouble of this machine's
 * storage, of which the server knows nothing. */
#ifndef EXSYNC_DAEMON_PROBE_H
#define EXSYNC_DAEMON_PROBE_H

#include "daemon/cycle.h"
#include "daemon/mailbox.h"

#include <stdbool.h>

/* Whether the direction's next try is a probe. */
bool probe_wanted(const struct direction *direction);

/* Starts one and makes it direction->cycle, with cycle->probe. It ends like a cycle, through
 * `on_end`, from the loop, never from within the start; cycle->operations->free is to be called
 * after. */
void probe_start(const struct context *context, struct direction *direction,
                 void (*on_end)(struct cycle *cycle));

#endif

/* Whose eyes --check-config sees with: root may read what the service may not. */
#ifndef EXSYNC_DAEMON_CHECK_USER_H
#define EXSYNC_DAEMON_CHECK_USER_H

#include "base/buffer.h"
#include "daemon/unit_file.h"

/* Makes root's process one of the user as whom the unit runs the daemon, with the unit's groups,
 * for good; other users, and root where no unit is installed, stay who they are. What was done, or
 * why it could not be, is appended to `told` as one line; nothing when nothing was to be done.
 * Blocks.
 */
void check_user_become(const struct unit_file *unit, struct buffer *told);

#endif

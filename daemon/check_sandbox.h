/* Whether the service of systemd may write where the configuration wants it to: its unit leaves it
 * nothing but /var/lib/exsyncd and /run/exsyncd, unless a drop-in says more. */
#ifndef EXSYNC_DAEMON_CHECK_SANDBOX_H
#define EXSYNC_DAEMON_CHECK_SANDBOX_H

#include "base/buffer.h"
#include "daemon/unit_file.h"

#include <stddef.h>

/* Appends to `report` one warning with the drop-in that the unit lacks for the `folders`; nothing
 * when all is well, or no unit is installed. */
void check_sandbox(const struct unit_file *unit, const char *const *folders, size_t count,
                   struct buffer *report);

#endif

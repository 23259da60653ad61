/* Whether the service of systemd may write where the configuration wants it to: its unit leaves it
 * nothing but /var/lib/exsyncd and /run/exsyncd, unless a drop-in says more. */
#ifndef EXSYNC_DAEMON_CHECK_SANDBOX_H
#define EXSYNC_DAEMON_CHECK_SANDBOX_H

#include "base/buffer.h"

#include <stddef.h>

/* Reads exsyncd.service and its drop-ins, where systemd looks for them (or where $SYSTEMD_UNIT_PATH
 * says: systemd.unit(5)), and appends to `report` one warning with the drop-in that is missing for
 * the `folders`. Nothing when all is well, or no unit is installed. Blocks. */
void check_sandbox(const char *const *folders, size_t count, struct buffer *report);

#endif

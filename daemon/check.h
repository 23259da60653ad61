/* What --check-config looks at beside the files of the configuration: the folders that the daemon
 * does not make itself, seen with the eyes of the user who runs the check. Blocks: never while the
 * daemon runs. */
#ifndef EXSYNC_DAEMON_CHECK_H
#define EXSYNC_DAEMON_CHECK_H

#include "base/buffer.h"
#include "config/config.h"
#include "daemon/unit_file.h"

/* Looks at the state directory, and at each folder below which mail is delivered (see
 * config_maildir_root; only of mailboxes whose incoming mail is wanted): each must exist, and the
 * effective user must be able to search and to write it. What is amiss is appended to `report`, one
 * line for each folder, with the user and what to do:
 *   warning: the mail folder /srv/mail does not exist; make it for user exsyncd: install -d ...
 * Then at what the service of systemd may write (check_sandbox.h). These are warnings: the daemon
 * may be meant for another user, or another moment. */
void check_folders(const struct config *config, const struct unit_file *unit,
                   struct buffer *report);

#endif

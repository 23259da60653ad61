/* Whether the service can read the key table that it signs in with where a profile has no password.
 */
#ifndef EXSYNC_DAEMON_CHECK_KERBEROS_H
#define EXSYNC_DAEMON_CHECK_KERBEROS_H

#include "base/buffer.h"
#include "config/config.h"
#include "daemon/unit_file.h"

/* Appends one warning to `report` when a profile wants Kerberos without a password and the client
 * key table, which the unit names (where none is installed: the environment), cannot be read by the
 * effective user or has no entry. Nothing is said where a ticket cache is named, which comes first,
 * and of a path with specifiers: a credential of systemd is there only while the service runs.
 * Blocks; asks no domain controller. */
void check_kerberos(const struct config *config, const struct unit_file *unit,
                    struct buffer *report);

#endif

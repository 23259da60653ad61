/* What exsyncctl takes from the daemon's configuration. */
#ifndef EXSYNC_EXSYNCCTL_CONFIG_H
#define EXSYNC_EXSYNCCTL_CONFIG_H

#include "tools/exsyncctl.h"

#include "base/buffer.h"

/* Where the daemon listens: tool->socket, in this order by --socket, by the control_socket of the
 * file that --config names, by that of the default file when it can be read, or
 * CONTROL_DEFAULT_SOCKET. False with tool->problem: the file of --config cannot be used, or says
 * that there is no socket. */
bool configured_socket(struct exsyncctl *tool);

/* Why the configuration cannot be used, from the report that reading it has left: one sentence with
 * what to do is appended to `text`. Returns EX_NOPERM when a file may not be read, or EX_CONFIG. */
int configuration_problem(const struct exsyncctl *tool, const struct buffer *report,
                          struct buffer *text);

#endif

/* The commands that control knows, by theme; each table is in the file of its name. */
#ifndef EXSYNC_DAEMON_CONTROL_COMMANDS_H
#define EXSYNC_DAEMON_CONTROL_COMMANDS_H

#include "daemon/control.h"

/* Each ends with a row without a name. */
extern const struct control_command control_test_commands[];       /* control_test.c */
extern const struct control_command control_diagnose_commands[];   /* control_diagnose.c */
extern const struct control_command control_daemon_commands[];     /* control_daemon.c */
extern const struct control_command control_sync_commands[];       /* control_sync.c */
extern const struct control_command control_act_commands[];        /* control_act.c */
extern const struct control_command control_queue_commands[];      /* control_queue.c */
extern const struct control_command control_queue_list_commands[]; /* control_queue_list.c */
extern const struct control_command control_status_commands[];     /* control_status.c */
extern const struct control_command control_view_commands[];       /* control_view.c */
extern const struct control_command control_alert_commands[];      /* control_alerts.c */
extern const struct control_command control_trace_commands[];      /* control_trace.c */
extern const struct control_command control_verify_commands[];     /* control_verify.c */

/* The command of that name; NULL: there is none. */
const struct control_command *control_command_find(const char *name);

#endif

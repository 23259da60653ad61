/* The tables of commands, one for each theme, in the order in which --help shows them. */
#ifndef EXSYNC_EXSYNCCTL_COMMANDS_H
#define EXSYNC_EXSYNCCTL_COMMANDS_H

#include "tools/exsyncctl.h"

extern const struct exsyncctl_command exsyncctl_test_commands[];     /* exsyncctl_test.c */
extern const struct exsyncctl_command exsyncctl_diagnose_commands[]; /* exsyncctl_diagnose.c */
extern const struct exsyncctl_command exsyncctl_status_commands[];   /* exsyncctl_status.c */
extern const struct exsyncctl_command exsyncctl_view_commands[];     /* exsyncctl_view.c */
extern const struct exsyncctl_command exsyncctl_alert_commands[];    /* exsyncctl_alerts.c */
extern const struct exsyncctl_command exsyncctl_check_commands[];    /* exsyncctl_check.c */
extern const struct exsyncctl_command exsyncctl_sync_commands[];     /* exsyncctl_sync.c */
extern const struct exsyncctl_command exsyncctl_act_commands[];      /* exsyncctl_act.c */
extern const struct exsyncctl_command exsyncctl_queue_commands[];    /* exsyncctl_queue.c */
extern const struct exsyncctl_command exsyncctl_trace_commands[];    /* exsyncctl_trace.c */
extern const struct exsyncctl_command exsyncctl_backup_commands[];   /* exsyncctl_backup.c */
extern const struct exsyncctl_command exsyncctl_verify_commands[];   /* exsyncctl_verify.c */
extern const struct exsyncctl_command exsyncctl_daemon_commands[];   /* exsyncctl_daemon.c */

#endif

#include "tools/exsyncctl_commands.h"

#include <stddef.h>

/* One line for each theme. */
const struct exsyncctl_command *const exsyncctl_commands[] = {
    exsyncctl_status_commands,   exsyncctl_view_commands,
    exsyncctl_alert_commands,    exsyncctl_check_commands,
    exsyncctl_sync_commands,     exsyncctl_test_commands,
    exsyncctl_diagnose_commands, exsyncctl_act_commands,
    exsyncctl_queue_commands,    exsyncctl_trace_commands,
    exsyncctl_backup_commands,   exsyncctl_verify_commands,
    exsyncctl_daemon_commands,   NULL,
};

#include "daemon/control_commands.h"

#include <stddef.h>
#include <string.h>

/* One line for each theme. */
static const struct control_command *const tables[] = {
    control_test_commands,  control_diagnose_commands,   control_daemon_commands,
    control_sync_commands,  control_status_commands,     control_view_commands,
    control_alert_commands, control_act_commands,        control_queue_commands,
    control_trace_commands, control_queue_list_commands, control_verify_commands,
};

const struct control_command *control_command_find(const char *name)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct control_command *command = tables[i]; command->name != NULL; command++) {
            if (strcmp(command->name, name) == 0)
                return command;
        }
    }
    return NULL;
}

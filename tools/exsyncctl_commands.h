/* The tables of commands, in the order in which --help shows them, and what is found in them. */
#ifndef EXSYNC_EXSYNCCTL_COMMANDS_H
#define EXSYNC_EXSYNCCTL_COMMANDS_H

#include "tools/exsyncctl.h"

/* A table; those without a title belong to the one above. The last has no commands. */
struct exsyncctl_theme {
    const char *title; /* "for the daemon": behind "Commands" */
    const struct exsyncctl_command *commands;
};

extern const struct exsyncctl_theme exsyncctl_commands[];

/* The command whose name is the first word, or both; `second` may be NULL. NULL: there is none. */
const struct exsyncctl_command *commands_find(const char *first, const char *second);

/* The first one that has such an option of its own. NULL: there is none. */
const struct exsyncctl_command *commands_with_option(const char *name);

/* Whether commands have two words of which it is the first: "queue". */
bool commands_is_group(const char *word);
bool commands_is_of(const struct exsyncctl_command *command, const char *group);

/* Tells that there is no such command, and which ones may have been meant. `second` may be NULL.
 * Returns the exit status. */
int commands_unknown(struct exsyncctl *tool, const char *first, const char *second);

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
extern const struct exsyncctl_command exsyncctl_log_commands[];      /* exsyncctl_log.c */
extern const struct exsyncctl_command exsyncctl_backup_commands[];   /* exsyncctl_backup.c */
extern const struct exsyncctl_command exsyncctl_verify_commands[];   /* exsyncctl_verify.c */
extern const struct exsyncctl_command exsyncctl_daemon_commands[];   /* exsyncctl_daemon.c */

#endif

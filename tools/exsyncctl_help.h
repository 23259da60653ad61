/* What --help prints, from the tables of commands: on standard output, in lines of 80 columns. */
#ifndef EXSYNC_EXSYNCCTL_HELP_H
#define EXSYNC_EXSYNCCTL_HELP_H

#include "tools/exsyncctl.h"

#include <stdio.h>

void help_of_all(void);
void help_of_command(const struct exsyncctl_command *command);

/* Of all commands whose first word it is: "queue". */
void help_of_group(const char *group);

/* "Usage: exsyncctl sync now ADDRESS|--profile NAME [--wait]" */
void help_usage(const struct exsyncctl_command *command, FILE *stream);

#endif

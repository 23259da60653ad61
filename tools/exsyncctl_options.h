/* Reading the command line by the tables of commands. */
#ifndef EXSYNC_EXSYNCCTL_OPTIONS_H
#define EXSYNC_EXSYNCCTL_OPTIONS_H

#include "tools/exsyncctl.h"

/* The options of the program, which may stand before and behind the command. */
extern const struct exsyncctl_option exsyncctl_global_options[];

/* Sets what `tool` is told of sockets, output, command and its options, and moves the command's
 * arguments to the front of `arguments`, whose count becomes `*argument_count`. Returns -1 to run
 * the command, or the exit status: help was printed, or a mistake was told. */
int exsyncctl_read_options(struct exsyncctl *tool, int count, char **words, char **arguments,
                           int *argument_count);

#endif

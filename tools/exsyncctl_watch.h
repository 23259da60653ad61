/* A screen that is drawn again and again, until q or Ctrl-C, as top does it. */
#ifndef EXSYNC_EXSYNCCTL_WATCH_H
#define EXSYNC_EXSYNCCTL_WATCH_H

#include "tools/exsyncctl.h"

/* Draws once a second, on a terminal only. `draw` prints to standard output; what does not fit the
 * screen is left out. It returns an exit status; one that is not EX_OK ends the watch. The terminal
 * is as before when this returns, and also when a signal ends the program. Returns the exit
 * status. */
int watch_run(struct exsyncctl *tool, int (*draw)(struct exsyncctl *tool, void *argument),
              void *argument);

#endif

/* A program of the administrator's that is given a text.
 *
 * It is run without a shell, in a job off the loop, with: the text on its standard input, nothing
 * (/dev/null) as standard output, and no descriptor but these and standard error; PATH alone in its
 * environment; / as its folder; all signals as a new program expects them; and a process group of
 * its own. It has done its work when it exits with 0. A program that does not read its input is
 * fine. When the time limit is over, the group gets a SIGTERM, and a SIGKILL
 * COMMAND_TERM_PATIENCE_MS later; what the program leaves behind in its group when it exits may go
 * on. */
#ifndef EXSYNC_NOTIFY_COMMAND_H
#define EXSYNC_NOTIFY_COMMAND_H

#include "base/executor.h"
#include "base/failure.h"

#include <stdint.h>

enum { COMMAND_TERM_PATIENCE_MS = 2000 };

struct command_run;

/* Called on the loop, once, unless the run was cancelled; it is gone afterwards. `failure` is NULL
 * when the program exited with 0, and valid during the call otherwise:
 *   scope      always the profile's; category configuration
 *   code       "exit 3", "SIGKILL", "time limit", an errno's name ("ENOENT"), or "exit unknown"
 *              when the process ignores SIGCHLD
 *   step       "command"
 *   text       the last line that it wrote to standard error, or what is known otherwise
 *   permanent  the program cannot be executed */
typedef void command_done(void *argument, const struct failure *failure);

/* `argv`, NULL-terminated, begins with the absolute path; all is copied. */
struct command_run *command_start(struct executor *executor, struct executor_pool *pool,
                                  const char *const *argv, const char *input,
                                  uint64_t time_limit_ms, command_done *done, void *argument);

/* `done` is not called. The program is ended as at the end of its time. Not after `done` was
 * called. */
void command_cancel(struct command_run *run);

#endif

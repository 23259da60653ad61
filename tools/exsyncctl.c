/* exsyncctl: the command line, the command, and the end. */
#include "tools/exsyncctl.h"

#include "base/memory.h"
#include "tools/exsyncctl_options.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static bool wants_colour(const struct exsyncctl *tool)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return tool->terminal && !tool->json && (no == NULL || no[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

/* What the daemon tells is UTF-8, whatever cron, sudo or ssh have left of the user's locale. */
static void set_characters(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* What was printed may not have been taken: a full disk, a closed pipe. */
static int end_output(struct exsyncctl *tool, int status)
{
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    return written || status != EX_OK ? status
                                      : exsyncctl_fail(tool, EX_IOERR,
                                                       "the output cannot be "
                                                       "written");
}

int main(int count, char **words)
{
    struct exsyncctl tool = {.config_path = EXSYNCCTL_DEFAULT_CONFIG};
    char **arguments = memory_allocate_array((size_t)count + 1, sizeof *arguments);
    int argument_count;
    set_characters();
    signal(SIGPIPE, SIG_DFL); /* the reader of our output has had enough */
    int status = exsyncctl_read_options(&tool, count - 1, words + 1, arguments, &argument_count);
    if (status < 0) {
        tool.terminal = isatty(STDOUT_FILENO) == 1;
        tool.colour = wants_colour(&tool);
        status = tool.command->run(&tool, argument_count, arguments);
    }
    status = end_output(&tool, status);
    control_client_free(tool.client);
    memory_free(tool.configured);
    memory_free(arguments);
    return status;
}

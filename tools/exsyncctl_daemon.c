/* version, reload: the daemon itself. */
#include "base/text.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* --- version --- */

static void show_version(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *daemon = output_text(answer, "exsyncd");
    output_print(tool, OUTPUT_PLAIN, "exsyncctl %s\n", EXSYNC_VERSION);
    output_print(tool, OUTPUT_PLAIN, "exsyncd   %s (process %lld)\n", daemon == NULL ? "-" : daemon,
                 (long long)output_number(answer, "process"));
    if (daemon != NULL && strcmp(daemon, EXSYNC_VERSION) != 0)
        exsyncctl_warn(tool, "exsyncd runs in another version than it is installed in; restart "
                             "it when it suits");
}

static int run_version(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count, (void)arguments;
    return exsyncctl_each(tool, json_pack("{s:s}", "command", "version"), show_version, NULL);
}

/* --- reload --- */

enum { LINE_SIZE = 4096 };

/* Mistakes and warnings as exsyncd --check-config tells them. */
static void show_reload(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *kind = output_text(answer, "kind"), *text = output_text(answer, "text");
    const char *path = output_text(answer, "path");
    if (text != NULL) {
        char line[LINE_SIZE];
        text_copy_shown(line, sizeof line, text, strlen(text));
        fprintf(stderr, "%s\n", line);
    } else if (kind != NULL && path != NULL && strcmp(kind, "configuration") == 0) {
        int64_t mailboxes = output_number(answer, "mailboxes");
        int64_t profiles = output_number(answer, "profiles");
        output_print(tool, OUTPUT_PLAIN, "%s: in use: %lld %s on %lld %s\n", path,
                     (long long)mailboxes, mailboxes == 1 ? "mailbox" : "mailboxes",
                     (long long)profiles, profiles == 1 ? "profile" : "profiles");
    }
}

static int run_reload(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count, (void)arguments;
    return exsyncctl_each(tool, json_pack("{s:s}", "command", "reload"), show_reload, NULL);
}

const struct exsyncctl_command exsyncctl_daemon_commands[] = {
    {"reload", "", "take the configuration into use", NULL, 0, 0, run_reload},
    {"version", "", "tell the versions of exsyncctl and exsyncd", NULL, 0, 0, run_version},
    {.name = NULL},
};

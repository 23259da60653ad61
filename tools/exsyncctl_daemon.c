/* version, reload, log: the daemon itself. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* --- version --- */

static void show_version(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *daemon = output_text(answer, "exsyncd");
    printf("exsyncctl %s\nexsyncd   %s (process %lld)\n", EXSYNC_VERSION,
           daemon == NULL ? "-" : daemon, (long long)output_number(answer, "process"));
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

/* Mistakes and warnings as exsyncd --check-config tells them. */
static void show_reload(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)tool, (void)argument;
    const char *kind = output_text(answer, "kind"), *text = output_text(answer, "text");
    const char *path = output_text(answer, "path");
    if (text != NULL) {
        fprintf(stderr, "%s\n", text);
    } else if (kind != NULL && path != NULL && strcmp(kind, "configuration") == 0) {
        int64_t mailboxes = output_number(answer, "mailboxes");
        int64_t profiles = output_number(answer, "profiles");
        printf("%s: in use: %lld %s on %lld %s\n", path, (long long)mailboxes,
               mailboxes == 1 ? "mailbox" : "mailboxes", (long long)profiles,
               profiles == 1 ? "profile" : "profiles");
    }
}

static int run_reload(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count, (void)arguments;
    return exsyncctl_each(tool, json_pack("{s:s}", "command", "reload"), show_reload, NULL);
}

/* --- log --- */

enum { MATCH_SIZE = 400, MOST_WORDS = 16 };

/* Addresses are logged as the configuration has them: in lower case. */
static bool write_match(char match[MATCH_SIZE], const char *address)
{
    int length = snprintf(match, MATCH_SIZE, "EXSYNC_MAILBOX=%s", address);
    for (char *next = strchr(match, '='); *next != '\0'; next++)
        *next = (char)tolower((unsigned char)*next);
    return length < MATCH_SIZE && strchr(address, '@') != NULL;
}

static int run_log(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    char match[MATCH_SIZE];
    const char *words[MOST_WORDS] = {"journalctl", "SYSLOG_IDENTIFIER=exsyncd", match};
    size_t used = 3;
    if (!write_match(match, arguments[0]))
        return exsyncctl_misused(tool, "%s is no address of a mailbox", arguments[0]);
    if (exsyncctl_flag(tool, "follow"))
        words[used++] = "--follow";
    if (exsyncctl_flag(tool, "since")) {
        words[used++] = "--since";
        words[used++] = exsyncctl_value(tool, "since");
    }
    if (exsyncctl_flag(tool, "lines")) {
        words[used++] = "--lines";
        words[used++] = exsyncctl_value(tool, "lines");
    }
    if (tool->json)
        words[used++] = "--output=json";
    execvp(words[0], (char *const *)words);
    return exsyncctl_fail(tool, errno == ENOENT ? EX_UNAVAILABLE : EX_OSERR,
                          "cannot run journalctl, which reads the journal: %s; without systemd the "
                          "log is where exsyncd's standard error goes",
                          strerror(errno));
}

static const struct exsyncctl_option log_options[] = {
    {"follow", NULL, "go on with what is logged from now on"},
    {"since", "TIME", "only what is not older: today, -1h, \"2026-01-31 08:00\" (systemd.time(7))"},
    {"lines", "NUMBER", "only so many of the last lines"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_daemon_commands[] = {
    {"log", "ADDRESS", "what the journal has of a mailbox", log_options, 1, 1, run_log},
    {"reload", "", "take the configuration into use, and tell its mistakes", NULL, 0, 0,
     run_reload},
    {"version", "", "the versions of exsyncctl and of the exsyncd that runs", NULL, 0, 0,
     run_version},
    {.name = NULL},
};

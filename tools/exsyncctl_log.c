/* log: what the journal has of a mailbox. All that can be wrong is looked for first, as journalctl
 * shows nothing, and says nothing, when it does not find what it is asked for. */
#define _GNU_SOURCE /* GLOB_BRACE */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "config/config_value.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_since.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { MOST_WORDS = 16, MOST_LINES = 100000000, WORD_SIZE = 64 };

/* --- the mailbox --- */

/* In lower case, as addresses are logged; the caller's. NULL: it is none, which was told. */
static char *read_address(struct exsyncctl *tool, const char *text)
{
    struct buffer wrong = {0};
    char *address = memory_copy_string(text);
    if (!config_read_address(address, &wrong)) {
        exsyncctl_misused(tool, "%s", buffer_string(&wrong));
        memory_free(address);
        address = NULL;
    }
    buffer_release(&wrong);
    return address;
}

static bool ask_for(struct exsyncctl *tool, const char *address)
{
    json_t *answer = NULL;
    json_t *request = json_pack("{s:s, s:s}", "command", "mailbox", "address", address);
    enum control_next next = CONTROL_FAILED;
    if (control_client_call(tool->client, request, &tool->problem))
        do {
            json_decref(answer);
            next = control_client_next(tool->client, -1, &answer, &tool->problem);
        } while (next == CONTROL_ANSWER);
    return next != CONTROL_FAILED;
}

/* Returns EX_OK, also when nobody can be asked. */
static int check_mailbox(struct exsyncctl *tool, const char *address)
{
    bool connected = exsyncctl_connect(tool);
    if (connected && ask_for(tool, address))
        return EX_OK;
    if (connected && tool->problem.exit == EX_NOUSER)
        return exsyncctl_fail(tool, EX_NOUSER,
                              "%s; of one that was removed the journal may still have something: "
                              "journalctl SYSLOG_IDENTIFIER=exsyncd EXSYNC_MAILBOX=%s",
                              tool->problem.text, address);
    if (strcmp(tool->problem.code, "NotRunning") == 0)
        exsyncctl_warn(tool, "exsyncd is not running: whether %s is a mailbox cannot be checked",
                       address);
    else
        exsyncctl_warn(tool, "whether %s is a mailbox cannot be checked: %s", address,
                       tool->problem.text);
    return EX_OK;
}

/* --- the options --- */

static bool read_lines(const char *text, char word[WORD_SIZE])
{
    char *end;
    errno = 0;
    long lines = strtol(text, &end, 10);
    snprintf(word, WORD_SIZE, "%ld", lines);
    return errno == 0 && end != text && *end == '\0' && lines > 0 && lines <= MOST_LINES;
}

/* As --since of other commands, or in systemd's way, which journalctl checks: it has a number, or
 * is one of a few words. */
static bool read_since(const char *text, char word[WORD_SIZE])
{
    static const char *const words[] = {"now", "today", "yesterday"};
    int64_t since_ms;
    bool known = strpbrk(text, "0123456789") != NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || strcmp(text, words[i]) == 0;
    if (since_parse(text, clock_wall_ms(), &since_ms)) {
        snprintf(word, WORD_SIZE, "@%" PRId64, since_ms / 1000);
        return true;
    }
    return known && snprintf(word, WORD_SIZE, "%s", text) < WORD_SIZE;
}

/* --- the journal --- */

#define JOURNAL_FILES "/{run,var}/log/journal/*/*.journal"
#define JOURNAL_KEPT  "/var/log/journal/*/*.journal"

static size_t count_files(const char *pattern, bool readable)
{
    glob_t found;
    size_t count = 0;
    if (glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++)
        count += !readable || access(found.gl_pathv[i], R_OK) == 0;
    globfree(&found);
    return count;
}

/* Returns EX_OK, also when there is little in it. */
static int check_journal(struct exsyncctl *tool)
{
    if (count_files(JOURNAL_FILES, false) == 0)
        return exsyncctl_fail(tool, EX_UNAVAILABLE,
                              "there is no journal in /run/log/journal or /var/log/journal; start "
                              "systemd-journald (and see Storage= in journald.conf), or look where "
                              "the standard error of exsyncd goes");
    if (count_files(JOURNAL_FILES, true) == 0)
        return exsyncctl_fail(tool, EX_NOPERM,
                              "you may not read the journal; become root, or join the group "
                              "systemd-journal with usermod -a -G systemd-journal USER and log in "
                              "anew");
    if (count_files(JOURNAL_KEPT, false) == 0)
        exsyncctl_warn(tool, "the journal of this machine is not kept over a restart; mkdir "
                             "/var/log/journal && systemctl restart systemd-journald keeps it");
    return EX_OK;
}

/* --- journalctl --- */

static int run_journalctl(struct exsyncctl *tool, const char **words)
{
    execvp(words[0], (char *const *)words);
    if (errno == ENOENT)
        return exsyncctl_fail(tool, EX_UNAVAILABLE,
                              "journalctl, which reads the journal, is not installed; without "
                              "systemd the log is where the standard error of exsyncd goes");
    return exsyncctl_fail(tool, EX_OSERR, "journalctl, which reads the journal, cannot be run: %s",
                          strerror(errno));
}

/* Adds --NAME and its value. False: the value is none, which was told. */
static bool add_value(struct exsyncctl *tool, const char **words, size_t *used, const char *name,
                      bool (*read)(const char *text, char word[WORD_SIZE]), char word[WORD_SIZE],
                      const char *right)
{
    const char *text = exsyncctl_value(tool, name);
    if (text == NULL)
        return true;
    if (!read(text, word)) {
        exsyncctl_misused(tool, "--%s %s is wrong; write %s", name, text, right);
        return false;
    }
    words[(*used)++] = name[0] == 's' ? "--since" : "--lines";
    words[(*used)++] = word;
    return true;
}

static int show_log(struct exsyncctl *tool, const char *address)
{
    struct buffer match = {0};
    char since[WORD_SIZE], lines[WORD_SIZE];
    const char *words[MOST_WORDS] = {"journalctl", "SYSLOG_IDENTIFIER=exsyncd"};
    size_t used = 3;
    if (exsyncctl_flag(tool, "follow"))
        words[used++] = "--follow";
    if (!add_value(tool, words, &used, "since", read_since, since,
                   SINCE_FORMS ", or today, yesterday, -1h") ||
        !add_value(tool, words, &used, "lines", read_lines, lines, "a number from 1 to 100000000"))
        return tool->status;
    if (tool->json)
        words[used++] = "--output=json";
    int status = check_mailbox(tool, address);
    if (status == EX_OK)
        status = check_journal(tool);
    if (status != EX_OK)
        return status;
    buffer_append_format(&match, "EXSYNC_MAILBOX=%s", address);
    words[2] = match.data;
    status = run_journalctl(tool, words);
    buffer_release(&match);
    return status;
}

static int run_log(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    char *address = read_address(tool, arguments[0]);
    int status = address == NULL ? tool->status : show_log(tool, address);
    memory_free(address);
    return status;
}

static const struct exsyncctl_option log_options[] = {
    {"follow", NULL, "go on with what is logged from now on"},
    {"since", "TIME", "only what is not older: 2h, 3d (ago), today, \"2026-01-31 08:00\""},
    {"lines", "NUMBER", "only so many of the last lines"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_log_commands[] = {
    {"log", "ADDRESS", "show what the journal has of a mailbox", log_options, 1, 1, run_log},
    {.name = NULL},
};

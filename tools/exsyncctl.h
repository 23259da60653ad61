/* exsyncctl: what an administrator types.
 *
 *   command   `sync now`, `status`: a row of a table of exsyncctl_commands.c
 *   option    --name of a command, or of the program (global: --json, --socket ...)
 *   argument  what is left: ADDRESS, PROFILE
 *
 * To add a command: write its `run` in the exsyncctl_THEME.c to which it belongs, and put it into
 * that file's table. Options and the number of arguments are checked before `run`; usage and help
 * are made from the table, and the completion and the manual pages are compared with it.
 *
 * What was asked for goes to standard output, everything else to standard error as
 * "exsyncctl: WHAT; WHAT TO DO". The exit status is one of sysexits.h, and 0 only when it worked.
 */
#ifndef EXSYNC_EXSYNCCTL_H
#define EXSYNC_EXSYNCCTL_H

#include "control/control_client.h"

#include <jansson.h>
#include <stdbool.h>

#define EXSYNCCTL_DEFAULT_CONFIG "/etc/exsyncd/exsyncd.conf"

struct exsyncctl_option {
    const char *name;     /* "wait", for --wait; NULL behind the last */
    const char *argument; /* "TIME" of --since TIME; NULL: it takes none */
    const char *summary;
};

struct exsyncctl;

struct exsyncctl_command {
    const char *name;      /* one word or two: "status", "sync now"; NULL behind the last */
    const char *arguments; /* "ADDRESS|--profile NAME"; "" for none */
    const char *summary;
    const struct exsyncctl_option *options; /* NULL: none of its own */
    int least, most;                        /* arguments; most -1: any number */
    /* What is left behind the command's words and options. Returns the exit status, which is that
     * of exsyncctl_fail or of a call that failed. */
    int (*run)(struct exsyncctl *tool, int count, char **arguments);
};

enum { EXSYNCCTL_OPTIONS = 16 };

struct exsyncctl {
    const char *socket;      /* --socket; NULL: not known before the first call */
    const char *config_path; /* --config, or the default: names the socket and the database */
    char *configured;        /* the socket, as the configuration names it; NULL: it does not */
    bool json;               /* --json: answers as they come, one a line, and nothing else */
    bool terminal;           /* standard output is one */
    bool silent;             /* calls that fail are told later, by who made them */
    bool colour;             /* a terminal, without NO_COLOR, not TERM=dumb, not --json */
    const struct exsyncctl_command *command;
    const char *values[EXSYNCCTL_OPTIONS]; /* of the command's options; "" for one without value */
    struct control_client *client;         /* NULL until the first call */
    struct control_problem problem;        /* of the last call that failed */
    int status;                            /* of the call that failed; EX_OK */
};

/* --- options --- */

/* The value of a command's option; NULL when it was not given. */
const char *exsyncctl_value(const struct exsyncctl *tool, const char *name);
bool exsyncctl_flag(const struct exsyncctl *tool, const char *name);

/* --- asking the daemon --- */

/* Connects (once) and sends a request, of which it takes the reference: {"command": ..., ...}.
 * `take` is called with each answer, which stays the tool's; NULL takes nothing. With --json
 * answers are printed instead as they come. Returns the exit status: what failed was told on
 * standard error, unless the tool is silent, and `problem` says why. */
int exsyncctl_each(struct exsyncctl *tool, json_t *request,
                   void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument),
                   void *argument);

/* Connects without telling why it cannot: false with `problem`. For what works without the daemon,
 * which is when problem.code is "NotRunning". */
bool exsyncctl_connect(struct exsyncctl *tool);

/* --- telling --- */

/* Prints "exsyncctl: ..." on standard error, as one line fit for a terminal; returns `status`. */
int exsyncctl_fail(struct exsyncctl *tool, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of something that does not make the command fail. */
void exsyncctl_warn(struct exsyncctl *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The usage of the command and its exit status (EX_USAGE), after a sentence about what is wrong. */
int exsyncctl_misused(struct exsyncctl *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints an object as a line of JSON, for what does not come from the daemon. */
void exsyncctl_print_json(const json_t *object);

#endif

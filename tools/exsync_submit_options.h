/* The command line of exsync-submit, which is sendmail's as programs use it.
 *
 *   sender      the envelope sender of -f or -r; "" is the null sender, also written <>
 *   recipients  the arguments behind the options; with -t they come in addition to those of the
 *               header, as sendmail and Postfix have it ("These are added to any recipients
 *               specified on the command line")
 *
 * What sendmail does and we have no use for (-h, -N, -R, -V, -v, -O, -o, -q ...) is read and
 * ignored; what a caller would wait for in vain (-bs, -bp ...) is refused with a sentence. An
 * argument that looks like an option but comes behind a recipient is refused, too: it may be an
 * address that somebody has typed into a form. Behind -- everything is an address.
 *
 * Sources: sendmail(8) of sendmail 8.17, sendmail(1) of Postfix. */
#ifndef EXSYNC_SUBMIT_OPTIONS_H
#define EXSYNC_SUBMIT_OPTIONS_H

#include "tools/exsync_submit_problem.h"

#include <stdbool.h>
#include <stddef.h>

enum submit_task {
    SUBMIT_TASK_TAKE,    /* take a message in */
    SUBMIT_TASK_NOTHING, /* newaliases, -bi, -q: there is nothing to do, and that is a success */
    SUBMIT_TASK_HELP,
    SUBMIT_TASK_VERSION,
};

struct submit_options {
    enum submit_task task;
    bool recipients_from_header; /* -t */
    bool dots_are_text;          /* -i: a line with a single dot does not end the message */
    const char *sender;          /* -f, -r; NULL: not given */
    const char *full_name;       /* -F; NULL: not given */
    const char *state_directory; /* --state-directory; NULL: not given */
    char *const *recipients;     /* in argv */
    size_t recipient_count;
};

/* `arguments` is main's, NULL at its end; the strings stay the caller's. Returns EX_OK or the
 * problem's status. Uses getopt_long, which keeps its place in global variables: one thread. */
int submit_options_read(struct submit_options *options, int count, char **arguments,
                        struct submit_problem *problem);

/* For --help. */
extern const char submit_options_help[];

#endif

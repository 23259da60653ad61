#define _GNU_SOURCE /* strcasestr */
#include "tools/exsync_submit_options.h"

#include <getopt.h>
#include <string.h>
#include <strings.h>

enum { LONG_STATE_DIRECTORY = 256, LONG_HELP, LONG_VERSION };

/* "+": options end at the first recipient. ":": a missing argument is told as such. */
static const char letters[] = "+:A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:tvx";

static const struct option long_options[] = {
    {"state-directory", required_argument, NULL, LONG_STATE_DIRECTORY},
    {"help", no_argument, NULL, LONG_HELP},
    {"version", no_argument, NULL, LONG_VERSION},
    {NULL, 0, NULL, 0},
};

const char submit_options_help[] =
    "usage: exsync-submit [OPTION]... [--] [RECIPIENT]...  <MESSAGE\n"
    "Puts a message into exsyncd's outbox; exsyncd sends it through Exchange.\n"
    "\n"
    "  -t          recipients are those of To, Cc and Bcc, and those given\n"
    "  -i, -oi     a line with a single dot does not end the message\n"
    "  -f, -r ADDR the sender, when the message has no From; <>: nobody is told of failures\n"
    "  -F NAME     the sender's full name, when the message has no From\n"
    "  --help, --version\n"
    "\n"
    "The other options of sendmail are read and ignored, or refused with a reason.\n";

static int read_mode(struct submit_options *options, const char *mode,
                     struct submit_problem *problem)
{
    switch (mode[0]) {
    case 'm':
        return EX_OK;
    case 'i':
        options->task = SUBMIT_TASK_NOTHING;
        return EX_OK;
    case 'p':
    case 'P':
    case 'h':
    case 'H':
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "it does not list what is on its way; exsyncctl queue list does, "
                                  "and with --failed what has failed");
    case 's':
    case 'S':
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "it does not speak SMTP; let the program call it with -t or "
                                  "recipients and the message on standard input");
    case 'd':
    case 'D':
    case 'a':
    case 'l':
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "it is no daemon; mail is sent by exsyncd, start that");
    case 't':
    case 'v':
        return submit_problem_set(problem, EX_UNAVAILABLE,
                                  "it does not check addresses; Exchange does when exsyncd sends");
    default:
        return submit_problem_set(problem, EX_USAGE, "unknown mode -b%s; leave it out", mode);
    }
}

static int read_body_type(const char *type, struct submit_problem *problem)
{
    if (strcasecmp(type, "7BIT") == 0 || strcasecmp(type, "8BITMIME") == 0)
        return EX_OK;
    return submit_problem_set(problem, EX_USAGE, "unknown body type -B %s; use 7BIT or 8BITMIME",
                              type);
}

/* -oi is the old way to write -i, and -O IgnoreDots the long one: to ignore those would cut a
 * message off at its first dot. */
static void read_setting(struct submit_options *options, char letter, const char *setting)
{
    static const char ignore_dots[] = "IgnoreDots";
    if (letter == 'o' ? strcmp(setting, "i") == 0
                      : strncasecmp(setting, ignore_dots, sizeof ignore_dots - 1) == 0 &&
                            strcasestr(setting, "false") == NULL)
        options->dots_are_text = true;
}

static int refuse(int option, char **arguments, struct submit_problem *problem)
{
    if (option == ':')
        return submit_problem_set(problem, EX_USAGE, "option %s needs a value; see --help",
                                  arguments[optind - 1]);
    if (optopt > 0 && optopt < LONG_STATE_DIRECTORY)
        return submit_problem_set(problem, EX_USAGE, "unknown option -%c; see --help", optopt);
    return submit_problem_set(problem, EX_USAGE, "unknown option %s; see --help",
                              arguments[optind - 1]);
}

static int read_option(struct submit_options *options, int option, bool *queue_run,
                       char **arguments, struct submit_problem *problem)
{
    switch (option) {
    case 't':
        options->recipients_from_header = true;
        return EX_OK;
    case 'i':
        options->dots_are_text = true;
        return EX_OK;
    case 'f':
    case 'r':
        options->sender = strcmp(optarg, "<>") == 0 ? "" : optarg;
        return EX_OK;
    case 'F':
        options->full_name = optarg;
        return EX_OK;
    case 'o':
    case 'O':
        read_setting(options, (char)option, optarg);
        return EX_OK;
    case 'b':
        return read_mode(options, optarg, problem);
    case 'B':
        return read_body_type(optarg, problem);
    case 'I':
        options->task = SUBMIT_TASK_NOTHING;
        return EX_OK;
    case 'q':
        *queue_run = true;
        return EX_OK;
    case LONG_STATE_DIRECTORY:
        options->state_directory = optarg;
        return EX_OK;
    case LONG_HELP:
        options->task = SUBMIT_TASK_HELP;
        return EX_OK;
    case LONG_VERSION:
        options->task = SUBMIT_TASK_VERSION;
        return EX_OK;
    case '?':
    case ':':
        return refuse(option, arguments, problem);
    default:
        return EX_OK; /* sendmail's, of no use here */
    }
}

/* The names under which sendmail does something else. */
static int read_own_name(struct submit_options *options, const char *name,
                         struct submit_problem *problem)
{
    const char *slash = strrchr(name, '/');
    name = slash != NULL ? slash + 1 : name;
    if (strcmp(name, "newaliases") == 0)
        options->task = SUBMIT_TASK_NOTHING;
    return strcmp(name, "mailq") == 0 ? read_mode(options, "p", problem) : EX_OK;
}

static int read_recipients(struct submit_options *options, int count, char **arguments,
                           struct submit_problem *problem)
{
    bool explicit_end = optind > 1 && strcmp(arguments[optind - 1], "--") == 0;
    for (int i = optind; i < count && !explicit_end; i++) {
        if (arguments[i][0] == '-')
            return submit_problem_set(problem, EX_USAGE,
                                      "%s stands behind a recipient; put options first, and -- "
                                      "in front of recipients that begin with -",
                                      arguments[i]);
    }
    options->recipients = arguments + optind;
    options->recipient_count = (size_t)(count - optind);
    return EX_OK;
}

int submit_options_read(struct submit_options *options, int count, char **arguments,
                        struct submit_problem *problem)
{
    bool queue_run = false;
    int option, status;
    *options = (struct submit_options){.task = SUBMIT_TASK_TAKE};
    if (count < 1)
        return submit_problem_set(problem, EX_USAGE, "called without its name; see --help");
    status = read_own_name(options, arguments[0], problem);
    optind = 0; /* begins anew, in a test as well */
    opterr = 0;
    while (status == EX_OK &&
           (option = getopt_long(count, arguments, letters, long_options, NULL)) != -1)
        status = read_option(options, option, &queue_run, arguments, problem);
    if (status == EX_OK)
        status = read_recipients(options, count, arguments, problem);
    if (status != EX_OK || options->task != SUBMIT_TASK_TAKE)
        return status;
    if (options->recipients_from_header || options->recipient_count > 0)
        return EX_OK;
    if (!queue_run)
        return submit_problem_set(problem, EX_USAGE,
                                  "no recipients; name them behind the options, or use -t");
    options->task = SUBMIT_TASK_NOTHING;
    return EX_OK;
}

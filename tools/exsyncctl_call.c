/* What commands are given: options, calls to the daemon, and words for errors. */
#include "base/text.h"
#include "tools/exsyncctl.h"
#include "tools/exsyncctl_config.h"
#include "tools/exsyncctl_help.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 1200 };

/* --- options --- */

const char *exsyncctl_value(const struct exsyncctl *tool, const char *name)
{
    const struct exsyncctl_option *options = tool->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0)
            return tool->values[i];
    }
    return NULL;
}

bool exsyncctl_flag(const struct exsyncctl *tool, const char *name)
{
    return exsyncctl_value(tool, name) != NULL;
}

/* --- telling --- */

__attribute__((format(printf, 1, 0))) static void tell(const char *format, va_list arguments)
{
    char message[MESSAGE_SIZE], line[MESSAGE_SIZE];
    vsnprintf(message, sizeof message, format, arguments);
    text_copy_shown(line, sizeof line, message, strlen(message));
    fflush(stdout);
    fprintf(stderr, "exsyncctl: %s\n", line);
}

int exsyncctl_fail(struct exsyncctl *tool, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
    tool->status = status;
    return status;
}

void exsyncctl_warn(struct exsyncctl *tool, const char *format, ...)
{
    (void)tool;
    va_list arguments;
    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
}

int exsyncctl_misused(struct exsyncctl *tool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
    if (tool->command != NULL)
        help_usage(tool->command, stderr);
    fputs(tool->command == NULL ? "Try: exsyncctl --help\n" : "", stderr);
    tool->status = EX_USAGE;
    return EX_USAGE;
}

/* A terminal obeys control characters (C1) that JSON needs not escape. */
void exsyncctl_print_json(const json_t *object)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    json_dumpf(object, stdout, JSON_COMPACT | (terminal ? JSON_ENSURE_ASCII : 0));
    putchar('\n');
}

/* --- asking the daemon --- */

static void tell_problem(struct exsyncctl *tool)
{
    tool->status = tool->problem.exit;
    if (!tool->silent)
        exsyncctl_fail(tool, tool->problem.exit, "%s", tool->problem.text);
}

bool exsyncctl_connect(struct exsyncctl *tool)
{
    if (tool->client == NULL && configured_socket(tool))
        tool->client = control_client_connect(tool->socket, &tool->problem);
    return tool->client != NULL;
}

static bool call(struct exsyncctl *tool, json_t *request)
{
    if (request == NULL) {
        exsyncctl_fail(tool, EX_USAGE, "what was given is no UTF-8 text");
        return false;
    }
    if (!exsyncctl_connect(tool)) {
        json_decref(request);
        tell_problem(tool);
        return false;
    }
    if (control_client_call(tool->client, request, &tool->problem))
        return true;
    tell_problem(tool);
    return false;
}

static json_t *next_answer(struct exsyncctl *tool)
{
    json_t *answer;
    switch (control_client_next(tool->client, -1, &answer, &tool->problem)) {
    case CONTROL_ANSWER:
        if (tool->json) {
            exsyncctl_print_json(answer);
            fflush(stdout);
        }
        return answer;
    case CONTROL_FAILED:
        tell_problem(tool);
        return NULL;
    case CONTROL_END:
    case CONTROL_TIMEOUT:
        break;
    }
    return NULL;
}

int exsyncctl_each(struct exsyncctl *tool, json_t *request,
                   void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument),
                   void *argument)
{
    json_t *answer;
    tool->status = EX_OK;
    if (!call(tool, request))
        return tool->status;
    while ((answer = next_answer(tool)) != NULL) {
        if (take != NULL && !tool->json)
            take(tool, answer, argument);
        json_decref(answer);
    }
    return tool->status;
}

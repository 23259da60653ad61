#include "tools/exsync_submit_problem.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int submit_problem_set(struct submit_problem *problem, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    problem->status = status;
    return status;
}

void submit_problem_tell(const struct submit_problem *problem)
{
    char line[SUBMIT_PROBLEM_SIZE];
    text_copy_shown(line, sizeof line, problem->text, strlen(problem->text));
    fprintf(stderr, "exsync-submit: %s\n", line);
}

/* Why exsync-submit ends without success: a status that the caller's program understands and one
 * line that its user does ("WHAT; WHAT TO DO"). Source: sysexits.h. */
#ifndef EXSYNC_SUBMIT_PROBLEM_H
#define EXSYNC_SUBMIT_PROBLEM_H

#include <sysexits.h>

enum { SUBMIT_PROBLEM_SIZE = 640 };

struct submit_problem {
    int status; /* EX_OK: there is none */
    char text[SUBMIT_PROBLEM_SIZE];
};

/* Returns the status, so that a function can end with it. */
int submit_problem_set(struct submit_problem *problem, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the line to standard error, fit for a terminal whatever the words came from. */
void submit_problem_tell(const struct submit_problem *problem);

#endif

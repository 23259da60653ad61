#include "tools/exsync_submit_policy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_size(const char *text, uint64_t *size)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *size = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool read_yes(const char *text, bool *yes)
{
    *yes = strcmp(text, "yes") == 0;
    return *yes || strcmp(text, "no") == 0;
}

/* libinih's handler: 0 is a mistake. */
static int read_key(void *argument, const char *section, const char *name, const char *value)
{
    struct submit_policy *policy = argument;
    if (strcmp(section, "submit") != 0)
        return 1;
    if (strcmp(name, "recipients_rewrite") == 0)
        return read_yes(value, &policy->recipients_rewrite);
    if (strcmp(name, "max_message_size") == 0)
        return read_size(value, &policy->max_message_size);
    if (strcmp(name, "min_free") == 0)
        return read_size(value, &policy->min_free);
    return 1;
}

/* Takes the descriptor over. */
static int read_file(struct submit_policy *policy, int descriptor, struct submit_problem *problem)
{
    struct stat status;
    FILE *file = fdopen(descriptor, "r");
    int line;
    if (file == NULL) {
        close(descriptor);
        return submit_problem_set(problem, EX_OSERR, "cannot read outbox/policy: %s; try again",
                                  strerror(errno));
    }
    line = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)
               ? ini_parse_file(file, read_key, policy)
               : -1;
    fclose(file);
    if (line == 0)
        return EX_OK;
    return submit_problem_set(problem, EX_CONFIG,
                              "outbox/policy is not as exsyncd writes it (line %d); restart "
                              "exsyncd, which writes it anew",
                              line);
}

int submit_policy_read(struct submit_policy *policy, int outbox, struct submit_problem *problem)
{
    int descriptor = openat(outbox, "policy", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    *policy = (struct submit_policy){0};
    if (descriptor < 0 && errno == ENOENT)
        return EX_OK;
    if (descriptor < 0)
        return submit_problem_set(problem, EX_CONFIG,
                                  "cannot read outbox/policy: %s; restart exsyncd, which writes "
                                  "that file",
                                  strerror(errno));
    return read_file(policy, descriptor, problem);
}

/* How exsyncd is, as a plugin of Icinga or Nagios tells it: a state, reasons, and performance data.
 * One line on standard output, the data behind a bar, and the state as the exit status; with --json
 * one object with the same.
 *
 *   3 UNKNOWN    exsyncd cannot be asked (not allowed, another version, no answer)
 *   2 CRITICAL   exsyncd does not run; its disk or database fails; a profile's server or account
 *                fails in a way that stays; --critical (1) mailboxes are stopped
 *   1 WARNING    --warning (1) mailboxes are failing, stopped or held; --disabled (1) are disabled,
 *                wholly or in part; a profile is paused, or fails in a way that may pass; an error
 *                is open (a message could not be taken or sent); a submitted message was refused;
 *                the database does not know messages of the outbox; a reload was refused, so that
 *                the configuration before it is in use; a reload waits for something that hangs
 *   0 OK */
#ifndef EXSYNC_EXSYNCCTL_CHECK_H
#define EXSYNC_EXSYNCCTL_CHECK_H

#include "base/buffer.h"
#include "tools/exsyncctl.h"

#include <stdbool.h>
#include <stddef.h>

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN }; /* exit statuses */

enum { CHECK_DATA_MAX = 20, CHECK_NO_LIMIT = -1 };

/* Performance data. */
struct check_datum {
    const char *label; /* static */
    long long value;
    long long warning, critical; /* the largest value that is well; CHECK_NO_LIMIT */
};

struct check {
    /* Set before judging: from so many mailboxes on, 1 or more. */
    long long warning, critical, disabled_limit;

    /* What came of it. */
    enum check_status status; /* the worst of what was found */
    struct buffer reasons;    /* for the status; owned, as the next */
    struct buffer warnings;   /* what would not be more than a warning */
    json_t *named;            /* addresses of mailboxes in trouble; owned */
    long long configured;     /* mailboxes, as the next two */
    long long disabled;       /* wholly or in part */
    long long trouble;        /* failing, stopped or held */
    struct check_datum data[CHECK_DATA_MAX];
    size_t data_count;
};

/* For exsyncctl_each: judges one answer to "status", for a struct check. Kinds of answers that it
 * does not know count for nothing. */
void check_judge(struct exsyncctl *tool, const json_t *answer, void *argument);

/* Prints it; returns the exit status. */
int check_tell(struct exsyncctl *tool, const struct check *check, bool as_json);

#endif

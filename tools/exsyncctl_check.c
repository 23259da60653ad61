/* check: for Icinga and Nagios. Asks the daemon how it is, and tells it as a plugin does: see
 * exsyncctl_check.h. */
#include "tools/exsyncctl_check.h"
#include "tools/exsyncctl_commands.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { NAMED = 3 /* mailboxes */, WHY_SIZE = 2048 };

/* What has come before counts for nothing. */
static void cannot_tell(struct check *check, enum check_status status, const char *why)
{
    check->status = status;
    buffer_clear(&check->reasons);
    json_array_clear(check->named);
    check->data_count = 0;
    buffer_append_string(&check->reasons, why);
}

static void cannot_ask(struct exsyncctl *tool, struct check *check)
{
    bool runs = strcmp(tool->problem.code, "NotRunning") != 0;
    cannot_tell(check, runs ? CHECK_UNKNOWN : CHECK_CRITICAL, tool->problem.text);
}

/* False, with the check unknown: it is no number of mailboxes. */
static bool read_limit(const struct exsyncctl *tool, struct check *check, const char *name,
                       long long *limit)
{
    const char *value = exsyncctl_value(tool, name);
    char *end, why[WHY_SIZE];
    *limit = 1;
    if (value == NULL)
        return true;
    errno = 0;
    *limit = strtoll(value, &end, 10);
    if (errno == 0 && end != value && *end == '\0' && *limit > 0)
        return true;
    snprintf(why, sizeof why,
             "--%s %.40s is no number of mailboxes; write one from 1 on, from which %s", name,
             value, strcmp(name, "critical") == 0 ? "the state is CRITICAL" : "it is WARNING");
    cannot_tell(check, CHECK_UNKNOWN, why);
    return false;
}

static bool read_limits(const struct exsyncctl *tool, struct check *check)
{
    return read_limit(tool, check, "warning", &check->warning) &&
           read_limit(tool, check, "critical", &check->critical) &&
           read_limit(tool, check, "disabled", &check->disabled_limit);
}

/* What the limits allow is told all the same. */
static void say_well(struct check *check)
{
    const char *joint = " but ";
    if (check->configured == 0) {
        buffer_append_string(&check->reasons, "no mailbox is configured");
        return;
    }
    buffer_append_string(&check->reasons, "all mailboxes synchronize");
    if (check->trouble > 0) {
        buffer_append_format(&check->reasons, "%s%lld that %s", joint, check->trouble,
                             text_plural((uint64_t)check->trouble, "fails, is stopped or waits",
                                         "fail, are stopped or wait"));
        joint = " and ";
    }
    if (check->disabled > 0)
        buffer_append_format(&check->reasons, "%s%lld %s disabled, wholly or in part", joint,
                             check->disabled,
                             text_plural((uint64_t)check->disabled, "that is", "that are"));
}

/* Behind what is worse. */
static void add_warnings(struct check *check)
{
    if (check->reasons.length > 0 && check->warnings.length > 0)
        buffer_append_string(&check->reasons, "; ");
    buffer_append_string(&check->reasons, buffer_string(&check->warnings));
}

static int check_run(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct check check = {.status = CHECK_OK, .named = json_array()};
    bool as_json = tool->json;
    json_t *request = json_pack("{s:s, s:i}", "command", "status", "mailboxes", NAMED);
    tool->json = false; /* the answers are not what was asked for */
    bool right = read_limits(tool, &check);
    if (right && (!exsyncctl_connect(tool) ||
                  exsyncctl_each(tool, json_incref(request), check_judge, &check) != EX_OK))
        cannot_ask(tool, &check);
    else if (check.status == CHECK_OK)
        say_well(&check);
    else
        add_warnings(&check);
    json_decref(request);
    int status = check_tell(tool, &check, as_json);
    buffer_release(&check.reasons);
    buffer_release(&check.warnings);
    json_decref(check.named);
    return status;
}

static const struct exsyncctl_option check_options[] = {
    {"warning", "N", "WARNING from so many mailboxes on that fail, are stopped or wait (1)"},
    {"critical", "N", "CRITICAL from so many mailboxes on that are stopped (1)"},
    {"disabled", "N", "WARNING from so many mailboxes on that are disabled (1)"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_check_commands[] = {
    {"check", "", "tell Icinga or Nagios, as a plugin does", check_options, 0, 0, check_run},
    {.name = NULL},
};

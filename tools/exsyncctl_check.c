/* check: for Icinga and Nagios. One line on standard output, performance data behind a bar, and the
 * exit status of a plugin.
 *
 *   3 UNKNOWN    exsyncd cannot be asked (not allowed, another version, no answer)
 *   2 CRITICAL   exsyncd does not run; its disk or database fails; a profile's server or account
 *                fails in a way that stays; --critical (1) mailboxes are stopped
 *   1 WARNING    --warning (1) mailboxes are failing, stopped or held; a profile fails in a way
 *                that may pass; an error is open (a message could not be taken or sent)
 *   0 OK */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include "base/buffer.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

enum { NAMED = 3, LINE_SIZE = 2048 }; /* mailboxes that are named */

struct check {
    long long disabled;
    enum check_status status;
    long long warning, critical; /* mailboxes */
    struct buffer reasons;
    struct buffer named; /* mailboxes in trouble */
    struct buffer data;
};

static long long number_of(const json_t *object, const char *member)
{
    return (long long)output_number(object, member);
}

/* --- reasons --- */

static void add_reason(struct check *check, enum check_status status)
{
    if (status > check->status)
        check->status = status;
    if (check->reasons.length > 0)
        buffer_append_string(&check->reasons, "; ");
}

static void judge_mailboxes(struct check *check, const json_t *mailboxes)
{
    long long stopped = number_of(mailboxes, "stopped"), held = number_of(mailboxes, "held");
    long long failing = number_of(mailboxes, "failing");
    bool critical = stopped >= check->critical,
         warning = stopped + failing + held >= check->warning;
    if (stopped > 0 && (critical || warning)) {
        add_reason(check, critical ? CHECK_CRITICAL : CHECK_WARNING);
        buffer_append_format(
            &check->reasons, "%lld %s", stopped,
            text_plural((uint64_t)stopped, "mailbox is stopped", "mailboxes are stopped"));
    }
    if (failing > 0 && warning) {
        add_reason(check, CHECK_WARNING);
        buffer_append_format(&check->reasons, "%lld %s", failing,
                             text_plural((uint64_t)failing, "mailbox fails", "mailboxes fail"));
    }
    if (held > 0 && warning) {
        add_reason(check, CHECK_WARNING);
        buffer_append_format(&check->reasons, "%lld %s", held,
                             text_plural((uint64_t)held, "mailbox waits", "mailboxes wait"));
    }
}

/* Those of mailboxes are judged by the limits; others are of messages, say. */
static void judge_alerts(struct check *check, const json_t *alerts, const json_t *mailboxes)
{
    long long errors = number_of(alerts, "errors");
    long long trouble = number_of(mailboxes, "stopped") + number_of(mailboxes, "failing") +
                        number_of(mailboxes, "held");
    if (errors == 0 || trouble > 0)
        return;
    add_reason(check, CHECK_WARNING);
    buffer_append_format(&check->reasons, "%lld %s open", errors,
                         text_plural((uint64_t)errors, "error is", "errors are"));
}

static void judge_storage(struct check *check, const json_t *storage)
{
    if (!json_is_object(storage))
        return;
    add_reason(check, CHECK_CRITICAL);
    buffer_append_format(&check->reasons, "%s (%s)", output_text(storage, "sentence"),
                         output_text(storage, "code"));
}

static void judge_profile(struct check *check, const json_t *profile)
{
    const json_t *trouble = json_object_get(profile, "trouble");
    const char *name = output_text(profile, "name");
    if (output_true(profile, "paused")) {
        add_reason(check, CHECK_WARNING);
        buffer_append_string(&check->reasons, output_words(profile, "pause"));
    }
    if (!json_is_object(trouble))
        return;
    add_reason(check, output_true(trouble, "permanent") ? CHECK_CRITICAL : CHECK_WARNING);
    buffer_append_format(&check->reasons, "profile %s: %s (%s)", name,
                         output_text(trouble, "sentence"), output_text(trouble, "code"));
}

static void name_mailbox(struct check *check, const json_t *mailbox)
{
    const char *state = output_text(mailbox, "state");
    if (state == NULL || (strcmp(state, "failing") != 0 && strcmp(state, "stopped") != 0))
        return;
    if (check->named.length > 0)
        buffer_append_string(&check->named, ", ");
    buffer_append_string(&check->named, output_text(mailbox, "address"));
}

/* --- performance data --- */

static void add_data(struct check *check, const char *label, long long value, const char *limits)
{
    buffer_append_format(&check->data, " %s=%lld;%s;0;", label, value, limits);
}

static void write_data(struct check *check, const json_t *status)
{
    const json_t *mailboxes = json_object_get(status, "mailboxes");
    const json_t *cycles = json_object_get(status, "cycles");
    const json_t *alerts = json_object_get(status, "alerts");
    char critical[32], warning[32];
    snprintf(critical, sizeof critical, ";%lld", check->critical);
    snprintf(warning, sizeof warning, "%lld;", check->warning);
    add_data(check, "mailboxes", number_of(mailboxes, "configured"), ";");
    add_data(check, "ok", number_of(mailboxes, "ok"), ";");
    add_data(check, "failing", number_of(mailboxes, "failing"), warning);
    add_data(check, "stopped", number_of(mailboxes, "stopped"), critical);
    add_data(check, "held", number_of(mailboxes, "held"), ";");
    add_data(check, "not_run", number_of(mailboxes, "not_run"), ";");
    add_data(check, "disabled", number_of(mailboxes, "disabled"), ";");
    add_data(check, "paused", number_of(mailboxes, "paused"), ";");
    add_data(check, "off", number_of(mailboxes, "off"), ";");
    add_data(check, "cycles_running", number_of(cycles, "running"), ";");
    add_data(check, "cycles_queued", number_of(cycles, "queued"), ";");
    add_data(check, "messages_waiting", number_of(status, "queued"), ";");
    add_data(check, "alert_errors", number_of(alerts, "errors"), ";");
    add_data(check, "alert_warnings", number_of(alerts, "warnings"), ";");
}

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)tool;
    struct check *check = argument;
    const char *kind = output_text(answer, "kind");
    if (kind == NULL)
        return;
    if (strcmp(kind, "status") == 0) {
        judge_storage(check, json_object_get(answer, "storage"));
        check->disabled = number_of(json_object_get(answer, "mailboxes"), "disabled");
        judge_mailboxes(check, json_object_get(answer, "mailboxes"));
        judge_alerts(check, json_object_get(answer, "alerts"),
                     json_object_get(answer, "mailboxes"));
        write_data(check, answer);
    } else if (strcmp(kind, "profile") == 0) {
        judge_profile(check, answer);
    } else if (strcmp(kind, "mailbox") == 0) {
        name_mailbox(check, answer);
    }
}

/* --- the line --- */

/* A bar begins the performance data: there is none in the words. */
static int tell(struct exsyncctl *tool, const struct check *check)
{
    static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    char line[LINE_SIZE];
    const char *reasons = buffer_string(&check->reasons);
    text_copy_line(line, sizeof line, reasons, strlen(reasons));
    for (char *bar = line; (bar = strchr(bar, '|')) != NULL;)
        *bar = '/';
    output_print(tool, OUTPUT_PLAIN, "EXSYNCD %s: %s", names[check->status], line);
    if (check->named.length > 0)
        output_print(tool, OUTPUT_PLAIN, " (in trouble: %s)", buffer_string(&check->named));
    if (check->data.length > 0)
        output_print(tool, OUTPUT_PLAIN, " |%s", buffer_string(&check->data));
    output_print(tool, OUTPUT_PLAIN, "\n");
    return (int)check->status;
}

/* What has come before counts for nothing. */
static void cannot_tell(struct check *check, enum check_status status, const char *why)
{
    check->status = status;
    buffer_clear(&check->reasons);
    buffer_clear(&check->named);
    buffer_clear(&check->data);
    buffer_append_string(&check->reasons, why);
}

static void cannot_ask(struct exsyncctl *tool, struct check *check)
{
    bool runs = strcmp(tool->problem.code, "NotRunning") != 0;
    cannot_tell(check, runs ? CHECK_UNKNOWN : CHECK_CRITICAL, tool->problem.text);
}

/* False: it is no number of mailboxes. */
static bool read_limit(const struct exsyncctl *tool, const char *name, long long *limit)
{
    const char *value = exsyncctl_value(tool, name);
    char *end;
    *limit = 1;
    if (value == NULL)
        return true;
    errno = 0;
    *limit = strtoll(value, &end, 10);
    return errno == 0 && end != value && *end == '\0' && *limit > 0;
}

static void say_well(struct check *check)
{
    if (check->disabled == 0)
        buffer_append_string(&check->reasons, "all mailboxes synchronize");
    else
        buffer_append_format(&check->reasons, "all mailboxes synchronize but %lld %s disabled",
                             check->disabled,
                             text_plural((uint64_t)check->disabled, "that is", "that are"));
}

static int check_run(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct check check = {.status = CHECK_OK};
    json_t *request = json_pack("{s:s, s:i}", "command", "status", "mailboxes", NAMED);
    tool->json = false; /* a plugin has its own form */
    bool right = read_limit(tool, "warning", &check.warning) &&
                 read_limit(tool, "critical", &check.critical);
    if (!right)
        cannot_tell(&check, CHECK_UNKNOWN, "--warning and --critical take a number of mailboxes");
    else if (!exsyncctl_connect(tool) ||
             exsyncctl_each(tool, json_incref(request), take, &check) != EX_OK)
        cannot_ask(tool, &check);
    else if (check.status == CHECK_OK)
        say_well(&check);
    json_decref(request);
    int status = tell(tool, &check);
    buffer_release(&check.reasons);
    buffer_release(&check.named);
    buffer_release(&check.data);
    return status;
}

static const struct exsyncctl_option check_options[] = {
    {"warning", "N", "WARNING from so many mailboxes on that do not synchronize (1)"},
    {"critical", "N", "CRITICAL from so many mailboxes on that are stopped (1)"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_check_commands[] = {
    {"check", "", "tell Icinga or Nagios, as a plugin does", check_options, 0, 0, check_run},
    {.name = NULL},
};

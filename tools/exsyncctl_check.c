/* check: for Icinga and Nagios. One line on standard output, performance data behind a bar, and the
 * exit status of a plugin; with --json one object with the same.
 *
 *   3 UNKNOWN    exsyncd cannot be asked (not allowed, another version, no answer)
 *   2 CRITICAL   exsyncd does not run; its disk or database fails; a profile's server or account
 *                fails in a way that stays; --critical (1) mailboxes are stopped
 *   1 WARNING    --warning (1) mailboxes are failing, stopped or held; --disabled (1) are disabled,
 *                wholly or in part; a profile is paused, or fails in a way that may pass; an error
 *                is open (a message could not be taken or sent); a submitted message was refused;
 * the database does not know messages of the outbox; a reload was refused, so that the
 *                configuration before it is in use
 *   0 OK */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include "base/buffer.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

enum { NAMED = 3 /* mailboxes */, LINE_SIZE = 2048, MOST_DATA = 20, NO_LIMIT = -1 };

/* Performance data. */
struct datum {
    const char *label;
    long long value;
    long long warning, critical; /* the largest value that is well; NO_LIMIT */
};

struct check {
    enum check_status status;
    long long warning, critical, disabled_limit; /* mailboxes */
    long long configured, disabled;              /* the last: wholly or in part */
    struct buffer reasons;
    json_t *named; /* addresses of mailboxes in trouble */
    struct datum data[MOST_DATA];
    size_t data_count;
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

/* Somebody wants it so, or has forgotten it. */
static void judge_disabled(struct check *check, const json_t *mailboxes)
{
    long long disabled = number_of(mailboxes, "disabled");
    long long partly = number_of(mailboxes, "partly_disabled");
    check->disabled = disabled + partly;
    if (check->disabled < check->disabled_limit)
        return;
    if (disabled > 0) {
        add_reason(check, CHECK_WARNING);
        buffer_append_format(
            &check->reasons, "%lld %s", disabled,
            text_plural((uint64_t)disabled, "mailbox is disabled", "mailboxes are disabled"));
    }
    if (partly > 0) {
        add_reason(check, CHECK_WARNING);
        buffer_append_format(&check->reasons, "%lld %s", partly,
                             text_plural((uint64_t)partly, "mailbox is partly disabled",
                                         "mailboxes are partly disabled"));
    }
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

static void judge_refused(struct check *check, long long refused)
{
    if (refused == 0)
        return;
    add_reason(check, CHECK_WARNING);
    buffer_append_format(&check->reasons, "%lld submitted %s refused", refused,
                         text_plural((uint64_t)refused, "message was", "messages were"));
}

static void judge_unknown(struct check *check, long long unknown)
{
    if (unknown == 0)
        return;
    add_reason(check, CHECK_WARNING);
    buffer_append_format(&check->reasons,
                         "the database does not know %lld %s of the outbox: exsyncctl verify --all "
                         "--repair",
                         unknown, text_plural((uint64_t)unknown, "message", "messages"));
}

/* What the store alone knows is missing when it cannot be read: that is not well. */
static void judge_storage(struct check *check, const json_t *status)
{
    const json_t *storage = json_object_get(status, "storage");
    bool known = json_is_integer(json_object_get(json_object_get(status, "alerts"), "errors"));
    if (!json_is_object(storage) && !known) {
        add_reason(check, CHECK_CRITICAL);
        buffer_append_string(&check->reasons, "the database cannot be read");
    }
    if (!json_is_object(storage))
        return;
    add_reason(check, CHECK_CRITICAL);
    buffer_append_format(&check->reasons, "%s (%s)", output_text(storage, "sentence"),
                         output_text(storage, "code"));
}

static void judge_configuration(struct check *check, const char *refused, const json_t *error)
{
    char since[OUTPUT_TIME_SIZE];
    if (refused == NULL)
        return;
    output_time(since, refused);
    add_reason(check, CHECK_WARNING);
    buffer_append_format(
        &check->reasons,
        "the configuration was not reloaded at %s, the one before stays in use: ", since);
    if (json_is_object(error))
        buffer_append_format(&check->reasons, "%s (%s) %s; when that is mended: exsyncctl reload",
                             output_text(error, "sentence"), output_text(error, "code"),
                             output_text(error, "text"));
    else
        buffer_append_string(&check->reasons, "exsyncd --check-config shows what is wrong");
}

static void judge_reload(struct check *check, const json_t *wait)
{
    char since[OUTPUT_TIME_SIZE];
    if (!output_true(wait, "late"))
        return;
    output_time(since, output_text(wait, "since"));
    add_reason(check, CHECK_WARNING);
    buffer_append_format(&check->reasons, "a reload has waited for %s since %s",
                         output_words(wait, "waits_for"), since);
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
    json_array_append(check->named, json_object_get(mailbox, "address"));
}

/* --- performance data --- */

/* `warning` and `critical`: from which value on; a plugin's limits are what must be exceeded. 0: no
 * limit. */
static void add_limited(struct check *check, const char *label, long long value, long long warning,
                        long long critical)
{
    check->data[check->data_count++] = (struct datum){label, value, warning - 1, critical - 1};
}

static void add_data(struct check *check, const char *label, long long value)
{
    add_limited(check, label, value, 0, 0);
}

static void collect_data(struct check *check, const json_t *status)
{
    const json_t *mailboxes = json_object_get(status, "mailboxes");
    const json_t *cycles = json_object_get(status, "cycles");
    const json_t *alerts = json_object_get(status, "alerts");
    check->data_count = 0;
    add_data(check, "mailboxes", number_of(mailboxes, "configured"));
    add_data(check, "ok", number_of(mailboxes, "ok"));
    add_limited(check, "failing", number_of(mailboxes, "failing"), check->warning, 0);
    add_limited(check, "stopped", number_of(mailboxes, "stopped"), 0, check->critical);
    add_data(check, "held", number_of(mailboxes, "held"));
    add_data(check, "not_run", number_of(mailboxes, "not_run"));
    add_limited(check, "disabled", number_of(mailboxes, "disabled"), check->disabled_limit, 0);
    add_data(check, "partly_disabled", number_of(mailboxes, "partly_disabled"));
    add_data(check, "paused", number_of(mailboxes, "paused"));
    add_data(check, "off", number_of(mailboxes, "off"));
    add_data(check, "cycles_running", number_of(cycles, "running"));
    add_data(check, "cycles_queued", number_of(cycles, "queued"));
    add_data(check, "messages_waiting", number_of(status, "queued"));
    add_data(check, "messages_refused", number_of(status, "refused"));
    add_data(check, "alert_errors", number_of(alerts, "errors"));
    add_data(check, "alert_warnings", number_of(alerts, "warnings"));
}

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)tool;
    struct check *check = argument;
    const char *kind = output_text(answer, "kind");
    if (kind == NULL)
        return;
    if (strcmp(kind, "status") == 0) {
        judge_storage(check, answer);
        judge_configuration(check, output_text(answer, "reload_refused"),
                            json_object_get(answer, "reload_error"));
        judge_reload(check, json_object_get(answer, "reload_under_way"));
        check->configured = number_of(json_object_get(answer, "mailboxes"), "configured");
        judge_mailboxes(check, json_object_get(answer, "mailboxes"));
        judge_disabled(check, json_object_get(answer, "mailboxes"));
        judge_alerts(check, json_object_get(answer, "alerts"),
                     json_object_get(answer, "mailboxes"));
        judge_refused(check, number_of(answer, "refused"));
        judge_unknown(check, number_of(answer, "outbox_unknown"));
        collect_data(check, answer);
    } else if (strcmp(kind, "profile") == 0) {
        judge_profile(check, answer);
    } else if (strcmp(kind, "mailbox") == 0) {
        name_mailbox(check, answer);
    }
}

/* --- what is told --- */

static const char *const state_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* ";1": nothing behind the semicolon when there is no limit. */
static void print_limit(const struct exsyncctl *tool, long long limit)
{
    if (limit == NO_LIMIT)
        output_print(tool, OUTPUT_PLAIN, ";");
    else
        output_print(tool, OUTPUT_PLAIN, ";%lld", limit);
}

/* A bar begins the performance data: there is none in the words. */
static void print_words(const struct exsyncctl *tool, const struct check *check,
                        const char *reasons)
{
    struct buffer words = {0};
    size_t index;
    const json_t *address;
    buffer_append_format(&words, "EXSYNCD %s: %s", state_names[check->status], reasons);
    json_array_foreach(check->named, index, address)
    {
        buffer_append_format(&words, "%s%s", index == 0 ? " (in trouble: " : ", ",
                             json_string_value(address));
    }
    for (char *bar = words.data; (bar = strchr(bar, '|')) != NULL;)
        *bar = '/';
    output_print(tool, OUTPUT_PLAIN, "%s%s%s", words.data,
                 json_array_size(check->named) > 0 ? ")" : "", check->data_count > 0 ? " |" : "");
    buffer_release(&words);
}

static void print_line(const struct exsyncctl *tool, const struct check *check, const char *reasons)
{
    print_words(tool, check, reasons);
    for (size_t i = 0; i < check->data_count; i++) {
        const struct datum *datum = &check->data[i];
        output_print(tool, OUTPUT_PLAIN, " %s=%lld", datum->label, datum->value);
        print_limit(tool, datum->warning);
        print_limit(tool, datum->critical);
        output_print(tool, OUTPUT_PLAIN, ";0;");
    }
    output_print(tool, OUTPUT_PLAIN, "\n");
}

static json_t *limit_of(long long limit)
{
    return limit == NO_LIMIT ? json_null() : json_integer(limit);
}

static void print_object(const struct check *check, const char *reasons)
{
    json_t *data = json_object();
    for (size_t i = 0; i < check->data_count; i++) {
        const struct datum *datum = &check->data[i];
        json_object_set_new(data, datum->label,
                            json_pack("{s:I, s:o, s:o}", "value", (json_int_t)datum->value,
                                      "warning", limit_of(datum->warning), "critical",
                                      limit_of(datum->critical)));
    }
    json_t *object = json_pack("{s:s, s:s, s:i, s:s, s:O, s:o}", "kind", "check", "state",
                               state_names[check->status], "code", (int)check->status, "summary",
                               reasons, "in_trouble", check->named, "performance", data);
    exsyncctl_print_json(object);
    json_decref(object);
}

static int tell(struct exsyncctl *tool, const struct check *check, bool as_json)
{
    char reasons[LINE_SIZE];
    text_copy_shown(reasons, sizeof reasons, buffer_string(&check->reasons), check->reasons.length);
    if (as_json)
        print_object(check, reasons);
    else
        print_line(tool, check, reasons);
    return (int)check->status;
}

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
    char *end, why[LINE_SIZE];
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

static void say_well(struct check *check)
{
    if (check->configured == 0)
        buffer_append_string(&check->reasons, "no mailbox is configured");
    else if (check->disabled == 0)
        buffer_append_string(&check->reasons, "all mailboxes synchronize");
    else
        buffer_append_format(
            &check->reasons, "all mailboxes synchronize but %lld %s disabled, wholly or in part",
            check->disabled, text_plural((uint64_t)check->disabled, "that is", "that are"));
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
                  exsyncctl_each(tool, json_incref(request), take, &check) != EX_OK))
        cannot_ask(tool, &check);
    else if (check.status == CHECK_OK)
        say_well(&check);
    json_decref(request);
    int status = tell(tool, &check, as_json);
    buffer_release(&check.reasons);
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

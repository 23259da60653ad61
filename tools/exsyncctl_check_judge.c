#include "tools/exsyncctl_check.h"
#include "tools/exsyncctl_output.h"

#include "base/text.h"

#include <string.h>

static long long number_of(const json_t *object, const char *member)
{
    return (long long)output_number(object, member);
}

/* --- reasons --- */

/* Where its words are appended: the worst reasons stand first. */
static struct buffer *add_reason(struct check *check, enum check_status status)
{
    struct buffer *reasons = status == CHECK_WARNING ? &check->warnings : &check->reasons;
    if (status > check->status)
        check->status = status;
    if (reasons->length > 0)
        buffer_append_string(reasons, "; ");
    return reasons;
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
        buffer_append_format(
            add_reason(check, CHECK_WARNING), "%lld %s", disabled,
            text_plural((uint64_t)disabled, "mailbox is disabled", "mailboxes are disabled"));
    }
    if (partly > 0) {
        buffer_append_format(add_reason(check, CHECK_WARNING), "%lld %s", partly,
                             text_plural((uint64_t)partly, "mailbox is partly disabled",
                                         "mailboxes are partly disabled"));
    }
}

static void judge_mailboxes(struct check *check, const json_t *mailboxes)
{
    long long stopped = number_of(mailboxes, "stopped"), held = number_of(mailboxes, "held");
    long long failing = number_of(mailboxes, "failing");
    check->trouble = stopped + failing + held;
    bool critical = stopped >= check->critical, warning = check->trouble >= check->warning;
    if (stopped > 0 && (critical || warning)) {
        buffer_append_format(
            add_reason(check, critical ? CHECK_CRITICAL : CHECK_WARNING), "%lld %s", stopped,
            text_plural((uint64_t)stopped, "mailbox is stopped", "mailboxes are stopped"));
    }
    if (failing > 0 && warning) {
        buffer_append_format(add_reason(check, CHECK_WARNING), "%lld %s", failing,
                             text_plural((uint64_t)failing, "mailbox fails", "mailboxes fail"));
    }
    if (held > 0 && warning) {
        buffer_append_format(add_reason(check, CHECK_WARNING), "%lld %s", held,
                             text_plural((uint64_t)held, "mailbox waits", "mailboxes wait"));
    }
}

/* Those of mailboxes are judged by the limits. */
static void judge_alerts(struct check *check, const json_t *alerts)
{
    long long errors = number_of(alerts, check->trouble > 0 ? "messages" : "errors");
    if (errors == 0)
        return;
    buffer_append_format(add_reason(check, CHECK_WARNING),
                         "%lld %s open, which exsyncctl alerts shows", errors,
                         text_plural((uint64_t)errors, "error is", "errors are"));
}

static void judge_refused(struct check *check, long long refused)
{
    if (refused == 0)
        return;
    buffer_append_format(add_reason(check, CHECK_WARNING), "%lld submitted %s refused", refused,
                         text_plural((uint64_t)refused, "message was", "messages were"));
}

static void judge_unknown(struct check *check, long long unknown)
{
    if (unknown == 0)
        return;
    buffer_append_format(add_reason(check, CHECK_WARNING),
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
        buffer_append_string(add_reason(check, CHECK_CRITICAL), "the database cannot be read");
    }
    if (!json_is_object(storage))
        return;
    buffer_append_format(add_reason(check, CHECK_CRITICAL), "%s (%s)",
                         output_text(storage, "sentence"), output_text(storage, "code"));
}

static void judge_configuration(struct check *check, const char *refused, const json_t *error)
{
    char since[OUTPUT_TIME_SIZE];
    if (refused == NULL)
        return;
    output_time(since, refused);
    struct buffer *reason = add_reason(check, CHECK_WARNING);
    buffer_append_format(
        reason, "the configuration was not reloaded at %s, the one before stays in use: ", since);
    if (json_is_object(error))
        buffer_append_format(reason, "%s (%s) %s; when that is mended: exsyncctl reload",
                             output_text(error, "sentence"), output_text(error, "code"),
                             output_text(error, "text"));
    else
        buffer_append_string(reason, "exsyncd --check-config shows what is wrong");
}

static void judge_reload(struct check *check, const json_t *wait)
{
    char since[OUTPUT_TIME_SIZE];
    if (!output_true(wait, "late"))
        return;
    output_time(since, output_text(wait, "since"));
    buffer_append_format(add_reason(check, CHECK_WARNING), "a reload has waited for %s since %s",
                         output_words(wait, "waits_for"), since);
}

static void judge_profile(struct check *check, const json_t *profile)
{
    const json_t *trouble = json_object_get(profile, "trouble");
    const char *name = output_text(profile, "name");
    if (output_true(profile, "paused")) {
        buffer_append_string(add_reason(check, CHECK_WARNING), output_words(profile, "pause"));
    }
    if (!json_is_object(trouble))
        return;
    buffer_append_format(
        add_reason(check, output_true(trouble, "permanent") ? CHECK_CRITICAL : CHECK_WARNING),
        "profile %s: %s (%s)", name, output_text(trouble, "sentence"),
        output_text(trouble, "code"));
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
    check->data[check->data_count++] =
        (struct check_datum){label, value, warning - 1, critical - 1};
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

void check_judge(struct exsyncctl *tool, const json_t *answer, void *argument)
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
        judge_alerts(check, json_object_get(answer, "alerts"));
        judge_refused(check, number_of(answer, "refused"));
        judge_unknown(check, number_of(answer, "outbox_unknown"));
        collect_data(check, answer);
    } else if (strcmp(kind, "profile") == 0) {
        judge_profile(check, answer);
    } else if (strcmp(kind, "mailbox") == 0) {
        name_mailbox(check, answer);
    }
}

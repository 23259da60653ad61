/* enable, disable, pause, resume, redeliver: what an administrator switches, and what is delivered
 * again. */
#include "base/clock.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"
#include "tools/exsyncctl_since.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- enable, disable --- */

static const char *directions_of(const json_t *answer)
{
    const json_t *array = json_object_get(answer, "directions");
    const char *first = json_string_value(json_array_get(array, 0));
    if (json_array_size(array) == 1 && first != NULL)
        return first;
    return "incoming and outgoing";
}

/* "already, since 2026-01-31 23:59:59 UTC, by uid 1000; nothing has changed" */
static void show_unchanged(struct exsyncctl *tool, const json_t *answer)
{
    char since[OUTPUT_TIME_SIZE];
    if (json_is_integer(json_object_get(answer, "user"))) {
        output_time(since, output_text(answer, "since"));
        output_print(tool, OUTPUT_PLAIN, ", since %s by an administrator (uid %lld)", since,
                     (long long)output_number(answer, "user"));
    }
    output_print(tool, OUTPUT_PLAIN, "; nothing has changed");
}

/* What the configuration has off anyway. */
static void show_off(struct exsyncctl *tool, const json_t *answer)
{
    const json_t *off = json_object_get(answer, "off");
    size_t index;
    const json_t *direction;
    if (json_array_size(off) == 0 ||
        json_array_size(off) < json_array_size(json_object_get(answer, "directions")))
        return;
    json_array_foreach(off, index, direction)
    {
        output_print(tool, OUTPUT_FAINT,
                     "The configuration has %s = no for it, so it was off before; it stays "
                     "disabled when that is changed.\n",
                     json_string_value(direction));
    }
}

static void show_switched(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *address = output_text(answer, "address"), *profile = output_text(answer, "profile");
    bool enabled = output_true(answer, "enabled");
    int64_t alerts = output_number(answer, "alerts_resolved");
    if (address == NULL || profile == NULL)
        return;
    output_print(tool, OUTPUT_PLAIN, "%s: ", address);
    bool changed = output_true(answer, "changed");
    output_print(tool, enabled ? OUTPUT_GOOD : OUTPUT_WARNING, "%s%s",
                 enabled ? "enabled" : "disabled", changed ? "" : " already");
    output_print(tool, OUTPUT_PLAIN, ", %s", directions_of(answer));
    if (!changed)
        show_unchanged(tool, answer);
    if (alerts > 0)
        output_print(tool, OUTPUT_PLAIN, "; %lld %s over", (long long)alerts,
                     alerts == 1 ? "alert is" : "alerts are");
    output_print(tool, OUTPUT_PLAIN, "\n");
    if (!enabled)
        show_off(tool, answer);
    if (output_true(answer, "running"))
        output_print(tool, OUTPUT_FAINT, "A cycle still ends what it has begun.\n");
    if (enabled && output_true(answer, "paused"))
        output_paused(tool, profile);
}

static int run_switch(struct exsyncctl *tool, const char *command, const char *address)
{
    json_t *request =
        json_pack("{s:s,s:s,s:b,s:b}", "command", command, "address", address, "incoming",
                  exsyncctl_flag(tool, "incoming"), "outgoing", exsyncctl_flag(tool, "outgoing"));
    return exsyncctl_each(tool, request, show_switched, NULL);
}

static int run_enable(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    return run_switch(tool, "enable", arguments[0]);
}

static int run_disable(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    return run_switch(tool, "disable", arguments[0]);
}

/* --- pause, resume --- */

static void show_paused(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *profile = output_text(answer, "profile");
    bool paused = output_true(answer, "paused"), changed = output_true(answer, "changed");
    char since[OUTPUT_TIME_SIZE];
    output_time(since, output_text(answer, "since"));
    output_print(tool, OUTPUT_PLAIN, "%s: ", profile == NULL ? "" : profile);
    if (!paused)
        output_print(tool, OUTPUT_GOOD, "%s", changed ? "resumed" : "it was not paused");
    else
        output_print(tool, OUTPUT_WARNING, "paused%s%s", changed ? "" : " already, since ",
                     changed ? "" : since);
    output_print(tool, OUTPUT_PLAIN, "%s\n", changed ? "" : "; nothing has changed");
    if (output_true(answer, "running"))
        output_print(tool, OUTPUT_FAINT, "Cycles that run end what they have begun.\n");
}

static int run_pause(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    return exsyncctl_each(tool, json_pack("{s:s,s:s}", "command", "pause", "profile", arguments[0]),
                          show_paused, NULL);
}

static int run_resume(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    return exsyncctl_each(tool,
                          json_pack("{s:s,s:s}", "command", "resume", "profile", arguments[0]),
                          show_paused, NULL);
}

/* --- redeliver --- */

/* What was taken out of the folders after its delivery is not found there. */
static void show_where(struct exsyncctl *tool, const json_t *answer)
{
    const char *after = output_text(answer, "after_processing");
    if (after != NULL &&
        (strcmp(after, "move") == 0 || strcmp(after, "delete") == 0 || strcmp(after, "purge") == 0))
        output_print(tool, OUTPUT_WARNING,
                     "The mailbox has after_processing = %s: what was taken out of its folders so "
                     "is not found any more, unless it is moved back first.\n",
                     after);
    if (!output_true(answer, "enabled"))
        output_print(tool, OUTPUT_WARNING,
                     "Incoming is disabled: nothing is delivered until it is enabled.\n");
}

/* The mailbox takes no earlier mail. */
static void show_moved(struct exsyncctl *tool, const json_t *answer)
{
    const char *since = output_text(answer, "since"), *wanted = output_text(answer, "asked_for");
    char taken[OUTPUT_TIME_SIZE], asked_for[OUTPUT_TIME_SIZE];
    if (since == NULL || wanted == NULL || strcmp(since, wanted) == 0)
        return;
    output_time(taken, since);
    output_time(asked_for, wanted);
    output_print(tool, OUTPUT_WARNING,
                 "The mailbox takes no mail from before %s (process_email_from): that time counts, "
                 "not %s.\n",
                 taken, asked_for);
}

static void show_counted(struct exsyncctl *tool, const json_t *answer)
{
    int64_t count = output_number(answer, "messages");
    char since[OUTPUT_TIME_SIZE];
    output_time(since, output_text(answer, "since"));
    show_moved(tool, answer);
    output_print(tool, OUTPUT_PLAIN, "%lld %s since %s %s delivered.\n", (long long)count,
                 count == 1 ? "message received" : "messages received", since,
                 count == 1 ? "was" : "were");
    if (count == 0)
        return;
    show_where(tool, answer);
    if (output_true(answer, "dry_run"))
        output_print(tool, OUTPUT_FAINT,
                     "Without --dry-run those that are still in the folders "
                     "are delivered again.\n");
    fflush(stdout);
}

static void show_redelivery(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *kind = output_text(answer, "kind");
    if (kind != NULL && strcmp(kind, "redelivery") == 0)
        show_counted(tool, answer);
    else if (kind != NULL && strcmp(kind, "forgotten") == 0)
        output_print(tool, OUTPUT_PLAIN,
                     "Those that are still in the folders are delivered again "
                     "from now on.\n");
}

static int run_redeliver(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    const char *text = exsyncctl_value(tool, "since");
    char since[CLOCK_TEXT_SIZE];
    int64_t now_ms = clock_wall_ms(), since_ms;
    if (text == NULL)
        return exsyncctl_misused(tool, "say since when, with --since: " SINCE_FORMS);
    if (!since_parse(text, now_ms, &since_ms))
        return exsyncctl_misused(tool, "--since %s is no time; write " SINCE_FORMS, text);
    if (since_ms > now_ms)
        return exsyncctl_misused(tool, "--since %s lies in the future", text);
    clock_format_utc(since_ms, since);
    json_t *request =
        json_pack("{s:s,s:s,s:s,s:b}", "command", "redeliver", "address", arguments[0], "since",
                  since, "dry_run", exsyncctl_flag(tool, "dry-run"));
    return exsyncctl_each(tool, request, show_redelivery, NULL);
}

static const struct exsyncctl_option enable_options[] = {
    {"incoming", NULL, "incoming mail alone"},
    {"outgoing", NULL, "outgoing mail alone"},
    {NULL, NULL, NULL},
};

static const struct exsyncctl_option redeliver_options[] = {
    {"since", "TIME", "what was received since then: \"2026-01-31 08:00\", or 2h, 3d for ago"},
    {"dry-run", NULL, "count, and change nothing"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_act_commands[] = {
    {"enable", "ADDRESS", "let a disabled mailbox synchronize again", enable_options, 1, 1,
     run_enable},
    {"disable", "ADDRESS", "stop a mailbox until it is enabled", enable_options, 1, 1, run_disable},
    {"pause", "PROFILE", "start no cycle until it is resumed", NULL, 1, 1, run_pause},
    {"resume", "PROFILE", "let a profile that was paused go on", NULL, 1, 1, run_resume},
    {"redeliver", "ADDRESS --since TIME", "deliver once more what came since then",
     redeliver_options, 1, 1, run_redeliver},
    {.name = NULL},
};

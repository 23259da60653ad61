/* alerts, failures: from the daemon, or from its database while it does not run. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_offline.h"
#include "tools/exsyncctl_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

typedef void take_function(struct exsyncctl *tool, const json_t *answer, void *argument);

/* Asks the daemon, and the database when it does not run. Takes the request. */
static int ask(struct exsyncctl *tool, json_t *request, enum offline_what what, int64_t alert,
               take_function *take, void *argument)
{
    bool all = exsyncctl_flag(tool, "all");
    if (all)
        json_object_set_new(request, "all", json_true());
    if (exsyncctl_connect(tool) || strcmp(tool->problem.code, "NotRunning") != 0)
        return exsyncctl_each(tool, request, take, argument);
    json_decref(request);
    return offline_read(tool, what, all, alert, take, argument);
}

static bool is(const char *word, const char *text)
{
    return text != NULL && strcmp(text, word) == 0;
}

static bool has(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* --- lists --- */

static enum output_colour level_colour(const json_t *alert)
{
    const char *level = output_text(alert, "level");
    if (output_text(alert, "resolved") != NULL)
        return OUTPUT_FAINT;
    if (is("error", level))
        return OUTPUT_BAD;
    return is("warning", level) ? OUTPUT_WARNING : OUTPUT_PLAIN;
}

/* What it is about: the mailbox; the file in the outbox of a message that no mailbox has taken; the
 * profile. */
static void add_subject(struct output_table *table, const json_t *answer)
{
    const char *mailbox = output_text(answer, "mailbox"), *profile = output_text(answer, "profile");
    const char *submission = output_text(answer, "submission");
    if (has(mailbox))
        output_cell(table, OUTPUT_STRONG, mailbox);
    else if (has(submission))
        output_cell_format(table, OUTPUT_STRONG, "failed/%s.eml", submission);
    else if (has(profile))
        output_cell_format(table, OUTPUT_STRONG, "profile %s", profile);
    else
        output_cell(table, OUTPUT_STRONG, NULL);
}

/* Of what was refused the sentence is the same for all: the text says why, by whom and what. */
static void add_failure(struct output_table *table, const json_t *failure,
                        enum output_colour colour)
{
    bool refused = !has(output_text(failure, "mailbox")) && has(output_text(failure, "submission"));
    const char *text = refused ? output_text(failure, "error") : NULL;
    output_cell_format(table, colour, "%s: %s%s%s", output_words(failure, "code"),
                       output_words(failure, "sentence"), text == NULL ? "" : " ",
                       text == NULL ? "" : text);
}

static void add_direction(struct output_table *table, const json_t *answer)
{
    const char *direction = output_text(answer, "direction");
    output_cell(table, OUTPUT_PLAIN, has(direction) ? direction : "both");
}

struct listing {
    struct output_table *table;
    int64_t refused; /* messages, when they were submitted; beside the alerts */
};

static void take_alert(struct exsyncctl *tool, const json_t *alert, void *argument)
{
    (void)tool;
    struct listing *listing = argument;
    struct output_table *table = listing->table;
    if (is("refused", output_text(alert, "kind"))) {
        listing->refused = output_number(alert, "messages");
        return;
    }
    const char *resolved = output_text(alert, "resolved");
    char opened[OUTPUT_TIME_SIZE], last[OUTPUT_TIME_SIZE];
    output_since(opened, output_text(alert, "opened"));
    output_since(last, resolved == NULL ? output_text(alert, "last_seen") : resolved);
    output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)output_number(alert, "alert"));
    output_cell(table, level_colour(alert), output_text(alert, "level"));
    output_cell(table, OUTPUT_PLAIN, opened);
    output_cell_format(table, OUTPUT_PLAIN, "%s%s", resolved == NULL ? "" : "resolved ", last);
    output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)output_number(alert, "count"));
    add_subject(table, alert);
    add_direction(table, alert);
    output_cell_format(table, OUTPUT_PLAIN, "%s: %s", output_words(alert, "code"),
                       output_words(alert, "cause"));
}

static void take_failure(struct exsyncctl *tool, const json_t *failure, void *argument)
{
    (void)tool;
    struct output_table *table = ((const struct listing *)argument)->table;
    const char *resolved = output_text(failure, "resolved");
    const char *retry = output_text(failure, "next_retry");
    bool permanent = output_true(failure, "permanent") && resolved == NULL;
    char last[OUTPUT_TIME_SIZE], next[OUTPUT_TIME_SIZE];
    output_since(last, output_text(failure, "last_seen"));
    output_since(next, resolved == NULL ? retry : resolved);
    output_cell(table, OUTPUT_PLAIN, last);
    output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)output_number(failure, "count"));
    if (resolved != NULL)
        output_cell_format(table, OUTPUT_FAINT, "resolved %s", next);
    else
        output_cell(table, OUTPUT_PLAIN, retry == NULL ? "not by itself" : next);
    add_subject(table, failure);
    add_direction(table, failure);
    output_cell(table, OUTPUT_PLAIN, output_text(failure, "step"));
    add_failure(table, failure, permanent ? OUTPUT_BAD : OUTPUT_PLAIN);
}

/* --- one alert --- */

/* A text of several lines, each behind `indent`. */
static void print_lines(struct exsyncctl *tool, const char *indent, const char *text)
{
    while (has(text)) {
        size_t length = strcspn(text, "\n");
        output_print(tool, OUTPUT_PLAIN, "%s%.*s\n", length == 0 ? "" : indent, (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_part(struct exsyncctl *tool, const char *name, const char *text)
{
    if (!has(text))
        return;
    output_print(tool, OUTPUT_STRONG, "\n%s\n", name);
    print_lines(tool, "  ", text);
}

static void print_times(struct exsyncctl *tool, const json_t *alert)
{
    static const char *const names[][2] = {
        {"opened", "opened"}, {"last_seen", "last seen"}, {"resolved", "resolved"}};
    char time[OUTPUT_TIME_SIZE], since[OUTPUT_TIME_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *utc = output_text(alert, names[i][0]);
        if (utc == NULL)
            continue;
        output_time(time, utc);
        output_since(since, utc);
        output_print(tool, OUTPUT_PLAIN, "  %-10s %s (%s)\n", names[i][1], time, since);
    }
    output_print(tool, OUTPUT_PLAIN, "  %-10s %lld\n", "met",
                 (long long)output_number(alert, "count"));
}

static void take_whole_alert(struct exsyncctl *tool, const json_t *alert, void *argument)
{
    (void)argument;
    const char *direction = output_text(alert, "direction"),
               *mailbox = output_text(alert, "mailbox");
    output_print(tool, level_colour(alert), "Alert %lld: %s, %s\n",
                 (long long)output_number(alert, "alert"), output_text(alert, "level"),
                 output_text(alert, "resolved") == NULL ? "open" : "resolved");
    print_lines(tool, "", output_text(alert, "sentence"));
    output_print(tool, OUTPUT_PLAIN, "\n  %-10s %s\n", "profile", output_text(alert, "profile"));
    if (has(mailbox))
        output_print(tool, OUTPUT_PLAIN, "  %-10s %s%s%s\n", "mailbox", mailbox,
                     has(direction) ? ", " : "", has(direction) ? direction : "");
    if (has(output_text(alert, "message")))
        output_print(tool, OUTPUT_PLAIN, "  %-10s %s\n", "message", output_text(alert, "message"));
    output_print(tool, OUTPUT_PLAIN, "  %-10s %s in %s\n", "code", output_words(alert, "code"),
                 output_words(alert, "step"));
    print_times(tool, alert);
    print_part(tool, "Cause", output_text(alert, "cause"));
    print_part(tool, "What to do", output_text(alert, "remedy"));
    print_part(tool, "Details", output_text(alert, "details"));
}

static int show_alert(struct exsyncctl *tool, const char *text)
{
    char *end;
    errno = 0;
    long long id = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || id <= 0)
        return exsyncctl_misused(tool, "an alert is named by its number, and %s is none", text);
    json_t *request = json_pack("{s:s, s:I}", "command", "alerts", "alert", (json_int_t)id);
    return ask(tool, request, OFFLINE_ONE_ALERT, id, take_whole_alert, NULL);
}

/* --- the commands --- */

static int list(struct exsyncctl *tool, const char *command, enum offline_what what,
                const char *const *headings, take_function *take, const char *none,
                const char *hint)
{
    struct listing listing = {.table = output_table_create(headings)};
    int status = ask(tool, json_pack("{s:s}", "command", command), what, 0, take, &listing);
    size_t rows = output_table_rows(listing.table);
    if (status == EX_OK && !tool->json && rows == 0)
        output_print(tool, OUTPUT_PLAIN, "%s\n", none);
    output_table_print(tool, listing.table);
    if (rows > 0 && hint != NULL)
        output_print(tool, OUTPUT_FAINT, "%s\n", hint);
    if (listing.refused > 0)
        output_print(tool, OUTPUT_BAD,
                     "%lld submitted %s not taken; exsyncctl queue list --failed tells why.\n",
                     (long long)listing.refused,
                     listing.refused == 1 ? "message was" : "messages were");
    return status;
}

static int alerts_run(struct exsyncctl *tool, int count, char **arguments)
{
    static const char *const headings[] = {"*>ALERT",    "LEVEL",   "2OPENED",
                                           "4LAST SEEN", "1>TIMES", "*ABOUT",
                                           "3DIRECTION", "CAUSE",   NULL};
    if (count > 0)
        return show_alert(tool, arguments[0]);
    return list(tool, "alerts", OFFLINE_ALERTS, headings, take_alert,
                exsyncctl_flag(tool, "all") ? "There is no alert." : "No alert is open.",
                "exsyncctl alerts ID tells what to do about one.");
}

static int failures_run(struct exsyncctl *tool, int count, char **arguments)
{
    static const char *const headings[] = {"2LAST SEEN", "1>TIMES", "5NEXT TRY", "*ABOUT",
                                           "3DIRECTION", "4STEP",   "FAILURE",   NULL};
    (void)count;
    (void)arguments;
    return list(tool, "failures", OFFLINE_FAILURES, headings, take_failure,
                exsyncctl_flag(tool, "all") ? "There is no failure." : "No failure is open.", NULL);
}

static const struct exsyncctl_option all_options[] = {
    {"all", NULL, "those too that are over"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_alert_commands[] = {
    {"alerts", "[ID]", "list open alerts, or what to do about one", all_options, 0, 1, alerts_run},
    {"failures", "", "list what went wrong and is not over", all_options, 0, 0, failures_run},
    {.name = NULL},
};

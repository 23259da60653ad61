/* status: the counts, the profiles, and the mailboxes: all when they are few, those in trouble when
 * they are many. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_rows.h"
#include "tools/exsyncctl_watch.h"

#include "base/text.h"

#include <string.h>
#include <sysexits.h>

/* What the daemon told, until all is there. */
struct shown {
    struct output_table *profiles;
    struct output_table *mailboxes;
    struct rows_notes notes;
    int64_t in_trouble; /* mailboxes; more than are told when they are too many */
    bool all;           /* the mailboxes that are told are all */
};

static long long number_of(const json_t *object, const char *member)
{
    return (long long)output_number(object, member);
}

static const char *plural(long long count, const char *one, const char *many)
{
    return text_plural((uint64_t)count, one, many);
}

/* --- counts --- */

/* ", 3 stopped": not when there are none. */
static void print_state(struct exsyncctl *tool, const json_t *mailboxes, const char *member,
                        const char *state)
{
    long long count = number_of(mailboxes, member);
    if (count == 0)
        return;
    output_print(tool, OUTPUT_PLAIN, ", ");
    output_print(tool, rows_state_colour(state), "%lld %s", count, state);
}

static void print_mailboxes(struct exsyncctl *tool, const json_t *mailboxes)
{
    output_print(tool, OUTPUT_PLAIN, "  mailboxes  %lld ok", number_of(mailboxes, "ok"));
    print_state(tool, mailboxes, "failing", "failing");
    print_state(tool, mailboxes, "stopped", "stopped");
    print_state(tool, mailboxes, "held", "held");
    print_state(tool, mailboxes, "not_run", "not run");
    print_state(tool, mailboxes, "paused", "paused");
    print_state(tool, mailboxes, "disabled", "disabled");
    print_state(tool, mailboxes, "partly_disabled", "partly disabled");
    print_state(tool, mailboxes, "off", "off");
    output_print(tool, OUTPUT_PLAIN, "\n");
}

static void print_alerts(struct exsyncctl *tool, const json_t *alerts)
{
    long long errors = number_of(alerts, "errors"), warnings = number_of(alerts, "warnings");
    if (!json_is_integer(json_object_get(alerts, "errors"))) {
        output_print(tool, OUTPUT_BAD, "  alerts     the database cannot be read\n");
        return;
    }
    output_print(tool, OUTPUT_PLAIN, "  alerts     ");
    if (errors + warnings == 0) {
        output_print(tool, OUTPUT_PLAIN, "none is open\n");
        return;
    }
    output_print(tool, errors > 0 ? OUTPUT_BAD : OUTPUT_PLAIN, "%lld %s", errors,
                 plural(errors, "error", "errors"));
    output_print(tool, OUTPUT_PLAIN, ", ");
    output_print(tool, warnings > 0 ? OUTPUT_WARNING : OUTPUT_PLAIN, "%lld %s", warnings,
                 plural(warnings, "warning", "warnings"));
    output_print(tool, OUTPUT_PLAIN, " open; exsyncctl alerts tells more\n");
}

static void print_outgoing(struct exsyncctl *tool, const json_t *status)
{
    long long queued = number_of(status, "queued"), held = number_of(status, "queued_held");
    long long refused = number_of(status, "refused");
    if (!json_is_integer(json_object_get(status, "queued")))
        return;
    output_print(tool, OUTPUT_PLAIN, "  outgoing   %lld %s to be sent", queued,
                 plural(queued, "message waits", "messages wait"));
    if (held > 0)
        output_print(tool, OUTPUT_WARNING, ", %lld held; exsyncctl queue list tells more", held);
    output_print(tool, OUTPUT_PLAIN, "\n");
    if (refused > 0)
        output_print(tool, OUTPUT_BAD,
                     "  refused    %lld submitted %s not taken; exsyncctl queue list --failed "
                     "tells why\n",
                     refused, plural(refused, "message was", "messages were"));
}

static void print_unknown(struct exsyncctl *tool, long long unknown)
{
    if (unknown > 0)
        output_print(
            tool, OUTPUT_BAD,
            "  outbox     %lld %s not known to the database and not sent; exsyncctl "
            "verify --all --repair looks for them in Exchange and sends what is not there, and "
            "puts into failed/ what it has no original of\n",
            unknown, plural(unknown, "message is", "messages are"));
}

static void print_reload(struct exsyncctl *tool, const char *refused, const json_t *error)
{
    char since[OUTPUT_TIME_SIZE];
    if (refused == NULL)
        return;
    output_time(since, refused);
    output_print(tool, OUTPUT_BAD,
                 "  reload     refused at %s, the configuration before it stays in use; ", since);
    if (json_is_object(error))
        output_print(tool, OUTPUT_BAD, "%s (%s) %s; when that is mended: exsyncctl reload\n",
                     output_text(error, "sentence"), output_text(error, "code"),
                     output_text(error, "text"));
    else
        output_print(tool, OUTPUT_BAD, "exsyncd --check-config shows what is wrong\n");
}

static void print_reload_wait(struct exsyncctl *tool, const json_t *wait)
{
    char since[OUTPUT_TIME_SIZE];
    if (!json_is_object(wait))
        return;
    output_time(since, output_text(wait, "since"));
    output_print(tool, output_true(wait, "late") ? OUTPUT_BAD : OUTPUT_PLAIN,
                 "  reload     under way since %s, waits for %s\n", since,
                 output_words(wait, "waits_for"));
}

static void print_counts(struct exsyncctl *tool, const json_t *status)
{
    const json_t *mailboxes = json_object_get(status, "mailboxes");
    const json_t *cycles = json_object_get(status, "cycles");
    const json_t *storage = json_object_get(status, "storage");
    long long configured = number_of(mailboxes, "configured");
    long long profiles = number_of(status, "profiles");
    long long running = number_of(cycles, "running");
    output_print(tool, OUTPUT_STRONG, "exsyncd %s: %lld %s on %lld %s\n",
                 output_text(status, "version"), configured,
                 plural(configured, "mailbox", "mailboxes"), profiles,
                 plural(profiles, "profile", "profiles"));
    print_mailboxes(tool, mailboxes);
    output_print(tool, OUTPUT_PLAIN, "  cycles     %lld running, %lld queued\n", running,
                 number_of(cycles, "queued"));
    print_outgoing(tool, status);
    print_unknown(tool, number_of(status, "outbox_unknown"));
    print_alerts(tool, json_object_get(status, "alerts"));
    print_reload(tool, output_text(status, "reload_refused"),
                 json_object_get(status, "reload_error"));
    print_reload_wait(tool, json_object_get(status, "reload_under_way"));
    if (json_is_object(storage))
        output_print(tool, OUTPUT_BAD, "  storage    %s (%s) %s\n",
                     output_words(storage, "sentence"), output_words(storage, "error"),
                     output_words(storage, "remedy"));
}

/* --- all --- */

static void take_status(struct exsyncctl *tool, const json_t *status, struct shown *shown)
{
    const json_t *mailboxes = json_object_get(status, "mailboxes");
    const char *told = output_text(status, "told");
    shown->all = told != NULL && strcmp(told, "all") == 0;
    shown->in_trouble = output_number(mailboxes, "failing") + output_number(mailboxes, "stopped");
    print_counts(tool, status);
}

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    struct shown *shown = argument;
    const char *kind = output_text(answer, "kind");
    if (kind == NULL)
        return;
    if (strcmp(kind, "status") == 0)
        take_status(tool, answer, shown);
    else if (strcmp(kind, "profile") == 0)
        rows_add_profile(shown->profiles, &shown->notes, answer);
    else if (strcmp(kind, "mailbox") == 0)
        rows_add_mailbox(shown->mailboxes, &shown->notes, answer, true);
}

static void print_tables(struct exsyncctl *tool, struct shown *shown)
{
    int64_t told = (int64_t)output_table_rows(shown->mailboxes);
    if (output_table_rows(shown->profiles) > 0)
        output_print(tool, OUTPUT_PLAIN, "\n");
    output_table_print(tool, shown->profiles);
    if (told > 0)
        output_print(tool, OUTPUT_PLAIN, "\n");
    output_table_print(tool, shown->mailboxes);
    rows_print_notes(tool, &shown->notes);
    if (shown->all)
        return;
    if (shown->in_trouble > told)
        output_print(tool, OUTPUT_PLAIN,
                     "and %lld more in trouble: exsyncctl mailbox list --trouble\n",
                     (long long)(shown->in_trouble - told));
    else if (told > 0)
        output_print(tool, OUTPUT_FAINT, "The others: exsyncctl mailbox list\n");
    else
        output_print(tool, OUTPUT_FAINT,
                     "\nNo mailbox is in trouble by itself. The others: exsyncctl mailbox list\n");
}

static int draw(struct exsyncctl *tool, void *argument)
{
    (void)argument;
    struct shown shown = {.profiles = rows_create_profiles(),
                          .mailboxes = rows_create_mailboxes(true)};
    int status = exsyncctl_each(tool, json_pack("{s:s}", "command", "status"), take, &shown);
    shown.all |= tool->json || status != EX_OK; /* nothing is to be said of what is missing */
    print_tables(tool, &shown);
    return status;
}

static int status_run(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    (void)arguments;
    if (!exsyncctl_flag(tool, "watch"))
        return draw(tool, NULL);
    if (tool->json)
        return exsyncctl_misused(tool, "--watch draws on a terminal; it does not go with --json");
    return watch_run(tool, draw, NULL);
}

static const struct exsyncctl_option status_options[] = {
    {"watch", NULL, "draw it again every second, until q or Ctrl-C"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_status_commands[] = {
    {"status", "", "show exsyncd, its profiles and mailboxes", status_options, 0, 0, status_run},
    {.name = NULL},
};

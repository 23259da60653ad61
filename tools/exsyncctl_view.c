/* mailbox list, mailbox show, profile list, profile show. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- lists --- */

struct listing {
    struct output_table *table;
    struct rows_notes notes;
};

static void take_mailbox(struct exsyncctl *tool, const json_t *mailbox, void *argument)
{
    (void)tool;
    struct listing *listing = argument;
    rows_add_mailbox(listing->table, &listing->notes, mailbox, true);
}

static void take_profile(struct exsyncctl *tool, const json_t *profile, void *argument)
{
    (void)tool;
    struct listing *listing = argument;
    rows_add_profile(listing->table, &listing->notes, profile);
}

/* Takes the request and the table. */
static int list(struct exsyncctl *tool, json_t *request, struct output_table *table,
                void (*take)(struct exsyncctl *tool, const json_t *answer, void *argument),
                const char *none)
{
    struct listing listing = {.table = table};
    int status = exsyncctl_each(tool, request, take, &listing);
    if (status == EX_OK && !tool->json && output_table_rows(table) == 0)
        output_print(tool, OUTPUT_PLAIN, "%s\n", none);
    output_table_print(tool, table);
    rows_print_notes(tool, &listing.notes);
    return status;
}

static int mailbox_list(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    (void)arguments;
    bool trouble = exsyncctl_flag(tool, "trouble");
    json_t *request = json_pack("{s:s,s:s*,s:b}", "command", "mailboxes", "profile",
                                exsyncctl_value(tool, "profile"), "trouble", trouble);
    return list(tool, request, rows_create_mailboxes(true), take_mailbox,
                trouble ? "No mailbox is failing or stopped." : "There is no mailbox.");
}

static int profile_list(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    (void)arguments;
    return list(tool, json_pack("{s:s}", "command", "profiles"), rows_create_profiles(),
                take_profile, "There is no profile.");
}

/* --- one: a line for each of its properties, which is never cut --- */

enum { NAME_WIDTH = 20, VALUE_SIZE = 2048 };

static void property(struct exsyncctl *tool, const char *name, enum output_colour colour,
                     const char *value)
{
    output_print(tool, OUTPUT_FAINT, "%-*s", NAME_WIDTH, name);
    output_print(tool, colour, "%s\n", value == NULL ? "-" : value);
}

__attribute__((format(printf, 4, 5))) static void property_format(struct exsyncctl *tool,
                                                                  const char *name,
                                                                  enum output_colour colour,
                                                                  const char *format, ...)
{
    char value[VALUE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    property(tool, name, colour, value);
}

/* "2026-01-31 23:59:59 (3 min ago)"; "never" */
static void property_time(struct exsyncctl *tool, const char *name, const json_t *object,
                          const char *member, const char *never)
{
    const char *utc = output_text(object, member);
    char time[OUTPUT_TIME_SIZE], since[OUTPUT_TIME_SIZE];
    if (utc == NULL) {
        property(tool, name, OUTPUT_PLAIN, never);
        return;
    }
    output_time(time, utc);
    output_since(since, utc);
    property_format(tool, name, OUTPUT_PLAIN, "%s (%s)", time, since);
}

static void property_trouble(struct exsyncctl *tool, const json_t *trouble)
{
    if (!json_is_object(trouble))
        return;
    enum output_colour colour = output_true(trouble, "permanent") ? OUTPUT_BAD : OUTPUT_WARNING;
    const char *error = output_text(trouble, "error"), *remedy = output_text(trouble, "remedy");
    property_format(tool, "  trouble", colour, "%s (%s in %s)", output_words(trouble, "sentence"),
                    output_words(trouble, "code"), output_words(trouble, "step"));
    if (error != NULL && error[0] != '\0')
        property(tool, "  said", OUTPUT_PLAIN, error);
    if (remedy != NULL && remedy[0] != '\0')
        property(tool, "  what to do", OUTPUT_PLAIN, remedy);
    property_format(tool, "  failures", OUTPUT_PLAIN, "%lld in a row",
                    (long long)output_number(trouble, "failures"));
    property_time(tool, "  since", trouble, "since", "-");
}

/* Not what is told by the trouble already. */
static void property_hindrance(struct exsyncctl *tool, const json_t *direction)
{
    const json_t *hindrance = json_object_get(direction, "hindrance");
    if (json_is_object(hindrance) && !json_is_object(json_object_get(direction, "trouble")))
        property(tool, "  waits", OUTPUT_WARNING, output_text(hindrance, "text"));
}

static void property_waiting(struct exsyncctl *tool, const json_t *direction)
{
    long long queued = (long long)output_number(direction, "queued");
    long long held = (long long)output_number(direction, "held");
    if (!json_is_integer(json_object_get(direction, "queued")))
        return;
    if (held > 0)
        property_format(tool, "  waiting", OUTPUT_WARNING,
                        "%lld to be sent, %lld held (exsyncctl queue list)", queued, held);
    else
        property_format(tool, "  waiting", OUTPUT_PLAIN, "%lld to be sent", queued);
}

static void property_direction(struct exsyncctl *tool, const char *name, const json_t *direction)
{
    const char *state = output_text(direction, "state");
    bool disabled = rows_is_disabled(direction);
    property(tool, name, disabled ? OUTPUT_WARNING : OUTPUT_STRONG, disabled ? "disabled" : state);
    property_hindrance(tool, direction);
    if (state != NULL && strcmp(state, "off") == 0)
        return;
    property_format(tool, "  last cycle", OUTPUT_PLAIN, "%s, %lld processed, %lld failed",
                    output_text(direction, "result"),
                    (long long)output_number(direction, "processed"),
                    (long long)output_number(direction, "failed"));
    property_time(tool, "  started", direction, "last_started", "never");
    property_time(tool, "  went through", direction, "last_succeeded", "never");
    property_time(tool, "  next due", direction, "next_due", "not by itself");
    property_waiting(tool, direction);
    property_trouble(tool, json_object_get(direction, "trouble"));
}

static void property_folders(struct exsyncctl *tool, const json_t *folders)
{
    size_t index;
    const json_t *folder;
    char time[OUTPUT_TIME_SIZE];
    json_array_foreach(folders, index, folder)
    {
        const char *name = output_text(folder, "name");
        output_time(time, output_text(folder, "read_up_to"));
        if (json_is_integer(json_object_get(folder, "items")))
            property_format(tool, "folder", OUTPUT_PLAIN, "%s: %lld in Exchange, read up to %s%s",
                            name, (long long)output_number(folder, "items"), time,
                            output_true(folder, "backlog") ? ", older mail is being worked off"
                                                           : "");
        else
            property(tool, "folder", OUTPUT_PLAIN, name);
    }
}

static void take_whole_mailbox(struct exsyncctl *tool, const json_t *mailbox, void *argument)
{
    (void)argument;
    const char *state = output_text(mailbox, "state"), *move = output_text(mailbox, "move_folder");
    property(tool, "mailbox", OUTPUT_STRONG, output_text(mailbox, "address"));
    property(tool, "state", rows_state_colour(state), state);
    property(tool, "profile", OUTPUT_PLAIN, output_text(mailbox, "profile"));
    property(tool, "account", OUTPUT_PLAIN, rows_account(mailbox));
    property(tool, "url", OUTPUT_PLAIN, output_text(mailbox, "url"));
    if (output_text(mailbox, "identity") != NULL)
        property(tool, "identity", OUTPUT_PLAIN, output_text(mailbox, "identity"));
    property_direction(tool, "incoming", json_object_get(mailbox, "incoming"));
    property_direction(tool, "outgoing", json_object_get(mailbox, "outgoing"));
    property(tool, "maildir", OUTPUT_PLAIN, output_text(mailbox, "maildir"));
    property_format(tool, "after processing", OUTPUT_PLAIN, "%s%s%s",
                    output_text(mailbox, "after_processing"), move == NULL ? "" : " to ",
                    move == NULL ? "" : move);
    property_time(tool, "process email from", mailbox, "process_email_from", "-");
    property_folders(tool, json_object_get(mailbox, "folders"));
}

static int mailbox_show(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    json_t *request = json_pack("{s:s, s:s}", "command", "mailbox", "address", arguments[0]);
    return exsyncctl_each(tool, request, take_whole_mailbox, NULL);
}

/* --- a profile --- */

/* How the owner is told, in words; `detail`: the program or server, NULL where there is none. */
static const char *way_of(const json_t *profile, const char *name, const char **detail)
{
    *detail = NULL;
    if (name == NULL)
        return "";
    if (strcmp(name, "command") == 0) {
        *detail = output_text(profile, "notify_command");
        return "by the command";
    }
    if (strcmp(name, "smtp") == 0) {
        *detail = output_text(profile, "smtp");
        return "by a mail through";
    }
    return strcmp(name, "exchange") == 0 ? "by a mail through Exchange" : name;
}

static void property_owner(struct exsyncctl *tool, const json_t *profile)
{
    const char *owner = output_text(profile, "owner");
    const json_t *ways = json_object_get(profile, "notify"), *way;
    size_t index;
    if (owner == NULL) {
        property(tool, "owner", OUTPUT_WARNING, "none: nobody is told (key owner)");
        return;
    }
    property(tool, "owner", OUTPUT_PLAIN, owner);
    if (json_array_size(ways) == 0)
        property(tool, "the owner is told", OUTPUT_WARNING, "by no way (key notify)");
    json_array_foreach(ways, index, way)
    {
        const char *detail, *words = way_of(profile, json_string_value(way), &detail);
        property_format(tool, index == 0 ? "the owner is told" : "", OUTPUT_PLAIN, "%s%s%s", words,
                        detail == NULL ? "" : " ", detail == NULL ? "" : detail);
    }
}

static void property_refused(struct exsyncctl *tool, const json_t *refused)
{
    char since[OUTPUT_TIME_SIZE];
    if (!json_is_object(refused)) {
        property(tool, "sign-ins failed", OUTPUT_PLAIN, "none");
        return;
    }
    output_since(since, output_text(refused, "last"));
    property_format(tool, "sign-ins failed", OUTPUT_BAD, "%lld, the last one %s",
                    (long long)output_number(refused, "count"), since);
}

/* What no cycle has met so far. */
static void property_refused_otherwise(struct exsyncctl *tool, const json_t *refusal)
{
    if (!json_is_object(refusal))
        return;
    property_format(tool, "refused to a test", OUTPUT_BAD, "%s (%s) %s",
                    output_words(refusal, "sentence"), output_words(refusal, "code"),
                    output_words(refusal, "text"));
    property(tool, "", OUTPUT_PLAIN,
             "the next cycle counts it and waits; exsyncctl test --sign-in tries at once");
}

static void property_budget(struct exsyncctl *tool, const json_t *profile)
{
    const json_t *connections = json_object_get(profile, "connections");
    const json_t *cycles = json_object_get(profile, "cycles");
    property_format(tool, "connections", OUTPUT_PLAIN, "%lld busy; %lld may be now, %lld at most",
                    (long long)output_number(connections, "busy"),
                    (long long)output_number(connections, "budget"),
                    (long long)output_number(connections, "most"));
    property_format(tool, "cycles", OUTPUT_PLAIN, "%lld running, %lld queued, %lld at a time",
                    (long long)output_number(cycles, "running"),
                    (long long)output_number(cycles, "queued"),
                    (long long)output_number(cycles, "most"));
    property_format(tool, "mailboxes", OUTPUT_PLAIN, "%lld, %lld of them stopped",
                    (long long)output_number(profile, "mailboxes"),
                    (long long)output_number(profile, "stopped"));
}

static void property_alerts(struct exsyncctl *tool, const json_t *alerts)
{
    if (!json_is_integer(json_object_get(alerts, "errors")))
        return;
    property_format(tool, "open alerts", OUTPUT_PLAIN, "errors: %lld, warnings: %lld",
                    (long long)output_number(alerts, "errors"),
                    (long long)output_number(alerts, "warnings"));
}

/* Whether its mailboxes can go on, as far as its server and its account are concerned. */
static const char *gate_words(const json_t *profile)
{
    if (json_is_object(json_object_get(profile, "refused_otherwise")))
        return "the account was refused";
    const char *gate = output_words(profile, "gate");
    if (strcmp(gate, "closed") == 0)
        return "do not work: its mailboxes wait";
    return strcmp(gate, "trying") == 0 ? "are being tried: its mailboxes wait" : "nothing is wrong";
}

static void take_whole_profile(struct exsyncctl *tool, const json_t *profile, void *argument)
{
    (void)argument;
    const json_t *trouble = json_object_get(profile, "trouble");
    property(tool, "profile", OUTPUT_STRONG, output_text(profile, "name"));
    property(tool, "url", OUTPUT_PLAIN, output_text(profile, "url"));
    property(tool, "account", OUTPUT_PLAIN, rows_account(profile));
    property(tool, "signs in by", OUTPUT_PLAIN, output_text(profile, "auth"));
    property_owner(tool, profile);
    if (output_true(profile, "paused"))
        property(tool, "paused", OUTPUT_WARNING, output_text(profile, "pause"));
    const json_t *refusal = json_object_get(profile, "refused_otherwise");
    property(tool, "server and account",
             json_is_object(refusal) ? OUTPUT_BAD : rows_gate_colour(profile), gate_words(profile));
    property_trouble(tool, trouble);
    if (output_text(profile, "next_try") != NULL)
        property_time(tool, "  next try", profile, "next_try", "-");
    property_refused(tool, json_object_get(profile, "sign_ins_refused"));
    property_refused_otherwise(tool, refusal);
    property_budget(tool, profile);
    property_alerts(tool, json_object_get(profile, "alerts"));
}

static int profile_show(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    json_t *request = json_pack("{s:s, s:s}", "command", "profile", "name", arguments[0]);
    return exsyncctl_each(tool, request, take_whole_profile, NULL);
}

static const struct exsyncctl_option mailbox_list_options[] = {
    {"profile", "NAME", "only those of this profile"},
    {"trouble", NULL, "only those that are failing or stopped"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_view_commands[] = {
    {"mailbox list", "", "list the mailboxes", mailbox_list_options, 0, 0, mailbox_list},
    {"mailbox show", "ADDRESS", "show all about one mailbox", NULL, 1, 1, mailbox_show},
    {"profile list", "", "list the profiles", NULL, 0, 0, profile_list},
    {"profile show", "NAME", "show all about one profile", NULL, 1, 1, profile_show},
    {.name = NULL},
};

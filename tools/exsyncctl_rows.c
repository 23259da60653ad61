#include "tools/exsyncctl_rows.h"

#include <string.h>

const char *rows_account(const json_t *object)
{
    const char *account = output_text(object, "account");
    return account == NULL ? "(Kerberos ticket)" : account;
}

static bool is(const char *word, const char *text)
{
    return text != NULL && strcmp(text, word) == 0;
}

/* --- notes --- */

enum { NOTES_MAX = 10 };

static void note(struct rows_notes *notes, const char *text)
{
    size_t index;
    const json_t *known;
    if (notes->texts == NULL)
        notes->texts = json_array();
    json_array_foreach(notes->texts, index, known)
    {
        if (is(text, json_string_value(known)))
            return;
    }
    if (json_array_size(notes->texts) < NOTES_MAX)
        json_array_append_new(notes->texts, json_string(text));
    else
        notes->more++;
}

/* Notes the text of what waits for something that others wait for, too, and returns the word for
 * the row; NULL: `hindrance` (null: there is none) is a row's own. */
static const char *note_hindrance(struct rows_notes *notes, const json_t *hindrance)
{
    static const struct {
        const char *cause, *word;
    } words[] = {{"paused", "paused"},
                 {"profile", "waits for its profile"},
                 {"storage", "waits for this machine's disk"}};
    const char *cause = output_text(hindrance, "cause"), *text = output_text(hindrance, "text");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text == NULL || !is(words[i].cause, cause))
            continue;
        note(notes, text);
        return words[i].word;
    }
    return NULL;
}

void rows_print_notes(const struct exsyncctl *tool, struct rows_notes *notes)
{
    size_t index;
    const json_t *text;
    json_array_foreach(notes->texts, index, text)
    {
        output_print(tool, OUTPUT_WARNING, "%s%s\n", index == 0 ? "Waiting: " : "         ",
                     json_string_value(text));
    }
    if (notes->more > 0)
        output_print(tool, OUTPUT_WARNING, "         and for more: exsyncctl profile list\n");
    json_decref(notes->texts);
    *notes = (struct rows_notes){0};
}

/* --- profiles --- */

static const char *gate_words(const json_t *profile)
{
    const char *gate = output_text(profile, "gate");
    if (output_true(profile, "paused"))
        return "paused";
    if (is("closed", gate))
        return "waits";
    return is("trying", gate) ? "tries" : "ok";
}

enum output_colour rows_gate_colour(const json_t *profile)
{
    const json_t *trouble = json_object_get(profile, "trouble");
    if (!json_is_object(trouble))
        return output_true(profile, "paused") ? OUTPUT_WARNING : OUTPUT_GOOD;
    return output_true(trouble, "permanent") ? OUTPUT_BAD : OUTPUT_WARNING;
}

struct output_table *rows_create_profiles(void)
{
    static const char *const headings[] = {"*PROFILE",    "2ACCOUNT", "SERVER",
                                           "3>MAILBOXES", ">STOPPED", "1>CYCLES",
                                           ">ALERTS",     "TROUBLE",  NULL};
    return output_table_create(headings);
}

static void add_alerts(struct output_table *table, const json_t *profile)
{
    const json_t *alerts = json_object_get(profile, "alerts");
    int64_t errors = output_number(alerts, "errors"), warnings = output_number(alerts, "warnings");
    if (!json_is_integer(json_object_get(alerts, "errors")))
        output_cell(table, OUTPUT_PLAIN, NULL);
    else if (errors == 0)
        output_cell_format(table, warnings > 0 ? OUTPUT_WARNING : OUTPUT_PLAIN, "%lld",
                           (long long)warnings);
    else
        output_cell_format(table, OUTPUT_BAD, "%lld", (long long)(errors + warnings));
}

static void add_gate_trouble(struct output_table *table, struct rows_notes *notes,
                             const json_t *profile)
{
    const json_t *trouble = json_object_get(profile, "trouble");
    const char *pause = output_text(profile, "pause");
    char next[OUTPUT_TIME_SIZE];
    if (pause != NULL) {
        note(notes, pause);
        output_cell(table, OUTPUT_PLAIN, "paused");
        return;
    }
    if (!json_is_object(trouble)) {
        output_cell(table, OUTPUT_PLAIN, "");
        return;
    }
    output_since(next, output_text(profile, "next_try"));
    output_cell_format(table, OUTPUT_PLAIN, "%s: %s Next try: %s.", output_words(trouble, "code"),
                       output_words(trouble, "sentence"), next);
}

void rows_add_profile(struct output_table *table, struct rows_notes *notes, const json_t *profile)
{
    const json_t *cycles = json_object_get(profile, "cycles");
    int64_t stopped = output_number(profile, "stopped");
    output_cell(table, OUTPUT_STRONG, output_text(profile, "name"));
    output_cell(table, OUTPUT_PLAIN, rows_account(profile));
    output_cell(table, rows_gate_colour(profile), gate_words(profile));
    output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)output_number(profile, "mailboxes"));
    output_cell_format(table, stopped > 0 ? OUTPUT_BAD : OUTPUT_PLAIN, "%lld", (long long)stopped);
    output_cell_format(table, OUTPUT_PLAIN, "%lld/%lld",
                       (long long)output_number(cycles, "running"),
                       (long long)output_number(cycles, "most"));
    add_alerts(table, profile);
    add_gate_trouble(table, notes, profile);
}

/* --- mailboxes --- */

enum output_colour rows_state_colour(const char *state)
{
    if (is("ok", state))
        return OUTPUT_GOOD;
    if (is("stopped", state))
        return OUTPUT_BAD;
    bool waits = is("failing", state) || is("held", state) || is("paused", state) ||
                 is("disabled", state) || is("partly disabled", state);
    return waits ? OUTPUT_WARNING : OUTPUT_FAINT;
}

/* What stands in the way of it, in whichever direction; NULL: nothing. */
static const json_t *trouble_of(const json_t *mailbox)
{
    const json_t *incoming = json_object_get(json_object_get(mailbox, "incoming"), "trouble");
    const json_t *outgoing = json_object_get(json_object_get(mailbox, "outgoing"), "trouble");
    /* The one that stays says more. */
    if (json_is_object(outgoing) &&
        (!json_is_object(incoming) ||
         (output_true(outgoing, "permanent") && !output_true(incoming, "permanent"))))
        return outgoing;
    return json_is_object(incoming) ? incoming : NULL;
}

static const json_t *hindrance_in(const json_t *mailbox, const char *direction)
{
    return json_object_get(json_object_get(mailbox, direction), "hindrance");
}

/* That one direction is disabled says less than what the other one waits for. */
static const json_t *hindrance_of(const json_t *mailbox)
{
    const json_t *incoming = hindrance_in(mailbox, "incoming");
    const json_t *outgoing = hindrance_in(mailbox, "outgoing");
    if (!json_is_object(incoming))
        return outgoing;
    return is("disabled", output_text(incoming, "cause")) && json_is_object(outgoing) ? outgoing
                                                                                      : incoming;
}

bool rows_is_disabled(const json_t *direction)
{
    return is("disabled", output_text(json_object_get(direction, "hindrance"), "cause"));
}

struct output_table *rows_create_mailboxes(bool with_profile)
{
    static const char *const headings[] = {"*MAILBOX",  "STATE",     "5INCOMING", "3NEXT",
                                           "4OUTGOING", "2>WAITING", "TROUBLE",   NULL};
    static const char *const with[] = {"*MAILBOX",  "1PROFILE",  "STATE",   "5INCOMING", "3NEXT",
                                       "4OUTGOING", "2>WAITING", "TROUBLE", NULL};
    return output_table_create(with_profile ? with : headings);
}

/* "disabled", "off", "running", "ok 3 min ago", "failed 12 s ago", "not run". */
static void add_direction(struct output_table *table, const json_t *direction)
{
    const char *state = output_text(direction, "state"), *result = output_text(direction, "result");
    char since[OUTPUT_TIME_SIZE];
    if (rows_is_disabled(direction)) {
        output_cell(table, OUTPUT_WARNING, "disabled");
        return;
    }
    if (is("off", state) || is("running", state)) {
        output_cell(table, is("off", state) ? OUTPUT_FAINT : OUTPUT_PLAIN, state);
        return;
    }
    if (is("not run", result)) {
        output_cell(table, OUTPUT_FAINT, is("idle", state) ? state : result);
        return;
    }
    bool failed = is("failure", result);
    output_since(since, output_text(direction, failed ? "last_started" : "last_succeeded"));
    output_cell_format(table, failed ? OUTPUT_WARNING : OUTPUT_PLAIN, "%s %s%s",
                       failed ? "failed" : "ok", since,
                       output_true(direction, "backlog") ? ", backlog" : "");
}

/* "3", "0, 1 held" */
static void add_waiting(struct output_table *table, const json_t *outgoing)
{
    const json_t *queued = json_object_get(outgoing, "queued");
    int64_t held = output_number(outgoing, "held");
    if (!json_is_integer(queued))
        output_cell(table, OUTPUT_PLAIN, NULL);
    else if (held == 0)
        output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)json_integer_value(queued));
    else
        output_cell_format(table, OUTPUT_WARNING, "%lld, %lld held",
                           (long long)json_integer_value(queued), (long long)held);
}

static void add_trouble(struct output_table *table, struct rows_notes *notes, const json_t *mailbox)
{
    const json_t *trouble = trouble_of(mailbox), *hindrance = hindrance_of(mailbox);
    const char *word = note_hindrance(notes, hindrance);
    if (trouble != NULL)
        output_cell_format(table, OUTPUT_PLAIN, "%s: %s", output_words(trouble, "code"),
                           output_words(trouble, "sentence"));
    else
        output_cell(table, OUTPUT_PLAIN, word != NULL ? word : output_words(hindrance, "text"));
}

void rows_add_mailbox(struct output_table *table, struct rows_notes *notes, const json_t *mailbox,
                      bool with_profile)
{
    const json_t *incoming = json_object_get(mailbox, "incoming");
    const json_t *outgoing = json_object_get(mailbox, "outgoing");
    const char *state = output_text(mailbox, "state");
    char next[OUTPUT_TIME_SIZE];
    output_since(next, output_text(incoming, "next_due"));
    output_cell(table, OUTPUT_STRONG, output_text(mailbox, "address"));
    if (with_profile)
        output_cell(table, OUTPUT_PLAIN, output_text(mailbox, "profile"));
    output_cell(table, rows_state_colour(state), state);
    add_direction(table, incoming);
    output_cell(table, OUTPUT_PLAIN, next);
    add_direction(table, outgoing);
    add_waiting(table, outgoing);
    add_trouble(table, notes, mailbox);
}

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

/* --- profiles --- */

const char *rows_gate_words(const json_t *profile)
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

static void add_gate_trouble(struct output_table *table, const json_t *profile)
{
    const json_t *trouble = json_object_get(profile, "trouble");
    const char *pause = output_text(profile, "pause");
    char next[OUTPUT_TIME_SIZE];
    if (pause != NULL) {
        output_cell(table, OUTPUT_PLAIN, pause);
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

void rows_add_profile(struct output_table *table, const json_t *profile)
{
    const json_t *cycles = json_object_get(profile, "cycles");
    int64_t stopped = output_number(profile, "stopped");
    output_cell(table, OUTPUT_STRONG, output_text(profile, "name"));
    output_cell(table, OUTPUT_PLAIN, rows_account(profile));
    output_cell(table, rows_gate_colour(profile), rows_gate_words(profile));
    output_cell_format(table, OUTPUT_PLAIN, "%lld", (long long)output_number(profile, "mailboxes"));
    output_cell_format(table, stopped > 0 ? OUTPUT_BAD : OUTPUT_PLAIN, "%lld", (long long)stopped);
    output_cell_format(table, OUTPUT_PLAIN, "%lld/%lld",
                       (long long)output_number(cycles, "running"),
                       (long long)output_number(cycles, "most"));
    add_alerts(table, profile);
    add_gate_trouble(table, profile);
}

/* --- mailboxes --- */

enum output_colour rows_state_colour(const char *state)
{
    if (is("ok", state))
        return OUTPUT_GOOD;
    if (is("stopped", state))
        return OUTPUT_BAD;
    bool waits =
        is("failing", state) || is("held", state) || is("paused", state) || is("disabled", state);
    return waits ? OUTPUT_WARNING : OUTPUT_FAINT;
}

const json_t *rows_trouble(const json_t *mailbox)
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

static const char *waits_for_others(const json_t *direction)
{
    const json_t *hindrance = json_object_get(direction, "hindrance");
    const char *cause = output_text(hindrance, "cause");
    bool waits = is("paused", cause) || is("storage", cause) || is("profile", cause);
    return waits ? output_text(hindrance, "text") : NULL;
}

const char *rows_hindrance(const json_t *mailbox)
{
    const char *incoming = waits_for_others(json_object_get(mailbox, "incoming"));
    return incoming != NULL ? incoming : waits_for_others(json_object_get(mailbox, "outgoing"));
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
    if (output_true(direction, "disabled")) {
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

static void add_trouble(struct output_table *table, const json_t *mailbox)
{
    const json_t *trouble = rows_trouble(mailbox);
    const char *hindrance = rows_hindrance(mailbox);
    if (trouble != NULL)
        output_cell_format(table, OUTPUT_PLAIN, "%s: %s", output_words(trouble, "code"),
                           output_words(trouble, "sentence"));
    else
        output_cell(table, OUTPUT_PLAIN, hindrance == NULL ? "" : hindrance);
}

void rows_add_mailbox(struct output_table *table, const json_t *mailbox, bool with_profile)
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
    add_trouble(table, mailbox);
}

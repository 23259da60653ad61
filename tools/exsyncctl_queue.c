/* queue: outgoing messages on their way. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* --- list --- */

struct listing {
    struct output_table *table;
    size_t held;
    bool failed; /* those that have failed */
};

/* When it is tried: "in 3 min 5 s", "paused", "stopped, in 2 h"; "-": it is held. */
static void add_next(struct output_table *table, const json_t *message)
{
    const char *cause = output_text(json_object_get(message, "hindrance"), "cause");
    char next[OUTPUT_TIME_SIZE];
    output_since(next, output_text(message, "next_try"));
    if (cause == NULL)
        output_cell(table, OUTPUT_PLAIN, next);
    else if (output_text(message, "next_try") == NULL)
        output_cell(table, OUTPUT_WARNING, cause);
    else
        output_cell_format(table, OUTPUT_WARNING, "%s, %s", cause, next);
}

/* Of one that waits the code says enough, for it is tried again. */
static void add_reason(struct listing *listing, const json_t *message)
{
    const char *code = output_text(json_object_get(message, "error"), "code");
    const char *reason = output_text(message, "reason");
    if (!listing->failed)
        output_cell(listing->table, code == NULL ? OUTPUT_FAINT : OUTPUT_BAD, code);
    else if (code == NULL || reason == NULL)
        output_cell(listing->table, OUTPUT_BAD, reason == NULL ? code : reason);
    else
        output_cell_format(listing->table, OUTPUT_BAD, "%s: %s", code, reason);
}

/* What people call it. */
static const char *state_of(const json_t *message, enum output_colour *colour)
{
    const char *state = output_text(message, "state");
    *colour = OUTPUT_PLAIN;
    if (output_true(message, "removing")) {
        *colour = OUTPUT_WARNING;
        return "being removed";
    }
    if (output_true(message, "held")) {
        *colour = OUTPUT_WARNING;
        return "held";
    }
    if (state == NULL)
        return "";
    if (output_true(message, "discarded"))
        return strcmp(state, "failed") == 0 ? "failed, and thrown away"
                                            : "refused, and thrown away";
    if (strcmp(state, "failed") == 0 || strcmp(state, "refused") == 0)
        *colour = OUTPUT_BAD;
    if (output_true(message, "may_have_been_sent")) {
        *colour = OUTPUT_WARNING;
        return "in doubt";
    }
    return strcmp(state, "created") == 0 || strcmp(state, "creating") == 0 ? "draft" : state;
}

/* Of one that went wrong at the first try none was counted that may pass. */
static int64_t failures_of(const json_t *message)
{
    int64_t attempts = output_number(message, "attempts");
    return attempts == 0 && json_is_object(json_object_get(message, "error")) ? 1 : attempts;
}

static void list_message(struct exsyncctl *tool, const json_t *message, void *argument)
{
    (void)tool;
    struct listing *listing = argument;
    enum output_colour colour;
    char queued[OUTPUT_TIME_SIZE];
    const char *state = state_of(message, &colour);
    output_time(queued, output_text(message, listing->failed ? "finished" : "queued"));
    listing->held += output_true(message, "held");
    output_cell(listing->table, OUTPUT_PLAIN, output_text(message, "message"));
    output_cell(listing->table, OUTPUT_PLAIN, output_text(message, "address"));
    output_cell(listing->table, colour, state);
    output_cell(listing->table, OUTPUT_PLAIN, queued);
    if (!listing->failed)
        add_next(listing->table, message);
    output_cell_format(listing->table, OUTPUT_PLAIN, "%lld", (long long)failures_of(message));
    add_reason(listing, message);
    output_cell(listing->table, OUTPUT_PLAIN, output_text(message, "subject"));
}

static void show_count(const struct listing *listing, size_t count)
{
    if (count == 0)
        printf(listing->failed ? "No message has failed.\n" : "The queue is empty.\n");
    else if (listing->held > 0)
        printf("%zu %s, %zu held\n", count, count == 1 ? "message" : "messages", listing->held);
    else
        printf("%zu %s\n", count, count == 1 ? "message" : "messages");
}

static int run_list(struct exsyncctl *tool, int count, char **arguments)
{
    static const char *const waiting[] = {"*MESSAGE", "*FROM",     "STATE",
                                          "2QUEUED",  "4NEXT TRY", "1>FAILURES",
                                          "3REASON",  "5SUBJECT",  NULL};
    static const char *const failed[] = {"*MESSAGE",   "*FROM",   "STATE",    "2FAILED",
                                         "1>FAILURES", "3REASON", "5SUBJECT", NULL};
    struct listing listing = {.failed = exsyncctl_flag(tool, "failed")};
    listing.table = output_table_create(listing.failed ? failed : waiting);
    json_t *request = json_pack("{s:s,s:b,s:s*}", "command", "queue list", "failed", listing.failed,
                                "address", count == 1 ? arguments[0] : NULL);
    int status = exsyncctl_each(tool, request, list_message, &listing);
    size_t rows = output_table_rows(listing.table);
    if (status == 0 && !tool->json)
        show_count(&listing, rows);
    output_table_print(tool, listing.table);
    return status;
}

/* --- show --- */

static void show_line(struct exsyncctl *tool, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    output_print(tool, OUTPUT_FAINT, "%-14s", name);
    output_print(tool, OUTPUT_PLAIN, "%s\n", value);
}

static void show_time(struct exsyncctl *tool, const char *name, const json_t *message,
                      const char *member)
{
    char text[OUTPUT_TIME_SIZE];
    if (output_text(message, member) == NULL)
        return;
    output_time(text, output_text(message, member));
    show_line(tool, name, text);
}

static void show_number(struct exsyncctl *tool, const char *name, int64_t number, const char *unit)
{
    char text[64];
    snprintf(text, sizeof text, "%lld%s", (long long)number, unit);
    show_line(tool, name, text);
}

static void show_recipients(struct exsyncctl *tool, const json_t *message)
{
    size_t index;
    json_t *recipient;
    json_array_foreach(json_object_get(message, "recipients"), index, recipient)
    {
        const char *kind = output_text(recipient, "kind");
        const char *address = output_text(recipient, "address");
        const char *name = output_text(recipient, "name");
        if (kind == NULL || address == NULL)
            continue;
        output_print(tool, OUTPUT_FAINT, "%-14s", kind);
        output_print(tool, OUTPUT_PLAIN, name == NULL ? "%s%s\n" : "%s (%s)\n", address,
                     name == NULL ? "" : name);
    }
    int64_t more = output_number(message, "recipient_count") - (int64_t)index;
    if (more > 0)
        output_print(tool, OUTPUT_FAINT, "%-14sand %lld more\n", "", (long long)more);
}

/* The names of users may come from a directory that hangs: it is this program alone that waits. */
static void show_submitter(struct exsyncctl *tool, const json_t *message)
{
    char text[128];
    json_t *submitter = json_object_get(message, "submitter");
    if (!json_is_integer(submitter))
        return;
    long long user = (long long)json_integer_value(submitter);
    const struct passwd *entry = getpwuid((uid_t)user);
    if (entry == NULL)
        snprintf(text, sizeof text, "user id %lld", user);
    else
        snprintf(text, sizeof text, "%s (user id %lld)", entry->pw_name, user);
    show_line(tool, "submitted by", text);
}

static void show_error(struct exsyncctl *tool, const json_t *error)
{
    const char *code = output_text(error, "code"), *sentence = output_text(error, "sentence");
    if (code == NULL)
        return;
    output_print(tool, OUTPUT_BAD, "%-14s%s (%s)\n", "failure", sentence == NULL ? "" : sentence,
                 code);
    show_line(tool, "", output_text(error, "text"));
    show_line(tool, "", output_text(error, "remedy"));
}

static void show_message(struct exsyncctl *tool, const json_t *message, void *argument)
{
    (void)argument;
    enum output_colour colour;
    const char *state = state_of(message, &colour);
    show_line(tool, "message", output_text(message, "message"));
    show_line(tool, "mailbox", output_text(message, "address"));
    show_line(tool, "profile", output_text(message, "profile"));
    output_print(tool, OUTPUT_FAINT, "%-14s", "state");
    output_print(tool, colour, "%s\n", state);
    show_time(tool, "held since", message, "held_since");
    show_line(tool, "subject", output_text(message, "subject"));
    show_recipients(tool, message);
    show_line(tool, "message-id", output_text(message, "message_id"));
    if (json_is_integer(json_object_get(message, "size")))
        show_number(tool, "size", output_number(message, "size"), " bytes");
    show_submitter(tool, message);
    show_time(tool, "queued", message, "queued");
    show_time(tool, "finished", message, "finished");
    show_time(tool, "thrown away", message, "discarded_at");
    show_number(tool, "failures", failures_of(message), "");
    show_line(tool, "waits", output_text(json_object_get(message, "hindrance"), "text"));
    show_time(tool, "next try", message, "next_try");
    show_line(tool, "reason", output_text(message, "reason"));
    show_error(tool, json_object_get(message, "error"));
    show_line(tool, "next", output_text(message, "next"));
}

static int run_show(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count;
    return exsyncctl_each(tool,
                          json_pack("{s:s,s:s}", "command", "queue show", "message", arguments[0]),
                          show_message, NULL);
}

/* --- changes --- */

static void show_changed(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    const char *done = argument;
    const char *message = output_text(answer, "message"), *subject = output_text(answer, "subject");
    const char *file = output_text(answer, "file");
    const char *hindrance = output_text(json_object_get(answer, "hindrance"), "text");
    bool named = subject != NULL && subject[0] != '\0';
    output_print(tool, OUTPUT_PLAIN, "%s: %s%s%s%s%s\n", message == NULL ? "" : message, done,
                 output_true(answer, "already") ? " already" : "", named ? ", \"" : "",
                 named ? subject : "", named ? "\"" : "");
    if (hindrance != NULL)
        output_print(tool, OUTPUT_WARNING, "It waits all the same: %s\n", hindrance);
    if (file != NULL)
        output_print(tool, OUTPUT_PLAIN, "It is kept as %s in the outbox.\n", file);
    if (output_true(answer, "lost"))
        output_print(tool, OUTPUT_BAD, "It is lost: the outbox had no file of it.\n");
    if (output_true(answer, "may_have_been_sent"))
        output_print(tool, OUTPUT_WARNING,
                     "It may have been sent: look for it in Sent Items before it is submitted "
                     "again.\n");
}

/* One after the other; the others go on when one cannot be changed. */
static int change_all(struct exsyncctl *tool, const char *command, const char *done, int count,
                      char **arguments)
{
    int status = 0;
    for (int i = 0; i < count; i++) {
        char words[32];
        snprintf(words, sizeof words, "queue %s", command);
        int one =
            exsyncctl_each(tool, json_pack("{s:s,s:s}", "command", words, "message", arguments[i]),
                           show_changed, (void *)done);
        if (status == 0)
            status = one;
    }
    return status;
}

static int run_hold(struct exsyncctl *tool, int count, char **arguments)
{
    return change_all(tool, "hold", "held", count, arguments);
}

static int run_release(struct exsyncctl *tool, int count, char **arguments)
{
    return change_all(tool, "release", "released", count, arguments);
}

static int run_retry(struct exsyncctl *tool, int count, char **arguments)
{
    return change_all(tool, "retry", "due now", count, arguments);
}

static int run_remove(struct exsyncctl *tool, int count, char **arguments)
{
    return change_all(tool, "remove", "removed", count, arguments);
}

static int run_discard(struct exsyncctl *tool, int count, char **arguments)
{
    return change_all(tool, "discard", "thrown away", count, arguments);
}

/* --- flush --- */

static void show_flushed(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    int64_t count = output_number(answer, "messages"), hindered = output_number(answer, "hindered");
    size_t index;
    json_t *hindrance;
    output_print(tool, OUTPUT_PLAIN, "%lld queued %s due now.\n", (long long)count,
                 count == 1 ? "message is" : "messages are");
    if (hindered > 0)
        output_print(tool, OUTPUT_WARNING, "%lld of them %s all the same:\n", (long long)hindered,
                     hindered == 1 ? "waits" : "wait");
    json_array_foreach(json_object_get(answer, "hindrances"), index, hindrance)
    {
        output_print(tool, OUTPUT_WARNING, "  %s\n", json_string_value(hindrance));
    }
}

static int run_flush(struct exsyncctl *tool, int count, char **arguments)
{
    json_t *request = json_pack("{s:s,s:s*}", "command", "queue flush", "address",
                                count == 1 ? arguments[0] : NULL);
    return exsyncctl_each(tool, request, show_flushed, NULL);
}

static const struct exsyncctl_option list_options[] = {
    {"failed", NULL, "those that have failed, instead of those that wait"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_queue_commands[] = {
    {"queue list", "[ADDRESS]", "outgoing messages that wait to be sent", list_options, 0, 1,
     run_list},
    {"queue show", "MESSAGE", "all about one of them", NULL, 1, 1, run_show},
    {"queue hold", "MESSAGE ...", "do not try a message until it is released", NULL, 1, -1,
     run_hold},
    {"queue release", "MESSAGE ...", "let messages go on that are held", NULL, 1, -1, run_release},
    {"queue retry", "MESSAGE ...", "try waiting messages now", NULL, 1, -1, run_retry},
    {"queue remove", "MESSAGE ...", "take messages out, to the outbox's folder failed", NULL, 1, -1,
     run_remove},
    {"queue discard", "MESSAGE ...", "throw away what lies in the folder failed", NULL, 1, -1,
     run_discard},
    {"queue flush", "[ADDRESS]", "try all that wait now", NULL, 0, 1, run_flush},
    {.name = NULL},
};

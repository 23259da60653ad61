/* sync now: not to wait until it is time. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void show_due(struct exsyncctl *tool, const json_t *answer)
{
    int64_t due = output_number(answer, "directions"), disabled = output_number(answer, "disabled");
    const char *hindrance = output_text(answer, "hindrance");
    if (disabled > 0)
        output_print(
            tool, OUTPUT_WARNING,
            "%lld %s disabled by an administrator and left out; exsyncctl enable ADDRESS\n",
            (long long)disabled, disabled == 1 ? "direction is" : "directions are");
    if (due == 0)
        printf("Nothing to do: incoming is off, and nothing waits to be sent.\n");
    else if (!exsyncctl_flag(tool, "wait"))
        printf("%lld %s due now.\n", (long long)due, due == 1 ? "direction is" : "directions are");
    if (due > 0 && hindrance != NULL)
        output_print(tool, OUTPUT_WARNING, "Nothing is tried now: %s\n", hindrance);
}

static enum output_colour colour_of(const char *result)
{
    if (strcmp(result, "success") == 0)
        return OUTPUT_GOOD;
    return strcmp(result, "failure") == 0 ? OUTPUT_BAD : OUTPUT_FAINT;
}

static void show_error(struct exsyncctl *tool, const json_t *error)
{
    const char *sentence = output_text(error, "sentence"), *text = output_text(error, "text");
    const char *code = output_text(error, "code"), *remedy = output_text(error, "remedy");
    if (code == NULL)
        return;
    output_print(tool, OUTPUT_PLAIN, text == NULL ? "  %s (%s)\n" : "  %s (%s): %s\n",
                 sentence == NULL ? "" : sentence, code, text);
    if (remedy != NULL && remedy[0] != '\0')
        output_print(tool, OUTPUT_PLAIN, "  %s\n", remedy);
}

/* Nothing was asked of the server, so nothing is said of messages that were sent. */
static void show_waiting(struct exsyncctl *tool, const json_t *answer)
{
    char next[OUTPUT_TIME_SIZE];
    output_time(next, output_text(answer, "next_try"));
    output_print(tool, OUTPUT_PLAIN, ", nothing was tried: what is queued is tried next %s\n",
                 next);
    show_error(tool, json_object_get(answer, "error"));
    fflush(stdout);
}

static void show_cycle(struct exsyncctl *tool, const json_t *answer)
{
    const char *address = output_text(answer, "address"), *result = output_text(answer, "result");
    const char *direction = output_text(answer, "direction");
    bool incoming = direction != NULL && strcmp(direction, "incoming") == 0;
    if (address == NULL || result == NULL || direction == NULL)
        return;
    int64_t processed = output_number(answer, "processed");
    int64_t failed = output_number(answer, "failed");
    output_print(tool, OUTPUT_PLAIN, "%s %s: ", address, direction);
    output_print(tool, colour_of(result), "%s", result);
    if (strcmp(result, "waiting") == 0) {
        show_waiting(tool, answer);
        return;
    }
    if (strcmp(result, "not tried") != 0)
        output_print(tool, OUTPUT_PLAIN, ", %lld %s %s", (long long)processed,
                     processed == 1 ? "message" : "messages", incoming ? "delivered" : "sent");
    if (failed > 0)
        output_print(tool, OUTPUT_BAD, ", %lld failed", (long long)failed);
    output_print(tool, OUTPUT_PLAIN, "\n");
    show_error(tool, json_object_get(answer, "error"));
    fflush(stdout);
}

static void show(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *kind = output_text(answer, "kind");
    if (kind != NULL && strcmp(kind, "due") == 0)
        show_due(tool, answer);
    else if (kind != NULL && strcmp(kind, "cycle") == 0)
        show_cycle(tool, answer);
}

static int run_sync_now(struct exsyncctl *tool, int count, char **arguments)
{
    const char *profile = exsyncctl_value(tool, "profile");
    if ((profile != NULL) == (count == 1))
        return exsyncctl_misused(tool, "say which mailbox, or which profile, is to be synced");
    json_t *request =
        json_pack("{s:s,s:s,s:b}", "command", "sync", profile != NULL ? "profile" : "address",
                  profile != NULL ? profile : arguments[0], "wait", exsyncctl_flag(tool, "wait"));
    return exsyncctl_each(tool, request, show, NULL);
}

static const struct exsyncctl_option sync_options[] = {
    {"profile", "NAME", "all mailboxes of this profile"},
    {"wait", NULL, "wait for the cycles to end, and tell what came of them"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_sync_commands[] = {
    {"sync now", "ADDRESS|--profile NAME [--wait]", "look for mail and send at once", sync_options,
     0, 1, run_sync_now},
    {.name = NULL},
};

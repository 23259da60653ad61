/* test: "Test & Enable". One mailbox is shown step by step; many with a progress bar and a table of
 * what came of each. */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/shell_word.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, STEP_WIDTH = 15, EXPIRY_WARNING_DAYS = 30 };

struct test_view {
    bool many;
    bool bar; /* is drawn on standard error */
    int64_t mailboxes;
    int64_t done;
    int64_t failed;
    int64_t switched_on;
    json_t *outcomes;    /* of many, as they came */
    json_t *paused;      /* the profiles that are, by their names */
    char *shown_profile; /* whose steps were shown last */
};

/* --- the bar --- */

static void draw_bar(const struct test_view *view)
{
    int64_t filled = view->mailboxes > 0 ? view->done * BAR_WIDTH / view->mailboxes : 0;
    char bar[BAR_WIDTH + 1];
    if (!view->bar)
        return;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %" PRId64 " of %" PRId64 ", %" PRId64 " failed", bar, view->done,
            view->mailboxes, view->failed);
    fflush(stderr);
}

static void erase_bar(const struct test_view *view)
{
    if (view->bar)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* --- a step --- */

static bool has(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void show_commands(struct exsyncctl *tool, const char *text)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\n");
        output_print(tool, OUTPUT_PLAIN, "      %.*s\n", length, text);
        text += length;
        text += *text == '\n';
    }
}

static void show_error(struct exsyncctl *tool, const json_t *error)
{
    const char *sentence = output_text(error, "sentence"), *text = output_text(error, "text");
    const char *code = output_text(error, "code"), *remedy = output_text(error, "remedy");
    const char *commands = output_text(error, "commands");
    struct buffer why = {0};
    if (code == NULL)
        return;
    buffer_append_format(&why, "%s%s(%s%s%s)", has(sentence) ? sentence : "",
                         has(sentence) ? " " : "", code, has(text) ? ": " : "",
                         has(text) ? text : "");
    output_paragraph(tool, OUTPUT_BAD, 4, why.data);
    buffer_release(&why);
    if (has(remedy))
        output_paragraph(tool, OUTPUT_PLAIN, 4, remedy);
    if (has(commands))
        show_commands(tool, commands);
}

static void show_mark(struct exsyncctl *tool, const char *result)
{
    if (strcmp(result, "passed") == 0)
        output_print(tool, OUTPUT_GOOD, "  ✓ ");
    else if (strcmp(result, "failed") == 0)
        output_print(tool, OUTPUT_BAD, "  ✗ ");
    else
        output_print(tool, OUTPUT_FAINT, "  - ");
}

static bool expires_soon(const json_t *step)
{
    return json_is_integer(json_object_get(step, "days_left")) &&
           output_number(step, "days_left") < EXPIRY_WARNING_DAYS;
}

static void show_step(struct exsyncctl *tool, const json_t *answer)
{
    const char *name = output_text(answer, "step"), *result = output_text(answer, "result");
    const char *detail = output_text(answer, "detail");
    char took[OUTPUT_TIME_SIZE] = "";
    if (name == NULL || result == NULL)
        return;
    if (strcmp(result, "left out") != 0)
        output_duration(took, output_number(answer, "milliseconds"));
    show_mark(tool, result);
    output_print(tool, OUTPUT_PLAIN, "%-*s %10s", STEP_WIDTH, name, took);
    output_print(tool, expires_soon(answer) ? OUTPUT_WARNING : OUTPUT_PLAIN, "%s%s\n",
                 has(detail) ? "  " : "", has(detail) ? detail : "");
    show_error(tool, json_object_get(answer, "error"));
    fflush(stdout);
}

/* Of many only the profiles are shown step by step, and what fails of them. */
static void take_step(struct exsyncctl *tool, struct test_view *view, const json_t *answer)
{
    const char *address = output_text(answer, "address"), *profile = output_text(answer, "profile");
    if (profile == NULL || (view->many && address != NULL))
        return;
    erase_bar(view);
    bool another = view->shown_profile == NULL || strcmp(view->shown_profile, profile) != 0;
    if (another) {
        memory_free(view->shown_profile);
        view->shown_profile = memory_copy_string(profile);
        output_print(tool, OUTPUT_STRONG, "profile %s\n", profile);
    }
    show_step(tool, answer);
    draw_bar(view);
}

/* --- what came of a mailbox --- */

static void add_row(struct output_table *table, const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *step = output_text(answer, "step"), *sentence = output_text(error, "sentence");
    bool passed = output_true(answer, "passed");
    char took[OUTPUT_TIME_SIZE];
    output_duration(took, output_number(answer, "milliseconds"));
    output_cell(table, OUTPUT_PLAIN, output_text(answer, "address"));
    output_cell(table, OUTPUT_PLAIN, output_text(answer, "profile"));
    output_cell(table, passed ? OUTPUT_GOOD : OUTPUT_BAD, passed ? "✓ passed" : "✗ failed");
    output_cell(table, OUTPUT_PLAIN, took);
    output_cell(table, OUTPUT_PLAIN, passed ? "" : step);
    output_cell(table, OUTPUT_PLAIN, passed ? "" : sentence);
}

static int compare_addresses(const void *a, const void *b)
{
    const json_t *const *left = a, *const *right = b;
    const char *one = output_text(*left, "address"), *other = output_text(*right, "address");
    return strcmp(one == NULL ? "" : one, other == NULL ? "" : other);
}

static void show_table(struct exsyncctl *tool, const json_t *outcomes)
{
    static const char *const headings[] = {"*MAILBOX", "1PROFILE", "RESULT", "2>TIME",
                                           "STEP",     "CAUSE",    NULL};
    size_t count = json_array_size(outcomes);
    const json_t **sorted = memory_allocate_array(count + 1, sizeof *sorted);
    struct output_table *table = output_table_create(headings);
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(outcomes, i);
    qsort(sorted, count, sizeof *sorted, compare_addresses);
    for (size_t i = 0; i < count; i++)
        add_row(table, sorted[i]);
    output_table_print(tool, table);
    memory_free(sorted);
}

/* Once. */
static void show_summary(struct exsyncctl *tool, struct test_view *view)
{
    if (json_array_size(view->outcomes) == 0)
        return;
    erase_bar(view);
    view->bar = false;
    printf("\n");
    show_table(tool, view->outcomes);
    json_array_clear(view->outcomes);
    printf("\n%" PRId64 " of %" PRId64 " passed", view->done - view->failed, view->done);
    if (view->switched_on > 0)
        printf(", %" PRId64 " of them %s disabled and %s enabled now", view->switched_on,
               view->switched_on == 1 ? "was" : "were", view->switched_on == 1 ? "is" : "are");
    printf(view->failed > 0 ? "; exsyncctl test ADDRESS, or diagnose ADDRESS, says more of one\n"
                            : "\n");
}

static void note_paused(struct test_view *view, const json_t *answer)
{
    json_t *profile = json_object_get(answer, "profile");
    if (output_true(answer, "paused") && json_is_string(profile))
        json_object_set(view->paused, json_string_value(profile), json_true());
}

static void show_paused(struct exsyncctl *tool, const struct test_view *view)
{
    const char *profile;
    json_t *paused;
    json_object_foreach(view->paused, profile, paused)
    {
        output_paused(tool, profile);
    }
}

static void show_still_disabled(const struct exsyncctl *tool, const char *address)
{
    struct buffer word = {0};
    shell_word_append(&word, address);
    output_print(tool, OUTPUT_WARNING, "It is still disabled: exsyncctl enable %s\n",
                 buffer_string(&word));
    buffer_release(&word);
}

static void take_outcome(struct exsyncctl *tool, struct test_view *view, const json_t *answer)
{
    bool passed = output_true(answer, "passed");
    view->done++;
    view->failed += !passed;
    view->switched_on += output_true(answer, "switched_on");
    note_paused(view, answer);
    if (view->many) {
        json_array_append(view->outcomes, (json_t *)answer);
        draw_bar(view);
        if (view->done == view->mailboxes) /* before it is said that some have failed */
            show_summary(tool, view);
        return;
    }
    const char *address = output_text(answer, "address");
    output_print(tool, passed ? OUTPUT_GOOD : OUTPUT_BAD, "%s %s\n", address == NULL ? "" : address,
                 passed ? "has passed the test" : "has not passed the test");
    if (output_true(answer, "switched_on"))
        output_print(tool, OUTPUT_PLAIN, "It was disabled, and is enabled now.\n");
    else if (passed && !output_true(answer, "enabled"))
        show_still_disabled(tool, address == NULL ? "" : address);
}

/* --- the command --- */

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    struct test_view *view = argument;
    const char *kind = output_text(answer, "kind");
    if (kind == NULL)
        return;
    if (strcmp(kind, "plan") == 0) {
        view->mailboxes = output_number(answer, "mailboxes");
        view->bar = view->many && isatty(STDERR_FILENO);
        draw_bar(view);
    } else if (strcmp(kind, "step") == 0) {
        take_step(tool, view, answer);
    } else if (strcmp(kind, "outcome") == 0) {
        take_outcome(tool, view, answer);
    }
}

static json_t *request_of(const struct exsyncctl *tool, const char *address)
{
    const char *profile = exsyncctl_value(tool, "profile");
    json_t *request =
        json_pack("{s:s,s:b,s:b,s:b,s:b}", "command", "test", "all", exsyncctl_flag(tool, "all"),
                  "no_send", exsyncctl_flag(tool, "no-send"), "no_enable",
                  exsyncctl_flag(tool, "no-enable"), "sign_in", exsyncctl_flag(tool, "sign-in"));
    json_t *whom = json_string(address != NULL ? address : profile != NULL ? profile : "");
    if (whom == NULL) { /* no UTF-8 */
        json_decref(request);
        return NULL;
    }
    json_object_set_new(request, address != NULL ? "address" : "profile", whom);
    return request;
}

static int run_test(struct exsyncctl *tool, int count, char **arguments)
{
    bool profile = exsyncctl_value(tool, "profile") != NULL, all = exsyncctl_flag(tool, "all");
    struct test_view view = {.many = profile || all};
    if (profile + all + count != 1)
        return exsyncctl_misused(tool, "say which mailbox, or which profile, is to be tested, or "
                                       "--all");
    view.outcomes = json_array();
    view.paused = json_object();
    exsyncctl_each(tool, request_of(tool, count == 1 ? arguments[0] : NULL), take, &view);
    show_summary(tool, &view); /* mailboxes have left the configuration meanwhile */
    show_paused(tool, &view);
    json_decref(view.outcomes);
    json_decref(view.paused);
    memory_free(view.shown_profile);
    return tool->status;
}

static const struct exsyncctl_option test_options[] = {
    {"profile", "NAME", "all mailboxes of this profile"},
    {"all", NULL, "all mailboxes"},
    {"no-send", NULL, "send no test message"},
    {"no-enable", NULL, "leave a mailbox disabled that is"},
    {"sign-in", NULL, "try at once to sign in, though the server has refused it"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_test_commands[] = {
    {"test", "ADDRESS|--profile NAME|--all", "test step by step, and enable what passes",
     test_options, 0, 1, run_test},
    {.name = NULL},
};

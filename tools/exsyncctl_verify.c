/* verify: does the database know what was delivered and sent? Without the daemon it can only be
 * told to look when it starts. */
#include "base/buffer.h"
#include "base/executor.h"
#include "config/config.h"
#include "daemon/service.h"
#include "store/store_private.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_copy.h"
#include "tools/exsyncctl_output.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- without the daemon --- */

static int mark_database(struct exsyncctl *tool, const char *directory)
{
    struct failure failure = {0};
    struct store_files files = {.lock = -1};
    struct buffer source = {0};
    int status = EX_OK;
    buffer_append_format(&source, "%s/exsyncd.db", directory);
    struct copy copy = {.source = buffer_string(&source)};
    store_files_name(&files, directory);
    bool locked = store_files_lock(&files, &failure);
    if (locked)
        store_files_exist(&files, &failure);
    if (failure_is_set(&failure))
        status = exsyncctl_fail(tool, locked ? EX_DATAERR : EX_UNAVAILABLE, "%s (%s) %s%s%s",
                                failure.sentence == NULL ? "" : failure.sentence, failure.code,
                                failure.text, locked ? ". " : "", locked ? failure.remedy : "");
    else if (!copy_mark(&copy))
        status = exsyncctl_fail(tool, copy.status, "%s", copy.problem);
    else
        printf("exsyncd does not run. At its next start it compares all Maildirs with the ledger, "
               "and looks in\nExchange for what is to be sent, before it fetches and sends.\n");
    store_files_release(&files);
    buffer_release(&source);
    return status;
}

static int repair_offline(struct exsyncctl *tool)
{
    struct buffer report = {0};
    struct config *config = config_load(tool->config_path, &report);
    int status =
        config != NULL
            ? mark_database(tool, service_state_directory(config))
            : exsyncctl_fail(tool, EX_CONFIG, "%s cannot be used; exsyncd --check-config tells why",
                             tool->config_path);
    config_free(config);
    buffer_release(&report);
    return status;
}

/* --- with it --- */

static const char *const headings[] = {"*MAILBOX", ">FILES",   ">UNKNOWN",   ">FAILED",
                                       ">TWICE",   ">WAITING", ">ASKED FOR", ">SENT BEFORE",
                                       ">DRAFT",   ">NO FILE", "RESULT",     NULL};

static const struct {
    const char *member;
    bool bad;        /* when it is not 0 */
    bool of_maildir; /* counted where the Maildir is compared */
} counts[] = {
    {"files", false, true},           {"delivered_unknown", true, true},
    {"delivered_failed", true, true}, {"doubled", true, true},
    {"waiting", false, false},        {"exchange_searched", false, false},
    {"sent_queued", true, false},     {"draft_queued", true, false},
    {"no_file", true, false},
};

/* What all verifications together have compared. */
struct verify_sum {
    struct output_table *table;
    struct buffer doubled;              /* the files, behind the table */
    int64_t mailboxes, maildirs, files; /* maildirs: those that were compared */
    int64_t asked, searched, requests;  /* asked: mailboxes of which Exchange was asked */
};

static void note_doubled(struct buffer *text, const json_t *answer)
{
    int64_t doubled = output_number(answer, "doubled");
    const json_t *names = json_object_get(answer, "doubled_files"), *name;
    size_t i;
    if (doubled == 0)
        return;
    buffer_append_format(text,
                         "%s has %" PRId64 " %s of messages that were delivered in another file, "
                         "too; the name%s in new/ or cur/ of its Maildir:\n",
                         output_text(answer, "address"), doubled, doubled == 1 ? "file" : "files",
                         doubled == 1 ? " begins so," : "s begin so,");
    json_array_foreach(names, i, name)
    {
        buffer_append_format(text, "    %s\n", json_string_value(name));
    }
    if ((uint64_t)doubled > json_array_size(names))
        buffer_append_format(text, "    and %" PRIu64 " more\n",
                             (uint64_t)doubled - json_array_size(names));
}

/* Line by line: what is printed at once has no line feeds. */
static void show_doubled(struct exsyncctl *tool, const struct buffer *text)
{
    for (const char *line = buffer_string(text); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        output_print(tool, OUTPUT_BAD, "%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void count(struct verify_sum *sum, const json_t *answer)
{
    sum->mailboxes++;
    sum->maildirs += output_text(answer, "maildir_not_compared") == NULL;
    sum->files += output_number(answer, "files");
    note_doubled(&sum->doubled, answer);
    sum->asked += output_number(answer, "exchange_requests") > 0;
    sum->searched += output_number(answer, "exchange_searched");
    sum->requests += output_number(answer, "exchange_requests");
}

static void show_sum(struct exsyncctl *tool, const struct verify_sum *sum)
{
    int64_t left_out = sum->mailboxes - sum->maildirs;
    if (sum->mailboxes == 0)
        return;
    output_print(tool, OUTPUT_PLAIN, "Compared with the ledger: %" PRId64 " %s in %" PRId64 " %s",
                 sum->files, sum->files == 1 ? "file" : "files", sum->maildirs,
                 sum->maildirs == 1 ? "Maildir" : "Maildirs");
    if (left_out > 0)
        output_print(tool, OUTPUT_PLAIN, "; %" PRId64 " of %" PRId64 " mailboxes left out",
                     left_out, sum->mailboxes);
    output_print(tool, OUTPUT_PLAIN, ". ");
    if (sum->requests == 0)
        output_print(tool, OUTPUT_PLAIN, "Exchange was not asked.\n");
    else
        output_print(tool, OUTPUT_PLAIN,
                     "Exchange was asked for %" PRId64 " %s of %" PRId64 " %s, in %" PRId64
                     " %s.\n",
                     sum->searched, sum->searched == 1 ? "message" : "messages", sum->asked,
                     sum->asked == 1 ? "mailbox" : "mailboxes", sum->requests,
                     sum->requests == 1 ? "request" : "requests");
}

/* "right", and what that says nothing of. */
static void show_right(struct output_table *table, const json_t *answer)
{
    const char *maildir = output_text(answer, "maildir_not_compared");
    const char *exchange = output_text(answer, "exchange_not_asked");
    struct buffer text = {0};
    buffer_append_string(&text, "right");
    if (maildir != NULL)
        buffer_append_format(&text, "; Maildir not compared: %s", maildir);
    if (exchange != NULL)
        buffer_append_format(&text, "; Exchange not asked: %s", exchange);
    output_cell(table, OUTPUT_GOOD, buffer_string(&text));
    buffer_release(&text);
}

static void show_result(struct output_table *table, const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    if (json_is_object(error))
        output_cell_format(table, OUTPUT_BAD, "%s (%s) %s", output_text(error, "sentence"),
                           output_text(error, "code"), output_text(error, "text"));
    else if (output_true(answer, "repaired"))
        output_cell(table, OUTPUT_WARNING, "differs; will be mended");
    else if (output_true(answer, "differs"))
        output_cell(table, OUTPUT_BAD, "differs");
    else if (output_true(answer, "unchecked"))
        output_cell(table, OUTPUT_WARNING, "will be compared before mail is fetched");
    else
        show_right(table, answer);
}

/* "-" where files were not looked for. */
static void show_counts(struct output_table *table, const json_t *answer)
{
    bool compared = output_text(answer, "maildir_not_compared") == NULL;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t number = output_number(answer, counts[i].member);
        bool bad = counts[i].bad && number > 0;
        if (counts[i].of_maildir && !compared)
            output_cell(table, OUTPUT_PLAIN, "-");
        else
            output_cell_format(table, bad ? OUTPUT_BAD : OUTPUT_PLAIN, "%" PRId64, number);
    }
}

/* Of copies what was submitted is gone: they are not sent. */
static void show_outbox(struct exsyncctl *tool, const json_t *answer, int64_t unknown)
{
    int64_t copies = output_number(answer, "copies");
    bool repaired = output_true(answer, "repaired");
    output_print(tool, OUTPUT_BAD,
                 "The outbox has %" PRId64 " %s that the database does not know%s.\n", unknown,
                 unknown == 1 ? "message" : "messages",
                 repaired && unknown > copies ? "; it will be mended" : "");
    if (copies > 0)
        output_print(tool, OUTPUT_BAD,
                     "Of %" PRId64 " of them only the copy is left that was to go out, without its "
                     "Bcc recipients: %s\n",
                     copies,
                     repaired ? "exsyncctl queue list --failed has them for you to decide."
                              : "--repair puts these into failed/, where you decide.");
}

static void show(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    struct verify_sum *sum = argument;
    struct output_table *table = sum->table;
    const char *kind = output_text(answer, "kind");
    int64_t unknown = output_number(answer, "unknown");
    if (kind != NULL && strcmp(kind, "verified") == 0) {
        output_cell(table, OUTPUT_PLAIN, output_text(answer, "address"));
        show_counts(table, answer);
        show_result(table, answer);
        count(sum, answer);
    } else if (unknown > 0) {
        show_outbox(tool, answer, unknown);
    }
}

static int run_verify(struct exsyncctl *tool, int argument_count, char **arguments)
{
    const char *profile = exsyncctl_value(tool, "profile");
    bool all = exsyncctl_flag(tool, "all"), repair = exsyncctl_flag(tool, "repair");
    if ((profile != NULL) + (argument_count == 1) + all != 1)
        return exsyncctl_misused(tool, "say which mailbox, which profile, or --all");
    if (repair && all && !exsyncctl_connect(tool) && strcmp(tool->problem.code, "NotRunning") == 0)
        return repair_offline(tool);
    json_t *request =
        json_pack("{s:s,s:b,s:s*,s:s*}", "command", "verify", "repair", repair, "profile", profile,
                  "address", argument_count == 1 ? arguments[0] : NULL);
    struct verify_sum sum = {.table = output_table_create(headings)};
    int status = exsyncctl_each(tool, request, show, &sum);
    output_table_print(tool, sum.table);
    show_doubled(tool, &sum.doubled);
    buffer_release(&sum.doubled);
    show_sum(tool, &sum);
    return status;
}

static const struct exsyncctl_option verify_options[] = {
    {"profile", "NAME", "all mailboxes of this profile"},
    {"all", NULL, "all mailboxes, and the outbox"},
    {"repair", NULL,
     "look before anything is fetched or sent where something differs; with --all also while "
     "exsyncd does not run: at its next start"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_verify_commands[] = {
    {"verify", "ADDRESS|--profile NAME|--all",
     "compare the database with Maildirs, outbox and Exchange", verify_options, 0, 1, run_verify},
    {.name = NULL},
};

#include "daemon/submission.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/mailbox.h"

#include <string.h>

/* --- recipients, one a line: "to ADDRESS NAME" --- */

static enum backend_recipient_kind kind_of(const char *word)
{
    if (strcmp(word, "cc") == 0)
        return BACKEND_CC;
    return strcmp(word, "bcc") == 0 ? BACKEND_BCC : BACKEND_TO;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *line = text; *line != '\0'; line++)
        count += *line == '\n';
    return count + 1;
}

static void read_recipients(struct submission *submission)
{
    const char *text = submission->row.recipients;
    submission->recipient_text = memory_copy_string(text);
    submission->recipients =
        memory_allocate_array(count_lines(text), sizeof *submission->recipients);
    char *rest = submission->recipient_text, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *kind = strsep(&line, " ");
        const char *address = strsep(&line, " ");
        if (address == NULL || *address == '\0')
            continue;
        submission->recipients[submission->recipient_count++] = (struct backend_recipient){
            .kind = kind_of(kind),
            .address = address,
            .name = line == NULL || *line == '\0' ? NULL : line,
        };
    }
}

/* --- the list --- */

static void copy_row(struct submission *submission, const struct store_submission *row)
{
    submission->row = *row;
    submission->row.message_id = memory_copy_string(row->message_id);
    submission->row.subject = memory_copy_string(row->subject == NULL ? "" : row->subject);
    submission->row.recipients = memory_copy_string(row->recipients == NULL ? "" : row->recipients);
    submission->row.reference = memory_copy_string(row->reference);
    read_recipients(submission);
}

void submission_list_fill(struct submission_list *list, const struct store_submissions *rows)
{
    list->items = memory_allocate_array(rows->count + 1, sizeof *list->items);
    list->changes = memory_allocate_array(rows->count + 1, sizeof *list->changes);
    list->count = rows->count;
    for (size_t i = 0; i < rows->count; i++)
        copy_row(&list->items[i], &rows->submissions[i]);
}

void submission_list_release(struct submission_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct submission *submission = &list->items[i];
        memory_free((char *)submission->row.message_id);
        memory_free((char *)submission->row.subject);
        memory_free((char *)submission->row.recipients);
        memory_free((char *)submission->row.reference);
        memory_free(submission->recipients);
        memory_free(submission->recipient_text);
    }
    memory_free(list->items);
    memory_free(list->changes);
    *list = (struct submission_list){0};
}

void submission_set_state(struct submission *submission, enum store_submission_state state)
{
    submission->row.state = state;
    submission->changed = true;
}

void submission_set_reference(struct submission *submission, const char *reference)
{
    char *copy = memory_copy_string(reference);
    memory_free((char *)submission->row.reference);
    submission->row.reference = copy;
    submission->changed = true;
}

void submission_append_bcc(const struct submission *submission, struct buffer *reason)
{
    const char *before = "\nIts Bcc recipients: ";
    for (size_t i = 0; i < submission->recipient_count; i++) {
        if (submission->recipients[i].kind != BACKEND_BCC)
            continue;
        buffer_append_format(reason, "%s%s", before, submission->recipients[i].address);
        before = " ";
    }
}

void submission_wait(struct submission *submission, uint64_t wait_ms)
{
    submission->row.next_try_ms = clock_wall_ms() + (int64_t)wait_ms;
    submission->changed = true;
    submission->settled = true;
}

bool submission_has_ended(const struct submission *submission)
{
    return submission->row.state == STORE_SUBMISSION_SENT ||
           submission->row.state == STORE_SUBMISSION_FAILED;
}

void submission_is_sent(struct submission *submission, const struct config_profile *config)
{
    submission->row.doubt_since_ms = 0;
    submission_set_state(submission, STORE_SUBMISSION_SENT);
    submission_set_reference(submission, NULL);
    submission->settled = true;
    if (submission->row.stray)
        submission_wait(submission, config->retry_min_ms);
}

void submission_begin_doubt(struct submission *submission)
{
    if (submission->row.doubt_since_ms == 0)
        submission->row.doubt_since_ms = clock_wall_ms();
    submission->changed = true;
}

uint64_t submission_growing_wait(const struct submission *submission,
                                 const struct config_profile *config)
{
    int64_t since_ms = submission->row.doubt_since_ms;
    int64_t age = since_ms == 0 ? 0 : clock_wall_ms() - since_ms;
    uint64_t wait = age > 0 ? (uint64_t)age / 2 : 0;
    if (wait < config->retry_min_ms)
        wait = config->retry_min_ms;
    return wait < config->retry_max_ms ? wait : config->retry_max_ms;
}

bool submission_may_have_been_sent(const struct store_submission *row)
{
    return row->state == STORE_SUBMISSION_SENDING || row->state == STORE_SUBMISSION_DOUBTFUL ||
           (row->state == STORE_SUBMISSION_CREATED && row->doubt_since_ms != 0);
}

bool submission_may_have_a_draft(const struct store_submission *row)
{
    return row->reference != NULL || row->state == STORE_SUBMISSION_CREATING;
}

int64_t submission_age(const struct store_submission *row, int64_t since_ms)
{
    return clock_wall_ms() - since_ms - row->held_for_ms;
}

void submission_list_save(struct submission_list *list, const struct cycle *cycle, store_done *done,
                          void *argument)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct submission *submission = &list->items[i];
        if (!submission->changed)
            continue;
        submission->changed = false;
        list->changes[count++] = (struct store_submission_change){
            .id = submission->row.id,
            .state = submission->row.state,
            .reference = submission->row.reference,
            .attempts = submission->row.attempts,
            .next_try_ms = submission->row.next_try_ms,
            .doubt_since_ms = submission->row.doubt_since_ms,
            .stray = submission->row.stray,
        };
    }
    if (count == 0)
        done(argument, NULL);
    else
        store_submissions_change(cycle->context->store, cycle->mailbox->id, list->changes, count,
                                 clock_wall_ms(), done, argument);
}

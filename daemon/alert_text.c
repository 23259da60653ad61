#include "daemon/alert_text.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

const char *alert_category_word(enum failure_category category)
{
    return category == FAILURE_TLS ? "TLS" : failure_category_name(category);
}

enum failure_category alert_category_of(const char *name)
{
    for (enum failure_category category = FAILURE_NONE; category <= FAILURE_CANCELLED; category++) {
        if (strcmp(failure_category_name(category), name) == 0)
            return category;
    }
    return FAILURE_NONE;
}

enum failure_scope alert_scope_of(const char *name)
{
    for (enum failure_scope scope = FAILURE_SCOPE_NONE; scope <= FAILURE_SCOPE_SERVER; scope++) {
        if (strcmp(failure_scope_name(scope), name) == 0)
            return scope;
    }
    return FAILURE_SCOPE_NONE;
}

/* Appends words from outside as one line, cut behind `most` bytes; NULL appends nothing. */
static void append_line(struct buffer *text, const char *words, size_t most)
{
    if (words == NULL)
        return;
    size_t length = strlen(words);
    char *line = memory_allocate(length + 1);
    size_t whole = text_copy_line(line, length + 1, words, length);
    bool cut = whole > most;
    if (cut)
        text_copy_line(line, most + 1, words, length);
    buffer_append_string(text, line);
    if (cut)
        buffer_append_string(text, "...");
    memory_free(line);
}

/* "An impersonation error occurred " */
static void write_error(struct buffer *text, enum failure_category category)
{
    const char *word = alert_category_word(category);
    bool vowel = strchr("aeiou", word[0]) != NULL;
    buffer_append_format(text, "%s %s error occurred ", vowel ? "An" : "A", word);
}

/* "while sending the email message "SUBJECT"" */
static void write_sending(struct buffer *text, const char *subject)
{
    buffer_append_string(text, "while sending ");
    if (subject == NULL || subject[0] == '\0') {
        buffer_append_string(text, "email");
        return;
    }
    buffer_append_string(text, "the email message \"");
    append_line(text, subject, ALERT_SUBJECT_BYTES);
    buffer_append_char(text, '"');
}

static void write_mailbox(struct buffer *text, const struct alert_text *what)
{
    buffer_append_string(text, "in accessing the mailbox ");
    if (what->direction == CYCLE_OUTGOING) {
        write_sending(text, what->subject);
        buffer_append_string(text, ". Mailbox ");
    } else {
        buffer_append_string(text, "while receiving email. ");
    }
    append_line(text, what->mailbox, SIZE_MAX - 1);
    buffer_append_string(text, " didn't synchronize.");
}

static void write_item(struct buffer *text, const struct alert_text *what)
{
    if (what->direction == CYCLE_OUTGOING) {
        write_sending(text, what->subject);
        buffer_append_string(text, ". Mailbox ");
    } else {
        buffer_append_string(text, "while receiving an email message. ");
    }
    append_line(text, what->mailbox, SIZE_MAX - 1);
    buffer_append_string(text, " synchronizes its other mail.");
}

static void write_its_mailboxes(struct buffer *text, uint32_t mailboxes)
{
    if (mailboxes == 1)
        buffer_append_string(text, "Its mailbox didn't synchronize.");
    else
        buffer_append_format(text, "Its %" PRIu32 " mailboxes didn't synchronize.", mailboxes);
}

static void write_profile(struct buffer *text, const struct alert_text *what)
{
    if (what->absorbs) {
        /* No number of those that failed: it goes on growing while the alert is open. */
        buffer_append_format(text,
                             "in accessing more than half of the %" PRIu32
                             " mailboxes of the email server profile ",
                             what->mailboxes);
        append_line(text, what->profile, SIZE_MAX - 1);
        buffer_append_string(text, ". They didn't synchronize.");
        return;
    }
    buffer_append_string(text, "in accessing the server of the email server profile ");
    append_line(text, what->profile, SIZE_MAX - 1);
    buffer_append_string(text, ". ");
    write_its_mailboxes(text, what->mailboxes);
}

static void write_machine(struct buffer *text, const struct alert_text *what)
{
    buffer_append_string(text, "on the machine that synchronizes the email server profile ");
    append_line(text, what->profile, SIZE_MAX - 1);
    buffer_append_string(text, ". ");
    write_its_mailboxes(text, what->mailboxes);
}

void alert_write_opening(struct buffer *text, const struct alert_text *what)
{
    write_error(text, what->category);
    switch (what->scope) {
    case FAILURE_SCOPE_ITEM:
        write_item(text, what);
        return;
    case FAILURE_SCOPE_PROFILE:
        write_profile(text, what);
        return;
    case FAILURE_SCOPE_SERVER:
        write_machine(text, what);
        return;
    case FAILURE_SCOPE_NONE:
    case FAILURE_SCOPE_MAILBOX:
        break;
    }
    write_mailbox(text, what);
}

static void write_reason(struct buffer *text, const char *reason)
{
    if (reason == NULL || reason[0] == '\0') {
        buffer_append_char(text, '.');
        return;
    }
    buffer_append_string(text, ": ");
    append_line(text, reason, SIZE_MAX - 1);
    if (text->data[text->length - 1] != '.')
        buffer_append_char(text, '.');
}

void alert_write_sentence(struct buffer *text, const char *opening, const char *profile,
                          enum store_alert_told told, const char *reason)
{
    buffer_append_string(text, opening);
    if (told == STORE_TOLD_NOBODY)
        return;
    buffer_append_string(text, " The owner of the associated email server profile ");
    append_line(text, profile, SIZE_MAX - 1);
    if (told == STORE_TOLD_NOT) {
        buffer_append_string(text, " could not be notified");
        write_reason(text, reason);
    } else {
        buffer_append_format(text, " %s notified.",
                             told == STORE_TOLD_DONE ? "has been" : "is being");
    }
}

void alert_write_details(struct buffer *text, const char *activity, const char *error,
                         const char *trace)
{
    buffer_append_string(text, "ActivityId: ");
    append_line(text, activity, SIZE_MAX - 1);
    buffer_append_string(text, "\n>Error : ");
    append_line(text, error, SIZE_MAX - 1);
    buffer_append_char(text, '\n');
    if (trace == NULL || trace[0] == '\0')
        return;
    buffer_append_string(text, trace);
    if (text->data[text->length - 1] != '\n')
        buffer_append_char(text, '\n');
}

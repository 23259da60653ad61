/* Writes a notification as the daemon does, of what a test says in JSON on standard input, so that
 * other readers of mail and JSON can read it.
 *
 *   notification_driver mail|json|subject <NOTIFICATION
 *
 * The members are those of struct notification_text and struct store_alert_row, the kind "trouble"
 * or "well"; what is left out is "" or 0, but the account, which then is not known. */
#include "base/memory.h"
#include "daemon/notification_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static struct store_alert_row alert_of(const json_t *object)
{
    return (struct store_alert_row){
        .id = number_of(object, "id"),
        .level = (enum store_alert_level)number_of(object, "level"),
        .told_reason = "",
        .scope = text_of(object, "scope"),
        .profile = text_of(object, "profile"),
        .mailbox = text_of(object, "mailbox"),
        .direction = text_of(object, "direction"),
        .category = text_of(object, "category"),
        .code = text_of(object, "code"),
        .step = text_of(object, "step"),
        .subject = text_of(object, "subject"),
        .opening = text_of(object, "opening"),
        .sentence = text_of(object, "sentence"),
        .remedy = text_of(object, "remedy"),
        .text = text_of(object, "text"),
        .activity = text_of(object, "activity"),
        .trace = text_of(object, "trace"),
        .http_status = (int)number_of(object, "http_status"),
        .opened_ms = number_of(object, "opened_ms"),
        .last_seen_ms = number_of(object, "last_seen_ms"),
        .resolved_ms = number_of(object, "resolved_ms"),
        .count = (uint32_t)number_of(object, "count"),
        .absorbs = json_is_true(json_object_get(object, "absorbs")),
    };
}

static void write_it(const char *form, const struct notification_text *what)
{
    if (strcmp(form, "mail") == 0) {
        struct buffer mail = {0};
        notification_write_message(&mail, what);
        fwrite(mail.data, 1, mail.length, stdout);
        buffer_release(&mail);
    } else if (strcmp(form, "json") == 0) {
        char *json = notification_write_json(what);
        fputs(json, stdout);
        memory_free(json);
    } else {
        char subject[NOTIFICATION_SUBJECT_SIZE];
        notification_write_subject(subject, what);
        puts(subject);
    }
}

static void read_and_write(const char *form, const json_t *input)
{
    const json_t *alerts = json_object_get(input, "alerts");
    const json_t *mailboxes = json_object_get(input, "mailboxes");
    size_t alert_count = json_array_size(alerts), mailbox_count = json_array_size(mailboxes);
    struct store_alert_row *rows = memory_allocate_array(alert_count + 1, sizeof *rows);
    const char **names = memory_allocate_array(mailbox_count + 1, sizeof *names);
    for (size_t i = 0; i < alert_count; i++)
        rows[i] = alert_of(json_array_get(alerts, i));
    for (size_t i = 0; i < mailbox_count; i++)
        names[i] = json_string_value(json_array_get(mailboxes, i));
    const struct notification_text what = {
        .id = text_of(input, "id"),
        .kind =
            strcmp(text_of(input, "kind"), "well") == 0 ? NOTIFICATION_WELL : NOTIFICATION_TROUBLE,
        .from = text_of(input, "from"),
        .owner = text_of(input, "owner"),
        .host = text_of(input, "host"),
        .profile = text_of(input, "profile"),
        .account = json_string_value(json_object_get(input, "account")),
        .url = text_of(input, "url"),
        .date_ms = number_of(input, "date_ms"),
        .alerts = rows,
        .alert_count = alert_count,
        .alert_total = (uint64_t)number_of(input, "alert_total"),
        .mailboxes = names,
        .mailbox_count = mailbox_count,
        .mailbox_total = (uint64_t)number_of(input, "mailbox_total"),
    };
    write_it(form, &what);
    memory_free(rows);
    memory_free(names);
}

int main(int count, char **arguments)
{
    json_error_t error;
    json_t *input = count == 2 ? json_loadf(stdin, 0, &error) : NULL;
    if (input == NULL) {
        fputs("usage: notification_driver mail|json|subject <NOTIFICATION\n", stderr);
        return EXIT_FAILURE;
    }
    read_and_write(arguments[1], input);
    json_decref(input);
    return EXIT_SUCCESS;
}

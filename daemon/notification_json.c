#include "daemon/notification_section.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/alert_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_VERSION = 1 };

static json_t *text_of(const char *text, size_t length)
{
    json_t *value = json_stringn(text, length);
    if (value != NULL)
        return value;
    char *clean = memory_allocate(length + 1); /* it was no UTF-8 */
    text_copy_line(clean, length + 1, text, length);
    value = json_string(clean);
    memory_free(clean);
    return value;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, text == NULL ? json_null() : text_of(text, strlen(text)));
}

static void set_buffer(json_t *object, const char *name, struct buffer *text)
{
    set_text(object, name, buffer_string(text));
    buffer_release(text);
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

static void set_time(json_t *object, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    set_text(object, name, text);
}

static void set_lines(json_t *object, const char *name, const char *lines)
{
    json_t *array = json_array();
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        json_array_append_new(array, text_of(lines, length));
        lines += length + (lines[length] == '\n');
    }
    json_object_set_new(object, name, array);
}

static const char *level_name(enum store_alert_level level)
{
    if (level == STORE_ALERT_INFORMATION)
        return "information";
    return level == STORE_ALERT_WARNING ? "warning" : "error";
}

/* What is made of the alert's members, not copied from them. */
static void set_words(json_t *object, const struct notification_text *what,
                      const struct store_alert_row *alert)
{
    const struct remedy_place place = notification_place(what, alert);
    struct buffer sentence = {0}, remedy = {0}, details = {0};
    alert_write_sentence(&sentence, alert->opening, what->profile, STORE_TOLD_DONE, NULL);
    remedy_write(&remedy, alert_category_of(alert->category), alert->remedy, &place);
    alert_write_details(&details, alert->activity,
                        alert->text[0] != '\0' ? alert->text : alert->sentence, alert->trace);
    set_buffer(object, "sentence", &sentence);
    set_buffer(object, "remedy", &remedy);
    set_buffer(object, "details", &details);
}

static json_t *alert_of(const struct notification_text *what, const struct store_alert_row *alert)
{
    json_t *object = json_object();
    json_object_set_new(object, "id", json_integer(alert->id));
    set_text(object, "level", level_name(alert->level));
    set_text(object, "scope", alert->scope);
    set_text(object, "mailbox", alert->mailbox);
    set_text(object, "direction", alert->direction);
    set_text(object, "category", alert->category);
    set_text(object, "code", alert->code);
    set_text(object, "step", alert->step);
    json_object_set_new(object, "http_status", json_integer(alert->http_status));
    set_text(object, "subject", alert->subject);
    set_text(object, "cause", alert->sentence);
    set_text(object, "error", alert->text);
    set_text(object, "activity", alert->activity);
    set_lines(object, "trace", alert->trace);
    set_words(object, what, alert);
    set_time(object, "opened", alert->opened_ms);
    set_time(object, "last_seen", alert->last_seen_ms);
    if (alert->resolved_ms != 0)
        set_time(object, "resolved", alert->resolved_ms);
    else
        set_text(object, "resolved", NULL);
    set_number(object, "count", alert->count);
    json_object_set_new(object, "absorbs", json_boolean(alert->absorbs));
    return object;
}

static void set_alerts(json_t *object, const struct notification_text *what)
{
    json_t *alerts = json_array(), *mailboxes = json_array();
    for (size_t i = 0; i < what->alert_count; i++)
        json_array_append_new(alerts, alert_of(what, &what->alerts[i]));
    for (size_t i = 0; i < what->mailbox_count; i++)
        json_array_append_new(mailboxes, text_of(what->mailboxes[i], strlen(what->mailboxes[i])));
    json_object_set_new(object, "alerts", alerts);
    set_number(object, "alerts_total", notification_alert_total(what));
    json_object_set_new(object, "mailboxes", mailboxes);
    set_number(object, "mailboxes_total", notification_mailbox_total(what));
}

char *notification_write_json(const struct notification_text *what)
{
    char subject[NOTIFICATION_SUBJECT_SIZE];
    json_t *object = json_object();
    notification_write_subject(subject, what);
    set_number(object, "version", JSON_VERSION);
    set_text(object, "kind", what->kind == NOTIFICATION_WELL ? "well" : "trouble");
    set_text(object, "id", what->id);
    set_time(object, "date", what->date_ms);
    set_text(object, "host", what->host);
    set_text(object, "profile", what->profile);
    set_text(object, "owner", what->owner);
    set_text(object, "account", what->account);
    set_text(object, "url", what->url);
    set_text(object, "summary", subject);
    set_alerts(object, what);
    char *dumped = json_dumps(object, JSON_COMPACT);
    char *json = memory_copy_string(dumped);
    free(dumped);
    json_decref(object);
    return json;
}

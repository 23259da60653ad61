#include "daemon/notification_section.h"

#include "base/memory.h"
#include "daemon/alert_json.h"
#include "daemon/json_member.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_VERSION = 1 };

/* Who reads it has been told by it. */
static json_t *alert_of(const struct notification_text *what, const struct store_alert_row *given)
{
    struct store_alert_row alert = *given;
    const struct remedy_place place = notification_place(what, given);
    alert.profile = what->profile;
    alert.told = STORE_TOLD_DONE;
    alert.told_reason = "";
    json_t *object = alert_json(&alert, &place);
    json_object_set_new(object, "id", json_integer(alert.id));
    return object;
}

static void set_alerts(json_t *object, const struct notification_text *what)
{
    json_t *alerts = json_array(), *mailboxes = json_array();
    for (size_t i = 0; i < what->alert_count; i++)
        json_array_append_new(alerts, alert_of(what, &what->alerts[i]));
    for (size_t i = 0; i < what->mailbox_count; i++)
        json_array_append_new(mailboxes,
                              json_text_of(what->mailboxes[i], strlen(what->mailboxes[i])));
    json_object_set_new(object, "alerts", alerts);
    json_set_number(object, "alerts_total", notification_alert_total(what));
    json_object_set_new(object, "mailboxes", mailboxes);
    json_set_number(object, "mailboxes_total", notification_mailbox_total(what));
}

char *notification_write_json(const struct notification_text *what)
{
    char subject[NOTIFICATION_SUBJECT_SIZE];
    json_t *object = json_object();
    notification_write_subject(subject, what);
    json_set_number(object, "version", JSON_VERSION);
    json_set_text(object, "kind", what->kind == NOTIFICATION_WELL ? "well" : "trouble");
    json_set_text(object, "id", what->id);
    json_set_time(object, "date", what->date_ms);
    json_set_text(object, "host", what->host);
    json_set_text(object, "profile", what->profile);
    json_set_text(object, "owner", what->owner);
    json_set_text(object, "account", what->account);
    json_set_text(object, "url", what->url);
    json_set_text(object, "summary", subject);
    set_alerts(object, what);
    char *dumped = json_dumps(object, JSON_COMPACT);
    char *json = memory_copy_string(dumped);
    free(dumped);
    json_decref(object);
    return json;
}

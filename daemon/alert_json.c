#include "daemon/alert_json.h"

#include "daemon/alert_text.h"
#include "daemon/json_member.h"

static const char *level_name(enum store_alert_level level)
{
    if (level == STORE_ALERT_INFORMATION)
        return "information";
    return level == STORE_ALERT_WARNING ? "warning" : "error";
}

static void write_remedy(struct buffer *text, const struct store_alert_row *alert,
                         const struct remedy_place *place)
{
    enum failure_category category = alert_category_of(alert->category);
    struct remedy_place at = {.scope = alert_scope_of(alert->scope)};
    if (place != NULL)
        at = *place;
    at.message = alert->submission;
    if (place != NULL || at.scope == FAILURE_SCOPE_ITEM)
        remedy_write(text, category, alert->remedy, &at);
    else
        remedy_write_words(text, category, alert->remedy, &at);
}

/* What is made of the alert's members, not copied from them. */
static void set_words(json_t *object, const struct store_alert_row *alert,
                      const struct remedy_place *place)
{
    struct buffer sentence = {0}, remedy = {0}, details = {0};
    alert_write_sentence(&sentence, alert->opening, alert->profile, alert->told,
                         alert->told_reason);
    write_remedy(&remedy, alert, place);
    alert_write_details(&details, alert->activity,
                        alert->text[0] != '\0' ? alert->text : alert->sentence, alert->trace);
    json_set_buffer(object, "sentence", &sentence);
    json_set_buffer(object, "remedy", &remedy);
    json_set_buffer(object, "details", &details);
}

static void set_place(json_t *object, const struct store_alert_row *alert)
{
    json_set_text(object, "level", level_name(alert->level));
    json_set_text(object, "scope", alert->scope);
    json_set_text(object, "mailbox", alert->mailbox);
    json_set_text(object, "direction", alert->direction);
    json_set_text(object, "category", alert->category);
    json_set_text(object, "code", alert->code);
    json_set_text(object, "step", alert->step);
    json_object_set_new(object, "http_status", json_integer(alert->http_status));
    json_set_text(object, "subject", alert->subject);
}

json_t *alert_json(const struct store_alert_row *alert, const struct remedy_place *place)
{
    json_t *object = json_object();
    set_place(object, alert);
    json_set_text(object, "cause", alert->sentence);
    json_set_text(object, "error", alert->text);
    json_set_text(object, "activity", alert->activity);
    json_set_lines(object, "trace", alert->trace);
    set_words(object, alert, place);
    json_set_time(object, "opened", alert->opened_ms);
    json_set_time(object, "last_seen", alert->last_seen_ms);
    json_set_time(object, "resolved", alert->resolved_ms);
    json_set_number(object, "count", alert->count);
    json_object_set_new(object, "absorbs", json_boolean(alert->absorbs));
    return object;
}

static const char *told_name(enum store_alert_told told)
{
    static const char *const names[] = {
        [STORE_TOLD_NOBODY] = "nobody",
        [STORE_TOLD_BEING] = "being",
        [STORE_TOLD_DONE] = "done",
        [STORE_TOLD_NOT] = "not",
    };
    return names[told];
}

json_t *alert_json_answer(const struct store_alert_row *alert, const struct config *config,
                          const char *mailbox)
{
    const struct config_profile *profile =
        config == NULL ? NULL : config_find_profile(config, alert->profile);
    struct remedy_place place = {.scope = alert_scope_of(alert->scope), .mailbox = mailbox};
    if (profile != NULL) {
        place.account = profile->username;
        place.profile = profile->name;
        place.url = profile->url;
    }
    json_t *object = alert_json(alert, profile == NULL ? NULL : &place);
    json_set_text(object, "kind", "alert");
    json_object_set_new(object, "alert", json_integer(alert->id));
    json_set_text(object, "profile", alert->profile);
    json_set_text(object, "message", alert->submission[0] == '\0' ? NULL : alert->submission);
    json_set_text(object, "told", told_name(alert->told));
    json_set_text(object, "told_reason", alert->told_reason);
    return object;
}

json_t *alert_json_refused(uint64_t count)
{
    json_t *object = json_object();
    json_set_text(object, "kind", "refused");
    json_set_number(object, "messages", count);
    return object;
}

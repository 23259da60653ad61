#include "daemon/failure_json.h"

#include "base/clock.h"
#include "daemon/json_member.h"

json_t *trouble_json(const struct failure *failure, uint32_t failures, uint64_t since_ms)
{
    json_t *object = json_object();
    json_set_text(object, "category", failure_category_name(failure->category));
    json_set_text(object, "code", failure->code);
    json_set_text(object, "step", failure->step);
    json_set_number(object, "http_status", failure->http_status);
    json_object_set_new(object, "permanent", json_boolean(failure->permanent));
    json_set_text(object, "sentence", failure->sentence);
    json_set_text(object, "remedy", failure->remedy);
    json_set_text(object, "error", failure->text);
    json_set_number(object, "failures", failures);
    json_set_time(object, "since", clock_wall_ms() - (int64_t)(clock_monotonic_ms() - since_ms));
    return object;
}

json_t *error_json(const struct failure *failure)
{
    if (failure == NULL || !failure_is_set(failure))
        return json_null();
    return json_pack("{s:s,s:s,s:s,s:s}", "code", failure->code, "sentence",
                     failure->sentence == NULL ? "" : failure->sentence, "text", failure->text,
                     "remedy", failure->remedy == NULL ? "" : failure->remedy);
}

static void set_words(json_t *object, const struct store_failure_row *row)
{
    json_set_text(object, "category", row->category);
    json_set_text(object, "code", row->code);
    json_set_text(object, "step", row->step);
    json_object_set_new(object, "http_status", json_integer(row->http_status));
    json_object_set_new(object, "permanent", json_boolean(row->permanent));
    json_set_text(object, "sentence", row->sentence);
    json_set_text(object, "remedy", row->remedy);
    json_set_text(object, "error", row->text);
}

json_t *failure_json(const struct store_failure_row *row)
{
    json_t *object = json_object();
    json_set_text(object, "kind", "failure");
    json_set_text(object, "scope", row->scope);
    json_set_text(object, "profile", row->profile);
    json_set_text(object, "mailbox", row->mailbox);
    json_set_text(object, "direction", row->direction);
    set_words(object, row);
    json_set_text(object, "submission", row->submission);
    json_set_text(object, "activity", row->activity);
    json_set_number(object, "count", row->count);
    json_set_time(object, "first_seen", row->first_seen_ms);
    json_set_time(object, "last_seen", row->last_seen_ms);
    json_set_time(object, "next_retry", row->next_retry_ms);
    json_set_time(object, "resolved", row->resolved_ms);
    return object;
}

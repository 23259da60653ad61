#include "daemon/sync_answer.h"

#include "daemon/json_member.h"
#include "daemon/profile.h"

#include <string.h>

/* What an outgoing cycle tells that went through, but of which the server has answered nothing. */
static const char *result_of_nothing(const struct cycle *cycle)
{
    if (cycle->moved > 0 || cycle->failed > 0)
        return "success";
    return cycle->next_ms == INT64_MAX ? "off" : "waiting";
}

const char *sync_result(const struct cycle *cycle)
{
    if (cycle->failure.category == FAILURE_CANCELLED)
        return "cut short";
    if (failure_is_set(&cycle->failure))
        return "failure";
    if (cycle->cut_short)
        return "cut short";
    return cycle->proves_nothing ? result_of_nothing(cycle) : "success";
}

/* What keeps what is queued waiting, where that was no message's own matter; NULL. */
static const struct failure *last_trouble(const struct direction *direction)
{
    const struct gate *gate = &direction->mailbox->profile->gate;
    if (direction->trouble != NULL)
        return &direction->trouble->failure;
    return gate->state == GATE_OPEN ? NULL : &gate->failure;
}

const struct failure *sync_error(const struct direction *direction, const struct cycle *cycle,
                                 const char *result)
{
    if (cycle->failure.category == FAILURE_CANCELLED)
        return NULL;
    return strcmp(result, "waiting") == 0 ? last_trouble(direction) : &cycle->failure;
}

static json_t *error_of(const struct failure *failure)
{
    if (failure == NULL || !failure_is_set(failure))
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "code", json_text(failure->code), "sentence",
                     json_text(failure->sentence), "text", json_text(failure->text), "remedy",
                     json_text(failure->remedy));
}

json_t *sync_answer(const struct direction *direction, const char *result,
                    const struct cycle *cycle, const struct failure *failure)
{
    bool waiting = strcmp(result, "waiting") == 0;
    json_t *answer = json_object();
    json_set_text(answer, "kind", "cycle");
    json_set_text(answer, "address", mailbox_address(direction->mailbox));
    json_set_text(answer, "profile", direction->mailbox->profile->config->name);
    json_set_text(answer, "direction", cycle_direction_name(direction->kind));
    json_set_text(answer, "result", result);
    json_set_number(answer, "processed", cycle == NULL ? 0 : cycle->moved);
    json_set_number(answer, "failed", cycle == NULL ? 0 : cycle->failed);
    json_set_time(answer, "next_try", waiting ? cycle->next_ms : 0);
    json_object_set_new(answer, "error", error_of(failure));
    return answer;
}

#include "daemon/profile_json.h"

#include "base/clock.h"
#include "daemon/failure_json.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/sign_in.h"

static const char *auth_name(enum config_auth auth)
{
    static const char *const names[] = {
        [CONFIG_AUTH_NEGOTIATE] = "negotiate",
        [CONFIG_AUTH_NTLM] = "ntlm",
        [CONFIG_AUTH_BASIC] = "basic",
    };
    return names[auth];
}

static const char *gate_name(enum gate_state state)
{
    static const char *const names[] = {
        [GATE_OPEN] = "open",
        [GATE_CLOSED] = "closed",
        [GATE_TRYING] = "trying",
    };
    return names[state];
}

/* --- the owner --- */

static json_t *channels_of(unsigned channels)
{
    static const struct {
        unsigned channel;
        const char *name;
    } all[] = {
        {CONFIG_NOTIFY_EXCHANGE, "exchange"},
        {CONFIG_NOTIFY_SMTP, "smtp"},
        {CONFIG_NOTIFY_COMMAND, "command"},
    };
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (channels & all[i].channel)
            json_array_append_new(array, json_string(all[i].name));
    }
    return array;
}

/* The arguments of a command may hold a secret. */
static void set_owner(json_t *object, const struct config_profile *profile,
                      const struct config_smtp *smtp)
{
    unsigned channels = profile->notify_channels;
    bool by_command = (channels & CONFIG_NOTIFY_COMMAND) && profile->notify_command != NULL;
    bool by_smtp = (channels & CONFIG_NOTIFY_SMTP) && smtp != NULL;
    json_set_text(object, "owner", profile->owner);
    json_object_set_new(object, "notify", channels_of(channels));
    json_set_text(object, "notify_command", by_command ? profile->notify_command[0] : NULL);
    json_set_text(object, "smtp", by_smtp ? smtp->url : NULL);
}

/* --- the server --- */

static json_t *gate_trouble(const struct profile *profile)
{
    const struct gate *gate = &profile->gate;
    if (gate->state == GATE_OPEN)
        return json_null();
    json_t *trouble = trouble_json(&gate->failure, gate->failures, gate->closed_ms);
    if (gate->failure.category == FAILURE_AUTHENTICATION) {
        struct buffer remedy = {0};
        sign_in_write_remedy(&remedy, profile->config, gate->failure.remedy, NULL);
        json_set_buffer(trouble, "remedy", &remedy);
    }
    return trouble;
}

static void set_gate(json_t *object, const struct profile *profile)
{
    const struct gate *gate = &profile->gate;
    int64_t next_try_ms = 0;
    if (gate->state == GATE_CLOSED) {
        uint64_t now = executor_now(profile->context->executor), due = gate->timer.entry.key;
        next_try_ms = clock_wall_ms() + (due > now ? (int64_t)(due - now) : 0);
    }
    json_set_text(object, "gate", gate_name(gate->state));
    json_object_set_new(object, "trouble", gate_trouble(profile));
    json_set_time(object, "next_try", next_try_ms);
}

static json_t *refused_json(const struct profile *profile)
{
    const struct store_sign_in sign_in =
        sign_ins_look(profile->context->sign_ins, profile->config->name);
    if (sign_in.refused == 0)
        return json_null();
    json_t *object = json_object();
    json_set_number(object, "count", sign_in.refused);
    json_set_time(object, "last", sign_in.last_ms);
    return object;
}

static json_t *refused_otherwise_json(const struct profile *profile)
{
    bool open = profile->gate.state == GATE_OPEN;
    return error_json(open ? http_pool_refusal(profile->pool) : NULL);
}

static json_t *connections_json(const struct profile *profile)
{
    json_t *object = json_object();
    json_set_number(object, "budget", http_pool_budget(profile->pool));
    json_set_number(object, "most", profile->config->max_connections);
    json_set_number(object, "busy", http_pool_running(profile->pool));
    json_set_number(object, "waiting", http_pool_waiting(profile->pool));
    return object;
}

static json_t *cycles_json(const struct profile *profile)
{
    json_t *object = json_object();
    json_set_number(object, "running", profile->running);
    json_set_number(object, "queued", profile->ready_count);
    json_set_number(object, "most", profile_places(profile));
    return object;
}

static void set_pause(json_t *object, const struct profile *profile)
{
    struct buffer text = {0};
    if (profile->paused)
        hindrance_write_paused(&text, profile);
    json_object_set_new(object, "paused", json_boolean(profile->paused));
    json_set_time(object, "paused_since", profile->paused ? profile->paused_since_ms : 0);
    json_set_buffer(object, "pause", &text);
}

json_t *profile_json(const struct profile *profile, const struct config *config)
{
    json_t *object = json_object();
    json_set_text(object, "kind", "profile");
    json_set_text(object, "name", profile->config->name);
    json_set_text(object, "url", profile->config->url);
    json_set_text(object, "account", profile->config->username);
    json_set_text(object, "auth", auth_name(profile->config->auth));
    set_owner(object, profile->config, config->smtp);
    set_pause(object, profile);
    set_gate(object, profile);
    json_object_set_new(object, "sign_ins_refused", refused_json(profile));
    json_object_set_new(object, "refused_otherwise", refused_otherwise_json(profile));
    json_object_set_new(object, "connections", connections_json(profile));
    json_object_set_new(object, "cycles", cycles_json(profile));
    json_set_number(object, "mailboxes", profile->mailbox_count);
    json_set_number(object, "stopped", profile->stopped);
    return object;
}

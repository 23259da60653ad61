#include "daemon/profile.h"

#include "base/memory.h"
#include "daemon/messages.h"
#include "ews/ews.h"

#include <assert.h>
#include <string.h>

#define PROFILE_USER_AGENT "exsyncd/" EXSYNC_VERSION

const char *profile_user_agent(const struct config_profile *config)
{
    return config->http_user_agent == NULL ? PROFILE_USER_AGENT : config->http_user_agent;
}

static struct http_pool *profile_pool(const struct context *context,
                                      const struct config_profile *config)
{
    static const enum http_auth auth[] = {
        [CONFIG_AUTH_NEGOTIATE] = HTTP_AUTH_NEGOTIATE,
        [CONFIG_AUTH_NTLM] = HTTP_AUTH_NTLM,
        [CONFIG_AUTH_BASIC] = HTTP_AUTH_BASIC,
    };
    const struct http_pool_settings settings = {
        .url = config->url,
        .auth = auth[config->auth],
        .username = config->username,
        .password = config->password,
        .tls_ca_file = config->tls_ca_file,
        .tls_verify = config->tls_verify,
        .user_agent = profile_user_agent(config),
        .max_connections = config->max_connections,
        .connect_timeout_ms = config->connect_timeout_ms,
        .idle_timeout_ms = config->request_timeout_ms,
    };
    return http_pool_create(context->http, &settings);
}

static struct backend *profile_backend(const struct context *context,
                                       const struct config_profile *config, struct http_pool *pool)
{
    static const enum ews_connecting_sid sid[] = {
        [CONFIG_SID_PRIMARY_SMTP] = EWS_SID_PRIMARY_SMTP,
        [CONFIG_SID_SMTP] = EWS_SID_SMTP,
        [CONFIG_SID_UPN] = EWS_SID_UPN,
        [CONFIG_SID_SID] = EWS_SID_SID,
    };
    const struct ews_settings settings = {
        .impersonation = config->impersonation,
        .connecting_sid = sid[config->connecting_sid],
        .test_key = context->test_key,
    };
    return ews_create(context->executor, &settings, pool);
}

struct profile *profile_create(const struct context *context, const struct config_profile *config,
                               struct configuration *configuration, struct profile_list *list,
                               void (*on_trying)(void *profile), void *owner)
{
    struct profile *profile = memory_allocate(sizeof *profile);
    profile->context = context;
    profile->config = config;
    profile->configuration = configuration;
    configuration_use(configuration);
    profile->current = true;
    profile->owner = owner;
    profile->list = list;
    TAILQ_INSERT_TAIL(list, profile, entries);
    profile->users = 1;
    profile->pool = profile_pool(context, config);
    profile->backend = profile_backend(context, config, profile->pool);
    TAILQ_INIT(&profile->ready);
    TAILQ_INIT(&profile->ready_suspect);
    gate_init(&profile->gate, context->executor, on_trying, profile);
    return profile;
}

void profile_adopt(struct profile *profile, const struct config_profile *config,
                   struct configuration *configuration)
{
    configuration_use(configuration);
    configuration_release(profile->configuration);
    profile->configuration = configuration;
    profile->config = config;
    profile->group_again = true;
    profile->cannot_send_drafts = false; /* found out again, should it still be so */
}

void profile_use(struct profile *profile)
{
    profile->users++;
}

void profile_release(struct profile *profile)
{
    assert(profile->users > 0);
    if (--profile->users > 0)
        return;
    assert(profile->running == 0 && profile->ready_count == 0);
    TAILQ_REMOVE(profile->list, profile, entries);
    executor_cancel_timer(profile->context->executor, &profile->grow);
    gate_release(&profile->gate);
    ews_free(profile->backend);
    http_pool_free(profile->pool);
    configuration_release(profile->configuration);
    memory_free(profile);
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool profile_matches(const struct profile *profile, const struct config_profile *config)
{
    const struct config_profile *own = profile->config;
    return text_equal(own->name, config->name) && text_equal(own->url, config->url) &&
           text_equal(own->username, config->username) &&
           secret_equal(own->password, config->password) &&
           text_equal(own->tls_ca_file, config->tls_ca_file) &&
           text_equal(own->http_user_agent, config->http_user_agent) && own->auth == config->auth &&
           own->connecting_sid == config->connecting_sid &&
           own->impersonation == config->impersonation && own->tls_verify == config->tls_verify &&
           own->max_connections == config->max_connections &&
           own->request_timeout_ms == config->request_timeout_ms &&
           own->connect_timeout_ms == config->connect_timeout_ms;
}

bool profile_is_well(const struct profile *profile)
{
    return profile->stopped == 0 && profile->untried == 0;
}

bool profile_hurry(struct profile *profile, const struct profile *before)
{
    bool first = profile != before && !profile->hurried;
    profile->hurried = profile->hurried || first;
    return first;
}

struct backoff profile_backoff(const struct profile *profile)
{
    return (struct backoff){
        .min_ms = profile->config->retry_min_ms,
        .max_ms = profile->config->retry_max_ms,
        .probes_ms = profile->config->probe_intervals_ms,
        .probe_count = profile->config->probe_interval_count,
    };
}

uint32_t profile_places(const struct profile *profile)
{
    uint32_t budget = http_pool_budget(profile->pool);
    return budget + (budget + 1) / 2;
}

void profile_enqueue(struct profile *profile, struct direction *direction)
{
    if (direction->trouble != NULL)
        TAILQ_INSERT_TAIL(&profile->ready_suspect, direction, ready);
    else
        TAILQ_INSERT_TAIL(&profile->ready, direction, ready);
    direction->state = DIRECTION_READY;
    profile->ready_count++;
}

void profile_dequeue(struct profile *profile, struct direction *direction)
{
    assert(direction->state == DIRECTION_READY);
    if (direction->trouble != NULL)
        TAILQ_REMOVE(&profile->ready_suspect, direction, ready);
    else
        TAILQ_REMOVE(&profile->ready, direction, ready);
    direction->state = DIRECTION_OFF;
    profile->ready_count--;
}

struct direction *profile_next(struct profile *profile)
{
    uint32_t places = profile_places(profile);
    if (profile->paused || profile->running - profile->running_stuck >= places ||
        !gate_admits(&profile->gate))
        return NULL;

    uint32_t suspect_places = places / 2 > 0 ? places / 2 : 1;
    struct direction *suspect =
        profile->running_suspect < suspect_places ? TAILQ_FIRST(&profile->ready_suspect) : NULL;
    struct direction *healthy = TAILQ_FIRST(&profile->ready);
    /* Whichever has been due for longer; the bound on suspects keeps places free for the others. */
    struct direction *next = healthy;
    if (healthy == NULL || (suspect != NULL && suspect->due.key < healthy->due.key))
        next = suspect;
    if (next != NULL)
        profile_dequeue(profile, next);
    return next;
}

static void profile_grow(void *argument)
{
    struct profile *profile = argument;
    uint32_t budget = http_pool_budget(profile->pool) + 1;
    http_pool_set_budget(profile->pool, budget);
    if (budget < profile->config->max_connections)
        executor_after(profile->context->executor, &profile->grow, PROFILE_GROW_AFTER_MS,
                       profile_grow, profile);
}

bool profile_note_busy(struct profile *profile)
{
    uint64_t now = executor_now(profile->context->executor);
    memmove(&profile->busy_at[0], &profile->busy_at[1],
            sizeof profile->busy_at - sizeof profile->busy_at[0]);
    profile->busy_at[PROFILE_BUSY_MAILBOXES - 1] = now;
    uint64_t oldest = profile->busy_at[0];
    if (executor_timer_pending(&profile->grow))
        executor_after(profile->context->executor, &profile->grow, PROFILE_GROW_AFTER_MS,
                       profile_grow, profile);
    if (oldest == 0 || now - oldest > PROFILE_BUSY_WITHIN_MS)
        return false;

    memset(profile->busy_at, 0, sizeof profile->busy_at);
    uint32_t budget = http_pool_budget(profile->pool) / 2;
    http_pool_set_budget(profile->pool, budget > 0 ? budget : 1);
    executor_after(profile->context->executor, &profile->grow, PROFILE_GROW_AFTER_MS, profile_grow,
                   profile);
    return true;
}

bool profile_note_alike(struct profile *profile, const struct failure *failure)
{
    bool alike = profile->alike > 0 && failure->category == profile->last_failure.category &&
                 strcmp(failure->code, profile->last_failure.code) == 0;
    profile->alike = alike ? profile->alike + 1 : 1;
    profile->last_failure = *failure;
    return profile->alike >= PROFILE_ALIKE_MAX;
}

bool profile_sends_directly(const struct profile *profile)
{
    enum config_send_method method = profile->config->send_method;
    return method == CONFIG_SEND_DIRECT ||
           (method == CONFIG_SEND_AUTO && profile->cannot_send_drafts);
}

bool profile_note_no_drafts(struct profile *profile)
{
    if (profile->config->send_method == CONFIG_SEND_DRAFT)
        return false;
    if (!profile->cannot_send_drafts) {
        const struct log_fields fields = {.message_id = MESSAGE_SENDS_DIRECTLY,
                                          .profile = profile->config->name};
        log_write(profile->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "profile %s: the server cannot send drafts; messages are sent in one step",
                  profile->config->name);
    }
    profile->cannot_send_drafts = true;
    return true;
}

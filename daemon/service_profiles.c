/* What the service does with profiles when a configuration is taken into use, and when a closed
 * gate is tried. */
#include "daemon/outcome.h"
#include "daemon/service_private.h"
#include "daemon/sign_in.h"

#include <string.h>

enum { UNWRITTEN_LOOK_MS = 1000 }; /* whether a refused sign-in is written now */

/* Once what was refused before is on disk: see sign_in.h. */
static void profile_trying(void *argument)
{
    struct profile *profile = argument;
    if (!sign_ins_written(profile->context->sign_ins, profile->config)) {
        gate_wait_more(&profile->gate, UNWRITTEN_LOOK_MS);
        return;
    }
    http_pool_reset(profile->pool);
    scheduler_wake(profile->owner);
}

struct profile *service_profile(struct service *service, const char *name)
{
    struct profile *profile;
    TAILQ_FOREACH(profile, &service->scheduler.profiles, entries)
    {
        if (profile->current && strcmp(profile->config->name, name) == 0)
            return profile;
    }
    return NULL;
}

static void retire_profile(struct profile *profile)
{
    profile->current = false;
    profile_release(profile);
}

/* A password that was refused and is the same is refused again, and too many of those lock the
 * account; a ticket may be another one. */
void service_try_profile(struct profile *profile)
{
    if (profile->gate.failure.category != FAILURE_AUTHENTICATION ||
        profile->config->password == NULL)
        gate_try_now(&profile->gate);
}

/* A profile that reaches the server as before keeps its connections and its gate. A profile that
 * changed begins anew, the old one goes with its last cycle. */
static void take_profile(struct service *service, const struct config_profile *config,
                         struct configuration *configuration)
{
    struct scheduler *scheduler = &service->scheduler;
    struct profile *profile = service_profile(service, config->name);
    if (profile != NULL && profile_matches(profile, config)) {
        profile_adopt(profile, config, configuration);
        service_try_profile(profile);
        return;
    }
    struct profile *fresh = profile_create(&service->context, config, configuration,
                                           &scheduler->profiles, profile_trying, scheduler);
    const struct store_pause *pause = pauses_find(service->pauses, config->name);
    fresh->paused = pause != NULL;
    fresh->paused_since_ms = pause == NULL ? 0 : pause->since_ms;
    outcome_profile_begins(fresh); /* found by its name from now on */
    if (profile != NULL)
        profile->current = false;
}

void service_take_profiles(struct service *service, struct configuration *configuration)
{
    const struct config *config = configuration->config;
    for (size_t i = 0; i < config->profile_count; i++)
        take_profile(service, &config->profiles[i], configuration);
    /* What the last cycles of a profile that leaves meet is no matter for people any more: nobody
     * would resolve it. */
    struct profile *profile;
    TAILQ_FOREACH(profile, &service->scheduler.profiles, entries)
    {
        if (config_find_profile(config, profile->config->name) == NULL)
            profile->current = false;
    }
}

void service_retire_profiles(struct service *service, const struct config *config)
{
    struct profile *profile, *next;
    for (profile = TAILQ_FIRST(&service->scheduler.profiles); profile != NULL; profile = next) {
        next = TAILQ_NEXT(profile, entries);
        if (profile->retired)
            continue;
        if (profile->current && config_find_profile(config, profile->config->name) != NULL)
            continue;
        profile->retired = true;
        retire_profile(profile);
    }
}

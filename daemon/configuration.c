#include "daemon/configuration.h"

#include "base/memory.h"

#include <assert.h>

struct configuration *configuration_create(struct config *config)
{
    struct configuration *configuration = memory_allocate(sizeof *configuration);
    configuration->config = config;
    configuration->users = 1;
    return configuration;
}

void configuration_use(struct configuration *configuration)
{
    configuration->users++;
}

void configuration_release(struct configuration *configuration)
{
    assert(configuration->users > 0);
    if (--configuration->users > 0)
        return;
    config_free(configuration->config);
    memory_free(configuration);
}

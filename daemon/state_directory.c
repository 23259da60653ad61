/* Where the state is: apart from the service, for tools that look into it. */
#include "daemon/service.h"

#include <stdlib.h>

#define DEFAULT_STATE_DIRECTORY "/var/lib/exsyncd"

const char *service_state_directory(const struct config *config)
{
    if (config != NULL && config->state_directory != NULL)
        return config->state_directory;
    const char *given = getenv("STATE_DIRECTORY");
    return given == NULL || given[0] == '\0' ? DEFAULT_STATE_DIRECTORY : given;
}

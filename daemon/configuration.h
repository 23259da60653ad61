/* A configuration in use: kept until the last mailbox and profile have moved on to the next one, so
 * that a reload never waits for a cycle. */
#ifndef EXSYNC_DAEMON_CONFIGURATION_H
#define EXSYNC_DAEMON_CONFIGURATION_H

#include "config/config.h"

#include <stdint.h>

struct configuration {
    struct config *config; /* owned */
    uint32_t users;
};

/* With one user, the caller; takes the config over. */
struct configuration *configuration_create(struct config *config);

void configuration_use(struct configuration *configuration);
void configuration_release(struct configuration *configuration);

#endif

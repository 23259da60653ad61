/* The running daemon: brings the parts together, takes a configuration into use, starts cycles when
 * the scheduler says so, reloads and stops. */
#ifndef EXSYNC_DAEMON_SERVICE_H
#define EXSYNC_DAEMON_SERVICE_H

#include "base/failure.h"
#include "config/config.h"

struct service;

/* Opens everything; blocks, before the loop runs. Takes `config` over. `config_path` is read again
 * on reload. Returns NULL with the reason in `failure`. */
struct service *service_create(struct config *config, const char *config_path,
                               struct failure *failure);

/* Runs until SIGTERM or SIGINT; SIGHUP reloads, SIGUSR1 is service_try_now. Returns the exit
 * status: 0 after an orderly stop within SERVICE_STOP_MS, or service_start_status. */
int service_run(struct service *service);

/* The exit status of a daemon that could not begin: EX_DATAERR when its database stays what it is
 * until a person acts, EX_TEMPFAIL when another start may work. */
int service_start_status(const struct failure *failure);

/* An administrator's word that the cause is mended: what has stopped is tried at once, once. That
 * is the gate of the profile, a refused account's too, and each stopped direction of its mailboxes,
 * which is probed. `profile` NULL: of all profiles, and this machine's storage. What fails again
 * waits as before, and each refused sign-in counts. */
void service_try_now(struct service *service, const char *profile);

/* Where the database is: as configured (`config` NULL: it does not say), or as systemd says, or
 * else /var/lib/exsyncd. */
const char *service_state_directory(const struct config *config);

enum {
    SERVICE_STOP_SOON_MS = 2000, /* running cycles may finish their batch */
    SERVICE_STOP_MS = 3500,      /* then what hangs is left behind */
};

/* Also when something still hangs on a dead file system: that is left behind. */
void service_free(struct service *service);

#endif

/* What the service manager is told: systemd, or whoever else has set $NOTIFY_SOCKET.
 *
 *   news    one datagram to it: that the daemon is ready, that it is alive ...
 *   status  a sentence that `systemctl status` shows, until the next one
 *
 * Sending can block: the socket's queue is bounded, and a service manager that is busy or stopped
 * does not empty it. So news is sent by a thread of its own, in the order in which it was told; of
 * what only counts when it is new (a status alone, being alive, starting) no more than one waits,
 * the latest. What cannot be sent is lost: nobody else could be told of it.
 * Source: sd_notify(3), sd_watchdog_enabled(3). */
#ifndef EXSYNC_DAEMON_SERVICE_MANAGER_H
#define EXSYNC_DAEMON_SERVICE_MANAGER_H

#include "base/executor.h"

#include <stdbool.h>
#include <stdint.h>

struct service_manager;

/* NULL when there is nobody to tell; all functions accept that and do nothing. */
struct service_manager *service_manager_create(struct executor *executor);

/* Waits at most `patience_ms` for what is being sent. False: that hangs, and the memory must be
 * left alone. */
bool service_manager_free(struct service_manager *manager, uint64_t patience_ms);

/* How long the service manager waits for a sign of life before it ends the daemon, in milliseconds;
 * 0: it does not look. */
uint64_t service_manager_watchdog_ms(const struct service_manager *manager);

enum service_manager_news {
    SERVICE_MANAGER_STATUS,    /* the status alone */
    SERVICE_MANAGER_STARTING,  /* it needs SERVICE_MANAGER_START_MS more from now */
    SERVICE_MANAGER_READY,     /* the start, or a reload, is over */
    SERVICE_MANAGER_RELOADING, /* until it is ready again */
    SERVICE_MANAGER_STOPPING,
    SERVICE_MANAGER_ALIVE,
};

enum { SERVICE_MANAGER_START_MS = 90000 };

/* `status` is copied; NULL leaves the last one. */
void service_manager_tell(struct service_manager *manager, enum service_manager_news news,
                          const char *status);

/* SERVICE_MANAGER_STARTING at once, from the calling thread, but no more often than every ten
 * seconds: for a start that holds up the loop, before it runs. With `silent_ms`, for which nothing
 * may be told, it is told in any case, and needs so much longer. `manager` is a service_manager. */
void service_manager_tell_starting(void *manager, uint64_t silent_ms);

#endif

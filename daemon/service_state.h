/* What the service manager is told of the service: when it is ready, how it is, and that it lives.
 *
 * The status is a sentence such as "412 mailboxes, 3 stopped, next cycle at 14:05:03", in the words
 * of health.h. It names the time, not how long it is until then: `systemctl status` shows it at any
 * later moment. It is made every STATE_STATUS_MS and sent when it has changed.
 *
 * It lives as long as the loop turns, the threads of the database get on, and what is due leaves
 * the schedule; each of them for no longer than the watchdog's time. All else may hang without an
 * end of the daemon being any help: a file system of Maildirs, a server, a program that tells an
 * owner. Nobody is told anything where there is no service manager. */
#ifndef EXSYNC_DAEMON_SERVICE_STATE_H
#define EXSYNC_DAEMON_SERVICE_STATE_H

#include "base/executor.h"
#include "daemon/health.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct service_manager;

enum { STATE_STATUS_MS = 5000, STATE_STATUS_SIZE = 320 };

struct service_state {
    struct service_manager *manager; /* NULL: nobody to tell */
    struct store_progress progress;
    struct executor_timer life_timer;
    struct executor_timer status_timer;
    struct executor_call count;       /* mailboxes, some in each turn */
    size_t next;                      /* the mailbox that is counted next */
    uint32_t mailboxes[HEALTH_COUNT]; /* counted so far, how many are how */
    int64_t due_ms;                   /* wall time: the next cycle among them; INT64_MAX: none */
    bool ready;                       /* the start is over */
    bool hangs;                       /* it was logged that something does */
    char status[STATE_STATUS_SIZE];   /* the one that was sent last */
};

/* At the start, before the database is opened. */
void service_state_create(struct service *service);

/* After the loop has stopped. False: a thread still hangs after `patience_ms`; it is left behind,
 * and the executor must stay. */
bool service_state_free(struct service *service, uint64_t patience_ms);

/* For opening the database: the start takes longer. */
const struct store_progress *service_state_progress(struct service *service);

/* The loop runs from now on. */
void service_state_begin(struct service *service);

/* The start is over, or a reload, and whether its configuration is in use. */
void service_state_ready(struct service *service, bool taken);
void service_state_reloading(struct service *service);
void service_state_stopping(struct service *service);

#endif

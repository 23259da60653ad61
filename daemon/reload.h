/* Taking a configuration into use, at the start and on reload (SIGHUP, exsyncctl reload). Mailboxes
 * change over one by one while cycles go on, so that nothing waits for anything. Everything is
 * called on the loop. */
#ifndef EXSYNC_DAEMON_RELOAD_H
#define EXSYNC_DAEMON_RELOAD_H

#include "base/failure.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct service;

/* What came of a reload that was asked for. Valid during the call of `done`. */
struct reload_result {
    bool taken;                    /* the configuration is in use now */
    const char *report;            /* mistakes and warnings, a line each (config_load) */
    const struct failure *failure; /* why it is not in use though it has no mistake; NULL */
};

struct reload_waiter {
    /* Once, on the loop; not when the daemon stops before. The waiter is free then. */
    void (*done)(struct reload_waiter *waiter, const struct reload_result *result);
    LIST_ENTRY(reload_waiter) entries; /* LIST_REMOVE ends the wait */
};

LIST_HEAD(reload_waiters, reload_waiter);

/* Reads the configuration again, off the loop, and takes it into use if it is right. While that is
 * under way, or the daemon still starts: once more afterwards. Nothing while it stops. */
void reload_start(struct service *service);

/* The same, and tells what came of it: of a reload that begins from now on. */
void reload_start_and_tell(struct service *service, struct reload_waiter *waiter);

/* A reload that is under way. */
struct reload_wait {
    int64_t since_ms; /* wall time; 0: none is */
    bool late;        /* something hangs, as it seems */
    const char *what; /* static: what it waits for */
};
struct reload_wait reload_wait(const struct service *service);

/* At the start: takes the first configuration into use. Takes `config` over. Ends in
 * service_started. */
void reload_apply(struct service *service, struct config *config);

/* After the loop has stopped, and no thread reads the configuration any more: a reload that is
 * under way is carried through, or dropped if nothing has been changed yet. */
void reload_end(struct service *service);

#endif

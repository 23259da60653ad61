/* The clock of this machine, when somebody sets it back. Timers do not go by it; times in the store
 * do, as they outlive the process, and what waits for one of them would wait as much longer. A
 * clock that is set forward, or a machine that slept, makes such waits end early, which does no
 * harm. */
#include "base/clock.h"
#include "daemon/notify.h"
#include "daemon/service_private.h"

#include <inttypes.h>

enum {
    LOOK_EVERY_MS = 5000,
    SET_BACK_MIN_MS = 5000, /* less is not worth a word */
};

static int64_t clock_offset(void)
{
    return clock_wall_ms() - (int64_t)clock_monotonic_ms();
}

/* A cycle that ran before the store was told has seen nothing that was due. */
static void hasten(void *argument, const struct store_backlog *backlog)
{
    struct service *service = argument;
    struct mailbox *mailbox = service_mailbox_by_number(service, backlog->mailbox.number);
    if (mailbox != NULL && !service->stopping)
        service_hasten(service, mailbox, false);
}

static void look(void *argument);

static void look_later(struct service *service)
{
    executor_after(service->context.executor, &service->clock_timer, LOOK_EVERY_MS, look, service);
}

/* What the store could not be told is seen by the next look as if it happened then. */
static void told_store(void *argument, const struct failure *failure)
{
    struct service *service = argument;
    if (service->stopping)
        return;
    look_later(service);
    if (failure != NULL) {
        log_write(service->context.log, LOG_PRIORITY_DEBUG, NULL,
                  "the database could not be told that the clock was set back (%s): %s",
                  failure->code, failure->text);
        return;
    }
    log_write(service->context.log, LOG_PRIORITY_NOTICE, NULL,
              "the clock of this machine was set back by %" PRId64
              " s; what is to be tried again does not wait longer for that",
              service->clock_back_ms / 1000);
    service->clock_offset_ms -= service->clock_back_ms;
    store_submissions_open(service->context.store, hasten, NULL, service);
    notifier_configure(service->context.notifier);
}

static void look(void *argument)
{
    struct service *service = argument;
    int64_t offset = clock_offset(), back_ms = service->clock_offset_ms - offset;
    if (back_ms < SET_BACK_MIN_MS) {
        service->clock_offset_ms = offset;
        look_later(service);
        return;
    }
    service->clock_back_ms = back_ms;
    store_clock_set_back(service->context.store, back_ms, clock_wall_ms(), told_store, service);
}

void service_watch_clock(struct service *service)
{
    service->clock_offset_ms = clock_offset();
    look_later(service);
}

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

static void told_store(void *argument, const struct failure *failure)
{
    struct service *service = argument;
    if (failure != NULL || service->stopping)
        return;
    store_submissions_open(service->context.store, hasten, NULL, service);
    notifier_configure(service->context.notifier);
}

static void look(void *argument)
{
    struct service *service = argument;
    int64_t offset = clock_offset(), back_ms = service->clock_offset_ms - offset;
    service->clock_offset_ms = offset;
    if (back_ms >= SET_BACK_MIN_MS) {
        log_write(service->context.log, LOG_PRIORITY_NOTICE, NULL,
                  "the clock of this machine was set back by %" PRId64
                  " s; what is to be tried again does not wait longer for that",
                  back_ms / 1000);
        store_clock_set_back(service->context.store, back_ms, clock_wall_ms(), told_store, service);
    }
    executor_after(service->context.executor, &service->clock_timer, LOOK_EVERY_MS, look, service);
}

void service_watch_clock(struct service *service)
{
    service->clock_offset_ms = clock_offset();
    executor_after(service->context.executor, &service->clock_timer, LOOK_EVERY_MS, look, service);
}

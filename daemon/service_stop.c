/* An orderly stop: nothing new begins, running cycles finish what they have begun, then they are
 * cancelled, and what hangs even so is left behind. The loop ends when nothing is under way. */
#include "base/text.h"
#include "daemon/control.h"
#include "daemon/notify.h"
#include "daemon/service_private.h"

#include <inttypes.h>

enum { IDLE_LOOK_EVERY_MS = 10 };

/* Files that a cancelled cycle leaves are removed by jobs that outlive it. */
bool service_is_idle(const struct service *service)
{
    return service->scheduler.running == 0 && !executor_has_deferred(service->context.executor) &&
           executor_pool_pending(service->files) == 0 &&
           outbox_pending(service->context.outbox) == 0 &&
           store_pending(service->context.store) == 0 && !intake_is_busy(service->intake) &&
           !notifier_is_busy(service->context.notifier);
}

static void look_if_idle(void *argument)
{
    struct service *service = argument;
    if (service_is_idle(service))
        executor_stop(service->context.executor);
    else if (service->scheduler.running == 0)
        executor_after(service->context.executor, &service->idle_timer, IDLE_LOOK_EVERY_MS,
                       look_if_idle, service);
}

/* In a turn of its own: what goes on in this one may defer or begin something. */
void service_stop_if_idle(struct service *service)
{
    if (service->stopping && service->scheduler.running == 0)
        executor_after(service->context.executor, &service->idle_timer, 0, look_if_idle, service);
}

static void give_up(void *argument)
{
    struct service *service = argument;
    uint32_t running = service->scheduler.running;
    if (running > 0)
        log_write(service->context.log, LOG_PRIORITY_WARNING, NULL,
                  "stopping although %" PRIu32 " %s for a disk that does not answer; what is left "
                  "is taken up again at the next start",
                  running, text_plural(running, "cycle still waits", "cycles still wait"));
    else
        log_write(service->context.log, LOG_PRIORITY_WARNING, NULL,
                  "stopping although a disk, or a way to a profile's owner, does not answer; what "
                  "is left is taken up again at the next start");
    service->left_behind = true;
    executor_stop(service->context.executor);
}

static void cancel_cycles(void *argument)
{
    struct service *service = argument;
    service->cancelling = true;
    notifier_cancel(service->context.notifier);
    struct direction *direction, *next;
    for (direction = TAILQ_FIRST(&service->scheduler.running_directions); direction != NULL;
         direction = next) {
        next = TAILQ_NEXT(direction, ready);
        direction->cycle->operations->cancel(direction->cycle);
    }
    executor_after(service->context.executor, &service->stop_timer,
                   SERVICE_STOP_MS - SERVICE_STOP_SOON_MS, give_up, service);
}

/* The second signal does not wait for batches. */
void service_stop(void *argument)
{
    struct service *service = argument;
    if (service->stopping) {
        if (!service->cancelling)
            cancel_cycles(service);
        return;
    }
    if (service->scheduler.running > 0)
        log_write(service->context.log, LOG_PRIORITY_INFO, NULL, "stopping: %" PRIu32 " %s",
                  service->scheduler.running,
                  text_plural(service->scheduler.running, "cycle finishes what it has begun",
                              "cycles finish what they have begun"));
    service->stopping = true;
    executor_cancel_timer(service->context.executor, &service->housekeeping_timer);
    executor_cancel_timer(service->context.executor, &service->clock_timer);
    service_state_stopping(service);
    control_stop(service->control);
    scheduler_stop(&service->scheduler);
    intake_stop(service->intake);
    notifier_stop(service->context.notifier);
    orphans_stop(service->orphans);
    struct direction *direction;
    TAILQ_FOREACH(direction, &service->scheduler.running_directions, ready)
    direction->cycle->operations->end_soon(direction->cycle);
    executor_after(service->context.executor, &service->stop_timer, SERVICE_STOP_SOON_MS,
                   cancel_cycles, service);
    service_stop_if_idle(service);
}

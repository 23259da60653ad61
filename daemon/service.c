#include "daemon/service.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control.h"
#include "daemon/incoming.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/outcome.h"
#include "daemon/outgoing.h"
#include "daemon/probe.h"
#include "daemon/removal.h"
#include "daemon/service_private.h"
#include "daemon/sign_in.h"
#include "daemon/switch.h"

#include <inttypes.h>
#include <signal.h>
#include <sysexits.h>

enum {
    HOUSEKEEPING_EVERY_MS = 60 * 60 * 1000,
    HOUSEKEEPING_MORE_MS = 1000,
    IDLE_LOOK_EVERY_MS = 10,
    LOADER_THREADS = 1,
    STOP_PATIENCE_MS = 300, /* for threads at the end */
};

/* --- cycles --- */

/* Files that a cancelled cycle leaves are removed by jobs that outlive it. */
static bool service_is_idle(const struct service *service)
{
    return service->scheduler.running == 0 && !executor_has_deferred(service->context.executor) &&
           executor_pool_pending(service->files) == 0 &&
           outbox_pending(service->context.outbox) == 0 &&
           store_pending(service->context.store) == 0 && !intake_is_busy(service->intake) &&
           !notifier_is_busy(service->context.notifier);
}

static void service_look_if_idle(void *argument)
{
    struct service *service = argument;
    if (service_is_idle(service))
        executor_stop(service->context.executor);
    else if (service->scheduler.running == 0)
        executor_after(service->context.executor, &service->idle_timer, IDLE_LOOK_EVERY_MS,
                       service_look_if_idle, service);
}

/* In a turn of its own: what goes on in this one may defer or begin something. */
static void service_stop_if_idle(struct service *service)
{
    if (service->stopping && service->scheduler.running == 0)
        executor_after(service->context.executor, &service->idle_timer, 0, service_look_if_idle,
                       service);
}

void service_schedule(struct service *service, struct direction *direction, uint64_t delay_ms)
{
    const struct mailbox *mailbox = direction->mailbox;
    bool held =
        direction->kind == CYCLE_OUTGOING && orphans_holds(service->orphans, mailbox->id.number);
    if (service->stopping || direction->state != DIRECTION_OFF || held ||
        !mailbox_wants(mailbox, direction->kind))
        return;
    if (direction->claims > 0) /* put into the schedule when the last of them ends */
        direction->due.key = executor_now(service->context.executor) + delay_ms;
    else
        scheduler_add(&service->scheduler, direction, delay_ms);
}

static void service_cycle_ended(struct cycle *cycle)
{
    struct mailbox *mailbox = cycle->mailbox;
    bool is_incoming = cycle->direction == CYCLE_INCOMING;
    struct direction *direction = is_incoming ? &mailbox->incoming : &mailbox->outgoing;
    struct direction *other = is_incoming ? &mailbox->outgoing : &mailbox->incoming;
    struct scheduler *scheduler = cycle->profile->owner;
    struct service *service = scheduler->owner;

    scheduler_ended(scheduler, direction, cycle->profile);
    summary_count(&service->summary, cycle);
    status_cycle_ended(&direction->status, cycle);
    uint64_t delay = outcome_settle(scheduler, direction, cycle);
    if (direction->switched_off)
        switch_settle(direction, cycle);
    if (direction->again && delay != OUTCOME_NEVER) {
        mailbox_note_own_try(direction, executor_now(service->context.executor) + delay);
        delay = 0;
    }
    direction->again = false;
    service_tell_cycle_ended(service, direction, cycle);
    service_note_checked(service, cycle);
    cycle->operations->free(cycle);
    bool waited = mailbox->next_configuration != NULL;
    mailbox_settle(mailbox);
    if (mailbox->next_configuration == NULL) {
        if (delay != OUTCOME_NEVER)
            service_schedule(service, direction, delay);
        /* It was kept out of the schedule until the configuration could change. */
        if (waited)
            service_schedule(service, other, 0);
    }
    service_stop_if_idle(service);
}

static void service_start_cycle(struct scheduler *scheduler, struct direction *direction)
{
    if (probe_wanted(direction))
        probe_start(scheduler->context, direction, service_cycle_ended);
    else if (direction->kind == CYCLE_INCOMING)
        incoming_start(scheduler->context, direction, service_cycle_ended);
    else
        outgoing_start(scheduler->context, direction, service_cycle_ended);
}

/* --- summary and house-keeping --- */

/* One that left the configuration while its cycle ran is still there, but no longer counts. */
static uint32_t configured_mailboxes(const struct service *service, uint32_t *failing)
{
    uint32_t configured = 0;
    *failing = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->removed)
            continue;
        configured++;
        *failing += mailbox->incoming.trouble != NULL || mailbox->outgoing.trouble != NULL ||
                    mailbox->profile->gate.state != GATE_OPEN;
    }
    return configured;
}

static void service_summary(void *argument)
{
    struct service *service = argument;
    uint64_t interval = service->configuration->config->summary_interval_ms;
    uint32_t failing, configured = configured_mailboxes(service, &failing);
    summary_report(&service->summary, service->context.log, interval, configured, failing);
    executor_after(service->context.executor, &service->summary_timer, interval, service_summary,
                   service);
}

static void service_keep_house(void *argument);

static void service_kept_house(void *argument, const struct failure *failure)
{
    struct service *service = argument;
    bool again = failure == NULL && service->more_to_prune;
    if (service->stopping)
        return;
    executor_after(service->context.executor, &service->housekeeping_timer,
                   again ? HOUSEKEEPING_MORE_MS : HOUSEKEEPING_EVERY_MS, service_keep_house,
                   service);
}

static void service_keep_house(void *argument)
{
    struct service *service = argument;
    const struct config *config = service->configuration->config;
    int64_t now = clock_wall_ms();
    removals_finish(service);
    store_prune(service->context.store, now - (int64_t)config->forget_after_ms,
                now - (int64_t)config->failure_keep_ms, &service->more_to_prune, service_kept_house,
                service);
}

/* --- owners --- */

static size_t service_list_stopped(void *argument, const struct profile *profile,
                                   const char **addresses, size_t room)
{
    const struct service *service = argument;
    size_t count = 0;
    for (size_t i = 0; i < service->mailbox_count; i++) {
        const struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->profile != profile || !mailbox->stopped || mailbox->removed)
            continue;
        if (count < room)
            addresses[count] = mailbox_address(mailbox);
        count++;
    }
    return count;
}

/* --- start --- */

struct service *service_create(struct config *config, const char *config_path,
                               struct failure *failure)
{
    struct service *service = memory_allocate(sizeof *service);
    struct context *context = &service->context;
    service->first_config = config;
    service->config_path = memory_copy_string(config_path);
    context->executor = executor_create();
    service_state_create(service);
    context->disks = &service->disks;
    context->log = log_create((enum log_priority)config->log_level);
    scheduler_init(&service->scheduler, context, service_start_cycle, outcome_try_storage, service);
    context->store = store_open(service_state_directory(config), context->executor, context->log,
                                service_state_progress(service), failure);
    if (context->store == NULL) {
        service_free(service);
        return NULL;
    }
    context->test_key = backend_test_key(store_instance(context->store));
    context->sign_ins = sign_ins_create(context->store, store_instance(context->store));
    service->pauses = pauses_create(context->store);
    service->files = executor_pool_create(context->executor, "files", config->file_threads);
    service->loader = executor_pool_create(context->executor, "loader", LOADER_THREADS);
    context->sinks =
        sinks_create(context->executor, service->files, store_instance(context->store));
    context->http = http_client_create(context->executor, context->log);
    context->notifier =
        notifier_create(context, &service->scheduler.profiles, service_list_stopped, service);
    service_create_outgoing(service, service_state_directory(config));
    service->control = control_create(service, config->control_socket);
    return service;
}

int service_start_status(const struct failure *failure)
{
    return failure->permanent ? EX_DATAERR : EX_TEMPFAIL;
}

void service_started(struct service *service, const struct failure *failure)
{
    if (failure != NULL) {
        const struct log_fields fields = {.message_id = MESSAGE_STORAGE_FAILED,
                                          .code = failure->code};
        log_write(service->context.log, LOG_PRIORITY_CRITICAL, &fields, "cannot start: %s (%s): %s",
                  failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
        service->exit_status = service_start_status(failure);
        executor_stop(service->context.executor);
        return;
    }
    const struct config *config = service->configuration->config;
    const struct log_fields fields = {.message_id = MESSAGE_STARTED};
    log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "exsyncd %s started: %zu %s on %zu %s", EXSYNC_VERSION, config->mailbox_count,
              text_plural(config->mailbox_count, "mailbox", "mailboxes"), config->profile_count,
              text_plural(config->profile_count, "profile", "profiles"));
    executor_after(service->context.executor, &service->summary_timer, config->summary_interval_ms,
                   service_summary, service);
    executor_after(service->context.executor, &service->housekeeping_timer, HOUSEKEEPING_MORE_MS,
                   service_keep_house, service);
    service_watch_clock(service);
    control_begin(service->control);
    service_state_ready(service, true);
}

/* --- stop --- */

static void service_give_up(void *argument)
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

static void service_cancel_cycles(void *argument)
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
                   SERVICE_STOP_MS - SERVICE_STOP_SOON_MS, service_give_up, service);
}

/* The second signal does not wait for batches. */
static void service_on_stop_signal(void *argument)
{
    struct service *service = argument;
    if (service->stopping) {
        if (!service->cancelling)
            service_cancel_cycles(service);
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
                   service_cancel_cycles, service);
    service_stop_if_idle(service);
}

/* main() has held them back; other threads were started since and go on doing so. */
static void service_take_held_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

static void service_on_reload_signal(void *argument)
{
    reload_start(argument);
}

static void service_on_try_signal(void *argument)
{
    service_try_now(argument, NULL);
}

int service_run(struct service *service)
{
    struct executor *executor = service->context.executor;
    executor_on_signal(executor, SIGTERM, service_on_stop_signal, service);
    executor_on_signal(executor, SIGINT, service_on_stop_signal, service);
    executor_on_signal(executor, SIGHUP, service_on_reload_signal, service);
    executor_on_signal(executor, SIGUSR1, service_on_try_signal, service);
    service_take_held_signals();
    service_state_begin(service);
    service_restore(service);
    executor_run(executor);
    /* The turn in which the loop was stopped may have begun something. */
    while (service->stopping && !service->left_behind && !service_is_idle(service)) {
        service_stop_if_idle(service);
        executor_run(executor);
    }
    if (service->exit_status == 0) {
        const struct log_fields fields = {.message_id = MESSAGE_STOPPED};
        log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields, "exsyncd stopped");
    }
    return service->exit_status;
}

/* --- the end --- */

static void service_free_mailboxes(struct service *service)
{
    for (size_t i = 0; i < service->mailbox_count; i++) {
        scheduler_remove(&service->scheduler, &service->mailboxes[i]->incoming);
        scheduler_remove(&service->scheduler, &service->mailboxes[i]->outgoing);
        mailbox_free(service->mailboxes[i]);
    }
    memory_free(service->mailboxes);
    memory_free(service->by_config);
    struct profile *profile, *next;
    for (profile = TAILQ_FIRST(&service->scheduler.profiles); profile != NULL; profile = next) {
        next = TAILQ_NEXT(profile, entries);
        profile_release(profile);
    }
    if (service->configuration != NULL)
        configuration_release(service->configuration);
}

void service_free(struct service *service)
{
    struct context *context = &service->context;
    control_free(service->control);
    if (service->left_behind) { /* threads still use what would be freed: the process ends anyway */
        log_free(context->log);
        return;
    }
    if (service->loader != NULL && !executor_pool_free(service->loader, STOP_PATIENCE_MS)) {
        log_free(context->log); /* the configuration's files hang: as above */
        return;
    }
    /* The store first: its threads may be at work for a reload. */
    if (context->store != NULL)
        store_close(context->store);
    service->stopping = true;
    reload_end(service);
    if (!notifier_free(context->notifier, STOP_PATIENCE_MS)) {
        log_free(context->log); /* a program that tells an owner hangs: as above */
        return;
    }
    service_free_mailboxes(service);
    intake_free(service->intake);
    orphans_free(service->orphans);
    config_free(service->first_config);
    executor_cancel_timer(context->executor, &service->summary_timer);
    executor_cancel_timer(context->executor, &service->housekeeping_timer);
    executor_cancel_timer(context->executor, &service->clock_timer);
    executor_cancel_timer(context->executor, &service->stop_timer);
    executor_cancel_timer(context->executor, &service->idle_timer);
    scheduler_release(&service->scheduler);
    bool idle = service->files == NULL || executor_pool_free(service->files, STOP_PATIENCE_MS);
    idle = service_state_free(service, STOP_PATIENCE_MS) && idle;
    if (context->http != NULL)
        http_client_free(context->http);
    if (idle) {
        outbox_free(context->outbox);
        if (context->sinks != NULL)
            sinks_free(context->sinks);
        executor_free(context->executor);
    }
    sign_ins_free(context->sign_ins);
    pauses_free(service->pauses);
    disks_release(&service->disks);
    log_free(context->log);
    memory_free(service->config_path);
    memory_free(service);
}

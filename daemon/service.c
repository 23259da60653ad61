#include "daemon/service.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/outcome.h"
#include "daemon/service_private.h"
#include "daemon/sign_in.h"

#include <signal.h>
#include <sysexits.h>

enum {
    LOADER_THREADS = 1,
    STOP_PATIENCE_MS = 300, /* for threads at the end */
};

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

/* The new one knows neither what was delivered nor what an administrator has switched. */
static void service_warn_of_lost_database(const struct service *service)
{
    char used[CLOCK_LOCAL_SIZE];
    const struct log_fields fields = {.message_id = MESSAGE_DATABASE_LOST};
    int64_t used_ms = store_lost(service->context.store);
    if (used_ms == 0)
        return;
    clock_format_local(used_ms, used);
    log_write(service->context.log, LOG_PRIORITY_WARNING, &fields,
              "the database was gone, though exsyncd has used its folder before (started at %s), "
              "and is new: mail that came before now is not fetched unless process_email_from says "
              "so, and what was disabled or paused is not any more",
              used);
}

void service_started(struct service *service, const struct failure *failure)
{
    if (failure != NULL) {
        const struct log_fields fields = {.message_id = MESSAGE_STORAGE_FAILED,
                                          .code = failure->code};
        log_write(service->context.log, LOG_PRIORITY_CRITICAL, &fields,
                  "cannot start: %s (%s): %s%s%s",
                  failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
                  failure->remedy == NULL || *failure->remedy == '\0' ? "" : ". ",
                  failure->remedy == NULL ? "" : failure->remedy);
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
    service_warn_of_lost_database(service);
    service_begin_housekeeping(service);
    service_watch_clock(service);
    control_begin(service->control);
    service_state_ready(service, true);
}

/* --- the run --- */

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
    executor_on_signal(executor, SIGTERM, service_stop, service);
    executor_on_signal(executor, SIGINT, service_stop, service);
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

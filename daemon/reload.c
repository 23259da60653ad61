/* Taking a configuration into use, at the start and on reload.
 *
 * The store gives every mailbox its number; by it the new configuration's mailboxes find those that
 * run already, renamed ones too. All that follows is done in short turns of the loop while cycles
 * go on: each mailbox changes over by itself, at once or when its cycle ends, so nothing waits for
 * anything. */
#define _GNU_SOURCE /* qsort_r */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/reload_private.h"
#include "daemon/sign_in.h"
#include "daemon/switch.h"

#include <stdlib.h>
#include <string.h>

enum {
    TURN_MAILBOXES = 250, /* changed over in one turn of the loop */
    LATE_MS = 60 * 1000,
};

/* Since the first of those that were refused in a row. */
static void note_refusal(struct service *service, bool taken, const struct failure *failure)
{
    service->reload_failure = *failure;
    if (taken)
        service->reload_refused_ms = 0;
    else if (service->reload_refused_ms == 0)
        service->reload_refused_ms = clock_wall_ms();
}

static void reload_free(struct reload *reload)
{
    struct service *service = reload->service;
    service->reload = NULL;
    if (!reload->first && !service->stopping) {
        note_refusal(service, reload->taken, &reload->failure);
        service_state_ready(service, reload->taken);
    }
    config_free(reload->config);
    buffer_release(&reload->report);
    memory_free(reload->registrations);
    memory_free(reload->order);
    memory_free(reload->merged);
    memory_free(reload->by_config);
    for (size_t i = 0; i < reload->dropped_count; i++)
        mailbox_free(reload->dropped[i]);
    memory_free(reload->dropped);
    memory_free(reload);
    if (service->reload_again && !service->stopping) {
        service->reload_again = false;
        reload_start(service);
    }
}

static void reload_tell(struct reload *reload, bool taken, const struct failure *failure)
{
    reload->taken = taken;
    if (failure != NULL)
        reload->failure = *failure;
    const struct reload_result result = {taken, buffer_string(&reload->report), failure};
    struct reload_waiter *waiter;
    while ((waiter = LIST_FIRST(&reload->waiters)) != NULL) {
        LIST_REMOVE(waiter, entries);
        waiter->done(waiter, &result);
    }
}

/* --- taking into use --- */

/* What cannot change while the daemon runs. */
static void report_unchangeable(const struct reload *reload)
{
    const struct config *old = reload->service->configuration->config;
    const struct config *new = reload->configuration->config;
    const char *old_state = old->state_directory == NULL ? "" : old->state_directory;
    const char *new_state = new->state_directory == NULL ? "" : new->state_directory;
    const char *old_socket = old->control_socket == NULL ? "" : old->control_socket;
    const char *new_socket = new->control_socket == NULL ? "" : new->control_socket;
    const struct log_fields fields = {.message_id = MESSAGE_RELOADED};
    if (strcmp(old_state, new_state) != 0 || old->file_threads != new->file_threads ||
        strcmp(old_socket, new_socket) != 0)
        log_write(reload->service->context.log, LOG_PRIORITY_WARNING, &fields,
                  "a change of state_directory, control_socket or file_threads takes effect when "
                  "exsyncd is restarted");
}

static void reload_finish(struct reload *reload)
{
    struct service *service = reload->service;
    if (!reload->first)
        report_unchangeable(reload);
    memory_free(service->mailboxes);
    memory_free(service->by_config);
    service->mailboxes = reload->merged;
    service->mailbox_count = reload->merged_count;
    service->by_config = reload->by_config;
    reload->merged = reload->by_config = NULL;
    service_retire_profiles(service, reload->configuration->config);
    if (service->configuration != NULL)
        configuration_release(service->configuration);
    service->configuration = reload->configuration;
    log_set_level(service->context.log,
                  (enum log_priority)service->configuration->config->log_level);
    service_configure_outgoing(service);
    notifier_configure(service->context.notifier);
    switch_report_all(service);
    if (reload->first) {
        service_started(service, NULL);
    } else {
        const struct config *config = service->configuration->config;
        const struct log_fields fields = {.message_id = MESSAGE_RELOADED};
        log_write(service->context.log, LOG_PRIORITY_NOTICE, &fields,
                  "configuration reloaded: %zu %s on %zu %s%s", config->mailbox_count,
                  text_plural(config->mailbox_count, "mailbox", "mailboxes"), config->profile_count,
                  text_plural(config->profile_count, "profile", "profiles"),
                  config->uses_credentials ? "; a new password_credential is taken by a restart "
                                             "only, as systemd reads it when it starts exsyncd"
                                           : "");
    }
    reload_tell(reload, true, NULL);
    reload_free(reload);
}

static void reload_turn(void *argument)
{
    struct reload *reload = argument;
    for (size_t done = 0; done < TURN_MAILBOXES; done++) {
        if (!reload_step(reload)) {
            reload_finish(reload);
            return;
        }
    }
    executor_defer(reload->service->context.executor, &reload->turn, reload_turn, reload);
}

void reload_end(struct service *service)
{
    struct reload *reload = service->reload;
    if (reload == NULL)
        return;
    if (reload->configuration ==
        NULL) { /* still being read or registered: nothing is changed yet */
        reload_free(reload);
        return;
    }
    executor_cancel_call(service->context.executor, &reload->turn);
    while (reload_step(reload))
        continue;
    reload_finish(reload);
}

static int by_number(const void *a, const void *b, void *argument)
{
    const struct store_registration *registrations = argument;
    int64_t left = registrations[*(const size_t *)a].mailbox.number;
    int64_t right = registrations[*(const size_t *)b].mailbox.number;
    return (left > right) - (left < right);
}

static void reload_failed(struct reload *reload, const struct failure *failure)
{
    struct service *service = reload->service;
    if (reload->first) {
        service_started(service, failure);
    } else {
        const struct log_fields fields = {.message_id = MESSAGE_RELOAD_FAILED,
                                          .code = failure->code};
        log_write(service->context.log, LOG_PRIORITY_ERROR, &fields,
                  "the configuration was not reloaded, the one in use stays: %s (%s): %s. When "
                  "that is mended: exsyncctl reload",
                  failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
    }
    reload_tell(reload, false, failure);
    reload_free(reload);
}

/* At once, while this is the newest that the store knows: the mailboxes change over in later turns,
 * and an administrator may switch one in between. A renaming may have switched one off. */
static void recall_switches(const struct reload *reload)
{
    const struct service *service = reload->service;
    for (size_t i = 0; i < reload->config->mailbox_count && service->mailbox_count > 0; i++) {
        const struct store_registration *registration = &reload->registrations[i];
        struct mailbox *mailbox = service_mailbox_by_number(service, registration->mailbox.number);
        if (mailbox != NULL)
            switch_recall(mailbox, registration);
    }
}

static void reload_registered(void *argument, const struct failure *failure)
{
    struct reload *reload = argument;
    struct service *service = reload->service;
    if (failure != NULL) {
        reload_failed(reload, failure);
        return;
    }
    if (service->stopping) {
        reload_free(reload);
        return;
    }
    recall_switches(reload);
    size_t count = reload->config->mailbox_count;
    reload->order = memory_allocate_array(count, sizeof *reload->order);
    for (size_t i = 0; i < count; i++)
        reload->order[i] = i;
    qsort_r(reload->order, count, sizeof *reload->order, by_number, reload->registrations);
    reload->merged = memory_allocate_array(count + service->mailbox_count, sizeof *reload->merged);
    reload->by_config = memory_allocate_array(count, sizeof *reload->by_config);
    reload->dropped = memory_allocate_array(service->mailbox_count + 1, sizeof *reload->dropped);
    reload->configuration = configuration_create(reload->config);
    reload->config = NULL;
    service_take_profiles(service, reload->configuration);
    reload_turn(reload);
}

static void reload_register(struct reload *reload)
{
    const struct config *config = reload->config;
    reload->registrations =
        memory_allocate_array(config->mailbox_count, sizeof *reload->registrations);
    for (size_t i = 0; i < config->mailbox_count; i++) {
        const struct config_mailbox *mailbox = &config->mailboxes[i];
        reload->registrations[i].address = mailbox->address;
        reload->registrations[i].renamed_from =
            mailbox->rare == NULL ? NULL : mailbox->rare->renamed_from;
        reload->registrations[i].profile = mailbox->settings->profile->name;
        reload->registrations[i].incoming_off = !mailbox->settings->incoming;
        reload->registrations[i].outgoing_off = !mailbox->settings->outgoing;
    }
    store_register_mailboxes(reload->service->context.store, reload->registrations,
                             config->mailbox_count, clock_wall_ms(), reload_registered, reload);
}

static void reload_remembered(void *argument, const struct failure *failure)
{
    struct reload *reload = argument;
    if (failure != NULL)
        reload_failed(reload, failure);
    else if (reload->service->stopping)
        reload_free(reload);
    else
        reload_register(reload);
}

static void reload_sign_ins_loaded(void *argument, const struct failure *failure)
{
    struct reload *reload = argument;
    if (failure != NULL || reload->service->stopping)
        reload_remembered(reload, failure);
    else
        pauses_load(reload->service->pauses, reload_remembered, reload);
}

void reload_apply(struct service *service, struct config *config)
{
    struct reload *reload = memory_allocate(sizeof *reload);
    reload->service = service;
    reload->config = config;
    reload->first = true;
    service->reload = reload;
    sign_ins_load(service->context.sign_ins, reload_sign_ins_loaded, reload);
}

/* --- reading --- */

/* Every mistake is a line of its own in the journal. Not on the loop: they may be thousands. What
 * the catalog has to say about them is said once, by the message that follows. */
static void report_mistakes(const struct reload *reload)
{
    const char *line = buffer_string(&reload->report);
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        log_write(reload->service->context.log,
                  reload->config == NULL ? LOG_PRIORITY_ERROR : LOG_PRIORITY_WARNING, NULL, "%.*s",
                  (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void reload_work(void *argument)
{
    struct reload *reload = argument;
    reload->config = config_load(reload->service->config_path, &reload->report);
    report_mistakes(reload);
}

static void reload_done(void *argument)
{
    struct reload *reload = argument;
    struct service *service = reload->service;
    if (reload->config != NULL && !service->stopping) {
        reload_register(reload);
        return;
    }
    if (!service->stopping) {
        const struct log_fields fields = {.message_id = MESSAGE_RELOAD_FAILED};
        log_write(service->context.log, LOG_PRIORITY_ERROR, &fields,
                  "the configuration has mistakes; the one in use stays");
        reload_tell(reload, false, NULL);
    }
    reload_free(reload);
}

/* Who has asked until now is told of this one. */
static void take_waiters(struct reload *reload)
{
    struct reload_waiter *waiter;
    while ((waiter = LIST_FIRST(&reload->service->reload_waiters)) != NULL) {
        LIST_REMOVE(waiter, entries);
        LIST_INSERT_HEAD(&reload->waiters, waiter, entries);
    }
}

void reload_start(struct service *service)
{
    if (service->stopping)
        return;
    if (service->reload != NULL || service->first_config != NULL) {
        service->reload_again = true;
        return;
    }
    struct reload *reload = memory_allocate(sizeof *reload);
    reload->service = service;
    reload->began_ms = clock_wall_ms();
    service->reload = reload;
    service_state_reloading(service);
    take_waiters(reload);
    executor_pool_submit(service->loader, NULL, &reload->job, reload_work, reload_done, reload);
}

struct reload_wait reload_wait(const struct service *service)
{
    const struct reload *reload = service->reload;
    if (reload == NULL || reload->first)
        return (struct reload_wait){0};
    return (struct reload_wait){
        .since_ms = reload->began_ms,
        .late = clock_wall_ms() - reload->began_ms > LATE_MS,
        .what = reload->config == NULL && reload->configuration == NULL
                    ? "the files of the configuration"
                    : "the database",
    };
}

void reload_start_and_tell(struct service *service, struct reload_waiter *waiter)
{
    LIST_INSERT_HEAD(&service->reload_waiters, waiter, entries);
    reload_start(service);
}

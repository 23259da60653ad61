#include "daemon/service_state.h"

#include "base/text.h"
#include "daemon/service_manager.h"
#include "daemon/service_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    COUNTED_A_TURN = 500,
    LIFE_SIGNS = 3,         /* within the watchdog's time */
    START_SIGN_MS = 10000,  /* while it starts */
    START_HANGS_MS = 60000, /* a thread that is at one thing for so long while it starts */
};

/* --- how it is --- */

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, STATE_STATUS_SIZE - used, format, arguments);
    va_end(arguments);
}

static void append_due(char *text, int64_t due_ms)
{
    time_t seconds = (time_t)((due_ms + 500) / 1000);
    struct tm day;
    char time[sizeof "23:59:59"];
    localtime_r(&seconds, &day);
    strftime(time, sizeof time, "%H:%M:%S", &day);
    append(text, ", next cycle at %s", time);
}

/* Nothing is wrong with a configuration that the database has kept from coming into use. */
static const char *explains_refusal(const struct service *service)
{
    return failure_is_set(&service->reload_failure) ? "exsyncctl status" : "exsyncd --check-config";
}

/* Well, or not of interest, are those that are neither named. */
static void write_status(const struct service *service, char *text)
{
    static const enum health named[] = {HEALTH_STOPPED, HEALTH_FAILING, HEALTH_HELD, HEALTH_PAUSED,
                                        HEALTH_DISABLED};
    const struct service_state *state = &service->state;
    uint32_t running = service->scheduler.running;
    uint32_t all = 0;
    for (size_t i = 0; i < HEALTH_COUNT; i++)
        all += state->mailboxes[i];
    text[0] = '\0';
    append(text, "%" PRIu32 " %s", all, text_plural(all, "mailbox", "mailboxes"));
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (state->mailboxes[named[i]] > 0)
            append(text, ", %" PRIu32 " %s", state->mailboxes[named[i]], health_name(named[i]));
    }
    if (running > 0)
        append(text, ", %" PRIu32 " %s", running, text_plural(running, "cycle runs", "cycles run"));
    else if (state->due_ms != INT64_MAX)
        append_due(text, state->due_ms);
    if (service->reload_refused_ms != 0)
        append(text, "; the last reload was refused, see: %s", explains_refusal(service));
}

static void count_direction(struct service_state *state, const struct direction *direction)
{
    if (direction->state == DIRECTION_RUNNING)
        return;
    int64_t due_ms = status_next_due(direction);
    if (due_ms < state->due_ms)
        state->due_ms = due_ms;
}

static void make_status(void *argument);

static void status_made(struct service *service)
{
    struct service_state *state = &service->state;
    char status[STATE_STATUS_SIZE];
    write_status(service, status);
    if (strcmp(status, state->status) != 0) {
        memcpy(state->status, status, sizeof status);
        service_manager_tell(state->manager, SERVICE_MANAGER_STATUS, status);
    }
    executor_after(service->context.executor, &state->status_timer, STATE_STATUS_MS, make_status,
                   service);
}

/* A reload between two turns may put others in their places: the next status is right again. */
static void count_mailboxes(void *argument)
{
    struct service *service = argument;
    struct service_state *state = &service->state;
    size_t end = state->next + COUNTED_A_TURN;
    if (service->stopping)
        return;
    for (; state->next < service->mailbox_count && state->next < end; state->next++) {
        const struct mailbox *mailbox = service->mailboxes[state->next];
        if (mailbox->removed)
            continue;
        state->mailboxes[health_of(mailbox, &service->scheduler)]++;
        count_direction(state, &mailbox->incoming);
        count_direction(state, &mailbox->outgoing);
    }
    if (state->next < service->mailbox_count)
        executor_defer(service->context.executor, &state->count, count_mailboxes, service);
    else
        status_made(service);
}

static void make_status(void *argument)
{
    struct service *service = argument;
    struct service_state *state = &service->state;
    state->next = 0;
    state->due_ms = INT64_MAX;
    memset(state->mailboxes, 0, sizeof state->mailboxes);
    count_mailboxes(service);
}

static void tell(struct service *service, enum service_manager_news news, const char *status)
{
    snprintf(service->state.status, sizeof service->state.status, "%s", status);
    service_manager_tell(service->state.manager, news, status);
}

/* --- that it lives --- */

/* NULL: it does. Otherwise what has hung for longer than `most_ms`. */
static const char *what_hangs(const struct service *service, uint64_t most_ms)
{
    if (store_busy_ms(service->context.store) > most_ms)
        return "the database, whose disk does not answer";
    if (scheduler_overdue_ms(&service->scheduler) > most_ms)
        return "the schedule";
    return NULL;
}

static void log_life(struct service *service, const char *hangs, uint64_t most_ms)
{
    struct service_state *state = &service->state;
    if (hangs != NULL && !state->hangs)
        log_write(service->context.log, LOG_PRIORITY_ERROR, NULL,
                  "for more than %" PRIu64
                  " ms this has hung: %s; the service manager gets no sign "
                  "of life until it goes on, and ends exsyncd if that takes too long. A start "
                  "afterwards loses nothing",
                  most_ms, hangs);
    else if (hangs == NULL && state->hangs)
        log_write(service->context.log, LOG_PRIORITY_NOTICE, NULL,
                  "what had hung goes on; the service manager gets signs of life again");
    state->hangs = hangs != NULL;
}

static void show_life(void *argument)
{
    struct service *service = argument;
    struct service_state *state = &service->state;
    uint64_t watchdog_ms = service_manager_watchdog_ms(state->manager);
    if (state->ready && watchdog_ms == 0)
        return;
    uint64_t most_ms = state->ready ? watchdog_ms : START_HANGS_MS;
    const char *hangs = what_hangs(service, most_ms);
    log_life(service, hangs, most_ms);
    if (hangs == NULL)
        service_manager_tell(state->manager,
                             state->ready ? SERVICE_MANAGER_ALIVE : SERVICE_MANAGER_STARTING, NULL);
    executor_after(service->context.executor, &state->life_timer,
                   state->ready ? watchdog_ms / LIFE_SIGNS : START_SIGN_MS, show_life, service);
}

/* --- what the service does --- */

void service_state_create(struct service *service)
{
    struct service_state *state = &service->state;
    state->manager = service_manager_create(service->context.executor);
    state->progress =
        (struct store_progress){.tell = service_manager_tell_starting, .argument = state->manager};
}

bool service_state_free(struct service *service, uint64_t patience_ms)
{
    struct service_state *state = &service->state;
    executor_cancel_timer(service->context.executor, &state->life_timer);
    executor_cancel_timer(service->context.executor, &state->status_timer);
    executor_cancel_call(service->context.executor, &state->count);
    return service_manager_free(state->manager, patience_ms);
}

const struct store_progress *service_state_progress(struct service *service)
{
    return &service->state.progress;
}

void service_state_begin(struct service *service)
{
    if (service->state.manager != NULL)
        show_life(service);
}

void service_state_ready(struct service *service, bool taken)
{
    struct service_state *state = &service->state;
    if (state->manager == NULL)
        return;
    bool started = !state->ready;
    state->ready = true;
    char refused[STATE_STATUS_SIZE];
    snprintf(refused, sizeof refused,
             "the configuration was not reloaded, the one in use stays; see: %s",
             explains_refusal(service));
    tell(service, SERVICE_MANAGER_READY,
         started ? "started"
         : taken ? "the configuration was reloaded"
                 : refused);
    if (started)
        show_life(service);
    executor_after(service->context.executor, &state->status_timer, STATE_STATUS_MS, make_status,
                   service);
}

void service_state_reloading(struct service *service)
{
    struct service_state *state = &service->state;
    if (state->manager == NULL)
        return;
    executor_cancel_timer(service->context.executor, &state->status_timer);
    executor_cancel_call(service->context.executor, &state->count);
    tell(service, SERVICE_MANAGER_RELOADING, "reads its configuration again");
}

void service_state_stopping(struct service *service)
{
    struct service_state *state = &service->state;
    uint32_t running = service->scheduler.running;
    char status[STATE_STATUS_SIZE] = "stops";
    executor_cancel_timer(service->context.executor, &state->status_timer);
    executor_cancel_call(service->context.executor, &state->count);
    if (running > 0)
        snprintf(status, sizeof status, "stops: %" PRIu32 " %s", running,
                 text_plural(running, "cycle finishes what it has begun",
                             "cycles finish what they have begun"));
    tell(service, SERVICE_MANAGER_STOPPING, status);
}

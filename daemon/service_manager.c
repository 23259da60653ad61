#include "daemon/service_manager.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { STARTING_EVERY_MS = 10000 };

struct message {
    STAILQ_ENTRY(message) entries;
    enum service_manager_news news;
    struct buffer text;
};

struct service_manager {
    struct executor_pool *pool;
    struct executor_job job; /* sends the first one */
    bool sending;
    STAILQ_HEAD(, message) messages;
    uint64_t watchdog_ms;
    uint64_t starting_told_ms; /* monotonic; 0: never */
};

struct service_manager *service_manager_create(struct executor *executor)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    if (socket == NULL || socket[0] == '\0')
        return NULL;
    struct service_manager *manager = memory_allocate(sizeof *manager);
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        manager->watchdog_ms = watchdog_us / 1000;
    manager->pool = executor_pool_create(executor, "manager", 1);
    STAILQ_INIT(&manager->messages);
    return manager;
}

static void message_free(struct message *message)
{
    buffer_release(&message->text);
    memory_free(message);
}

bool service_manager_free(struct service_manager *manager, uint64_t patience_ms)
{
    if (manager == NULL)
        return true;
    if (!executor_pool_free(manager->pool, patience_ms))
        return false;
    struct message *message;
    while ((message = STAILQ_FIRST(&manager->messages)) != NULL) {
        STAILQ_REMOVE_HEAD(&manager->messages, entries);
        message_free(message);
    }
    memory_free(manager);
    return true;
}

uint64_t service_manager_watchdog_ms(const struct service_manager *manager)
{
    return manager == NULL ? 0 : manager->watchdog_ms;
}

/* --- what is sent --- */

static uint64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void write_extension(struct buffer *text, uint64_t silent_ms)
{
    buffer_append_format(text, "EXTEND_TIMEOUT_USEC=%" PRIu64 "000\n",
                         SERVICE_MANAGER_START_MS + silent_ms);
}

static void write_news(struct buffer *text, enum service_manager_news news)
{
    switch (news) {
    case SERVICE_MANAGER_STATUS:
        break;
    case SERVICE_MANAGER_STARTING:
        write_extension(text, 0);
        break;
    case SERVICE_MANAGER_READY:
        buffer_append_string(text, "READY=1\n");
        break;
    case SERVICE_MANAGER_RELOADING: /* newer ones (253) want to know that it is not an older one */
        buffer_append_format(text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", monotonic_us());
        break;
    case SERVICE_MANAGER_STOPPING:
        buffer_append_string(text, "STOPPING=1\n");
        break;
    case SERVICE_MANAGER_ALIVE:
        buffer_append_string(text, "WATCHDOG=1\n");
        break;
    }
}

static bool replaces_older(enum service_manager_news news)
{
    return news == SERVICE_MANAGER_STATUS || news == SERVICE_MANAGER_STARTING ||
           news == SERVICE_MANAGER_ALIVE;
}

/* --- off the loop, one after the other --- */

static void send_next(struct service_manager *manager);

/* The first of the queue stays where it is until it was sent. */
static void send_job(void *argument)
{
    const struct service_manager *manager = argument;
    sd_notify(0, STAILQ_FIRST(&manager->messages)->text.data);
}

static void sent(void *argument)
{
    struct service_manager *manager = argument;
    struct message *message = STAILQ_FIRST(&manager->messages);
    STAILQ_REMOVE_HEAD(&manager->messages, entries);
    message_free(message);
    manager->sending = false;
    send_next(manager);
}

static void send_next(struct service_manager *manager)
{
    if (manager->sending || STAILQ_EMPTY(&manager->messages))
        return;
    manager->sending = true;
    executor_pool_submit(manager->pool, NULL, &manager->job, send_job, sent, manager);
}

static void forget_older(struct service_manager *manager, enum service_manager_news news)
{
    struct message *message, *next;
    for (message = STAILQ_FIRST(&manager->messages); message != NULL; message = next) {
        next = STAILQ_NEXT(message, entries);
        bool under_way = manager->sending && message == STAILQ_FIRST(&manager->messages);
        if (message->news != news || under_way)
            continue;
        STAILQ_REMOVE(&manager->messages, message, message, entries);
        message_free(message);
    }
}

void service_manager_tell(struct service_manager *manager, enum service_manager_news news,
                          const char *status)
{
    if (manager == NULL)
        return;
    if (replaces_older(news))
        forget_older(manager, news);
    struct message *message = memory_allocate(sizeof *message);
    message->news = news;
    write_news(&message->text, news);
    if (status != NULL)
        buffer_append_format(&message->text, "STATUS=%s\n", status);
    STAILQ_INSERT_TAIL(&manager->messages, message, entries);
    send_next(manager);
}

void service_manager_tell_starting(void *argument, uint64_t silent_ms)
{
    struct service_manager *manager = argument;
    uint64_t now = clock_monotonic_ms();
    if (manager == NULL || (silent_ms == 0 && manager->starting_told_ms != 0 &&
                            now - manager->starting_told_ms < STARTING_EVERY_MS))
        return;
    manager->starting_told_ms = now;
    struct buffer text = {0};
    write_extension(&text, silent_ms);
    buffer_append_string(&text, "STATUS=starting: the database is brought to this version");
    sd_notify(0, buffer_string(&text));
    buffer_release(&text);
}

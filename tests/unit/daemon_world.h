/* For the daemon's tests: what lies below a cycle, replaced. What was asked answers one question at
 * a time, when the test says so, in the order of asking; what was logged is counted; there is no
 * server. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_WORLD_H
#define EXSYNC_TESTS_DAEMON_WORLD_H

#include "base/executor.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/config.h"
#include "daemon/cycle.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/profile.h"
#include "ews/ews.h"
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- answers that are still to come --- */

struct answer {
    void (*run)(void *answer);
    struct answer *next;
};

static struct answer *first_answer;

/* `answer` is the first member of a struct made by memory_allocate, which `run` frees. */
static inline void answer_later(struct answer *answer, void (*run)(void *answer))
{
    struct answer **end = &first_answer;
    while (*end != NULL)
        end = &(*end)->next;
    answer->run = run;
    answer->next = NULL;
    *end = answer;
}

static inline void answer_withdraw(struct answer *answer)
{
    struct answer **place = &first_answer;
    while (*place != NULL && *place != answer)
        place = &(*place)->next;
    if (*place != NULL)
        *place = answer->next;
}

static unsigned cancelled_operations;

/* Each test's struct backend_operation begins with the answer that is to come. */
void backend_cancel(struct backend_operation *operation)
{
    struct answer *answer = (struct answer *)operation;
    cancelled_operations++;
    answer_withdraw(answer);
    memory_free(answer);
}

/* While set, the store does not answer. */
static bool store_slow;

static void store_answer_run(void *answer);

/* False when nothing is left to answer. */
static inline bool answer_next(void)
{
    struct answer **place = &first_answer;
    while (*place != NULL && store_slow && (*place)->run == store_answer_run)
        place = &(*place)->next;
    struct answer *answer = *place;
    if (answer == NULL)
        return false;
    *place = answer->next;
    answer->run(answer);
    return true;
}

static inline void answer_all(void)
{
    while (answer_next())
        continue;
}

/* --- owners: nobody is told --- */

static unsigned owners_woken;

void notifier_wake(struct notifier *notifier, const char *profile)
{
    assert_null(notifier);
    assert_string_equal(profile, "contoso");
    owners_woken++;
}

void notifier_wake_if_well(struct notifier *notifier, const char *profile)
{
    assert_null(notifier);
    assert_string_equal(profile, "contoso");
}

/* --- the store's answers --- */

struct store_answer {
    struct answer answer;
    store_done *done;
    void *argument;
    struct failure failure;
};

static void store_answer_run(void *answer)
{
    struct store_answer *store = answer;
    if (store->done != NULL)
        store->done(store->argument, failure_is_set(&store->failure) ? &store->failure : NULL);
    memory_free(store);
}

/* The store's answer; `failure` may be NULL or not set. */
static inline void store_answer_later(store_done *done, void *argument,
                                      const struct failure *failure)
{
    struct store_answer *store = memory_allocate(sizeof *store);
    store->done = done;
    store->argument = argument;
    if (failure != NULL)
        store->failure = *failure;
    answer_later(&store->answer, store_answer_run);
}

/* --- the log --- */

enum { LOGGED_MAX = 64 };

static struct {
    const char *message_id;
    unsigned count;
} logged[LOGGED_MAX];

static inline unsigned logged_count(const char *message_id)
{
    for (size_t i = 0; i < LOGGED_MAX && logged[i].message_id != NULL; i++) {
        if (strcmp(logged[i].message_id, message_id) == 0)
            return logged[i].count;
    }
    return 0;
}

static inline void logged_forget(void)
{
    memset(logged, 0, sizeof logged);
}

int log_enabled(const struct log *log, enum log_priority priority)
{
    (void)log, (void)priority;
    return 1;
}

void log_write(struct log *log, enum log_priority priority, const struct log_fields *fields,
               const char *format, ...)
{
    if (fields == NULL || fields->message_id == NULL)
        return; /* single items, for debugging */
    (void)log, (void)priority;
    char line[LOG_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    assert_true(vsnprintf(line, sizeof line, format, arguments) > 0);
    va_end(arguments);
    size_t place = 0;
    while (logged[place].message_id != NULL &&
           strcmp(logged[place].message_id, fields->message_id) != 0)
        place++;
    assert_true(place < LOGGED_MAX - 1);
    logged[place].message_id = fields->message_id;
    logged[place].count++;
}

/* --- the server's front door --- */

static uint32_t pool_budget = 10;

struct http_pool *http_pool_create(struct http_client *client,
                                   const struct http_pool_settings *settings)
{
    (void)client, (void)settings;
    return NULL;
}

void http_pool_free(struct http_pool *pool)
{
    (void)pool;
}

void http_pool_set_budget(struct http_pool *pool, uint32_t requests)
{
    (void)pool;
    pool_budget = requests;
}

uint32_t http_pool_budget(const struct http_pool *pool)
{
    (void)pool;
    return pool_budget;
}

struct backend *ews_create(struct executor *executor, const struct ews_settings *settings,
                           struct http_pool *pool)
{
    (void)executor, (void)settings, (void)pool;
    return NULL;
}

void ews_free(struct backend *backend)
{
    (void)backend;
}

#endif

#include "delays.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct delay {
    struct delay *next;
    struct timespec due; /* monotonic */
    delays_callback *callback;
    void *context;
};

struct delays {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t idle; /* nothing waits, no callback runs */
    pthread_t thread;
    struct delay *list; /* the next one due first */
    bool is_calling;
    bool is_ending;
};

static bool is_before(const struct timespec *left, const struct timespec *right)
{
    return left->tv_sec != right->tv_sec ? left->tv_sec < right->tv_sec
                                         : left->tv_nsec < right->tv_nsec;
}

/* Waits for the first delay or a change; the lock is held before and afterwards. */
static void wait_for_first(struct delays *delays)
{
    if (delays->list == NULL)
        pthread_cond_wait(&delays->changed, &delays->lock);
    else
        pthread_cond_timedwait(
            &delays->changed, &delays->lock,
            &(struct timespec){delays->list->due.tv_sec, delays->list->due.tv_nsec});
}

static void *run(void *context)
{
    struct delays *delays = context;
    pthread_mutex_lock(&delays->lock);
    while (!delays->is_ending || delays->list != NULL) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        struct delay *first = delays->list;
        if (first == NULL || (!delays->is_ending && is_before(&now, &first->due))) {
            wait_for_first(delays);
            continue;
        }
        delays->list = first->next;
        delays->is_calling = true;
        pthread_mutex_unlock(&delays->lock);
        first->callback(first->context);
        memory_free(first);
        pthread_mutex_lock(&delays->lock);
        delays->is_calling = false;
        if (delays->list == NULL)
            pthread_cond_broadcast(&delays->idle);
    }
    pthread_mutex_unlock(&delays->lock);
    return NULL;
}

struct delays *delays_create(void)
{
    struct delays *delays = memory_allocate(sizeof *delays);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&delays->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&delays->idle, NULL);
    pthread_mutex_init(&delays->lock, NULL);
    pthread_create(&delays->thread, NULL, run, delays);
    return delays;
}

void delays_add(struct delays *delays, unsigned ms, delays_callback *callback, void *context)
{
    struct delay *delay = memory_allocate(sizeof *delay);
    clock_gettime(CLOCK_MONOTONIC, &delay->due);
    delay->due.tv_sec += ms / 1000;
    delay->due.tv_nsec += (long)(ms % 1000) * 1000000;
    if (delay->due.tv_nsec >= 1000000000) {
        delay->due.tv_sec++;
        delay->due.tv_nsec -= 1000000000;
    }
    delay->callback = callback;
    delay->context = context;
    pthread_mutex_lock(&delays->lock);
    struct delay **at = &delays->list;
    while (*at != NULL && !is_before(&delay->due, &(*at)->due))
        at = &(*at)->next;
    delay->next = *at;
    *at = delay;
    pthread_cond_signal(&delays->changed);
    pthread_mutex_unlock(&delays->lock);
}

void delays_flush(struct delays *delays)
{
    pthread_mutex_lock(&delays->lock);
    for (struct delay *delay = delays->list; delay != NULL; delay = delay->next)
        delay->due = (struct timespec){0};
    pthread_cond_signal(&delays->changed);
    while (delays->list != NULL || delays->is_calling)
        pthread_cond_wait(&delays->idle, &delays->lock);
    pthread_mutex_unlock(&delays->lock);
}

void delays_free(struct delays *delays)
{
    pthread_mutex_lock(&delays->lock);
    delays->is_ending = true;
    pthread_cond_signal(&delays->changed);
    pthread_mutex_unlock(&delays->lock);
    pthread_join(delays->thread, NULL);
    pthread_cond_destroy(&delays->changed);
    pthread_cond_destroy(&delays->idle);
    pthread_mutex_destroy(&delays->lock);
    memory_free(delays);
}

#define _GNU_SOURCE /* pthread_setname_np */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *argument), void *argument)
{
    /* What a thread brings upon itself must still end the process at the place where it happened.
     */
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&blocked, own[i]);

    /* A new thread inherits the mask, so there is no moment in which it takes signals. */
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int result = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return result;
    char shortened[16];
    snprintf(shortened, sizeof shortened, "%.15s", name);
    pthread_setname_np(*thread, shortened);
    return 0;
}

void thread_condition_create(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ms)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ms / 1000),
        .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
    };
    return pthread_cond_timedwait(condition, mutex, &deadline);
}

/* Threads of our own, started in one way. For base/ and for those who must have a thread that no
 * pool can give them. */
#ifndef EXSYNC_BASE_THREAD_H
#define EXSYNC_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Starts a joinable thread, called `name` (its first 15 bytes) in ps and gdb, in which signals for
 * the process are blocked: they belong to the loop, and no system call here ends with EINTR; nor
 * does a closed pipe kill us. Returns 0 or an errno. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *argument), void *argument);

/* A condition whose waits are timed by the monotonic clock. */
void thread_condition_create(pthread_cond_t *condition);

/* Waits until `deadline_ms` of clock_monotonic_ms at most, the mutex held. Returns 0 when woken
 * (also for no reason: check what you wait for) and ETIMEDOUT at the deadline. */
int thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ms);

#endif

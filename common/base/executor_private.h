/* What the executor's own files share. */
#ifndef EXSYNC_BASE_EXECUTOR_PRIVATE_H
#define EXSYNC_BASE_EXECUTOR_PRIVATE_H

#include "base/executor.h"
#include "base/executor_uv.h"

#include <pthread.h>

TAILQ_HEAD(executor_calls, executor_call);

struct executor_signal {
    uv_signal_t handle;
    struct executor *executor;
    void (*callback)(void *argument);
    void *argument;
    SLIST_ENTRY(executor_signal) entries;
};

struct executor {
    uv_loop_t loop;
    bool running;
    /* The callback that runs now, for the name of one that holds the loop too long. */
    void (*current)(void *argument);

    /* All timers hang on one libuv timer that is set to the earliest of them. */
    uv_timer_t clock;
    struct heap timers;
    uint64_t armed_for; /* the key that `clock` waits for; 0 while it waits for none */
    bool firing;

    /* Deferred calls; the idle handle keeps the loop from sleeping while there are some. */
    uv_idle_t idle;
    struct executor_calls deferred;

    uv_async_t wake;
    pthread_mutex_t mutex; /* guards `posted` and what is in it */
    struct executor_calls posted;

    SLIST_HEAD(executor_signals, executor_signal) signals;
};

/* Takes a posted call back that has not run. On the loop's thread. */
void executor_unpost(struct executor *executor, struct executor_call *call);

struct executor_socket;

/* The connection that waits at the server; NULL when it is gone already. */
struct executor_socket *executor_socket_accept(struct executor *executor, uv_stream_t *server);

/* executor_measure_end that names the callback by its place in the program. */
void executor_measure_end_callback(const struct executor_measure *measure, const char *kind,
                                   void (*callback)(void *argument));

#endif

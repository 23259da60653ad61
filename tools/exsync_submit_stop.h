/* SIGHUP, SIGINT, SIGQUIT and SIGTERM, asked for instead of handled: while they are blocked nothing
 * of ours is interrupted half-way, and one that came is seen between two steps, so that the file
 * begun can be taken away first. Signals that the caller has ignored stay ignored. */
#ifndef EXSYNC_SUBMIT_STOP_H
#define EXSYNC_SUBMIT_STOP_H

#include <signal.h>
#include <stdbool.h>

struct submit_stop {
    sigset_t signals; /* that are waited for */
    sigset_t before;  /* the mask before */
    int descriptor;   /* signalfd(2) */
    int signal;       /* that came; 0: none */
};

/* Returns 0 or an errno. Also ignores SIGPIPE and SIGXFSZ: what they tell comes as an error. */
int submit_stop_begin(struct submit_stop *stop);

/* Waits until `descriptor` can be read, or until a signal has come. */
void submit_stop_wait_input(struct submit_stop *stop, int descriptor);

/* Whether a signal has come. */
bool submit_stop_asked(struct submit_stop *stop);

/* Ends the process by the signal that has come, as if it had never been blocked. */
_Noreturn void submit_stop_follow(const struct submit_stop *stop);

#endif

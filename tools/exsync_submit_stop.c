#include "tools/exsync_submit_stop.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void add_unless_ignored(sigset_t *signals, int signal)
{
    struct sigaction action;
    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(signals, signal);
}

int submit_stop_begin(struct submit_stop *stop)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    memset(stop, 0, sizeof *stop);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    sigemptyset(&stop->signals);
    add_unless_ignored(&stop->signals, SIGHUP);
    add_unless_ignored(&stop->signals, SIGINT);
    add_unless_ignored(&stop->signals, SIGQUIT);
    add_unless_ignored(&stop->signals, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &stop->signals, &stop->before) != 0)
        return errno;
    stop->descriptor = signalfd(-1, &stop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return stop->descriptor < 0 ? errno : 0;
}

void submit_stop_wait_input(struct submit_stop *stop, int descriptor)
{
    struct pollfd polled[] = {
        {.fd = descriptor, .events = POLLIN},
        {.fd = stop->descriptor, .events = POLLIN},
    };
    while (poll(polled, 2, -1) < 0 && errno == EINTR)
        ;
}

bool submit_stop_asked(struct submit_stop *stop)
{
    struct signalfd_siginfo came;
    if (stop->signal == 0 && read(stop->descriptor, &came, sizeof came) == sizeof came)
        stop->signal = (int)came.ssi_signo;
    return stop->signal != 0;
}

void submit_stop_follow(const struct submit_stop *stop)
{
    sigset_t signals;
    signal(stop->signal, SIG_DFL);
    raise(stop->signal);
    sigemptyset(&signals);
    sigaddset(&signals, stop->signal);
    sigprocmask(SIG_UNBLOCK, &signals, NULL); /* it ends here */
    _exit(128 + stop->signal);
}

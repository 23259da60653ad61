/* A program that runs: started, served by its two pipes, and taken away when it has ended. Every
 * process that was spawned must be reaped. Private to notify/. */
#ifndef EXSYNC_NOTIFY_COMMAND_PROCESS_H
#define EXSYNC_NOTIFY_COMMAND_PROCESS_H

#include "base/failure.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { COMMAND_TAIL_SIZE = 2048 };

struct command_process {
    pid_t pid;
    const char *input; /* what is still to be written */
    size_t input_length;
    int to_program;               /* its standard input; -1: closed */
    int from_program;             /* its standard error; -1: closed */
    char tail[COMMAND_TAIL_SIZE]; /* the last that came from there */
    size_t tail_length;
};

/* `input` must stay valid until the process is reaped. False, with the failure, when the program
 * cannot be started; nothing is then left of it. */
bool command_process_spawn(struct command_process *process, char *const *argv,
                           char *const *environment, const char *input, struct failure *failure);

/* Moves bytes to and from the program, waiting for it a short time at most. */
void command_process_serve(struct command_process *process);

/* Whether the program has ended; it is not reaped by that, so that its group stays its own. */
bool command_process_ended(const struct command_process *process);

/* To the program and all of its group. */
void command_process_signal(const struct command_process *process, int signal_number);

/* After the program has ended: closes the pipes, takes it away, and says what came of it (no
 * failure when it exited with 0). `late`: it was told to end. */
struct failure command_process_reap(struct command_process *process, bool late);

#endif

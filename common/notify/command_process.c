#define _GNU_SOURCE /* pipe2, posix_spawn_file_actions_addclosefrom_np, sigabbrev_np */
#include "notify/command_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_EVERY_MS = 50,
    /* What is read after the program's end: it may have left somebody who goes on writing. */
    LAST_READS = 64,
    FIRST_FREE_DESCRIPTOR = 3,
};

#define AGAIN " exsyncd tries again by itself."

/* --- the start --- */

struct pipes {
    int input[2], output[2]; /* each: to read from, to write to */
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void close_pipes(struct pipes *pipes)
{
    for (size_t i = 0; i < 2; i++) {
        close_descriptor(&pipes->input[i]);
        close_descriptor(&pipes->output[i]);
    }
}

/* The program's own three are laid over 0, 1 and 2; ours must not lie there. */
static bool move_up(int *descriptor)
{
    if (*descriptor >= FIRST_FREE_DESCRIPTOR)
        return true;
    int moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, FIRST_FREE_DESCRIPTOR);
    if (moved < 0)
        return false;
    close(*descriptor);
    *descriptor = moved;
    return true;
}

static bool open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){.input = {-1, -1}, .output = {-1, -1}};
    bool good = pipe2(pipes->input, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0;
    for (size_t i = 0; i < 2 && good; i++)
        good = move_up(&pipes->input[i]) && move_up(&pipes->output[i]);
    /* Our ends do not wait; the program's are what it expects. */
    good = good && fcntl(pipes->input[1], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) == 0;
    int error = errno;
    if (!good)
        close_pipes(pipes);
    errno = error;
    return good;
}

static int set_files(posix_spawn_file_actions_t *actions, const struct pipes *pipes)
{
    int error = posix_spawn_file_actions_adddup2(actions, pipes->input[0], STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, pipes->output[1], STDERR_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_DESCRIPTOR);
    if (error == 0)
        error = posix_spawn_file_actions_addchdir_np(actions, "/");
    return error;
}

/* The threads of a pool block signals, and the daemon ignores some. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setpgroup(attributes, 0);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *pid, char *const *argv, char *const *environment, const struct pipes *pipes)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_files(&actions, pipes);
        if (error == 0)
            error = set_signals(&attributes);
        if (error == 0)
            error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* What waiting may mend is this machine's; the rest is the file's. */
static struct failure not_started(int error, const char *path)
{
    bool machine = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
    struct failure failure = failure_from_errno(FAILURE_SCOPE_PROFILE, "command", error, path);
    failure.category = machine ? FAILURE_SERVER : FAILURE_CONFIGURATION;
    failure.permanent = !machine;
    failure.sentence = machine ? "The program of notify_command could not be started for now."
                               : "The program of notify_command cannot be executed.";
    failure.remedy =
        machine ? "Free memory, processes or file descriptors on this machine." AGAIN
                : "Check that the file exists, that the service may execute it, and that a script "
                  "begins with #! and the path of its interpreter." AGAIN;
    return failure;
}

bool command_process_spawn(struct command_process *process, char *const *argv,
                           char *const *environment, const char *input, struct failure *failure)
{
    struct pipes pipes;
    *process = (struct command_process){.input = input, .input_length = strlen(input)};
    if (!open_pipes(&pipes)) {
        *failure = not_started(errno, argv[0]);
        return false;
    }
    int error = spawn(&process->pid, argv, environment, &pipes);
    if (error != 0) {
        close_pipes(&pipes);
        *failure = not_started(error, argv[0]);
        return false;
    }
    process->to_program = pipes.input[1];
    process->from_program = pipes.output[0];
    close_descriptor(&pipes.input[0]);
    close_descriptor(&pipes.output[1]);
    return true;
}

/* --- while it runs --- */

/* A program that has closed its input has read as much as it wants; the signal that a pipe without
 * a reader sends is blocked in the threads of a pool. */
static void write_some(struct command_process *process)
{
    while (process->to_program >= 0 && process->input_length > 0) {
        ssize_t count = write(process->to_program, process->input, process->input_length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            break;
        process->input += count;
        process->input_length -= (size_t)count;
    }
    close_descriptor(&process->to_program);
}

static void keep(struct command_process *process, const char *bytes, size_t length)
{
    size_t room = sizeof process->tail - process->tail_length;
    if (length > room) {
        size_t gone = length - room;
        memmove(process->tail, process->tail + gone, process->tail_length - gone);
        process->tail_length -= gone;
    }
    memcpy(process->tail + process->tail_length, bytes, length);
    process->tail_length += length;
}

/* False when there is nothing more at the moment, or for good. */
static bool read_some(struct command_process *process)
{
    char bytes[COMMAND_TAIL_SIZE];
    if (process->from_program < 0)
        return false;
    ssize_t count = read(process->from_program, bytes, sizeof bytes);
    if (count > 0)
        keep(process, bytes, (size_t)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        close_descriptor(&process->from_program);
    return count > 0;
}

void command_process_serve(struct command_process *process)
{
    struct pollfd pipes[] = {
        {.fd = process->to_program, .events = POLLOUT},
        {.fd = process->from_program, .events = POLLIN},
    };
    poll(pipes, 2, LOOK_EVERY_MS);
    if (pipes[0].revents != 0)
        write_some(process);
    if (pipes[1].revents != 0)
        read_some(process);
}

bool command_process_ended(const struct command_process *process)
{
    siginfo_t information = {0};
    int result;
    do
        result = waitid(P_PID, (id_t)process->pid, &information, WEXITED | WNOHANG | WNOWAIT);
    while (result != 0 && errno == EINTR);
    return result != 0 || information.si_pid == process->pid;
}

void command_process_signal(const struct command_process *process, int signal_number)
{
    kill(-process->pid, signal_number);
}

/* --- the end --- */

/* The last line that is not empty; its beginning may be cut off. */
static void set_last_line(const struct command_process *process, struct failure *failure)
{
    size_t end = process->tail_length;
    while (end > 0 && strchr(" \t\r\n", process->tail[end - 1]) != NULL)
        end--;
    size_t begin = end;
    while (begin > 0 && process->tail[begin - 1] != '\n')
        begin--;
    failure_set_text(failure, process->tail + begin, end - begin);
}

static void set_signal_code(struct failure *failure, int signal_number)
{
    char code[FAILURE_CODE_SIZE];
    const char *name = sigabbrev_np(signal_number);
    snprintf(code, sizeof code, "SIG%s", name == NULL ? "?" : name);
    failure_set_code(failure, code);
}

static struct failure describe(const struct command_process *process, int status, bool late)
{
    struct failure failure = {
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_PROFILE,
        .sentence = "The program of notify_command ended with an error.",
        .remedy = "See what it says, run it by hand, and put it right." AGAIN,
    };
    char code[FAILURE_CODE_SIZE];
    failure_set_step(&failure, "command");
    set_last_line(process, &failure);
    if (late) {
        failure.sentence = "The program of notify_command took too long and was ended.";
        failure.remedy = "Find out what it waits for." AGAIN;
        failure_set_code(&failure, "time limit");
    } else if (WIFSIGNALED(status)) {
        failure.sentence = "The program of notify_command was ended by a signal.";
        set_signal_code(&failure, WTERMSIG(status));
    } else {
        snprintf(code, sizeof code, "exit %d", WEXITSTATUS(status));
        failure_set_code(&failure, code);
    }
    if (failure.text[0] == '\0')
        failure_format_text(&failure, "it wrote nothing to standard error");
    return failure;
}

struct failure command_process_reap(struct command_process *process, bool late)
{
    struct failure failure = {0};
    int status = 0;
    for (int i = 0; i < LAST_READS && read_some(process); i++)
        ;
    close_descriptor(&process->to_program);
    close_descriptor(&process->from_program);
    pid_t reaped;
    do
        reaped = waitpid(process->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    if (late || reaped < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        failure = describe(process, status, late);
    /* Somebody else took it, or SIGCHLD is ignored. */
    if (reaped < 0 && !late)
        failure_set_code(&failure, "exit unknown");
    return failure;
}

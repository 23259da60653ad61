#include "notify/command.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "notify/command_process.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct command_run {
    struct executor_job job;
    char **argv;
    char *environment[2]; /* PATH=..., NULL */
    char *input;
    uint64_t time_limit_ms;
    atomic_bool cancelled;
    struct failure failure;
    command_done *done;
    void *argument;
};

/* --- in the job --- */

/* Sees the program through to its end; it is told to end when its time is over. */
static void see_through(struct command_run *run, struct command_process *process)
{
    uint64_t begun = clock_monotonic_ms(), ending = 0;
    while (!command_process_ended(process)) {
        command_process_serve(process);
        uint64_t now = clock_monotonic_ms();
        if (ending == 0 && (run->cancelled || now - begun >= run->time_limit_ms)) {
            ending = now;
            command_process_signal(process, SIGTERM);
        } else if (ending != 0 && now - ending >= COMMAND_TERM_PATIENCE_MS) {
            command_process_signal(process, SIGKILL);
        }
    }
    /* What ignores SIGTERM in the group must not outlive its program. */
    if (ending != 0)
        command_process_signal(process, SIGKILL);
    run->failure = command_process_reap(process, ending != 0);
}

static void work(void *argument)
{
    struct command_run *run = argument;
    struct command_process process;
    if (run->cancelled)
        return;
    if (command_process_spawn(&process, run->argv, run->environment, run->input, &run->failure))
        see_through(run, &process);
}

/* --- on the loop --- */

static void release(struct command_run *run)
{
    for (char **word = run->argv; *word != NULL; word++)
        memory_free(*word);
    memory_free(run->argv);
    memory_free(run->environment[0]);
    memory_free(run->input);
    memory_free(run);
}

static void finish(void *argument)
{
    struct command_run *run = argument;
    if (!run->cancelled)
        run->done(run->argument, failure_is_set(&run->failure) ? &run->failure : NULL);
    release(run);
}

static char **copy_words(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    char **copy = memory_allocate_array(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = memory_copy_string(words[i]);
    return copy;
}

static char *copy_path(void)
{
    static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    struct buffer text = {0};
    const char *path = getenv("PATH");
    buffer_append_format(&text, "PATH=%s", path == NULL ? usual : path);
    return buffer_take(&text);
}

struct command_run *command_start(struct executor *executor, struct executor_pool *pool,
                                  const char *const *argv, const char *input,
                                  uint64_t time_limit_ms, command_done *done, void *argument)
{
    struct command_run *run = memory_allocate(sizeof *run);
    (void)executor; /* the pool's */
    run->argv = copy_words(argv);
    run->environment[0] = copy_path();
    run->input = memory_copy_string(input);
    run->time_limit_ms = time_limit_ms;
    atomic_init(&run->cancelled, false);
    run->done = done;
    run->argument = argument;
    executor_pool_submit(pool, NULL, &run->job, work, finish, run);
    return run;
}

void command_cancel(struct command_run *run)
{
    run->cancelled = true;
}

#define _GNU_SOURCE /* RUSAGE_THREAD, dladdr */
#include "base/executor_private.h"

#ifdef EXSYNC_MEASURE_LOOP

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t measure_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static long measure_voluntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

/* 0 where the kernel does not tell. Source: the kernel's scheduler/sched-stats.rst. */
static uint64_t measure_queued_ns(void)
{
    char text[96];
    uint64_t queued_ns = 0;
    int file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return sscanf(text, "%*u %" SCNu64, &queued_ns) == 1 ? queued_ns : 0;
}

void executor_measure_begin(struct executor_measure *measure)
{
    measure->queued_ns = measure_queued_ns();
    measure->voluntary_switches = measure_voluntary_switches();
    measure->cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    measure->wall_ns = measure_clock_ns(CLOCK_MONOTONIC);
}

/* How long the loop was held, in ms; 0 when that is nothing to report. Time passed is not enough:
 * on a busy machine other processes take it, and the time in which the thread could run but had no
 * processor does not count. Besides, either the callback computed that long itself, or it gave the
 * processor up of its own accord, which is what waiting in the kernel looks like. */
static uint64_t measure_held_ms(const struct executor_measure *measure)
{
    static const uint64_t limit_ns = (uint64_t)EXECUTOR_CALLBACK_LIMIT_MS * 1000000;
    uint64_t wall_ns = measure_clock_ns(CLOCK_MONOTONIC) - measure->wall_ns;
    if (wall_ns <= limit_ns)
        return 0;
    uint64_t queued_ns = measure_queued_ns() - measure->queued_ns;
    wall_ns -= queued_ns < wall_ns ? queued_ns : wall_ns;
    if (wall_ns <= limit_ns)
        return 0;
    uint64_t cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID) - measure->cpu_ns;
    if (cpu_ns <= limit_ns && measure_voluntary_switches() == measure->voluntary_switches)
        return 0;
    return wall_ns / 1000000;
}

static void measure_report(const char *what, uint64_t held_ms)
{
    fprintf(stderr, "loop blocked: %s held the loop %llu ms\n", what, (unsigned long long)held_ms);
}

void executor_measure_end(const struct executor_measure *measure, const char *what)
{
    uint64_t held_ms = measure_held_ms(measure);
    if (held_ms > 0)
        measure_report(what, held_ms);
}

void executor_measure_end_callback(const struct executor_measure *measure, const char *kind,
                                   void (*callback)(void *argument))
{
    uint64_t held_ms = measure_held_ms(measure);
    if (held_ms == 0)
        return;
    /* Static functions have no name at run time; the offset in the file leads addr2line to them. */
    char what[160];
    Dl_info place;
    if (dladdr((void *)(uintptr_t)callback, &place) != 0 && place.dli_fname != NULL) {
        const char *slash = strrchr(place.dli_fname, '/');
        snprintf(what, sizeof what, "%s (%s+0x%llx)", kind,
                 slash != NULL ? slash + 1 : place.dli_fname,
                 (unsigned long long)((uintptr_t)callback - (uintptr_t)place.dli_fbase));
    } else {
        snprintf(what, sizeof what, "%s", kind);
    }
    measure_report(what, held_ms);
}

#else

void executor_measure_begin(struct executor_measure *measure)
{
    *measure = (struct executor_measure){0};
}

void executor_measure_end(const struct executor_measure *measure, const char *what)
{
    (void)measure;
    (void)what;
}

void executor_measure_end_callback(const struct executor_measure *measure, const char *kind,
                                   void (*callback)(void *argument))
{
    (void)measure;
    (void)kind;
    (void)callback;
}

#endif

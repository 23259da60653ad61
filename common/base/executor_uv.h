/* For http/ alone: libcurl's sockets must be watched on the same libuv loop. */
#ifndef EXSYNC_BASE_EXECUTOR_UV_H
#define EXSYNC_BASE_EXECUTOR_UV_H

#include "base/executor.h"

#include <uv.h>

uv_loop_t *executor_uv_loop(struct executor *executor);

/* Brackets a callback that libuv runs without the executor's help, so that it is measured as well.
 */
struct executor_measure {
    uint64_t wall_ns;
    uint64_t cpu_ns;
    long voluntary_switches;
    uint64_t queued_ns; /* that the thread has waited for a processor */
};
void executor_measure_begin(struct executor_measure *measure);
void executor_measure_end(const struct executor_measure *measure, const char *what);

#endif

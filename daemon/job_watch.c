#include "daemon/job_watch.h"

#include <stddef.h>

enum { LOOK_EVERY_MS = 1000 };

void job_watch_join(struct job_watches *all, struct job_watch *watch)
{
    watch->all = all;
    LIST_INSERT_HEAD(all, watch, entries);
}

void job_watch_leave(struct job_watch *watch)
{
    job_watch_end(watch);
    LIST_REMOVE(watch, entries);
}

const struct job_watch *job_watch_at_work(const struct job_watches *all)
{
    const struct job_watch *watch;
    LIST_FOREACH(watch, all, entries)
    {
        if (atomic_load(&watch->working))
            return watch;
    }
    return NULL;
}

/* That a job begins or ends is progress, too. */
static uint32_t progress_of_all(const struct job_watches *all)
{
    const struct job_watch *watch;
    uint32_t progress = 0;
    LIST_FOREACH(watch, all, entries)
    {
        progress += atomic_load(&watch->progress) + atomic_load(&watch->working);
    }
    return progress;
}

static void look(void *argument)
{
    struct job_watch *watch = argument;
    uint64_t now = executor_now(watch->executor);
    uint32_t progress = progress_of_all(watch->all);
    if (progress != watch->seen) {
        watch->seen = progress;
        watch->moved_ms = now;
    } else if (now - watch->moved_ms >= watch->quiet_ms) {
        watch->hangs(watch->argument);
        return;
    }
    executor_after(watch->executor, &watch->look, LOOK_EVERY_MS, look, watch);
}

void job_watch_begin(struct job_watch *watch)
{
    watch->seen = progress_of_all(watch->all);
    watch->moved_ms = executor_now(watch->executor);
    executor_after(watch->executor, &watch->look, LOOK_EVERY_MS, look, watch);
}

void job_watch_end(struct job_watch *watch)
{
    executor_cancel_timer(watch->executor, &watch->look);
}

void job_watch_work(struct job_watch *watch, bool working)
{
    atomic_store(&watch->working, working);
}

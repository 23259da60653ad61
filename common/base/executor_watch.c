#include "base/executor_private.h"
#include "base/memory.h"

struct executor_watch {
    uv_fs_event_t handle;
    struct executor *executor;
    struct executor_call call;
    void (*callback)(void *argument);
    void *argument;
};

/* Many events are one call. What only changes a file's content is none of them: whoever writes is
 * not ready. */
static void watch_take_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)name;
    struct executor_watch *watch = handle->data;
    if (status == 0 && (events & UV_RENAME) == 0)
        return;
    executor_defer(watch->executor, &watch->call, watch->callback, watch->argument);
}

static void watch_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

struct executor_watch *executor_watch_create(struct executor *executor, const char *path,
                                             void (*callback)(void *argument), void *argument,
                                             int *error)
{
    struct executor_watch *watch = memory_allocate(sizeof *watch);
    watch->executor = executor;
    watch->callback = callback;
    watch->argument = argument;
    int result = uv_fs_event_init(&executor->loop, &watch->handle);
    if (result < 0) {
        memory_free(watch);
        *error = -result;
        return NULL;
    }
    watch->handle.data = watch;
    result = uv_fs_event_start(&watch->handle, watch_take_event, path, 0);
    *error = -result;
    if (result == 0)
        return watch;
    executor_watch_free(watch);
    return NULL;
}

void executor_watch_free(struct executor_watch *watch)
{
    if (watch == NULL)
        return;
    executor_cancel_call(watch->executor, &watch->call);
    uv_close((uv_handle_t *)&watch->handle, watch_closed); /* may be in its own callback */
}

#include "base/executor_private.h"
#include "base/executor_socket.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

struct executor_listener {
    uv_pipe_t pipe;
    struct executor *executor;
    char *path;
    struct stat file; /* that was made */
    void (*connected)(void *argument, struct executor_socket *socket);
    void *argument;
};

/* --- the file --- */

static int stream_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whether nobody listens behind the file: a connection would be refused. 0, or an errno. */
static int check_abandoned(const struct sockaddr_un *address)
{
    struct stat file;
    if (lstat(address->sun_path, &file) != 0)
        return errno;
    if (!S_ISSOCK(file.st_mode))
        return EEXIST;
    int descriptor = stream_socket();
    if (descriptor < 0)
        return errno;
    int result = connect(descriptor, (const struct sockaddr *)address, sizeof *address);
    int error = result == 0 || errno == EAGAIN ? EADDRINUSE : errno;
    close(descriptor);
    return error == ECONNREFUSED ? 0 : error;
}

static int bind_new(int descriptor, const struct sockaddr_un *address)
{
    const struct sockaddr *generic = (const struct sockaddr *)address;
    if (bind(descriptor, generic, sizeof *address) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return errno;
    int error = check_abandoned(address);
    if (error != 0 && error != ENOENT)
        return error;
    if (error == 0 && unlink(address->sun_path) != 0 && errno != ENOENT)
        return errno;
    return bind(descriptor, generic, sizeof *address) == 0 ? 0 : errno;
}

/* Nobody can connect before listen(2): the file is right by then. */
static int open_file(const struct sockaddr_un *address, gid_t group, struct stat *file)
{
    const char *path = address->sun_path;
    bool shared = group != (gid_t)-1;
    if (lstat(path, file) != 0 || (shared && chown(path, (uid_t)-1, group) != 0) ||
        chmod(path, shared ? 0660 : 0600) != 0)
        return errno;
    return 0;
}

/* Returns the descriptor, or -1 with an errno in `*error`. */
static int listen_at(const char *path, gid_t group, struct stat *file, int *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        *error = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int descriptor = stream_socket();
    if (descriptor < 0) {
        *error = errno;
        return -1;
    }
    *error = bind_new(descriptor, &address);
    bool bound = *error == 0;
    if (bound)
        *error = open_file(&address, group, file);
    if (*error == 0)
        return descriptor;
    if (bound)
        unlink(path);
    close(descriptor);
    return -1;
}

/* Another daemon may have put its own file there. */
static void remove_own_file(const struct executor_listener *listener)
{
    struct stat file;
    if (lstat(listener->path, &file) == 0 && file.st_dev == listener->file.st_dev &&
        file.st_ino == listener->file.st_ino)
        unlink(listener->path);
}

/* --- the loop --- */

static void listener_connected(uv_stream_t *server, int status)
{
    struct executor_listener *listener = server->data;
    if (status < 0)
        return;
    struct executor_measure measure;
    executor_measure_begin(&measure);
    struct executor_socket *socket = executor_socket_accept(listener->executor, server);
    if (socket != NULL)
        listener->connected(listener->argument, socket);
    executor_measure_end(&measure, "connection");
}

static void listener_closed(uv_handle_t *handle)
{
    struct executor_listener *listener = handle->data;
    memory_free(listener->path);
    memory_free(listener);
}

struct executor_listener *executor_listen(struct executor *executor, const char *path, gid_t group,
                                          void (*connected)(void *argument,
                                                            struct executor_socket *socket),
                                          void *argument, int *error)
{
    struct stat file;
    int descriptor = listen_at(path, group, &file, error);
    if (descriptor < 0)
        return NULL;
    struct executor_listener *listener = memory_allocate(sizeof *listener);
    listener->executor = executor;
    listener->path = memory_copy_string(path);
    listener->file = file;
    listener->connected = connected;
    listener->argument = argument;
    listener->pipe.data = listener;
    int result = uv_pipe_init(&executor->loop, &listener->pipe, 0);
    if (result == 0)
        result = uv_pipe_open(&listener->pipe, descriptor);
    if (result != 0)
        close(descriptor);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&listener->pipe, BACKLOG, listener_connected);
    *error = -result;
    if (result == 0)
        return listener;
    executor_listener_close(listener);
    return NULL;
}

void executor_listener_close(struct executor_listener *listener)
{
    if (listener == NULL)
        return;
    remove_own_file(listener);
    uv_close((uv_handle_t *)&listener->pipe, listener_closed);
}

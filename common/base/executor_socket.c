#define _GNU_SOURCE
#include "base/executor_socket.h"

#include "base/buffer.h"
#include "base/executor_private.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLUSH_AT = 64 << 10 /* bytes that do not wait for the end of the turn */ };

struct executor_socket {
    uv_pipe_t pipe;
    uv_write_t writing;
    bool in_flight; /* `sending` is the kernel's business */
    bool closed;
    struct executor *executor;
    struct executor_call flush;
    struct buffer waiting; /* to be sent next */
    struct buffer sending;
    struct ucred peer;
    gid_t *groups;
    size_t group_count;
    const struct executor_socket_events *events;
    void *argument;
    char piece[EXECUTOR_SOCKET_PIECE];
};

/* --- who it is --- */

static void find_groups(struct executor_socket *socket, int descriptor)
{
    socklen_t size = 0;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return;
    socket->groups = memory_allocate(size);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, socket->groups, &size) == 0)
        socket->group_count = size / sizeof *socket->groups;
}

/* False when the kernel does not say: then it is nobody. */
static bool find_peer(struct executor_socket *socket)
{
    int descriptor;
    socklen_t size = sizeof socket->peer;
    if (uv_fileno((uv_handle_t *)&socket->pipe, &descriptor) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &socket->peer, &size) != 0)
        return false;
    find_groups(socket, descriptor);
    return true;
}

bool executor_socket_is_user(const struct executor_socket *socket, uid_t user)
{
    return socket->peer.uid == user;
}

uid_t executor_socket_user(const struct executor_socket *socket)
{
    return socket->peer.uid;
}

bool executor_socket_has_group(const struct executor_socket *socket, gid_t group)
{
    bool has = socket->peer.gid == group;
    for (size_t i = 0; i < socket->group_count && !has; i++)
        has = socket->groups[i] == group;
    return has;
}

/* --- coming in --- */

static void socket_give_piece(uv_handle_t *handle, size_t suggested, uv_buf_t *piece)
{
    (void)suggested;
    struct executor_socket *socket = handle->data;
    *piece = uv_buf_init(socket->piece, sizeof socket->piece);
}

/* A peer that has closed altogether hangs up; one that only writes no more does not. */
bool executor_socket_is_gone(const struct executor_socket *socket)
{
    struct pollfd polled = {.events = 0};
    return uv_fileno((const uv_handle_t *)&socket->pipe, &polled.fd) != 0 ||
           (poll(&polled, 1, 0) == 1 && (polled.revents & (POLLHUP | POLLERR)) != 0);
}

static void socket_take_piece(uv_stream_t *stream, ssize_t length, const uv_buf_t *piece)
{
    struct executor_socket *socket = stream->data;
    struct executor_measure measure;
    executor_measure_begin(&measure);
    if (length > 0) {
        socket->events->received(socket->argument, piece->base, (size_t)length);
    } else if (length < 0) {
        uv_read_stop(stream);
        socket->events->ended(socket->argument,
                              length != UV_EOF || executor_socket_is_gone(socket));
    }
    executor_measure_end(&measure, "socket");
}

void executor_socket_begin(struct executor_socket *socket,
                           const struct executor_socket_events *events, void *argument)
{
    socket->events = events;
    socket->argument = argument;
    executor_socket_read(socket, true);
}

void executor_socket_read(struct executor_socket *socket, bool on)
{
    uv_stream_t *stream = (uv_stream_t *)&socket->pipe;
    if (!on)
        uv_read_stop(stream);
    else if (!socket->closed && !uv_is_active((uv_handle_t *)stream))
        uv_read_start(stream, socket_give_piece, socket_take_piece);
}

/* --- going out --- */

static void socket_flush(void *argument);

static void socket_sent(uv_write_t *writing, int status)
{
    struct executor_socket *socket = writing->data;
    socket->in_flight = false;
    buffer_clear(&socket->sending);
    if (socket->closed)
        return;
    struct executor_measure measure;
    executor_measure_begin(&measure);
    if (status < 0) {
        buffer_clear(&socket->waiting);
        socket->events->ended(socket->argument, true);
    } else {
        socket_flush(socket);
        socket->events->sent(socket->argument);
    }
    executor_measure_end(&measure, "socket");
}

/* What is queued with libuv is tried at once, and its end is told from the loop. */
static void socket_flush(void *argument)
{
    struct executor_socket *socket = argument;
    if (socket->in_flight || socket->waiting.length == 0)
        return;
    struct buffer free_one = socket->sending;
    socket->sending = socket->waiting;
    socket->waiting = free_one;
    uv_buf_t bytes = uv_buf_init(socket->sending.data, (unsigned)socket->sending.length);
    socket->writing.data = socket;
    socket->in_flight = true;
    if (uv_write(&socket->writing, (uv_stream_t *)&socket->pipe, &bytes, 1, socket_sent) == 0)
        return;
    socket->in_flight = false; /* not connected any more: reading tells it */
    buffer_clear(&socket->sending);
}

void executor_socket_write(struct executor_socket *socket, const char *bytes, size_t length)
{
    if (socket->closed)
        return;
    buffer_append(&socket->waiting, bytes, length);
    if (socket->waiting.length >= FLUSH_AT)
        socket_flush(socket);
    if (socket->waiting.length > 0 && !socket->in_flight)
        executor_defer(socket->executor, &socket->flush, socket_flush, socket);
}

size_t executor_socket_waiting(const struct executor_socket *socket)
{
    return socket->waiting.length + (socket->in_flight ? socket->sending.length : 0);
}

static void socket_closed(uv_handle_t *handle)
{
    struct executor_socket *socket = handle->data;
    buffer_release(&socket->waiting);
    buffer_release(&socket->sending);
    memory_free(socket->groups);
    memory_free(socket);
}

void executor_socket_close(struct executor_socket *socket)
{
    if (socket->closed)
        return;
    if (socket->waiting.length > 0) {
        uv_buf_t bytes = uv_buf_init(socket->waiting.data, (unsigned)socket->waiting.length);
        uv_try_write((uv_stream_t *)&socket->pipe, &bytes, 1);
    }
    socket->closed = true;
    executor_cancel_call(socket->executor, &socket->flush);
    uv_close((uv_handle_t *)&socket->pipe, socket_closed);
}

/* --- a connection comes (executor_listener.c) --- */

struct executor_socket *executor_socket_accept(struct executor *executor, uv_stream_t *server)
{
    struct executor_socket *socket = memory_allocate(sizeof *socket);
    socket->executor = executor;
    if (uv_pipe_init(&executor->loop, &socket->pipe, 0) != 0) {
        memory_free(socket);
        return NULL;
    }
    socket->pipe.data = socket;
    if (uv_accept(server, (uv_stream_t *)&socket->pipe) == 0 && find_peer(socket))
        return socket;
    executor_socket_close(socket);
    return NULL;
}

#include "http/http_private.h"

#include "base/executor_uv.h"
#include "base/memory.h"

#include <assert.h>
#include <unistd.h>

/* One socket of libcurl's, watched by libuv until it is closed. */
struct http_socket {
    uv_poll_t poll;
    struct http_connections *connections;
    curl_socket_t descriptor;
    int wanted;     /* the events that libcurl waits for, as libuv's bits */
    int watched;    /* those that libuv waits for */
    bool connected; /* libcurl has waited for something to read */
    LIST_ENTRY(http_socket) entries;
};

/* --- what libcurl has done --- */

static void collect_ended(struct http_connections *connections)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(connections->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        char *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        /* Only defers what callers are told, so a crowd of them does not hold the loop. */
        http_transfer_ended((struct http_transfer *)(void *)transfer, result);
    }
}

/* What libcurl calls back may cancel, but never calls libcurl for another pool, so the ticket that
 * is shown to GSSAPI stays the right one until libcurl returns. */
void http_connections_enter(struct http_connections *connections)
{
    if (connections->kerberos != NULL)
        http_kerberos_select(connections->kerberos);
    connections->depth++;
}

void http_connections_leave(struct http_connections *connections)
{
    assert(connections->depth > 0);
    if (--connections->depth == 0)
        collect_ended(connections);
}

static void drive(struct http_connections *connections, curl_socket_t descriptor, int events)
{
    int running;
    http_connections_enter(connections);
    curl_multi_socket_action(connections->multi, descriptor, events, &running);
    http_connections_leave(connections);
}

/* --- sockets --- */

static void socket_event(uv_poll_t *poll, int status, int events);

/* Between two requests libcurl wants nothing of a socket, and soon the same again. To stop and to
 * start watching costs half a dozen system calls, so it stops when something comes that nobody
 * wants. */
static int socket_watch(struct http_socket *socket)
{
    if (socket->wanted == 0 || socket->wanted == socket->watched)
        return 0;
    int result = uv_poll_start(&socket->poll, socket->wanted, socket_event);
    socket->watched = result == 0 ? socket->wanted : 0;
    return result == 0 ? 0 : -1;
}

static void socket_stop(struct http_socket *socket)
{
    uv_poll_stop(&socket->poll);
    socket->watched = 0;
}

/* An error on a socket is not told to libcurl as one: it would give up without reading, and before
 * the error there may be an answer to read, as when a server refuses a body that is too large and
 * closes. Reading and writing find the error themselves. For the same reason libcurl always reads
 * before it writes. */
static void socket_event(uv_poll_t *poll, int status, int events)
{
    struct http_socket *socket = poll->data;
    if (status < 0 || socket->wanted == 0)
        socket_stop(socket);
    if (socket->wanted == 0)
        return;
    struct executor_measure measure;
    executor_measure_begin(&measure);
    int curl_events = 0;
    if (events != 0 || status < 0)
        curl_events |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0 || status < 0)
        curl_events |= CURL_CSELECT_OUT;
    drive(socket->connections, socket->descriptor, curl_events);
    /* A closed socket is still there until its callback. */
    if (!uv_is_closing((uv_handle_t *)poll))
        socket_watch(socket);
    executor_measure_end(&measure, "socket");
}

static void socket_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static struct http_socket *socket_open(struct http_connections *connections,
                                       curl_socket_t descriptor)
{
    struct http_socket *socket = memory_allocate(sizeof *socket);
    socket->connections = connections;
    socket->descriptor = descriptor;
    uv_loop_t *loop = executor_uv_loop(connections->client->executor);
    if (uv_poll_init(loop, &socket->poll, descriptor) != 0) {
        memory_free(socket);
        return NULL;
    }
    socket->poll.data = socket;
    LIST_INSERT_HEAD(&connections->sockets, socket, entries);
    return socket;
}

static struct http_socket *socket_find(struct http_connections *connections,
                                       curl_socket_t descriptor)
{
    struct http_socket *socket;
    LIST_FOREACH(socket, &connections->sockets, entries)
    {
        if (socket->descriptor == descriptor)
            return socket;
    }
    return NULL;
}

static void socket_forget(struct http_socket *socket)
{
    LIST_REMOVE(socket, entries);
    uv_close((uv_handle_t *)&socket->poll, socket_closed);
}

/* libcurl says which events of a socket it waits for, or that it waits for none any more. Versions
 * from 7.88 to 8.2 close a socket that is given up while it connects without calling socket_close
 * (github.com/curl/curl/pull/11439): the word that nobody waits for it is the last of it. */
static int socket_wanted(CURL *easy, curl_socket_t descriptor, int what, void *argument,
                         void *assigned)
{
    (void)easy;
    (void)assigned; /* libcurl forgets it between two requests */
    struct http_connections *connections = argument;
    struct http_socket *socket = socket_find(connections, descriptor);
    if (socket == NULL && what != CURL_POLL_REMOVE)
        socket = socket_open(connections, descriptor);
    if (socket == NULL)
        return what == CURL_POLL_REMOVE ? 0 : -1;
    if (what == CURL_POLL_REMOVE && !socket->connected) {
        socket_forget(socket);
        return 0;
    }
    socket->wanted = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        socket->wanted |= UV_READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        socket->wanted |= UV_WRITABLE;
    socket->connected = socket->connected || (socket->wanted & UV_READABLE) != 0;
    return socket_watch(socket);
}

/* libcurl is done with a socket. */
static int socket_close(void *argument, curl_socket_t descriptor)
{
    struct http_socket *socket = socket_find(argument, descriptor);
    if (socket != NULL)
        socket_forget(socket);
    return close(descriptor);
}

/* --- time --- */

static void time_is_up(void *argument)
{
    drive(argument, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl says when it wants to be called if nothing happens. */
static int timer_wanted(CURLM *multi, long timeout_ms, void *argument)
{
    (void)multi;
    struct http_connections *connections = argument;
    struct executor *executor = connections->client->executor;
    executor_cancel_timer(executor, &connections->timer);
    executor_cancel_call(executor, &connections->kick);
    if (timeout_ms == 0)
        executor_defer(executor, &connections->kick, time_is_up, connections);
    else if (timeout_ms > 0)
        executor_after(executor, &connections->timer, (uint64_t)timeout_ms, time_is_up,
                       connections);
    return 0;
}

/* --- life --- */

struct http_connections *http_connections_create(struct http_client *client,
                                                 struct http_kerberos *kerberos,
                                                 uint32_t max_connections)
{
    struct http_connections *connections = memory_allocate(sizeof *connections);
    connections->client = client;
    TAILQ_INIT(&connections->running);
    LIST_INIT(&connections->sockets);
    connections->multi = curl_multi_init();
    if (connections->multi == NULL) {
        memory_free(connections);
        return NULL;
    }
    CURLM *multi = connections->multi;
    connections->kerberos = kerberos;
    if (kerberos != NULL)
        http_kerberos_hold(kerberos);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, connections);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    TAILQ_INSERT_TAIL(&client->connections, connections, entries);
    return connections;
}

void http_connections_destroy(struct http_connections *connections)
{
    struct http_client *client = connections->client;
    assert(connections->depth == 0);
    struct http_transfer *transfer;
    while ((transfer = TAILQ_FIRST(&connections->running)) != NULL)
        http_transfer_reap(transfer);
    /* Closes the connections, which calls socket_close for each. */
    curl_multi_cleanup(connections->multi);
    assert(LIST_EMPTY(&connections->sockets));
    executor_cancel_timer(client->executor, &connections->timer);
    executor_cancel_call(client->executor, &connections->kick);
    executor_cancel_call(client->executor, &connections->reap);
    TAILQ_REMOVE(&client->connections, connections, entries);
    if (connections->kerberos != NULL)
        http_kerberos_release(connections->kerberos);
    memory_free(connections);
}

static void reap(void *argument)
{
    struct http_connections *connections = argument;
    struct http_transfer *transfer;
    struct http_transfer *next;
    for (transfer = TAILQ_FIRST(&connections->running); transfer != NULL; transfer = next) {
        next = TAILQ_NEXT(transfer, entries);
        if (transfer->abandoned)
            http_transfer_reap(transfer);
    }
    if (connections->retired && TAILQ_EMPTY(&connections->running))
        http_connections_destroy(connections);
}

void http_connections_reap_later(struct http_connections *connections)
{
    executor_defer(connections->client->executor, &connections->reap, reap, connections);
}

void http_connections_retire(struct http_connections *connections)
{
    connections->retired = true;
    if (connections->depth == 0 && TAILQ_EMPTY(&connections->running))
        http_connections_destroy(connections);
    else
        http_connections_reap_later(connections);
}

bool http_connections_add(struct http_connections *connections, struct http_transfer *transfer)
{
    transfer->connections = connections;
    TAILQ_INSERT_TAIL(&connections->running, transfer, entries);
    curl_easy_setopt(transfer->easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    curl_easy_setopt(transfer->easy, CURLOPT_CLOSESOCKETDATA, connections);
    http_connections_enter(connections);
    bool added = curl_multi_add_handle(connections->multi, transfer->easy) == CURLM_OK;
    http_connections_leave(connections);
    if (!added)
        TAILQ_REMOVE(&connections->running, transfer, entries);
    return added;
}

void http_connections_remove(struct http_connections *connections, struct http_transfer *transfer)
{
    assert(connections->depth == 0);
    connections->depth++;
    curl_multi_remove_handle(connections->multi, transfer->easy);
    connections->depth--;
    TAILQ_REMOVE(&connections->running, transfer, entries);
    if (connections->retired && TAILQ_EMPTY(&connections->running))
        http_connections_reap_later(connections);
}

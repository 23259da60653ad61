#define _GNU_SOURCE /* strcasestr */
#include "fixture_server.h"

#include "base/memory.h"
#include "fixture_certificate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256 };

struct fixture_connection {
    struct fixture_server *server;
    size_t number;
    int descriptor;
    SSL *tls;
    pthread_t thread;
    bool reset;
    char pending[FIXTURE_HEAD_SIZE]; /* read beyond a head */
    size_t pending_length;
};

struct fixture_server {
    int listener;
    uint16_t port;
    char url[64];
    fixture_handler *handler;
    void *argument;
    SSL_CTX *tls;
    bool tls_later;
    char certificate_file[64];
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    struct fixture_connection *connections[MAX_CONNECTIONS];
    size_t count;
    bool stopping;
};

/* --- bytes --- */

static ssize_t receive_some(struct fixture_connection *connection, char *room, size_t size)
{
    if (connection->tls != NULL)
        return SSL_read(connection->tls, room, (int)size);
    return recv(connection->descriptor, room, size, 0);
}

bool fixture_send(struct fixture_connection *connection, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = connection->tls != NULL
                           ? SSL_write(connection->tls, bytes, (int)length)
                           : send(connection->descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool fixture_send_text(struct fixture_connection *connection, const char *text)
{
    return fixture_send(connection, text, strlen(text));
}

bool fixture_answer(struct fixture_connection *connection, const char *status, const char *fields,
                    const char *body)
{
    char head[FIXTURE_HEAD_SIZE];
    int length = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status,
                          fields, strlen(body));
    assert(length > 0 && (size_t)length < sizeof head);
    return fixture_send(connection, head, (size_t)length) && fixture_send_text(connection, body);
}

bool fixture_receive_head(struct fixture_connection *connection, struct fixture_request *request)
{
    memset(request, 0, sizeof *request);
    char *end;
    while ((end = memmem(connection->pending, connection->pending_length, "\r\n\r\n", 4)) == NULL) {
        assert(connection->pending_length < sizeof connection->pending);
        ssize_t length = receive_some(connection, connection->pending + connection->pending_length,
                                      sizeof connection->pending - connection->pending_length);
        if (length <= 0)
            return false;
        connection->pending_length += (size_t)length;
    }
    size_t head_length = (size_t)(end - connection->pending) + 4;
    assert(head_length < sizeof request->head);
    memcpy(request->head, connection->pending, head_length);
    connection->pending_length -= head_length;
    memmove(connection->pending, connection->pending + head_length, connection->pending_length);
    char value[32];
    if (fixture_field(request, "Content-Length", value, sizeof value))
        request->body_length = strtoull(value, NULL, 10);
    return true;
}

bool fixture_receive_line(struct fixture_connection *connection, char *line, size_t size)
{
    const char *end;
    while ((end = memchr(connection->pending, '\n', connection->pending_length)) == NULL) {
        size_t room = sizeof connection->pending - connection->pending_length;
        ssize_t length =
            room == 0
                ? 0
                : receive_some(connection, connection->pending + connection->pending_length, room);
        if (length <= 0)
            return false;
        connection->pending_length += (size_t)length;
    }
    size_t length = (size_t)(end - connection->pending) + 1;
    if (length >= size)
        return false;
    memcpy(line, connection->pending, length);
    line[length] = '\0';
    connection->pending_length -= length;
    memmove(connection->pending, connection->pending + length, connection->pending_length);
    return true;
}

static void take_body(struct fixture_request *request, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        size_t place = request->body_received++;
        request->body_sum += (uint64_t)(unsigned char)bytes[i] * (place + 1);
        if (place < sizeof request->body_begin - 1)
            request->body_begin[place] = bytes[i];
    }
}

uint64_t fixture_sum(const char *bytes, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += (uint64_t)(unsigned char)bytes[i] * (i + 1);
    return sum;
}

bool fixture_receive_body(struct fixture_connection *connection, struct fixture_request *request,
                          size_t length)
{
    if (length > request->body_length)
        length = request->body_length;
    while (request->body_received < length) {
        char room[16384];
        size_t wanted = length - request->body_received;
        ssize_t got;
        if (wanted > sizeof room)
            wanted = sizeof room;
        if (connection->pending_length > 0) {
            if (wanted > connection->pending_length)
                wanted = connection->pending_length;
            memcpy(room, connection->pending, wanted);
            connection->pending_length -= wanted;
            memmove(connection->pending, connection->pending + wanted, connection->pending_length);
            got = (ssize_t)wanted;
        } else {
            got = receive_some(connection, room, wanted);
        }
        if (got <= 0)
            return false;
        take_body(request, room, (size_t)got);
    }
    return true;
}

bool fixture_receive(struct fixture_connection *connection, struct fixture_request *request)
{
    return fixture_receive_head(connection, request) &&
           fixture_receive_body(connection, request, request->body_length);
}

bool fixture_expect_end(struct fixture_connection *connection)
{
    char byte;
    return connection->pending_length == 0 && receive_some(connection, &byte, 1) <= 0;
}

bool fixture_field(const struct fixture_request *request, const char *name, char *value,
                   size_t size)
{
    size_t name_length = strlen(name);
    const char *line = strstr(request->head, "\r\n");
    while (line != NULL) {
        line += 2;
        if (strncasecmp(line, name, name_length) == 0 && line[name_length] == ':') {
            const char *begin = line + name_length + 1;
            begin += strspn(begin, " ");
            snprintf(value, size, "%.*s", (int)strcspn(begin, "\r"), begin);
            return true;
        }
        line = strstr(line, "\r\n");
    }
    return false;
}

size_t fixture_number(const struct fixture_connection *connection)
{
    return connection->number;
}

void fixture_reset(struct fixture_connection *connection)
{
    connection->reset = true;
}

/* --- threads --- */

bool fixture_start_tls(struct fixture_connection *connection)
{
    connection->tls = SSL_new(connection->server->tls);
    SSL_set_fd(connection->tls, connection->descriptor);
    return SSL_accept(connection->tls) == 1;
}

static void *serve(void *argument)
{
    struct fixture_connection *connection = argument;
    struct fixture_server *server = connection->server;
    if (server->tls == NULL || server->tls_later || fixture_start_tls(connection)) {
        server->handler(connection, server->argument);
        if (connection->tls != NULL && !connection->reset)
            SSL_shutdown(connection->tls);
    }
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    pthread_mutex_lock(&server->mutex);
    if (connection->reset)
        setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(connection->descriptor);
    connection->descriptor = -1;
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

static bool add_connection(struct fixture_server *server, int descriptor)
{
    pthread_mutex_lock(&server->mutex);
    bool welcome = !server->stopping;
    if (welcome) {
        assert(server->count < MAX_CONNECTIONS);
        struct fixture_connection *connection = memory_allocate(sizeof *connection);
        connection->server = server;
        connection->descriptor = descriptor;
        connection->number = server->count + 1;
        server->connections[server->count++] = connection;
        pthread_create(&connection->thread, NULL, serve, connection);
    } else {
        close(descriptor);
    }
    pthread_mutex_unlock(&server->mutex);
    return welcome;
}

static void *accept_all(void *argument)
{
    struct fixture_server *server = argument;
    int descriptor;
    while ((descriptor = accept(server->listener, NULL, NULL)) >= 0 &&
           add_connection(server, descriptor))
        ;
    return NULL;
}

struct fixture_server *fixture_server_start(fixture_handler *handler, void *argument,
                                            const struct fixture_certificate *certificate)
{
    struct fixture_server *server = memory_allocate(sizeof *server);
    server->handler = handler;
    server->argument = argument;
    pthread_mutex_init(&server->mutex, NULL);
    server->tls_later = certificate != NULL && certificate->later;
    if (certificate != NULL)
        server->tls = fixture_certificate_create(certificate, server->certificate_file,
                                                 sizeof server->certificate_file);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bound = bind(server->listener, (struct sockaddr *)&address, sizeof address);
    assert(server->listener >= 0 && bound == 0);
    (void)bound;
    listen(server->listener, 64);
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%u/EWS/Exchange.asmx",
             certificate != NULL ? "https" : "http", (unsigned)server->port);
    pthread_create(&server->thread, NULL, accept_all, server);
    return server;
}

void fixture_server_stop(struct fixture_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    for (size_t i = 0; i < server->count; i++) {
        if (server->connections[i]->descriptor >= 0)
            shutdown(server->connections[i]->descriptor, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->mutex);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (size_t i = 0; i < server->count; i++) {
        pthread_join(server->connections[i]->thread, NULL);
        SSL_free(server->connections[i]->tls);
        memory_free(server->connections[i]);
    }
    if (server->tls != NULL) {
        unlink(server->certificate_file);
        SSL_CTX_free(server->tls);
    }
    pthread_mutex_destroy(&server->mutex);
    memory_free(server);
}

uint16_t fixture_server_port(const struct fixture_server *server)
{
    return server->port;
}

const char *fixture_server_url(const struct fixture_server *server)
{
    return server->url;
}

const char *fixture_server_certificate_file(const struct fixture_server *server)
{
    return server->certificate_file;
}

size_t fixture_server_connections(struct fixture_server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t count = server->count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

/* --- gates --- */

void fixture_gate_init(struct fixture_gate *gate)
{
    *gate = (struct fixture_gate){0};
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

void fixture_gate_pass(struct fixture_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->passes++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

void fixture_gate_open(struct fixture_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

void fixture_gate_wait(struct fixture_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    while (!gate->open && gate->passes == 0)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    if (!gate->open)
        gate->passes--;
    pthread_mutex_unlock(&gate->mutex);
}

/* A small real server inside a test: threads that read requests and write raw bytes.
 *
 *   handler   a function that serves one connection; each runs on a thread of its own
 *   gate      lets a handler wait until the test, or another handler, says go
 *
 * Nothing in it depends on time: a handler that must wait, waits for a gate. */
#ifndef EXSYNC_TESTS_FIXTURE_SERVER_H
#define EXSYNC_TESTS_FIXTURE_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIXTURE_HEAD_SIZE = 8192 };

struct fixture_server;
struct fixture_connection;

typedef void fixture_handler(struct fixture_connection *connection, void *argument);

/* A certificate for TLS, signed by itself. */
struct fixture_certificate {
    const char *host; /* the name it is for */
    bool expired;
    bool later; /* connections begin plain; fixture_start_tls encrypts one */
};

/* `certificate` NULL: plain HTTP. */
struct fixture_server *fixture_server_start(fixture_handler *handler, void *argument,
                                            const struct fixture_certificate *certificate);

/* Closes all connections and waits for the handlers. */
void fixture_server_stop(struct fixture_server *server);

uint16_t fixture_server_port(const struct fixture_server *server);

/* "http://127.0.0.1:PORT/EWS/Exchange.asmx", or https. */
const char *fixture_server_url(const struct fixture_server *server);

/* Of the certificate, in PEM; removed by fixture_server_stop. */
const char *fixture_server_certificate_file(const struct fixture_server *server);

/* Connections accepted so far. */
size_t fixture_server_connections(struct fixture_server *server);

struct fixture_request {
    char head[FIXTURE_HEAD_SIZE]; /* with its empty line, and a NUL */
    size_t body_length;           /* as Content-Length says */
    size_t body_received;
    uint64_t body_sum;   /* of its bytes, each times its place: shows a body that is out of order */
    char body_begin[64]; /* a string */
};

/* Which of the server's connections this is, from 1. */
size_t fixture_number(const struct fixture_connection *connection);

/* Reads a request with its body; false when the connection ended before. */
bool fixture_receive(struct fixture_connection *connection, struct fixture_request *request);
bool fixture_receive_head(struct fixture_connection *connection, struct fixture_request *request);

/* Reads until `length` bytes of the body have come in all. */
bool fixture_receive_body(struct fixture_connection *connection, struct fixture_request *request,
                          size_t length);

/* Reads a line, its end included, as a string; false when the connection ended before, or the line
 * does not fit. */
bool fixture_receive_line(struct fixture_connection *connection, char *line, size_t size);

/* Encrypts a connection that began plain. */
bool fixture_start_tls(struct fixture_connection *connection);

/* True when the other side closes without having sent anything more. */
bool fixture_expect_end(struct fixture_connection *connection);

bool fixture_send(struct fixture_connection *connection, const char *bytes, size_t length);
bool fixture_send_text(struct fixture_connection *connection, const char *text);

/* A whole answer; `fields` are complete lines, "" for none. */
bool fixture_answer(struct fixture_connection *connection, const char *status, const char *fields,
                    const char *body);

/* Ends with an RST instead of a FIN when the handler returns. */
void fixture_reset(struct fixture_connection *connection);

/* Copies a field of the request's head; false when it has none of that name. */
bool fixture_field(const struct fixture_request *request, const char *name, char *value,
                   size_t size);

/* The sum that a body of these bytes has. */
uint64_t fixture_sum(const char *bytes, size_t length);

struct fixture_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned passes;
    bool open; /* for everybody, from now on */
};

void fixture_gate_init(struct fixture_gate *gate);
void fixture_gate_pass(struct fixture_gate *gate); /* lets one through, now or later */
void fixture_gate_open(struct fixture_gate *gate);
void fixture_gate_wait(struct fixture_gate *gate);

#endif

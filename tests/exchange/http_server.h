/* The HTTP server that clients talk to: connections, authentication, the bodies of requests. */
#ifndef EXCHANGE_HTTP_SERVER_H
#define EXCHANGE_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct simulator;

struct http_server_settings {
    uint16_t port;           /* 0: a free one */
    unsigned threads;        /* 1 at least */
    const char *certificate; /* file, PEM; NULL: plain HTTP */
    const char *key;         /* file, PEM */
};

/* Starts to listen on loopback; NULL when that is impossible, `error` says why. */
struct http_server *http_server_start(struct simulator *simulator,
                                      const struct http_server_settings *settings,
                                      const char **error);

/* The URL of the EWS endpoint. Valid as long as the server. */
const char *http_server_url(const struct http_server *server);

/* Ends all connections; new ones get this certificate. False when the files cannot be used: then
 * nothing has changed. */
bool http_server_set_certificate(struct http_server *server, const char *certificate,
                                 const char *key);

void http_server_stop(struct http_server *server);

#endif

/* The control endpoint: how tests drive the simulator while it runs. README.md lists the
 * commands.*/
#ifndef EXCHANGE_CONTROL_H
#define EXCHANGE_CONTROL_H

#include <stdint.h>

struct control;
struct http_server;
struct simulator;

/* Starts to listen on loopback, plain HTTP; port 0 is any free one. NULL when that is impossible.
 */
struct control *control_start(struct simulator *simulator, struct http_server *server,
                              uint16_t port);

/* Valid as long as the control endpoint. */
const char *control_url(const struct control *control);

void control_stop(struct control *control);

#endif

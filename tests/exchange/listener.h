/* Listening sockets on loopback. */
#ifndef EXCHANGE_LISTENER_H
#define EXCHANGE_LISTENER_H

#include <stdint.h>

/* A socket that listens on 127.0.0.1; `port` 0 means any free one, and gets the one it is. -1 with
 * errno set when there is none. */
int listener_open(uint16_t *port);

#endif
